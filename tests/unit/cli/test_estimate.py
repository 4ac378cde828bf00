"""`trailers12k estimate`."""

import json

import pytest

CONFIG = """
movies: movies.csv
backbones:
  small: {model: torchvision/shufflenet_v2_x1_0, input: frames, precision: fp32}
  heard: {model: logmel/8, input: audio}
runs: {small: {image: small}}
"""


def test_it_measures_this_machine_and_keeps_the_figures(collection, call):
    (collection / "config.yaml").write_text(CONFIG)
    code, before, _ = call("estimate", "--movies", "500", "--cores", "2")
    assert code == 0 and "Guessed" in before and not (collection / "build").exists()
    code, out, err = call("estimate", "--movies", "500", "--cores", "2", "--measure")
    assert code == 0 and "about a minute" in err
    figures = json.loads((collection / "build/estimate.json").read_text())["figures"]
    own = "torchvision/shufflenet_v2_x1_0 own size fp32"
    named = {own, "logmel/8 own context"}
    assert figures.keys() == {
        "verify",
        "decode",
        "listen",
        "measure",
        "shots adaptive",
        "epoch",
        *named,
    }
    assert all(0 < value < 60 for value in figures.values())
    assert out.startswith("500 movies on 2 cores\n") and "Guessed" not in out
    assert len(out.splitlines()) < 16


@pytest.mark.parametrize("option", [("--movies", "9"), ("--cores", "0")])
def test_numbers_that_no_run_can_have_are_refused(collection, call, option):
    code, _, err = call("estimate", *option)
    assert code == 2 and option[0] in err
