"""A model of the hub is fetched at the commit that its revision stands for, whole and hashed."""

import hashlib
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of
from trailers12k.features import hub_fetch, weights_fetch
from trailers12k.features.backbones.hub import FILES
from trailers12k.features.backbones.hub_kinds import KINDS
from trailers12k.features.weights_fetch import WeightsSource

transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.usefixtures("one_thread")
COMMIT = "0123456789abcdef" * 2 + "01234567"
REPOSITORY = "someone/small"
MODEL = f"hf/{REPOSITORY}"


class Hub:
    """A hub that knows one repository. commits: branch -> commit. etag: of the large file."""

    def __init__(self, files):
        self.files, self.commits, self.etag, self.requests = files, {"main": COMMIT}, "", []


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    torch.manual_seed(5)
    config = transformers.Wav2Vec2Config(**KINDS["wav2vec2"].small)
    transformers.Wav2Vec2Model(config).save_pretrained(folder)
    transformers.Wav2Vec2FeatureExtractor().save_pretrained(folder)
    return {name: (folder / name).read_bytes() for name in FILES}


@pytest.fixture
def hub(files, monkeypatch):
    hub = Hub(dict(files))

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            owner, name, _, revision, file = self.path.strip("/").split("/")
            hub.requests.append((self.command, revision, file))
            commit = hub.commits.get(revision, revision)
            data = hub.files.get(file)
            if data is None or f"{owner}/{name}" != REPOSITORY:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("X-Repo-Commit", commit)
            if hub.etag and file.endswith(".safetensors"):
                self.send_header("X-Linked-Etag", f'"{hub.etag}"')
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(hub_fetch, "hf_hub_url", partial(hub_fetch.hf_hub_url, endpoint=url))
        yield hub
        server.shutdown()


def fetch(folder, model=MODEL, sha256=""):
    return weights_fetch.fetch(WeightsSource(model, sha256=sha256), folder)


def test_a_branch_is_pinned_to_its_commit(hub, files, tmp_path):
    weights = fetch(tmp_path)
    assert weights.name == f"{REPOSITORY}@{COMMIT}"
    folder = tmp_path / "hf" / "someone" / f"small@{COMMIT}"
    assert weights.file == str(folder / "model.safetensors")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == files
    assert weights.source.endswith(f"/{REPOSITORY}/resolve/{COMMIT}/model.safetensors")
    assert weights.beside == {name: sha256_of(folder / name) for name in FILES[:2]}
    assert {revision for command, revision, _ in hub.requests if command == "GET"} == {COMMIT}


def test_a_named_revision_is_fetched(hub, tmp_path):
    other = "f" * 40
    hub.commits["v2"] = other
    assert fetch(tmp_path, f"{MODEL}@v2").name == f"{REPOSITORY}@{other}"
    assert fetch(tmp_path, f"{MODEL}@{COMMIT}").name == f"{REPOSITORY}@{COMMIT}"


def test_the_hash_is_the_hubs_or_the_users(hub, files, tmp_path):
    expected = hashlib.sha256(files["model.safetensors"]).hexdigest()
    hub.etag = "0" * 64
    with pytest.raises(UserError, match=f"should be {'0' * 64}"):
        fetch(tmp_path)
    assert fetch(tmp_path, sha256=expected[:10]).sha256 == expected
    hub.etag = expected
    hub.requests.clear()
    assert fetch(tmp_path).sha256 == expected
    assert ("GET", COMMIT, "model.safetensors") not in hub.requests  # it was there


@pytest.mark.parametrize("file", FILES)
def test_a_repository_without_a_file_says_what_to_do(hub, file, tmp_path):
    del hub.files[file]
    with pytest.raises(UserError, match=f"set weights_from .* has {REPOSITORY}/{file}, name a rev"):
        fetch(tmp_path)


def test_a_huge_configuration_is_not_saved(hub, tmp_path):
    hub.files["config.json"] = b" " * 5_000_000
    with pytest.raises(UserError, match="config.json"):
        fetch(tmp_path)
    assert not list(tmp_path.rglob("config.json"))
