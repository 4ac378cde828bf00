"""The preset `modern` names models that exist, and adds to the paper's rows."""

import timm
from torchvision.models import get_model_weights

from trailers12k.features.backbones.hub_known import known
from trailers12k.features.backbones.parameter_counts import parameters_of
from trailers12k.settings import modern
from trailers12k.settings.paper import RUNS, STORES


def test_the_papers_rows_and_at_least_ten_more_are_in_it():
    assert dict(RUNS).items() <= modern.runs().items()
    assert len(modern.runs()) - len(RUNS) >= 10
    streams = {stream for run in modern.runs().values() for stream in run}
    assert streams == {"image", "video", "audio"}


def test_every_model_is_in_the_registry_of_its_library():
    models = {each["model"] for name, each in modern.stores().items() if name not in STORES}
    for model in models:
        family, _, name = model.partition("/")
        if family == "timm":
            assert name in timm.list_pretrained()
            assert parameters_of(model)
        elif family == "torchvision":
            architecture, _, tag = name.partition(".")
            assert tag in get_model_weights(architecture).__members__
            assert parameters_of(model)
        elif family == "hf":
            assert known(model)
        else:
            assert family in ("logmel", "silero")
