"""Row i is the same moment in every store: a flash and a click of one second are in one row."""

import numpy as np
import pytest

from trailers12k.features.backbones import loading, sound
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec
from trailers12k.features.extraction import extract_trailer
from trailers12k.features.recipe import Sampling
from trailers12k.features.sound_extraction import extract_sound
from trailers12k.video.clip_detection import ClipSettings, detect_clips
from trailers12k.video.probe import probe

from ...cases.planted import KINDS, write_planted

pytestmark = pytest.mark.usefixtures("one_thread")

CHOSEN = (
    *("variable_frame_rate.mp4", "late_picture.mp4", "late_sound.mp4", "edit_list.mp4"),
    *("late_picture.mkv", "opus.webm", "wrapping.ts", "mp3.avi"),
)


@pytest.fixture(scope="module")
def networks():
    seeing = BackboneSpec(
        "torchvision/shufflenet_v2_x0_5", "random", "frames", precision="fp32", size=32
    )
    hearing = SoundSpec("logmel/8", "none", "audio")
    return loading.load(seeing, 0), sound.load(hearing, 0)


def odd_row(values: np.ndarray) -> int:
    """The row that is least like the median of all: the only one that is not black, or silent."""
    return int(np.abs(values - np.median(values, 0)).sum(1).argmax())


@pytest.mark.parametrize("name", CHOSEN)
def test_a_flash_and_its_click_are_in_the_same_row(name, networks, tmp_path):
    path = write_planted(tmp_path, next(kind for kind in KINDS if kind.name == name))
    video = probe(path)
    clips, _ = detect_clips(path, video.decoder, video.duration, ClipSettings(fpc=12))
    seeing, hearing = networks
    seen = extract_trailer({"": (seeing, Sampling(24, 12))}, path, video.decoder, clips)[""]
    heard = extract_sound({"": hearing}, path, clips)[""]
    assert len(seen) == len(heard) == len(clips) >= 10
    assert odd_row(seen) == odd_row(heard)
