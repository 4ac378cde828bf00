"""Hostile publications of this workflow, as `publish --check` and `movies: published` read them."""

import gzip
import hashlib
import tarfile
from collections.abc import Callable, Mapping
from functools import partial
from io import BytesIO
from pathlib import Path

from tests.hostile import rows_stores
from tests.hostile.inputs import HostileInput
from trailers12k.common.errors import UserError
from trailers12k.publish import replication
from trailers12k.publish.checking import check
from trailers12k.settings import load

STORE = "s.zarr.tar.gz"
SUM = "0" * 64


def _signed(folder: Path, files: Mapping[str, bytes]) -> Path:
    """A publication of these files alone, with their right sums."""
    for kind in ("md5", "sha256"):
        lines = [f"{hashlib.new(kind, data).hexdigest()}  {name}\n" for name, data in files.items()]
        (folder / f"{kind.upper()}SUMS").write_text("".join(lines))
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def _sums(folder: Path, text: str) -> Path:
    (folder / "SHA256SUMS").write_text(text)
    return folder


def _archive(folder: Path, make: Callable[[Path], Path]) -> Path:
    data = (made := make(folder)).read_bytes()
    made.unlink()
    return _signed(folder, {STORE: data})


def _faults_of(path: str, folder: Path) -> None:
    """Raise the first fault of a file; these publications lack many others."""
    for fault in check.check(str(folder)):
        if fault.startswith(f"{path}: "):
            raise UserError(fault)


def _settings(folder: Path) -> None:
    load({"movies": "published", "published": {"files": str(folder)}})


def _config(folder: Path) -> None:
    replication.read(folder / "config.yaml", "..")


def _aliases(folder: Path) -> Path:
    lines = ["a0: &a0 [1, 1]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 40))]
    (folder / "config.yaml").write_text("\n".join(lines))
    return folder


def _table(folder: Path) -> Path:
    return _signed(folder, {"clips.csv.gz": gzip.compress(bytes(60_000_000), 1)})


def _metadata(folder: Path) -> Path:
    """An archive of a metadata.json of 60 MB of spaces."""
    packed = BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=1) as tar:
        member = tarfile.TarInfo("metadata.json")
        member.size = 60_000_000
        tar.addfile(member, BytesIO(b" " * member.size))
    return _signed(folder, {"metadata.tar.gz": packed.getvalue()})


def _rows() -> list[HostileInput]:
    below = "paths below the folder, of 1,000 characters"
    leaves = "is not the path of a file below its folder"
    table, store = "100 bytes for each packed byte, and 10 MB", "as of an archive"
    rows: list[tuple[str, str, Callable[[Path], Path], str, str]] = [
        *(
            (f"SHA256SUMS that names {name}", "SHA256SUMS", partial(_sums, text=f"{SUM}  {name}\n"))
            + (f"SHA256SUMS: SHA256SUMS, line 1: '.*' {leaves}", below)
            for name in ("../../x", "/etc/passwd", "a\\..\\b")
        ),
        ("SHA256SUMS of 20 MB", "SHA256SUMS", partial(_sums, text="x" * 20_000_000))
        + ("SHA256SUMS: SHA256SUMS .*10 MB", "10 MB"),
        ("a table of clips that unpacks to 60 MB", "clips.csv.gz")
        + (_table,)
        + ("clips.csv.gz: clips.csv.gz unpacks to more", table),
        ("metadata that unpacks to 60 MB", "metadata.tar.gz")
        + (_metadata,)
        + ("metadata.tar.gz: metadata.tar.gz unpacks to more", table),
        ("an archive that unpacks to 100 MB of zeros", STORE)
        + (partial(_archive, make=rows_stores._zeros), f"{STORE}: .* far more bytes", store),
        ("an archive that claims a terabyte", STORE)
        + (partial(_archive, make=rows_stores._terabyte), f"{STORE}: ", store),
        ("an archive of an array of the wrong shape", STORE)
        + (partial(_archive, make=rows_stores._stored({"shape": [2, 3]}, bytes(32))),)
        + (f"{STORE}: .*tt0000001: ", store),
        ("a card with 100,000 levels", "README.md")
        + (partial(_signed, files={"README.md": b"---\n" + b"[" * 100_000 + b"\n---\n"}),)
        + ("README.md: ", "20 levels"),
        ("Croissant with 100,000 levels", "croissant.json")
        + (partial(_signed, files={"croissant.json": b"[" * 100_000}),)
        + ("croissant.json: ", "50 levels"),
    ]
    found = [
        HostileInput("publication", name, make, partial(_faults_of, path), answer, bound, 300, 20)
        for name, path, make, answer, bound in rows
    ]
    md5s = f"{'0' * 32}  ../mtgc.csv\n"
    found.append(
        HostileInput(
            *("publication", "MD5SUMS of published.files that names ../mtgc.csv"),
            *(partial(_md5s, text=md5s), _settings, f".*MD5SUMS, line 1: '../mtgc.csv' {leaves}"),
            below,
        )
    )
    found.append(
        HostileInput(
            *("publication", "config.yaml of 40 lines that stand for 10^12 values", _aliases),
            *(_config, ".*config.yaml has too many values", "100,000 values"),
        )
    )
    return found


def _md5s(folder: Path, text: str) -> Path:
    (folder / "MD5SUMS").write_text(text)
    return folder


ROWS = _rows()
