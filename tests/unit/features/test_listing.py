import pytest

from trailers12k.features.backbones.listing import NOT_STATED, listing
from trailers12k.features.backbones.spec import family_of


def by_name(pattern: str) -> dict:
    return {row.model: row for row in listing(pattern)}


@pytest.mark.parametrize(
    ("model", "input", "weights", "licence", "num_features"),
    [
        ("timm/swin_tiny_patch4_window7_224.ms_in1k", "frames, posters", "published", "mit", 768),
        ("timm/mobilenetv3_small_050.lamb_in1k", "frames, posters", "published", "apache-2.0", 1024),
        ("torchvision/resnet50.IMAGENET1K_V2", "frames, posters", "published", NOT_STATED, 2048),
        ("torchvision/googlenet.IMAGENET1K_V1", "frames, posters", "published", NOT_STATED, 1024),
        ("torchvision/swin3d_t.KINETICS400_V1", "clips", "published", NOT_STATED, 768),
        ("timm/tf_efficientnet_lite0", "frames, posters", "package", "apache-2.0", 1280),
        ("shufflenet3d/1.0x", "clips", "user's file", NOT_STATED, 1024),
    ],
)
def test_a_model_is_listed_with_what_a_user_must_know(model, input, weights, licence, num_features):
    row = by_name(model)[model]
    assert (row.input, row.weights, row.num_features) == (input, weights, num_features)
    assert row.licence == licence


def test_the_licence_that_a_publisher_states_is_shown():
    (row,) = listing("torchvision/vit_b_16*SWAG_LINEAR*")
    assert "SWAG" in row.licence


def test_all_models_are_listed_at_once_and_unmeasured():
    rows = listing()
    assert len(rows) > 1500 and rows == sorted(rows, key=lambda row: row.model)
    assert {family_of(row.model) for row in rows} == {"torchvision", "timm", "shufflenet3d"}
    assert {row.num_features for row in rows} == {None}
    assert listing("no such model") == []
