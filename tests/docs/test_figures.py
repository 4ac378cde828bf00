"""Measured figures come from the benchmarks' files, by the hook of the site."""

import json
import re
import runpy

import pytest
from mkdocs.exceptions import PluginError

from .pages import ROOT, pages

HOOKS = runpy.run_path(str(ROOT / "docs" / "hooks.py"))


@pytest.fixture
def folder(tmp_path):
    figures = {"planning": {"seconds": 3.456, "jobs": 1336, "text": "two"}}
    for name, values in figures.items():
        measured = {"date": "2026-11-26", "machine": "2 cores"}
        content = {"measured": measured, "figures": values}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    return tmp_path


@pytest.mark.parametrize(
    ("text", "replaced"),
    [
        ("takes {{ planning.seconds|.1f }} s", "takes 3.5 s"),
        ("{{planning.jobs|,}} jobs", "1,336 jobs"),
        ("{{ planning.text }}", "two"),
        ("{{ planning.measured }}", "measured on 2026-11-26, 2 cores"),
        ("`{{ FILE.KEY }}` stays", "`{{ FILE.KEY }}` stays"),
    ],
)
def test_a_figure_is_replaced(folder, text, replaced):
    assert HOOKS["replace_figures"](text, folder) == replaced


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{{ planning.missing }}", "planning.json has no figure missing"),
        ("{{ absent.jobs }}", "there is no absent.json"),
        ("{{ planning.text|.1f }}", "planning.text|.1f"),
    ],
)
def test_a_figure_that_is_missing_fails_the_build(folder, text, fault):
    with pytest.raises(PluginError, match=re.escape(fault)):
        HOOKS["replace_figures"](text, folder)


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_every_placeholder_of_a_page_is_a_figure_or_a_file(page):
    text = HOOKS["on_page_markdown"](page.text)
    left = re.findall(r"\{\{.*?\}\}", text)
    assert [each for each in left if each != "{{ FILE.KEY }}"] == []


COST = re.compile(
    r"(?<![\w.{])\d[\d,.]*(?: to \d[\d,.]*)? ?"
    r"(?:CPU[ -](?:s|seconds|minutes|hours|days)|[kMGT]B|minutes|seconds|ms|µs)\b"
)
LIMITS = re.compile(
    r"default|limit|at (?:most|least)|longer|pause|above|below|larger|smaller|more than|under|every"
    r"|after|within|first|range|free|up to|per second|interval|until|wait|record|request|assum"
    r"|partition|one file at a time|sends",
    re.I,
)
"""Words of a sentence whose numbers are rules, not measurements."""


def written_by_hand(page):
    """The prose of a page, without what a command measured for docs/reliability.md."""
    return page.prose if page.name != "docs/reliability.md" else page.prose.partition("\n## ")[0]


@pytest.mark.parametrize(
    "page", [p for p in pages() if p.name.startswith("docs/")], ids=lambda page: page.name
)
def test_no_page_has_a_cost_typed_by_hand(page):
    prose = re.sub(r"`[^`]*`", "", written_by_hand(page))
    sentences = re.split(r"(?<=[.!?:])\s|\n\s*\n|\n(?=[-|#])", prose)
    typed = [s.strip() for s in sentences if COST.search(s) and not LIMITS.search(s)]
    assert typed == []
