"""The process that reads foreign files: its limits, its end, and what a crash of it means."""

import os
import signal
import subprocess
import sys
import time
from fractions import Fraction
from io import BytesIO
from pathlib import Path

import av
import pytest
from PIL import Image

from trailers12k.common.errors import Failure
from trailers12k.video import confined
from trailers12k.video.probe import VideoLimits, probe

PLAIN = Path(__file__).parents[2] / "cases" / "data" / "plain.mp4"


@pytest.fixture(autouse=True)
def closed():
    yield
    confined.close()


def test_the_answer_is_that_of_this_process():
    assert confined.probe(PLAIN) == probe(PLAIN)
    reader = confined._idle[-1]
    assert confined.probe(PLAIN).frames == 60 and confined._idle[-1] is reader
    with pytest.raises(Failure, match="too_large: frames of 0.0 megapixels"):
        confined.probe(PLAIN, VideoLimits(megapixels=0.009))
    with pytest.raises(Failure, match="too_large: more than 0.01 minutes; trailers.max_minutes"):
        confined.probe(PLAIN, VideoLimits(minutes=0.01))


@pytest.mark.parametrize(("stated", "said"), [(300, "0.1"), (20, "more than 0.01")])
@pytest.mark.parametrize("name", ["a.mkv", "a.mp4"])
def test_frames_that_the_decoder_refuses_are_too_large(name, stated, said, tmp_path):
    picture = BytesIO()
    Image.new("RGB", (300, 300)).save(picture, "JPEG")
    with av.open(str(tmp_path / name), "w") as output:
        track = output.add_mux_stream("mjpeg", 25, width=stated, height=stated)
        for number in range(3):
            packet = av.Packet(picture.getvalue())
            packet.stream, packet.time_base = track, Fraction(1, 25)
            packet.pts = packet.dts = number
            output.mux(packet)
    limits = VideoLimits(megapixels=0.01)
    message = f"too_large: frames of {said} megapixels; trailers.max_megapixels allows 0.01"
    with pytest.raises(Failure, match=message):
        probe(tmp_path / name, limits)


def test_time_is_that_of_a_core(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.new("RGBA", (4900, 5000)).save(path)
    monkeypatch.setattr(confined, "PICTURE_SECONDS", 0.2)
    with pytest.raises(Failure, match=r"too_large: more than 0 seconds of a core .*posters\.max_"):
        confined.save_as_jpeg(path, tmp_path / "a.jpg", 25)


def test_memory_is_limited(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.new("RGBA", (4900, 5000)).save(path)
    monkeypatch.setattr(confined, "PICTURE_BYTES", 0)
    monkeypatch.setattr(confined, "SPARE_BYTES", 150_000_000)
    with pytest.raises(Failure, match=r"too_large: more than 0\.[12] GB of memory"):
        confined.save_as_jpeg(path, tmp_path / "a.jpg", 25)


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGSEGV, r"corrupt: its decoder crashed \(SIGSEGV\)"), (None, "")]
)
def test_a_crash_is_the_failure_of_the_file(number, said, monkeypatch):
    confined.probe(PLAIN)
    process = confined._idle[-1]._process
    # A stopped process takes its next file, and ends before it answers.
    os.kill(process.pid, signal.SIGSTOP)
    os.kill(process.pid, number or signal.SIGKILL)
    os.kill(process.pid, signal.SIGCONT)
    if said:
        with pytest.raises(Failure, match=said):
            confined.probe(PLAIN)
    else:  # when the system ends it, another one tries once more
        assert confined.probe(PLAIN).frames == 60


PARENT = """
import sys, time
from trailers12k.video import confined
confined.probe(sys.argv[1])
print(confined._idle[-1]._process.pid, flush=True)
time.sleep(100)
"""


def test_it_ends_with_its_parent():
    command = [sys.executable, "-c", PARENT, str(PLAIN)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        pid = parent.stdout.readline().strip()
        assert Path(f"/proc/{pid}").exists()
        parent.kill()
    end = time.monotonic() + 20
    while (status := Path(f"/proc/{pid}/status")).exists() and "Z (zombie)" not in (
        status.read_text()
    ):
        assert time.monotonic() < end
        time.sleep(0.05)
