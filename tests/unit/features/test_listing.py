"""The list of models that the configuration can name."""

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv
from trailers12k.features.backbones import (
    hub_vision_known,
    parameter_counts,
    pooling,
    sound,
    torchvision_nets,
)
from trailers12k.features.backbones.hub_vision_kinds import KINDS
from trailers12k.features.backbones.listing import (
    AUDIO,
    CLIPS,
    FEATURES,
    IMAGES,
    architecture_table,
    license_table,
    list_models,
    matching,
    num_features,
)
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.weights_licenses import TABLE

PAPER = {
    "torchvision/shufflenet_v2_x1_0.IMAGENET1K_V1": (IMAGES, 1024),
    "torchvision/resnet50.IMAGENET1K_V1": (IMAGES, 2048),
    "timm/swin_tiny_patch4_window7_224.ms_in1k": (IMAGES, 768),
    "shufflenet3d/1.0x": (CLIPS, 1024),
    "torchvision/r2plus1d_18.KINETICS400_V1": (CLIPS, 512),
    "torchvision/swin3d_t.KINETICS400_V1": (CLIPS, 768),
    "timm/tf_efficientnet_lite0": (IMAGES, 1280),
}


@pytest.mark.parametrize("model", PAPER)
def test_the_papers_models_are_listed_with_their_input_and_feature_size(model):
    (listed,) = [each for each in list_models() if each.model == model]
    assert (listed.input, num_features(model)) == PAPER[model]


def test_models_of_sound_are_listed():
    listed = {each.model: each for each in list_models() if each.input == AUDIO}
    assert set(listed) == FEATURES.keys() - hub_vision_known.KNOWN.keys()
    assert listed["silero/vad"].license == "mit (weights: package)"
    assert num_features("hf/openai/whisper-tiny") == 384
    assert [each.model for each in matching("hf/laion/*")] == sorted(
        each.model for each in list_models() if each.model.startswith("hf/laion/")
    )


def test_models_of_pictures_of_the_hub_are_listed():
    listed = {each.model: each for each in list_models() if each.input != AUDIO}
    for model, known in hub_vision_known.KNOWN.items():
        assert listed[model].license == known.license
        assert num_features(model) == known.features
        assert (listed[model].input == CLIPS) == KINDS[known.kind].sees_clips


@pytest.mark.parametrize("model", ["logmel/64", "silero/vad"])
def test_the_listed_length_of_features_is_that_of_the_model(model):
    weights = "none" if model == "logmel/64" else "package"
    assert sound.load(SoundSpec(model, weights), 0).num_features == num_features(model)


def test_every_listed_model_of_torchvision_has_published_weights():
    listed = [each.model for each in list_models() if each.model.startswith("torchvision/")]
    assert len(listed) > 100
    assert all(torchvision_nets.origins(model) for model in listed)


def test_licences_are_those_that_the_publishers_state():
    licences = {each.model: each.license for each in list_models()}
    assert licences["timm/resnet50.a1_in1k"] == "apache-2.0"
    assert "SWAG" in licences["torchvision/vit_b_16.IMAGENET1K_SWAG_E2E_V1"]
    assert licences["torchvision/resnet50.IMAGENET1K_V1"] == ""


def test_a_part_of_a_name_and_wildcards_select_models():
    names = [each.model for each in matching("R2PLUS1D")]
    assert names == ["torchvision/r2plus1d_18.KINETICS400_V1"]
    assert {each.model.split("/")[0] for each in matching("timm/resnet*")} == {"timm"}
    with pytest.raises(UserError, match="no model matches"):
        matching("nosuchmodel")


def test_the_table_of_licences_is_that_of_the_installed_libraries():
    """After an update: python -m trailers12k.features.backbones.listing."""
    assert TABLE.read_text() == license_table()


def test_tables_of_architectures_have_all_that_see_but_those_of_the_hub():
    """The hub's are known by their configuration alone: a program that built them would fail."""
    rows = architecture_table("letters", len).splitlines()[1:]
    names = {row.rpartition(",")[0] for row in rows}
    assert not [name for name in names if name.startswith("hf/")]
    assert {"timm/resnet50", "torchvision/swin3d_t", "shufflenet3d/1.0x"} <= names
    assert names == {row["architecture"] for row in read_csv(pooling.TABLE, ["architecture"])}
    counted = {row["architecture"] for row in read_csv(parameter_counts.TABLE)}
    assert counted == names | {"silero/vad"}
