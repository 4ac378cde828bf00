import pytest

from trailers12k.features.backbones.names import pretrained_of


@pytest.mark.parametrize(
    ("values", "expected"),
    [([True, True], True), ([True, False], False), ([None, False], False), ([True, None], None)],
)
def test_a_run_is_pretrained_when_all_its_stores_are(values, expected):
    attributes = [{} if value is None else {"pretrained": value} for value in values]
    assert pretrained_of(attributes) is expected
