"""Log-mel statistics: the spectrogram equals that of transformers' `audio_utils`."""

import numpy as np
import pytest
import torch

from trailers12k.common import sound_models
from trailers12k.common.errors import UserError
from trailers12k.features.backbones import logmel
from trailers12k.features.backbones.sound import load
from trailers12k.features.backbones.sound_spec import SoundSpec

audio_utils = pytest.importorskip("transformers.audio_utils")
PARITY = 1e-4
BANDS = (8, 64, 128)


def sounds() -> list[np.ndarray]:
    """Noise, a sweep, a click, silence, and sounds shorter than a frame."""
    rng = np.random.default_rng(2)
    time = np.arange(logmel.RATE) / logmel.RATE
    sweep = np.sin(2 * np.pi * (50 + 3500 * time) * time)
    click = np.zeros(logmel.RATE)
    click[5_000] = 1
    several = [rng.normal(0, 0.2, 16_123), sweep, click, np.zeros(8_000), sweep[:300], sweep[:1]]
    return [each.astype(np.float32) for each in several]


def reference(samples: np.ndarray, bands: int) -> np.ndarray:
    """The log-mel spectrogram of transformers, float64 (bands, frames)."""
    filters = audio_utils.mel_filter_bank(
        num_frequency_bins=logmel.WINDOW // 2 + 1,
        num_mel_filters=bands,
        min_frequency=0.0,
        max_frequency=logmel.RATE / 2,
        sampling_rate=logmel.RATE,
        norm="slaney",
        mel_scale="slaney",
    )
    return audio_utils.spectrogram(
        samples.astype(np.float64),
        audio_utils.window_function(logmel.WINDOW, "hann"),
        frame_length=logmel.WINDOW,
        hop_length=logmel.HOP,
        power=2.0,
        center=True,
        pad_mode="constant",
        mel_filters=filters,
        mel_floor=logmel.FLOOR,
        log_mel="log10",
    )


@pytest.mark.filterwarnings("ignore:At least one mel filter")
@pytest.mark.parametrize("bands", BANDS)
def test_the_spectrogram_equals_the_librarys(bands):
    for samples in sounds():
        expected = reference(samples, bands)
        found = logmel.log_mel(torch.from_numpy(samples), bands).numpy()
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < PARITY


@pytest.mark.parametrize("bands", BANDS)
def test_features_are_mean_and_deviation_of_each_band(bands):
    net = load(SoundSpec(f"logmel/{bands}", "none"), 0)
    windows = sounds()
    found = net(windows)
    for samples, features in zip(windows, found, strict=True):
        values = reference(samples, bands)
        expected = np.concatenate([values.mean(1), values.std(1)])
        assert np.abs(features - expected).max() < PARITY
    assert (found == np.concatenate([net([window]) for window in windows])).all()


def test_any_length_has_features():
    net = load(SoundSpec("logmel/64", "none"), 0)
    windows = [np.zeros(count, np.float32) for count in (0, 1, 511, 512, 513)]
    found = net(windows)
    assert found.shape == (5, 128) and np.isfinite(found).all()
    assert np.abs(found[:, :64] - np.log10(logmel.FLOOR)).max() < PARITY  # of silence


@pytest.mark.parametrize("name", ["logmel/7", "logmel/257", "logmel/x", "logmel/6.4", "logmel/٦٤"])
def test_another_name_is_refused(name):
    with pytest.raises(UserError, match="write logmel/BANDS"):
        load(SoundSpec(name, "none"), 0)


def test_the_configuration_allows_the_bands_that_exist():
    """Twice, so that words of the configuration recompute no store."""
    assert sound_models.BANDS == logmel.BANDS
