"""A small finished run, made by hand: data/ and results/ of six movies with two stores."""

import json
from pathlib import Path

import numpy as np

from trailers12k.common.files import write_csv, write_json, write_text
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation.differences import COMPARISON_COLUMNS, INTERVAL_COLUMNS
from trailers12k.evaluation.leaderboards import SAME
from trailers12k.features import store
from trailers12k.jobs import ledger
from trailers12k.video import clip_table
from trailers12k.video.clips import Clip

CLIPS, POSTERS = "trailers_i_tiny_fpc24", "posters_i_tiny"
MIDS = [f"tt000000{number}" for number in range(1, 7)]
ROWS = {mid: number for number, mid in enumerate(MIDS[:5], start=1)}
"""The trailers, and the clips of each; the last movie has none."""
FEATURES = 8
CREDITED = "Ann Observer"


def values(name: str, mid: str, rows: int) -> np.ndarray:
    seed = [*name.encode(), int(mid[2:])]
    return np.random.default_rng(seed).standard_normal((rows, FEATURES)).astype(np.float32)


def write_run(folder: Path) -> None:
    """Write the products of a run below `folder`, which is the current one."""
    _write_stores(folder / "data")
    _write_tables(folder / "data")
    write_results(folder / "results")


def _write_stores(data: Path) -> None:
    for name, kind, rows in (
        (CLIPS, "frames", ROWS),
        (POSTERS, "posters", dict.fromkeys(MIDS, 1)),
    ):
        path = data / f"{name}.zarr"
        about = {"backbone": "timm/resnet18.a1_in1k", "num_features": FEATURES, "input": kind}
        about |= {"weights": "own.pth", "weights_source": "/home/ann/weights/own.pth"}
        store.create(path, about | {"pretrained": True})
        for mid, count in rows.items():
            store.write(path, mid, values(name, mid, count), {"fingerprint": f"f{mid}"})
        manifest = [{"mid": m, "clips": n, "fingerprint": f"f{m}"} for m, n in rows.items()]
        write_csv(data / f"{name}.csv", ["mid", "clips", "fingerprint"], manifest)


def _write_tables(data: Path) -> None:
    addresses = dict(zip(MIDS, ADDRESSES, strict=True))
    movies = [
        {"mid": mid, "title": f"Movie {mid}", "year": "2001", "genres": "drama"}
        | {"trailer_url": addresses[mid], "poster_url": addresses[mid]}
        | {"other_trailers": f"{addresses[mid]}|https://films.org/other.mp4"}
        for mid in MIDS
    ]
    columns = ["mid", "title", "year", "genres", "youtube_id", "trailer_url", "poster_url"]
    write_csv(data / "movies.csv", [*columns, "other_trailers"], movies)
    clips = [
        clip_table.row_of(mid, Clip(number, 0, float(number), number + 1.0))
        for mid, count in ROWS.items()
        for number in range(count)
    ]
    write_csv(data / "clips.csv", clip_table.COLUMNS, clips)
    labels = [
        {"mid": mid, **dict.fromkeys(GENRES, 0), "split0": subset, "split1": 0, "split2": 2}
        for mid, subset in zip(MIDS, (0, 0, 0, 1, 2, 2), strict=True)
    ]
    write_csv(data / "mtgc.csv", ["mid", *GENRES, "split0", "split1", "split2"], labels)
    rows = [
        {"mid": mid, "stage": "trailers", "status": "ok", "tool": "copied /home/ann/get 1.0"}
        for mid in ROWS
    ]
    rows += [
        {"mid": MIDS[5], "stage": "trailers", "status": "failed", "reason": "unavailable"}
        | {"detail": "/home/ann/videos/x.mp4: no such file; cookies.txt of Ann"}
    ]
    write_csv(data / "ledger.csv", ["mid", "stage", *ledger.COLUMNS[1:]], rows)
    decided = {"decision": "accept", "by": CREDITED, "note": "my note", "date": "2026-01-02"}
    entries = {
        str(number): {
            "imdb": {"id": mid[2:], "title": f"Movie {mid}", "poster_url": addresses[mid]},
            "youtube": {"trailers": [{"id": "", "url": addresses[mid], "dims": [1.0, 2, 3]}]},
            "sources": {"title": "/home/ann/movies.csv", "year": "tmdb"},
            **({"curation": {**decided, "verified": True}} if number == 1 else {}),
        }
        for number, mid in enumerate(MIDS, start=1)
    }
    write_json(data / "metadata.json", {"trailers12k": entries})
    row = {"mid": MIDS[0], "title": "Movie", **decided, "verified": "yes"}
    columns = ["mid", "title", "decision", "verified", "wrong", "replacement", "sha256", "note"]
    write_csv(data / "curation.csv", [*columns, "by", "date"], [row])


ADDRESSES = (
    *("videos/a.mp4", "/home/ann/b.mp4", "file:///home/ann/c.mp4"),
    *("http://192.168.1.7/d.mp4", "https://films.org/e.mp4?X-Amz-Signature=ab12"),
    "https://films.org/f.mp4?size=large",
)
"""Only the last is one that others can open."""


RUNS = ("tiny", "tiny (kNN)")
"""The rows of the results, of equal scores on the two test movies of one split."""


def write_results(results: Path) -> None:
    about = {"weights": "/home/ann/weights/own.pth", "movies": "2", "of": "2"}
    percent = dict.fromkeys(METRICS, "50.0")
    for end, value in (("low", "40.0"), ("high", "55.0")):
        percent |= {f"{metric}_{end}": value for metric in METRICS}
    for name, scores in (
        ("summary", {"run": "", "splits": "1"} | about | percent),
        ("leaderboard", {"row": ""} | about | percent | dict.fromkeys(SAME, "0" * 64)),
        ("transfer/tst", {"run": "", "split": "0"} | about | dict.fromkeys(METRICS, "0.5")),
        ("transfer/val", {"run": "", "split": "0"} | about | dict.fromkeys(METRICS, "0.5")),
    ):
        key = next(iter(scores))
        write_csv(results / f"{name}.csv", [*scores], [scores | {key: run} for run in RUNS])
    write_compared(results / "transfer")
    heard = {"mid": MIDS[0], "sound": "ok", "loudness": "-14.2", "silence": "0.031"}
    silent = {"mid": MIDS[1], "sound": "no_track", "trailer": "/home/ann/videos/x.mp4"}
    trailers = ["mid", "trailer", "sound", "loudness", "silence", "speech"]
    write_csv(results / "tables/trailers.csv", trailers, [heard, silent, {"mid": MIDS[2]}])
    write_text(results / "summary.md", "# Results\n\n| run | /home/ann/weights/own.pth |\n")
    write_csv(results / "splits.csv", ["split", "subset"], [{"split": "split0", "subset": "test"}])
    write_text(results / "config.yaml", json.dumps({"seed": 1}))


def write_compared(transfer: Path) -> None:
    """Write the intervals of `RUNS`, and the tests between them."""
    own = {"estimate": "0.500000", "low": "0.400000", "high": "0.550000", "movies": 2}
    made = [
        {"run": run, "split": split, "metric": metric, **own}
        for run in RUNS
        for split in ("0", "all")
        for metric in METRICS
    ]
    write_csv(transfer / "intervals.csv", INTERVAL_COLUMNS, made)
    tests = {"difference": "0.000000", "low": "-0.100000", "high": "0.200000", "movies": 2}
    tests |= {"run_a": RUNS[0], "run_b": RUNS[1], "p": "0.400000", "p_adjusted": "0.900000"}
    pairs = [tests | {"metric": metric} for metric in METRICS]
    write_csv(transfer / "comparisons.csv", COMPARISON_COLUMNS, pairs)
