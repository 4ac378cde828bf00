import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from trailers12k.features.backbones import devices
from trailers12k.features.backbones.calibrations import calibration_of
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.loading import load
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.recipe import recipe_of

pytestmark = pytest.mark.usefixtures("one_thread")

SPEC = BackboneSpec("shufflenet3d/1.0x", "random", "clips", precision="fp32", size=32)
WITHOUT_BATCHNORM = BackboneSpec("timm/vit_tiny_patch16_224", "random", "frames", size=32)
CLIPS = {"fps": 24, "fpc": 8}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def calibrated(monkeypatch):
    """The models that are calibrated in memory."""
    models, calibrate = [], Backbone._calibrate

    def recorded(backbone, module):
        models.append(backbone._model)
        calibrate(backbone, module)

    monkeypatch.setattr(Backbone, "_calibrate", recorded)
    return models


def recipe(spec=SPEC, seed=3, code="c"):
    return recipe_of(spec, CLIPS, code, seed, None)


@pytest.mark.parametrize("spec", [SPEC, WITHOUT_BATCHNORM])
def test_a_network_from_its_file_is_the_one_made_in_memory(spec, folder, calibrated):
    made = recipe(spec).load(devices.cpu())
    assert calibrated == [spec.model]
    recipe(spec).calibration.write(made.statistics)
    read = recipe(spec).load(devices.cpu())
    assert calibrated == [spec.model]
    assert read.attributes == made.attributes
    frames = np.random.default_rng(0).integers(0, 256, (1, 8, 32, 32, 3), np.uint8)
    np.testing.assert_array_equal(read(frames), made(frames))
    assert bool(made.statistics) == (spec is SPEC)


def test_a_file_of_other_weights_or_of_other_libraries_is_not_read(folder, monkeypatch):
    own = recipe().calibration
    own.write({"a": np.ones(1, np.float32)})
    assert own.read().keys() == {"a"}
    for other in (replace(own, seed=4), replace(own, code="d")):
        assert other.path == own.path and other.read() is None
    assert replace(own, size=64).path != own.path
    versions = "trailers12k.features.backbones.calibrations.version"
    monkeypatch.setattr(versions, lambda name: "1.0")
    assert own.read() is None


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_a_damaged_file_is_calibrated_again(share, folder, calibrated):
    own = recipe().calibration
    own.write(load(SPEC, 3).statistics)
    content = own.path.read_bytes()
    own.path.write_bytes(content[: int(share * len(content))])
    recipe().load(devices.cpu())
    assert calibrated == [SPEC.model] * 2


def test_other_weights_have_no_calibration():
    for weights in ("pretrained", "package"):
        assert calibration_of(replace(SPEC, weights=weights), 3, "c") is None


def test_reading_a_file_needs_no_torch():
    program = (
        "import sys, trailers12k.features.backbones.calibrations; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
