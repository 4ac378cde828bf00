"""Silero VAD: which share of a clip's seconds is speech; its weights come with a pip package.

Reads a file of the package silero-vad, whose network this is in PyTorch (`tinygrad_model.py` there;
MIT licence). Must not import the package, which sets torch's number of threads, nor run the program
in its file (TorchScript, which torch is about to drop).
"""

import zipfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of
from trailers12k.features.backbones.devices import Device
from trailers12k.features.backbones.sound import SoundNet
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import Weights

MODEL = "silero/vad"
PACKAGE, FILE = "silero-vad", "silero_vad/data/silero_vad.jit"
"""The package's own default model. Its file silero_vad_16k.safetensors holds older weights."""
SHA256 = "e1122837f4154c511485fe0b9c64455f7b929c96fbb8d79fbdb336383ebd3720"
"""Of `FILE` in version 6.2.3 of the package."""
FIRST_TENSOR = "VADr_v6_10_25_noths_re/data/2"
"""The entry of `FILE` with the network's first tensor at 16 kHz; the others follow in order."""

RATE = 16_000
CHUNK, BEFORE = 512, 64
"""Samples of a chunk, which has one probability, and of those before it that the network sees."""
MOST_CHUNKS = 2048
"""In one pass of the convolutions, so that memory does not grow with a clip: a minute of sound."""
CONTEXT = 2 * CHUNK * 16 / RATE
"""Seconds around a clip, by default: the network's state and the words that a cut divides."""

# The package's defaults, in `get_speech_timestamps`.
SPEECH, NO_SPEECH = 0.5, 0.35
"""Probabilities at which speech begins, and below which it may end."""
SHORTEST_SPEECH, SHORTEST_PAUSE, MARGIN = RATE * 0.25, RATE * 0.1, int(RATE * 0.03)
"""Samples of the shortest speech, of the shortest pause within it, and added before and after."""


def build(spec: SoundSpec, seed: int, weights: Weights | None, device: Device) -> SoundNet:
    """The model "silero/vad" with one feature, from 0 to 1; see `sound.load`."""
    if spec.model != MODEL:
        raise UserError(f"backbone {spec.model}: the only model of Silero is {MODEL}")
    module = SpeechNet()
    module.load(packaged_file())
    module.to(device.torch).eval()
    context = CONTEXT if spec.context is None else spec.context

    def compute(windows: Sequence[np.ndarray]) -> Tensor:
        # One by one: no result depends on what shares a batch.
        shares = [
            share_of_speech(module(device.put(torch.from_numpy(own))).tolist(), len(own), context)
            for own in windows
        ]
        return torch.tensor(shares, device=device.torch)[:, None]

    return SoundNet(
        compute,
        num_features=1,
        rate=RATE,
        preprocessing=f"chunks of {CHUNK} samples; speech from a probability of {SPEECH} until it "
        f"is below {NO_SPEECH}, at least 0.25 s, over pauses below 0.1 s, with 0.03 s around it",
        attributes={
            "weights": "Silero VAD (silero-vad 6.2.3)",
            "weights_source": "pip package silero-vad 6.2.3",
            "weights_sha256": SHA256,
            "pretrained": True,
        },
        context=context,
    )


def packaged_file() -> Path:
    """The package's file of weights. Raises `UserError` where it is missing or another."""
    try:
        file = Path(str(distribution(PACKAGE).locate_file(FILE)))
    except PackageNotFoundError as error:
        raise UserError(f"{MODEL}: pip install silero-vad") from error
    if not file.is_file() or sha256_of(file) != SHA256:
        raise UserError(f"{file} is damaged or of another version: reinstall silero-vad==6.2.3")
    return file


class SpeechNet(nn.Module):
    """Silero's network at 16 kHz: samples to the probability of speech in each chunk."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 258, 256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(129, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, 128, 3, padding=1)
        self.lstm = nn.LSTM(128, 128)
        self.final_conv = nn.Conv1d(128, 1, 1)

    def load(self, file: Path) -> None:
        """Take the tensors of `packaged_file`: little-endian float32, in this network's order."""
        folder, _, first = FIRST_TENSOR.rpartition("/")
        with zipfile.ZipFile(file) as archive:
            for number, tensor in enumerate(self.state_dict().values(), int(first)):
                values = np.frombuffer(archive.read(f"{folder}/{number}"), "<f4")
                tensor.copy_(torch.from_numpy(values.astype(np.float32)).view_as(tensor))

    def forward(self, samples: Tensor) -> Tensor:
        """Float32 (samples,) -> probabilities, float32 (chunks,); the last chunk is filled with 0.

        Equals `audio_forward` of the package's own models.
        """
        missing = -len(samples) % CHUNK
        padded = nn.functional.pad(samples, (BEFORE, missing))
        if len(padded) == BEFORE:
            return samples.new_zeros(0)
        chunks = padded.unfold(0, CHUNK + BEFORE, CHUNK)
        seen = torch.cat([self._see(part) for part in chunks.split(MOST_CHUNKS)])
        states, _ = self.lstm(seen)
        probabilities: Tensor = self.final_conv(states.relu()[..., None]).sigmoid().flatten()
        return probabilities

    def _see(self, chunks: Tensor) -> Tensor:
        """Chunks with the samples before them (n, CHUNK + BEFORE) -> (n, 128)."""
        values = nn.functional.pad(chunks[:, None], (0, 64), mode="reflect")
        real, imaginary = self.stft_conv(values).chunk(2, 1)
        values = (real.square() + imaginary.square()).sqrt()
        for conv in (self.conv1, self.conv2, self.conv3, self.conv4):
            values = conv(values).relu()
        return values.squeeze(-1)


def share_of_speech(probabilities: Sequence[float], length: int, context: float) -> float:
    """The share of a clip that is speech, from 0 to 1.

    probabilities: of each chunk of a clip with its context. length: its samples. context: seconds
    before and after the clip.
    """
    around = min(round(context * RATE), length // 2)
    start, end = around, length - around
    if start >= end:
        return 0.0
    heard = sum(
        max(0, min(high, end) - max(low, start)) for low, high in speech(probabilities, length)
    )
    return heard / (end - start)


def speech(probabilities: Sequence[float], length: int) -> list[tuple[int, int]]:
    """First and last sample of each speech; equals the package's `get_speech_timestamps`.

    probabilities: of each chunk. length: all samples.
    """
    found: list[tuple[int, int]] = []
    start = pause = None
    for at, probability in zip(range(0, length, CHUNK), probabilities, strict=True):
        if probability >= SPEECH:
            pause = None
            start = at if start is None else start
        elif probability < NO_SPEECH and start is not None:
            pause = at if pause is None else pause
            if at - pause >= SHORTEST_PAUSE:
                found.append((start, pause))
                start = pause = None
    if start is not None:
        found.append((start, length))
    return _with_margins([each for each in found if each[1] - each[0] > SHORTEST_SPEECH], length)


def _with_margins(spans: Sequence[tuple[int, int]], length: int) -> list[tuple[int, int]]:
    """Spans with `MARGIN` before and after; two that would meet divide what lies between them."""
    edges = [-2 * MARGIN, *(edge for span in spans for edge in span), length + 2 * MARGIN]
    result = []
    for i in range(1, len(edges) - 1, 2):
        before, start, end, after = edges[i - 1 : i + 3]
        low = start - min(MARGIN, (start - before) // 2)
        high = end + min(MARGIN, (after - end) // 2)
        result.append((max(0, low), min(length, high)))
    return result
