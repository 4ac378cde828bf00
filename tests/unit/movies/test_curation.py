"""People's decisions about movies: the file, its effects, and the published table."""

import csv
import json
from pathlib import Path

import pytest

from trailers12k.common import text as text_
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv
from trailers12k.jobs import ledger
from trailers12k.movies import curation, metadata
from trailers12k.movies.curation import Decision
from trailers12k.movies.sources import collection, tmdb, trailers12k
from trailers12k.movies.sources.records import Record
from trailers12k.movies.sources.services import ServiceJob

ROOT = Path(__file__).parents[3]
HEAD = ",".join(curation.COLUMNS) + "\n"
MID, OTHER = "tt0000001", "tt0000002"
ID, OTHER_ID = "6FeyhlLZYrg", "abcdefghijk"
SHA = "0123456789abcdef" * 4


def read(tmp_path, text, encoding="utf-8", **options):
    path = tmp_path / "curation.csv"
    path.write_bytes(text.encode(encoding))
    return curation.read(path, **options)


def test_columns_may_have_any_order(tmp_path):
    text = f"by,decision,mid,note\nAda,accept,{MID},\n\nBo,reject,{OTHER},a fan's edit\n"
    assert read(tmp_path, text) == {
        MID: Decision(MID, "accept", by="Ada"),
        OTHER: Decision(OTHER, "reject", by="Bo", note="a fan's edit"),
    }
    whole = f"{MID},accept,{ID}|https://h/a.mp4,{OTHER_ID},{SHA.upper()},n,Ada,2026-11-25\n"
    assert read(tmp_path, HEAD + whole)[MID] == Decision(
        *(MID, "accept", (ID, "https://h/a.mp4"), OTHER_ID, SHA, "n", "Ada", "2026-11-25")
    )
    assert read(tmp_path, HEAD) == {}


def test_files_saved_by_a_spreadsheet_are_read(tmp_path):
    """A byte order mark, CRLF, cleared rows, line breaks within a note."""
    text = HEAD + f'{MID},accept ,,,,"one\r\ntwo\tthree",Ada,\n,,,,,,,\n \n'.replace("\n", "\r\n")
    found = read(tmp_path, text.replace("\r\r\n", "\r\n"), "utf-8-sig")
    assert found == {MID: Decision(MID, "accept", note="one two three", by="Ada")}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the column 'mid' is missing; required: mid, decision; optional: title, ver"),
        ("mid;decision\n", "the column 'mid' is missing"),
        (f"mid,note\n{MID},n\n", "the column 'decision' is missing"),
        ("mid,decision,plot\n", "the column 'plot' is unknown; required: "),
        ("mid,decision,note,note\n", "the column 'note' appears twice"),
        ("mid,decision\ntt12,accept\n", "line 2: mid: 'tt12' is not allowed; allowed: tt and"),
        (
            f"mid,decision\n{MID},accept\n{MID},accept\n",
            f"line 3: mid: '{MID}' is already in line 2; allowed: each movie once",
        ),
        (f"mid,decision\n{MID},REJECT\n", "decision: 'REJECT' is not allowed; allowed: accept, re"),
        (f"mid,decision\n{MID},None\n", "decision: 'None' is not allowed; allowed: accept, reje"),
        (f"mid,decision\n{MID},Accept\n", "decision: 'Accept' is not allowed; allowed: accept, re"),
        (f"mid,decision\n{MID},\n", "decision: '' is not allowed"),
        (f"mid,decision\n{MID}\n", "line 2: the number of columns is not 2"),
        (f"mid,decision\n{MID},accept,n\n", "line 2: the number of columns is not 2"),
        (f"{HEAD}{MID},accept,,ftp://h/x,,,,\n", "replacement: 'ftp://h/x' is not allowed; allo"),
        (f"{HEAD}{MID},accept,,short,,,,\n", "'short' is a file of this machine; .*11 characters"),
        (f"{HEAD}{MID},accept,,a\x1bb,,,,\n", r"replacement: 'a\\x1bb' is not allowed"),
        (f"{HEAD}{MID},accept,,https://h/a|b,,,,\n", "replacement: .* allowed: one address"),
        (
            f"{HEAD}{MID},accept,{ID}|{OTHER_ID},{ID},,,,\n",
            "'.{11}' is also in the column wrong",
        ),
        (
            f"{HEAD}{MID},accept,https://www.youtube.com/watch?v={ID},{ID},,,,\n",
            "replacement: .* is also in the column wrong",
        ),
        (f"{HEAD}{MID},accept,{ID}|gopher://h,,,,,\n", "wrong: 'gopher://h' is not allowed"),
        (f"{HEAD}{MID},accept,,,123,,,\n", "sha256: '123' is not allowed; allowed: the 64 hex"),
        (f"{HEAD}{MID},accept,,,,n\x1b[2J,,\n", r"note: 'n\\x1b\[2J' is not allowed; allowed: pri"),
        (f"{HEAD}{MID},accept,,,,,a\u202eb,\n", "by: .* is not allowed; allowed: printable text"),
        (f"{HEAD}{MID},accept,,,,,,25.11.2026\n", "date: '25.11.2026' is not allowed; allowed: a"),
        (f"{HEAD}{MID},accept,,,,,,2026-02-30\n", "date: '2026-02-30' is not allowed"),
        (f"{HEAD}{MID},accept,,,,,,20261125\n", "date: '20261125' is not allowed"),
        (f'{HEAD}{MID},accept,,,,"n" m,,\n', "not a CSV file: "),
    ],
)
def test_an_invalid_value_is_reported_in_one_line(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path}/curation.csv")
    assert "\n" not in str(error.value) and "\x1b" not in str(error.value)


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(
        UserError, match="curation.csv, line 2: byte 0xEB is not UTF-8: .* Windows code page"
    ):
        read(tmp_path, f"mid,decision,by\n{MID},accept,Zoë\n", "latin-1")
    with pytest.raises(UserError, match="is a folder; allowed: a file"):
        curation.read(tmp_path)


def test_a_password_is_told_nobody(tmp_path):
    with pytest.raises(UserError, match="line 2: replacement: a URL with a password") as error:
        read(tmp_path, f"{HEAD}{MID},accept,,https://me:secret@h/a.mp4,,,,\n")
    assert "secret" not in str(error.value)


def test_a_file_of_this_machine_may_be_wrong_and_is_used_only_where_tables_may_name_some(
    tmp_path,
):
    text = f"{HEAD}{MID},accept,b.mp4,./{ID},,,,\n"
    assert read(tmp_path, text, local_files=True)[MID].replacement == str(tmp_path / ID)
    with pytest.raises(UserError, match="replacement: .* is a file of this machine"):
        read(tmp_path, text)


def test_letters_that_this_python_does_not_know_yet_are_taken(tmp_path):
    note = "\U0001fae9 \u1c89"
    path = tmp_path / "curation.csv"
    path.write_text(f"{HEAD}{MID},accept,,,,{note},,\n", encoding="utf-8")
    assert curation.read(path)[MID].note == note


def test_words_and_emojis_that_are_joined_are_printable(tmp_path):
    note = "👨\u200d👩\u200d👧 خانه\u200cها"
    assert read(tmp_path, f"{HEAD}{MID},accept,,,,{note},,\n")[MID].note == note


A, B, C = {"id": ID, "dims": [1]}, {"url": "https://h/b.mp4"}, {"id": OTHER_ID, "url": "c.mp4"}


@pytest.mark.parametrize(
    ("decision", "trailers"),
    [
        (Decision(MID, "accept"), [A, B, C]),
        (Decision(MID, "unsure", note="hm"), [A, B, C]),
        (Decision(MID, "reject", (ID,)), [A, B, C]),
        (Decision(MID, "wrong_trailer"), [B, C]),
        (Decision(MID, "wrong_trailer", ("https://h/b.mp4",)), [A, C]),
        (Decision(MID, "wrong_trailer", ("https://h/not-listed.mp4",)), [A, B, C]),
        (Decision(MID, "wrong_trailer", (f"https://www.youtube.com/watch?v={ID}",)), [B, C]),
        (Decision(MID, "accept", (ID, OTHER_ID)), [B]),
        (Decision(MID, "accept", ("c.mp4",)), [A, B]),
        (Decision(MID, "unsure", (ID,)), [B, C]),
        (Decision(MID, "wrong_trailer", (ID,), "n.mp4"), [{"url": "n.mp4"}, B, C]),
        (Decision(MID, "wrong_trailer", (), "lmnopqrstuv"), [{"id": "lmnopqrstuv"}, B, C]),
        # The source lists the replacement.
        (Decision(MID, "accept", (), "https://h/b.mp4"), [B, A, C]),
        (Decision(MID, "wrong_trailer", (), ID), [{"id": ID}, B, C]),
        # A trailer with an id and a URL.
        (Decision(MID, "wrong_trailer", (OTHER_ID,), "c.mp4"), [{"url": "c.mp4"}, A, B]),
        (Decision(MID, "wrong_trailer", (ID, "https://h/b.mp4", "c.mp4")), []),
    ],
)
def test_wrong_trailers_are_removed_and_the_replacement_comes_first(decision, trailers):
    assert decision.apply((A, B, C)) == tuple(trailers)
    changes = decision.rejects or trailers != [A, B, C]
    assert bool(decision.effect) >= changes


def test_a_movie_without_a_trailer_can_get_one():
    assert Decision(MID, "wrong_trailer").apply(()) == ()
    assert Decision(MID, "accept", replacement="n.mp4").apply(()) == ({"url": "n.mp4"},)


def test_services_are_not_queried_about_rejected_movies_which_may_be_incomplete(
    tmp_path, monkeypatch
):
    queried = []

    def read(settings, earlier, service):
        queried.extend(earlier)
        return [Record(mid, trailers=({"id": OTHER_ID},)) for mid in earlier], [{"mid": "x"}]

    monkeypatch.setattr(tmdb, "read", read)
    (tmp_path / "m.csv").write_text(f"mid,title,year,genres\n{MID},,,\n{OTHER},B,,drama\n")
    collected = collection.collect(
        [str(tmp_path / "m.csv"), "tmdb"],
        {},
        {MID: Decision(MID, "reject")},
        services={"tmdb": ServiceJob(tmp_path, retries=0, timeout=5)},
    )
    assert queried == [OTHER] and [record.mid for record in collected.records] == [OTHER]
    assert [record.mid for record in collected.rejected] == [MID]


DECIDED = [
    (Decision(MID, "accept", (), "", SHA, "=cmd()", "Ada", "2026-11-25"), "+1"),
    (Decision(OTHER, "accept", (ID, "b.mp4"), "-bcdefghijk", SHA), "B"),
    (Decision("tt0000003", "unsure"), "C"),
    (Decision("tt0000004", "accept", sha256=SHA), "D"),
    (Decision("tt0000005", "accept"), "E"),
]
SHAS = {MID: SHA, OTHER: "f" * 64, "tt0000003": SHA, "tt0000005": SHA}


def test_applied_decisions_are_written_without_formulas_and_can_be_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "copy.csv"
    curation.write(path, DECIDED, SHAS)
    with path.open(encoding="utf-8", newline="") as file:
        table = list(csv.reader(file))
    assert table[0] == [
        *("mid", "title", "decision", "verified", "wrong", "replacement", "sha256", "note", "by"),
        "date",
    ]
    assert not [cell for row in table for cell in row if cell.startswith(text_.FORMULA)]
    verified = {row["mid"]: row["verified"] for row in read_csv(path)}
    # Another trailer than the accepted one; not accepted; no trailer.
    assert list(verified.values()) == ["true", "false", "false", "false", "true"]
    rows = curation.read_written(path)
    assert (rows[0]["title"], rows[0]["note"]) == ("+1", "=cmd()")
    assert (rows[1]["wrong"], rows[1]["replacement"]) == (f"{ID}|b.mp4", "-bcdefghijk")
    assert list(curation.read(path).values()) == [decision for decision, _ in DECIDED]
    curation.write(path, [], {})
    assert path.read_text() == ",".join(curation.WRITTEN) + "\n"


def test_metadata_contains_decisions_and_their_authors(tmp_path):
    found = [Record(mid, "A", genres=("drama",)) for mid in (MID, OTHER, "tt0000006")]
    common = {"status": "ok", "trailer": "0", "duration": "1", "height": "2", "width": "3"}
    rows = [{"mid": mid, "sha256": SHAS[mid], "address": ""} | common for mid in (MID, OTHER)]
    metadata.write_metadata(tmp_path / "metadata.json", found, rows, DECIDED)
    entries = json.loads((tmp_path / "metadata.json").read_text())["trailers12k"]
    assert entries["1"]["curation"] == {
        **{"decision": "accept", "by": "Ada", "date": "2026-11-25", "note": "=cmd()"},
        "verified": True,
    }
    assert entries["2"]["curation"]["verified"] is False
    assert "curation" not in entries["3"]


def test_decisions_of_an_earlier_run_are_not_published_facts(tmp_path):
    imdb = {"id": MID[2:], "title": "A", "genres": ["Drama"]}
    entry = {"imdb": imdb, "curation": {"verified": True}, "sources": {"title": "x"}}
    path = tmp_path / "metadata.json"
    path.write_text(json.dumps({"trailers12k": {"1": entry}}))
    ((record,), _) = trailers12k.read({"files": {"metadata": path}, "max_megabytes": 1}, {})
    assert record.entry.keys() == {"imdb"}


def test_the_ledger_begins_with_rejected_movies(tmp_path):
    ledger.write_shard(tmp_path / "a.csv", [{"mid": OTHER, "status": "ok", "attempts": 1}])
    rejected = curation.rejections([(Decision(MID, "reject", note="a fan's"), "A")])
    rows = ledger.merge(
        [("trailers", tmp_path / "a.csv")], tmp_path / "l.csv", {"curation": rejected}
    )
    first, second = read_csv(tmp_path / "l.csv")
    assert first == dict.fromkeys(first, "") | {
        **{"mid": MID, "stage": "curation", "status": "skipped", "reason": "rejected"},
        "detail": "a fan's",
    }
    assert second["stage"] == "trailers"
    rejections = ledger.failures(rows)[0]
    assert (rejections.tried, rejections.failed) == (0, 0)


def test_the_downloaded_trailer_is_identified_after_one_before_it_has_left(tmp_path):
    first, second = {"id": ID}, {"url": "https://h/c.mp4"}
    record = Record(MID, "A", genres=("drama",), trailers=(first, second))
    row = {"mid": MID, "status": "ok", "trailer": "2", "address": "https://h/c.mp4", "sha256": SHA}
    row |= {"duration": "1", "height": "2", "width": "3"}
    metadata.write_metadata(tmp_path / "metadata.json", [record], [row])
    entry = json.loads((tmp_path / "metadata.json").read_text())["trailers12k"]["1"]
    assert entry["youtube"]["trailers"][0] == {"id": "", **second, "dims": [1.0, 2, 3]}
