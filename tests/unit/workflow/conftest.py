"""Settings and movie tables in a folder of their own; no Snakemake."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from trailers12k.settings import Settings, load

ROOT = Path(__file__).parents[3]
MIDS = [f"tt{number:07}" for number in range(1, 13)]
HEAD = "mid,title,year,genres,trailer_url\n"


class Wildcards(SimpleNamespace):
    """A job's wildcards, as input functions receive them."""

    def items(self):
        return vars(self).items()


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The working directory, with the table movies.csv."""
    monkeypatch.chdir(tmp_path)
    rows = (f"{mid},Movie {mid},1990,drama,https://h/{mid}.mp4\n" for mid in MIDS)
    (tmp_path / "movies.csv").write_text(HEAD + "".join(rows))
    return tmp_path


@pytest.fixture
def settings_of(folder):
    """Makes the settings of config.yaml with other values of some keys."""
    config = yaml.safe_load((ROOT / "config.yaml").read_text())

    def settings(**keys) -> Settings:
        return load(config | keys)

    return settings
