"""Sources of movies through the real rules: files, an API and a search on loopback."""

import csv
import gzip
import io
import json
import re
import tarfile
from pathlib import Path
from urllib.parse import unquote_plus

import pytest

from .conftest import TINY, Project
from .test_acquisition import QUICK, assert_whole, ledger, mid_of, web_of
from .web import picture

KEY = "0123456789abcdef0123456789abcdef"


def archive(entries: dict) -> bytes:
    """metadata.tar.gz as it is published."""
    data = json.dumps({"trailers12k": entries}).encode()
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("metadata/metadata.json")
        member.size = len(data)
        tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def entry(number: int, trailers: list, **imdb) -> dict:
    known = {"id": mid_of(number)[2:], "title": f"Movie {number}", "year": 2000 + number}
    return {
        "imdb": known | {"genres": ["Drama", "Music"]} | imdb,
        "youtube": {"trailers": trailers, "channel": "kept as it is"},
    }


def tsv(columns: str, *rows: str) -> bytes:
    lines = [columns, *rows]
    return gzip.compress("".join("\t".join(line.split("|")) + "\n" for line in lines).encode())


def rows_of(project: Project, file: str) -> list[dict]:
    with (project.folder / file).open(newline="") as table:
        return list(csv.DictReader(table))


def entries_of(project: Project) -> dict:
    return json.loads((project.folder / "data" / "metadata.json").read_text())["trailers12k"]


def project_of(folder: Path, web, movies: list[str], **sources) -> Project:
    local = {
        "trailers12k": {"metadata": f"{web.url}/good/metadata.tar.gz"},
        "imdb": {"files": f"{web.url}/good", "votes": 10, "years": [1990, 2030]},
        "tmdb": {"api": f"{web.url}/good/3", "images": f"{web.url}/good"},
        "search": {"address": f"{web.url}/search/{{query}}", "pause": [0, 0], "least_score": 0.5},
    }
    project = Project(folder, TINY | {"movies": movies, "shards": 2, "downloads": QUICK})
    for name, settings in (local | sources).items():
        project.config["sources"][name] |= settings
    return project


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("TMDB_API_KEY", KEY)
    with web_of(13) as web:
        yield web


def test_the_published_metadata_takes_one_command_and_a_new_movie_runs_its_shard_only(
    web, tmp_path
):
    def trailers(n):
        return [{"url": f"{web.url}/good/{mid_of(n)}.mp4", "dims": [1, 2, 3], "other": "kept"}]

    entries = {str(n + 1): entry(n, trailers(n), cast=["A"]) for n in range(11)}
    web.files["metadata.tar.gz"] = archive(entries)
    project = project_of(tmp_path / "project", web, ["trailers12k"])
    run = project.build("metadata", "clips", "data/mtgc.csv")
    assert run.jobs["fetch_source"] == run.jobs["collect_movies"] == 1
    assert len(rows_of(project, "data/movies.csv")) == len(rows_of(project, "data/mtgc.csv")) == 11
    made = entries_of(project)["3"]
    assert made["imdb"] == entries["3"]["imdb"], "as it was published"
    assert made["youtube"]["channel"] == "kept as it is"
    trailer = made["youtube"]["trailers"][0]
    assert trailer["dims"] == [2.0, 48, 64] and trailer["other"] == "kept"
    assert made["sources"]["title"] == "trailers12k"
    assert "Nothing to be done" in project.build("metadata", "clips", "data/mtgc.csv").text

    entries["12"] = entry(11, trailers(11))
    web.files["metadata.tar.gz"] = archive(entries)
    run = project.build("metadata", "clips", "data/mtgc.csv", "--forcerun", "fetch_source")
    assert run.jobs["fetch_source"] == 1
    assert run.jobs["download_trailers"] == run.jobs["detect_clips"] == 1
    assert len(rows_of(project, "data/mtgc.csv")) == 12

    decisions = project.folder / "curation.csv"
    text = f"mid,decision,note\n{mid_of(3)},reject,a fan's edit\n{mid_of(4)},accept,\n"
    decisions.write_text(text)
    run = project.build("metadata", "data/mtgc.csv")
    assert run.jobs["collect_movies"] == run.jobs["download_trailers"] == 1
    assert len(rows_of(project, "data/mtgc.csv")) == 11
    decided = [(row["title"], row["decision"]) for row in rows_of(project, "data/curation.csv")]
    assert decided == [("Movie 3", "reject"), ("Movie 4", "accept")]
    decisions.write_text(text + f"{mid_of(5)},unsure,\n")
    run = project.build("metadata", "data/mtgc.csv")
    assert run.jobs == {"build_metadata": 1}, "a decision that changes no movie collects none"
    assert "Nothing to be done" in project.build("metadata", "data/mtgc.csv").text
    decisions.unlink()
    assert project.build("metadata", "data/mtgc.csv").jobs["collect_movies"] == 1
    assert len(rows_of(project, "data/mtgc.csv")) == 12
    assert not rows_of(project, "data/curation.csv")
    assert web.requests["/good/metadata.tar.gz"] == 2


def test_later_sources_fill_gaps_and_metadata_names_the_source_of_each_field(web, tmp_path):
    """A table with ids and genres; IMDb adds titles, and TMDB trailers and posters."""
    numbers = range(12)
    table = ["mid,title,year,genres"] + [f"{mid_of(n)},,,drama" for n in numbers]
    basics = "tconst|titleType|primaryTitle|originalTitle|isAdult|startYear|endYear|runtimeMinutes"
    web.files["title.basics.tsv.gz"] = tsv(
        f"{basics}|genres",
        *(f"{mid_of(n)}|movie|Movie {n}|Film {n}|0|20{n:02d}|\\N|90|Comedy" for n in range(13)),
    )
    web.files["title.ratings.tsv.gz"] = tsv(
        "tconst|averageRating|numVotes", *(f"{mid_of(n)}|7.0|500" for n in numbers)
    )
    found = {"id": 77, "title": "T", "release_date": "1999-01-01", "overview": "A plot."}
    for n in numbers:
        movie = found | {"id": n, "genre_ids": [35], "poster_path": f"/{n}.jpg"}
        web.files[mid_of(n)] = json.dumps({"movie_results": [movie]}).encode()
        web.files[f"{n}.jpg"] = picture("JPEG", "RGB")
    videos = [
        {"site": "YouTube", "type": "Teaser", "key": "aaaaaaaaaaa", "official": True},
        {"site": "YouTube", "type": "Trailer", "key": "bbbbbbbbbbb", "official": True},
    ]
    web.files["videos"] = json.dumps({"results": videos}).encode()

    project = project_of(tmp_path / "project", web, ["mine.csv", "imdb", "tmdb"])
    (project.folder / "mine.csv").write_text("\n".join(table) + "\n")
    project.build("posters", "data/movies.csv", "data/mtgc.csv")
    rows = rows_of(project, "data/movies.csv")
    assert len(rows) == 12, "neither IMDb nor TMDB adds movies after a table"
    assert rows[3]["title"] == "Movie 3" and rows[3]["year"] == "2003"
    assert rows[3]["genres"] == "drama" and rows[3]["youtube_id"] == "bbbbbbbbbbb"
    assert {row["status"] for row in ledger(project, "posters").values()} == {"ok"}
    record = next(
        record
        for record in json.loads((project.folder / "build/sources/records.json").read_text())
        if record["mid"] == mid_of(3)
    )
    assert record["origin"] == {
        **{"genres": "mine", "title": "imdb", "year": "imdb"},
        **{"trailers": "tmdb", "poster_url": "tmdb"},
    }
    assert record["entry"]["tmdb"]["overview"] == "A plot."
    assert "not endorsed or certified by TMDB" in project.log("collect_movies.log")
    files = [p for p in project.folder.rglob("*") if p.is_file() and not p.is_symlink()]
    assert files and not [p for p in files if KEY.encode() in p.read_bytes()], "the key is nowhere"


def test_a_persons_correction_overrides_the_search(web, tmp_path):
    numbers = range(11)
    table = ["mid,title,year,genres"] + [
        f"{mid_of(n)},Midnight Lantern {n},2001,drama" for n in numbers
    ]

    def feed(*items: tuple[str, str]) -> bytes:
        body = "".join(
            f'<item><title>{title}</title><link>{link}</link><enclosure url="{link}" '
            'type="video/mp4" length="1"/></item>'
            for title, link in items
        )
        head = '<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>'
        return f"{head}{body}</channel></rss>".encode()

    def answer(path: str) -> bytes:
        number = int(re.search(r"Lantern (\d+)", unquote_plus(path))[1])
        good = f"{web.url}/good/{mid_of(number)}.mp4"
        title = f"Midnight Lantern {number} (2001) Official Trailer"
        return feed((f"Midnight Lantern {number} reaction", f"{web.url}/good/x.mp4"), (title, good))

    web.search = answer
    project = project_of(tmp_path / "project", web, ["mine.csv", "search"])
    (project.folder / "mine.csv").write_text("\n".join(table) + "\n")
    project.build("trailers")
    rows = {row["mid"]: row for row in rows_of(project, "build/sources/movies.csv")}
    assert rows[mid_of(4)]["trailer_url"] == f"{web.url}/good/{mid_of(4)}.mp4"
    assert ledger(project, "trailers")
    searches = web.requests["/search"]

    choices = project.folder / "trailer_choices.csv"
    lines = list(csv.DictReader(choices.open(newline="")))
    first = next(line for line in lines if line["mid"] == mid_of(4))
    first["correction"] = f"{web.url}/good/{mid_of(12)}.mp4"
    with choices.open("w", newline="") as file:
        writer = csv.DictWriter(file, lines[0])
        writer.writeheader()
        writer.writerows(lines)
    run = project.build("trailers")
    assert run.jobs["collect_movies"] == run.jobs["download_trailers"] == 1
    rows = {row["mid"]: row for row in rows_of(project, "build/sources/movies.csv")}
    assert rows[mid_of(4)]["trailer_url"] == f"{web.url}/good/{mid_of(12)}.mp4"
    assert web.requests["/search"] == searches, "nothing is searched for twice"
    assert "Nothing to be done" in project.build("trailers").text


def test_a_rate_limit_of_the_search_stops_all_downloads(web, tmp_path):
    first = f"{mid_of(0)},A,2001,drama,{web.url}/good/{mid_of(0)}.mp4"
    others = [f"{mid_of(n)},Midnight Lantern {n},2001,drama," for n in range(1, 11)]
    web.search = lambda path: 429
    project = project_of(tmp_path / "project", web, ["mine.csv", "search"])
    (project.folder / "mine.csv").write_text(
        "\n".join(["mid,title,year,genres,trailer_url", first, *others]) + "\n"
    )
    run = project.run("trailers")
    assert run.code != 0
    assert "search: 9 movies were not begun, since downloading was stopped" in run.text
    assert ledger(project)[mid_of(0)]["reason"] == "stopped"
    assert web.requests["/search"] == 1 and sum(web.requests.values()) == 1
    (project.folder / "build" / "stopped.json").unlink()
    web.search = lambda path: b"<rss version='2.0'><channel></channel></rss>"
    project.build("trailers", "--config", "retry=rate_limited")
    assert_whole(project, web, 0)
    assert web.requests["/search"] == 11


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive({"1": entry(1, [])})[:-40], "metadata.tar.gz"),
        (archive({"1": entry(1, [], id="12")}), "entry 1: mid: 'tt12' is not allowed"),
        (archive({"1": entry(1, [{"id": "short"}])}), "youtube_id: 'short' is not allowed"),
        (
            archive({"1": entry(1, []), "2": entry(1, [])}),
            "entry 2: mid: 'tt0000001' is already in",
        ),
        (archive({"1": entry(1, [], genres=["Dramma"])}), "genres: 'Dramma' is not allowed"),
    ],
)
def test_a_file_without_ten_good_entries_is_refused_in_one_line(web, tmp_path, data, message):
    web.files["metadata.tar.gz"] = data
    project = project_of(tmp_path / "project", web, ["trailers12k"])
    assert project.run("data/movies.csv").code != 0
    log = project.log("collect_movies.log")
    assert message in log and "ERROR" in log.splitlines()[-1] and "Traceback" not in log


def test_an_odd_entry_is_in_the_ledger(web, tmp_path):
    entries = {str(n): entry(n, [{"id": "x" * 11}]) for n in range(1, 12)}
    entries["3"] = entry(3, [{"id": "short"}])
    entries["4"]["imdb"]["year"] = "soon"
    web.files["metadata.tar.gz"] = archive(entries)
    project = project_of(tmp_path / "project", web, ["trailers12k"])
    project.build("data/movies.csv")
    movies = {row["mid"] for row in rows_of(project, "data/movies.csv")}
    assert movies == {mid_of(n) for n in range(1, 12)} - {mid_of(4)}
    rows = rows_of(project, "build/ledger/trailers12k/all.csv")
    assert [(row["mid"], row["status"], row["reason"]) for row in rows] == [
        (mid_of(3), "ok", "odd_row"),
        (mid_of(4), "skipped", "odd_row"),
    ]
    assert "metadata.tar.gz, entry 4: year: 'soon' is not allowed" in rows[1]["detail"]
    assert "2 odd rows" in project.log("collect_movies.log")
