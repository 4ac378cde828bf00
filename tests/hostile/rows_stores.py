"""Hostile archives of published stores, and hostile stores in sound archives."""

import gzip
import json
import lzma
import tarfile
import zlib
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import numcodecs
import numcodecs.abc
import numpy as np

from tests.hostile.inputs import HostileInput
from trailers12k.features import published_store


def _tar(folder: Path, form: str, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    path = folder / "s.tar"
    with tarfile.open(path, f"w:{form}", format=tarfile.PAX_FORMAT) as tar:
        for member, data in members:
            tar.addfile(member, BytesIO(data))
    return path


def _member(name: str, data: bytes = b"", **headers: str) -> tuple[tarfile.TarInfo, bytes]:
    member = tarfile.TarInfo(name)
    member.size, member.pax_headers = len(data), headers
    return member, data


def _stored(
    array: Mapping[str, object], chunk: bytes, about: bytes = b'{"num_features": 4}'
) -> Any:
    """Makes an archive of a store of one movie."""
    meta = {"zarr_format": 2, "shape": [2, 4], "chunks": [2, 4], "dtype": "<f4", "order": "C"}
    meta |= {"compressor": None, "filters": None, "fill_value": 0}
    members = {".zgroup": b"{}", ".zattrs": about, "tt1/.zarray": json.dumps(meta | array).encode()}
    files = [*members.items(), ("tt1/0.0", chunk)]
    named = [_member(f"s.zarr/{name}".replace("tt1", "tt0000001"), data) for name, data in files]
    return lambda folder: _tar(folder, "gz", *named)


def _zeros(folder: Path) -> Path:
    return _tar(folder, "gz", _member("s.zarr/tt0000001/0.0", bytes(100_000_000)))


def _terabyte(folder: Path) -> Path:
    """A member whose header claims a terabyte."""
    member = tarfile.TarInfo("s.zarr/tt0000001/0.0")
    member.size = 10**12
    path = folder / "s.tar"
    path.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(10_000))
    return path


def _sparse(folder: Path) -> Path:
    headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": str(10**12)}
    return _tar(folder, "gz", _member("s.zarr/tt0000001/0.0", b"1" * 10_000_000, **headers))


def _many_members(folder: Path) -> Path:
    head = tarfile.TarInfo("s.zarr/a").tobuf()
    path = folder / "s.tar.gz"
    path.write_bytes(gzip.compress(head * 200_000, 1))
    return path


def _attributes_of_attributes(folder: Path) -> Path:
    """A chain of long names, each of the next one."""
    link = tarfile.TarInfo("././@LongLink")
    link.type, link.size = tarfile.GNUTYPE_LONGNAME, 2
    path = folder / "s.tar"
    path.write_bytes((link.tobuf() + b"a\0" + bytes(510)) * 20_000)
    return path


def _shared_attributes(folder: Path) -> Path:
    """Attributes of the whole archive, which grow with each member."""
    path = folder / "s.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        for number in range(500):
            header = tarfile.TarInfo.create_pax_global_header({f"k{number}": "x" * 60_000})
            tar.fileobj.write(header + tarfile.TarInfo(f"s.zarr/{number}").tobuf())
    return path


def _negative_size(folder: Path) -> Path:
    return _tar(folder, "", _member("s.zarr/a", size="-1048576"))


def _deep_folders(folder: Path) -> Path:
    return _tar(folder, "gz", _member("d/" * 1900 + "f"))


def _xz_dictionary(folder: Path) -> Path:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1_500_000_000}]
    path = folder / "s.tar.xz"
    # The encoder needs ten times the memory of the dictionary; so the header is changed.
    filters[0]["dict_size"] = 1 << 20
    data = bytearray(lzma.compress(bytes(10_000_000), filters=filters))
    head = 12 + 4 * (data[12] + 1)
    data[16] = 37  # 2.5 GB
    data[head - 4 : head] = zlib.crc32(data[12 : head - 4]).to_bytes(4, "little")
    path.write_bytes(data)
    return path


def _install(path: Path) -> object:
    return published_store.unpack(path, path.parent / "data" / "s.zarr")


def _bomb_of(codec: numcodecs.abc.Codec, size: int) -> Any:
    return _stored({"compressor": codec.get_config()}, codec.encode(bytes(size)))


def _chunk_claims(name: str, chunk: bytes) -> Any:
    return _stored({"compressor": {"id": name}}, chunk)


def _of_archives() -> list[HostileInput]:
    room = "20 bytes for each byte of the archive, and 10 MB; 4096 bytes a file"
    rows = [
        ("100 MB of zeros", _zeros, "it unpacks to far more", room),
        ("a member of a terabyte", _terabyte, "it unpacks to far more", room),
        ("a sparse member", _sparse, ".* is a sparse file", "no sparse members"),
        ("200,000 members", _many_members, "it unpacks to far more", room),
        ("a chain of 20,000 long names", _attributes_of_attributes, ".*recursion", "900 headers"),
        ("30 MB of shared attributes", _shared_attributes, "the attributes of", "64 kB"),
        ("a negative size", _negative_size, ".*", "sizes from 0"),
        ("1900 folders in a path", _deep_folders, ".*is in too many folders", "20 folders"),
        ("an xz dictionary of 2.5 GB", _xz_dictionary, ".*[Mm]emory", "128 MB of memory for xz"),
    ]
    return [
        HostileInput("archive", name, make, _install, f".*s.tar.* is not unpacked: {answer}", bound)
        for name, make, answer, bound in rows
    ]


def _of_stores() -> list[HostileInput]:
    chunk, one = "the size of a chunk that its array states, and 64 kB", 50_000_000
    codecs = numcodecs.Zlib(1), numcodecs.GZip(1), numcodecs.BZ2(1), numcodecs.LZMA(preset=0)
    unpacked = [
        (f"{codec.codec_id} chunk of 50 MB of zeros", _bomb_of(codec, one), ".*chunk", chunk)
        for codec in codecs
    ]
    huge = (2**31 - 1).to_bytes(4, "little")
    blosc = b"\2\1\0\1" + huge + huge + (32).to_bytes(4, "little") + bytes(16)
    zstd = b"\x28\xb5\x2f\xfd\xe0" + (10**12).to_bytes(8, "little") + bytes(20)
    endless = b"\x28\xb5\x2f\xfd\0\x58" + (0x20000 << 3 | 2).to_bytes(3, "little") + b"\0"
    raw = {
        "id": "lzma",
        "format": 3,
        "filters": [{"id": lzma.FILTER_LZMA2, "dict_size": 2**32 - 1}],
    }
    wide = {"id": "astype", "encode_dtype": "<f4", "decode_dtype": "S1000000"}
    rows = [
        *unpacked,
        ("blosc chunk that claims 2 GB", _chunk_claims("blosc", blosc), ".*claims 2147", chunk),
        ("lz4 chunk that claims 2 GB", _chunk_claims("lz4", huge + bytes(30)), ".*claims", chunk),
        ("zstd chunk that claims 1 TB", _chunk_claims("zstd", zstd), ".*claims 1000", chunk),
        ("zstd chunk of unknown size", _chunk_claims("zstd", endless * 9), ".*chunk", chunk),
        ("lzma without a header", _stored({"compressor": raw}, bytes(20)), ".*lzma", "128 MB"),
        ("a filter to 1 MB a number", _stored({"filters": [wide]}, bytes(32)), ".*type", "8 bytes"),
        (
            "an array of 100 MB in 10 kB",
            _stored(
                {"shape": [6_250_000, 4], "chunks": [6_250_000, 4], "compressor": {"id": "zlib"}},
                zlib.compress(bytes(100_000_000), 1),
            ),
            "it unpacks to far more",
            "20 bytes for each byte of the archive, and 10 MB",
        ),
        ("10^12 chunks", _stored({"shape": [10**7, 1], "chunks": [1, 1]}, b""), ".*many", "10,000"),
        (
            "9,000 chunks of 128 MB",
            _stored({"shape": [9000, 1], "chunks": [1, 33554432]}, b""),
            ".*larger",
            "4 times the array, and 17 MB",
        ),
        ("a shape of huge numbers", _stored({"shape": [10**4000, 4]}, b""), "shape", "128 MB"),
        ("a negative shape", _stored({"shape": [-2, 4]}, b""), "shape", "sizes from 1"),
    ]
    ours = [
        HostileInput("published store", name, make, _install, f".*tt0000001: {answer}", bound)
        for name, make, answer, bound in rows
    ]
    attributes = {
        "num_features: true": b'{"num_features": true}',
        "num_features: 1e9": b'{"num_features": 1e9}',
        'num_features: "512"': b'{"num_features": "512"}',
        "attributes nested 100,000 times": b"[" * 100_000,
        "attributes of 3 MB": b'{"num_features": 4, "a": "' + b"x" * 3_000_000 + b'"}',
    }
    ours += [
        HostileInput(
            *("published store", name, _stored({}, bytes(32), about), _install),
            *(".*s.tar: no attribute num_features", "an integer to 65,536; 1 MB, 50 levels"),
        )
        for name, about in attributes.items()
    ]
    infinite = _stored({}, np.full((2, 4), np.nan, "<f4").tobytes())
    answer = ".*tt0000001: NaN, infinity"
    ours.append(
        HostileInput("published store", "NaN features", infinite, _install, answer, "finite floats")
    )
    return ours


ROWS = [*_of_archives(), *_of_stores()]
