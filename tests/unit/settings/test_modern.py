"""The preset `modern` names models that exist, and adds to the paper's rows."""

from pathlib import Path

import timm
from torchvision.models import get_model_weights

from trailers12k.common.vocabulary import STREAMS
from trailers12k.features.backbones import hub_known, hub_vision_known
from trailers12k.features.backbones.hub_text_known import text_fault
from trailers12k.features.backbones.parameter_counts import parameters_of
from trailers12k.settings import load, modern
from trailers12k.settings.paper import RUNS, STORES
from trailers12k.workflow.estimate import Collection, estimate
from trailers12k.workflow.estimate_inputs import shipped_figures

DOCS = Path(__file__).parents[3] / "docs/leaderboard.md"
OF_TODAY = {name: each for name, each in modern.stores().items() if name not in STORES}


def test_the_papers_rows_and_at_least_ten_more_are_in_it():
    runs = modern.runs()
    assert dict(RUNS).items() <= runs.items()
    assert len(runs) - len(RUNS) >= 10
    trained = [run for run in runs.values() if "zero_shot" not in run]
    assert {stream for run in trained for stream in run} == {*STREAMS} - {"poster"}
    assert any(len(run) == 3 for run in trained)
    used = {store for run in trained for store in run.values()}
    assert {*OF_TODAY} <= used


def test_rows_without_training_use_stores_that_others_train_on():
    asked = [run for run in modern.runs().values() if run.get("zero_shot")]
    assert len(asked) == len(modern.ASKED)
    for run in asked:
        (store,) = run.keys() - {"zero_shot"}
        assert not text_fault(OF_TODAY[run[store]]["model"], is_pretrained=True)


def test_every_model_is_in_the_registry_of_its_library():
    for store in OF_TODAY.values():
        model, is_heard = store["model"], store["input"] == "audio"
        family, _, name = model.partition("/")
        if family == "timm":
            assert name in timm.list_pretrained()
            assert parameters_of(model)
        elif family == "torchvision":
            architecture, _, tag = name.partition(".")
            assert tag in get_model_weights(architecture).__members__
            assert parameters_of(model)
        elif family == "hf":
            assert (hub_known if is_heard else hub_vision_known).known(model)
        else:
            assert family in ("logmel", "silero")


def test_weights_that_were_not_reached_are_named_in_one_line_each():
    lines = DOCS.read_text().splitlines()
    for name, store in OF_TODAY.items():
        named = [line for line in lines if line.startswith(f"- `{store['model']}`: not reached.")]
        here = store["model"].partition("/")[0] in ("logmel", "silero")
        assert len(named) == (0 if here else 1) and (name in modern.NOTES) != here
        assert len(modern.NOTES.get(name, "")) < 95


def test_the_estimate_guesses_nothing():
    settings = load({"backbones": modern.stores(), "runs": modern.runs()})
    costs = estimate(settings, Collection(12_000, 12_000, 0), shipped_figures(), 2)
    assert costs.unknown == ()
