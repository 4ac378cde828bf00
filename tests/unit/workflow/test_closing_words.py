from pathlib import Path

from trailers12k.common.vocabulary import PUBLISHED, SAMPLE
from trailers12k.workflow.closing_words import SUMMARY, closing_words

TABLE = """**Untrained weights.** More words.

| run | a | b | c | d | paper 1 | paper 2 | paper 3 | paper 4 |
|---|---|---|---|---|---|---|---|---|
| image | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 |

## Details
| not | shown |
"""


def test_a_whole_run_ends_with_its_table_without_the_papers_columns(folder):
    assert closing_words((), None, collection=SAMPLE) == ""
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    words = closing_words((), None, collection=SAMPLE)
    assert "| image | 1 | 2 | 3 | 4 |" in words and " 8 |" not in words and "shown" not in words
    assert "Untrained weights." in words and "data/ledger.csv" in words
    assert "data/ledger.csv" not in closing_words((), None, collection=PUBLISHED)


def test_a_run_of_a_target_prints_nothing(folder):
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    assert closing_words({"clips"}, None, collection=SAMPLE) == ""


def test_a_prediction_is_printed(folder):
    class Request:
        products = ("table.md", "table.json")

    Path("table.md").write_text("drama 90 %")
    assert closing_words({"predict"}, Request(), collection=SAMPLE) == "drama 90 %"


def test_only_the_sample_names_the_way_to_a_collection_of_your_own(folder):
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    assert "trailers12k init" in closing_words((), None, collection=SAMPLE)
    assert "trailers12k init" not in closing_words((), None, collection="own")
