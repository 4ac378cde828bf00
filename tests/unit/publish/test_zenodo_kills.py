"""An upload to Zenodo that is killed at any moment, and called again: nothing twice, nothing lost.

CI kills it at chosen moments; `make publish-kills` at each: before, in the middle of and after each
request, in three situations.
"""

import os
import re
import signal
import subprocess
import sys

import pytest

from tests.unit.publish.test_zenodo import FILES, STATEMENTS, md5s, write
from tests.unit.publish.zenodo_server import TOKEN, Zenodo
from trailers12k.publish.zenodo import upload as zenodo

CHILD = """
import sys, time
from pathlib import Path
from trailers12k.publish.zenodo import upload as zenodo
from trailers12k.publish.facts import Creator, Statements

folder, state, base = sys.argv[1:]
words = {"title": "A", "description": "B", "license": "CC-BY-NC-SA-4.0"}
statements = Statements(**words, creators=[Creator("C")])
pause = lambda seconds: time.sleep(seconds / 100)
zenodo.upload(Path(folder), statements, state=Path(state), base=base, pause=pause)
"""
MOMENTS = {
    "new": (
        "POST /deposit/depositions before",
        "POST /deposit/depositions after",
        "PUT /deposit/depositions/101 after",
        "PUT /files/.*/one.zarr.tar.gz half",
        "PUT /files/.*/mtgc.csv after",
    ),
    "version": ("newversion before", "newversion after", "DELETE .* after"),
    "records": ("POST /deposit/depositions after",),
}
"""Situation -> where CI kills an upload: the first moment that matches."""


class Situation:
    """A server and a publication, of which an earlier state may be published."""

    def __init__(self, folder, kind):
        self.folder, self.kind = folder, kind
        self.publication, self.state = folder / "publication", folder / "build/zenodo.json"
        self.server = Zenodo()

    def __enter__(self):
        self.server.__enter__()
        files = dict(FILES)
        if self.kind == "records":
            rows = [f"{1 + ('one' in name)},{name},{len(data)}\n" for name, data in files.items()]
            files["RECORDS.csv"] = ("record,file,bytes\n" + "".join(rows)).encode()
        write(self.publication, files)
        if self.kind == "version":
            self.upload()
            self.server.publish(101)
            (self.publication / "mtgc.csv").unlink()
            files = {"new.csv": b"new", **{n: d for n, d in FILES.items() if n != "mtgc.csv"}}
            write(self.publication, files)
        self.before = {*self.server.records}
        self.server.received.clear()
        self.server.lag = 1
        return self

    def __exit__(self, *_):
        self.server.__exit__()

    def upload(self):
        """A whole upload."""
        zenodo.upload(
            self.publication,
            STATEMENTS,
            show=lambda _: None,
            state=self.state,
            base=self.server.base,
            pause=lambda _: None,
        )

    def kill_at(self, moment):
        """Start an upload and kill it at the first moment that matches; whether it was killed."""
        killed = []

        def look(text):
            if not killed and re.search(moment, text):
                killed.append(text)
                os.kill(child.pid, signal.SIGKILL)
                child.wait()

        command = [sys.executable, "-c", CHILD, self.publication, self.state, self.server.base]
        # The server answers in threads of this process, so the child exists when one looks.
        child = None
        with self.server.lock:
            self.server.moment = look
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        child.wait(60)
        self.server.moment = lambda _: None
        return bool(killed)

    def check(self):
        """Assert that the drafts are whole, and that no file was sent again but the one in flight,
        which the server may store when the killed upload is gone."""
        expected = md5s(self.publication)
        new = [each for each in self.server.drafts() if each.id not in self.before]
        assert len(new) == (2 if self.kind == "records" else 1)
        together = {}
        for draft in new:
            together |= self.server.contents(draft.id)
        assert together == expected
        kept = {"version": {*FILES} - {"mtgc.csv"}}.get(self.kind, set())
        sent = expected.keys() - {name.replace("/", "--") for name in kept}
        shared = {"README.md", "croissant.json", "RECORDS.csv", "MD5SUMS", "SHA256SUMS"}
        more = {
            name: self.server.received.count(name)
            - (2 if self.kind == "records" and name in shared else 1)
            for name in sent
        }
        assert min(more.values()) == 0 and sum(more.values()) <= 1, more
        assert {*self.server.received} == sent


@pytest.fixture(autouse=True)
def token(monkeypatch):
    monkeypatch.setenv("ZENODO_TOKEN", TOKEN)


def moments_of(folder, kind):
    """All moments of an upload that is not killed."""
    found = []
    with Situation(folder, kind) as situation:
        situation.server.moment = found.append
        situation.upload()
        situation.check()
    return found


@pytest.mark.parametrize(
    ("kind", "moment"), [(kind, each) for kind, many in MOMENTS.items() for each in many]
)
def test_an_upload_killed_at_a_moment_continues(tmp_path, kind, moment):
    with Situation(tmp_path, kind) as situation:
        assert situation.kill_at(moment)
        situation.upload()
        situation.check()


@pytest.mark.skipif("KILLS" not in os.environ, reason="make publish-kills")
@pytest.mark.parametrize("kind", MOMENTS)
def test_an_upload_killed_at_each_moment_continues(tmp_path, kind):
    moments = moments_of(tmp_path / "whole", kind)
    faults = []
    for place, moment in enumerate(moments):
        text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "[0-9a-f-]+", moment)
        with Situation(tmp_path / str(place), kind) as situation:
            # Numbers of requests count from the server's start, and so do those of `moments`.
            if not situation.kill_at(f"^{text}$"):
                faults.append(f"{moment}: not reached")
                continue
            try:
                situation.upload()
                situation.check()
            except Exception as error:
                faults.append(f"{moment}: {error}")
    print(f"{kind}: killed at {len(moments)} moments, {len(faults)} faults")
    assert not faults
