"""Sums of the files of a publication: counted as files are written; MD5SUMS and SHA256SUMS.

Writes files of a publication; `common.sum_files` reads their sums. Must not know what they hold.
"""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

BLOCK = 1 << 20


class Summed(io.RawIOBase):
    """A new file whose sums are counted as it is written, so that no byte is read again."""

    def __init__(self, path: Path):
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("xb")
        self._sha256 = hashlib.sha256()
        # Systems that follow FIPS have md5 only for what needs no security.
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.bytes = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """Write all of `data`."""
        view = memoryview(data).cast("B")
        self._file.write(view)
        self._sha256.update(view)
        self._md5.update(view)
        self.bytes += len(view)
        return len(view)

    def tell(self) -> int:
        return self.bytes

    def flush(self) -> None:
        if not self._file.closed:
            self._file.flush()

    def close(self) -> None:
        self._file.close()
        super().close()

    @property
    def sums(self) -> dict[str, Any]:
        """The fields `bytes`, `sha256` and `md5` of a `PublishedFile`."""
        return {
            "bytes": self.bytes,
            "sha256": self._sha256.hexdigest(),
            "md5": self._md5.hexdigest(),
        }


def of_bytes(path: Path, data: bytes) -> dict[str, Any]:
    """Write a small file; its sums."""
    with Summed(path) as file:
        file.write(data)
    return file.sums


def listing(sums: Mapping[str, str]) -> str:
    """A file of sums in the format of `sha256sum`: path -> sum, sorted by path."""
    return "".join(f"{sums[path]}  {path}\n" for path in sorted(sums))
