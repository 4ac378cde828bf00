from pathlib import Path

from trailers12k.common.vocabulary import PUBLISHED, SAMPLE
from trailers12k.workflow.closing_words import SCORES, SUMMARY, closing_words

TABLE = """**Untrained weights.** More words.

| run | a | b | c | d | paper 1 | paper 2 | paper 3 | paper 4 | weights |
|---|---|---|---|---|---|---|---|---|---|
| image | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | random |

## Details
| not | shown |
"""


def test_a_whole_run_ends_with_its_table_without_the_papers_columns(folder):
    assert closing_words((), None, collection=SAMPLE) == ""
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    words = closing_words((), None, collection=SAMPLE)
    assert (
        "| image | 1 | 2 | 3 | 4 | random |" in words
        and " 8 |" not in words
        and "shown" not in words
    )
    assert "Untrained weights." in words and "data/ledger.csv" in words
    assert "data/ledger.csv" not in closing_words((), None, collection=PUBLISHED)


def test_the_paper_is_not_named_where_its_figures_are_of_other_movies(folder):
    SUMMARY.parent.mkdir()
    for more in ("", " 9 of 10 |"):
        head = "| run | a | b | c | d | weights |" + more
        SUMMARY.write_text(f"{head}\n| image | 1 | 2 | 3 | 4 | random |{more}\n")
        words = closing_words((), None, collection="own")
        assert f"| image | 1 | 2 | 3 | 4 | random |{more}\n" in words and "paper" not in words


def test_genres_without_a_movie_are_named_below_the_table(folder):
    SCORES.mkdir(parents=True)
    SUMMARY.write_text(TABLE)
    for file, absent in (("tst.csv", "crime|horror"), ("val.csv", "")):
        (SCORES / file).write_text(f"run,split,absent\nimage,0,{absent}\nimage,1,\n")
    words = closing_words((), None, collection="own")
    assert "Test movies of split 0: 2 of 10 genres have no movie here (crime, horror)" in words
    assert "Validation" not in words and "split 1" not in words


def test_a_run_of_a_target_prints_nothing(folder):
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    assert closing_words({"clips"}, None, collection=SAMPLE) == ""


def test_a_prediction_is_printed(folder):
    class Request:
        products = ("table.md", "table.json")

    assert closing_words({"predict"}, Request(), collection=SAMPLE) == ""
    Path("table.md").write_text("drama 90 %")
    assert closing_words({"predict"}, Request(), collection=SAMPLE) == "drama 90 %"


def test_only_the_sample_names_the_way_to_a_collection_of_your_own(folder):
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    assert "trailers12k init" in closing_words((), None, collection=SAMPLE)
    assert "trailers12k init" not in closing_words((), None, collection="own")


def test_odd_rows_of_published_files_are_counted(folder):
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    Path("data").mkdir()
    ledger = Path("data/ledger.csv")
    ledger.write_text("mid,stage,status,reason\ntt1,imdb,ok,odd_row\ntt2,clips,failed,corrupt\n")
    words = closing_words((), None, collection="own")
    assert "Odd rows of published files:          1, odd_row in data/ledger.csv" in words
    ledger.write_text("mid,stage,status,reason\ntt2,clips,failed,corrupt\n")
    assert "Odd rows" not in closing_words((), None, collection="own")
