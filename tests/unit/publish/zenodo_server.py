"""A server on loopback that answers as Zenodo's deposit API does, with faults at chosen requests.

Sources of its form: developers.zenodo.org, and site/zenodo_rdm/legacy of zenodo/zenodo-rdm. It
keeps all in memory, checks the token of each request, and records the requests.
"""

import hashlib
import json
import re
import threading
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "a-token-that-nobody-else-has"
BLOCK = 1 << 16


@dataclass
class Record:
    """A deposit or published record. shown: lists of drafts after which the index has it."""

    id: int
    concept: int
    metadata: dict[str, Any] = field(default_factory=dict)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)
    bucket: str = field(default_factory=lambda: str(uuid.uuid4()))
    published: bool = False
    shown: int = 0


@dataclass
class Fault:
    """What goes wrong at the next `times` requests whose method and path match.

    status: of the answer instead, with headers and body; the request has no effect. cut: bytes of
    the request's body after which the connection is closed. lost: the request has its effect, and
    its answer is cut. early: the status is sent before the body is read.
    """

    request: str
    times: int = 1
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b'{"message": "a fault", "status": 500}'
    cut: int | None = None
    lost: bool = False
    early: bool = False


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """A client that was killed."""


class Zenodo:
    """The server, in threads of this process. Use as a context manager."""

    def __init__(self) -> None:
        self.records: dict[int, Record] = {}
        self.faults: list[Fault] = []
        self.requests: list[str] = []
        self.received: list[str] = []
        """Names of the files whose bytes all arrived."""
        self.moment: Callable[[str], None] = lambda _: None
        """Gets `before`, `half` and `after` of each request, with its number."""
        self.lag = 0
        self.most_bytes, self.most_files = 10_000_000, 100
        self.is_documented = False
        """Whether `newversion` answers as documented, with the published version."""
        self.next_id = 100
        self.lock = threading.RLock()
        self.tokens: set[str] = set()
        """The Authorization headers that arrived."""
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}/api"

    def __enter__(self) -> "Zenodo":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def count(self, request: str) -> int:
        """How many requests match `METHOD PATH`."""
        return sum(bool(re.search(request, each)) for each in self.requests)

    def drafts(self) -> list[Record]:
        return [each for each in self.records.values() if not each.published]

    def add(self, concept: int = 0, published: bool = False) -> Record:
        """A new record, of a version of `concept`."""
        number = self.next_id + 1
        self.next_id += 2
        record = Record(number, concept or number - 1, published=published, shown=self.lag)
        self.records[number] = record
        return record

    def publish(self, number: int) -> None:
        self.records[number].published = True

    def versions(self, concept: int) -> list[Record]:
        return [each for each in self.records.values() if each.concept == concept]

    def contents(self, number: int) -> dict[str, str]:
        """Name -> md5 of a deposit's files."""
        return {key: file["md5"] for key, file in self.records[number].files.items()}


def stored(key: str, data: bytes) -> dict[str, Any]:
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return {"id": str(uuid.uuid4()), "key": key, "size": len(data), "md5": md5}


def _handler(zenodo: Zenodo) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def answer(self, status: int, value: Any = None, headers: dict[str, str] | None = None):
            body = value if isinstance(value, bytes) else json.dumps(value).encode()
            body = b"" if status == 204 else body
            self.send_response(status)
            for name, text in (headers or {}).items():
                self.send_header(name, text)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            with suppress(OSError):  # a client that was killed
                self.end_headers()
                self.wfile.write(body)

        def refuse(self, status: int, message: str, **more: Any) -> None:
            self.answer(status, {"message": message, "status": status, **more})

        def body(self, stop: int | None = None) -> bytes | None:
            """The request's body; None where the client ends early, or the fault stops it."""
            size, data = int(self.headers.get("Content-Length") or 0), bytearray()
            half = False
            while len(data) < size:
                if stop is not None and len(data) >= stop:
                    return None
                if not half and len(data) >= size // 2:
                    half = True
                    zenodo.moment(f"{self.number} {self.line} half")
                most = min(BLOCK, (size if half else size // 2) - len(data))
                if stop is not None:
                    most = min(most, stop - len(data))
                if not (block := self.rfile.read(most)):
                    return None
                data += block
            return bytes(data)

        def handle_one(self) -> None:
            url = urlsplit(self.path)
            self.line = f"{self.command} {url.path.removeprefix('/api')}"
            with zenodo.lock:
                zenodo.requests.append(self.line)
                self.number = len(zenodo.requests)
                zenodo.tokens.add(self.headers.get("Authorization", ""))
                fault = next(
                    (x for x in zenodo.faults if x.times and re.search(x.request, self.line)), None
                )
                if fault:
                    fault.times -= 1
            zenodo.moment(f"{self.number} {self.line} before")
            if fault and fault.status:
                if fault.early:
                    self.close_connection = True
                else:
                    self.body()
                return self.answer(fault.status, fault.body, fault.headers)
            data = self.body(fault.cut if fault else None)
            if data is None or (fault and fault.cut is not None):
                self.close_connection = True
                return None
            if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                return self.refuse(401, "The server could not verify that you are authorized")
            answer = self.answer
            if fault and fault.lost:
                self.answer = lambda *_: None  # type: ignore[method-assign]
                self.close_connection = True
            with zenodo.lock:
                self.route(self.command, url.path.removeprefix("/api"), parse_qs(url.query), data)
            self.answer = answer  # type: ignore[method-assign]
            return None

        do_GET = do_POST = do_PUT = do_DELETE = handle_one

        def finish_answer(self, status: int, value: Any) -> None:
            """After the effect, before the answer."""
            zenodo.moment(f"{self.number} {self.line} after")
            self.answer(status, value)

        def route(self, method: str, path: str, query: dict[str, list[str]], data: bytes) -> None:
            for pattern, name in ROUTES:
                found = re.fullmatch(pattern, f"{method} {path}")
                if found:
                    return getattr(self, name)(found, query, data)
            return self.refuse(404, "The requested URL was not found on the server.")

        def list_deposits(self, _: Any, query: dict[str, list[str]], __: bytes) -> None:
            size, page = int(query.get("size", ["10"])[0]), int(query.get("page", ["1"])[0])
            found = []
            for record in sorted(zenodo.records.values(), key=lambda each: -each.id):
                if record.published and query.get("status") == ["draft"]:
                    continue
                if record.shown and "page" in query:
                    record.shown -= 1
                    continue
                found.append(self.shown(record))
            self.finish_answer(200, found[(page - 1) * size : page * size])

        def create(self, _: Any, __: Any, data: bytes) -> None:
            metadata = json.loads(data).get("metadata", {})
            if fault := self.metadata_fault(metadata):
                return self.refuse(400, "A validation error occurred.", errors=[fault])
            record = zenodo.add()
            record.metadata = metadata
            return self.finish_answer(201, self.shown(record))

        def metadata_fault(self, metadata: dict[str, Any]) -> dict[str, Any] | None:
            if metadata.get("license") not in LICENCES:
                return {"field": "metadata.rights", "messages": ["Not a valid choice"]}
            return None

        def found_record(self, found: Any, draft_only: bool = False) -> Record | None:
            record = zenodo.records.get(int(found[1]))
            if record is None or (draft_only and record.published):
                self.refuse(404, "The persistent identifier does not exist.")
                return None
            return record

        def read(self, found: Any, _: Any, __: bytes) -> None:
            if record := self.found_record(found):
                self.finish_answer(200, self.shown(record))

        def update(self, found: Any, _: Any, data: bytes) -> None:
            if record := self.found_record(found, draft_only=True):
                metadata = json.loads(data)["metadata"]
                if fault := self.metadata_fault(metadata):
                    return self.refuse(400, "A validation error occurred.", errors=[fault])
                record.metadata = metadata
                return self.finish_answer(200, self.shown(record))
            return None

        def list_files(self, found: Any, _: Any, __: bytes) -> None:
            if record := self.found_record(found):
                files = [
                    {
                        "id": f["id"],
                        "filename": f["key"],
                        "filesize": f["size"],
                        "checksum": f["md5"],
                    }
                    for f in record.files.values()
                ]
                self.finish_answer(200, files)

        def delete_file(self, found: Any, _: Any, __: bytes) -> None:
            if record := self.found_record(found, draft_only=True):
                keys = [key for key, f in record.files.items() if f["id"] == unquote(found[2])]
                if not keys:
                    return self.refuse(404, "File does not exist")
                del record.files[keys[0]]
                return self.finish_answer(204, None)
            return None

        def put(self, found: Any, _: Any, data: bytes) -> None:
            key = unquote(found[2])
            record = next((x for x in zenodo.records.values() if x.bucket == found[1]), None)
            if record is None:
                return self.refuse(404, "Bucket does not exist.")
            if "/" in key:  # the route of Zenodo takes no folders
                return self.refuse(404, "The requested URL was not found on the server.")
            if record.published:
                return self.refuse(403, "Permission denied.")
            if len(data) > zenodo.most_bytes:
                return self.refuse(413, "Maximum file size exceeded.")
            if key not in record.files and len(record.files) >= zenodo.most_files:
                return self.refuse(400, "Uploading selected files will result in too many files")
            record.files[key] = stored(key, data)
            zenodo.received.append(key)
            file = record.files[key]
            return self.finish_answer(
                201, {"key": key, "size": file["size"], "checksum": f"md5:{file['md5']}"}
            )

        def new_version(self, found: Any, _: Any, __: bytes) -> None:
            published = self.found_record(found)
            if published is None:
                return None
            if not published.published:
                return self.refuse(404, "The persistent identifier is not registered.")
            record = self.version_of(published)
            if record.files:
                fault = {"field": "files.enabled", "messages": ["Please remove all files first."]}
                return self.refuse(400, "A validation error occurred.", errors=[fault])
            record.files = {
                key: {**f, "id": str(uuid.uuid4())} for key, f in published.files.items()
            }
            shown = self.shown(record)
            if zenodo.is_documented:
                shown = {**self.shown(published), "links": shown["links"]}
            return self.finish_answer(201, shown)

        def version_of(self, published: Record) -> Record:
            drafts = [x for x in zenodo.versions(published.concept) if not x.published]
            record = drafts[0] if drafts else zenodo.add(published.concept)
            if not drafts:
                gone = ("publication_date", "version")
                record.metadata = {k: v for k, v in published.metadata.items() if k not in gone}
            return record

        def existing_version(self, found: Any, _: Any, __: bytes) -> None:
            if published := self.found_record(found):
                self.finish_answer(201, {"id": str(self.version_of(published).id)})

        def read_licence(self, found: Any, _: Any, __: bytes) -> None:
            if found[1] not in LICENCES:
                return self.refuse(404, "The persistent identifier does not exist.")
            return self.finish_answer(200, {"id": found[1]})

        def read_record(self, found: Any, _: Any, __: bytes) -> None:
            number = int(found[1])
            versions = [x.id for x in zenodo.versions(number) if x.published]
            if versions:
                place = f"{zenodo.base}/records/{max(versions)}"
                return self.answer(301, b"", {"Location": place})
            record = zenodo.records.get(number)
            if record is None or not record.published:
                return self.refuse(404, "The persistent identifier does not exist.")
            return self.finish_answer(200, {"id": str(number)})

        def read_latest(self, found: Any, _: Any, __: bytes) -> None:
            concept = zenodo.records[int(found[1])].concept
            newest = max(x.id for x in zenodo.versions(concept) if x.published)
            self.answer(302, b"", {"Location": f"/api/records/{newest}"})

        def shown(self, record: Record) -> dict[str, Any]:
            base = f"{zenodo.base}/deposit/depositions/{record.id}"
            doi = {"doi": f"10.5281/zenodo.{record.id}", "recid": record.id}
            return {
                "id": record.id,
                "conceptrecid": str(record.concept),
                "metadata": {**record.metadata, "prereserve_doi": doi},
                "title": record.metadata.get("title", ""),
                "links": {
                    "self": base,
                    "bucket": f"{zenodo.base}/files/{record.bucket}",
                    "latest_draft": base,
                },
                "state": "done" if record.published else "unsubmitted",
                "submitted": record.published,
            }

    return Handler


LICENCES = ("cc0-1.0", "cc-by-4.0", "cc-by-nc-sa-4.0")
DEPOSIT = r"/deposit/depositions/(\d+)"
ROUTES = (
    ("GET /deposit/depositions", "list_deposits"),
    ("POST /deposit/depositions", "create"),
    (f"GET {DEPOSIT}", "read"),
    (f"PUT {DEPOSIT}", "update"),
    (f"GET {DEPOSIT}/files", "list_files"),
    (f"DELETE {DEPOSIT}/files/(.+)", "delete_file"),
    (f"POST {DEPOSIT}/actions/newversion", "new_version"),
    (r"PUT /files/([\w-]+)/(.+)", "put"),
    (r"GET /vocabularies/licenses/(.+)", "read_licence"),
    (r"GET /records/(\d+)", "read_record"),
    (r"GET /records/(\d+)/versions/latest", "read_latest"),
    (r"POST /records/(\d+)/versions", "existing_version"),
)
