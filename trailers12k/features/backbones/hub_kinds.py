"""The kinds of models of sound of transformers that give features, and how each is pooled.

Reads and writes nothing. Must not import transformers.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

LONGEST = 30
"""Seconds that a network without a length of its own hears at once; memory grows faster."""
MOST_POSITIONS = 10_000
"""Most `positions` of a network; those of all known ones are below 5,000."""
MOST_SAMPLES = 2_000_000
"""Most samples that are heard at once; all known models hear 480,000 or fewer."""
MOST_NUMBERS = 4_000_000
"""Most `numbers` of a spectrogram; those of Whisper's largest models have a million."""
MOST_OF_CONVOLUTIONS = 200_000_000
"""As `MOST_NUMBERS`, of networks without a spectrogram; wav2vec 2 has 49 million."""
AST_FRAME, AST_HOP, AST_FFT = 400, 160, 512
"""Samples of a frame of AST's spectrogram, between two, and of its Fourier transform: fixed in its
feature extractor."""


@dataclass(frozen=True)
class Kind:
    """What the models of one `model_type` have in common.

    config, network, extractor: names of classes of transformers.
    narrow: the network's configuration within that of the model.
    prefixes: of the names of its tensors in a file, see `hub_nets.load_network`.
    inputs: (extractor, windows) -> arguments of the network, on the CPU.
    pooled: (output of the network, samples of each window, extractor) -> (N, features). pooling:
        says that in words. features: length of a vector, by the configuration.
    most: samples that are heard at once, by the extractor. least: that the network needs.
    positions: that the network attends to at once, by the configuration and the extractor.
    numbers: of the largest array that one window becomes before the network attends to it, by the
        configuration and the extractor. most_numbers: that are allowed.
    small, small_processor: values of a configuration of a small network, and of its extractor, for
        random weights.
    needs_equal_lengths: whether only windows of one length share a pass.
    """

    config: str
    network: str
    extractor: str
    inputs: Callable[[Any, list[np.ndarray]], dict[str, Tensor]]
    pooled: Callable[[Any, Sequence[int], Any], Tensor]
    pooling: str
    features: Callable[[Any], int]
    most: Callable[[Any], int]
    least: Callable[[Any], int]
    positions: Callable[[Any, Any], int]
    numbers: Callable[[Any, Any], int]
    small: Mapping[str, Any]
    small_processor: Mapping[str, Any] = field(default_factory=dict)
    narrow: Callable[[Any], Any] = lambda config: config
    prefixes: Mapping[str, str] = field(default_factory=dict)
    needs_equal_lengths: bool = False
    most_numbers: int = MOST_NUMBERS


def _extracted(extractor: Any, windows: list[np.ndarray]) -> dict[str, Tensor]:
    """What the library's own feature extractor makes of windows."""
    made = extractor(windows, sampling_rate=extractor.sampling_rate, return_tensors="pt")
    return {name: values.float() for name, values in made.items() if values.is_floating_point()}


def _clap_inputs(extractor: Any, windows: list[np.ndarray]) -> dict[str, Tensor]:
    """As `_extracted`. No window is longer than the network hears: where none is, the extractor
    would declare a random one to be."""
    longer = torch.zeros(len(windows), 1, dtype=torch.bool)
    return _extracted(extractor, windows) | {"is_longer": longer}


def _mean_of_heard(output: Any, samples: Sequence[int], extractor: Any) -> Tensor:
    """The mean over the frames of Whisper's encoder that have sound; the rest is filled up."""
    frames = [max(1, -(-count // (2 * extractor.hop_length))) for count in samples]
    states = output.last_hidden_state
    return torch.stack([own[:count].mean(0) for own, count in zip(states, frames, strict=True)])


def _least_of_convolutions(config: Any) -> int:
    """The samples that give one frame after the convolutions of wav2vec 2 and its kin."""
    count = 1
    for kernel, stride in reversed(list(zip(config.conv_kernel, config.conv_stride, strict=True))):
        count = (count - 1) * stride + kernel
    return count


def _numbers_of_convolutions(config: Any, extractor: Any) -> int:
    """The numbers of the largest layer of the convolutions of wav2vec 2, for the longest window."""
    largest, step = 0, 1
    for channels, stride in zip(config.conv_dim, config.conv_stride, strict=True):
        step *= stride
        largest = max(largest, channels * (LONGEST * extractor.sampling_rate // step))
    return largest


def _numbers_of_spectrogram(samples: int, hop: int, window: int, bands: int) -> int:
    """The numbers of a spectrogram and of its mel bands, for a window of so many samples."""
    return (samples // hop + 1) * (window // 2 + 1 + bands)


def _of_wav2vec2(name: str) -> Kind:
    """wav2vec 2 and the models that differ from it in training or attention alone."""
    return Kind(
        config=f"{name}Config",
        network=f"{name}Model",
        extractor="Wav2Vec2FeatureExtractor",
        inputs=_extracted,
        pooled=lambda output, samples, extractor: output.last_hidden_state.mean(1),
        pooling="mean of the last hidden states over time",
        features=lambda config: (
            config.output_hidden_size
            if getattr(config, "add_adapter", False)
            else config.hidden_size
        ),
        most=lambda extractor: LONGEST * extractor.sampling_rate,
        least=_least_of_convolutions,
        positions=lambda config, extractor: (
            LONGEST * extractor.sampling_rate // math.prod(config.conv_stride)
        ),
        numbers=_numbers_of_convolutions,
        most_numbers=MOST_OF_CONVOLUTIONS,
        small={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
            "conv_dim": [32] * 7,
            "num_conv_pos_embeddings": 16,
            "num_conv_pos_embedding_groups": 4,
        },
        needs_equal_lengths=True,
    )


KINDS = {
    "audio-spectrogram-transformer": Kind(
        config="ASTConfig",
        network="ASTModel",
        extractor="ASTFeatureExtractor",
        inputs=_extracted,
        pooled=lambda output, samples, extractor: output.pooler_output,
        pooling="the network's own pooler_output: mean of the class and the distillation token",
        features=lambda config: config.hidden_size,
        most=lambda extractor: (extractor.max_length - 1) * AST_HOP + AST_FRAME,
        least=lambda config: AST_FRAME,
        positions=lambda config, extractor: (
            (config.num_mel_bins // config.frequency_stride)
            * (config.max_length // config.time_stride)
        ),
        numbers=lambda config, extractor: _numbers_of_spectrogram(
            extractor.max_length * AST_HOP, AST_HOP, AST_FFT, extractor.num_mel_bins
        ),
        small={
            "hidden_size": 32,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "intermediate_size": 64,
        },
    ),
    "clap": Kind(
        config="ClapConfig",
        network="ClapAudioModelWithProjection",
        extractor="ClapFeatureExtractor",
        inputs=_clap_inputs,
        pooled=lambda output, samples, extractor: output.audio_embeds,
        pooling="the network's own audio_embeds: pooled and projected",
        features=lambda config: config.projection_dim,
        most=lambda extractor: extractor.nb_max_samples,
        least=lambda config: 1,
        positions=lambda config, extractor: (config.spec_size // min(config.patch_stride)) ** 2,
        numbers=lambda config, extractor: _numbers_of_spectrogram(
            extractor.nb_max_samples,
            extractor.hop_length,
            extractor.fft_window_size,
            4 * extractor.feature_size,  # where it fuses four pictures
        ),
        small={
            "projection_dim": 32,
            "audio_config": {
                "window_size": 8,
                "depths": [1, 1],
                "num_attention_heads": [2, 4],
                "patch_embeds_hidden_size": 16,
                "hidden_size": 32,
                "num_hidden_layers": 2,
            },
        },
        small_processor={"truncation": "rand_trunc"},
        narrow=lambda config: config.audio_config,
        prefixes={"audio_model.": "audio_model.", "audio_projection.": "audio_projection."},
    ),
    "whisper": Kind(
        config="WhisperConfig",
        network="models.whisper.modeling_whisper.WhisperEncoder",
        extractor="WhisperFeatureExtractor",
        inputs=_extracted,
        pooled=_mean_of_heard,
        pooling="mean of the encoder's last hidden states over the frames that have sound",
        features=lambda config: config.d_model,
        most=lambda extractor: extractor.n_samples,
        least=lambda config: 1,
        positions=lambda config, extractor: config.max_source_positions,
        numbers=lambda config, extractor: _numbers_of_spectrogram(
            extractor.n_samples, extractor.hop_length, extractor.n_fft, extractor.feature_size
        ),
        small={
            "d_model": 32,
            "encoder_layers": 2,
            "encoder_attention_heads": 2,
            "encoder_ffn_dim": 64,
        },
        prefixes={"model.encoder.": "", "encoder.": ""},
    ),
    "wav2vec2": _of_wav2vec2("Wav2Vec2"),
    "hubert": _of_wav2vec2("Hubert"),
    "wavlm": _of_wav2vec2("WavLM"),
}
"""`model_type` of a configuration -> its kind."""
