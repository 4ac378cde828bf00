"""`snakemake publish`: the folder of a publication, whole or as it was."""

import subprocess

from .conftest import Project


def test_a_publication_is_made_once_and_again_when_it_was_changed(tmp_path, sample):
    project = Project.copied(sample.folder, tmp_path / "project")
    run = project.run("publish")
    assert run.code == 0, run.text[-3000:]
    assert set(run.jobs) <= {"publish_dataset", "publish"}
    folder = project.folder / "publication"
    before = (folder / "SHA256SUMS").read_bytes()
    (folder / "mtgc.csv").unlink()
    assert "publish_dataset" in project.run("publish").jobs
    done = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=folder)
    assert done.returncode == 0 and (folder / "SHA256SUMS").read_bytes() == before
    assert "Nothing to be done" in project.run("publish").text
    assert not [*project.folder.glob("*.partial")]
