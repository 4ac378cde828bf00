"""Silero VAD: its network and its seconds of speech equal the package's own."""

import importlib.metadata
import warnings
from functools import cache

import numpy as np
import pytest
import torch

from trailers12k.common.errors import UserError
from trailers12k.features.backbones import silero
from trailers12k.features.backbones.sound import SoundBackbone, load
from trailers12k.features.backbones.sound_spec import SoundSpec

RATE = silero.RATE
PARITY = 1e-4


@cache
def voice(seconds: int, seed: int = 0) -> np.ndarray:
    """What Silero hears as words with pauses: harmonics of 120 Hz through moving resonances."""
    rng = np.random.default_rng(seed)
    time = np.arange(seconds * RATE) / RATE
    steps = np.arange(0, seconds + 1, 0.1)

    def moving(low: float, high: float) -> np.ndarray:
        return np.interp(time, steps, rng.uniform(low, high, len(steps)))

    phase = 2 * np.pi * np.cumsum(moving(96, 156)) / RATE
    formants = [
        (1.0, moving(250, 850), 90),
        (0.6, moving(800, 2300), 130),
        (0.35, moving(2300, 3000), 200),
    ]
    sound = np.zeros(len(time))
    for n in range(1, 30):
        gains = [g * np.exp(-0.5 * ((120 * n - f) / width) ** 2) for g, f, width in formants]
        sound += sum(gains) * np.sin(n * phase) / n**0.3
    words = np.repeat(rng.random(2 * seconds) > 0.3, RATE // 2)
    noise = rng.normal(0, 1e-3, len(time))
    return (0.1 * sound * moving(0, 1) * words + noise).astype(np.float32)


@cache
def backbone(context: float | None = None) -> SoundBackbone:
    return load(SoundSpec("silero/vad", "package", context=context), 0)


@pytest.fixture(scope="module")
def package():
    """The package's model in TorchScript, and its function that finds speech."""
    threads = torch.get_num_threads()
    import silero_vad

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        model = silero_vad.load_silero_vad()
    torch.set_num_threads(threads)
    return model, silero_vad.get_speech_timestamps


@torch.inference_mode()
def test_probabilities_and_speech_equal_the_packages(package):
    model, timestamps = package
    module = silero.SpeechNet()
    module.load(silero.packaged_file())
    rng = np.random.default_rng(1)
    windows = [rng.normal(0, 0.1, count).astype(np.float32) for count in (512, 513, 40_000)]
    windows += [voice(8), voice(8)[RATE : 3 * RATE + 77], voice(8, seed=1)]
    found = []
    for window in windows:
        samples = torch.from_numpy(window)
        model.reset_states()
        expected = model.audio_forward(samples[None], RATE)[0]
        probabilities = module(samples)
        assert (probabilities - expected).abs().max() < PARITY
        model.reset_states()
        spans = [(span["start"], span["end"]) for span in timestamps(samples, model)]
        assert silero.speech(probabilities.tolist(), len(window)) == spans
        found += spans
    assert len(found) >= 6  # otherwise the voice was not heard


def test_the_feature_is_the_share_of_the_clip_without_its_context():
    context = round(silero.CONTEXT * RATE)
    window = voice(8)[: 4 * RATE]
    values = backbone()([window])
    assert values.shape == (1, 1) and values.dtype == np.float32
    module = silero.SpeechNet()
    module.load(silero.packaged_file())
    with torch.inference_mode():
        spans = silero.speech(module(torch.from_numpy(window)).tolist(), len(window))
    is_speech = np.zeros(len(window))
    for start, end in spans:
        is_speech[start:end] = 1
    assert values[0, 0] == pytest.approx(is_speech[context:-context].mean(), abs=1e-6)
    assert 0 < values[0, 0] < 1


def test_silence_and_noise_are_no_speech():
    rng = np.random.default_rng(0)
    windows = [np.zeros(3 * RATE, np.float32), rng.normal(0, 0.1, 3 * RATE).astype(np.float32)]
    assert backbone()(windows).max() == 0


def test_no_result_depends_on_the_batch_and_any_length_is_heard():
    windows = [voice(8)[:count] for count in (0, 1, 100, 512, 33_000, 5 * RATE)]
    together = backbone()(windows)
    alone = np.concatenate([backbone()([window]) for window in windows])
    assert (together == alone).all()
    assert ((together >= 0) & (together <= 1)).all()
    assert backbone(context=0.0)([voice(8)[:100]])[0, 0] == 0


def test_what_a_store_records():
    attributes = backbone().attributes
    assert attributes["backbone"] == "silero/vad"
    assert attributes["weights_sha256"] == silero.SHA256
    assert attributes["pretrained"] is True
    assert attributes["context"] == silero.CONTEXT
    assert attributes["num_features"] == 1


def test_the_recorded_version_is_the_installed_one():
    version = importlib.metadata.version("silero-vad")
    assert f"silero-vad {version}" in str(backbone().attributes["weights_source"])


def test_another_file_is_refused(monkeypatch):
    monkeypatch.setattr(silero, "SHA256", "0" * 64)
    with pytest.raises(UserError, match="reinstall silero-vad"):
        load(SoundSpec("silero/vad", "package"), 0)


def test_a_missing_package_is_one_line(monkeypatch):
    def missing(name):
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(silero, "distribution", missing)
    with pytest.raises(UserError, match="pip install silero-vad"):
        load(SoundSpec("silero/vad", "package"), 0)


def test_another_model_of_silero_is_refused():
    with pytest.raises(UserError, match="silero/other"):
        load(SoundSpec("silero/other", "package"), 0)
