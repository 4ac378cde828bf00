"""Encoders of timm and torchvision are those of their libraries, and pool as their pages say.

`make encoders` runs the forward pass of all of them.
"""

import re
from pathlib import Path

import pytest
import timm
import torch

from tests.bench.encoders_compared import (
    ENCODERS,
    FORBIDDING,
    apart_of,
    compare_image,
    compare_video,
    pictures,
)
from trailers12k.features.backbones import pooling, pooling_rules, timm_nets
from trailers12k.features.backbones.common import scale
from trailers12k.features.backbones.listing import architecture, list_models, without_classifier
from trailers12k.features.backbones.weights_licenses import is_non_commercial, license_of

pytestmark = pytest.mark.usefixtures("one_thread")

SMALL = (
    "vit_pe_core_tiny_patch16_384.fb",
    "vit_tiny_patch16_dinov3_qkvb.eupe_lvd1689m",
    "eva02_tiny_patch14_336.mim_in22k_ft_in1k",
    "hiera_tiny_224.mae_in1k_ft_in1k",
    "vit_base_patch32_clip_224.openai",
    "mobilenetv4_conv_small.e2400_r224_in1k",
    "regnety_002.pycls_in1k",
)


def test_the_list_has_thirty_models():
    assert len(ENCODERS) == 30 and set(SMALL) < ENCODERS.keys()


@pytest.mark.parametrize("name", ENCODERS)
def test_size_preprocessing_pooling_and_licence_of_an_encoder_are_its_librarys(name):
    """On shapes alone, without numbers."""
    features, pooled, license = ENCODERS[name]
    net, size = without_classifier(architecture(f"timm/{name}"))
    config = timm.data.resolve_data_config(pretrained_cfg=timm.get_pretrained_cfg(name).to_dict())
    with torch.device("meta"):
        assert net.eval()(torch.empty(1, *config["input_size"])).shape == (1, features)
    assert size == features
    # The table of the package, and the rules that made it.
    assert pooling.pooling_of(f"timm/{name}") == pooling_rules.of_timm(net) == pooled
    assert license_of(f"timm/{name}", "pretrained") == license
    assert is_non_commercial(license) == (license in FORBIDDING)
    *spatial, _, _ = timm.data.create_transform(**config, is_training=False).transforms
    crops = timm_nets._spatial(spatial)(torch.from_numpy(pictures()))
    pixels = apart_of(scale(crops, config["mean"], config["std"]), config)
    assert pixels.max() <= 2 and (pixels > 1).float().mean() <= 1e-5


@pytest.mark.parametrize("name", SMALL)
def test_features_are_those_of_the_librarys_own_forward_pass(name):
    found, pooled = compare_image(name)
    assert found.is_equal, found
    assert pooled == ENCODERS[name][1]


@pytest.mark.parametrize("name", ["mc3_18", "swin3d_t"])
def test_the_librarys_classifier_of_a_clips_features_gives_its_logits(name):
    found = compare_video(name)
    assert found.is_equal, found


def test_every_model_of_timm_and_torchvision_has_a_pooling():
    named = [each.model for each in list_models() if each.model.startswith(("timm/", "torchv"))]
    assert len(named) > 1000 and all(map(pooling.pooling_of, named))
    assert pooling.pooling_of("torchvision/mvit_v2_s.KINETICS400_V1") == pooling.CLASS
    assert pooling.pooling_of("torchvision/vgg11") == pooling.HIDDEN
    assert pooling.pooling_of("timm/gemma4_vit_167m_enc") == pooling.NOT_POOLED


def test_a_store_records_the_pooling_and_the_licence_of_the_code():
    def recorded(model: str) -> tuple[object, object]:
        about = pooling.attributes(model)
        return about["code_license"], about.get("pooling")

    assert recorded("timm/vit_base_patch32_clip_224.openai") == ("apache-2.0", "class token")
    assert recorded("torchvision/swin3d_t.KINETICS400_V1") == ("bsd-3-clause", "global average")
    assert recorded("shufflenet3d/1.0x") == ("mit", "global average")
    # The job that computes a store of the hub records how it pools.
    assert recorded("hf/openai/clip-vit-base-patch32") == ("apache-2.0", None)
    assert recorded("logmel/64") == ("mit", None)


def test_an_unknown_kind_of_pooling_is_refused():
    net = torch.nn.Sequential(torch.nn.Linear(2, 2))
    net.global_pool = "median"
    with pytest.raises(ValueError, match="unknown pooling 'median'"):
        pooling_rules.of_timm(net)


def test_the_documentations_table_of_encoders_is_true():
    text = (Path(__file__).parents[3] / "docs" / "backbones.md").read_text()
    lines = [line for line in text.splitlines() if re.match(r"\| [^|]+ \| `timm/", line)]
    assert len(lines) > 10
    for line in lines:
        _, model, features, pooled, license = (cell.strip(" `") for cell in line[1:-1].split("|"))
        stated = license_of(model, "pretrained")
        assert pooled == pooling.pooling_of(model)
        assert license == stated + (", non-commercial" if is_non_commercial(stated) else "")
        if (name := model.partition("/")[2]) in ENCODERS:
            assert int(features) == ENCODERS[name][0]
