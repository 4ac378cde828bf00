"""TMDB's answers, good and hostile, from an HTTP server on loopback; the key stays secret."""

import json
import logging
import threading
import traceback
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trailers12k.common.errors import UserError
from trailers12k.movies.sources import tmdb
from trailers12k.movies.sources.credits import CREDITS
from trailers12k.movies.sources.records import FIELDS, Record, check, combine
from trailers12k.movies.sources.services import ServiceJob

V3, V4 = "0123456789abcdef0123456789abcdef", "eyJhbGciOiJI.a-secret_token.x"
MID = "tt0000001"
MOVIE = {
    "id": 77,
    "title": "A Title",
    "release_date": "1999-03-31",
    "overview": "A plot.",
    "genre_ids": [53, 28, 99, 878],
    "poster_path": "/Poster-1.jpg",
}


DAMAGED_ANSWERS = [b"", b"\0" * 9, b"[" * 10**5, b"[1]", b'{"genre_ids": 5}', b"\xff"]


def video(key, **more):
    return {"site": "YouTube", "type": "Trailer", "key": key, "name": f"Name of {key}"} | more


def matches(**changed):
    return {"movie_results": [MOVIE | changed]}


class Api:
    """Answers by the last part of a path: a status and a JSON value, or bytes."""

    def __init__(self):
        self.answers = {MID: (200, matches()), "videos": (200, {"results": [video("aaaaaaaaaaa")]})}
        self.requests, self.keys, self.reason = [], [], None


@pytest.fixture
def api(monkeypatch):
    monkeypatch.setenv(tmdb.KEY, V3)
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            path, _, query = self.path.partition("?")
            api.requests.append(path)
            api.keys.append(f"{query} {self.headers.get('Authorization')}")
            answer = api.answers.get(path.split("/")[-1], (404, {}))
            answer = answer.pop(0) if isinstance(answer, list) else answer
            if answer == "cut":
                return
            status, value = answer
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            self.send_response(status, api.reason)
            self.send_header("Content-Length", str(len(body) + (value == b"cut")))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        api.url = f"http://127.0.0.1:{server.server_port}/3"
        yield api
        server.shutdown()


def read(api, folder, earlier=None, more_path="", retries=0, **changed):
    settings = {
        "api": api.url + more_path,
        "images": "https://image.example/w342",
        "parallel": 2,
    }
    service = ServiceJob(folder / "tmdb", retries, timeout=5)
    return tmdb.read(settings | changed, earlier or {MID: Record(MID)}, service)


def test_an_answer_becomes_a_record_that_fills_gaps(api, tmp_path):
    earlier = {MID: Record(MID, title="Mine", where="mine.csv, line 2")}
    records, rows = read(api, tmp_path, earlier)
    assert rows == [{"mid": MID, "status": "ok", "attempts": 1}]
    plain = {name: MOVIE[name] for name in ("id", "title", "overview", "release_date")}
    assert records == [
        Record(
            MID,
            "A Title",
            "1999",
            ("action", "sci-fi", "thriller"),
            ({"id": "aaaaaaaaaaa", "name": "Name of aaaaaaaaaaa"},),
            "https://image.example/w342/Poster-1.jpg",
            {"tmdb": plain | {"poster_path": "/Poster-1.jpg"}},
            f"TMDB, {MID}",
        )
    ]
    combine(earlier, "tmdb", records, adds=False)
    assert (earlier[MID].title, earlier[MID].year) == ("Mine", "1999")
    assert api.requests == [f"/3/find/{MID}", "/3/movie/77/videos"]
    assert "external_source=imdb_id" in api.keys[0]


def test_the_official_english_large_and_early_trailer_comes_first(api, tmp_path):
    english, official = {"iso_639_1": "en"}, {"official": True}
    old, new = {"published_at": "2001-01-01"}, {"published_at": "2002-01-01"}
    best_first = [
        video("a_official1", **official, **english, size=1080, **old),
        video("b_official2", **official, **english, size=1080, **new),
        video("c_undated_1", **official, **english, size=1080),
        video("d_undated_2", **official, **english, size=1080),
        video("e_small___3", **official, **english, size=360, **old),
        video("f_french___", **official, iso_639_1="fr", size=2160, **old),
        video("g_fans_____", **english, size=2160, **old),
        video("h_nothing__", official="yes", size="huge", published_at=5, name=None),
    ]
    others = [
        video("i_teaser___", type="Teaser", **official),
        video("j_vimeo____", site="Vimeo", **official),
        video("short", **official),
        video(["aaaaaaaaaaa"], **official),
        "no video",
        video("a_official1"),
    ]
    api.answers["videos"] = (200, {"results": others + best_first[::-1]})
    (record,), _ = read(api, tmp_path)
    assert [trailer["id"] for trailer in record.trailers] == [v["key"] for v in best_first]
    assert record.trailers[-1]["name"] == ""


def test_only_movies_with_a_gap_are_queried(api, tmp_path):
    full = Record(MID, "T", "2000", ("drama",), ({"id": "bbbbbbbbbbb"},), "https://x/p.jpg")
    records, rows = read(api, tmp_path, {MID: full})
    assert rows == [{"mid": MID, "status": "skipped", "reason": "complete"}]
    assert records == [] and api.requests == []
    for gap in FIELDS:
        api.requests.clear()
        earlier = {MID: replace(full, **{gap: () if gap == "trailers" else ""})}
        assert len(read(api, tmp_path / gap, earlier)[0]) == 1
        assert len(api.requests) == 2


def test_a_movie_is_queried_once_per_api(api, tmp_path, monkeypatch):
    first = read(api, tmp_path)
    monkeypatch.delenv(tmdb.KEY)
    assert read(api, tmp_path, images="https://image.example/w342/") == first
    assert len(api.requests) == 2, "kept answers need no key"
    monkeypatch.setenv(tmdb.KEY, V4)
    read(api, tmp_path, more_path="/other")
    assert len(api.requests) == 4


@pytest.mark.parametrize("content", DAMAGED_ANSWERS)
def test_a_movie_is_queried_again_when_its_answer_is_damaged(api, tmp_path, content):
    first = read(api, tmp_path)[0]
    answer = tmp_path / "tmdb" / f"{MID}.answer.json"
    answer.write_bytes(content)
    assert read(api, tmp_path)[0] == first
    assert len(api.requests) == 4
    # A record of before the hash of the answer was kept.
    record = tmp_path / "tmdb" / f"{MID}.json"
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({name: kept[name] for name in ("row", "fingerprint", "time")}))
    answer.write_bytes(content)
    with pytest.raises(UserError, match=f"{MID}.answer.json.*; delete it and run again$"):
        read(api, tmp_path)


@pytest.mark.parametrize("key", [None, "", "  ", "line\nbreak", "ключ", "two words"])
def test_without_a_key_the_message_says_how_to_get_and_set_one(api, tmp_path, monkeypatch, key):
    monkeypatch.delenv(tmdb.KEY)
    if key is not None:
        monkeypatch.setenv(tmdb.KEY, key)
    with pytest.raises(UserError) as error:
        read(api, tmp_path)
    message = str(error.value)
    assert "themoviedb.org/settings/api" in message and "export TMDB_API_KEY=" in message
    assert "\n" not in message and not (key and key.strip() and key in message)
    assert api.requests == []


@pytest.mark.parametrize("key", [V3, V4])
@pytest.mark.parametrize(
    "trouble",
    [
        *[(401, {}), (403, {}), (404, {}), (429, {}), (500, {}), "cut", (200, b"cut")],
        *[(200, b"no JSON"), (200, matches(title=f"{V3}{V4}"))],
    ],
)
@pytest.mark.parametrize("echo", [False, True])
def test_the_key_is_in_no_file_log_exception_or_row(
    api, tmp_path, monkeypatch, caplog, key, trouble, echo
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(tmdb.KEY, f" {key}")
    caplog.set_level(logging.DEBUG)
    for name in [name for name in logging.root.manager.loggerDict if name.startswith("urllib3")]:
        caplog.set_level(logging.DEBUG, logger=name)
    api.reason = f"what about {key}" if echo else None
    texts = []
    for where in (MID, "videos"):
        api.answers[MID] = (200, matches())
        api.answers[where] = trouble
        try:
            texts.append(repr(read(api, tmp_path / where, retries=1)))
        except UserError as error:
            texts.append("".join(traceback.format_exception(error)))
    assert all(key in sent for sent in api.keys) and api.keys, "it was sent"
    files = [path.read_text() for path in tmp_path.rglob("*") if path.is_file()]
    assert caplog.text or trouble[0] in (401, 403)
    for text in (*texts, *files, caplog.text):
        assert key not in text


def test_an_old_key_is_a_parameter_and_a_new_one_a_header(api, tmp_path, monkeypatch):
    read(api, tmp_path / "3")
    assert all(f"api_key={V3}" in sent and sent.endswith(" None") for sent in api.keys)
    api.keys.clear()
    monkeypatch.setenv(tmdb.KEY, V4)
    read(api, tmp_path / "4")
    assert all(V4 not in sent.split(" ")[0] for sent in api.keys)
    assert all(sent.endswith(f" Bearer {V4}") for sent in api.keys)


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_ends_the_job(api, tmp_path, status):
    api.answers[MID] = (status, {})
    earlier = {f"tt{n:07d}": Record(f"tt{n:07d}") for n in range(1, 30)}
    with pytest.raises(UserError, match=f"TMDB_API_KEY: TMDB refuses this key.*{status}.*export"):
        read(api, tmp_path, earlier)
    assert len(api.requests) < 29


@pytest.mark.parametrize(
    ("where", "answer", "reason"),
    [
        (MID, (404, {"status_code": 34}), "not_found"),
        (MID, (200, {"movie_results": [], "tv_results": [MOVIE]}), "not_found"),
        ("videos", (404, {}), "not_found"),
        (MID, (429, {}), "rate_limited"),
        (MID, (503, {}), "server_error"),
        (MID, "cut", "network"),
        (MID, (200, b""), "bad_answer"),
        (MID, (200, b"<html>"), "bad_answer"),
        (MID, (200, b"\xff\xfe\xfa"), "bad_answer"),
        (MID, (200, b"[" * 100_000), "bad_answer"),
        (MID, (200, b"9" * 10_000), "bad_answer"),
        (MID, (200, []), "bad_answer"),
        (MID, (200, {}), "bad_answer"),
        (MID, (200, {"movie_results": {"0": MOVIE}}), "bad_answer"),
        (MID, (200, {"movie_results": [None]}), "bad_answer"),
        (MID, (200, matches(id="77/../../account")), "bad_answer"),
        (MID, (200, matches(id=True)), "bad_answer"),
        ("videos", (200, {"results": "none"}), "bad_answer"),
        ("videos", (200, None), "bad_answer"),
        ("videos", (200, b" " * 1_000_001), "too_large"),
    ],
)
def test_a_hostile_answer_is_one_movies_failure(api, tmp_path, where, answer, reason):
    api.answers["tt0000002"] = (200, {"movie_results": []})
    api.answers[where] = answer
    records, rows = read(api, tmp_path, {mid: Record(mid) for mid in (MID, "tt0000002")})
    assert [row["reason"] for row in rows] == [reason, "not_found"]
    assert records == [] and not list(tmp_path.rglob("*.answer.json"))


@pytest.mark.parametrize("busy", [429, 503])
def test_a_busy_server_is_queried_again(api, tmp_path, busy):
    api.answers[MID] = [(busy, {}), (200, matches())]
    assert [row["status"] for row in read(api, tmp_path, retries=1)[1]] == ["ok"]
    assert api.requests.count(f"/3/find/{MID}") == 2


def test_unprintable_texts_and_wrong_types_are_tolerated(api, tmp_path):
    api.answers[MID] = (
        200,
        matches(
            title=" A\u202e \ud800Tit\x00le\n2\u200b " + "!" * 5000,
            overview=["no text"],
            release_date="1999-xx-31",
            genre_ids=[28, [28], "18", True, None],
            poster_path="/../x.jpg?y",
        ),
    )
    api.answers["videos"] = (200, {"results": [video("aaaaaaaaaaa", name="\ud800N\n\x1b[1m")]})
    (record,), _ = read(api, tmp_path)
    check(record)
    assert record.title.startswith("A Title 2\u200b !") and len(record.title) == 1000
    assert (record.year, record.genres, record.poster_url) == ("", ("action",), "")
    assert record.trailers[0]["name"] == "N [1m"
    assert record.entry["tmdb"]["overview"] == ""


def test_the_log_credits_tmdb_once_with_the_counts(api, tmp_path, caplog):
    caplog.set_level("INFO")
    full = Record("tt0000004", "T", "2000", ("drama",), ({"id": "bbbbbbbbbbb"},), "https://x/p")
    api.answers["tt0000002"] = (200, matches(id=78))
    api.answers["videos"] = [(200, {"results": [video("aaaaaaaaaaa")]}), (200, {"results": []})]
    mids = [MID, "tt0000002", "tt0000003"]
    read(api, tmp_path, {mid: Record(mid) for mid in mids} | {full.mid: full})
    assert caplog.text.count(CREDITS["tmdb"]) == 1
    assert "3 movies queried, 2 found, 1 with a trailer" in caplog.text
