"""dvc.yaml of several configurations, and the code versions."""

import json
from pathlib import Path

import pytest
import yaml

from trailers12k import __version__
from trailers12k.common.errors import UserError
from trailers12k.settings import load
from trailers12k.settings.files import override, read_file
from trailers12k.versions import dvc_pipeline
from trailers12k.workflow.code_versions import RESULT_MODULES

ROOT = Path(__file__).parents[3]


def pipeline(file="config.yaml", **keys):
    """The text of dvc.yaml for a configuration of this repository with other keys."""
    config = read_file(ROOT / file)
    return dvc_pipeline.pipeline_of(load(override(config, keys)))


def stages(file="config.yaml", **keys):
    return yaml.safe_load(pipeline(file, **keys))["stages"]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the default configuration, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text((ROOT / "config.yaml").read_text())
    return tmp_path


def test_the_repositorys_own_dvc_yaml_belongs_to_its_configuration(monkeypatch):
    monkeypatch.chdir(ROOT)
    assert (ROOT / "dvc.yaml").read_text() == pipeline()


def test_other_stages_replace_dvc_yaml_and_forget_the_lock(folder):
    (folder / "dvc.lock").write_text("of other stages")
    dvc_pipeline.write_pipeline(pipeline())
    assert (folder / "dvc.yaml").read_text() == (ROOT / "dvc.yaml").read_text()
    assert not (folder / "dvc.lock").exists()
    (folder / "dvc.lock").write_text("of these stages")
    dvc_pipeline.write_pipeline(pipeline())
    assert (folder / "dvc.lock").exists()


def test_every_stage_but_the_first_depends_on_one_file_of_code():
    first, *others = stages().items()
    assert first[0] == "code" and "deps" not in first[1]
    for name, stage in others:
        code = [path for path in stage["deps"] if not path.startswith(("data/", "results/"))]
        assert code in (["code_versions.json"], ["code_versions.json", "build/ledger/trailers"]), (
            name
        )


def test_code_versions_name_the_package_and_every_rule_and_keep_an_equal_file(folder):
    dvc_pipeline.write_code_versions()
    path = folder / "code_versions.json"
    before = path.stat()
    versions = json.loads(path.read_text())
    assert versions["package"] == __version__
    assert list(versions["rules"]) == sorted(RESULT_MODULES)
    dvc_pipeline.write_code_versions()
    assert path.stat() == before


def test_the_stores_of_a_preset_are_products(monkeypatch):
    monkeypatch.chdir(ROOT)
    features = stages("presets/trailers12k.yaml")["features"]
    assert features["cmd"] == "trailers12k run features"
    outs = [path for out in features["outs"] for path in out]
    assert "data/posters_i_swin.zarr" in outs
    assert "data/trailers_i_efficientnet_fpc24.zarr" not in outs


def test_only_keys_that_a_file_holds_are_parameters(folder):
    (folder / "config.yaml").write_text("movies: [sample]\nshards: 2\n")
    params = {name: stage.get("params") for name, stage in stages().items()}
    assert params["metadata"] == [{"config.yaml": ["movies", "shards"]}]
    assert params["clips"] == [{"config.yaml": ["shards"]}]
    assert params["evaluation"] == []
    assert read_file("config.yaml").keys() == {"movies", "shards"}


def test_a_table_of_the_user_is_a_dependency_and_kept_by_git(folder):
    rows = [f"tt{n:07},A movie,2001,drama,,https://example.org/{n}.mp4," for n in range(10)]
    head = "mid,title,year,genres,youtube_id,trailer_url,poster_url"
    (folder / "mine.csv").write_text("\n".join([head, *rows]) + "\n")
    assert "mine.csv" in stages(movies="mine.csv")["metadata"]["deps"]
    files = dvc_pipeline.settings_files(pipeline(movies="mine.csv"))
    assert files == ["config.yaml", "mine.csv"]
    (folder / "curation.csv").write_text("mid,decision\n")
    files = dvc_pipeline.settings_files(pipeline(movies="mine.csv"))
    assert files == ["config.yaml", "mine.csv", "curation.csv"]


def test_the_authors_features_have_no_stage_before_them(monkeypatch):
    monkeypatch.chdir(ROOT)
    own = stages("presets/published.yaml")
    assert list(own) == ["code", "features", "splits", "evaluation", "report", "state"]
    assert "data/ledger.csv" not in str(own)


def test_a_dvc_yaml_of_before_the_code_versions_names_no_code_as_the_users():
    old = {"deps": ["Snakefile", "rules", "scripts", "trailers12k", "mine.csv"], "outs": []}
    old["cmd"] = "snakemake"
    text = yaml.safe_dump({"stages": {"metadata": old | {"params": [{"config.yaml": ["seed"]}]}}})
    assert dvc_pipeline.settings_files(text) == ["config.yaml", "mine.csv"]


@pytest.mark.parametrize(
    "text",
    [
        *("", "\0", "a: [", "- 1", "stages: 5", "stages: {a: 5}", "stages: {a: {cmd: b}}"),
        *("stages: {a: {cmd: b, outs: {c: 1}}}", "stages: {a: {cmd: b, outs: [5]}}"),
        *("stages: {a: {cmd: b, outs: [], deps: [5]}}", "a: " + "[" * 10_000),
        "stages: {a: {cmd: b, outs: [{5: 6}]}}",
    ],
)
def test_a_damaged_dvc_yaml_is_refused(text):
    for read in (dvc_pipeline.products, dvc_pipeline.settings_files):
        with pytest.raises(UserError, match=r"^dvc.yaml"):
            read(text)


def test_a_damaged_dvc_yaml_is_written_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for garbage in (b"\xff\xfe\0", b""):
        Path("dvc.yaml").write_bytes(garbage)
        Path("code_versions.json").write_bytes(garbage)
        dvc_pipeline.write_pipeline("stages: {}\n")
        assert Path("dvc.yaml").read_text() == "stages: {}\n"
