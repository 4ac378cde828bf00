from pathlib import Path

import pytest

from trailers12k.publish import assembly, publication
from trailers12k.settings import load

from . import examples, finished

WRITE_WORDS = assembly.write_words


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A finished run in the current folder; its settings. Its pages are not written."""
    folder = tmp_path / "collection"
    folder.mkdir()
    monkeypatch.chdir(folder)
    finished.write_run(folder)
    monkeypatch.setattr(assembly, "write_words", lambda *_: [])
    monkeypatch.setattr(publication, "collect_facts", lambda _: examples.facts())
    model = "timm/resnet18.a1_in1k"
    return load(
        {
            "movies": "movies.csv",
            "backbones": {
                finished.CLIPS: {"model": model, "input": "frames"},
                finished.POSTERS: {"model": model, "input": "posters"},
            },
            "runs": {"tiny": {"image": finished.CLIPS}},
        }
    )


@pytest.fixture
def place(run, monkeypatch) -> Path:
    """A whole publication."""
    monkeypatch.setattr(assembly, "write_words", WRITE_WORDS)
    publication.write(run, Path("publication"), say=lambda line: None)
    return Path("publication").absolute()
