"""`trailers12k stages` and `trailers12k state`."""

import json
import tarfile

import yaml

from trailers12k import __version__


def test_the_stages_and_the_code_versions_of_a_collection_are_written(collection, call):
    (collection / ".dvc").mkdir()
    assert call("stages") == (0, "", "")
    stages = yaml.safe_load((collection / "dvc.yaml").read_text())["stages"]
    assert stages["features"]["cmd"] == "trailers12k run features"
    assert "movies.csv" in stages["metadata"]["deps"]
    versions = json.loads((collection / "code_versions.json").read_text())
    assert versions["package"] == __version__ and "extract_features" in versions["rules"]


def test_the_first_stage_writes_the_code_versions_alone(collection, call):
    (collection / ".dvc").mkdir()
    call("stages")
    command = yaml.safe_load((collection / "dvc.yaml").read_text())["stages"]["code"]["cmd"]
    (collection / "dvc.yaml").unlink()
    (collection / "code_versions.json").unlink()
    assert call(*command.split()[1:])[0] == 0
    assert (collection / "code_versions.json").exists()
    assert not (collection / "dvc.yaml").exists()


def test_the_last_stage_writes_the_state(collection, call):
    table = collection / "build" / "clips" / "000.csv"
    table.parent.mkdir(parents=True)
    table.write_text("mid\n")
    assert call("state")[0] == 0
    with tarfile.open(collection / "build" / "state.tar.gz") as tar:
        assert tar.getnames() == ["build/clips/000.csv"]
