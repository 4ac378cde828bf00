"""What is planned for groups of stores."""

import re
import shutil

import yaml

from .conftest import IMAGE, ROOT, TINY, VIDEO, Project

MOST_JOBS = 720
"""Of the full preset, whatever the number of movies."""


def test_the_full_preset_plans_five_jobs_for_a_shard(tmp_path):
    project = Project(tmp_path / "project", {})
    preset = (ROOT / "presets/trailers12k.yaml").read_text()
    preset = preset.replace("\nmovies: trailers12k\n", "\nmovies: movies.csv\n")
    project.config = yaml.safe_load(preset)
    rows = (f"tt{n:07},Movie {n},2001,drama,{n:011},https://h/{n}.jpg" for n in range(1000))
    table = "\n".join(["mid,title,year,genres,youtube_id,poster_url", *rows])
    (project.folder / "movies.csv").write_text(table + "\n")
    text = project.build("-n", "--quiet", "rules").text
    counts = {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", text, re.M)}
    assert counts["extract_features"] == counts["extract_posters"] == counts["detect_clips"] == 128
    assert counts["total"] <= MOST_JOBS


def test_every_group_has_what_a_profile_says_of_extract_features(tmp_path):
    project = Project(tmp_path / "project", TINY | {"features": {"groups": "each"}})
    shutil.rmtree(project.folder / "profiles")
    given = ["--set-threads", "extract_features=2", "--set-resources"]
    given += ["extract_features:mem_mb=24000", f"extract_{VIDEO}:mem_mb=7000"]
    text = project.build("-n", *given).text
    for store, memory in ((IMAGE, 24000), (VIDEO, 7000)):
        blocks = re.findall(rf"^rule extract_{store}:\n((?: .*\n)+)", text, re.M)
        assert len(blocks) == 2
        assert all(f"mem_mb={memory}," in block and "threads: 2\n" in block for block in blocks)
