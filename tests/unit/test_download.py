"""yt-dlp and the poster fetcher against real files and a real HTTP server on loopback."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import av
import numpy as np
import pytest
from PIL import Image

from trailers12k import download
from trailers12k.files import sha256_of
from trailers12k.movies import Movie
from trailers12k.shards import Failure

TRAILERS = {"short_side": 360}
POSTERS = {"max_megabytes": 1}


def movie(trailer="", poster=""):
    return Movie("tt0000001", "A", "2000", ("drama",), "", str(trailer), str(poster))


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

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.path.startswith("/error/"):
                self.send_error(int(self.path.split("/")[2]))
            else:
                super().do_GET()

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_trailer_from_a_file_and_one_from_a_server_are_the_same(web, tmp_path):
    folder, url = web
    for source in (folder / "good.mp4", f"{url}/good.mp4"):
        row = download.fetch_trailer(movie(source), tmp_path, TRAILERS)
        assert row["sha256"] == sha256_of(folder / "good.mp4")
        assert row["sha256"] == sha256_of(tmp_path / "tt0000001.mp4")
        assert (row["frames"], row["corrupt"], row["codec"]) == (48, 0, "h264")
        assert (row["height"], row["width"], row["duration"]) == (48, 64, "2.000")
        assert row["tool"].startswith("yt-dlp 20")
    assert [path.name for path in tmp_path.iterdir()] == ["tt0000001.mp4"]


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
def test_a_trailer_that_cannot_be_had_is_a_reason(web, tmp_path, name, reason):
    with pytest.raises(Failure) as failure:
        download.fetch_trailer(movie(f"{web[1]}/{name}"), tmp_path, TRAILERS)
    assert failure.value.reason == reason
    assert not list(tmp_path.glob("*.mp4"))


def test_a_local_file_that_is_not_there_is_told_by_the_path_of_the_table(tmp_path):
    with pytest.raises(Failure) as failure:
        download.fetch_trailer(movie("trailers/none.mp4"), tmp_path, TRAILERS)
    assert failure.value.reason == "unavailable"
    assert "trailers/none.mp4" in failure.value.detail
    assert str(tmp_path.parent) not in failure.value.detail


def test_posters_of_any_kind_become_rgb_jpegs(web, tmp_path):
    folder, url = web
    for source in (folder / "poster.jpg", f"{url}/poster.jpg", f"{url}/poster.png"):
        row = download.fetch_poster(movie(poster=source), tmp_path, POSTERS)
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
def test_a_poster_that_cannot_be_had_is_a_reason(web, tmp_path, name, reason):
    with pytest.raises(Failure) as failure:
        download.fetch_poster(movie(poster=f"{web[1]}/{name}"), tmp_path, POSTERS)
    assert failure.value.reason == reason
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("url", ["http://a..b/p.jpg", "http://127.0.0.1:9/p.jpg"])
def test_a_server_that_is_not_there_is_a_network_failure(tmp_path, url):
    with pytest.raises(Failure) as failure:
        download.fetch_poster(movie(poster=url), tmp_path, POSTERS)
    assert failure.value.reason == "network"


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("[youtube] x: Sign in to confirm you’re not a bot. Use --cookies ...", "bot_check"),
        ("[youtube] x: Private video. Sign in if you've been granted access", "private"),
        ("[youtube] x: Video unavailable. This video has been removed by the uploader", "removed"),
        ("[youtube] x: Video unavailable", "unavailable"),
        ("Video unavailable. This content isn't available, try again later.", "rate_limited"),
        ("The uploader has not made this video available in your country", "geo_blocked"),
        ("x: This video is no longer available due to a copyright claim by Y", "copyright"),
        ("HTTP Error 503: Service Unavailable. Giving up after 10 retries", "server_error"),
        ("unable to write data: [Errno 28] No space left on device", "local_io"),
        ("x: Requested format is not available. Use --list-formats", "no_format"),
        ("something else", "unknown"),
    ],
)
def test_messages_are_classified(message, reason):
    assert download.classify(message) == reason


def test_a_shard_names_each_failure_and_what_has_no_address(web, tmp_path):
    movies = [
        Movie("tt0000001", "A", "", ("drama",), "", f"{web[1]}/good.mp4"),
        Movie("tt0000002", "B", "", ("drama",), "", f"{web[1]}/cut.mp4"),
        Movie("tt0000003", "C", "", ("drama",)),
    ]
    settings = {"parallel": 3, "short_side": 360}
    rows = download.trailers_of_shard(movies, settings, tmp_path)
    assert [(row["status"], row.get("reason")) for row in rows] == [
        ("ok", None),
        ("failed", "truncated"),
        ("skipped", "no_address"),
    ]


def test_a_local_file_that_was_replaced_is_fetched_again(tmp_path):
    source = tmp_path / "poster.jpg"
    settings = POSTERS | {"parallel": 1}
    rows = []
    for size in ((40, 60), (40, 60), (30, 60)):
        Image.new("RGB", size).save(source)
        rows += download.posters_of_shard([movie(poster=source)], settings, tmp_path / "files")
    assert [row["attempts"] for row in rows] == [1, 1, 2]
    assert [row["width"] for row in rows] == [40, 40, 30]


def test_what_was_begun_at_another_address_is_not_continued(web, tmp_path):
    for leftover in ("tt0000001.0123456789abcdef.partial", "tt0000002.0123456789abcdef.partial"):
        (tmp_path / leftover).mkdir()
        (tmp_path / leftover / "mp4.mp4").write_bytes(b"of another address")
    download.fetch_trailer(movie(f"{web[1]}/good.mp4"), tmp_path, TRAILERS)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["tt0000001.mp4", "tt0000002.0123456789abcdef.partial"]


def test_a_file_that_was_put_there_later_is_fetched_by_the_next_run_of_the_job(web, tmp_path):
    late = tmp_path / "late.mp4"
    movies = [Movie("tt0000001", "A", "", ("drama",), "", str(late))]
    settings = {"parallel": 1, "short_side": 360}
    assert (
        download.trailers_of_shard(movies, settings, tmp_path / "files")[0]["reason"]
        == "unavailable"
    )
    late.write_bytes((web[0] / "good.mp4").read_bytes())
    row = download.trailers_of_shard(movies, settings, tmp_path / "files")[0]
    assert (row["status"], row["attempts"]) == ("ok", 2)
