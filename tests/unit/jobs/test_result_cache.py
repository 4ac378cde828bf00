"""Results that are put back, in a folder with one job: it doubles the content of its input."""

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from trailers12k.common import content_hashes
from trailers12k.common.content_hashes import content_of
from trailers12k.common.files import partial_of
from trailers12k.jobs import result_cache
from trailers12k.jobs.context import run_job
from trailers12k.jobs.outcome import read_outcome
from trailers12k.jobs.result_cache import Reuse


class Named(list):
    """A list whose elements have names, as Snakemake's."""

    def __init__(self, **named):
        super().__init__(named.values())
        self._named = named

    def items(self):
        return self._named.items()


class Job:
    """A job of Snakemake whose work is counted."""

    rule, log, output = "double", ["logs/double/000.log"], ["out/a.txt"]

    def __init__(self):
        self.input = Named(source="in.txt")
        self.params = Named(code="1", repairs=0)
        self.wildcards = Named(shard="000")
        self.worked = 0

    def work(self) -> None:
        self.worked += 1
        Path("out").mkdir(exist_ok=True)
        Path("out/a.txt").write_text(2 * Path("in.txt").read_text())

    def run(self, reuse: Reuse | None = None) -> bool:
        """Run the job as Snakemake does; whether it worked."""
        before = self.worked
        shutil.rmtree("out", ignore_errors=True)
        run_job(self, self.work, reuse or Reuse(ignored=["repairs"]))
        assert Path("out/a.txt").read_text() == 2 * Path("in.txt").read_text()
        outcome = read_outcome(self.log[0])
        assert outcome.ended and outcome.unchanged == bool(outcome.cost) == (self.worked == before)
        return self.worked > before


@pytest.fixture
def job(tmp_path, monkeypatch) -> Job:
    monkeypatch.setattr("trailers12k.jobs.context._end_with", lambda parent, done: None)
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    (tmp_path / "run").mkdir()
    monkeypatch.chdir(tmp_path / "run")
    Path("in.txt").write_text("a")
    job = Job()
    assert job.run()
    return job


def entries() -> Sequence[Path]:
    return sorted(Path("build/cache/results/double/000").glob("*.json"))


def test_the_same_content_works_once(job):
    os.utime("in.txt", (1, 1))
    assert not job.run()
    job.params = Named(code="1", repairs=7)
    assert not job.run()
    outcome = read_outcome(job.log[0])
    assert set(outcome.cost) == {"seconds", "cpu_seconds", "max_rss_mb"}
    assert "put back" in Path(job.log[0]).read_text()
    assert len(entries()) == 1


def test_another_content_or_setting_works_again_and_the_first_stays(job):
    Path("in.txt").write_text("b")
    assert job.run()
    job.params = Named(code="2", repairs=0)
    assert job.run()
    Path("in.txt").write_text("a")
    job.params = Named(code="1", repairs=0)
    assert not job.run()
    job.wildcards = Named(shard="001")
    assert job.run()


def test_the_content_of_other_reads_counts_and_that_of_implied_ones_does_not(job):
    Path("more").mkdir()
    reuse = Reuse(reads=["more", "none.txt"], implied=["out"])
    for name, text in (("more/a", "1"), ("more/a", "2"), ("more/b", "2"), ("none.txt", "")):
        Path(name).write_text(text)
        assert job.run(reuse) and not job.run(reuse)
    os.remove("more/b")
    assert job.run(reuse)


def test_a_column_that_is_ignored_does_not_count(job):
    reuse = Reuse(ignored_columns=["attempts"])
    for text, works in (
        ("mid,attempts,status\na,1,ok\n", True),
        ("mid,attempts,status\na,2,ok\n", False),
        ("mid,attempts,status\na,2,failed\n", True),
        ("mid,status\na,failed\n", False),
        ("mid,state\na,failed\n", True),
        ('mid,attempts\n"', True),
        ('mid,attempts\n"a', True),
    ):
        Path("in.csv").write_text(text)
        job.input = Named(source="in.txt", table="in.csv")
        assert job.run(reuse) is works, text
    Path("in.csv").write_bytes(b"mid\n\xff\n")
    assert job.run(reuse) and not job.run(reuse)


def test_a_side_product_that_was_lost_or_changed_is_made_again(job):
    def work():
        Job.work(job)
        Path("build/side").mkdir(exist_ok=True)
        Path("build/side/a").write_text("made")

    job.work = work
    for reuse in (Reuse(made=["build/side"]), Reuse(made=lambda: ["build/side/a"])):
        shutil.rmtree("build/cache")
        assert job.run(reuse) and not job.run(reuse)
        Path("build/side/a").write_text("x")
        assert job.run(reuse) and not job.run(reuse)
        shutil.rmtree("build/side")
        assert job.run(reuse) and not job.run(reuse)
    reuse = Reuse(made_on_demand=["build/side/a"])
    shutil.rmtree("build/cache")
    assert job.run(reuse)
    os.remove("build/side/a")
    assert not job.run(reuse), "who needs it makes it"
    Path("build/side/a").write_text("x")
    assert job.run(reuse), "but never another one"
    assert job.run(Reuse(made_on_demand=["build/side/a"], is_sound=lambda: False))


def test_a_renamed_and_a_copied_folder_find_everything(job, monkeypatch):
    job.input = Named(source=os.path.abspath("in.txt"))
    assert not job.run(), "an absolute path inside the folder is a relative one"
    os.rename("../run", "../renamed")
    shutil.copytree("../renamed", "../copied")
    for folder in ("../renamed", "../copied"):
        monkeypatch.chdir(folder)
        job.input = Named(source="in.txt")
        assert not job.run()


def test_a_failed_job_keeps_no_result(job):
    def fail():
        raise ValueError("odd")

    Path("in.txt").write_text("b")
    with pytest.raises(SystemExit):
        run_job(job, fail)
    assert len(entries()) == 1
    assert job.run()


@pytest.mark.parametrize("forced", ["*", "double", "out/a.txt"])
def test_what_the_user_forces_works(job, monkeypatch, forced):
    monkeypatch.setenv(result_cache.FORCED, json.dumps([forced, "other"]))
    assert job.run()
    monkeypatch.setenv(result_cache.FORCED, json.dumps(["other"]))
    assert not job.run()


def test_a_target_can_be_forced_and_a_path_spelt_otherwise(job, monkeypatch):
    monkeypatch.setenv(result_cache.FORCED, "[]")
    settings = SimpleNamespace(forceall=False, forcerun=set(), forcetargets=False)
    settings.targets = {"out/a.txt"}
    for change in ({"forcetargets": True}, {"forcetargets": False, "forcerun": {"x/../out/a.txt"}}):
        vars(settings).update(change)
        result_cache.record_forced(settings)
        assert job.run()
    settings.forcerun = set()
    result_cache.record_forced(settings)
    assert not job.run()


def test_a_result_of_an_input_that_changed_meanwhile_is_not_kept(job):
    work = job.work

    def work_and_edit() -> None:
        Path("in.txt").write_text("c")
        work()

    Path("in.txt").write_text("b")
    job.work = work_and_edit
    assert job.run()
    assert "changed while the job ran" in Path(job.log[0]).read_text()
    job.work = work
    Path("in.txt").write_text("b")
    assert job.run()


def test_the_current_result_is_named(job):
    [first] = entries()
    Path("in.txt").write_text("b")
    assert job.run()
    [second] = set(entries()) - {first}
    current = first.with_name(result_cache.CURRENT)
    assert current.read_text() == second.name
    Path("in.txt").write_text("a")
    assert not job.run()
    assert current.read_text() == first.name


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "7",
        "[" * 100_000,
        '{"cost": 1}',
        '{"cost": {"other": 1}, "outputs": {}, "made": {}}',
        '{"cost": {}, "outputs": {"out/a.txt": 1}, "made": {}}',
    ],
)
def test_an_entry_that_cannot_be_used_is_none(job, text):
    [entry] = entries()
    sound = json.loads(entry.read_text())
    entry.write_text(text)
    assert job.run() and not job.run()
    again = json.loads(entry.read_text())
    assert (again["outputs"], again["made"]) == (sound["outputs"], sound["made"])


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": {"../a.txt": "0" * 64}},
        {"outputs": {"out/a.txt": "../../../in.txt"}},
        {"outputs": {"out/a.txt": "0" * 64}},
        {"outputs": []},
        {"made": {"/etc/passwd": None}},
        {"made": {"../outside": None}},
        {"made": {"a\0b": None}},
        {"made": ["in.txt"]},
        {"cost": {"seconds": "x", "cpu_seconds": 1, "max_rss_mb": 1}},
        {"cost": {"seconds": 10**400, "cpu_seconds": 1, "max_rss_mb": 1}},
    ],
)
def test_an_entry_with_hostile_values_is_none(job, change):
    [entry] = entries()
    entry.write_text(json.dumps(json.loads(entry.read_text()) | change))
    assert job.run() and not job.run()
    assert not Path("../a.txt").exists()


@pytest.mark.parametrize("damage", [b"", b"xx", None])
def test_a_kept_file_that_is_damaged_or_gone_is_made_again(job, damage):
    [kept] = Path("build/cache/files").iterdir()
    kept.unlink() if damage is None else kept.write_bytes(damage)
    assert job.run() and not job.run()
    assert kept.read_bytes() == b"aa"


def test_links_that_leave_the_folder_are_not_followed(job, tmp_path):
    shutil.rmtree("build/cache")
    (tmp_path / "outside").mkdir()
    Path("build").mkdir(exist_ok=True)
    Path("build/cache").symlink_to(tmp_path / "outside", target_is_directory=True)
    assert job.run()
    assert not list((tmp_path / "outside").rglob("*"))
    assert "is finished, but not kept" in Path(job.log[0]).read_text()


def test_a_full_disk_fails_no_finished_job_and_warns_once(job, monkeypatch):
    def full(path, value):
        raise OSError(28, "No space left on device")

    Path("in.txt").write_text("b")
    for module in (result_cache, content_hashes):
        monkeypatch.setattr(module, "write_json", full)
    assert job.run()
    outcome = read_outcome(job.log[0])
    assert len(outcome.warnings) == 1 and "No space left" in outcome.warnings[0]


def test_a_cache_that_may_not_be_written_is_named_without_a_temporary_name(job, monkeypatch):
    def refuse(path):
        error = errno.EACCES, "Permission denied", str(partial_of(path))
        raise PermissionError(*error)

    Path("in.txt").write_text("b")
    monkeypatch.setattr(result_cache, "replacing", refuse)
    assert job.run()
    (warning,) = read_outcome(job.log[0]).warnings
    assert ": build/cache/files/" in warning and ".partial" not in warning
    assert warning.endswith(
        ": Permission denied in the folder build/cache/files; see to it, then run again"
    )


def test_a_large_file_is_read_once(job, monkeypatch):
    Path("big").write_bytes(bytes(content_hashes.SMALL))
    Path("folder").mkdir()
    Path("folder/big").write_bytes(bytes(content_hashes.SMALL + 1))
    first = content_of("big"), content_of("folder")
    read = []
    whole = content_hashes._sha256
    monkeypatch.setattr(content_hashes, "_sha256", lambda path: read.append(path) or whole(path))
    assert (content_of("big"), content_of("folder")) == first and not read
    Path("folder/small").write_text("x")
    assert content_of("folder") != first[1]
    os.utime("big", (1, 1))
    assert content_of("big") == first[0]
    assert read == ["folder/small", "big"]
    for record in Path("build/cache/hashes").glob("*"):
        record.write_text('{"path": "big", "files": {"": [1]}}')
    assert content_of("big") == first[0]
    assert content_of("none") is None and content_of("/dev/null") is None


def test_the_look_up_imports_nothing_slow():
    code = "import sys; import trailers12k.jobs.context; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    slow = {"numpy", "pandas", "torch", "zarr", "yaml", "tqdm", "pydantic", "altair"}
    assert not slow & set(done.stdout.split())


@pytest.fixture(autouse=True)
def _restored_logging():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
