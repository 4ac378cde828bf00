"""Log-mel statistics: the mean and the deviation of each mel band over a clip; no weights.

Reads and writes nothing. Must not know clips or files. The spectrogram is that of
`transformers.audio_utils.spectrogram` and `librosa.feature.melspectrogram(pad_mode="constant")`: a
periodic Hann window, Slaney's filters with unit area, frames centred on multiples of the hop. Its
window and hop, 32 and 10 ms, are the usual ones for speech (B. McFee et al., librosa, SciPy 2015).
"""

import re
from collections.abc import Sequence
from functools import cache

import numpy as np
import torch
from torch import Tensor

from trailers12k.common.errors import UserError
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.sound import SoundNet
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import Weights

RATE = 16_000
WINDOW, HOP = 512, 160
"""Samples of a frame of the spectrogram, and between two."""
FLOOR = 1e-5
"""Power below which nothing is heard: about 70 dB below a tone of full scale."""
BANDS = (8, 256)
"""Fewest and most mel bands."""


def build(spec: SoundSpec, seed: int, weights: Weights | None, device: Device) -> SoundNet:
    """The model "logmel/BANDS"; see `sound.load`."""
    name = spec.model.partition("/")[2]
    if not re.fullmatch("[1-9][0-9]{0,2}", name) or not BANDS[0] <= int(name) <= BANDS[1]:
        raise UserError(
            f"backbone {spec.model}: write logmel/BANDS with {BANDS[0]} to {BANDS[1]} mel bands, "
            "for example logmel/64"
        )
    bands = int(name)

    def compute(windows: Sequence[np.ndarray]) -> Tensor:
        return torch.stack(
            [statistics(log_mel(device.put(torch.from_numpy(w)), bands)) for w in windows]
        )

    return SoundNet(
        compute,
        num_features=2 * bands,
        rate=RATE,
        preprocessing=f"log-mel, {bands} bands of Slaney, Hann window of {WINDOW}, hop {HOP}; mean "
        "and deviation over time",
        attributes={"weights": "none", "weights_sha256": None, "pretrained": True},
    )


def log_mel(samples: Tensor, bands: int) -> Tensor:
    """The log-mel spectrogram of mono samples at `RATE`, float32 (bands, frames): the logarithm, to
    base 10, of the power of each band."""
    # In float32 the rounding of a loud sound is louder than the floor.
    samples = samples.double()
    window = torch.hann_window(WINDOW, dtype=samples.dtype, device=samples.device)
    padded = torch.nn.functional.pad(samples[None], (WINDOW // 2, WINDOW // 2))[0]
    spectrum = torch.stft(padded, WINDOW, HOP, window=window, center=False, return_complex=True)
    power = spectrum.abs().square()
    return (filters(bands, samples.device) @ power).clamp_min(FLOOR).log10().float()


def statistics(values: Tensor) -> Tensor:
    """Mean and deviation of each band over time: (bands, frames) -> (2 * bands,)."""
    return torch.cat([values.mean(1), values.std(1, correction=0)])


@cache
def filters(bands: int, device: torch.device) -> Tensor:
    """Slaney's triangular mel filters with unit area, float64 (bands, WINDOW // 2 + 1)."""
    edges = _hertz(np.linspace(_mel(0.0), _mel(RATE / 2), bands + 2))
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)
    rising = (bins - edges[:-2, None]) / (edges[1:-1] - edges[:-2])[:, None]
    falling = (edges[2:, None] - bins) / (edges[2:] - edges[1:-1])[:, None]
    heights = 2 / (edges[2:] - edges[:-2])
    triangles = np.maximum(0, np.minimum(rising, falling)) * heights[:, None]
    with torch.inference_mode(False):
        return torch.from_numpy(triangles).to(device)


def _mel(hertz: float) -> float:
    """Slaney's mel scale: linear below 1 kHz, then logarithmic."""
    return (
        hertz / (200 / 3) if hertz < 1000 else 15 + float(np.log(hertz / 1000)) * 27 / np.log(6.4)
    )


def _hertz(mels: np.ndarray) -> np.ndarray:
    return np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * np.log(6.4) / 27))
