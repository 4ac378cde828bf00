"""Trailers and posters that are files of this machine: paths, faults, changes, decisions."""

import csv
import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from trailers12k.cli import predict
from trailers12k.common.errors import UserError
from trailers12k.common.local_files import for_table, from_table, local_path
from trailers12k.downloads import posters, retries, trailers
from trailers12k.downloads.settings import DownloadSettings
from trailers12k.downloads.shard import Shard
from trailers12k.movies import curation, movie_table
from trailers12k.movies.curation import Decision
from trailers12k.movies.sources.collection import collect, movies_of
from trailers12k.settings import load
from trailers12k.workflow.movie_list import MovieList

PLAIN = Path(__file__).parent / "data" / "plain.mp4"
SETTINGS = DownloadSettings(
    max_megabytes=100, retries=0, timeout=5, retry_pause=0, pause={}, private_addresses=True
)
HEAD = ["mid", "title", "year", "genres", "trailer_url", "poster_url", "other_trailers"]
NAMES = [
    "a.mp4",
    "with space.mp4",
    "50% off #1?.mp4",
    "a%20b.mp4",
    "Alien: Romulus.mp4",
    "Film d'été [2026] (1) & {x} $HOME.mp4",
    "映画\u3000予告.mp4",
    "می\u200cخواهم.mp4",
    "deep/er/-dash.mp4",
    "abcdefgh.mp4",
    "no_ending",
]


@pytest.fixture(autouse=True)
def collection_folder(tmp_path, monkeypatch):
    folder = tmp_path / "collection"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def mid_of(number: int) -> str:
    return f"tt{number:07d}"


def write_table(path: Path | str, rows) -> str:
    """A movie table; rows: trailer, poster, other trailers."""
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(HEAD)
        for number, cells in enumerate(rows):
            named = [*cells, "", "", ""][:3]
            table.writerow([mid_of(number), f"Movie {number}", "2000", "drama", *named])
    return str(path)


def movies_in(table: str, decisions=None):
    return movies_of(collect([table], {}, decisions, local_files=True))


def put(path: str, source: Path = PLAIN) -> str:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)
    return path


def fetch(movies, kind=trailers.trailers_of_shard, folder="build/trailers", number=0):
    shard = Shard(movies, Path(folder), "000", number)
    return {row["mid"]: row for row in kind(shard, SETTINGS)}


def listed(table="movies.csv", **keys) -> MovieList:
    config = {"movies": table, "downloads": {"local_files": True}} | keys
    return MovieList(load(config))


# Paths.
@pytest.mark.parametrize("folder", ["", "tables", "../elsewhere", "tables/my movies (2026)"])
@pytest.mark.parametrize("name", NAMES)
def test_a_path_starts_in_the_folder_of_its_table(folder, name):
    put(os.path.join(folder, "videos", name))
    table = write_table(os.path.join(folder, "movies.csv"), [(f"videos/{name}", f"videos/{name}")])
    (movie,) = movies_in(table)
    for address in (movie.trailer_url, movie.poster_url):
        assert local_path(address).read_bytes() == PLAIN.read_bytes()
    row = fetch([movie])[mid_of(0)]
    assert row["status"] == "ok", row
    assert Path(row["file"]).read_bytes() == PLAIN.read_bytes()


@pytest.mark.parametrize("how", ["absolute", "file:", "file://", "file://localhost", "up"])
@pytest.mark.parametrize("name", ["a b#c?d%41.mp4", "été.mp4"])
def test_absolute_paths_and_file_urls_name_the_same_file(tmp_path, how, name):
    path = Path(put(str(tmp_path / "videos" / name)))
    written = {
        "absolute": str(path),
        "file:": "file:" + path.as_uri().removeprefix("file://"),
        "file://": path.as_uri(),
        "file://localhost": path.as_uri().replace("file://", "file://localhost"),
        "up": f"../../videos/sub/../{name}",
    }[how]
    (movie,) = movies_in(write_table("tables/movies.csv", [(written,)]))
    assert local_path(movie.trailer_url).read_bytes() == PLAIN.read_bytes()
    assert fetch([movie])[mid_of(0)]["status"] == "ok"


@pytest.mark.parametrize("url", ["file://server/share/a.mp4", "ftp://h/a.mp4", "C:\\a.mp4"])
def test_files_of_other_machines_are_refused(url):
    with pytest.raises(UserError, match="line 2: trailer_url: .* is not allowed; allowed: a URL"):
        movies_in(write_table("movies.csv", [(url,)]))


def test_a_name_like_an_id_or_a_url_is_a_file_only_with_a_folder():
    put("videos/abcdefghijk")
    put("videos/youtu.be/abcdefghijk")
    rows = [("./abcdefghijk",), ("./youtu.be/abcdefghijk",), ("abcdefghijk",)]
    movies = movies_in(write_table("videos/movies.csv", rows))
    assert [movie.youtube_id for movie in movies] == ["", "", "abcdefghijk"]
    assert all(local_path(movie.trailer_url).is_file() for movie in movies[:2])
    os.chdir("videos")
    movies = movies_in(write_table("movies.csv", rows))
    assert [movie.trailer_url for movie in movies] == [*(row[0] for row in rows[:2]), ""]


def test_a_copy_of_the_product_is_a_table_of_the_collection():
    """Paths in data/movies.csv start in the collection's folder, so that it can be copied there."""
    put("tables/videos/a.mp4")
    rows = [("videos/a.mp4", "videos/a.mp4", "videos/a.mp4|https://h/b.mp4|abcdefghijk")]
    movies = movies_in(write_table("tables/movies.csv", rows))
    movie_table.write_movies("data/movies.csv", movies)
    assert movie_table.read_movies("data/movies.csv") == movies
    shutil.copy("data/movies.csv", "copy.csv")
    assert movies_in("copy.csv") == movies


@pytest.mark.parametrize("folder", ["data", "a/b", ".", ".."])
@pytest.mark.parametrize("address", ["x/a.mp4", "../a.mp4", "/a.mp4", "https://h/a", "abcdefghijk"])
def test_a_path_for_a_table_is_read_back(folder, address):
    assert from_table(for_table(address, folder), folder) == address


# Missing files, before anything runs.
KINDS = {
    "missing.mp4": "does not exist",
    "folder": "is a folder",
    "pipe": "is a device or a pipe",
    "/dev/null": "is a device or a pipe",
    "dangling.mp4": "does not exist",
    "loop.mp4": "cannot be read",
    "a.mp4/b.mp4": "does not exist",
    "x" * 300: "cannot be read",
}


@pytest.fixture
def odd_files():
    put("a.mp4")
    os.mkdir("folder")
    os.mkfifo("pipe")
    os.symlink("nowhere", "dangling.mp4")
    os.symlink("loop.mp4", "loop.mp4")


def rows_with(*cells) -> list[tuple[str, ...]]:
    return [("a.mp4",)] * 9 + list(cells)


@pytest.mark.parametrize("column", [0, 1, 2])
@pytest.mark.parametrize("name", KINDS)
def test_what_is_no_file_is_reported_with_table_line_and_count(odd_files, column, name):
    row = ["a.mp4", "a.mp4", "a.mp4"]
    row[column] = name
    write_table("movies.csv", rows_with(row, row))
    with pytest.raises(UserError) as fault:
        listed().check_local_files()
    text = str(fault.value)
    named = HEAD[4 + column]
    assert text.startswith(f"movies.csv, line 11: {named}: {name} {KINDS[name]}"), text
    assert "; 2 of 15 local files cannot be read" in text and "\n" not in text
    assert "the table's folder" in text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_reported(odd_files):
    os.chmod(put("secret.mp4"), 0)
    write_table("movies.csv", rows_with(("secret.mp4",)))
    with pytest.raises(UserError, match=r"secret.mp4 cannot be read \(permission denied\)"):
        listed().check_local_files()


def test_good_tables_pass_and_files_that_are_done_may_be_gone(odd_files):
    put("b.mp4")
    write_table("movies.csv", rows_with(("b.mp4",)))
    movies = listed()
    movies.check_local_files()
    assert fetch(movies.movies)[mid_of(9)]["status"] == "ok"
    os.unlink("b.mp4")
    listed().check_local_files()
    assert fetch(movies.movies)[mid_of(9)]["status"] == "ok", "the copy stays"
    write_table("movies.csv", rows_with(("c.mp4",)))
    with pytest.raises(UserError, match="line 11: trailer_url: c.mp4 does not exist; 1 of 10"):
        listed().check_local_files()


def test_every_table_is_checked_and_a_replacement_too(odd_files):
    write_table("movies.csv", rows_with(("a.mp4",)))
    write_table("more/movies.csv", [("b.mp4",)])
    both = listed(["movies.csv", "more/movies.csv", "search"])
    with pytest.raises(UserError, match=r"more/movies.csv, line 2: trailer_url: more/b.mp4"):
        both.check_local_files()
    Path("curation.csv").write_text(
        f"mid,decision,replacement\n{mid_of(1)},unsure,\n{mid_of(0)},wrong_trailer,c.mp4\n"
    )
    with pytest.raises(UserError, match="curation.csv, line 3: replacement: c.mp4 does not exist"):
        listed().check_local_files()


# Broken files.
def states() -> int:
    return retries.next_retry_round(Path("build/trailers"), "000", 0, "")


@pytest.mark.parametrize("content", [b"", b"<html>not a video</html>", b"cut"])
def test_a_broken_file_is_tried_again_when_it_changes_and_not_by_the_clock(content):
    data = PLAIN.read_bytes()
    Path("a.mp4").write_bytes(data[: len(data) // 2] if content == b"cut" else content)
    movies = movies_in(write_table("movies.csv", [("a.mp4",)]))
    first = fetch(movies)[mid_of(0)]
    assert (first["status"], first["attempts"]) == ("failed", 1)
    # The pause is 0: by the clock, a retry would be due.
    assert states() == 0
    assert fetch(movies)[mid_of(0)] == first
    assert retries.due_times(Path("build/trailers"), 0) == []
    before = os.stat("a.mp4")
    os.utime("a.mp4", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert states() == 1, "touched"
    assert fetch(movies, number=1)[mid_of(0)]["attempts"] == 2
    assert states() == 1, "and not again"
    put("a.mp4")
    assert states() == 2
    assert fetch(movies, number=2)[mid_of(0)]["status"] == "ok"
    assert states() == 2


def test_a_broken_poster_is_tried_again_when_it_changes():
    Path("p.png").write_bytes(b"no picture")
    movies = movies_in(write_table("movies.csv", [("", "p.png")]))
    row = fetch(movies, posters.posters_of_shard, "build/posters")[mid_of(0)]
    assert row["reason"] == "not_image"
    folder = Path("build/posters")
    assert retries.next_retry_round(folder, "000", 0, "") == 0
    Image.new("RGB", (40, 60)).save("p.png")
    assert retries.next_retry_round(folder, "000", 0, "") == 1
    row = fetch(movies, posters.posters_of_shard, "build/posters")[mid_of(0)]
    assert row["status"] == "ok"


def test_a_file_beside_an_address_on_the_web_is_tried_when_either_may_have_changed():
    Path("a.mp4").write_bytes(b"no video")
    closed = "http://127.0.0.1:9/b.mp4"
    movies = movies_in(write_table("movies.csv", [(closed, "", "a.mp4")]))
    assert fetch(movies)[mid_of(0)]["reason"] == "network"
    assert retries.next_retry_round(Path("build/trailers"), "000", 3600, "") == 0
    assert retries.next_retry_round(Path("build/trailers"), "000", 0, "") == 1
    put("a.mp4")
    assert retries.next_retry_round(Path("build/trailers"), "000", 3600, "") == 1


WEB_WORDS = ("url", "http", "web", "page", "site", "server", "download", "extractor", "internet")


@pytest.mark.parametrize("name", ["a.mp4", "page.html", "no_ending", "folder", "missing.mp4"])
def test_messages_about_local_files_do_not_speak_of_the_web(odd_files, name):
    if name not in ("folder", "missing.mp4"):
        Path(name).write_bytes(b"<html><body>Captcha. HTTP Error 404</body></html>")
    for kind, folder in (
        (trailers.trailers_of_shard, "build/trailers"),
        (posters.posters_of_shard, "build/posters"),
    ):
        row = fetch(movies_in(write_table("movies.csv", [(name, name)])), kind, folder)[mid_of(0)]
        assert row["status"] == "failed"
        said = row["detail"].replace(name, "").replace("WEBP", "")
        assert not [word for word in WEB_WORDS if word in said.lower()], row["detail"]
        assert str(Path.cwd()) not in row["detail"]
        assert row["reason"] in ("not_video", "not_image", "unavailable", "corrupt"), row


# Decisions.
@pytest.mark.parametrize("folder", ["", "tables"])
def test_decisions_name_files_from_their_own_folder(folder):
    put(os.path.join(folder, "videos", "a.mp4"))
    put(os.path.join(folder, "videos", "b.mp4"))
    rows = [("videos/a.mp4", "", "https://h/c.mp4")]
    table = write_table(os.path.join(folder, "movies.csv"), rows)
    path = Path(curation.path_of("curation.csv", [table]))
    path.write_text(
        f"mid,decision,wrong,replacement\n{mid_of(0)},wrong_trailer,./videos/a.mp4,videos/b.mp4\n"
    )
    decisions = curation.read(path, local_files=True)
    (movie,) = movies_in(table, decisions)
    assert movie.trailer_addresses == (os.path.join(folder, "videos/b.mp4"), "https://h/c.mp4")
    # What the page shows and exports again is read as the same.
    curation.write("data/curation.csv", [(decisions[mid_of(0)], "Movie 0")], {})
    (row,) = curation.read_written("data/curation.csv", path.parent)
    assert (row["wrong"], row["replacement"]) == ("videos/a.mp4", "videos/b.mp4")
    shutil.copy("data/curation.csv", "copy.csv")
    assert curation.read("copy.csv", local_files=True) == decisions
    assert isinstance(decisions[mid_of(0)], Decision)


# Predictions.
@pytest.mark.parametrize("name", [*NAMES, "1", "true", "abcdefghijk", "-bcdefghijk", "x: {y}"])
def test_predict_takes_any_file_from_the_users_folder(name):
    put(f"./{name}")
    for arguments in ([], ["--directory", "/tmp"]):
        path = local_path(predict._address(name, arguments))
        assert path.read_bytes() == PLAIN.read_bytes()
        assert path.is_absolute() == bool(arguments), "the workflow's folder is another one"


def test_predict_takes_an_id_where_no_file_has_its_name():
    assert predict._address("-bcdefghijk", []) == "https://www.youtube.com/watch?v=-bcdefghijk"
    assert predict._address("youtu.be/-bcdefghijk", ["-n"]).endswith("=-bcdefghijk")
    assert predict._address("missing.mp4", []) == "missing.mp4"
