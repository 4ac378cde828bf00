"""The generated reference pages are current and complete."""

import ast
import re
import runpy
from pathlib import Path

import pytest
import typer

from trailers12k.cli.app import create_app
from trailers12k.features.weights_record import NO_WEIGHTS
from trailers12k.jobs import reason_texts, reasons
from trailers12k.movies.sources.search import CORRECTED
from trailers12k.settings import load
from trailers12k.video.no_sound import NO_FILE, NO_SOUND
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.targets import target_files

ROOT = Path(__file__).parents[2]
GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
COMMANDS = dict(GENERATE["leaves"](typer.main.get_command(create_app())))


@pytest.mark.parametrize("name", GENERATE["PAGES"])
def test_a_generated_page_is_current(name):
    committed = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert committed == GENERATE["page_text"](name), "run: python docs/generate.py"


@pytest.mark.parametrize("path", COMMANDS)
def test_every_option_of_a_command_is_documented_in_its_section(path):
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    section = page.split(f"## {path}\n")[1].split("\n## ")[0]
    for option in GENERATE["options_of"](COMMANDS[path]):
        for name in [*option.opts, *option.secondary_opts]:
            assert re.search(rf"`(?:[^`]* )?{name}[ `]", section), name


def test_every_target_is_described():
    settings = load({"movies": "sample"})
    targets = target_files(settings, MovieList(settings), FeaturePlan(settings), None)
    assert GENERATE["TARGETS"].keys() == targets.keys() - {"predict", "status", "diff"}


def test_every_target_of_make_is_described():
    text = (ROOT / "Makefile").read_text()
    names = set(re.search(r"^\.PHONY: (.+)", text, re.M)[1].split()) - {"sample"}
    described = {command.removeprefix("make").strip() for command, _ in GENERATE["make_targets"]()}
    assert described == names | {""}


def reasons_in_code():
    """Every word that the code gives as a reason: to Failure, Stop, skip= or REASON."""
    for path in (ROOT / "trailers12k").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            values = []
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", "")
                values = node.args[:1] if name in ("Failure", "Stop") else []
                values += [key.value for key in node.keywords if key.arg == "skip"]
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                values = [v for k, v in pairs if getattr(k, "value", "") == "reason"]
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "REASON":
                values = [node.value]
            for value in values:
                several = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
                yield from (each.value for each in several if isinstance(each, ast.Constant))


def test_every_reason_has_a_text_and_every_text_a_reason():
    given = {reason for reason in reasons_in_code() if reason}
    given |= {reason for _, reason in reasons.PATTERNS} | {*reasons.CHECKS, *CORRECTED}
    given |= {*reasons.PERMANENT, *reasons.STOPS, "no_title", *reason_texts.REPORT}
    given |= {NO_WEIGHTS, NO_SOUND, NO_FILE}
    assert {"no_poster", "odd_row", "rejected", "decode_failed", "stopped"} <= given
    assert given == reason_texts.TEXTS.keys()


def test_when_a_reason_is_tried_again():
    assert reason_texts.when_retried("private") == "never"
    assert reason_texts.when_retried("bot_check") == "after 6 h"
    assert reason_texts.when_retried("local_io") == "in the next run"
    assert reason_texts.when_retried("unavailable") == "after 3 days, then never"
    growing = "after 2 h, 8 h, 32 h, 128 h, then every 7 days"
    assert reason_texts.when_retried("network", first=7200) == growing
    assert reason_texts.when_retried("rejected") == "when the cause changes"
