"""Every reader of our own files, with a sound file of its writer and with each kind of damage.

A reader names the damaged file in one line (`UserError`), or treats it as missing, so that its job
makes it again.
"""

import os
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from trailers12k.classifier import checkpoint, labels, packing
from trailers12k.classifier.inference import write_predictions
from trailers12k.classifier.packed import PackedStore
from trailers12k.common import product_records
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import read_csv, write_csv, write_json
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.downloads import retries, stop_signal
from trailers12k.evaluation import differences, frames, scores
from trailers12k.features import batch_sizes, store, store_index, weights_record
from trailers12k.features.backbones.calibrations import Calibration
from trailers12k.features.backbones.spec import Weights
from trailers12k.jobs import ledger, outcome, runner
from trailers12k.movies import curation, movie_table
from trailers12k.movies.curation import Decision
from trailers12k.movies.sources import records, sample_rendering
from trailers12k.report import costs, page, tables
from trailers12k.video import clip_table
from trailers12k.video.clips import Clip
from trailers12k.workflow import folder, measured

MIDS = ["tt0000001", "tt0000002", "tt0000003"]
ROWS = [{"mid": mid, "status": "ok", "attempts": 1, "clips": 2, "fingerprint": "f"} for mid in MIDS]


@dataclass(frozen=True)
class Reader:
    """A reader of one kind of file.

    write: makes a sound file. read: reads it. none: what a damaged file counts as, where it does;
    `REFUSED`: the reader raises `UserError`. has_key: whether a line that is there twice is noticed
    without a record, too. unnoticed: damages after which the file is as its writer might write it.
    """

    path: str
    write: Callable[[Path], object]
    read: Callable[[Path], Any]
    none: Any = "refused"
    has_key: bool = True
    unnoticed: tuple[str, ...] = ()


REFUSED = "refused"


def _movie(number: int) -> Movie:
    return Movie(MIDS[number], "Title", "2000", ("drama",), "abcdefghijk", "", "", ())


def _mtgc(path: Path) -> None:
    row = dict.fromkeys((*GENRES, "split0", "split1", "split2"), 1)
    write_csv(path, ["mid", *row], [{"mid": mid} | row for mid in MIDS])


def _predictions(path: Path) -> None:
    write_predictions(path, MIDS, np.full((3, 10), 0.5, np.float32))


def _scores(path: Path) -> None:
    values = dict.fromkeys((*METRICS, *GENRES), 0.5)
    rows = [scores.ScoreRow("run", split, values, 3, 3, 1) for split in range(3)]
    scores.write_scores(path, rows)


def _options(path: Path) -> None:
    values = dict.fromkeys((*METRICS, *GENRES), 0.5)
    scores.write_options(path, [scores.OptionRow("run", s, "whole", values, 3, 3) for s in (0, 1)])


def _intervals(path: Path) -> None:
    row = {"run": "run", "metric": "uap", "estimate": 0.5, "low": 0.4, "high": 0.6, "movies": 3}
    write_csv(path, differences.INTERVAL_COLUMNS, [row | {"split": split} for split in (0, 1)])


def _comparisons(path: Path) -> None:
    numbers = dict.fromkeys(("difference", "low", "high", "p", "p_adjusted"), 0.5)
    rows = [{"run_a": "run", "run_b": other, "metric": "uap"} for other in ("a", "b")]
    write_csv(path, differences.COMPARISON_COLUMNS, [row | numbers | {"movies": 3} for row in rows])


def _manifest(path: Path) -> None:
    write_csv(path, ["mid", "clips", "fingerprint"], ROWS_OF_MANIFEST)


ROWS_OF_MANIFEST = [{"mid": mid, "clips": 2, "fingerprint": "f"} for mid in MIDS]


def _store(path: Path) -> Path:
    zarr = path.with_suffix(".zarr")
    store.create(zarr, {"num_features": 3})
    for mid in MIDS:
        store.write(zarr, mid, np.ones((2, 3), np.float32), {"fingerprint": "f"})
    return zarr


def _packed(path: Path) -> None:
    packing.pack(_store(Path("data/s.csv")), None, path.with_suffix(".npy"))


def _checkpoint(path: Path) -> None:
    settings = checkpoint.TrainingSettings(hidden=4, heads=2, feedforward=4)
    spec = checkpoint.ModelSpec({"image": 3}, settings)
    checkpoint.save_model(path, checkpoint.BestEpoch(1, 0.5, spec.build().state_dict()), spec)


def _state(path: Path) -> None:
    saved = checkpoint.TrainingCheckpoint(path, "key")
    saved._saved = -checkpoint.SAVE_EVERY
    saved.save({"curves": [1]}, np.random.default_rng(1))


def _restored(path: Path) -> Any:
    return checkpoint.TrainingCheckpoint(path, "key").restore(np.random.default_rng(1))


def _open(path: Path) -> None:
    row = {"mid": MIDS[0], "status": "failed", "reason": "timeout", "attempts": 1}
    write_json(Path("build/trailers/tt0000001.json"), asdict(runner.MovieRecord(row)))
    retries.write_open(Path("build/trailers"), "000", 3, [row])


def _due(path: Path) -> Any:
    """What a run needs of open failures; a round no job has done makes Snakemake do it."""
    number = retries.next_retry_round(Path("build/trailers"), "000", 60, "none")
    times = retries.due_times(Path("build/trailers"), 60)
    return None if number < 0 and not times else (number, times)


def _outcome(path: Path) -> None:
    writer = outcome.OutcomeWriter(path.with_suffix(".log"))
    writer.end()


def _stopped(path: Path) -> None:
    stop_signal.record_stop(Failure("bot_check", "Sign in"), Path("build"))


def _curves(path: Path) -> None:
    row = {"epoch": 1, "train_loss": 0.5, "val_loss": 0.5, "lr": 0.1}
    write_csv(path, list(row), [row, row | {"epoch": 2}])


def _balance(path: Path) -> None:
    row = {"split": "split0", "subset": "training", "movies": 3} | dict.fromkeys(GENRES, 1)
    write_csv(path, list(row), [row, row | {"subset": "test"}])


def _embedding(path: Path) -> None:
    table = pd.DataFrame({"mid": MIDS, "x": 0.5, "y": 0.5, "nearest": MIDS[0], "distance": 0.5})
    path.write_text(table.to_csv(index=False, lineterminator="\n"))


def _truth(path: Path) -> None:
    for kind, name in (("trailers", "mp4"), ("posters", "jpg")):
        (path.parents[1] / kind).mkdir()
        (path.parents[1] / kind / f"{MIDS[0]}.{name}").touch()
    write_json(path, {"fingerprint": "f", "shots": [[0, 1.5, "start"], [1.5, 2, "cut"]]})


def _decisions(path: Path) -> None:
    decided = [(Decision(mid, "reject", note="-a"), "Title") for mid in MIDS]
    curation.write(path, decided, {})


def _calibration(path: Path) -> None:
    CALIBRATION.write({"mean": np.ones(3)})


CALIBRATION = Calibration("model", None, 1, "code")
WEIGHTS = {field: "a" for field in Weights.__dataclass_fields__}
CLIPS = [Clip(0, 0, 0.0, 1.0), Clip(1, 0, 1.0, 2.0)]
BATCHES = {"device": {"network": {"batch": 4, "rates": {"4": 2.5}}}}

READERS = {
    "shard's ledger": Reader(
        "build/ledger/s/000.csv",
        lambda path: ledger.write_shard(path, ROWS, ("clips", "fingerprint")),
        lambda path: ledger.read_shard(path, ["clips", "fingerprint"]),
    ),
    "ledger": Reader(
        "data/ledger.csv",
        lambda path: ledger.merge([], path, {"a": [{"mid": m, "status": "ok"} for m in MIDS]}),
        ledger.read_ledger,
    ),
    "record of a movie": Reader(
        "build/trailers/tt0000001.json",
        lambda path: write_json(path, asdict(runner.MovieRecord(ROWS[0]))),
        lambda path: runner.read_record(path.parent, path.stem),
        None,
    ),
    "open failures": Reader("build/trailers/open/000.json", _open, _due, None),
    "stopped": Reader("build/stopped.json", _stopped, lambda path: stop_signal.stop_reason(), ""),
    "outcome": Reader(
        "logs/job.json", _outcome, lambda p: outcome.read_outcome("logs/job.log"), None
    ),
    "movies": Reader(
        "data/movies.csv",
        lambda path: movie_table.write_movies(path, [_movie(0), _movie(1)]),
        movie_table.read_movies,
    ),
    "records of sources": Reader(
        "build/sources/records.json",
        lambda path: records.write_records(path, [records.Record(mid, mid) for mid in MIDS]),
        records.read_records,
    ),
    "decisions in force": Reader(
        "data/curation.csv", _decisions, curation.read_written, has_key=False
    ),
    "rendered record": Reader(
        "truth/tt0000001.json",
        _truth,
        lambda path: sample_rendering._kept(_movie(0), path.parents[1], path, "f"),
        None,
    ),
    "clips": Reader(
        "data/clips.csv",
        lambda path: clip_table.write_clips(path, MIDS[0], CLIPS),
        clip_table.read_clips,
    ),
    "clips of a shard": Reader(
        "build/clips/000.csv",
        lambda path: clip_table.write_clips(path, MIDS[0], CLIPS),
        lambda path: clip_table.merge([path], "data/clips.csv"),
    ),
    "clips of a movie": Reader(
        "build/clips/000/tt0000001.csv",
        lambda path: clip_table.write_clips(path, MIDS[0], CLIPS),
        lambda path: clip_table.rows_of_movie(path, MIDS[0]),
    ),
    "labels of a training": Reader("data/mtgc.csv", _mtgc, labels.read_labels),
    "labels of the scores": Reader("data/mtgc.csv", _mtgc, scores.read_labels),
    "predictions": Reader("results/tst.csv", _predictions, frames.read_predictions),
    "learning curves": Reader("results/curves.csv", _curves, frames.read_curves),
    "balance": Reader("results/splits.csv", _balance, frames.read_balance),
    "embedding": Reader("results/map/s.csv", _embedding, frames.read_embedding),
    "scores": Reader("results/transfer/tst.csv", _scores, scores.read_scores),
    "intervals": Reader("results/transfer/intervals.csv", _intervals, differences.read_intervals),
    "comparisons": Reader(
        "results/transfer/comparisons.csv", _comparisons, differences.read_comparisons
    ),
    "options": Reader("results/transfer/options.csv", _options, scores.read_options),
    "facts of a training": Reader(
        "results/run.json", lambda path: write_json(path, {"best_epoch": 3}), scores._best_epoch
    ),
    "manifest": Reader("data/s.csv", _manifest, tables._manifest),
    "manifest of repairs": Reader("data/s.csv", _manifest, store_index.read_manifest),
    "manifest of packing": Reader("data/s.csv", _manifest, packing._read),
    "index of a store": Reader(
        "build/stores/s.csv",
        lambda path: store_index.write_index(path, {mid: ("f", "1@1") for mid in MIDS}),
        store_index.read_index,
        {},
        has_key=False,
    ),
    "repairs": Reader(
        "build/repairs/s.json",
        lambda path: write_json(path, 3),
        store_index.read_count,
        0,
        unnoticed=("cut in half", "other type"),
    ),
    "packed index": Reader(
        "build/packed/s.csv", _packed, lambda p: PackedStore(p.with_suffix(".npy"))
    ),
    "packed array": Reader("build/packed/s.npy", _packed, PackedStore, has_key=False),
    "weights": Reader(
        "build/weights/w.json",
        lambda path: weights_record.write_weights(path, Weights(**WEIGHTS)),
        weights_record.read_weights,
    ),
    "calibration": Reader(
        CALIBRATION.path.as_posix(), _calibration, lambda path: CALIBRATION.read(), None
    ),
    "batches of a device": Reader(
        "build/devices.json",
        lambda path: write_json(path, BATCHES),
        lambda path: batch_sizes._entry(batch_sizes._read(path), "device", "network"),
        None,
    ),
    "kind of collection": Reader(
        "build/collection.json",
        lambda path: folder.write_collection("own"),
        lambda p: folder.collection(),
    ),
    "own figures": Reader(
        "build/estimate.json",
        lambda path: measured.write(path, {"seconds": 1.5}),
        lambda path: measured.own(),
    ),
    "benchmark": Reader(
        "benchmarks/job.tsv",
        lambda path: path.write_text("s\tcpu_time\tmax_rss\n1.5\t1.5\t30\n"),
        costs._of_job,
        {},
        has_key=False,
    ),
    "table of the report": Reader(
        "results/tables/genres.csv",
        lambda path: write_csv(
            path,
            tables.COLUMNS["genres"],
            [dict.fromkeys(tables.COLUMNS["genres"], 1) | {"genre": genre} for genre in GENRES],
        ),
        lambda path: page.read_tables({"genres": path}),
        has_key=False,
    ),
    "checkpoint": Reader("results/best.pt", _checkpoint, checkpoint.load),
    "training state": Reader("build/training/r.pt", _state, _restored, None),
}


def _line_twice(path: Path) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[-1]]))


def _other_columns(path: Path) -> None:
    is_json = path.suffix == ".json"
    path.write_text('{"other": [1]}\n' if is_json else "other,columns\n1,2\n")


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _in_half(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


DAMAGES: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "cut in half": _in_half,
    "garbage": lambda path: path.write_bytes(bytes(range(256)) * 4),
    "bytes 0": lambda path: path.write_bytes(bytes(path.stat().st_size)),
    "a line twice": _line_twice,
    "other columns": _other_columns,
    "other type": lambda path: path.write_text("7\n"),
    "deep": lambda path: path.write_text("[" * 10**5),
    "folder": _folder,
    "link to itself": _loop,
}


REFUSED_LINKS = {(name, "link to itself") for name in ("record of a movie", "open failures")}
"""Their paths come from names in data, which `files.inside` checks."""


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("build").mkdir()
    return tmp_path


def made(reader: Reader) -> Path:
    path = Path(reader.path)
    path.parent.mkdir(parents=True, exist_ok=True)
    reader.write(path)
    return path


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_named_in_one_line_or_counts_as_none(here, name, damage):
    reader = READERS[name]
    path = made(reader)
    sound = reader.read(path)
    product_records.record(path)
    if reader.none != REFUSED:
        assert sound != reader.none, "the reader must tell a sound file from none"
    DAMAGES[damage](path)
    assert product_records.fault_of(path), "its record must tell"
    if damage in reader.unnoticed or (damage == "a line twice" and not reader.has_key):
        reader.read(path)
    elif reader.none != REFUSED and (name, damage) not in REFUSED_LINKS:
        assert reader.read(path) == reader.none
    else:
        with pytest.raises(UserError) as caught:
            reader.read(path)
        text = str(caught.value)
        assert reader.path in text and "\n" not in text and len(text) < 400, text


@pytest.mark.parametrize("name", READERS)
def test_a_file_cut_at_the_end_of_a_line_differs_from_its_record(here, name):
    path = made(READERS[name])
    product_records.record(path)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-1]))
    assert product_records.fault_of(path)
    with pytest.raises(UserError, match="trailers12k verify --repair"):
        product_records.check(path)


def _saved(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    value = torch.load(path, weights_only=True)
    change(value)
    torch.save(value, path)


def _first(value: dict[str, Any]) -> str:
    return next(iter(value["model"]))


def _with_deep_pickle(path: Path) -> None:
    """Replace the pickle of a checkpoint by one of 10^5 nested lists."""
    deep = b"\x80\x02" + b"]" * 10**5 + b"a" * (10**5 - 1) + b"."
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, deep if name.endswith("/data.pkl") else data)


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.pop("settings"),
        lambda value: value.update(settings={"other": 1}),
        lambda value: value["settings"].update(hidden=10**9),
        lambda value: value["settings"].update(heads=3),
        lambda value: value.update(features={str(number): 1 for number in range(10**5)}),
        lambda value: value.update(features=[3]),
        lambda value: value.update(fusion="none"),
        lambda value: value["model"].pop(_first(value)),
        lambda value: value["model"].update(other=torch.zeros(1)),
        lambda value: value["model"][_first(value)].fill_(float("nan")),
        lambda value: value["model"].update({_first(value): torch.zeros(2, 2)}),
        lambda value: value["model"].update({_first(value): 3}),
        lambda value: value.clear(),
    ],
)
def test_a_checkpoint_of_any_other_content_is_refused(here, change):
    path = Path("best.pt")
    _checkpoint(path)
    _saved(path, change)
    with pytest.raises(UserError, match=r"^best.pt is damaged: .*; delete it and run again$"):
        checkpoint.load(path)


def test_a_checkpoint_of_nested_lists_or_that_unpacks_to_more_is_refused(here):
    path = Path("best.pt")
    for most in (None, 10**8):
        _checkpoint(path)
        if most is None:
            _with_deep_pickle(path)
        else:
            with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr("best/data/9", bytes(most))
        with pytest.raises(UserError, match=r"^best.pt is damaged: .*; delete it and run again$"):
            checkpoint.load(path)


def test_a_training_state_of_any_other_content_is_begun_again(here):
    path = Path("state.pt")
    _state(path)
    sound = path.read_bytes()
    assert _restored(path) == {"curves": [1]}
    digest, _, data = sound.partition(b"\n")
    Path("payload.pt").write_bytes(data)
    _saved(Path("payload.pt"), lambda value: value.update(state={"curves": [float("nan")]}))
    other = Path("payload.pt").read_bytes()
    for content in (data, other, digest + b"\n" + other, digest, os.urandom(1000)):
        path.write_bytes(content)
        assert _restored(path) is None


def test_a_table_of_pandas_or_ours_keeps_its_cells(here):
    rows = [{"a": 'x "y", z', "b": "two\nlines"}, {"a": "", "b": "ü"}]
    write_csv("table.csv", ["a", "b"], rows)
    assert read_csv("table.csv", ["a", "b"]) == rows
    with pytest.raises(FileNotFoundError):
        read_csv("none.csv")
