"""Three jobs of one shard at once; `make twins` does the same with every rule and many delays."""

import re

from .conftest import ROOT, Project
from .twins import JOBS, run_together

KIND = r"^ *(?:rule|checkpoint)\b"
RULE = re.compile(rf"{KIND} ?(\w*):\n(.*?)(?={KIND}|\Z)", re.M | re.S)
OUTPUT = re.compile(r"^ +output:\n(.*?)^ +log:", re.M | re.S)


def rules_of_a_shard():
    """The rules whose outputs are those of a shard."""
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for name, block in RULE.findall(file.read_text()):
            output = OUTPUT.search(block)
            if output and "{shard}" in output[1]:
                yield name or file.stem


def test_every_rule_of_a_shard_is_started_three_times():
    named = {"extract_features" if name == "features" else name for name in rules_of_a_shard()}
    assert len(named) >= 5
    assert named <= {job.rule for job in JOBS}


def test_three_jobs_at_once_make_what_one_makes(sample, tmp_path):
    project = Project.copied(sample.folder, tmp_path / "project")
    [job] = [each for each in JOBS if each.rule == "detect_clips"]
    assert run_together(project, job, (0, 0, 0.5)) == []
