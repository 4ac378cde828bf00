"""Files of our own that were damaged, or that another program wrote in their place."""

import hashlib
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.hostile.inputs import HostileInput
from tests.hostile.rows_weights import claimed_bytes
from trailers12k.classifier import checkpoint
from trailers12k.common import product_records
from trailers12k.common.files import write_csv
from trailers12k.downloads import retries
from trailers12k.jobs import ledger, runner

MID = "tt0000001"
LEDGER, RECORD = Path("data/ledger.csv"), Path("build/trailers", f"{MID}.json")
OF_RECORD = "the content that its job wrote (build/records)"
OF_TABLE = "the columns, types and keys that its writer gives it"


def _recorded(folder: Path, damage: Callable[[Path], object]) -> Path:
    """The ledger, recorded, then damaged."""
    write_csv(LEDGER, ["mid", "status"], [{"mid": MID, "status": "ok"}] * 3)
    product_records.record(LEDGER)
    damage(LEDGER)
    return LEDGER


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-13])


def _edited(path: Path) -> None:
    path.write_text(path.read_text().replace("ok", "no"))


def _linked_to_itself(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _table(folder: Path, text: bytes) -> Path:
    path = folder / "000.csv"
    path.write_bytes(text)
    return path


def _record(folder: Path, text: bytes) -> Path:
    RECORD.parent.mkdir(parents=True)
    RECORD.write_bytes(text)
    return RECORD


def _none(path: Path) -> None:
    assert runner.read_record(path.parent, path.stem) is None


def _open_failures(folder: Path) -> Path:
    path = Path("build/trailers/open/000.json")
    path.parent.mkdir(parents=True)
    path.write_text('{"round": 1e999, "stopped": [], "failures": {"a": null}}')
    return path


def _round(path: Path) -> None:
    assert retries.next_retry_round(Path("build/trailers"), "000", 60, "none") < 0


def _checkpoint(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    settings = checkpoint.TrainingSettings(hidden=4, heads=2, feedforward=4)
    spec = checkpoint.ModelSpec({"image": 3}, settings)
    path = folder / "best.pt"
    checkpoint.save_model(path, checkpoint.BestEpoch(1, 0.5, spec.build().state_dict()), spec)
    value = torch.load(path, weights_only=True)
    change(value)
    torch.save(value, path)
    return path


def _archive(folder: Path) -> Path:
    path = _checkpoint(folder, lambda value: None)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("best/data/99", bytes(3 * 10**8))
    return path


def _repeated(value: dict[str, Any]) -> None:
    value["settings"]["hidden"] = value["settings"]["feedforward"] = 10**6
    value["model"] = {name: torch.zeros(1).expand(10**6, 10**6) for name in value["model"]}


def _load(path: Path) -> None:
    checkpoint.load(path)


def _state(folder: Path) -> Path:
    path = folder / "split0.pt"
    path.write_bytes(b"0" * 64 + b"\n" + b"\x80\x02" + b"]" * 10**6)
    return path


def _claimed_state(folder: Path) -> Path:
    """A state of the right hash."""
    path = claimed_bytes("archive", "split0.pt")(folder)
    data = path.read_bytes()
    path.write_bytes(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
    return path


def _begin_again(path: Path) -> None:
    state = checkpoint.TrainingCheckpoint(path, "key")
    assert state.restore(np.random.default_rng(1)) is None


def _of_ledger(name: str, damage: Callable[[Path], object], words: str) -> HostileInput:
    return HostileInput(
        "product of a job",
        name,
        lambda folder: _recorded(folder, damage),
        product_records.check,
        rf"data/ledger\.csv is damaged or was edited: it {words}; undo: trailers12k verify",
        OF_RECORD,
    )


def _of_shard(name: str, text: bytes, words: str) -> HostileInput:
    return HostileInput(
        "ledger of a shard",
        name,
        lambda folder: _table(folder, text),
        ledger.read_shard,
        rf".*000\.csv is damaged: {words}; delete it and run again",
        OF_TABLE,
    )


HEAD = ",".join(ledger.COLUMNS).encode() + b"\n"
ROW = f"{MID},ok,,,1,,,\n".encode()

ROWS = [
    _of_ledger("cut at the end of a line", _cut, "has 3 of 4 lines"),
    _of_ledger("edited by hand", _edited, "is not as its job wrote it"),
    _of_ledger(
        "a link to itself",
        _linked_to_itself,
        r"cannot be read \(Too many levels of symbolic links\)",
    ),
    _of_ledger("/dev/zero in its place", _device, "is not a file"),
    _of_ledger("a pipe in its place", _pipe, "is not a file"),
    _of_shard("a movie twice", HEAD + ROW + ROW, f"line 3: '{MID}' is in it twice"),
    _of_shard("bytes 0", HEAD + bytes(100), "it has a byte 0"),
    _of_shard(
        "a line of 10^7 characters",
        HEAD + b"a" * 10**7 + b"\n",
        r"field larger than field limit \(131072\)",
    ),
    HostileInput(
        "record of a movie",
        "100,000 nested lists",
        lambda folder: _record(folder, b"[" * 10**5),
        _none,
        "",
        "counts as none: the movie is done again",
    ),
    HostileInput(
        "record of a movie",
        "numbers in the place of texts",
        lambda folder: _record(folder, json.dumps({"row": {"mid": MID, "status": 1}}).encode()),
        _none,
        "",
        "counts as none: the movie is done again",
    ),
    HostileInput(
        "open failures", "infinity", _open_failures, _round, "", "count as none: the job runs again"
    ),
    HostileInput(
        "checkpoint",
        "300 MB of zeros in 300 kB",
        _archive,
        _load,
        r".*best\.pt is damaged: PyTorch cannot read it",
        "unpacks to no more than its own size",
    ),
    HostileInput(
        "checkpoint",
        "a layer of 10^12 numbers that repeats one",
        lambda folder: _checkpoint(folder, _repeated),
        _load,
        r".*best\.pt is damaged: ",
        "the shapes that its settings say, without a model of that size",
    ),
    *(
        HostileInput(
            "checkpoint",
            f"bytearray(6 * 10^9), {form}",
            claimed_bytes(form, "best.pt"),
            _load,
            r".*best\.pt is damaged: PyTorch cannot read it \(it names 'builtins bytearray'",
            "names of tensors",
        )
        for form in ("archive", "upper case", "old", "both")
    ),
    HostileInput(
        "training state",
        "bytearray(6 * 10^9), with the right hash",
        _claimed_state,
        _begin_again,
        "",
        "names of tensors",
    ),
    HostileInput(
        "training state",
        "a pickle of 10^6 nested lists",
        _state,
        _begin_again,
        "",
        "begun again unless it has the hash that it begins with",
    ),
]
