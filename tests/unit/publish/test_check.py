"""What a stranger finds in a publication: in a whole one, and in damaged and hostile ones."""

import csv
import gzip
import io
import json
import re
import tarfile
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import ClassVar

import pytest

from trailers12k.common.errors import UserError
from trailers12k.evaluation.leaderboards import SAME
from trailers12k.publish.checking import check, results
from trailers12k.publish.packing.records import Limits

from .finished import CLIPS, FEATURES, MIDS
from .judging import faults_of, sign

pytest.importorskip("pyarrow")
ARCHIVE = f"{CLIPS}.zarr.tar.gz"
TABLE = f"features/{CLIPS}/train-00000-of-00001.parquet"


def test_a_whole_publication_has_no_faults(place):
    assert check.check(str(place)) == []


def test_files_that_are_missing_more_or_changed_are_named(place):
    (place / "splits.csv").unlink()
    (place / "more.txt").write_text("more")
    (place / "link").symlink_to("/etc/passwd")
    (place / "mtgc_complete.csv").write_text("mid\n")
    found = faults_of(place)
    assert "splits.csv: it is missing" in found
    assert "more.txt: it is not in SHA256SUMS" in found
    assert "link: it is not in SHA256SUMS" in found
    assert "mtgc_complete.csv: its sha256 is" in found and "mtgc_complete.csv: its md5 is" in found


@pytest.mark.parametrize("name", ["../outside.txt", "/etc/passwd", "a/../../b", "a\\b"])
def test_a_listed_path_that_leaves_the_folder_is_refused(place, name):
    with (place / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")
    assert "is not the path of a file below its folder" in faults_of(place)


def packed(rows):
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return gzip.compress(text.getvalue().encode())


def archive_of(members):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return data.getvalue()


def parquet_of(**columns):
    import pyarrow as pa
    import pyarrow.parquet as pq

    from trailers12k.publish.packing import parquet

    rows = {"mid": [MIDS[0]], "clip": [0], "start": [0.0], "end": [1.0]}
    rows |= {"features": [[0.0] * FEATURES]} | columns
    data = pa.BufferOutputStream()
    pq.write_table(pa.table(rows, schema=parquet.schema(FEATURES)), data)
    return data.getvalue().to_pybytes()


HOSTILE = {
    "a label of 2": ("mtgc.csv", lambda d: d.replace(b",0,", b",2,", 1), "is not 0 or 1"),
    "a column of names": ("movies.csv.gz", lambda d: packed([["mid", "by"]]), "its columns are"),
    "other splits": ("splits.csv", lambda d: d.replace(b"training", b"test", 1), "subsets are not"),
    "a clip too few": (
        "clips.csv.gz",
        lambda d: packed([*csv.reader(io.StringIO(gzip.decompress(d).decode()))][:-1]),
        "rows, and clips.csv.gz has",
    ),
    "a bomb of gzip": (
        "ledger.csv.gz",
        lambda d: gzip.compress(bytes(50_000_000)),
        "unpacks to more than",
    ),
    "an archive that climbs": (
        ARCHIVE,
        lambda d: archive_of({"../../escaped.txt": b"x"}),
        "is not the name of a file",
    ),
    "no archive": (ARCHIVE, lambda d: b"<html>", "is not unpacked"),
    "an archive of zeros": (
        ARCHIVE,
        lambda d: archive_of({"s.zarr/.zgroup": b"{}", "s.zarr/x": bytes(50_000_000)}),
        "far more bytes than features",
    ),
    "another value": (TABLE, lambda d: parquet_of(), "its values are not those"),
    "a movie of nobody": (
        TABLE,
        lambda d: parquet_of(mid=["tt0000009"]),
        "is not in the archive",
    ),
    "a name that takes memory": (
        TABLE,
        lambda d: parquet_of(mid=["x" * 100_000]),
        "a value of mid is no movie id",
    ),
    "more rows than there are": (
        TABLE,
        lambda d: parquet_of(
            mid=[MIDS[0]] * 99,
            clip=[0] * 99,
            start=[0.0] * 99,
            end=[1.0] * 99,
            features=[[0.0] * FEATURES] * 99,
        ),
        "it has 99 rows, more than the archive",
    ),
    "no Parquet": (TABLE, lambda d: b"PAR1" * 9, "it cannot be read"),
    "a card without a head": ("README.md", lambda d: b"# Title\n", "no metadata for the hub"),
    "a card of aliases": (
        "README.md",
        lambda d: b"---\na: &a [*a]\n---\n",
        "an alias (*NAME) must not contain itself",
    ),
    "a citation of nobody": ("CITATION.cff", lambda d: b"title: x\n", "it lacks cff-version"),
    "a configuration of a sample": ("config.yaml", lambda d: b"movies: sample\n", "evaluates no"),
    "a local path": ("index.md", lambda d: d + b"\n/home/me/movies.csv\n", "names a local path"),
    "a note of a person": (
        "metadata.tar.gz",
        lambda d: archive_of(
            {"metadata.json": b'{"trailers12k": {"1": {"curation": {"by": "me"}}}}'}
        ),
        "may name people",
    ),
    "no metadata": ("metadata.tar.gz", lambda d: archive_of({"x": b""}), "metadata.json alone"),
    "deep JSON": (
        "metadata.tar.gz",
        lambda d: archive_of({"metadata.json": b"[" * 100_000}),
        "metadata.tar.gz: ",
    ),
}


def unpacked(change):
    return lambda data: gzip.compress(change(gzip.decompress(data).decode()).encode())


def movies_of(change):
    """Parquet of movies, of which a value is another."""

    def write(data):
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pq.read_table(pa.BufferReader(data))
        rows = [*change(table.to_pylist())]
        to = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(rows, table.schema), to)
        return to.getvalue().to_pybytes()

    return write


def metadata_of(old, new):
    def write(data):
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            text = tar.extractfile("metadata.json").read().replace(old, new, 1)
        return archive_of({"metadata.json": text})

    return write


TRAIN = "movies/train-00000-of-00001.parquet"
CHANGED = {
    "a path in a table": (
        "movies.csv.gz",
        unpacked(lambda text: text.replace("Movie tt0000001", "/home/jane/a.mp4")),
        "movies.csv.gz: column 'title': it names a local path, '/home/jane/a.mp4'",
    ),
    "a path as a tool": (
        "ledger.csv.gz",
        unpacked(lambda text: text.replace("copied", "/home/jane/bin/yt-dlp", 1)),
        "ledger.csv.gz: column 'tool': it names a local path, '/home/jane/bin/yt-dlp'",
    ),
    "a path in Parquet": (
        TRAIN,
        movies_of(lambda rows: [{**row, "title": "/tmp/a/b.mp4"} for row in rows]),
        f"{TRAIN}: column 'title': it names a local path, '/tmp/a/b.mp4'",
    ),
    "another year": (
        TRAIN,
        movies_of(lambda rows: [{**row, "year": 1820} for row in rows]),
        f"{TRAIN}: 'tt0000001' has another year than in movies.csv.gz",
    ),
    "other genres": (
        TRAIN,
        movies_of(lambda rows: [{**row, "genres": ["horror"]} for row in rows]),
        f"{TRAIN}: 'tt0000001' has another genres than in movies.csv.gz",
    ),
    "long genres": (
        TRAIN,
        movies_of(lambda rows: [{**row, "genres": ["a" * 9000]} for row in rows]),
        f"{TRAIN}: its genres take more bytes than the names of genres",
    ),
    "long titles": (
        TRAIN,
        movies_of(lambda rows: [{**row, "title": "a" * 30_000} for row in rows]),
        f"{TRAIN}: a text has more than 20,000 bytes",
    ),
    "a movie too few": (
        TRAIN,
        movies_of(lambda rows: rows[1:]),
        "movies/: 1 movies of movies.csv.gz are in no file, 'tt0000001' among them",
    ),
    "another title": (
        "metadata.tar.gz",
        metadata_of(b'"Movie tt0000002"', b'"Another"'),
        "metadata.tar.gz: 'tt0000002' has another title than in movies.csv.gz",
    ),
    "another movie": (
        "metadata.tar.gz",
        metadata_of(b'"0000002"', b'"0000009"'),
        "metadata.tar.gz: 'tt0000009' is not in movies.csv.gz",
    ),
    "another score": (
        "results/summary.csv",
        lambda data: data.replace(b"50.0", b"51.0"),
        "results/summary.csv: 'tiny' has uap '51.0', which is not that of results/test.csv",
    ),
    "the time of a clip": (
        "clips.csv.gz",
        unpacked(lambda text: re.sub(r"(?m)^(tt0000002,1,.*),2\.0+$", r"\1,2.5", text)),
        f"{TABLE}: tt0000002: its times are not those of clips.csv.gz",
    ),
}


@pytest.mark.parametrize("what", CHANGED)
def test_a_signed_change_is_one_fault(place, what):
    path, change, fault = CHANGED[what]
    (place / path).write_bytes(change((place / path).read_bytes()))
    sign(place)
    assert faults_of(place) == fault


@pytest.mark.parametrize("path", [TABLE, TRAIN, "mtgc.csv", "clips.csv.gz", "movies.csv.gz"])
def test_a_changed_or_missing_file_is_not_judged_further(place, path):
    whole = (place / path).read_bytes()
    (place / path).write_bytes(whole[:-1] + b"x")
    found = faults_of(place).splitlines()
    assert len(found) == 2 and all(each.startswith(f"{path}: its ") for each in found)
    (place / path).unlink()
    assert faults_of(place) == f"{path}: it is missing"


def test_what_stores_agree_on_is_said_once(place):
    """Both stores have the movies of the split."""
    path = place / "mtgc.csv"
    path.write_text(re.sub("(?m)^(tt0000001,.*),0,0,2$", r"\1,2,0,2", path.read_text()))
    sign(place)
    found = faults_of(place).splitlines()
    assert len([each for each in found if "features/" in each]) == 1
    assert any(each.startswith("mtgc.csv: it differs from 2 stores: ") for each in found)


def test_the_text_of_results_has_the_scores_of_the_table():
    cells = "| a | 36.57±0.05 [30.10, 40.00] |\n| b | 41.00±nan |\n"
    text = f"# Results\n\n| run | µAP |\n| --- | --- |\n{cells}"
    one = {"run": "a", "uap": "36.57", "uap_sd": "0.05", "uap_low": "30.1", "uap_high": "40.0"}
    other = {"run": "b", "uap": "41.0", "uap_sd": "", "uap_low": "", "uap_high": ""}
    assert results.markdown_fault(text, [one, other]) == ""
    assert "'b' has µAP '41.00', and" in results.markdown_fault(text, [one, other | {"uap": "42"}])
    for column in ("uap", "uap_sd", "uap_low", "uap_high"):
        assert "'a' has µAP" in results.markdown_fault(text, [one | {column: "35.0"}, other])
    assert "'b' has µAP '', and" in results.markdown_fault(text, [one, other | {"uap_low": "9"}])
    broken = text.replace("41.00±nan", "many")
    assert "'many', which is no score" in results.markdown_fault(broken, [one, other])


def test_a_score_cannot_vanish_from_the_summary():
    test = [{"run": "a", "uap": "0.5"}]
    assert "has uap ''" in results.summary_fault([{"run": "a", "uap": ""}], test)


@pytest.mark.parametrize(
    ("column", "cell", "fault"),
    [
        ("encoder_parameters", "-5", "has encoder_parameters '-5', not a whole number from 0"),
        ("seconds_per_movie", "<script>", "not a number from 0"),
        ("labels_sha256", "zz", "no sha256 in labels_sha256"),
    ],
)
def test_a_leaderboard_has_numbers_and_hashes(column, cell, fault):
    row = {"row": "a"} | dict.fromkeys(SAME, "0" * 64)
    assert results.leaderboard_fault([row], [{"run": "a"}]) == ""
    assert fault in results.leaderboard_fault([row | {column: cell}], [{"run": "a"}])


def test_a_summary_has_the_means_and_deviations_of_the_scores():
    test = [{"run": "a", "uap": score} for score in ("0.123456", "0.2", "")]
    row = {"run": "a", "uap": "16.17", "uap_sd": "5.41"}
    assert results.summary_fault([row], test) == ""
    assert "uap_sd '5.43'" in results.summary_fault([{**row, "uap_sd": "5.43"}], test)
    assert "is only in one of" in results.summary_fault([{**row, "run": "b"}], test)


def test_a_file_that_is_not_listed_is_searched_for_paths(place):
    (place / "notes.txt").write_text("see /home/jane/films")
    assert "notes.txt: it names a local path, '/home/jane/films'" in faults_of(place)


@pytest.mark.parametrize("what", HOSTILE)
def test_a_signed_change_is_found(place, what):
    path, change, words = HOSTILE[what]
    (place / path).write_bytes(change((place / path).read_bytes()))
    sign(place)
    found = faults_of(place)
    assert words in found
    assert not [*place.parent.rglob("escaped.txt")]


def test_another_subset_than_the_files_name_is_found(place):
    """The rows are those of the archive, but of a training movie."""
    (place / TABLE).rename(place / TABLE.replace("train", "test"))
    sign(place)
    assert "is not a test movie of split0" in faults_of(place)


def test_croissant_names_files_with_their_sums(place):
    path = place / "croissant.json"
    content = json.loads(path.read_text())
    files = [each for each in content["distribution"] if each["@type"] == "cr:FileObject"]
    files[0]["contentUrl"], files[1]["sha256"] = "../../x", "0" * 64
    files[2]["contentSize"] = "1 B"
    path.write_text(json.dumps(content))
    sign(place)
    found = "\n".join(check.check(str(place)))
    assert "croissant.json: it names '../../x', which is no file here" in found
    assert "is not that in SHA256SUMS" in found and "bytes, not as it says" in found


def test_a_record_takes_its_files(place, monkeypatch):
    monkeypatch.setattr(check.records, "Limits", lambda: Limits(files=5))
    assert "one takes 5 files" in faults_of(place)


def test_no_publication_is_one_line(tmp_path):
    with pytest.raises(UserError, match="it has no SHA256SUMS"):
        check.check(str(tmp_path))


class Site(BaseHTTPRequestHandler):
    """Serves the publication in the current folder; some answers never end."""

    endless: ClassVar[set[str]] = set()

    def do_GET(self):
        path = self.path.lstrip("/")
        is_file = Path("publication", path).is_file()
        self.send_response(200 if is_file or path in self.endless else 404)
        self.end_headers()
        if path in self.endless:
            with suppress(OSError):
                while True:
                    self.wfile.write(bytes(1 << 20))
        elif is_file:
            self.wfile.write(Path("publication", path).read_bytes())

    def log_message(self, *_):
        pass


@pytest.fixture
def site(place, monkeypatch):
    monkeypatch.setattr(Site, "endless", set())
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_publication_on_the_web_is_read_file_by_file(place, site):
    assert check.check(site) == []
    (place / "index.md").unlink()
    assert "index.md: it could not be downloaded" in "\n".join(check.check(site))


def test_names_of_a_server_stay_in_the_folder(place, site):
    (place / "SHA256SUMS").write_text(f"{'0' * 64}  ../../escaped.txt\n")
    with pytest.raises(UserError, match="is not the path of a file below its folder"):
        check.check(site)


def test_answers_without_end_are_cut(place, site, monkeypatch):
    monkeypatch.setattr(check.check_files, "MOST_BYTES", 5_000_000)
    Site.endless = {"README.md"}
    assert "README.md: it could not be downloaded" in "\n".join(check.check(site))
    Site.endless = {"SHA256SUMS"}
    with pytest.raises(UserError, match="SHA256SUMS"):
        check.check(site)
