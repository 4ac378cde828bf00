"""The configuration that evaluates a publication."""

import pytest
import yaml

from trailers12k.common.errors import UserError
from trailers12k.publish import replication
from trailers12k.settings import load

OWN = {
    "movies": "/home/me/movies.csv",
    "seed": 7,
    "weights_from": "/home/me/weights",
    "training": {"lr": 1e-5},
    "backbones": {
        "a": {"model": "timm/resnet50.a1_in1k", "input": "frames", "file": "/home/me/own.pth"},
        "b": {"model": "timm/resnet18.a1_in1k", "input": "posters", "weights": "random"},
    },
    "runs": {
        "one": {"image": "a", "poster": "b"},
        "control": {"image": "a", "shuffle_labels": True},
    },
}
MD5 = dict.fromkeys(["mtgc.csv", "a.zarr.tar.gz", "b.zarr.tar.gz"])


def test_it_decides_the_same_results_and_names_no_path():
    own = load(OWN)
    text = replication.text(own)
    assert "/home" not in text
    again = load(yaml.safe_load(text) | {"published": {"md5": MD5}})
    assert again.is_published and again.splits == "published"
    for key in ("seed", "training", "runs", "clips", "weights", "image_frames", "precision"):
        assert getattr(again, key) == getattr(own, key), key
    assert again.compares_with_paper is own.compares_with_paper is False
    assert again.backbones["a"].file == "own.pth"
    assert again.backbone("b") == own.backbone("b")


def test_a_new_collection_reads_it_from_its_place(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text(replication.text(load(OWN)))
    text = replication.read(path, "https://example.org/files")
    values = yaml.safe_load(text)
    assert values["published"] == {"files": "https://example.org/files", "md5": None}
    assert values["runs"] == yaml.safe_load(path.read_text())["runs"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("movies: sample", "evaluates no publication"),
        ("movies: [published, /etc/passwd]", "evaluates no publication"),
        ("movies: published\nseed: x", "seed"),
        ("movies: published\nrun: x", "unknown key"),
        ("[published]", "must hold keys and values"),
    ],
)
def test_another_configuration_is_refused(tmp_path, text, words):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        replication.read(path, "..")


def test_what_a_stranger_configures_beyond_the_evaluation_is_dropped(tmp_path):
    path = tmp_path / "config.yaml"
    hostile = {"trailers": {"cookies": "/etc/passwd"}, "weights_from": "http://evil.example/"}
    path.write_text(yaml.safe_dump(yaml.safe_load(replication.text(load(OWN))) | hostile))
    text = replication.read(path, "..")
    assert "passwd" not in text and "evil" not in text
