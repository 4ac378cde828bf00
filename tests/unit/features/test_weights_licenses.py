"""Licences of weights: what publishers state, and what forbids commercial use."""

import pytest

from trailers12k.features.backbones import weights_licenses
from trailers12k.features.backbones.weights_licenses import is_non_commercial, license_of, recorded

SWAG = "https://github.com/facebookresearch/SWAG/blob/main/LICENSE"


@pytest.mark.parametrize(
    "license",
    [
        *("cc-by-nc-4.0", "CC BY-NC-SA 4.0", "CC_BY_NC_4.0", "cc-by-nc-nd-3.0"),
        *("fair-noncommercial-research-license", "Non-commercial use only", "non commercial"),
        *("research only", "For research purposes only", "academic use", "research-only RAIL"),
        *("apple-amlr", "nvclv1", "seer-license", SWAG),
    ],
)
def test_licences_that_forbid_commercial_use_are_known(license):
    assert is_non_commercial(license)


@pytest.mark.parametrize(
    "license",
    [
        *("apache-2.0", "mit", "bsd-3-clause", "cc-by-4.0", "CC BY-SA 4.0", "CC0-1.0", "gemma"),
        *("dinov3-license", "nvidia-open-model-license", "apple-ascl", "unknown", "not stated"),
        *("none", "", "must not be redistributed", "commercial use allowed", "Cambridge research"),
    ],
)
def test_other_licences_are_not_taken_for_them(license):
    assert not is_non_commercial(license)


def test_a_licence_is_the_users_word_or_the_publishers():
    assert license_of("timm/resnet50", "random") == "none"
    assert license_of("timm/resnet50", "random", stated="mit") == "none"
    assert license_of("hf/openai/whisper-tiny", "pretrained") == "apache-2.0"
    assert license_of("hf/openai/whisper-tiny@v1", "pretrained") == "apache-2.0"
    assert license_of("hf/openai/whisper-tiny", "pretrained", "own.safetensors") == "not stated"
    assert license_of("hf/someone/unknown", "pretrained") == "not stated"
    assert license_of("hf/someone/unknown", "random") == "none"
    assert license_of("logmel/64", "none") == "no weights"
    assert license_of("timm/resnet50", "pretrained") == "apache-2.0"
    assert license_of("timm/swin_tiny_patch4_window7_224.ms_in1k", "pretrained") == "mit"
    assert license_of("torchvision/resnet50.IMAGENET1K_V1", "pretrained") == "not stated"
    assert license_of("torchvision/regnet_y_128gf", "pretrained") == SWAG
    assert license_of("timm/tf_efficientnet_lite0", "package") == "apache-2.0"
    assert license_of("timm/resnet50", "pretrained", "own.pth") == "not stated"
    assert license_of("timm/resnet50", "pretrained", "own.pth", "mine") == "mine"
    of_file = license_of("shufflenet3d/1.0x", "pretrained", "kinetics.pth")
    assert of_file == "must not be redistributed"
    assert license_of("timm/of_a_later_version", "pretrained") == "not stated"


def test_stores_of_earlier_versions_record_none():
    assert recorded({"pretrained": False}) == "none"
    assert recorded({"pretrained": True}) == recorded({}) == "not stated"
    assert recorded({"weights_license": 7}) == "not stated"
    assert recorded(weights_licenses.attributes("cc-by-nc-4.0")) == "cc-by-nc-4.0"


def test_the_license_of_weights_in_a_package_is_the_packages():
    assert license_of("silero/vad", "package") == "mit"
    assert license_of("timm/tf_efficientnet_lite0", "package") == "apache-2.0"
    assert license_of("logmel/64", "none") == "no weights"
