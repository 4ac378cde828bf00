"""This workflow in another folder, as a module of another Snakefile, and in the catalog."""

import csv
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from trailers12k.cli.init import init
from trailers12k.common.vocabulary import GENRES
from trailers12k.settings import Settings
from trailers12k.splits.assignment import split_table

from .conftest import ROOT

MOVIES = 60
BLOCK = re.compile(r"^```(?:python|yaml) title=\"(\S+)\"\n(.*?)^```$", re.M | re.S)


def snakemake(folder: Path, *arguments: str) -> str:
    """What Snakemake prints in a folder; it must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--cores", "2", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-3000:]
    return done.stdout


@pytest.fixture
def caller(tmp_path) -> Path:
    """A folder with the files that docs/modules.md shows, and a movie table."""
    page = (ROOT / "docs" / "modules.md").read_text()
    texts: dict[str, str] = {}
    for name, text in BLOCK.findall(page):
        texts[name] = texts.get(name, "") + text.replace("/path/to/trailers12k", str(ROOT)) + "\n"
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    chance = random.Random(1)
    genres = ["|".join(sorted(chance.sample(GENRES, 2))) for _ in range(MOVIES)]
    lines = [f"tt{n:07},Movie {n},2001,{each},,," for n, each in enumerate(genres, 1)]
    head = "mid,title,year,genres,youtube_id,trailer_url,poster_url"
    (tmp_path / "movies.csv").write_text("\n".join([head, *lines]) + "\n")
    return tmp_path


def test_another_snakefile_uses_all_rules_and_replaces_one(caller):
    planned = snakemake(caller, "--dry-run", "trailers12k_all")
    assert re.search(r"^trailers12k_train_run +3$", planned, re.M)
    assert re.search(r"^trailers12k_write_config +1$", planned, re.M)
    assert not (caller / "data").exists()
    ran = snakemake(caller, "count_movies")
    assert "rule trailers12k_make_splits:" in ran
    assert int((caller / "counts.txt").read_text().split()[0]) == MOVIES + 1
    # The seed that replaces the configuration's.
    with (caller / "data" / "mtgc.csv").open() as file:
        rows = list(csv.reader(file))
    with (caller / "labels.csv").open("w") as file:
        csv.writer(file).writerows(row[:-3] for row in rows)
    for seed in (7, Settings().seed):
        split_table(caller / "labels.csv", caller / "expected.csv", seed)
        with (caller / "expected.csv").open() as file:
            assert ([row[-3:] for row in csv.reader(file)] == [row[-3:] for row in rows]) is (
                seed == 7
            )


def test_a_key_of_ours_in_a_module_has_its_default_from_the_settings(caller):
    config = yaml.safe_load((caller / "config.yaml").read_text())
    assert "seed" not in config["trailers12k"]
    config["trailers12k"]["typo"] = 1
    (caller / "config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(AssertionError, match=r"config: typo: unknown key"):
        snakemake(caller, "--dry-run", "trailers12k_splits")


def test_a_collection_is_run_from_the_clone_by_its_folder(tmp_path):
    folder = tmp_path / "my-movies"
    init(folder)
    planned = snakemake(ROOT, "--dry-run", "--directory", str(folder))
    assert re.search(r"^collect_movies +1$", planned, re.M)  # movies.csv and a search
    assert not re.search(r"^render_sample ", planned, re.M)
    made = {path.name for path in folder.iterdir()} - {".snakemake"}
    assert made == {"config.yaml", "movies.csv"}


def test_the_catalog_finds_what_it_reads():
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage.keys() == {"mandatory-flags", "software-stack-deployment"}
    assert usage["software-stack-deployment"]["conda"] is (ROOT / "envs").is_dir()
    assert not (ROOT / "workflow").exists()  # the catalog would look for the Snakefile there
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme and "workflow" in readme
    assert (ROOT / "config" / "README.md").is_file() and [*(ROOT / "rules").glob("*.smk")]
