"""The display of a run, from synthetic log records, outcomes and records of movies."""

import io
import json
import logging
import re
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from trailers12k.common.files import write_csv, write_json
from trailers12k.common.movie import Movie
from trailers12k.jobs.context import QUIET
from trailers12k.jobs.outcome import Outcome, outcome_file
from trailers12k.workflow.run_display import display, views
from trailers12k.workflow.run_display.dry_run import summarize
from trailers12k.workflow.run_display.plan import (
    Movies,
    PlannedJob,
    causes_of_params,
    planned_jobs,
)
from trailers12k.workflow.run_display.progress import MOST_MESSAGES, RunProgress
from trailers12k.workflow.run_display.stages import (
    EXTRACTION,
    OF_MOVIES,
    STAGE_OF_RULE,
    place_of,
    stage_of,
)

RULES = Path(__file__).parents[3] / "rules"
TITLES = {f"tt000000{number}": f"Movie {number}" for number in range(1, 6)}
MIDS = tuple(TITLES)
TRAILERS = PlannedJob(
    "1", "download_trailers", "trailers", 2, "download_trailers 001", MIDS, ("new",), "logs/t.log"
)
MERGE = PlannedJob("2", "merge_clips", "clips", 4, "merge_clips", log="logs/m.log")
NONE = {"kept": 0, "failed": 0, "skipped": 0}
WORDS = display.Words(("Nothing to be done.", "Stopping."), "Exiting because a job failed.")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(QUIET, "")
    monkeypatch.setattr(display, "_registered", None)
    monkeypatch.setattr(display, "_display", None)
    yield tmp_path
    logger = logging.getLogger(display.LOGGER)
    for each in [*logger.filters]:
        logger.removeFilter(each)


def write_outcome(log="logs/t.log", **values):
    write_json(outcome_file(log), vars(Outcome(**({"records": ["build/trailers"]} | values))))


def write_record(mid, status="ok", **row):
    row = {"mid": mid, "status": status} | row
    write_json(f"build/trailers/{mid}.json", {"row": row, "time": time.time()})


def progress(*jobs):
    running = RunProgress()
    running.plan(jobs, TITLES)
    return running


def shown(running):
    return [views.in_words(stage) for stage in running.stages()]


def test_every_rule_has_a_stage():
    text = "".join(path.read_text() for path in RULES.glob("*.smk"))
    rules = set(re.findall(r"^ *(?:rule|checkpoint) (\w+):", text, re.M)) | {EXTRACTION}
    assert rules == set(STAGE_OF_RULE) and set(OF_MOVIES) < rules


def test_stages_are_in_the_order_of_the_flow():
    groups = {"extract_features": "trailers", "s": "trailers", "extract_t": "t", "t": "t"}
    assert stage_of("extract_features", {"shard": "001"}, groups) == "features of trailers"
    assert stage_of("merge_store", {"store": "s"}, groups) == "features of trailers"
    assert stage_of("extract_t", {"shard": "001"}, groups) == "features of t"
    assert stage_of("fetch_store", {"store": "u"}, groups) == "features of u"
    assert stage_of("their_rule", {}) == "their_rule"
    order = ["list_movies", "download_trailers", "detect_clips", "merge_store", "train_run"]
    places = [place_of(rule) for rule in [*order, "summarize_results", "draw_report", "their_rule"]]
    assert places == sorted(set(places))


def test_movies_inside_a_job_come_from_their_records():
    running = progress(TRAILERS)
    assert shown(running) == ["0 of 5 movies"]
    running.start("1")
    counts = {"kept": 1, "failed": 0, "skipped": 1}
    write_outcome(todo=MIDS[2:], counts=counts, began=time.time() - 60)
    assert running.look() == [] and shown(running) == ["1 of 5 movies, 1 skipped, 1 checked"]
    write_record(MIDS[2])
    write_record(MIDS[3], "failed", reason="truncated", detail="the end is missing")
    expected = "failed: trailers: Movie 4 (tt0000004): truncated: the end is missing"
    assert running.look() == [expected]
    assert running.look() == [], "once"
    assert shown(running) == ["2 of 5 movies, 1 failed, 1 skipped, 1 checked"]
    write_record(MIDS[4])
    counts = {"computed": 2, "kept": 1, "failed": 1, "skipped": 1}
    write_outcome(todo=MIDS[2:], counts=counts, ended=True)
    assert running.finish("1") == []
    assert shown(running) == ["3 of 5 movies, 1 failed, 1 skipped, 1 checked"]
    assert running.stages()[0].finished


def test_a_record_of_an_earlier_attempt_does_not_count():
    write_record(MIDS[0], "failed", reason="network")
    running = progress(TRAILERS)
    running.start("1")
    write_outcome(todo=MIDS, counts=NONE, began=time.time() + 60)
    assert running.look() == [] and shown(running) == ["0 of 5 movies"]


def test_a_job_that_found_its_result_unchanged_is_checked():
    running = progress(TRAILERS, MERGE)
    for number in "12":
        running.start(number)
    write_outcome(
        counts={"computed": 0, "kept": 5, "failed": 0, "skipped": 0}, unchanged=True, ended=True
    )
    write_outcome("logs/m.log", unchanged=True, ended=True)
    assert running.finish("1") == running.finish("2") == []
    assert shown(running) == ["5 of 5 movies, 5 checked", "1 of 1 job, 1 checked"]


def test_warnings_of_a_job_are_shown_at_its_end():
    running = progress(MERGE)
    running.start("2")
    write_outcome("logs/m.log", warnings=["2 rows are odd"])
    assert running.look() == []
    assert running.finish("2") == ["warning: clips: 2 rows are odd"]


def test_a_job_that_could_not_write_its_reason_failed_for_the_full_disk(monkeypatch):
    running = progress(MERGE)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=4096))
    assert running.fail("2")[0].startswith("failed: clips: the disk is full; free some space")


def test_a_failed_job_has_its_reason_and_its_log():
    running = progress(TRAILERS, MERGE)
    write_outcome("logs/m.log", error="the disk\nis full")
    assert running.fail("2") == [
        "failed: clips: the disk is full (job merge_clips; log: logs/m.log)"
    ]
    Path("logs/t.log").write_text("10:00:00 INFO 4 of 5 to do\n\n")
    (text,) = running.fail("1")
    assert "ended without a reason; last line of its log: 10:00:00 INFO 4 of 5 to do" in text
    assert running.failed_jobs == 2
    assert shown(running) == ["0 of 5 movies, 1 failed job", "0 of 1 job, 1 failed"]
    running.start("2")
    assert running.failed_jobs == 1, "it is tried again"


def test_what_the_cluster_says_of_a_job_without_an_outcome_is_shown():
    (text,) = progress(MERGE).fail("2", "SLURM status is: 'OUT_OF_MEMORY'", "slurm/7.log")
    assert "clips: SLURM status is: 'OUT_OF_MEMORY' (job merge_clips; log: slurm/7.log)" in text


def test_messages_of_a_stage_are_limited():
    job = replace(TRAILERS, movies=tuple(f"tt{number:07}" for number in range(99)))
    running = progress(job)
    running.start("1")
    write_outcome(todo=job.movies)
    for mid in job.movies:
        write_record(mid, "failed", reason="network")
    texts = running.look()
    assert len(texts) == MOST_MESSAGES + 1 and "further messages are not shown" in texts[-1]


def test_a_long_title_leaves_room_for_the_reason():
    running = RunProgress()
    running.plan([TRAILERS], {MIDS[0]: "x" * 400})
    running.start("1")
    write_outcome(todo=MIDS)
    write_record(MIDS[0], "failed", reason="network")
    (text,) = running.look()
    assert text.endswith(f"x ... ({MIDS[0]}): network") and len(text) < 120


def test_the_time_left_follows_from_the_speed_of_the_stage(monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    running = progress(TRAILERS)
    running.start("1")
    write_outcome(todo=MIDS, counts=NONE)
    assert running.stages()[0].left is None
    for mid in MIDS[:2]:
        write_record(mid)
    now = 110.0
    running.look()
    assert running.stages()[0].left == pytest.approx(15)


def test_movies_that_failed_in_an_earlier_run_are_named():
    running = progress(TRAILERS)
    running.start("1")
    write_record(MIDS[0], "failed", reason="truncated")
    write_record(MIDS[1])
    write_record(MIDS[2], "failed", reason="network")
    counts = {"computed": 0, "kept": 3, "failed": 2, "skipped": 0}
    write_outcome(todo=MIDS[2:3], counts=counts)
    assert running.finish("1") == [
        "failed: trailers: Movie 3 (tt0000003): network",
        "failed in an earlier run: trailers: Movie 1 (tt0000001): truncated",
    ]


# The plan.


def params(old, new):
    unlike = {repr(value) for value in new.values()} - {repr(value) for value in old.values()}
    gone = {repr(value) for value in old.values()} - {repr(value) for value in new.values()}
    return causes_of_params(new, gone, unlike)


@pytest.mark.parametrize(
    "old, new, causes",
    [
        ({"code": "a", "x": 1}, {"code": "b", "x": 1}, ["changed code"]),
        ({"movies": "a"}, {"movies": "b"}, ["changed movies"]),
        ({"retry_round": 1}, {"retry_round": 2}, ["retries due"]),
        ({"repairs": 0}, {"repairs": 1}, ["damaged features"]),
        ({"side": 1}, {"side": 2}, ["changed settings (side)"]),
        ({"side": 1, "gone": 2}, {"side": 1}, ["changed settings"]),
        (
            {"settings": {"backbone": {"model": "a", "fpc": 1}, "code": "x"}},
            {"settings": {"backbone": {"model": "b", "fpc": 1}, "code": "y"}},
            ["changed code", "changed settings (model)"],
        ),
        (
            {"config": {}},
            {"config": dict.fromkeys("abcde", 1)},
            ["changed settings (a, b, c, ...)"],
        ),
    ],
)
def test_the_cause_of_a_changed_param(old, new, causes):
    assert params(old, new) == causes


class Dag:
    """What is read of Snakemake's graph."""

    def __init__(self, *jobs):
        self.jobs = jobs
        settings = SimpleNamespace(
            forcerun={"download_trailers"}, targets=(), forcetargets=False, forceall=False
        )
        self.workflow = SimpleNamespace(persistence=self, dag_settings=settings)

    def params_changed(self, job):
        """What Snakemake finds when it compares, which it does not for every job."""
        return job.changed

    def needrun_jobs(self):
        return iter(self.jobs)

    def jobid(self, job):
        return self.jobs.index(job)

    def reason(self, job):
        return job.reason


def dag_job(rule, wildcards=None, log="logs/x.log", **reason):
    whole = dict.fromkeys(
        ("forced", "input_changed", "code_changed", "software_stack_changed", "params_changed")
    )
    whole |= {name: set() for name in ("missing_output", "incomplete_output")}
    whole |= {name: set() for name in ("updated_input", "updated_input_run")}
    return SimpleNamespace(
        rule=SimpleNamespace(name=rule, is_checkpoint=rule == "collect_movies"),
        wildcards_dict=wildcards or {},
        output=["a", "b"],
        log=[log],
        params={"movies": "new"},
        changed=SimpleNamespace(only_old={"'old'"}, only_new={"'new'"}),
        reason=SimpleNamespace(**whole | reason),
    )


SHARDS = {"001": [Movie(mid, title, "2000", ("drama",)) for mid, title in TITLES.items()]}
MOVIES = Movies(SHARDS, {"tt0000009"})
CHANGED = SimpleNamespace(only_old={"'old'"}, only_new={"'new'"})


@pytest.mark.parametrize(
    "reason, causes",
    [
        ({"missing_output": {"b"}}, ("missing files",)),
        ({"incomplete_output": {"a"}}, ("unfinished files",)),
        ({"forced": True}, ("requested",)),
        ({"updated_input": {"x"}}, ("changed files",)),
        ({"updated_input_run": {"x"}}, ("new movies",)),
        ({"input_changed": True}, ("other input files",)),
        ({"code_changed": True}, ("changed code",)),
        ({"params_changed": CHANGED}, ("new movies",)),
    ],
)
def test_the_causes_of_a_job(reason, causes):
    write_csv("a", ["mid"], [{"mid": MIDS[0]}])
    job = dag_job("download_trailers", {"shard": "001"}, **reason)
    (planned,) = planned_jobs(Dag(job), MOVIES, explains=True)
    assert planned.causes == causes and planned.new == 4 * ("new movies" in causes)
    assert (planned.movies, planned.name) == (MIDS, "download_trailers 001")
    assert planned_jobs(Dag(job), MOVIES)[0].causes == ()


def test_what_snakemake_forces_after_a_killed_run_is_unfinished_and_not_requested():
    (planned,) = planned_jobs(Dag(dag_job("train_run", forced=True)), MOVIES, True)
    assert planned.causes == ("unfinished files",)


def test_a_job_of_which_no_file_exists_is_not_made_yet():
    (planned,) = planned_jobs(Dag(dag_job("train_run", missing_output={"a"})), MOVIES, True)
    assert planned.causes == ("not made yet",)


def test_a_job_whose_params_are_equal_only_follows_an_earlier_one():
    job = dag_job("train_run", updated_input={"x"}, updated_input_run={"x"})
    job.changed = None
    assert planned_jobs(Dag(job), MOVIES, True)[0].causes == ()


@pytest.mark.parametrize(
    "listed, causes",
    [
        (MIDS, ["changed movies"]),
        ((*MIDS, "tt0000009"), ["changed decisions"]),
        ((*MIDS, "tt0000008"), ["changed movies"]),
        ((*MIDS[1:], "tt0000009"), ["new movies", "changed decisions"]),
        ((*MIDS, "tt0000008", "tt0000009"), ["changed decisions", "changed movies"]),
        (None, ["changed movies"]),
    ],
)
def test_why_the_movies_of_a_job_changed(listed, causes):
    """A movie without an address has no record, and is new only once."""
    if listed is not None:
        write_csv("data/movies.csv", ["mid"], [{"mid": mid} for mid in listed])
    job = dag_job("list_movies", params_changed=CHANGED)
    (planned,) = planned_jobs(Dag(job), MOVIES, True)
    assert list(planned.causes) == causes


def test_a_plan_is_in_the_order_of_the_stages_without_target_rules():
    target = dag_job("all")
    target.output = []
    dag = Dag(target, dag_job("train_run", {"run": "x", "split": "0"}), dag_job("list_movies"))
    assert [job.stage for job in planned_jobs(dag, Movies())] == ["movies", "training"]


def test_a_dry_run_counts_movies_and_jobs_and_names_causes():
    own = replace(TRAILERS, causes=("new movies",), new=1)
    lines = summarize([own, MERGE]).splitlines()
    assert lines[0] == "2 jobs would run, on 5 movies:"
    assert re.fullmatch(r"trailers +5 +1 +new movies: 1", lines[3])
    assert re.fullmatch(r"clips +1  an earlier job", lines[4])
    assert "may find nothing to do" in lines[6] and "No product was changed" in lines[-1]
    assert "may find nothing to do" not in summarize([own])
    other = replace(own, new=2, causes=("changed movies", "new movies"))
    assert summarize([own, other]).splitlines()[3].endswith("new movies: 3, changed movies")


def test_a_dry_run_of_any_size_has_at_most_40_lines():
    stores = [
        replace(MERGE, number=str(number), stage=f"features of s{number}", collects=True)
        for number in range(300)
    ]
    text = summarize(stores)
    assert len(text.splitlines()) <= 40 and "270 further stages" in text


# The display.


def record(event=None, level=logging.INFO, msg="", **values):
    made = logging.LogRecord(display.LOGGER, level, "", 0, msg, (), None)
    vars(made).update(values, event=event)
    return made


def receive(shows, *records):
    for each in records:
        assert shows.observe(each)
        shows.emit(each)


def shows(**settings):
    stream = io.StringIO()
    return display.RunDisplay(stream, WORDS, **settings), stream


def register(*jobs, logs=()):
    workflow = SimpleNamespace(
        dag=Dag(*jobs), logger_manager=SimpleNamespace(get_logfile=lambda: logs)
    )
    display.register(workflow, lambda: MOVIES)


STARTED = record("workflow_started")


def test_a_run_in_lines(folder):
    job = dag_job("merge_clips", log="logs/m.log", missing_output={"a"})
    register(job, logs=[f"{folder}/.snakemake/log/1.log"])
    write_outcome("logs/m.log", unchanged=True)
    run, stream = shows()
    receive(
        run,
        record(msg="Assuming unrestricted shared filesystem usage."),
        STARTED,
        record(msg="Building DAG of jobs..."),
        record("run_info", msg="Job stats:\njob count"),
        record("job_info", jobid=0, log=["logs/m.log"], msg="rule merge_clips:"),
    )
    assert not outcome_file("logs/m.log").exists(), "it was of an earlier job"
    write_outcome("logs/m.log", warnings=["odd"])
    receive(run, record("job_finished", job_id=0), record("progress", done=1, total=1))
    run.close()
    assert stream.getvalue().splitlines() == [
        "1 job to run; Snakemake's log: .snakemake/log/1.log",
        "warning: clips: odd",
        "clips: 1 of 1 job",
    ]


def test_a_failed_job_is_one_line_and_the_errors_that_repeat_it_none():
    register(dag_job("merge_clips", log="logs/m.log"))
    run, stream = shows()
    write_outcome("logs/m.log", error="no room")
    receive(
        run,
        STARTED,
        record("run_info"),
        record("error", logging.ERROR, "a command failed", exception="RuleException"),
        record("job_error", logging.ERROR, jobid=0, log=["logs/m.log"], rule_msg=None),
        record(None, logging.ERROR, WORDS.last),
        record("error", logging.ERROR, "WorkflowError: a job failed", exception="WorkflowError"),
    )
    run.close()
    lines = stream.getvalue().splitlines()
    assert lines[1:] == [
        "failed: clips: no room (job merge_clips; log: logs/m.log)",
        "clips: 0 of 1 job, 1 failed",
    ]


def test_the_signal_that_killed_a_job_is_its_reason():
    register(dag_job("merge_clips", log="logs/m.log"))
    run, stream = shows()
    error = "Command 'python x.py' died with <Signals.SIGKILL: 9>."
    receive(
        run,
        STARTED,
        record("run_info"),
        record("error", logging.ERROR, error, exception="RuleException"),
        record("job_error", logging.ERROR, jobid=0, log=["logs/m.log"], rule_msg=None),
    )
    run.close()
    assert "it was killed by SIGKILL, perhaps for lack of memory (job" in stream.getvalue()


def test_after_ctrl_c_no_job_is_listed_as_failed():
    register(dag_job("merge_clips", log="logs/m.log"))
    run, stream = shows()
    receive(run, STARTED, record("run_info"), record("job_info", jobid=0, log=["logs/m.log"]))
    assert not display.is_stopped()
    with pytest.raises(KeyboardInterrupt):
        run.interrupt(2, None)
    run.interrupt(2, None)
    assert display.is_stopped()
    receive(
        run,
        record("error", logging.ERROR, "a command failed", exception="RuleException"),
        record("job_error", logging.ERROR, jobid=0, log=["logs/m.log"], rule_msg=None),
    )
    display.finish()
    run.close()
    assert stream.getvalue().splitlines()[1:] == []


def test_other_errors_and_warnings_are_never_lost():
    register(dag_job("merge_clips"))
    run, stream = shows(quiet={"all"})
    receive(run, record("error", logging.ERROR, "LockException: locked", exception="LockException"))
    assert stream.getvalue() == "LockException: locked\n"
    receive(
        run,
        STARTED,
        record("run_info"),
        record("error", logging.ERROR, "a file is missing", exception="MissingOutputException"),
        record(None, logging.ERROR, "a bug"),
        record(None, logging.WARNING, "a warning"),
    )
    run.close()
    assert stream.getvalue().splitlines()[1:] == ["a bug", "a file is missing"]
    run, stream = shows()
    receive(run, record(None, logging.WARNING, "a warning"))
    assert stream.getvalue() == "a warning\n"


def test_what_a_command_other_than_a_run_says_is_shown():
    run, stream = shows()
    receive(run, record(msg="Unlocked working directory."))
    run.close()
    assert stream.getvalue() == "Unlocked working directory.\n"


def test_of_the_informations_of_a_run_those_for_a_person_are_shown():
    run, stream = shows()
    receive(run, STARTED, record(msg="Nothing to be done."), record(msg="Select jobs to execute"))
    run.close()
    assert stream.getvalue() == "Nothing to be done.\n"


def test_a_dry_run_prints_its_plan_once_and_changes_nothing(folder, monkeypatch):
    monkeypatch.delenv(QUIET)
    register(dag_job("merge_clips", log="logs/m.log"))
    write_outcome("logs/m.log")
    before = sorted(folder.rglob("*"))
    run, stream = shows(is_dry=True)
    planned = record("run_info")
    receive(run, STARTED, planned, record("job_info", jobid=0, log=["logs/m.log"]), planned)
    run.close()
    assert stream.getvalue().count("1 job would run:") == 1
    assert sorted(folder.rglob("*")) == before
    assert QUIET not in display.os.environ


def test_jobs_that_are_planned_later_are_counted():
    first, second = dag_job("collect_movies"), dag_job("merge_clips")
    register(first)
    run, stream = shows()
    receive(run, STARTED, record("run_info"))
    register(first, second)
    receive(run, record("job_info", jobid=1, log=[]), record("job_finished", job_id=1))
    run.close()
    assert stream.getvalue().splitlines()[-1] == "clips: 1 of 1 job"


def test_a_closed_pipe_ends_the_display_and_not_the_run():
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    register(dag_job("merge_clips"))
    run = display.RunDisplay(Closed(), WORDS)
    receive(run, STARTED, record("run_info"), record("job_finished", job_id=0))
    display.finish()
    run.close()


def test_reports_in_lines_become_rarer(monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    stream = io.StringIO()
    lines, running = views.Lines(stream), progress(TRAILERS)
    running.start("1")
    stage = running.stages()[0]
    for second in range(24 * 3600):
        now = float(second)
        lines.show([replace(stage, done=second, total=99999, left=7.0)])
    texts = stream.getvalue().splitlines()
    assert texts[0] == "trailers: 30 of 99999 movies, 7 s left"
    assert 100 < len(texts) < 200


def test_lines_say_nothing_twice_and_nothing_of_short_stages(monkeypatch):
    seconds = iter([0.0, 0, 29, 31, 32, 33, 34])
    monkeypatch.setattr(time, "monotonic", lambda: next(seconds))
    stream = io.StringIO()
    lines = views.Lines(stream)
    short = views.StageProgress("clips", "jobs", total=2, done=1, at_work=True)
    ended = replace(short, done=2, at_work=False, finished=True)
    waiting = replace(short, done=0, at_work=False)
    for stage in (waiting, short, short, ended, short, ended):
        lines.show([stage])
    assert stream.getvalue() == "clips: 2 of 2 jobs\n"


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_bars_on_a_terminal(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "30")
    stream = Terminal()
    view = views.view_on(stream)
    running = progress(TRAILERS, MERGE)
    running.start("1")
    view.show(running.stages())
    view.message("failed: [a] movie")
    view.close()
    text = re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", stream.getvalue())
    assert "failed: [a] movie" in text
    assert re.search(r"trailers +━+ 0 of 5 movies", text)
    assert stream.getvalue().rfind("\x1b[?25h") > stream.getvalue().rfind("\x1b[?25l")


def test_a_terminal_with_few_lines_shows_the_stages_at_work(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("LINES", "10")
    stream = Terminal()
    view = views.view_on(stream)
    jobs = [
        replace(MERGE, number=str(number), place=number, stage=f"stage{number:02}")
        for number in range(40)
    ]
    running = progress(*jobs)
    running.start("33")
    view.show(running.stages())
    time.sleep(0.5)
    text = stream.getvalue()
    assert "stage33" in text and "33 more stages" in text
    view.close()


def test_a_dumb_terminal_gets_lines(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")
    assert isinstance(views.view_on(Terminal()), views.Lines)


def test_the_messages_that_are_shown_are_snakemakes():
    import snakemake.scheduling.job_scheduler as scheduler

    import snakemake_logger_plugin_trailers12k as plugin

    text = Path(scheduler.__file__).read_text()
    assert all(json.dumps(message) in text for message in plugin.SHOWN)


def test_what_jobs_print_is_hidden_after_ctrl_c_and_else_never_lost():
    program = (
        "import sys, subprocess; from trailers12k.workflow.run_display.job_output import JobOutput;"
        "hidden = []; jobs = JobOutput(lambda: bool(hidden));"
        "job = lambda text: subprocess.run(['sh', '-c', f'echo {text} >&2']);"
        "job('shown'); jobs._forwarding.join(1); hidden.append(1); job('traceback');"
        "print('own', file=sys.stderr); jobs.close(); job('later')"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert sorted(run.stderr.split()) == ["later", "own", "shown"] and run.returncode == 0


def test_the_last_words_of_a_run_survive_a_closed_pipe():
    program = (
        "import sys, os; from trailers12k.workflow.run_display import display;"
        "r, w = os.pipe(); os.dup2(w, 1); os.close(w); os.close(r);"
        "display.say('the end', sys.stdout)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
