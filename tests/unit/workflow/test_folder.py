"""Which folders the Snakefile accepts."""

import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from trailers12k.common import product_records
from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of, write_json
from trailers12k.workflow import folder, run_lock


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    """An empty folder, which is the working directory."""
    here = tmp_path / "project"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def keep_state(content=b"a state"):
    """What a snapshot leaves: the state, and its hash."""
    folder.STATE.parent.mkdir(exist_ok=True)
    folder.STATE.write_bytes(content)
    folder.RESTORED.write_text(f"{sha256_of(folder.STATE)}\nnow\n")


@pytest.mark.parametrize("kind", folder.KINDS)
def test_an_empty_folder_and_one_without_a_record_take_every_collection(project, kind):
    folder.check(kind)
    (project / "data").mkdir()
    (project / "data" / "movies.csv").write_text("mid\n")
    folder.check(kind)
    assert sorted(project.rglob("*")) == [project / "data", project / "data/movies.csv"]


@pytest.mark.parametrize("kind", folder.KINDS)
@pytest.mark.parametrize("present", folder.KINDS)
def test_another_kind_of_collection_is_refused_in_one_line(present, kind):
    folder.write_collection(present)
    if present == kind:
        folder.check(kind)
        return
    with pytest.raises(UserError) as raised:
        folder.check(kind)
    message = str(raised.value)
    assert "\n" not in message
    assert f"holds {folder.KINDS[present]}, but the configuration names {folder.KINDS[kind]}" in (
        message
    )
    assert "trailers12k init DIR" in message and "undo the change of config.yaml" in message


def test_a_moved_or_copied_folder_passes(project, tmp_path, monkeypatch):
    folder.write_collection("own")
    keep_state()
    copy = shutil.copytree(project, tmp_path / "copy")
    moved = project.rename(tmp_path / "moved")
    for each in (copy, moved):
        monkeypatch.chdir(each)
        folder.check("own")


def test_a_state_that_build_does_not_belong_to_is_refused():
    keep_state()
    folder.check("own")
    folder.STATE.write_bytes(b"the state of another version")
    with pytest.raises(UserError, match="build/ belongs to another version than data/.*restore$"):
        folder.check("own")


def test_a_fresh_clone_after_dvc_pull_is_refused_until_it_is_restored():
    keep_state()
    folder.RESTORED.unlink()
    with pytest.raises(UserError, match="trailers12k restore$"):
        folder.check("sample")


def test_a_restore_that_was_cut_off_is_refused():
    keep_state()
    folder.RESTORED.write_text("begun\n")
    with pytest.raises(UserError, match="trailers12k restore$"):
        folder.check("sample")


def test_beside_a_run_the_version_passes_and_another_kind_does_not():
    folder.write_collection("own")
    keep_state()
    folder.STATE.write_bytes(b"the state of another version")
    run_lock.LOCKS.mkdir(parents=True)
    (run_lock.LOCKS / "0.input.lock").touch()
    folder.check("own")
    with pytest.raises(UserError, match="holds a collection of your own movies"):
        folder.check("sample")


def test_an_equal_record_keeps_its_file_and_another_replaces_it():
    folder.write_collection("sample")
    before = folder.COLLECTION.stat()
    folder.write_collection("sample")
    assert folder.COLLECTION.stat() == before
    folder.write_collection("own")
    assert folder.collection() == "own"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"collection": "mine"}', '{"collection": []}'])
def test_a_damaged_record_is_refused_in_one_line(text):
    folder.COLLECTION.parent.mkdir()
    folder.COLLECTION.write_text(text)
    with pytest.raises(UserError, match="^build/collection.json.*delete") as raised:
        folder.check("own")
    assert "\n" not in str(raised.value)


def test_reading_a_folder_imports_the_standard_library_only():
    code = (
        "import sys; before = set(sys.modules); import trailers12k.workflow.folder; "
        "tops = {name.partition('.')[0] for name in set(sys.modules) - before}; "
        "print(*sorted(tops - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["trailers12k"]


def test_a_product_that_is_a_link_to_nothing_is_refused():
    path = Path("data/metadata.json")
    write_json(path, {})
    product_records.record(path)
    folder.check_links()
    path.unlink()
    folder.check_links()
    path.symlink_to(path.name)
    message = (
        "^data/metadata.json is a link to nothing; move it aside: trailers12k verify --repair$"
    )
    with pytest.raises(UserError, match=message):
        folder.check_links()


def test_products_that_a_job_would_refuse_end_the_run_before_it_starts():
    for name in ("a.csv", "b.csv"):
        Path(name).write_text("mid\n")
        product_records.record(name)
        Path(name).write_text("edited\n")
    makes_a = SimpleNamespace(input=["c.csv"], output=["a.csv"])
    reads_a = SimpleNamespace(input=["a.csv"], output=["d.csv"])
    folder.check_inputs([makes_a, reads_a])
    reads_b = SimpleNamespace(input=["a.csv", "b.csv"], output=["e.csv"])
    with pytest.raises(UserError, match="b.csv is damaged or was edited"):
        folder.check_inputs(iter([makes_a, reads_b]))
