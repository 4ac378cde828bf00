"""docs/files.md names every file that `make` left, and every column of its tables."""

import csv
import runpy
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENTED = runpy.run_path(str(ROOT / "tests" / "docs" / "documented.py"))
TABLES = [
    *("data/movies.csv", "data/curation.csv", "data/clips.csv", "data/mtgc.csv"),
    *("data/ledger.csv", "results/summary.csv", "results/costs.csv", "results/splits.csv"),
    *("results/transfer/tst.csv", "results/failures/all.csv", "results/tables/trailers.csv"),
    "results/tables/flags.csv",
]
FOLDERS = ("data", "build", "results", "logs", "benchmarks")


def files_of_the_run():
    """The files below the folders of a run, without those of the zarr arrays."""
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*"):
            name = path.relative_to(ROOT).as_posix()
            if path.is_file() and ".zarr/" not in name:
                yield name


def test_every_file_is_documented():
    names = list(files_of_the_run())
    assert len(names) > 500
    patterns = DOCUMENTED["files"]()
    assert [name for name in names if not any(p.fullmatch(name) for p in patterns)] == []


def test_every_table_has_the_documented_columns():
    of_all_ledgers = DOCUMENTED["columns"]("data/ledger.csv")
    of_all_ledgers.remove("stage")
    sections = {file: file for file in TABLES}
    sections["results/transfer/val.csv"] = "results/transfer/tst.csv"
    for file, section in sections.items():
        assert header(file) == DOCUMENTED["columns"](section), file
    for stage in ("trailers", "posters", "clips", "sound"):
        own = DOCUMENTED["columns"](f"build/ledger/{stage}/SHARD.csv")
        assert header(f"build/ledger/{stage}/000.csv") == [*of_all_ledgers, *own], stage


def header(file):
    with (ROOT / file).open(encoding="utf-8", newline="") as lines:
        return next(csv.reader(lines))
