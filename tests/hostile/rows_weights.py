"""Hostile files of pretrained weights."""

import pickle
import zipfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torchvision.models import resnet18

from tests.hostile.inputs import HostileInput
from trailers12k.features import weights_fetch


@cache
def _state() -> dict[str, torch.Tensor]:
    return resnet18().state_dict()


def _saved_state(changes: Mapping[str, torch.Tensor], legacy: bool = False) -> Any:
    """Makes a file of ResNet-18 with other tensors."""

    def make(folder: Path) -> Path:
        path = folder / "w.pth"
        state = _state() | changes
        torch.save(state, path, _use_new_zipfile_serialization=not legacy)
        return path

    return make


def _packed_weights(folder: Path) -> Path:
    """A checkpoint of 40 MB of zeros, compressed."""
    torch.save({"fc.weight": torch.zeros(10_000_000)}, folder / "large.pth")
    path = folder / "w.pth"
    with (
        zipfile.ZipFile(folder / "large.pth") as old,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for member in old.infolist():
            new.writestr(member.filename, old.read(member))
    return path


def _claimed_storage(folder: Path) -> Path:
    """The older format, of which the storage claims a terabyte."""
    path = folder / "w.pth"
    torch.save({"a": torch.zeros(7777)}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    claims = pickle.dumps(10**12, 2)[2:-1]
    path.write_bytes(data.replace(pickle.dumps(7777, 2)[2:-1], claims, 1))
    return path


def _long_header(folder: Path) -> Path:
    path = folder / "w.safetensors"
    path.write_bytes((50_000_000).to_bytes(8, "little") + b"{" + b" " * 50_000_000)
    return path


def _nested_states(folder: Path) -> Path:
    state: dict[str, object] = {}
    state["state_dict"] = state
    path = folder / "w.pth"
    torch.save(state, path)
    return path


def claimed_bytes(form: str, file: str = "w.pth") -> Any:
    """Makes a checkpoint whose pickle calls bytearray(6 * 10**9).

    form: "archive"; "upper case", with the pickle as DATA.PKL; "old"; "both", the older format
    before an archive.
    """

    def make(folder: Path) -> Path:
        path = folder / file
        call = b"\x80\x02cbuiltins\nbytearray\n\x8a\x05" + (6 * 10**9).to_bytes(5, "little")
        call += b"\x85R."
        torch.save({"a": torch.zeros(1)}, path)
        if form in ("old", "both"):
            head = b"".join(pickle.dumps(each, 2) for each in (0x1950A86A20F9469CFC6C, 1001, {}))
            archive = path.read_bytes() if form == "both" else b""
            path.write_bytes(head + call + pickle.dumps([], 2) + archive)
            return path
        with zipfile.ZipFile(path) as old:
            members = {each.filename: old.read(each) for each in old.infolist()}
        with zipfile.ZipFile(path, "w") as new:
            for name, data in members.items():
                is_pickle = name.endswith("data.pkl")
                if is_pickle and form == "upper case":
                    name = name.replace("data.pkl", "DATA.PKL")
                new.writestr(name, call if is_pickle else data)
        return path

    return make


def _shared_mappings(folder: Path) -> Path:
    """Nine levels of mappings, each thirty times in the next one."""
    state: dict[str, object] = {"a": torch.zeros(1)}
    for _ in range(8):
        state = dict.fromkeys(map(str, range(30)), state)
    path = folder / "w.pth"
    torch.save(state, path)
    return path


def _fetched(path: Path) -> object:
    torch.set_num_threads(1)  # its other threads are not there after a fork
    name = "timm/resnet18" if path.suffix == ".safetensors" else "torchvision/resnet18"
    return weights_fetch.fetch(weights_fetch.WeightsSource(name, str(path)), path.parent)


def _of_weights() -> list[HostileInput]:
    one, layer = torch.ones(1), "layer1.0.conv1.weight"
    rows = [
        ("NaN in a layer", {layer: torch.full((64, 64, 3, 3), torch.nan)}, ".*NaN or infinity"),
        ("infinity in a buffer", {"bn1.running_var": torch.full((64,), torch.inf)}, ".*infinity"),
        ("NaN in the classifier", {"fc.bias": torch.full((1000,), torch.nan)}, ".*infinity"),
        ("10^12 numbers of one", {"fc.weight": one.expand(10**6, 10**6)}, ".*claims 4000000"),
        ("one layer 100 times", {f"a{n}": _state()["fc.weight"] for n in range(100)}, ".*2 times"),
        ("whole numbers", {"fc.weight": torch.ones(1000, 512, dtype=torch.int8)}, ".*int8"),
        ("complex numbers", {"fc.bias": torch.ones(1000, dtype=torch.complex64)}, ".*complex"),
        ("another shape", {"fc.bias": torch.ones(999)}, ".*size mismatch"),
        ("a tensor too many", {"more": one}, ".*Unexpected key"),
        ("a sparse tensor", {"fc.bias": torch.eye(4).to_sparse()}, ".*no part of a tensor"),
    ]
    files: list[tuple[str, Any, str, str]] = [
        (name, _saved_state(changes), answer, "the file's bytes, twice; finite floats")
        for name, changes, answer in rows
    ]
    files += [
        ("a compressed checkpoint", _packed_weights, ".*unpacks to", "no compression"),
        ("a storage of a terabyte", _claimed_storage, "", "the file's bytes"),
        ("a header of 50 MB", _long_header, ".*its header claims", "10 MB"),
        *(
            (f"bytearray(6 * 10^9), {form}", claimed_bytes(form), ".*bytearray", "names of tensors")
            for form in ("archive", "upper case", "old", "both")
        ),
        ("30^8 mappings", _shared_mappings, ".*", "each mapping once"),
        ("a checkpoint within itself", _nested_states, ".*within one another", "10 levels"),
    ]
    return [
        HostileInput(
            "weights",
            name,
            make,
            _fetched,
            f".*w[.].* does not hold its weights: {answer}",
            bound,
            300,
        )
        for name, make, answer, bound in files
    ]


ROWS = _of_weights()
