"""Archives whose bytes depend on their content alone: of a store, and of metadata.json.

Writes .tar.gz files in the layout of the authors' record. Must not know how arrays are read.

Members are sorted by name; all have the same time, owner and modes; the gzip header has no time and
no file name. Another version of zlib may compress the same content to other bytes.
"""

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trailers12k.publish.packing.stores import Array, Store, json_bytes
from trailers12k.publish.packing.sums import Summed

END = ".tar.gz"
LEVEL = 6
"""Chunks are compressed already; gzip shrinks the headers of tar and .zarray."""


def packed(file: Summed) -> gzip.GzipFile:
    """A gzip stream into a file, always of the same bytes for the same content."""
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=LEVEL, mtime=0)


class Archive:
    """A new .tar.gz, written member by member. The members come sorted by name."""

    def __init__(self, path: Path):
        self._file = Summed(path)
        self._packed = packed(self._file)
        self._tar = tarfile.TarFile(fileobj=self._packed, mode="w", format=tarfile.GNU_FORMAT)

    def folder(self, name: str) -> None:
        """Add a folder."""
        self._add(name, tarfile.DIRTYPE, 0o755, b"")

    def file(self, name: str, content: bytes) -> None:
        """Add a file."""
        self._add(name, tarfile.REGTYPE, 0o644, content)

    def _add(self, name: str, kind: bytes, mode: int, content: bytes) -> None:
        member = tarfile.TarInfo(name)
        member.type, member.mode, member.size = kind, mode, len(content)
        self._tar.addfile(member, io.BytesIO(content))
        # tarfile keeps every member.
        self._tar.members = []  # type: ignore[attr-defined]

    def close(self) -> dict[str, Any]:
        """End the archive; the sums of its file."""
        self._tar.close()
        self._packed.close()
        self._file.close()
        return self._file.sums


class StoreArchive(Archive):
    """The archive of a store: `STORE.zarr/`, its group files, and a folder for each movie."""

    def __init__(self, path: Path, store: Store):
        super().__init__(path)
        self._root = f"{store.name}.zarr"
        self.folder(self._root)
        self.file(f"{self._root}/.zattrs", json_bytes(dict(store.attributes)))
        self.file(f"{self._root}/.zgroup", json_bytes({"zarr_format": 2}))

    def add(self, array: Array) -> None:
        """Add a movie's array; movies come sorted by mid."""
        folder = f"{self._root}/{array.mid}"
        self.folder(folder)
        for name in sorted(array.files):
            self.file(f"{folder}/{name}", array.files[name])


def of_files(path: Path, files: Mapping[str, bytes]) -> dict[str, Any]:
    """Write an archive of small files; its sums."""
    archive = Archive(path)
    for name in sorted(files):
        archive.file(name, files[name])
    return archive.close()
