"""docs/reliability.md has every hostile input, with the answer that it gets."""

import json
import re
from pathlib import Path

from tests.hostile.conftest import cleaned
from tests.hostile.test_hostile import inputs

FIGURES = Path(__file__).parents[2] / "trailers12k/workflow/figures/reliability.json"


def test_every_input_is_on_the_page_with_its_answer():
    rows = json.loads(FIGURES.read_text(encoding="utf-8"))["figures"]["inputs"]["rows"]
    measured = {(row["kind"], row["name"]): row for row in rows}
    named = {(row.kind, row.name): row for row in inputs()}
    assert len(named) == len(inputs()) >= 60
    assert named.keys() == measured.keys(), "make reliability"
    for key, row in named.items():
        shown = measured[key]
        assert shown["bound"] == row.bound, key
        assert shown["answer"] == cleaned(shown["answer"]), key
        assert shown["mb"] <= row.most_mb and shown["seconds"] <= row.most_seconds, key
        if not shown["answer"].endswith("…"):
            assert bool(shown["answer"]) == bool(row.answer), key
        if row.answer and not row.answer.startswith((".*", "/")):
            assert re.match(row.answer, shown["answer"]) or shown["answer"].endswith("…"), key


def test_an_answer_holds_nothing_of_this_machine():
    said = "…p/pytest-of-me/pytest-7/test_a0/data/s.zarr.0bbfd16a-21-c09f0907.partial/a is bad"
    assert cleaned(said) == "a is bad"
    assert cleaned("http://127.0.0.2:39223/a") == "http://127.0.0.2:PORT/a"
