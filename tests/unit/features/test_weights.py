"""Pretrained weights from a hub, a mirror, a folder or the user are checked before they load."""

import hashlib
import pickle
import re
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import timm
import torch
import urllib3
from torchvision.models import get_model

from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of
from trailers12k.features import weights_fetch
from trailers12k.features.backbones import loading, shufflenet3d, timm_nets
from trailers12k.features.backbones.names import weights_key
from trailers12k.features.backbones.spec import BackboneSpec, Weights
from trailers12k.features.weights_fetch import WeightsSource
from trailers12k.features.weights_record import (
    attempts,
    list_weights,
    missing_weights,
    read_weights,
    record_attempts,
    record_of,
    write_missing,
    write_weights,
)

TORCHVISION = "torchvision/shufflenet_v2_x0_5"
FILE = "shufflenetv2_x0.5-f707e7126e.pth"
TIMM = "timm/resnet10t.c3_in1k"
HUB = "timm/resnet10t.c3_in1k"
MODEL_3D = "shufflenet3d/1.0x"

pytestmark = pytest.mark.usefixtures("one_thread")


class Hub:
    """A server of `files`; answers break off after `stop` bytes; `etag` is that of large files."""

    def __init__(self):
        self.files, self.stop, self.etag, self.requests = {}, None, "", []


@pytest.fixture
def hub():
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.do_GET()

        def do_GET(self):
            path = self.path.lstrip("/")
            begin = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(begin[1]) if begin else 0
            hub.requests.append((self.command, path, start))
            if hub.etag and "/resolve/" in path:
                self.send_response(302)
                self.send_header("X-Linked-Etag", f'"{hub.etag}"')
                self.send_header("Location", "/cdn/" + path.rpartition("/")[2])
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            data = hub.files.get(path)
            if data is None:
                self.send_error(404)
                return
            self.send_response(206 if start else 200)
            self.send_header("ETag", "1")
            self.send_header("Content-Length", str(len(data) - start))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(data[start : hub.stop])

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        hub.url = f"http://127.0.0.1:{server.server_port}"
        yield hub
        server.shutdown()


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """Files in the formats of the three families, with random weights."""
    folder = tmp_path_factory.mktemp("published")
    torch.manual_seed(3)
    torch.save(get_model("shufflenet_v2_x0_5").state_dict(), folder / FILE)
    (folder / HUB).mkdir(parents=True)
    state = timm.create_model("resnet10t").state_dict()
    safetensors.torch.save_file(state, folder / HUB / "model.safetensors")
    torch.save(state, folder / HUB / "pytorch_model.bin")
    state = shufflenet3d.ShuffleNet3D().state_dict()
    whole = {"epoch": 1, "state_dict": {f"module.{key}": state[key] for key in state}}
    torch.save(whole, folder / "kinetics.pth")
    return folder


def fetch(spec: dict, folder, mirror=None) -> Weights:
    return weights_fetch.fetch(WeightsSource(**spec), folder, mirror)


def message_of(spec, folder, mirror=None) -> str:
    with pytest.raises(UserError) as caught:
        fetch(spec, folder, mirror)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def of_file(path) -> dict:
    return {"model": TORCHVISION, "sha256": sha256_of(path)}


def test_a_mirror_is_read_once_and_a_cut_download_is_continued(hub, published, tmp_path):
    hub.files[FILE] = (published / FILE).read_bytes()
    spec = of_file(published / FILE)
    hub.stop = 100_000
    assert "run the same command again" in message_of(spec, tmp_path, hub.url)
    hub.stop = None
    weights = fetch(spec, tmp_path, hub.url + "/")
    assert hub.requests[-1] == ("GET", FILE, 100_000)
    assert (tmp_path / FILE).read_bytes() == hub.files[FILE]
    assert (weights.sha256, weights.bytes) == (spec["sha256"], len(hub.files[FILE]))
    count = len(hub.requests)
    assert fetch(spec, tmp_path, hub.url) == weights and len(hub.requests) == count


def test_a_file_must_have_the_hash_in_its_name(hub, published, tmp_path):
    """These weights are not those that torchvision published under this name."""
    hub.files[FILE] = (published / FILE).read_bytes()
    for mirror in (hub.url, str(published)):
        assert "should be f707e7126e" in message_of({"model": TORCHVISION}, tmp_path, mirror)
        assert not list(tmp_path.iterdir())


def test_a_file_must_have_the_hash_that_the_hub_reports(hub, published, tmp_path, monkeypatch):
    monkeypatch.setattr(timm_nets, "hf_hub_url", partial(timm_nets.hf_hub_url, endpoint=hub.url))
    data = (published / HUB / "model.safetensors").read_bytes()
    hub.files["cdn/model.safetensors"], hub.etag = data, "0" * 64
    assert f"should be {'0' * 64}" in message_of({"model": TIMM}, tmp_path)
    hub.etag = hashlib.sha256(data).hexdigest()
    weights = fetch({"model": TIMM}, tmp_path)
    assert weights.sha256 == hub.etag and weights.name == "resnet10t.c3_in1k"
    assert weights.file == str(tmp_path / HUB / "model.safetensors")
    assert weights.source == f"{hub.url}/{HUB}/resolve/main/model.safetensors"


def test_a_model_without_safetensors_is_fetched_as_a_pytorch_file(hub, published, tmp_path):
    hub.files[f"{HUB}/pytorch_model.bin"] = (published / HUB / "pytorch_model.bin").read_bytes()
    weights = fetch({"model": TIMM}, tmp_path, hub.url)
    assert weights.file.endswith("pytorch_model.bin")
    both = message_of({"model": TIMM}, tmp_path / "other", hub.url + "/nothing")
    assert "model.safetensors" in both and "pytorch_model.bin" in both and "weights_from" in both


def test_a_refused_file_is_not_kept_and_a_mended_one_is_fetched(published, tmp_path):
    mirror = tmp_path / "mirror"
    file = mirror / HUB / "model.safetensors"
    file.parent.mkdir(parents=True)
    state = safetensors.torch.load_file(published / HUB / "model.safetensors")
    odd = {name: value * float("nan") for name, value in state.items() if value.is_floating_point()}
    safetensors.torch.save_file(state | odd, file)
    assert "NaN or infinity" in message_of({"model": TIMM}, tmp_path / "kept", str(mirror))
    assert not [path for path in (tmp_path / "kept").rglob("*") if path.is_file()]
    assert "NaN or infinity" in message_of({"model": TIMM, "file": str(file)}, tmp_path)
    assert file.is_file()  # the user's own
    safetensors.torch.save_file(state, file)
    assert fetch({"model": TIMM}, tmp_path / "kept", str(mirror)).sha256 == sha256_of(file)


@pytest.mark.parametrize(
    "model, path",
    [
        (TIMM, f"{HUB}/model.safetensors"),
        (TORCHVISION, FILE),
        ("hf/someone/small", "someone/small/model.safetensors"),
        ("hf/someone/small", "someone/small/config.json"),
    ],
)
def test_a_file_without_bound_is_not_read(model, path, tmp_path, monkeypatch):
    """A sparse file: its size is known, and nothing else may be asked."""
    mirror, file = tmp_path / "mirror", tmp_path / "mirror" / path
    file.parent.mkdir(parents=True)
    for name in ("config.json", "preprocessor_config.json"):
        file.with_name(name).write_text("{}")
    with file.open("wb") as content:
        content.truncate(34_000_000_000)
    monkeypatch.setattr("trailers12k.features.weights_download.sha256_of", lambda file: "0")
    line = message_of({"model": model}, tmp_path / "kept", str(mirror))
    assert "is no file of at most" in line and "weights_from" in line
    assert not list((tmp_path / "kept").rglob(f"{file.name}*"))
    own = {"model": model, "file": str(file)}
    assert "is no file of" in message_of(own, tmp_path) or file.suffix == ".json"


def test_without_a_network_the_error_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setattr(urllib3.util.Retry, "get_backoff_time", lambda self: 0)
    line = message_of({"model": TORCHVISION}, tmp_path, "http://127.0.0.1:9")
    assert line.startswith(
        f"backbone {TORCHVISION}: set weights_from to a folder or a mirror that has {FILE}, or set "
        f"weights: random; cause: http://127.0.0.1:9/{FILE}: network: Failed to establish"
    )
    assert "Max retries" not in line and line.count(TORCHVISION) == 1


@pytest.mark.parametrize("model", ["timm/resnet51", "torchvision/resnet51"])
def test_an_unknown_model_is_refused_with_the_command_that_lists_them(model, tmp_path):
    with pytest.raises(UserError, match=f"^backbone {model}: .*; trailers12k backbones FILTER"):
        weights_fetch.fetch(WeightsSource(model), tmp_path)


def test_a_folder_replaces_the_network(published, tmp_path):
    weights = fetch({"model": TIMM}, tmp_path, str(published))
    assert weights.sha256 == sha256_of(published / HUB / "model.safetensors")
    line = message_of({"model": TIMM}, tmp_path / "other", str(tmp_path / "nowhere"))
    assert f"there is no file {tmp_path}/nowhere/{HUB}/model.safetensors" in line


@pytest.mark.parametrize("model", [TORCHVISION, TIMM, MODEL_3D])
def test_the_fetched_weights_are_those_of_the_network(model, published, tmp_path):
    if model == TIMM:
        weights = fetch({"model": model}, tmp_path, str(published))
        module = timm.create_model("resnet10t", num_classes=0)
        state = safetensors.torch.load_file(weights.file)
        module.load_state_dict(state, strict=False)
    else:
        file = published / {TORCHVISION: FILE, MODEL_3D: "kinetics.pth"}[model]
        weights = fetch({"model": model, "file": str(file)}, tmp_path)
        state = torch.load(file)
    kind = "clips" if model == MODEL_3D else "frames"
    spec = {"model": model, "weights": "pretrained", "input": kind, "precision": "fp32"}
    backbone = loading.load(BackboneSpec(**spec), 0, weights)
    ours = backbone._module.state_dict()
    state = {
        key.removeprefix("module."): value for key, value in state.get("state_dict", state).items()
    }
    assert all(torch.equal(ours[key].cpu(), state[key]) for key in ours)
    assert backbone.attributes["weights_sha256"] == weights.sha256
    assert backbone.attributes["pretrained"] is True
    assert backbone(np.zeros((1, 8, 32, 32, 3), np.uint8)).shape == (1, backbone.num_features)


@pytest.mark.parametrize("model", [TORCHVISION, TIMM, MODEL_3D])
def test_files_with_other_contents_are_refused(model, tmp_path):
    torch.save({"conv.weight": torch.zeros(1)}, tmp_path / "other.pth")
    torch.save({"state_dict": {"module.conv1.0.weight": torch.zeros(1)}}, tmp_path / "more.pth")
    (tmp_path / "page.pth").write_text("<html>")
    (tmp_path / "page.safetensors").write_text("<html>")
    (tmp_path / "empty.pth").touch()
    torch.save(torch.zeros(3), tmp_path / "tensor.pth")
    for file in sorted(tmp_path.iterdir()):
        assert "does not hold its weights" in message_of(
            {"model": model, "file": str(file)}, tmp_path
        )


@pytest.mark.parametrize("model", [TORCHVISION, TIMM, MODEL_3D])
def test_no_code_of_a_file_is_run(model, tmp_path):
    class Hostile:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    with (tmp_path / "hostile.pth").open("wb") as file:
        pickle.dump({"state_dict": Hostile()}, file)
    torch.save({"state_dict": Hostile()}, tmp_path / "hostile.bin")
    for name in ("hostile.pth", "hostile.bin"):
        message_of({"model": model, "file": str(tmp_path / name)}, tmp_path)
    assert not (tmp_path / "ran").exists()


def test_the_users_own_file_must_exist_and_stay_unchanged(published, tmp_path):
    line = message_of({"model": MODEL_3D, "file": "none.pth"}, tmp_path)
    assert f"there is no file {Path.cwd()}/none.pth; the path in file starts in" in line
    assert "github.com/okankop" in line
    line = message_of({"model": TORCHVISION, "file": "none.pth"}, tmp_path)
    assert "leave file out" in line and "torchvision publishes" not in line
    assert "no checkpoint is named" in message_of({"model": MODEL_3D}, tmp_path)
    assert "should be 0123" in message_of(
        {"model": MODEL_3D, "file": str(published / "kinetics.pth"), "sha256": "01234567"}, tmp_path
    )
    own = tmp_path / "own.pth"
    own.write_bytes((published / "kinetics.pth").read_bytes())
    weights = fetch({"model": MODEL_3D, "file": str(own)}, tmp_path)
    own.write_bytes(b"other")
    spec = {"model": MODEL_3D, "weights": "pretrained", "input": "clips"}
    with pytest.raises(UserError, match="gone or changed.*fetch_weights"):
        loading.load(BackboneSpec(**spec), 0, weights)


def test_records_are_shared_by_stores_of_the_same_weights(tmp_path):
    assert weights_key({"model": TIMM, "batch": 1}) == weights_key({"model": TIMM, "size": 64})
    assert weights_key({"model": TIMM, "file": "a"}) != weights_key({"model": TIMM, "file": "b"})
    assert weights_key({"model": TIMM, "file": "../a b"}).startswith("timm.resnet10t.c3_in1k.")
    with pytest.raises(FileNotFoundError):
        read_weights(tmp_path / "none.json")


def test_every_run_tries_again_while_weights_are_missing(tmp_path, monkeypatch):
    """The param of fetch_weights grows before each run, and stays once they are there."""
    monkeypatch.chdir(tmp_path)
    record = record_of("m")
    assert attempts("m") == 0 and not missing_weights(record)
    for count in (1, 2):
        write_missing(record, "m", "no network")
        assert attempts("m") == count
        record_attempts("m", count)
    with pytest.raises(UserError, match="no network"):
        read_weights(record)
    weights = Weights("m", "n", "f", "s", "0", 1)
    write_weights(record, weights)
    assert read_weights(record) == weights and attempts("m") == 2


def test_all_weights_are_listed_or_the_missing_ones_named(tmp_path):
    there, gone, table = (tmp_path / name for name in ("a.json", "b.json", "table.csv"))
    write_weights(there, Weights("m", "n", "f", "s", "0", 1))
    list_weights([there], table)
    assert table.read_text() == "model,name,bytes,sha256\nm,n,1,0\n"
    write_missing(gone, "m", "no network")
    with pytest.raises(UserError, match=r"^weights are missing \(and 1 more\): no network$"):
        list_weights([gone, there, gone], table)
