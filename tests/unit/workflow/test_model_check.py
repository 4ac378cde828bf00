"""Models that do not exist are refused before anything runs."""

import sys

import pytest

from trailers12k.common.errors import UserError
from trailers12k.settings import load
from trailers12k.workflow.model_check import check_models


def settings(model: str, input: str = "frames", **config):
    store = {"s": {"model": model, "input": input}}
    return load({"movies": "m.csv", "backbones": store, "runs": {"r": {"image": "s"}}} | config)


@pytest.mark.parametrize(
    ("model", "near"),
    [
        ("timm/resnet5O.a1_in1k", "such as timm/resnet50"),
        ("timm/nosuchnet", "lists them"),
        ("torchvision/swin3d_tt.KINETICS400_V1", "such as torchvision/swin3d_t"),
    ],
)
def test_a_model_that_does_not_exist(model, near):
    with pytest.raises(UserError, match="is no model of the") as error:
        check_models(settings(model))
    assert str(error.value).startswith(f"backbones.s.model: '{model}'") and near in str(error.value)


def test_models_with_pretrained_weights_are_known_without_a_library(monkeypatch):
    monkeypatch.setitem(sys.modules, "trailers12k.features.backbones.listing", None)
    for model in ("timm/resnet50.a1_in1k", "torchvision/resnet50.IMAGENET1K_V1"):
        check_models(settings(model))
    check_models(settings("timm/nosuchnet"))  # an environment without timm leaves it to the jobs


@pytest.mark.parametrize("model", ["timm/test_vit4", "torchvision/resnet50", "hf/OWNER/NAME"])
def test_models_without_pretrained_weights_and_of_the_hub_are_allowed(model):
    check_models(settings(model))


def test_a_network_of_images_sees_no_clips():
    with pytest.raises(UserError, match="backbones.s.input: clips is not allowed for timm/resnet5"):
        check_models(settings("timm/resnet50.a1_in1k", "clips", runs={"r": {"video": "s"}}))


def test_published_features_need_no_model():
    check_models(load({"movies": "published"}))
