"""An upload to Zenodo: drafts equal to the publication, whatever networks and people do."""

import hashlib
import json
from itertools import chain

import pytest

from tests.hostile import servers
from tests.unit.publish.zenodo_server import TOKEN, Fault, Zenodo, stored
from trailers12k.common.errors import UserError
from trailers12k.publish.facts import Creator, Statements
from trailers12k.publish.zenodo import http
from trailers12k.publish.zenodo import upload as zenodo

STATEMENTS = Statements(
    title="Trailers <of> a test",
    description="First & second.\n\nThird.",
    creators=(Creator("Doe, Jane", "Somewhere", "0000-0002-1825-0097"), Creator("An organisation")),
    license="CC-BY-NC-SA-4.0",
    keywords=("trailers",),
    contact="mailto:a@example.org",
)
FILES = {
    "README.md": b"# read me\n",
    "croissant.json": b"{}\n",
    "mtgc.csv": b"mid\n",
    "results/summary.csv": b"run\n",
    "one.zarr.tar.gz": bytes(range(256)) * 2000,
    "features/one/train-00000-of-00001.parquet": b"PAR1" * 1000,
}


def write(folder, files=FILES):
    """A publication of these files, with its sums."""
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    for kind, sums in (("sha256", "SHA256SUMS"), ("md5", "MD5SUMS")):
        lines = [f"{hashlib.new(kind, data).hexdigest()}  {name}\n" for name, data in files.items()]
        (folder / sums).write_text("".join(lines))
    return folder


def md5s(folder, names=None):
    """Name on Zenodo -> md5 of a publication's files."""
    paths = [path for path in folder.rglob("*") if path.is_file()]
    names = {path: path.relative_to(folder).as_posix() for path in paths}
    return {
        name.replace("/", "--"): hashlib.md5(path.read_bytes()).hexdigest()
        for path, name in names.items()
    }


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("ZENODO_TOKEN", TOKEN)
    with Zenodo() as server:
        yield server


@pytest.fixture
def run(server, tmp_path):
    """Upload the publication `publication`; returns the uploads and the lines that were shown."""
    write(tmp_path / "publication")

    def call(statements=STATEMENTS, **options):
        shown, waits = [], []
        call.shown, call.waits = shown, waits
        options = {"base": server.base, "pause": waits.append, **options}
        return zenodo.upload(
            tmp_path / "publication",
            statements,
            ["Plots by <TMDB>."],
            show=shown.append,
            state=tmp_path / "build/zenodo.json",
            **options,
        )

    call.folder, call.state = tmp_path / "publication", tmp_path / "build/zenodo.json"
    return call


def test_a_draft_gets_every_file_and_is_not_published(server, run):
    (upload,) = run()
    (draft,) = server.drafts()
    assert server.contents(draft.id) == md5s(run.folder)
    assert sorted(server.received) == sorted(md5s(run.folder)), "each once"
    assert upload.page == f"{server.base.removesuffix('/api')}/deposit/{draft.id}"
    assert upload.doi == f"10.5281/zenodo.{draft.id}"
    assert not server.count("publish")
    metadata = draft.metadata
    assert metadata["title"] == "Trailers <of> a test"
    assert metadata["description"] == "<p>First &amp; second.</p><p>Third.</p>"
    assert metadata["license"] == "cc-by-nc-sa-4.0" and metadata["upload_type"] == "dataset"
    assert metadata["creators"][1] == {"name": "An organisation"}
    assert "Plots by &lt;TMDB&gt;." in metadata["notes"]
    assert server.tokens == {f"Bearer {TOKEN}"}
    assert TOKEN not in run.state.read_text() + "".join(run.shown)


def test_a_second_upload_sends_nothing(server, run):
    run()
    server.requests.clear()
    server.records[101].metadata["title"] = "Edited by a person on the draft's page"
    run()
    assert not server.count("PUT|POST|DELETE")
    assert server.records[101].metadata["title"].startswith("Edited")


def test_a_changed_publication_replaces_what_changed(server, run):
    run()
    server.received.clear()
    (run.folder / "mtgc.csv").unlink()
    write(run.folder, {**{n: d for n, d in FILES.items() if n != "mtgc.csv"}, "README.md": b"new"})
    run()
    assert server.contents(101) == md5s(run.folder)
    assert sorted(server.received) == ["MD5SUMS", "README.md", "SHA256SUMS"]
    assert any("deleted, of an earlier upload: mtgc.csv" in line for line in run.shown)


def test_files_of_others_stay_and_are_named(server, run):
    run()
    server.records[101].files["notes.txt"] = stored("notes.txt", b"of a person")
    server.records[101].files["README.md"] = stored("README.md", b"edited by a person")
    run()
    assert server.contents(101).keys() == {*md5s(run.folder), "notes.txt"}
    assert server.contents(101)["README.md"] == md5s(run.folder)["README.md"]
    text = "\n".join(run.shown)
    assert "kept, though not of this publication: notes.txt" in text
    assert "replaced, though somebody changed it: README.md" in text


def test_a_published_record_gets_a_new_version_of_changed_files_only(server, run):
    run()
    server.publish(101)
    server.received.clear()
    (upload,) = run()
    assert upload.is_published and not server.received and len(server.records) == 1
    write(run.folder, {**FILES, "mtgc.csv": b"mid,action\n"})
    (run.folder / "croissant.json").unlink()
    write(run.folder, {**{n: d for n, d in FILES.items() if n != "croissant.json"}, "a.csv": b"a"})
    (upload,) = run()
    (draft,) = server.drafts()
    assert draft.concept == server.records[101].concept
    assert server.contents(draft.id) == md5s(run.folder)
    assert sorted(server.received) == ["MD5SUMS", "SHA256SUMS", "a.csv"]
    assert any("deleted, of the earlier version: croissant.json" in line for line in run.shown)
    assert draft.metadata["version"] == "1.0.0"


@pytest.mark.parametrize("names", ["version", "concept"])
def test_the_record_of_publish_doi_gets_a_new_version(server, run, names):
    server.is_documented = names == "concept"
    first, newest = server.add(published=True), server.add(100, published=True)
    assert first.concept == newest.concept
    number = first.id if names == "version" else first.concept
    statements = Statements(**{**vars(STATEMENTS), "doi": f"10.5281/zenodo.{number}"})
    run(statements)
    assert server.count(f"POST /deposit/depositions/{newest.id}/actions/newversion") == 1
    assert len(server.drafts()) == 1
    run(statements)
    assert len(server.records) == 3


def test_the_draft_that_publish_doi_names_is_continued(server, run):
    run()
    statements = Statements(**{**vars(STATEMENTS), "doi": "10.5281/zenodo.101"})
    run(statements)
    run.state.unlink()
    run(statements)
    assert [*server.records] == [101]
    run.state.unlink()
    run()
    assert any("there is another draft of this title" in line for line in run.shown)


def test_the_sandbox_has_its_own_token_and_ignores_a_doi_of_the_other_site(
    server, run, monkeypatch
):
    monkeypatch.setenv("ZENODO_TOKEN", "of-the-other-site")
    monkeypatch.setenv("ZENODO_SANDBOX_TOKEN", TOKEN)
    statements = Statements(**{**vars(STATEMENTS), "doi": "10.5281/zenodo.55"})
    (upload,) = run(statements, is_sandbox=True)
    assert upload.doi == "10.5072/zenodo.101"


def test_each_record_gets_its_files_and_names_the_others(server, run):
    files = {**FILES, "RECORDS.csv": b"record,file,bytes\n"}
    part = {"one.zarr.tar.gz": 2, "features/one/train-00000-of-00001.parquet": 2}
    rows = [f"{part.get(name, 1)},{name},{len(data)}\n" for name, data in FILES.items()]
    files["RECORDS.csv"] += "".join(rows).encode()
    write(run.folder, files)
    uploads = run()
    shared = {"README.md", "croissant.json", "RECORDS.csv", "MD5SUMS", "SHA256SUMS"}
    assert server.contents(101).keys() == shared | {"mtgc.csv", "results--summary.csv"}
    second = {"one.zarr.tar.gz", "features--one--train-00000-of-00001.parquet"}
    assert server.contents(103).keys() == shared | second
    one, two = server.records[101].metadata, server.records[103].metadata
    assert [two["title"], len(uploads)] == ["Trailers <of> a test (part 2 of 2)", 2]
    assert one["related_identifiers"][0]["identifier"] == "10.5281/zenodo.103"
    assert two["related_identifiers"][0]["relation"] == "isPartOf"
    run()
    assert len(server.records) == 2


FAULTS = {
    "busy": [Fault(".", times=1, status=503)],
    "busy for long": [Fault("PUT /files", times=4, status=502, body=b"<html>")],
    "limited": [Fault("POST|PUT", times=3, status=429, headers={"Retry-After": "7"})],
    "cut at once": [Fault("PUT /files/.*/one", cut=0)],
    "cut in the middle": [Fault("PUT /files/.*/one", times=2, cut=100_000)],
    "a lost answer to a file": [Fault("PUT /files/.*/one", lost=True)],
    "a lost answer to a deposit": [Fault("POST /deposit/depositions$", lost=True)],
    "a cut deposit": [Fault("POST /deposit/depositions$", cut=0)],
    "a lost answer to metadata": [Fault("PUT /deposit", lost=True)],
    "a lost list": [Fault("GET /deposit/depositions/", times=2, lost=True)],
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_faults_of_the_network_leave_nothing_twice(server, run, faults):
    server.faults = [Fault(**vars(each)) for each in faults]
    server.lag = 1
    run()
    assert [*server.records] == [101]
    assert server.contents(101) == md5s(run.folder)
    assert sorted(server.received) == sorted(md5s(run.folder)), "each stored once"
    if server.faults[0].headers:
        assert run.waits.count(7.0) == 3
        assert any("HTTP 429: a fault; trying again in 7 s" in line for line in run.shown)


@pytest.mark.parametrize("lost", [True, False])
def test_a_new_version_whose_answer_is_lost_is_made_once(server, run, lost):
    run()
    server.publish(101)
    write(run.folder, {**FILES, "mtgc.csv": b"mid,action\n"})
    server.faults = [Fault("newversion", lost=lost, cut=None if lost else 0)]
    run()
    assert [*server.records] == [101, 103]
    assert server.contents(103) == md5s(run.folder)


def answers(name):
    error = {"message": "no <b>way</b>\x1b[31m " + TOKEN, "status": 400}
    return json.dumps(error).encode()


REFUSALS = {
    "token": (Fault("GET /dep", 9, 401), "refuses the token in ZENODO_TOKEN"),
    "scope": (Fault("POST", 9, 403), "does not allow this with the token in ZENODO_TOKEN"),
    "invalid": (Fault("POST", 9, 400, body=answers("x")), "refuses the request (HTTP 400: no <b>"),
    "down": (Fault("GET /dep", 99, 503), "does not answer (HTTP 503: a fault); run the same"),
    "wait": (Fault("PUT", 9, 429, {"Retry-After": "3600"}), "asks to wait 60 minutes"),
    "large": (Fault("PUT /files", 9, 413), "does not take croissant.json of 3 bytes (HTTP 413"),
    "redirect": (Fault("GET", 9, 302, {"Location": "http://127.0.0.2:9/"}), "leads to another"),
    "no JSON": (Fault("POST", 9, 201, body=b"<html>"), "answers in an unknown form"),
    "no deposit": (Fault("POST", 9, 201, body=b"[]"), "answers in an unknown form (no id)"),
    "deep": (Fault("GET", 9, 200, body=b"[" * 90_000), "answers in an unknown form"),
    "huge": (Fault("GET", 9, 200, body=b"[" + b"1," * 15_000_000), "more than 20 MB"),
    "other bucket": (
        Fault(
            "POST",
            9,
            201,
            body=b'{"id": 1, "links": {"bucket": "https://evil.example/api/files/a"}}',
        ),
        "a deposit without a bucket at the same address",
    ),
    "no md5": (
        Fault("PUT /files", 99, 201, body=b"{}"),
        "does not get croissant.json as it is here",
    ),
}


@pytest.mark.parametrize(("fault", "message"), REFUSALS.values(), ids=REFUSALS)
def test_refusals_say_in_one_line_what_to_do(server, run, fault, message):
    server.faults = [Fault(**vars(fault))]
    with pytest.raises(UserError) as error:
        run()
    text = str(error.value)
    assert message in text and TOKEN not in text
    assert text.isprintable() and len(text) < 500
    # The same command continues, and makes nothing twice.
    server.faults.clear()
    run()
    assert len(server.records) == 1
    assert server.contents(101) == md5s(run.folder)


@pytest.mark.parametrize(("status", "message"), [(413, "does not take one"), (401, "the token in")])
def test_a_refusal_before_the_file_is_read_is_understood(server, run, status, message):
    write(run.folder, {**FILES, "one.zarr.tar.gz": bytes(30_000_000)})
    server.faults = [Fault("PUT /files/.*/one", 99, status, early=True)]
    with pytest.raises(UserError, match=message):
        run()


@pytest.mark.parametrize("host", ["127.0.0.1:9", "nowhere.invalid"])
def test_a_host_that_cannot_be_reached_is_named_at_once(host):
    """Later failures of the network are waited for, as the tests above show."""
    scheme = "http" if host.startswith("127") else "https"
    waits = []
    client = http.Client(f"{scheme}://{host}/api", TOKEN, "ZENODO_TOKEN", waits.append, print)
    with pytest.raises(UserError) as error:
        client.request("GET", "/deposit/depositions")
    text = str(error.value)
    assert text.startswith(f"{host.partition(':')[0]} cannot be reached: ") and not waits
    assert "Max retries" not in text and "url" not in text and "((" not in text


OK = b"HTTP/1.1 200 OK\r\n"
ANSWERS = {
    "endless": (lambda: chain([OK + b"\r\n"], servers.endless(b"[1,")), "more than 20 MB"),
    "bomb": (lambda: [OK + b"Content-Encoding: gzip\r\n\r\n", servers.bomb(500)], "than 20 MB"),
    "no HTTP": (lambda: [b"hello\r\n\r\n"], "BadStatusLine"),
    "headers": (lambda: servers.endless(b"HTTP/1.1 200 OK\r\nA: b\r\n"), "100 headers"),
    "HTML": (lambda: [servers.page(b"<h1>\x1b[31mno</h1>")], "not JSON"),
}


@pytest.mark.parametrize(("answer", "message"), ANSWERS.values(), ids=ANSWERS)
def test_hostile_answers_end_in_one_line(run, server, answer, message):
    base = servers.serve(lambda _: answer()) + "/api"
    with pytest.raises(UserError, match=message) as error:
        run(base=base)
    assert str(error.value).isprintable() and len(str(error.value)) < 400


def test_a_token_is_needed_and_never_shown(run, monkeypatch):
    monkeypatch.setenv("ZENODO_TOKEN", "two words")
    with pytest.raises(UserError, match="ZENODO_TOKEN: its value is no token") as error:
        run()
    assert "two words" not in str(error.value)
    monkeypatch.delenv("ZENODO_TOKEN")
    with pytest.raises(UserError, match="it is not set; make a token with the scopes"):
        run()


def test_the_token_goes_by_https_only(run):
    for base in ("http://zenodo.org/api", "ftp://127.0.0.1/api", "http://127.0.0.1@evil.example"):
        with pytest.raises(UserError, match="a token is sent by https only"):
            run(base=base)


def test_the_address_of_the_environment_is_of_this_machine(monkeypatch):
    for address in ("https://evil.example/api", "http://127.0.0.1.evil.example:1/api", "http://a"):
        monkeypatch.setenv("TRAILERS12K_ZENODO", address)
        with pytest.raises(UserError, match="allowed: http://127.0.0.1:PORT/api"):
            zenodo.site(False)


def test_a_draft_that_was_deleted_is_said(server, run):
    run()
    del server.records[101]
    with pytest.raises(UserError, match="has no draft 101 any more"):
        run()
    assert not server.records


@pytest.mark.parametrize("act", ["published", "deleted"])
def test_a_draft_that_changes_meanwhile_is_said(server, run, act):
    def moment(text):
        if text.endswith("/one.zarr.tar.gz before"):
            server.publish(101) if act == "published" else server.records.pop(101)

    server.moment = moment
    with pytest.raises(UserError, match=f"draft 101 of record 1 was {act} meanwhile"):
        run()


def test_a_file_that_somebody_deletes_meanwhile_is_sent_again(server, run):
    def moment(text):
        if text.endswith("/one.zarr.tar.gz before"):
            server.records[101].files.pop("README.md", None)

    server.moment = moment
    run()
    assert server.contents(101) == md5s(run.folder)
    server.moment = lambda text: server.records[101].files.pop("README.md", None)
    with pytest.raises(UserError, match="draft 101 changes while files are sent"):
        run()


def test_a_draft_of_a_person_is_not_taken_for_ours(server, run):
    run()
    server.publish(101)
    draft = server.add(100)
    draft.files["a.txt"] = stored("a.txt", b"of a person")
    write(run.folder, {**FILES, "mtgc.csv": b"mid,action\n"})
    with pytest.raises(UserError, match="record 101 has a draft of a new version already"):
        run()
    assert server.contents(draft.id).keys() == {"a.txt"}
    del server.records[draft.id]
    run()
    assert len(server.drafts()) == 1


@pytest.mark.parametrize("damage", ["changed", "missing", "sums", "path", "empty"])
def test_a_damaged_publication_is_not_sent(server, run, damage):
    if damage == "changed":
        (run.folder / "mtgc.csv").write_bytes(b"mxd\n")
    elif damage == "missing":
        (run.folder / "mtgc.csv").unlink()
    elif damage == "sums":
        (run.folder / "SHA256SUMS").write_text("no hash\n")
    elif damage == "empty":
        write(run.folder, {**FILES, "none.csv": b""})
    else:
        for name, length in (("SHA256SUMS", 64), ("MD5SUMS", 32)):
            (run.folder / name).write_text(f"{'0' * length}  ../secret\n")
    with pytest.raises(UserError):
        run()
    assert not server.count("POST|PUT|DELETE")


def test_a_file_that_changes_while_it_is_sent_is_said(server, run):
    large = 30_000_000  # more than sockets buffer
    write(run.folder, {**FILES, "one.zarr.tar.gz": bytes(large)})

    def moment(text):
        if text.endswith("/one.zarr.tar.gz before"):
            (run.folder / "one.zarr.tar.gz").write_bytes(b"short")

    server.moment = moment
    with pytest.raises(UserError, match=r"one.zarr.tar.gz was changed while it was sent"):
        run()


def test_what_zenodo_needs_is_named_before_anything_is_read(run, server):
    with pytest.raises(UserError, match="needs title, license below publish:"):
        run(Statements(**{**vars(STATEMENTS), "title": "", "license": ""}))
    with pytest.raises(UserError, match="Zenodo takes identifiers only"):
        run(Statements(**{**vars(STATEMENTS), "license": "https://example.org/terms"}))
    assert not server.requests


def test_a_licence_that_zenodo_lacks_is_named_before_anything_is_made(server, run):
    with pytest.raises(UserError, match="has no licence my-own-1.0; name one of SPDX"):
        run(Statements(**{**vars(STATEMENTS), "license": "My-Own-1.0"}))
    assert not server.count("POST|PUT")
    address = "https://creativecommons.org/licenses/by/4.0/"
    run(Statements(**{**vars(STATEMENTS), "license": address}))
    assert server.records[101].metadata["license"] == "cc-by-4.0"


def test_two_uploads_at_once_are_refused(server, run):
    from trailers12k.publish.zenodo import state as zenodo_state

    with (
        zenodo_state.opened(run.state, server.base),
        pytest.raises(UserError, match="another process uploads this collection"),
    ):
        run()


def test_a_damaged_state_is_said(server, run):
    run.state.parent.mkdir()
    for text in ("{", json.dumps({server.base: {"1": {"id": "x"}}}), "[]"):
        run.state.write_text(text)
        with pytest.raises(UserError, match="delete it and run again"):
            run()
