"""A container's own sizes say how many bytes its file lacks; hostile sizes do no harm."""

import struct
from pathlib import Path

import pytest

from trailers12k.video import completeness
from trailers12k.video.completeness import missing

CASES = Path(__file__).parents[2] / "cases" / "data"
TAG = struct.pack(">BHB7x", 9, 0, 20) + bytes(20) + struct.pack(">I", 31)
PACK = b"\0\0\1\xba\x44" + bytes(9)


def box(kind: bytes, size: int) -> bytes:
    return struct.pack(">I4s", size, kind) + bytes(max(0, size - 8))


def chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content


MOVI = chunk(b"LIST", b"movi" + bytes(1000))
ASF = completeness.ASF_HEADER + struct.pack("<Q", 30) + bytes(6)
WHOLE = {
    "mp4": box(b"ftyp", 16) + box(b"mdat", 1000),
    "large.mp4": box(b"ftyp", 16) + struct.pack(">I4sQ", 1, b"mdat", 1016) + bytes(1000),
    "avi": chunk(b"RIFF", b"AVI " + chunk(b"LIST", b"hdrl" + bytes(20)) + MOVI),
    "large.avi": chunk(b"RIFF", b"AVI " + MOVI) + chunk(b"RIFF", b"AVIX" + MOVI),
    "asf": ASF + completeness.ASF_DATA + struct.pack("<Q", 1024) + bytes(1000),
    "flv": b"FLV\1\5\0\0\0\x09\0\0\0\0" + TAG * 30,
    "ogg": b"OggS\0\4" + bytes(20) + b"\4\xff\xff\xff\xeb" + bytes(1000),
    "mpg": PACK + (b"\0\0\1\xe0" + struct.pack(">H", 500) + bytes(500)) * 2,
    "ts": (b"\x47" + bytes(187)) * 8,
    "m2ts": (bytes(4) + b"\x47" + bytes(187)) * 8,
    "mkv": completeness.EBML + b"\x80" + completeness.SEGMENT + b"\x43\xe8" + bytes(1000),
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("lost", [1, 20, 150])
def test_the_bytes_that_a_file_lacks_are_counted(kind, lost, tmp_path):
    path, data = tmp_path / f"video.{kind}", WHOLE[kind]
    path.write_bytes(data)
    assert missing(path) is None
    path.write_bytes(data[:-lost])
    lack = missing(path)
    if kind == "flv":  # tags of 35 bytes, of which the last four may be absent
        assert (lack.bytes if lack else 0) == {1: 0, 20: 16, 150: 6}[lost]
    else:
        assert (lack.bytes, lack.media) == (lost, kind != "mkv")


@pytest.mark.parametrize(
    "data",
    [
        box(b"ftyp", 16) + box(b"mdat", 0) + bytes(100),
        chunk(b"RIFF", b"AVI ").replace(b"\4\0\0\0", bytes(4)) + MOVI,
        completeness.ASF_HEADER + b"\xff" * 50,
        completeness.EBML + b"\x80" + b"\0" * 50,
        WHOLE["mpg"] + b"trailing bytes",
        b"text",
        b"",
    ],
)
def test_sizes_that_state_nothing_are_ignored(data, tmp_path):
    (tmp_path / "video").write_bytes(data)
    assert missing(tmp_path / "video") is None


@pytest.mark.parametrize("data", [b"OggS", b"RIFF\0\0\0\0AVI ", *(d[:40] for d in WHOLE.values())])
def test_files_of_a_few_bytes_do_no_harm(data, tmp_path):
    (tmp_path / "video").write_bytes(data)
    assert missing(tmp_path / "video") is None or missing(tmp_path / "video").bytes > 0


def test_a_live_recording_is_checked_part_by_part(tmp_path):
    parts = b"\xa3\xe4" + bytes(100)  # blocks of 100 bytes in a cluster of unknown size
    unknown = b"\x01" + b"\xff" * 7
    head = completeness.EBML + b"\x80" + completeness.SEGMENT + unknown + b"\x1f\x43\xb6\x75"
    (tmp_path / "live.webm").write_bytes(head + unknown + parts * 5)
    assert missing(tmp_path / "live.webm") is None
    (tmp_path / "live.webm").write_bytes(head + unknown + parts * 5 + parts[:30])
    assert missing(tmp_path / "live.webm").bytes == 72


def test_a_file_of_countless_parts_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(completeness, "MOST_READS", 1000)
    (tmp_path / "video.mp4").write_bytes(box(b"free", 8) * 1000 + box(b"mdat", 1000)[:500])
    assert missing(tmp_path / "video.mp4") is None


def test_real_files_are_whole():
    for path in CASES.glob("*.*"):
        assert missing(path) is None, path
