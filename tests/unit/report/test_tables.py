"""The tables that describe a run: losses add up, and numbers agree with a calculation by hand."""

import csv
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trailers12k.common.files import write_csv, write_json, write_text
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import GENRES
from trailers12k.features import store
from trailers12k.report import costs, losses, measures, tables

MIDS = [f"tt000000{i}" for i in range(1, 9)]
OK = ("ok", "")


def movies(*genres):
    return [
        Movie(mid, f"title of {mid}", "1999", tuple(of.split("|")), youtube_id=f"id-{mid}")
        for mid, of in zip(MIDS, genres, strict=False)
    ]


def stages(**losses):
    """stage -> mid -> (status, reason): ok, except for the losses by the last digit of the mid."""
    return {
        stage: {mid: lost.get(mid[-1], OK) for mid in MIDS}
        for stage, lost in ({"trailers": {}, "clips": {}, "store": {}} | losses).items()
    }


def splits(**columns):
    table = pd.DataFrame(0, index=pd.Index(MIDS, name="mid"), columns=list(GENRES))
    for name, subset in columns.items():
        table[name] = subset
    return table


def test_a_movie_is_lost_at_the_first_stage_that_is_not_ok():
    ledger = stages(
        trailers={"2": ("failed", "private")},
        clips={"2": ("skipped", "no_trailer"), "3": ("failed", "no_frames")},
    )
    del ledger["store"]["tt0000004"]
    assert losses.follow(MIDS, ledger, ["trailers", "clips", "store"]) == {
        "tt0000002": ("trailers", "failed", "private"),
        "tt0000003": ("clips", "failed", "no_frames"),
        "tt0000004": ("store", "skipped", "unknown"),
    }


def test_the_funnel_counts_every_movie_once():
    ledger = stages(
        trailers={"1": ("failed", "private"), "2": ("failed", "private")},
        clips={"1": ("skipped", "no_trailer"), "3": ("failed", "no_frames")},
        store={"4": ("skipped", "no_poster")},
    )
    order = ["trailers", "clips", "store"]
    lost = losses.follow(MIDS, ledger, order)
    table = splits(split0=[2, 2, 2, 2, 2, 0, 1, 2], split1=[0] * 8).drop(index=MIDS[4])
    predicted = {"a": {MIDS[7]}, "b": {MIDS[7], MIDS[3]}}
    rows = losses.funnel(MIDS, 3, lost, order, table, predicted)
    assert [tuple(row.values()) for row in rows] == [
        ("movies", "ok", "", 11),
        ("curation", "skipped", "rejected", 3),
        ("curation", "ok", "", 8),
        ("trailers", "failed", "private", 2),
        ("trailers", "ok", "", 6),
        ("clips", "failed", "no_frames", 1),
        ("clips", "ok", "", 5),
        ("features", "skipped", "no_poster", 1),
        ("features", "ok", "", 4),
        ("splits", "skipped", "not_in_splits", 1),
        ("splits", "ok", "", 3),
        ("test", "skipped", "in_no_test_subset", 2),
        ("test", "ok", "", 1),
        ("evaluated", "ok", "", 1),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_the_numbers_of_any_funnel_add_up(seed):
    random = np.random.default_rng(seed)
    state = [OK, OK, ("failed", "removed"), ("skipped", "no_trailer"), ("failed", "")]
    order = ["trailers", "clips", "one", "two"]
    ledger = {stage: {mid: state[random.integers(5)] for mid in MIDS} for stage in order}
    table = splits(split0=random.integers(0, 3, 8), split1=random.integers(0, 3, 8))
    table = table[random.random(8) < 0.8]
    predicted = {run: {*np.array(MIDS)[random.random(8) < 0.7]} for run in "ab"}
    rejected = int(random.integers(3))
    lost = losses.follow(MIDS, ledger, order)
    left = 8 + rejected
    for row in losses.funnel(MIDS, rejected, lost, order, table, predicted)[1:]:
        if row["status"] != "ok":
            assert row["reason"]
            left -= row["movies"]
        assert row["status"] != "ok" or row["movies"] == left


def test_movies_per_genre_and_per_pair_of_genres():
    labels = tables.labels_of(movies("drama|romance", "drama", "romance", "horror"))
    counts = {row["genre"]: row for row in tables.genre_counts(labels, {MIDS[0], MIDS[1]})}
    assert counts["drama"]["movies"] == counts["drama"]["evaluated"] == 2
    assert counts["romance"] == {
        "genre": "romance",
        "movies": 2,
        "share": "0.500000",
        "evaluated": 1,
    }
    together = {row["genre"]: row for row in tables.cooccurrence(labels)}
    assert together["drama"]["romance"] == together["romance"]["drama"] == 1
    assert together["drama"]["drama"] == 2 and together["horror"]["drama"] == 0


@pytest.mark.parametrize(
    "numbers",
    [
        *([4.0], [1, 1, 1, 2, 3], [90.5, 120, 133.25, 9000], list(range(1920, 2026)), [0, 0.001]),
        *([-70.0, -23.1, -14.2, -9.0], [-14.2], [0.0, 0.031, 0.5, 1.0]),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["duration", "shots"])
def test_every_number_is_in_one_bar(numbers, name):
    if name == "shots":
        numbers = [int(number) for number in numbers]
    values = np.array(numbers, dtype=float)
    rows = measures.histograms({name: values})
    assert sum(row["movies"] for row in rows) == len(values) and len(rows) < 45
    bars = [(float(row["from"]), float(row["to"])) for row in rows]
    assert all(end == start for (_, end), (start, _) in zip(bars, bars[1:], strict=False))
    for (start, end), row in zip(bars, rows, strict=True):
        last = row is rows[-1]
        inside = (values >= start) & ((values <= end) if last else (values < end))
        assert inside.sum() == pytest.approx(row["movies"], abs=1e-9)


def test_bars_of_shares_are_between_a_hundredth_and_a_tenth_wide():
    for values in ([0.0, 0.0], [0.001, 0.002], [0.0, 0.5, 1.0]):
        (first, *_) = measures.histograms({"silence": np.array(values)})
        assert 0.0099 < float(first["to"]) - float(first["from"]) < 0.101


def test_a_measure_without_values_has_an_empty_median():
    values = measures.measured([dict.fromkeys(measures.MEASURES, "")])
    rows = measures.measures(values)
    assert [row["movies"] for row in rows] == [0] * len(measures.MEASURES)
    assert measures.histograms({"shots": np.array([])}) == []


def test_mistakes_agree_with_a_calculation_by_hand():
    labels = splits(split0=2)
    labels.loc[MIDS[0], "drama"] = 1
    sure = pd.DataFrame(0.01, index=MIDS[:2], columns=list(GENRES))
    wrong = sure.copy()
    wrong.loc[MIDS[1], "horror"] = 0.9
    titles = {MIDS[1]: "The wrong one"}
    rows = tables.mistakes(labels, {"run": [sure, wrong.loc[MIDS[1:2]]]}, titles)
    assert [row["mid"] for row in rows] == MIDS[:2]
    first, second = rows
    right = -np.log(0.99)
    assert float(first["loss"]) == pytest.approx((9 * right - np.log(0.01)) / 10, abs=1e-4)
    # Tested in two splits: the mean of both.
    both = (10 * right + 9 * right - np.log(0.1)) / 20
    assert float(second["loss"]) == pytest.approx(both, abs=1e-4)
    assert first["genres"] == "drama" and second["title"] == "The wrong one"
    assert second["predicted"].startswith("horror 0.46|")


def test_mistakes_with_equal_loss_are_ordered_by_mid():
    labels = splits(split0=2)
    many = pd.DataFrame(0.5, index=MIDS, columns=list(GENRES))
    rows = tables.mistakes(labels, {"a": [many] * 3, "b": [many.iloc[:0]]}, {})
    assert {row["run"] for row in rows} == {"a"}
    assert [row["mid"] for row in rows] == MIDS


def benchmark(folder: Path, name: str, seconds: float, memory: str, cpu: float):
    head = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time"
    write_text(folder / name, f"{head}\n{seconds}\t0\t{memory}\t0\t0\t0\t0\t0\t9\t{cpu}\n")


def test_costs_are_summed_by_rule(tmp_path):
    benchmark(tmp_path, "extract_features/store/000.tsv", 10, "100", 8)
    benchmark(tmp_path, "extract_features/store/001.tsv", 5, "300", 4)
    benchmark(tmp_path, "extract_features/gone/000.tsv", 500, "900", 400)
    benchmark(tmp_path, "detect_clips/000.tsv", 2, "NA", 1)
    benchmark(tmp_path, "draw_report.tsv", 99, "9", 99)
    assert costs.costs(tmp_path, ["store"]) == [
        {"rule": "extract_features", "jobs": 2, "seconds": "15.0", "cpu_seconds": "12.0"}
        | {"max_rss_mb": "300"},
        {"rule": "detect_clips", "jobs": 1, "seconds": "2.0", "cpu_seconds": "1.0"}
        | {"max_rss_mb": "0"},
    ]
    assert costs.costs(tmp_path / "none", []) == []


def test_a_job_that_put_a_result_back_costs_what_the_work_did(tmp_path):
    folder = tmp_path / "benchmarks"
    benchmark(folder, "train_run/run/split0.tsv", 0.2, "NA", 0.1)
    benchmark(folder, "train_run/run/split1.tsv", 3, "20", 2)
    cost = {"seconds": 10, "cpu_seconds": 8.0, "max_rss_mb": 700.0}
    write_json(tmp_path / "logs/train_run/run/split0.json", {"cost": cost})
    for of_split1 in ({"cost": {}}, {}, [], {"cost": {"seconds": "x"}}):
        write_json(tmp_path / "logs/train_run/run/split1.json", of_split1)
        [row] = costs.costs(folder, ["run"])
        assert (row["seconds"], row["cpu_seconds"], row["max_rss_mb"]) == ("13.0", "10.0", "700")


def test_stores_and_versions_come_from_recorded_attributes():
    attributes = {
        "random": {"pretrained": False, "weights": "random, seed 1", "num_features": 8}
        | {"versions": {"torch": "2"}, "decoder": "decord 1"},
        "theirs": {"num_features": 9},
    }
    manifests = {"random": [{"clips": "3"}, {"clips": "4"}], "theirs": [{"clips": ""}]}
    records = {name: tables.StoreRecord(attributes[name], manifests[name]) for name in attributes}
    first, second = tables.store_rows(records)
    assert (first["movies"], first["clips"], first["trained"]) == (2, 7, "no")
    assert (second["weights"], second["trained"], second["features"]) == ("as published", "", 9)
    tools = [{"stage": "trailers", "status": "ok", "tool": "yt-dlp 1"}]
    rows = tables.versions(attributes.values(), tools)
    made_by = {row["what"]: row["made_by"] for row in rows}
    assert made_by["trailers"] == "yt-dlp 1" and made_by["features"] == "torch 2"
    assert made_by["decoding"] == "decord 1" and "pandas" in made_by["tables"]


def test_without_a_movie_table_the_other_tables_are_written(tmp_path):
    folders = [tmp_path / f"split{k}" for k in range(2)]
    for folder in folders:
        folder.mkdir()
        table = pd.DataFrame(0.5, index=pd.Index(MIDS[:3], name="mid"), columns=list(GENRES))
        table.to_csv(folder / "tst.csv")
    splits(split0=2, split1=0).to_csv(tmp_path / "mtgc.csv")
    store.create(tmp_path / "store.zarr", {"num_features": 8})
    manifest = [{"mid": mid, "clips": "1"} for mid in MIDS[:5]]
    write_csv(tmp_path / "store.csv", ["mid", "clips"], manifest)
    run = tables.RunFiles(
        mtgc=tmp_path / "mtgc.csv",
        runs={"run": folders},
        stores={"store": "frames"},
        used=["store"],
        data=tmp_path,
    )
    tables.describe_run(tmp_path / "tables", run)
    made = {path.stem for path in (tmp_path / "tables").iterdir()}
    assert made == {*tables.COLUMNS} - {*tables.TABLES_OF_MOVIES}
    with (tmp_path / "tables" / "funnel.csv").open() as file:
        rows = [(row["step"], row["reason"], int(row["movies"])) for row in csv.DictReader(file)]
    assert ("features", "not_in_store", 3) in rows and rows[-1] == ("evaluated", "", 3)
