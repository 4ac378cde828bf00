"""files.md has every column of every table, as the code writes it."""

import re

import pytest

from trailers12k.classifier.packing import INDEX_COLUMNS
from trailers12k.common.vocabulary import GENRES, SPLITS
from trailers12k.downloads.posters import POSTER_COLUMNS
from trailers12k.downloads.trailers import TRAILER_COLUMNS
from trailers12k.evaluation import differences, leaderboards, scores, split_effect
from trailers12k.features import shard
from trailers12k.jobs import ledger
from trailers12k.movies import curation, movie_table
from trailers12k.movies.sources import trailer_choices
from trailers12k.report import costs, tables
from trailers12k.review import flags, trailer_table
from trailers12k.video import clip_shard, clip_table

from .documented import PAGE, SUMMARY, columns

LABELS = ["mid", *GENRES, *(f"split{split}" for split in SPLITS)]
COLUMNS = {
    "movies.csv": movie_table.COLUMNS,
    "curation.csv": curation.COLUMNS,
    "trailer_choices.csv": trailer_choices.COLUMNS,
    "data/movies.csv": movie_table.COLUMNS,
    "data/curation.csv": curation.WRITTEN,
    "data/clips.csv": clip_table.COLUMNS,
    "data/mtgc.csv": LABELS,
    "data/ledger.csv": ["mid", "stage", *ledger.COLUMNS[1:]],
    "results/summary.csv": [
        *("run", "weights", "pretrained", "splits", "movies", "of", "classifier"),
        *SUMMARY,
    ],
    "results/leaderboard.csv": leaderboards.COLUMNS,
    "results/split_effect.csv": split_effect.COLUMNS,
    "results/standard_splits.csv": LABELS,
    "results/transfer/tst.csv": scores.COLUMNS,
    "results/transfer/intervals.csv": differences.INTERVAL_COLUMNS,
    "results/transfer/comparisons.csv": differences.COMPARISON_COLUMNS,
    "results/transfer/options.csv": scores.OPTION_COLUMNS,
    "results/failures/all.csv": ledger.FAILURE_COLUMNS,
    "results/costs.csv": costs.COSTS,
    "results/tables/trailers.csv": trailer_table.TRAILERS,
    "results/tables/flags.csv": flags.COLUMNS,
    "build/ledger/trailers/SHARD.csv": TRAILER_COLUMNS,
    "build/ledger/posters/SHARD.csv": POSTER_COLUMNS,
    "build/ledger/clips/SHARD.csv": clip_shard.LEDGER_COLUMNS,
    "build/ledger/STORE/SHARD.csv": shard.LEDGER_COLUMNS,
}
"""Section of the page -> the columns of the code. tests/sample compares all files of a run."""


@pytest.mark.parametrize("section", COLUMNS)
def test_a_section_has_the_columns_of_the_file_in_their_order(section):
    assert columns(section) == list(COLUMNS[section])


def test_the_tables_of_the_report_are_listed_with_their_columns():
    text = PAGE.split("### `results/tables/`\n")[1].split("\n##")[0]
    for name, written in tables.COLUMNS.items():
        line = re.search(rf"^\| `results/tables/{name}.csv` \| (.+) \|$", text, re.M)[1]
        listed = re.findall(r"`([^`]+)`", line)
        assert listed == list(written) or (listed == ["genre"] and written[1:] == [*GENRES])


def test_the_index_of_a_packed_store_has_its_columns():
    line = re.search(r"^\| `build/packed/STORE.csv` \| .+", PAGE, re.M)[0]
    assert all(f"`{name}`" in line for name in INDEX_COLUMNS)
