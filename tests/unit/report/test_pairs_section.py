"""Which rows of the results differ, as a table of the report."""

import pandas as pd

from trailers12k.report import pairs_section, results_section, run_charts

COLUMNS = ["run_a", "run_b", "metric", "difference", "p", "p_adjusted"]
PAIRS = pd.DataFrame(
    [
        ["A", "B", "uap", -0.2, 0.001, 0.003],
        ["A", "C", "uap", 0.1, 0.02, 0.04],
        ["B", "C", "uap", 0.3, 0.04, 0.08],
        ["B", "C", "map", 0.3, 0.001, 0.002],
    ],
    columns=COLUMNS,
)


def test_each_row_is_higher_lower_or_not_told_apart():
    found = pairs_section.of(PAIRS)
    assert [(row.name, "".join(sign or " " for sign in row.signs)) for row in found["pairs"]] == [
        ("A", " −+"),
        ("B", "+ ·"),
        ("C", "−· "),
    ]
    assert found["pair_words"] == "2 of 3 pairs differ in µAP."
    assert pairs_section.pair_words(PAIRS[:1]) == "The two rows differ in µAP."


def test_without_pairs_there_is_no_table():
    assert pairs_section.of(None) == pairs_section.of(PAIRS[:0]) == {"pairs": [], "pair_words": ""}


def test_a_row_without_an_interval_shows_none():
    scores = {f"{name}{end}": 50.0 for name in ("uap", "map", "wap", "sap") for end in ("", "_sd")}
    base = {"weights": "", "pretrained": "true", "movies": 2, "of": 2, "classifier": "divita"}
    rows = [
        {"run": "chance", **base, **scores, "classifier": ""},
        {"run": "one", **base, **scores, "uap_low": 40.0, "uap_high": 61.25},
    ]
    summary = pd.DataFrame(rows)
    cells = results_section.result_rows(summary)[1].cells
    assert [cell.interval for cell in cells] == ["40.0 to 61.2", "", "", ""]
    assert run_charts.has_intervals(summary)
    assert not run_charts.has_intervals(summary[:1])
    points = run_charts._result_rows(summary)
    assert [(p["low"], p["high"]) for p in points] == [(40.0, 61.25), (50.0, 50.0)]
