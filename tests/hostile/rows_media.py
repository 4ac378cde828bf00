"""Hostile videos and pictures."""

import struct
import zlib
from collections.abc import Iterable
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
from PIL import Image

from tests.hostile.inputs import HostileInput
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
        ("frames of 100 megapixels", _large_frames, "too_large: frames of more", pixels, 100),
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


ROWS = [*_of_videos(), *_of_posters()]
