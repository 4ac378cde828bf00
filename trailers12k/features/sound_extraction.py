"""From the sound of a trailer's clips to its features.

Reads videos; writes nothing. Must not know stores, jobs, nor where videos come from.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from trailers12k.features.backbones.sound import SoundBackbone
from trailers12k.video.clips import Clip
from trailers12k.video.sound_track import Listening, read_sound


def extract_sound(
    networks: Mapping[str, SoundBackbone], path: str | Path, clips: Sequence[Clip]
) -> dict[str, np.ndarray]:
    """The features of the sound of a trailer's clips by several models, from one pass over it.

    Returns store -> float32 (clips, features); row i is of the seconds of clip i, with the model's
    context around them. Raises `Failure` with the reason `no_sound`.
    """
    wanted = {
        store: Listening(
            net.rate, tuple((c.start - net.context, c.end + net.context) for c in clips)
        )
        for store, net in networks.items()
    }
    waiting: dict[str, list[np.ndarray]] = {store: [] for store in networks}
    parts: dict[str, list[np.ndarray]] = {store: [] for store in networks}
    for store, samples in read_sound(path, wanted, clips[-1].end):
        waiting[store].append(samples)
        if len(waiting[store]) >= networks[store].batch:
            parts[store].append(networks[store](waiting[store]))
            waiting[store] = []
    for store, left in waiting.items():
        if left:
            parts[store].append(networks[store](left))
    return {store: np.concatenate(own) for store, own in parts.items()}
