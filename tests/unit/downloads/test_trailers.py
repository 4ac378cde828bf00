"""Trailers and posters from real files and from an HTTP server on loopback."""

import json
import os
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np
import pytest
from PIL import Image

from trailers12k.common.errors import Cancelled, Failure, Stop
from trailers12k.common.files import HOST, sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import Movie
from trailers12k.downloads import pacing, posters, retries, trailers
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.shard import Shard
from trailers12k.jobs import ledger
from trailers12k.jobs.runner import StopSignal
from trailers12k.settings import load
from trailers12k.video.sound import Sound
from trailers12k.workflow.download_plan import prediction_settings

SETTINGS = DownloadSettings(
    max_megabytes=100, retries=0, timeout=5, retry_pause=0, pause={}, private_addresses=True
)
LIMITS = trailers.VideoLimits()


def movie(trailer="", poster=""):
    return Movie("tt0000001", "A", "2000", ("drama",), "", str(trailer), str(poster))


def fetch_trailer(wanted, folder, stop=None, **settings):
    fetcher = trailers.TrailerFetcher(folder, replace(SETTINGS, **settings), stop or StopSignal())
    return fetcher.fetch(wanted)


def fetch_poster(wanted, folder, **settings):
    limited = replace(SETTINGS, **{"max_megabytes": 1} | settings)
    return posters.PosterFetcher(folder, limited, StopSignal()).fetch(wanted)


def fetch_shard(movies, folder, retry_round=0, **settings):
    shard = Shard(movies, folder, "000", retry_round)
    return trailers.trailers_of_shard(shard, replace(SETTINGS, **settings))


def fetch_posters(movies, folder):
    return posters.posters_of_shard(Shard(movies, folder, "000", 0), SETTINGS)


@pytest.fixture(autouse=True)
def project_folder(tmp_path, monkeypatch):
    """Stopped downloads write build/stopped.json into the working directory."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """A folder and the address of a server that serves it, and some HTTP errors."""
    folder = tmp_path_factory.mktemp("web")
    with av.open(folder / "good.mp4", "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        random = np.random.default_rng(0)
        for _ in range(48):
            picture = random.integers(0, 255, (48, 64, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    good = (folder / "good.mp4").read_bytes()
    (folder / "cut.mp4").write_bytes(good[: int(len(good) * 0.6)])
    (folder / "text.mp4").write_text("<html>not here</html>")
    Image.new("CMYK", (40, 60)).save(folder / "poster.jpg")
    Image.new("RGBA", (40, 60)).save(folder / "poster.png")
    (folder / "large.jpg").write_bytes(bytes(2_000_000))

    cookies = []

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            cookies.append(self.headers.get("Cookie"))
            if self.path.startswith("/error/"):
                self.send_error(int(self.path.split("/")[2]))
            else:
                super().do_GET()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}", cookies
        server.shutdown()


def test_a_trailer_from_a_file_and_one_from_a_server_are_the_same(web, tmp_path):
    folder, url, _ = web
    for source in (folder / "good.mp4", f"{url}/good.mp4"):
        row = fetch_trailer(movie(source), tmp_path)
        assert row["sha256"] == sha256_of(folder / "good.mp4")
        assert row["sha256"] == sha256_of(tmp_path / "tt0000001.mp4")
        assert (row["frames"], row["corrupt"], row["codec"]) == (48, 0, "h264")
        assert (row["height"], row["width"], row["duration"]) == (48, 64, "2.000")
        assert (row["trailer"], row["address"], row["detail"]) == (0, str(source), "")
    assert [path.name for path in tmp_path.iterdir()] == ["tt0000001.mp4"]


def test_a_title_is_the_sites_in_one_line_and_never_a_file_name(web, tmp_path):
    """For a plain file, yt-dlp derives the title `good` from its name."""
    for source in (web[0] / "good.mp4", f"{web[1]}/good.mp4"):
        assert fetch_trailer(movie(source), tmp_path)["title"] == ""
    said = {"extractor_key": "Youtube", "title": "A\n Trailer\x07 \u2122 "}
    assert trailers._title(said) == "A Trailer ™"
    assert trailers._title(said | {"title": None}) == ""


def test_records_without_a_newer_column_repeat_no_download(web, tmp_path):
    movies, files = [movie(f"{web[1]}/good.mp4")], tmp_path / "files"
    fetch_shard(movies, files)
    record = files / "tt0000001.json"
    content = json.loads(record.read_text())
    del content["row"]["title"], content["sha256"]
    record.write_text(json.dumps(content))
    web[2].clear()
    rows = fetch_shard(movies, files)
    ledger.write_shard(tmp_path / "000.csv", rows, trailers.TRAILER_COLUMNS)
    (row,) = ledger.read_shard(tmp_path / "000.csv")
    assert (row["status"], row["title"], web[2]) == ("ok", "", [])


def test_records_that_call_the_decoder_a_reader_repeat_no_download(web, tmp_path):
    movies, files = [movie(f"{web[1]}/good.mp4")], tmp_path / "files"
    first = fetch_shard(movies, files)
    record = files / "tt0000001.json"
    content = json.loads(record.read_text().replace('"decoder"', '"reader"'))
    del content["sha256"]
    record.write_text(json.dumps(content))
    web[2].clear()
    assert fetch_shard(movies, files) == first
    assert web[2] == [] and first[0]["decoder"] in ("decord", "pyav")


def test_the_download_of_a_too_large_file_is_cancelled(web, tmp_path):
    with pytest.raises(Failure) as failure:
        fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path, max_megabytes=0.001)
    assert failure.value.reason == "too_large"
    assert list(tmp_path.iterdir()) == []


def test_a_stopped_download_is_cancelled_and_can_be_continued(web, tmp_path):
    class AfterAWhile(StopSignal):
        looked = 0

        @property
        def reason(self):
            self.looked += 1
            return "stop" if self.looked > 2 else ""

    with pytest.raises(Cancelled):
        fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path, AfterAWhile())
    assert [path.name for path in tmp_path.rglob("*.part")] == ["mp4.unknown_video.part"]
    fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["tt0000001.mp4"]


def test_a_download_that_was_killed_during_verification_is_completed(web, tmp_path):
    url = f"{web[1]}/good.mp4"
    partial = tmp_path / f"tt0000001.{fingerprint(address=url)}.partial"
    partial.mkdir()
    (partial / "mp4.unknown_video").write_bytes((web[0] / "good.mp4").read_bytes())
    assert fetch_trailer(movie(url), tmp_path)["sha256"] == sha256_of(web[0] / "good.mp4")
    assert [path.name for path in tmp_path.iterdir()] == ["tt0000001.mp4"]


def test_a_partial_download_of_a_running_job_is_left_and_one_of_a_killed_job_continued(
    web, tmp_path
):
    name = f"tt0000001.{fingerprint(address=f'{web[1]}/good.mp4')}"
    ended = subprocess.Popen(["true"])
    ended.wait()
    running, killed, own = (
        tmp_path / f"{name}.{HOST}-{pid}.partial" for pid in (os.getppid(), ended.pid, os.getpid())
    )
    for each in (running, killed):
        each.mkdir()
        (each / "mp4.unknown_video.part").write_text(each.name)
    elsewhere = tmp_path / f"{name}.0123abcd-7.partial"
    elsewhere.mkdir()
    trailers.TrailerFetcher(tmp_path, SETTINGS, StopSignal())._claim("tt0000001", name)
    assert {*tmp_path.iterdir()} == {running, elsewhere, own}
    assert (own / "mp4.unknown_video.part").read_text() == killed.name
    os.utime(elsewhere, (0, 0))
    fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path)
    assert {*tmp_path.iterdir()} == {running, tmp_path / "tt0000001.mp4"}


def test_a_rerun_reads_no_video(web, tmp_path):
    movies = [movie(f"{web[1]}/good.mp4")]
    first = fetch_shard(movies, tmp_path / "files")
    # No video: reading it would fail.
    (tmp_path / "files" / "tt0000001.mp4").write_bytes(bytes(first[0]["bytes"]))
    assert fetch_shard(movies, tmp_path / "files") == first


def test_a_cut_file_is_fetched_again(web, tmp_path):
    movies = [movie(f"{web[1]}/good.mp4", f"{web[1]}/poster.png")]
    files = {"tt0000001.mp4": fetch_shard, "tt0000001.jpg": fetch_posters}
    for name, fetch in files.items():
        folder = tmp_path / name
        (first,) = fetch(movies, folder)
        whole = (folder / name).read_bytes()
        os.truncate(folder / name, len(whole) // 2)
        (again,) = fetch(movies, folder)
        assert (folder / name).read_bytes() == whole
        assert again == first | {"attempts": 2}


@pytest.mark.parametrize(("seconds", "reason"), [("PT2S", ""), ("PT10S", "wrong_duration")])
def test_the_duration_must_match_the_sites(web, tmp_path, seconds, reason):
    said = {"@type": "VideoObject", "name": "A", "contentUrl": f"{web[1]}/good.mp4"}
    said |= {"@context": "https://schema.org", "duration": seconds}
    head = f'<script type="application/ld+json">{json.dumps(said)}</script>'
    (web[0] / "page.html").write_text(f"<html><head>{head}</head><body></body></html>")
    if not reason:
        assert fetch_trailer(movie(f"{web[1]}/page.html"), tmp_path)["frames"] == 48
        return
    with pytest.raises(Failure, match="wrong_duration: 2.0 s, but the site states 10.0 s"):
        fetch_trailer(movie(f"{web[1]}/page.html"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_site_may_state_the_duration_of_the_sound(monkeypatch, web):
    """The picture of some trailers ends seconds before it."""
    whole = trailers.probe(web[0] / "good.mp4")
    sound = Sound("aac", 2, 44_100, 10.0, False)
    monkeypatch.setattr(trailers, "probe", lambda path, limits: replace(whole, sound=sound))
    assert trailers._verified(web[0] / "good.mp4", 10.0, LIMITS)["sound_duration"] == "10.000"
    assert trailers._verified(web[0] / "good.mp4", 2.0, LIMITS)["duration"] == "2.000"
    with pytest.raises(Failure, match="wrong_duration"):
        trailers._verified(web[0] / "good.mp4", 6.0, LIMITS)


def test_an_exception_of_yt_dlp_is_one_movies_failure(web, tmp_path, monkeypatch):
    def broken(self, *args, **kwargs):
        raise ValueError("Invalid IPv6 URL")

    monkeypatch.setattr("yt_dlp.YoutubeDL.extract_info", broken)
    with pytest.raises(Failure, match="extractor_broken: ValueError: Invalid IPv6 URL"):
        fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path)


def test_another_video_size_or_folder_than_requested_is_refused(tmp_path):
    path = tmp_path / "in" / "18.mp4"
    path.parent.mkdir()
    path.write_bytes(b"12345")
    requested = "https://www.youtube.com/watch?v=6FeyhlLZYrg"

    def reason(video="6FeyhlLZYrg", folder="in", **said):
        with pytest.raises(Failure) as failure:
            trailers._check({"id": video}, said, path, tmp_path / folder, requested)
        return failure.value.reason

    trailers._check({"id": "6FeyhlLZYrg"}, {"filesize": 5}, path, tmp_path / "in", requested)
    assert reason(video="aaaaaaaaaaa") == "wrong_video"
    assert reason(filesize=6) == "truncated"
    assert reason(folder="elsewhere") == "bad_name"


def test_a_pause_applies_to_its_host_and_subdomains_only(web, tmp_path):
    limiter = pacing.HostRateLimiter({"example.org": [0.2, 0.2]}, StopSignal())
    began = time.monotonic()
    with limiter.turn("https://other.net/a"), limiter.turn("https://badexample.org/"):
        pass
    assert time.monotonic() - began < 0.15
    for address in ("https://example.org/a", "https://www.example.org/b"):
        with limiter.turn(address):
            pass
    assert 0.4 <= time.monotonic() - began < 1.0


def test_a_host_with_a_pause_serves_one_download_at_a_time():
    limiter = pacing.HostRateLimiter({"example.org": [0, 0]}, StopSignal())
    at_once, most = 0, 0

    def use(_):
        nonlocal at_once, most
        with limiter.turn("https://example.org/a"):
            at_once += 1
            most = max(most, at_once)
            time.sleep(0.02)
            at_once -= 1

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(use, range(8)))
    assert most == 1


def test_the_users_cookie_file_is_used_and_never_written(web, tmp_path):
    cookies = tmp_path / "cookies.txt"
    text = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tname\tthe-secret\n"
    cookies.write_text(text)
    web[2].clear()
    fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path / "out", cookies=str(cookies))
    assert "name=the-secret" in web[2]
    assert cookies.read_text() == text
    web[2].clear()
    fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path / "out")
    assert set(web[2]) == {None}, "no cookies without a file"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("none.mp4", "unavailable"),
        ("error/403", "forbidden"),
        ("error/404", "unavailable"),
        ("error/429", "rate_limited"),
        ("error/410", "unavailable"),
        ("cut.mp4", "truncated"),
        ("text.mp4", "not_video"),
    ],
)
def test_a_failed_trailer_has_a_reason(web, tmp_path, name, reason):
    with pytest.raises(Failure) as failure:
        fetch_trailer(movie(f"{web[1]}/{name}"), tmp_path)
    assert failure.value.reason == reason
    assert not list(tmp_path.glob("*.mp4"))


def test_a_missing_local_file_is_reported_by_its_path_in_the_table(tmp_path):
    with pytest.raises(Failure) as failure:
        fetch_trailer(movie("trailers/none.mp4"), tmp_path)
    assert failure.value.reason == "unavailable"
    assert "trailers/none.mp4" in failure.value.detail
    assert str(tmp_path.parent) not in failure.value.detail


def test_posters_of_any_format_become_rgb_jpegs(web, tmp_path):
    folder, url, _ = web
    for source in (folder / "poster.jpg", f"{url}/poster.jpg", f"{url}/poster.png"):
        row = fetch_poster(movie(poster=source), tmp_path)
        with Image.open(tmp_path / "tt0000001.jpg") as image:
            assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (40, 60))
        assert (row["height"], row["width"]) == (60, 40)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("error/404", "unavailable"),
        ("error/503", "server_error"),
        ("text.mp4", "not_image"),
        ("large.jpg", "too_large"),
    ],
)
def test_a_failed_poster_has_a_reason(web, tmp_path, name, reason):
    with pytest.raises(Failure) as failure:
        fetch_poster(movie(poster=f"{web[1]}/{name}"), tmp_path)
    assert failure.value.reason == reason
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["http://a..b/p.jpg", "http://127.0.0.1:9/p.jpg"])
def test_an_unreachable_server_is_a_network_failure(tmp_path, url):
    with pytest.raises(Failure) as failure:
        fetch_poster(movie(poster=url), tmp_path)
    assert failure.value.reason == "network"


def test_a_shard_has_rows_for_failures_and_for_movies_without_an_address(web, tmp_path):
    movies = [
        Movie("tt0000001", "A", "", ("drama",), "", f"{web[1]}/good.mp4"),
        Movie("tt0000002", "B", "", ("drama",), "", f"{web[1]}/cut.mp4"),
        Movie("tt0000003", "C", "", ("drama",)),
    ]
    rows = fetch_shard(movies, tmp_path / "f", parallel=3)
    assert [(row["status"], row.get("reason")) for row in rows] == [
        ("ok", None),
        ("failed", "truncated"),
        ("skipped", "no_address"),
    ]


def test_a_replaced_local_file_is_read_again(tmp_path):
    source = tmp_path / "poster.jpg"
    shard = Shard([movie(poster=source)], tmp_path / "files", "000")
    rows = []
    for size in ((40, 60), (40, 60), (30, 60)):
        Image.new("RGB", size).save(source)
        rows += posters.posters_of_shard(shard, SETTINGS)
    assert len({row["sha256"] for row in rows}) == 2
    assert [row["width"] for row in rows] == [40, 40, 30]


def test_a_partial_download_from_another_address_is_not_continued(web, tmp_path):
    for leftover in ("tt0000001.0123456789abcdef.partial", "tt0000002.0123456789abcdef.partial"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "mp4.unknown_video").write_bytes(b"of another address")
    fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["tt0000001.mp4", "tt0000002.0123456789abcdef.partial"]


def test_a_local_file_that_appears_later_is_noticed_by_the_next_run(web, tmp_path):
    late = tmp_path / "late.mp4"
    movies = [Movie("tt0000001", "A", "", ("drama",), "", "late.mp4")]
    files = tmp_path / "files"
    row = fetch_shard(movies, files, retry_round=4, retry_pause=3600)[0]
    assert row["reason"] == "unavailable"
    assert row["tool"].startswith("yt-dlp 20")
    assert retries.next_retry_round(files, "000", 3600, "") == 4
    late.write_bytes((web[0] / "good.mp4").read_bytes())
    assert retries.next_retry_round(files, "000", 3600, "") == 5
    row = fetch_shard(movies, files, retry_round=5, retry_pause=3600)[0]
    assert (row["status"], row["attempts"]) == ("ok", 1)
    assert retries.next_retry_round(files, "000", 3600, "") == 5


def test_another_limit_repeats_the_failures_of_this_limit_and_no_finished_movie(web, tmp_path):
    movies = [
        Movie("tt0000001", "A", "", ("drama",), "", f"{web[1]}/good.mp4"),
        Movie("tt0000002", "B", "", ("drama",), "", f"{web[1]}/cut.mp4"),
    ]
    folder = tmp_path / "f"

    def next_round(last, **settings):
        limits = replace(SETTINGS, **settings).limits
        return retries.next_retry_round(folder, "000", 3600, "", limits) - last

    small = {"retry_pause": 3600, "max_minutes": 0.01}
    refused = fetch_shard(movies, folder, **small)
    assert [row["reason"] for row in refused] == ["too_large", "truncated"]
    assert not next_round(0, **small) and not next_round(0, **small, private_addresses=False)
    assert next_round(0, max_minutes=60)
    rows = fetch_shard(movies, folder, 1, retry_pause=3600)
    assert [row["status"] for row in rows] == ["ok", "failed"]
    assert rows[1] == refused[1]  # of another reason
    # Nothing is planned or done for a finished movie, even where a limit would refuse it now.
    assert not next_round(1, **small)
    assert fetch_shard(movies, folder, 1, **small) == rows


def test_permission_for_private_addresses_repeats_what_they_refused(web, tmp_path):
    movies, folder = [movie(f"{web[1]}/good.mp4")], tmp_path / "f"
    row = fetch_shard(movies, folder, retry_pause=3600, private_addresses=False)[0]
    assert row["reason"] == "unsafe_address"
    refusing, permitting = replace(SETTINGS, private_addresses=False).limits, SETTINGS.limits
    assert retries.next_retry_round(folder, "000", 3600, "", refusing) == 0
    assert retries.next_retry_round(folder, "000", 3600, "", permitting) == 1
    assert fetch_shard(movies, folder, 1, retry_pause=3600)[0]["status"] == "ok"


def test_a_local_poster_is_read_again_when_its_limit_changes(tmp_path):
    Image.new("RGB", (400, 600)).save(tmp_path / "poster.jpg")
    shard = Shard([movie(poster=tmp_path / "poster.jpg")], tmp_path / "files", "000")
    small = replace(SETTINGS, max_megapixels=0.1)
    assert posters.posters_of_shard(shard, small)[0]["reason"] == "too_large"
    number = retries.next_retry_round(shard.folder, "000", 0, "", small.limits)
    assert number == 0  # never by the clock
    assert retries.next_retry_round(shard.folder, "000", 0, "", SETTINGS.limits) == 1
    assert posters.posters_of_shard(shard, SETTINGS)[0]["status"] == "ok"


def test_another_list_of_trailers_repeats_no_download(web, tmp_path):
    good, bad = f"{web[1]}/good.mp4", f"{web[1]}/none.mp4"

    def rows(first, *others):
        listed = Movie("tt0000001", "A", "", ("drama",), "", first, "", others)
        row = fetch_shard([listed], tmp_path / "files")[0]
        return row["status"], row.get("trailer"), len(web[2])

    web[2].clear()
    assert rows(bad)[:2] == ("failed", None)
    status, trailer, requests = rows(bad, good)
    assert (status, trailer) == ("ok", 1), "the failed movie has another address"
    assert rows(bad, f"{web[1]}/x.mp4", good) == ("ok", 1, requests)
    status, trailer, more = rows(bad, f"{web[1]}/cut.mp4")
    assert status == "failed" and more > requests, "the downloaded trailer is no longer listed"


WORDS = ["plain", "Captcha", "My private video", "HTTP Error 429", "No space left", "timed out"]
CONTENTS = {"missing": None, "empty": b"", "page": b"<html>no</html>", "zeros": bytes(10_000)}


@pytest.mark.parametrize("content", CONTENTS)
def test_words_in_the_name_of_a_local_file_do_not_matter(tmp_path, content):
    """`Captcha.mp4` once stopped all downloads, and `My private video.mp4` failed permanently."""
    outcomes = {}
    for words in WORDS:
        for suffix in ("mp4", "html", "jpg"):
            source = tmp_path / f"{words}.{suffix}"
            if CONTENTS[content] is not None:
                source.write_bytes(CONTENTS[content])
            for fetch, wanted in (
                (fetch_trailer, movie(source)),
                (fetch_poster, movie(poster=source)),
            ):
                with pytest.raises(Failure) as failure:
                    fetch(wanted, tmp_path / "out")
                outcome = type(failure.value), failure.value.reason
                outcomes.setdefault((fetch.__name__, suffix), set()).add(outcome)
    assert all(len(each) == 1 for each in outcomes.values()), outcomes
    expected = {
        "missing": {
            ("fetch_trailer", "mp4"): "unavailable",
            ("fetch_poster", "jpg"): "unavailable",
        },
        "empty": {("fetch_trailer", "mp4"): "empty", ("fetch_poster", "jpg"): "not_image"},
        "page": {("fetch_trailer", "mp4"): "not_video", ("fetch_poster", "jpg"): "not_image"},
        "zeros": {("fetch_trailer", "mp4"): "not_video", ("fetch_poster", "jpg"): "not_image"},
    }[content]
    assert {
        key: {(Failure, reason)} for key, reason in expected.items()
    }.items() <= outcomes.items()


def test_an_unreadable_disk_stops_downloads_and_a_folder_does_not(tmp_path):
    for fetch, named in ((fetch_trailer, "trailer"), (fetch_poster, "poster")):
        with pytest.raises(Stop) as stop:
            fetch(movie(**{named: "/proc/self/mem"}), tmp_path / "out")
        assert stop.value.reason == "local_io"
        with pytest.raises(Failure) as failure:
            fetch(movie(**{named: tmp_path}), tmp_path / "out")
        assert (type(failure.value), failure.value.reason) == (Failure, "unavailable")


@pytest.mark.parametrize("words", ["captcha", "My%20private%20video", "try%20again%20later"])
def test_words_in_an_address_do_not_matter(web, tmp_path, words):
    """Neither in the path nor in the host."""
    for address, reason in (
        (f"{web[1]}/{words}.mp4", "unavailable"),
        (f"{web[1]}/error/403/{words}.mp4", "forbidden"),
        (f"{web[1]}/error/429/{words}.mp4", "rate_limited"),
        (f"http://127.0.0.1:1/{words}.mp4", "network"),
        (f"http://{words.replace('%20', '-')}.invalid/x.mp4", "network"),
    ):
        with pytest.raises(Failure) as failure:
            fetch_trailer(movie(address), tmp_path)
        assert failure.value.reason == reason


@pytest.fixture
def site(web, tmp_path, monkeypatch):
    """A site whose page has a video of 48 lines without sound, and one of 96 with; the requests."""
    folder, url, _ = web
    write_heard(folder / "heard.mp4")
    formats = {
        "video": {"url": f"{url}/good.mp4", "height": 48, "width": 64, "acodec": "none"},
        "both": {"url": f"{url}/heard.mp4", "height": 96, "width": 128, "acodec": "mp4a.40.2"},
    }
    requests = []

    def extract(self, address):
        requests.append(address)
        about = {"vcodec": "avc1.64000a", "ext": "mp4", "protocol": "http"}
        offered = [about | own | {"format_id": name} for name, own in formats.items()]
        return {"id": "a", "title": "A trailer", "formats": offered}

    monkeypatch.setattr("yt_dlp.extractor.generic.GenericIE._real_extract", extract)
    # What yt-dlp calls a site has another key.
    monkeypatch.setattr(trailers, "_title", lambda info: info.get("title", ""))
    return formats, requests, f"{url}/page"


def write_heard(path):
    with av.open(path, "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        sound = container.add_stream("aac", rate=16_000, layout="mono")
        for _ in range(48):
            picture = np.zeros((96, 128, 3), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        wave = np.sin(np.arange(32_000) / 5).astype(np.float32)[None] / 2
        frame = av.AudioFrame.from_ndarray(wave, "fltp", "mono")
        frame.sample_rate = 16_000
        container.mux(sound.encode(frame))
        for each in (stream, sound):
            container.mux(each.encode())


SMALL = {"short_side": 36}
"""Of a video of 16:9; the site's of 64 x 48 has this size."""
AGAIN = SMALL | {"refetch": "no_sound"}


def heard(rows):
    return [(row["status"], row.get("format"), row.get("sound_codec", "")) for row in rows]


def test_a_trailer_without_sound_is_fetched_again_once(site, tmp_path):
    formats, requests, page = site
    files, movies = tmp_path / "files", [movie(page)]
    first = fetch_shard(movies, files, **SMALL)
    assert heard(first) == [("ok", "video", "")]
    assert heard(fetch_shard(movies, files, **SMALL)) == heard(first) and len(requests) == 1
    again = fetch_shard(movies, files, **AGAIN)
    assert heard(again) == [("ok", "both", "aac")]
    assert again[0]["sha256"] == sha256_of(files / "tt0000001.mp4") != first[0]["sha256"]
    assert set(again[0]) <= {*ledger.COLUMNS, *trailers.TRAILER_COLUMNS}
    assert fetch_shard(movies, files, **AGAIN) == again and len(requests) == 2
    assert fetch_shard(movies, files, **SMALL) == again and len(requests) == 2


@pytest.mark.parametrize("offered", ["no sound", "silence"])
def test_a_site_without_sound_is_asked_once_and_the_old_file_stays(site, web, tmp_path, offered):
    formats, requests, page = site
    files, movies = tmp_path / "files", [movie(page)]
    if offered == "no sound":
        del formats["both"]
    else:
        formats["both"]["url"] = formats["video"]["url"]
    first = fetch_shard(movies, files, **SMALL)
    for _ in range(2):
        assert fetch_shard(movies, files, **AGAIN) == first
    assert len(requests) == 2
    assert retries.next_retry_round(files, "000", 0, "") == 0


def test_a_new_trailer_prefers_sound_to_the_size_where_sound_is_wanted(site, tmp_path):
    _, requests, page = site
    for _ in range(2):
        assert heard(fetch_shard([movie(page)], tmp_path / "f", **AGAIN)) == [("ok", "both", "aac")]
    assert len(requests) == 1


def test_a_trailer_for_a_run_that_hears_prefers_sound(site, tmp_path):
    _, _, page = site
    wanted = [
        ({"image": "a"}, "video"),
        ({"image": "a", "audio": "b"}, "both"),
    ]
    backbones = {
        "a": {"model": "timm/x", "input": "frames"},
        "b": {"model": "logmel/8", "input": "audio"},
    }
    base = {"movies": "m.csv", "backbones": backbones, "downloads": {"private_addresses": True}}
    for number, (run, form) in enumerate(wanted):
        configured = load(base | {"runs": {"r": run}})
        settings = replace(prediction_settings(configured), short_side=36, retries=0)
        row = trailers.trailer_of(page, settings, tmp_path / str(number))
        assert row["format"] == form and trailers.SOUND_PREFERRED not in row


def test_a_second_fetch_that_fails_keeps_the_file_and_is_tried_again_later(site, web, tmp_path):
    formats, requests, page = site
    files, movies = tmp_path / "files", [movie(page)]
    (first,) = fetch_shard(movies, files, **SMALL)
    whole = formats["both"]["url"]
    formats["both"]["url"] = f"{web[1]}/error/503"
    for pause in (3600, 3600):
        assert fetch_shard(movies, files, **AGAIN, retry_pause=pause) == [first]
    assert len(requests) == 2 and sha256_of(files / "tt0000001.mp4") == first["sha256"]
    assert retries.next_retry_round(files, "000", 3600, "") == 0
    assert retries.next_retry_round(files, "000", 0, "") == 1
    formats["both"]["url"] = f"{web[1]}/error/429"
    assert fetch_shard(movies, files, **AGAIN) == [first], "a stop costs no row"
    formats["both"]["url"] = whole
    (tmp_path / "build" / "stopped.json").unlink(missing_ok=True)
    assert heard(fetch_shard(movies, files, **AGAIN, retry="all")) == [("ok", "both", "aac")]


def test_a_stopped_second_fetch_keeps_the_row(site, tmp_path, monkeypatch):
    _, requests, page = site
    files, movies = tmp_path / "files", [movie(page)]
    first = fetch_shard(movies, files, **SMALL)

    def cancelled(self, *arguments, **keys):
        raise Cancelled

    with monkeypatch.context() as patched:
        patched.setattr(trailers.TrailerFetcher, "_fetch", cancelled)
        assert fetch_shard(movies, files, **AGAIN) == first
    assert heard(fetch_shard(movies, files, **AGAIN)) == [("ok", "both", "aac")]


def test_local_files_and_links_to_files_are_not_fetched_again(web, tmp_path):
    movies = [
        Movie("tt0000001", "A", "", ("drama",), "", f"{web[1]}/good.mp4"),
        Movie("tt0000002", "B", "", ("drama",), "", str(web[0] / "good.mp4")),
    ]
    first = fetch_shard(movies, tmp_path / "f")
    web[2].clear()
    assert fetch_shard(movies, tmp_path / "f", refetch="no_sound") == first
    assert web[2] == []


def test_a_file_of_before_the_columns_of_sound_is_heard_before_it_is_fetched(site, tmp_path):
    formats, requests, page = site
    files, movies = tmp_path / "files", [movie(page)]
    fetch_shard(movies, files, short_side=96)
    record = files / "tt0000001.json"
    content = json.loads(record.read_text())
    for name in [name for name in content["row"] if name.startswith("sound") or name == "silent"]:
        del content["row"][name]
    del content["sha256"]
    record.write_text(json.dumps(content))
    keys = {"short_side": 96, "refetch": "no_sound"}
    for _ in range(2):
        assert heard(fetch_shard(movies, files, **keys)) == [("ok", "both", "aac")]
    assert len(requests) == 1
