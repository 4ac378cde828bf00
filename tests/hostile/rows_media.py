"""Hostile videos, pictures, published stores, archives and weights."""

import gzip
import json
import lzma
import struct
import tarfile
import zlib
from collections.abc import Iterable, Mapping
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numcodecs
import numcodecs.abc
import numpy as np
from PIL import Image

from tests.hostile.inputs import HostileInput
from trailers12k.features import published_store
from trailers12k.video import confined


def _chunk(kind: bytes, data: bytes) -> bytes:
    """A chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, depth: int = 8, colour: int = 2, more: bytes = b"") -> bytes:
    """A black square. colour: 0 for grey, 2 for RGB, 6 for RGBA. more: further chunks."""
    row = 1 + (side * depth * {0: 1, 2: 3, 6: 4}[colour] + 7) // 8
    packer = zlib.compressobj(1)
    packed = b"".join([packer.compress(bytes(row)) for _ in range(side)]) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, depth, colour, 0, 0, 0)
    chunks = _chunk(b"IHDR", header), more, _chunk(b"IDAT", packed), _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def _video(path: Path, pictures: Iterable[bytes], times: Iterable[int], streams: int = 1) -> Path:
    """A video of PNG files. times: in milliseconds."""
    with av.open(str(path), "w") as output:
        tracks = [output.add_mux_stream("png", 25, width=160, height=160) for _ in range(streams)]
        for track in tracks:
            track.time_base = Fraction(1, 1000)
        for picture, time in zip(pictures, times, strict=False):
            for track in tracks:
                packet = av.Packet(picture)
                packet.stream, packet.time_base = track, Fraction(1, 1000)
                packet.pts = packet.dts = time
                packet.is_keyframe = True
                output.mux(packet)
    return path


def _box(kind: bytes, *parts: bytes) -> bytes:
    """A box of an MP4 file."""
    data = b"".join(parts)
    return struct.pack(">I", 8 + len(data)) + kind + data


def _full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)


HEAD = _box(b"ftyp", b"isom", bytes(4), b"isom")


def _movie(samples: int, more: bytes = b"") -> bytes:
    """The index of an MP4 file that claims this many samples. more: further boxes."""
    words = struct.Struct(">I").pack
    matrix = struct.pack(">9I", 65536, 0, 0, 0, 65536, 0, 0, 0, 0x40000000)
    entry = bytes(7) + b"\1" + bytes(16) + struct.pack(">HH", 64, 64) + bytes(50)
    table = _box(
        b"stbl",
        _full(b"stsd", words(1), _box(b"mp4v", entry)),
        _full(b"stts", struct.pack(">III", 1, samples, 1)),
        _full(b"stsc", struct.pack(">IIII", 1, 1, samples, 1)),
        _full(b"stsz", struct.pack(">II", 1, samples)),
        _full(b"stco", struct.pack(">II", 1, 32)),
    )
    data = _box(b"dinf", _full(b"dref", words(1), _full(b"url ", flags=1)))
    media = _box(
        b"mdia",
        _full(b"mdhd", struct.pack(">IIIII", 0, 0, 1000, samples, 0)),
        _full(b"hdlr", bytes(4), b"vide", bytes(13)),
        _box(b"minf", _full(b"vmhd", bytes(8), flags=1), data, table),
    )
    track = _full(b"tkhd", bytes(8), words(1), bytes(24), matrix, bytes(8), flags=3)
    header = _full(b"mvhd", bytes(8), words(1000), bytes(84))
    return _box(b"moov", header, _box(b"trak", track, media), more)


def _large_frames(folder: Path) -> Path:
    return _video(folder / "a.mov", [png(10_000)] * 3, (0, 40, 80))


def _frames_that_grow(folder: Path) -> Path:
    pictures = [*[png(160)] * 5, *[png(10_000)] * 3, *[png(160)] * 5]
    return _video(folder / "a.mov", pictures, range(0, 520, 40))


def _long_frame(folder: Path) -> Path:
    return _video(folder / "a.mov", [png(160)] * 3, (0, 40, 3_000_000))


def _long_video(folder: Path) -> Path:
    return _video(folder / "a.mov", [png(160)] * 13, range(0, 13 * 590_000, 590_000))


def _many_streams(folder: Path) -> Path:
    return _video(folder / "a.mov", [png(16)] * 3, (0, 40, 80), streams=101)


def _claimed_samples(folder: Path) -> Path:
    path = folder / "a.mp4"
    path.write_bytes(HEAD + _movie(80_000_000) + _box(b"mdat", bytes(1000)))
    return path


def _claimed_fragment(folder: Path) -> Path:
    words = struct.Struct(">I").pack
    run = _full(b"trun", words(80_000_000))
    fragment = _box(b"traf", _full(b"tfhd", words(1), flags=0x20000), run)
    moof = _box(b"moof", _full(b"mfhd", words(1)), fragment)
    extends = _box(b"mvex", _full(b"trex", struct.pack(">IIIII", 1, 1, 1, 1, 0)))
    path = folder / "a.mp4"
    path.write_bytes(HEAD + _movie(0, extends) + moof + _box(b"mdat", bytes(1000)))
    return path


def _packed_index(folder: Path) -> Path:
    """QuickTime's compressed index, of 0.7 GB of zeros."""
    packer = zlib.compressobj(1)
    size, block = 700_000_000, bytes(10_000_000)
    packed = packer.compress(struct.pack(">I4s", size, b"free") + bytes(9_999_992))
    packed += b"".join([packer.compress(block) for _ in range(size // len(block) - 1)])
    inner = _box(b"cmvd", struct.pack(">I", size), packed + packer.flush())
    path = folder / "a.mov"
    path.write_bytes(HEAD + _box(b"moov", _box(b"cmov", _box(b"dcom", b"zlib"), inner)))
    return path


def _probe(path: Path) -> object:
    try:
        return confined.probe(path)
    finally:
        confined.close()


def _picture(folder: Path, data: bytes) -> Path:
    path = folder / "poster"
    path.write_bytes(data)
    return path


def _poster(path: Path) -> object:
    try:
        return confined.save_as_jpeg(path, path.with_suffix(".jpg"), 25)
    finally:
        confined.close()


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def _large_webp(folder: Path) -> Path:
    """A lossless WebP of one colour, whose header is changed to 8191 by 8191."""
    data = bytearray(_saved(Image.new("RGB", (64, 64)), "WEBP", lossless=True))
    at = data.index(b"VP8L") + 9
    bits = int.from_bytes(data[at : at + 4], "little")
    data[at : at + 4] = (bits >> 28 << 28 | 8190 << 14 | 8190).to_bytes(4, "little")
    return _picture(folder, bytes(data))


def _many_scans(folder: Path) -> Path:
    """A progressive JPEG, of which a scan comes again and again."""
    data = _saved(Image.new("L", (5000, 5000)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return _picture(folder, data[:last] + data[last:-2] * 2000 + data[-2:])


def _tags_of_one_place(folder: Path) -> Path:
    """A TIFF file of 2 MB whose 3000 tags each claim the same 2 MB."""
    size = 2_000_000
    pixels = {256: 8, 257: 8, 258: 8, 259: 1, 262: 1, 273: 8, 277: 1, 278: 8, 279: 64}
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in pixels.items()]
    entries += [struct.pack("<HHII", tag, 5, size // 8, 8) for tag in range(40_000, 43_000)]
    index = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return _picture(folder, struct.pack("<2sHI", b"II", 42, 8 + size) + bytes(size) + index)


def _profile(folder: Path) -> Path:
    packed = zlib.compress(bytes(500_000_000), 1)
    return _picture(folder, png(100, more=_chunk(b"iCCP", b"icc\0\0" + packed)))


def _many_pictures(folder: Path) -> Path:
    frames = [Image.new("P", (500, 500), number) for number in range(200)]
    data = _saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    return _picture(folder, data)


VIDEO_MEMORY = "2.2 GB of memory: 0.4 GB, and 50 bytes for each pixel of trailers.max_megapixels"
POSTER_MEMORY = "1.0 GB of memory: 0.4 GB, and 25 bytes for each pixel of posters.max_megapixels"


def _of_videos() -> list[HostileInput]:
    pixels = "36 megapixels a frame (trailers.max_megapixels)"
    rows = [
        ("frames of 100 megapixels", _large_frames, "corrupt: no frame of at most 36", pixels, 100),
        ("frames that grow to 100 megapixels", _frames_that_grow, "corrupt: 3 of 10", pixels, 100),
        ("a frame of 50 minutes", _long_frame, "corrupt: a frame is", "600 s a frame", 100),
        ("two hours", _long_video, "too_large: .*minutes", "60 min (trailers.max_minutes)", 100),
        ("101 streams", _many_streams, "too_large: 101 streams", "100 streams", 100),
        ("80 million samples in 2 kB", _claimed_samples, "corrupt", VIDEO_MEMORY, 100),
        ("a fragment of 80 million samples", _claimed_fragment, "too_large", VIDEO_MEMORY, 100),
        ("an index that unpacks to 0.7 GB", _packed_index, "not_video", VIDEO_MEMORY, 2300),
    ]
    return [
        HostileInput("video", name, make, _probe, answer, bound, most_mb, 20)
        for name, make, answer, bound, most_mb in rows
    ]


def _of_posters() -> list[HostileInput]:
    pixels = "25 megapixels (posters.max_megapixels)"
    rows = [
        ("PNG of 64 megapixels", lambda folder: _picture(folder, png(8_000)), pixels, 120),
        ("PNG of one bit", lambda folder: _picture(folder, png(8_000, 1, 0)), pixels, 120),
        ("WebP of 67 megapixels", _large_webp, pixels, 120),
        ("JPEG of 2000 scans", _many_scans, "100 scans of a JPEG file", 200),
    ]
    refused = [
        HostileInput("poster", name, make, _poster, "too_large: ", bound, most_mb)
        for name, make, bound, most_mb in rows
    ]
    packed = "1 MB of unpacked profile or text"
    return [
        *refused,
        HostileInput("poster", "ICC profile of 500 MB", _profile, _poster, "not_image: ", packed),
        HostileInput(
            "poster",
            "TIFF of 3000 tags of 2 MB",
            _tags_of_one_place,
            _poster,
            "",
            POSTER_MEMORY,
            1100,
        ),
        HostileInput("poster", "GIF of 200 frames", _many_pictures, _poster, "", "one frame", 200),
    ]


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


ROWS = [*_of_videos(), *_of_posters(), *_of_archives(), *_of_stores()]
