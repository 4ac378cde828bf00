"""Servers, streams and names of strangers: a download ends, and its bytes are the same anywhere.

Inputs in data/ are from shared/cases, whose README lists the right behaviour.
"""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import av
import numpy as np
import pytest
from PIL import Image

from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import sha256_of
from trailers12k.common.movie import Movie
from trailers12k.downloads import bounds, http, posters, trailers, ytdlp
from trailers12k.downloads.bounds import Bounds
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.shard import Shard
from trailers12k.jobs.reasons import is_final
from trailers12k.jobs.runner import StopSignal
from trailers12k.video.probe import probe

DATA = Path(__file__).parent / "data"
SETTINGS = DownloadSettings(
    max_megabytes=50, retries=1, timeout=5, retry_pause=0, pause={}, private_addresses=True
)
TYPES = {
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".ts": "video/mp2t",
    ".mp4": "video/mp4",
    ".html": "text/html",
}


class Handler(BaseHTTPRequestHandler):
    """Serves a folder; below /as/TYPE/NAME, NAME under another content type ("none": without)."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def do_GET(self):
        site = self.server.site
        path = unquote(urlsplit(self.path).path)
        site.requests.append(path)
        with suppress(BrokenPipeError, ConnectionResetError):
            if path.startswith("/drip"):
                self.drip(path)
            elif path.startswith("/endless"):
                self.endless()
            else:
                self.serve(path)

    def serve(self, path):
        headers = {}
        kind = TYPES.get(Path(path).suffix, "application/octet-stream")
        if path.startswith("/as/"):
            kind, path = path.removeprefix("/as/").rsplit("/", 1)
        if path.startswith("/attached/"):
            path = path.removeprefix("/attached")
            headers["Content-Disposition"] = 'attachment; filename="trailer.exe"'
        file = self.server.site.folder / path.lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        data, status = file.read_bytes(), 200
        if part := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            begin, end = int(part[1]), int(part[2] or len(data) - 1)
            headers["Content-Range"] = f"bytes {begin}-{end}/{len(data)}"
            data, status = data[begin : end + 1], 206
        self.send_response(status)
        if kind != "none":
            self.send_header("Content-Type", kind)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drip(self, path):
        """A byte each 50 ms: of the file, or (/drip-head) of its header, too."""
        slowly = b"HTTP/1.1 200 OK\r\nContent-Type: video/mp4\r\nContent-Length: 5000\r\n\r\n"
        if path != "/drip-head.mp4":
            self.wfile.write(slowly)
            slowly = bytes(5000)
        for byte in slowly:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.05)

    def endless(self):
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Connection", "close")
        self.end_headers()
        while True:
            self.wfile.write(bytes(1 << 16))
            self.server.site.sent += 1 << 16
            time.sleep(0.002)


class Site:
    def __init__(self, folder):
        self.folder, self.requests, self.sent = folder, [], 0


@contextmanager
def serving(folder):
    site = Site(folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.site = True, site
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    yield site
    server.shutdown()
    server.server_close()


@pytest.fixture
def web():
    """The inputs in data/, served."""
    with serving(DATA) as site:
        yield site


@pytest.fixture(autouse=True)
def project_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder first on the PATH, whose ffmpeg, ffprobe and rtmpdump record each call."""
    folder = tmp_path / "programs"
    folder.mkdir()
    calls = tmp_path / "calls"
    for name in ("ffmpeg", "ffprobe", "rtmpdump", "avconv"):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {name} >> '{calls}'\necho 'ffmpeg version 7.1'\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    yield calls
    assert not calls.exists(), calls.read_text()


def fetch(address, folder, **settings):
    movie = Movie("tt0000001", "A", "2000", ("drama",), "", str(address))
    fetcher = trailers.TrailerFetcher(folder, replace(SETTINGS, **settings), StopSignal())
    return fetcher.fetch(movie)


def failure_of(address, folder, **settings):
    with pytest.raises(Failure) as failure:
        fetch(address, folder, **settings)
    return failure.value


def coded(number, height=72):
    """A frame that shows its number as 12 black and white fields."""
    width = 2 * height
    bits = np.array([number >> bit & 1 for bit in range(12)]).reshape(3, 4)
    fields = bits[np.arange(height) * 3 // height][:, np.arange(width) * 4 // width]
    return np.repeat((25 + 205 * fields)[..., None], 3, 2).astype(np.uint8)


def number_of(frame):
    height, width = frame.shape[:2]
    rows, columns = (2 * np.arange(3) + 1) * height // 6, (2 * np.arange(4) + 1) * width // 8
    fields = frame[rows][:, columns].mean(-1) > 127
    return int(sum(1 << bit for bit, white in enumerate(fields.ravel()) if white))


def numbers(path):
    """The numbers of a video's frames, and the longest time from one to the next."""
    with av.open(str(path)) as container:
        frames = [
            (frame.time, number_of(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(video=0)
        ]
    times = [time for time, _ in frames]
    return [number for _, number in frames], max(np.diff(times))


def test_hls_with_a_discontinuity_is_whole_without_any_program(web, programs, tmp_path):
    row = fetch(f"{web.url}/hlsd/v.m3u8", tmp_path / "files")
    assert (row["frames"], row["duration"], row["corrupt"]) == (120, "4.000", 0)
    shown, longest = numbers(row["file"])
    assert shown == [*range(60)] * 2 and longest < 0.05
    again = fetch(f"{web.url}/hlsd/v.m3u8", tmp_path / "again")
    assert again["sha256"] == row["sha256"]


KINDS = {
    # kind of stream: how its parts are written
    "ts": [{}, {}],
    "ts three": [{}, {}, {}],
    "ts sizes": [{}, {"height": 144}],
    "ts orders": [{"bf": "0"}, {"bf": "2"}],
    "ts sound": [{"sound": "aac"}, {"sound": "aac"}],
    "ts later sound": [{}, {"sound": "aac"}],
    "ts other sound": [{"sound": "aac"}, {"sound": "mp2"}],
    "ts mpeg2": [{"codec": "mpeg2video"}, {"codec": "mpeg2video"}],
    "ts untagged": [{}, {}],
    "ts encrypted": [{}, {}],
    "fmp4": [{}, {}],
    "fmp4 sizes": [{}, {"height": 144}],
    "fmp4 sound": [{"sound": "aac"}, {"sound": "aac"}],
    "fmp4 vp9": [{"codec": "libvpx-vp9"}, {"codec": "libvpx-vp9"}],
    "dash": [{}, {"height": 144}],
}


def write_stream(path, form, options, first, height=72, codec="libx264", sound=None, bf=None):
    """Two seconds at 30 frames a second; the frames show their numbers."""
    with av.open(str(path), "w", format=form, options=options) as container:
        video = container.add_stream(
            codec, rate=30, options={"g": "30"} | ({"bf": bf} if bf else {})
        )
        video.width, video.height, video.pix_fmt = 2 * height, height, "yuv420p"
        audio = container.add_stream(sound, rate=48000, layout="mono") if sound else None
        done = 0
        for number in range(60):
            picture = av.VideoFrame.from_ndarray(coded(first + number, height), "rgb24")
            container.mux(video.encode(picture))
            while audio and done < 1600 * (number + 1):
                wave = (3000 * np.sin(np.arange(1024) / 20)).astype(np.int16)[None]
                frame = av.AudioFrame.from_ndarray(wave, "s16", "mono")
                frame.sample_rate, frame.pts, done = 48000, done, done + 1024
                container.mux(audio.encode(frame))
        for stream in container.streams:
            container.mux(stream.encode())


def write_hls(folder, kind, parts):
    """A playlist of parts, each with a clock and a header of its own."""
    options = {"hls_time": "1", "hls_playlist_type": "vod", "hls_list_size": "0"}
    ending = "ts"
    if "fmp4" in kind:
        options["hls_segment_type"], ending = "fmp4", "m4s"
    if "encrypted" in kind:
        (folder / "key").write_bytes(bytes(range(16)))
        options["hls_key_info_file"] = str(folder / "key info")
        (folder / "key info").write_text(f"key\n{folder / 'key'}\n")
    lines = []
    for number, part in enumerate(parts):
        options["hls_segment_filename"] = str(folder / f"{number}_%d.{ending}")
        options["hls_fmp4_init_filename"] = f"{number}.mp4"
        write_stream(folder / "part.m3u8", "hls", options, 60 * number, **part)
        part_lines = (folder / "part.m3u8").read_text().splitlines()[:-1]
        if number:
            sign = "#EXT-X-MEDIA-SEQUENCE"
            at = next(n for n, line in enumerate(part_lines) if line.startswith(sign))
            part_lines = part_lines[at + 2 :]
            lines += [] if "untagged" in kind else ["#EXT-X-DISCONTINUITY"]
        lines += part_lines
    (folder / "v.m3u8").write_text("\n".join([*lines, "#EXT-X-ENDLIST", ""]))


def write_dash(folder, parts):
    """A manifest of periods; their formats differ in bandwidth, as behind an advertisement."""
    periods = []
    for number, part in enumerate(parts):
        names = {"init_seg_name": f"{number}.m4s", "media_seg_name": f"{number}-$Number$.m4s"}
        write_stream(folder / "v.mpd", "dash", {"seg_duration": "1", **names}, 60 * number, **part)
        text = (folder / "v.mpd").read_text()
        (period,) = re.findall("(?s)<Period.*</Period>", text)
        periods.append(period.replace('start="PT0.0S"', 'duration="PT2S"'))
    whole = re.sub("(?s)<Period.*</Period>", lambda _: "\n".join(periods), text)
    (folder / "v.mpd").write_text(whole)


@pytest.mark.parametrize("kind", KINDS)
def test_streams_are_whole_without_any_program(programs, tmp_path, kind):
    folder = tmp_path / "web"
    folder.mkdir()
    if kind == "dash":
        write_dash(folder, KINDS[kind])
    else:
        write_hls(folder, kind, KINDS[kind])
    with serving(folder) as site:
        row = fetch(f"{site.url}/v.{'mpd' if kind == 'dash' else 'm3u8'}", tmp_path / "files")
    expected = 60 * len(KINDS[kind])
    assert (row["frames"], row["duration"]) == (expected, f"{expected / 30:.3f}")
    assert row["corrupt"] == 0
    shown, longest = numbers(row["file"])
    assert shown == [*range(expected)] and longest < 0.05
    assert (row.get("sound_codec") == "aac") == ("sound" in kind)


def test_an_interrupted_join_leaves_nothing_that_counts_as_whole(web, tmp_path, monkeypatch):
    def interrupted(parts, target):
        target.write_bytes(parts[0].read_bytes())
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(ytdlp, "join", interrupted)
        fetch(f"{web.url}/hlsd/v.m3u8", tmp_path)
    requested = len(web.requests)
    assert fetch(f"{web.url}/hlsd/v.m3u8", tmp_path)["frames"] == 120
    again = web.requests[requested:]
    assert not any(path.endswith(".ts") for path in again), "no segment is requested again"
    assert [path.name for path in tmp_path.iterdir()] == ["tt0000001.ts"]


def test_a_stream_of_one_clock_keeps_its_bytes(programs, tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    write_hls(folder, "ts", [{}])
    with serving(folder) as site:
        row = fetch(f"{site.url}/v.m3u8", tmp_path / "files")
    assert Path(row["file"]).read_bytes() == b"".join(
        (folder / f"0_{number}.ts").read_bytes() for number in range(2)
    )


def test_a_stream_with_a_missing_segment_fails(programs, tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    write_hls(folder, "ts", [{}, {}])
    (folder / "1_0.ts").unlink()
    with serving(folder) as site:
        failure = failure_of(f"{site.url}/v.m3u8", tmp_path / "files")
    assert failure.reason == "unavailable"


def test_parts_of_different_codecs_are_a_failure_that_names_the_discontinuity(programs, tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    write_hls(folder, "ts", [{}, {"codec": "mpeg2video"}])
    with serving(folder) as site:
        failure = failure_of(f"{site.url}/v.m3u8", tmp_path / "files")
    assert failure.reason == "discontinuity"
    assert failure.detail == "the video changes from h264 to mpeg2video"


LIVE = ["event", "master", "dynamic", "page of an event", "page of a dynamic"]


@pytest.mark.parametrize("kind", LIVE)
def test_live_streams_of_every_kind_are_refused(programs, tmp_path, kind):
    folder = tmp_path / "web"
    folder.mkdir()
    name = "v.mpd" if "dynamic" in kind else "v.m3u8"
    if "dynamic" in kind:
        write_dash(folder, [{}])
        text = (folder / "v.mpd").read_text()
        (folder / "v.mpd").write_text(text.replace('type="static"', 'type="dynamic"'))
    else:
        write_hls(folder, "ts", [{}])
        text = (folder / "v.m3u8").read_text().replace("#EXT-X-ENDLIST\n", "")
        (folder / "v.m3u8").write_text(text.replace("TYPE:VOD", "TYPE:EVENT"))
    if kind == "master":
        (folder / "v.m3u8").rename(folder / "media.m3u8")
        master = "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=100000,RESOLUTION=144x72\nmedia.m3u8\n"
        (folder / "v.m3u8").write_text(master)
    with serving(folder) as site:
        if "page" in kind:
            video = f'<meta property="og:video" content="{site.url}/{name}">'
            (folder / "page.html").write_text(f"<html><head>{video}</head><body></body></html>")
            name = "page.html"
        failure = failure_of(f"{site.url}/{name}", tmp_path / "files")
    assert failure.reason == "live"
    assert not any(path.endswith((".ts", ".m4s")) for path in site.requests)


def test_a_playlist_that_is_declared_complete_is_not_live(programs, tmp_path):
    folder = tmp_path / "web"
    folder.mkdir()
    write_hls(folder, "ts", [{}])
    text = (folder / "v.m3u8").read_text()
    (folder / "v.m3u8").write_text(text.replace("#EXT-X-ENDLIST\n", ""))
    with serving(folder) as site:
        assert fetch(f"{site.url}/v.m3u8", tmp_path / "files")["frames"] == 60


@pytest.mark.parametrize("ending", ["m3u8", "txt"])
def test_a_live_stream_is_refused_before_a_segment_is_requested(web, programs, tmp_path, ending):
    address = f"{web.url}/live/live.m3u8"
    if ending == "txt":
        address = f"{web.url}/as/application/octet-stream/live.m3u8"
        (tmp_path / "live.m3u8").write_bytes((DATA / "live" / "live.m3u8").read_bytes())
    folder = tmp_path if ending == "txt" else DATA
    with serving(folder) as site:
        failure = failure_of(address.replace(web.url, site.url), tmp_path / "files")
        assert failure.reason == "live" and is_final("live", 1)
        assert not any(path.endswith(".ts") for path in site.requests)
        assert len(site.requests) < 10


@pytest.mark.parametrize("address", ["/drip.mp4", "/drip-head.mp4", "/drip"])
def test_a_server_that_drips_is_given_up(web, tmp_path, monkeypatch, address):
    monkeypatch.setattr(bounds, "WINDOW", 0.5)
    began = time.monotonic()
    failure = failure_of(web.url + address, tmp_path, retries=3)
    assert failure.reason == "network" and "bytes a second" in failure.detail
    assert time.monotonic() - began < 6, "no immediate retry"


def test_a_drip_is_given_up_by_every_client(web, tmp_path, monkeypatch):
    monkeypatch.setattr(bounds, "WINDOW", 0.5)
    poster = Movie("tt0000001", "A", "2000", ("drama",), "", "", f"{web.url}/drip.jpg")
    with pytest.raises(Failure, match="network: .* bytes a second"):
        posters.PosterFetcher(tmp_path, SETTINGS, StopSignal()).fetch(poster)
    with pytest.raises(UserError, match="bytes a second"):
        http.fetch(f"{web.url}/drip.tar.gz", tmp_path / "file")
    with pytest.raises(UserError, match="bytes a second"):
        http.fetch(f"{web.url}/drip-head.mp4", tmp_path / "file")


def test_a_download_has_a_most_time_and_a_most_size(web, tmp_path, monkeypatch):
    failure = failure_of(f"{web.url}/endless.mp4", tmp_path, most_time=1, least_rate=0)
    assert failure.reason == "network" and "not complete after 1 s" in failure.detail
    web.sent = 0
    failure = failure_of(f"{web.url}/endless.mp4", tmp_path, max_megabytes=1)
    assert failure.reason == "too_large" and web.sent < 10_000_000
    monkeypatch.setattr(bounds, "EXTRA", 0)
    with pytest.raises(Failure, match="too_large"), bounds.bounded(Bounds(), 1_000_000):
        client = http.session(0)
        with http.opened(client, f"{web.url}/endless", 5) as response:
            for _ in response.iter_content(1 << 30):
                pass
    with pytest.raises(UserError, match="too_large"):
        http.fetch(
            f"{web.url}/endless", tmp_path / "file", checks=http.Checks(most_bytes=1_000_000)
        )


@pytest.mark.parametrize("way", ["interrupt", "terminate", "kill", "kill the parent"])
def test_no_program_of_yt_dlp_outlives_its_job(tmp_path, way):
    """deno runs the site's scripts; a killed job cannot end it."""
    job = """
import sys, subprocess
from trailers12k.jobs.context import job
from trailers12k.downloads import ytdlp
with job("job.log"):
    child = ytdlp.Popen(["sleep", "60"], stdout=subprocess.PIPE, text=True)
    print(child.pid, flush=True)
    child.communicate()
"""
    (tmp_path / "job.py").write_text(job)
    # The parent, like Snakemake's shell, does nothing but wait.
    parent = subprocess.Popen(
        [sys.executable, "-c", "import subprocess, sys; p = subprocess.Popen(sys.argv[1:]); "
         "print(p.pid, flush=True); p.wait()", sys.executable, "job.py"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=tmp_path,
    )  # fmt: skip
    worker, child = (int(parent.stdout.readline()) for _ in range(2))
    time.sleep(0.5)
    assert Path(f"/proc/{child}/comm").read_text() == "sleep\n"
    number = {"interrupt": signal.SIGINT, "terminate": signal.SIGTERM}.get(way, signal.SIGKILL)
    os.kill(parent.pid if way == "kill the parent" else worker, number)
    parent.wait()
    end = time.monotonic() + 5
    while any(_runs(pid) for pid in (worker, child)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not _runs(worker) and not _runs(child)


def _runs(pid):
    with suppress(FileNotFoundError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


NAMES = {
    "IMG_0001.MOV": "IMG_0001.MOV",
    "wmv2.wmv": "wmv2.wmv",
    "bluray.m2ts": "bluray.m2ts",
    "trailer": "plain.mp4",
    "trailer.MTS": "bluray.m2ts",
    "trailer.mp4v": "plain.mp4",
    "trailer.divx": "plain.mp4",
    "trailer.qt": "IMG_0001.MOV",
    "trailer.bin": "plain.mp4",
    "trailer.php": "plain.mp4",
    "trailer.exe": "wmv2.wmv",
    "trailer.jpg": "plain.mp4",
    "Trailer (1).mp4.download": "plain.mp4",
}
ENDINGS = {"wmv2.wmv": ".wmv", "bluray.m2ts": ".ts"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("way", ["url", "file", "attached"])
def test_content_decides_what_a_file_is(tmp_path, name, way):
    source = tmp_path / "web" / name
    source.parent.mkdir()
    source.write_bytes((DATA / NAMES[name]).read_bytes())
    folder = tmp_path / "files"
    with serving(source.parent) as site:
        path = f"{site.url}/attached/{name}" if way == "attached" else f"{site.url}/{name}"
        row = fetch(source if way == "file" else path.replace(" ", "%20"), folder)
        predicted = trailers.trailer_of(str(source), SETTINGS, folder)
    assert row["frames"] == 60
    assert row["sha256"] == sha256_of(source) == predicted["sha256"]
    assert row["decoder"] == predicted["decoder"]
    ending = ENDINGS.get(NAMES[name], ".mp4")
    assert [path.name for path in folder.iterdir()] == [f"tt0000001{ending}"]


CONTAINERS = {
    # FFmpeg's name of the container: codec, ending
    "mov": ("libx264", ".mp4"),
    "3g2": ("libx264", ".mp4"),
    "f4v": ("libx264", ".mp4"),
    "vob": ("mpeg2video", ".mpg"),
    "mpeg": ("mpeg1video", ".mpg"),
    "mpegts": ("mpeg2video", ".ts"),
    "mxf": ("mpeg2video", ".mxf"),
    "ogg": ("libvpx", ".ogv"),
    "asf": ("msmpeg4v3", ".wmv"),
    "avi": ("mpeg4", ".avi"),
    "flv": ("flv1", ".flv"),
    "matroska": ("libvpx", ".mkv"),
    "webm": ("libvpx", ".webm"),
    "h264": ("libx264", ".h264"),
}


@pytest.mark.parametrize("form", CONTAINERS)
def test_a_video_is_kept_with_the_ending_of_its_container(tmp_path, form):
    codec, ending = CONTAINERS[form]
    folder = tmp_path / "web"
    folder.mkdir()
    write_stream(folder / "trailer", form, {}, 0, codec=codec)
    with serving(folder) as site:
        row = fetch(f"{site.url}/trailer", tmp_path / "files")
    assert (row["frames"], Path(row["file"]).name) == (60, f"tt0000001{ending}")
    assert row["sha256"] == sha256_of(folder / "trailer")
    assert probe(row["file"]).frames == 60
    predicted = trailers.trailer_of(str(folder / "trailer"), SETTINGS, tmp_path)
    assert (predicted["duration"], predicted["decoder"]) == (row["duration"], row["decoder"])


@pytest.mark.parametrize(
    "kind",
    [
        *("application/octet-stream", "binary/octet-stream", "none", "text/plain", "audio/mp4"),
        *("video/x-msvideo", "image/jpeg", "application/force-download", "video/unknown"),
    ],
)
def test_content_types_decide_nothing(web, tmp_path, kind):
    for name in ("plain.mp4", "IMG_0001.MOV"):
        row = fetch(f"{web.url}/as/{kind}/{name}", tmp_path)
        assert row["file"].endswith("tt0000001.mp4")
        assert row["sha256"] == sha256_of(DATA / name)


def test_a_file_of_another_ending_is_replaced_and_records_stay(web, tmp_path):
    for name in ("tt0000001.mov", "tt0000001.json", "tt0000001.3gp", "tt0000002.mov"):
        (tmp_path / name).write_bytes(b"of an earlier version")
    fetch(f"{web.url}/plain.mp4", tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"tt0000001.mp4", "tt0000001.json", "tt0000002.mov"}


@pytest.mark.parametrize("form", ["GIF", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("frames", [1, 12])
def test_a_picture_is_no_video_and_an_animation_is_one(tmp_path, form, frames):
    images = [Image.fromarray(coded(number)) for number in range(frames)]
    source = tmp_path / "web" / f"trailer.{form.lower()}"
    source.parent.mkdir()
    more = {"save_all": True, "append_images": images[1:], "duration": 100} if frames > 1 else {}
    images[0].save(source, form, **more)
    with serving(source.parent) as site:
        for address in (source, f"{site.url}/{source.name}"):
            if frames == 1:
                assert failure_of(address, tmp_path / "files").reason == "not_video"
            elif form in ("WEBP", "AVIF"):
                # FFmpeg does not decode the one, and counts the other's still picture too.
                with suppress(Failure):
                    assert fetch(address, tmp_path / "files")["frames"] == frames
            else:
                assert fetch(address, tmp_path / "files")["frames"] == frames


def test_a_local_playlist_is_no_video(tmp_path):
    """Its content would be other files, or requests to servers."""
    playlist = tmp_path / "trailer.mp4"
    playlist.write_text(f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{DATA}/hlsd/a0.ts\n"
                        "#EXT-X-ENDLIST\n")  # fmt: skip
    assert failure_of(playlist, tmp_path / "files").reason == "not_video"
    playlist = playlist.rename(tmp_path / "trailer.m3u8")
    assert failure_of(playlist, tmp_path / "files").reason == "not_video"
    with pytest.raises(UserError, match="a list of other files"):
        trailers.trailer_of(str(playlist), SETTINGS, tmp_path / "files")


def test_a_site_that_gave_the_picture_alone_is_asked_for_the_sound(programs, tmp_path):
    """A playlist of two variants: the one of the size has no sound, as sites have with DASH."""
    folder, files = tmp_path / "web", tmp_path / "files"
    lines = ["#EXTM3U"]
    for name, height, codecs, sound in (
        ("plain", 72, "avc1.64000b", None),
        ("heard", 144, "avc1.64000b,mp4a.40.2", "aac"),
    ):
        (folder / name).mkdir(parents=True)
        write_hls(folder / name, "ts", [{"height": height, "sound": sound}])
        size = f"RESOLUTION={2 * height}x{height}"
        lines += [f'#EXT-X-STREAM-INF:BANDWIDTH=100000,{size},CODECS="{codecs}"']
        lines += [f"{name}/v.m3u8"]
    (folder / "all.m3u8").write_text("\n".join([*lines, ""]))
    found = []
    with serving(folder) as site:
        movie = Movie("tt0000001", "A", "2000", ("drama",), "", f"{site.url}/all.m3u8")
        shard = Shard([movie], files, "000")
        for refetch in (None, None, "no_sound", "no_sound"):
            settings = replace(SETTINGS, short_side=72, refetch=refetch)
            (row,) = trailers.trailers_of_shard(shard, settings)
            found.append((row["height"], row.get("sound_codec", ""), len(site.requests)))
    (first, again, heard, last) = found
    assert first[:2] == (72, "") and again == first
    assert heard[:2] == (144, "aac") and last == heard
    assert [path.name for path in files.glob("tt*.ts")] == ["tt0000001.ts"]
