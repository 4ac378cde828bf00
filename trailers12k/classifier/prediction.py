"""The genres of any trailer: cut into clips, its features, and the classifier.

Reads a video and a checkpoint; writes tables. Must not know Snakemake, nor which run is the best.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trailers12k.classifier.divita import DIViTA
from trailers12k.classifier.snippets import window_starts
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.features import backbones
from trailers12k.features import extraction as features
from trailers12k.features import store as stores
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.names import Weights
from trailers12k.video.clip_detection import ClipSettings, detect_clips
from trailers12k.video.clips import Clip

log = logging.getLogger(__name__)

MOMENTS = 3
"""How many clips are named for a genre in the table."""


def check_store(store: Path, determined_by: Mapping) -> None:
    """Refuse to compare features with those of a store that were made otherwise.

    determined_by: what would determine them now; the authors' own stores tell nothing of theirs.
    Raises `UserError`.
    """
    made = stores.attributes(store).get("determined_by")
    if made is None:
        return
    other = [key for key in determined_by if made.get(key) != determined_by[key]]
    if other:
        raise UserError(
            f"{store} was made with other {', '.join(other)} than the configuration says; run "
            "snakemake first, or give it the configuration of that run"
        )


def features_of(
    trailer: Mapping[str, str],
    clips: Sequence[Clip],
    spec: Mapping[str, object],
    settings: Mapping[str, object],
    seed: int,
    weights: Weights | None,
    device: str,
) -> np.ndarray:
    """The features of a trailer's clips, (clips, features) float32, as its store would hold them.

    See `features.extract_shard` for the parameters. Raises `UserError`.
    """
    features.keep_memory()
    torch.set_num_threads(1)
    with devices.claimed(device) as where:
        net = backbones.load(spec, seed, weights, where)
        try:
            return features.extract_movie(
                net,
                trailer["file"],
                trailer["decoder"],
                clips,
                settings["fps"],
                settings["fpc"],
                spec.get("image_frames") if spec["input"] == "frames" else None,
            )
        except Failure as failure:
            raise UserError(f"the trailer cannot be used: {failure}") from failure


@torch.inference_mode()
def explain(
    model: DIViTA, rows: Mapping[str, np.ndarray], snippet: int
) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of a trailer, (genres,), and what each clip adds to them, (clips, genres).

    rows: stream -> (clips, features) float32. Probabilities are those of `training.predict`: the
    mean over windows of `snippet` clips, the last one filled with zeros. What a clip adds is how
    much they fall when it is left out of its window, all else as it was. No attention weights are
    asked: these say where the network looks, not what follows from it.
    """
    clips = len(next(iter(rows.values())))
    starts = window_starts(clips, snippet)
    padded = {
        name: torch.from_numpy(np.pad(own, ((0, len(starts) * snippet - clips), (0, 0))))
        for name, own in rows.items()
    }
    total, added = torch.zeros(len(GENRES)), torch.zeros(clips, len(GENRES))
    for start in starts:
        window = {name: own[None, start : start + snippet] for name, own in padded.items()}
        seen = model(window).sigmoid()[0]
        total += seen
        real = min(snippet, clips - start)
        # A window of a single clip has nothing to be left when that is taken out.
        if snippet == 1:
            continue
        others = torch.tensor([[j for j in range(snippet) if j != i] for i in range(real)])
        without = model({name: own[0, others] for name, own in window.items()}).sigmoid()
        added[start : start + real] = (seen - without) / len(starts)
    return (total / len(starts)).numpy(), added.numpy()


def report(
    address: str,
    chosen: Mapping[str, object],
    weights: str,
    clips: Sequence[Clip],
    probabilities: np.ndarray,
    added: np.ndarray,
) -> dict:
    """All that is told of a trailer, as JSON; genres by falling probability.

    chosen: which run's checkpoint it was, see `Plan.best_run`. weights: words on its backbones'.
    """
    order = np.argsort(-probabilities, kind="stable")
    moments = [{"start": clip.start, "end": clip.end} for clip in clips]
    return {
        "trailer": address,
        **chosen,
        "backbone_weights": weights,
        "genres": {GENRES[place]: round(float(probabilities[place]), 6) for place in order},
        "clips": [
            moment | {genre: round(float(a), 6) for genre, a in zip(GENRES, row, strict=True)}
            for moment, row in zip(moments, added, strict=True)
        ],
    }


def table(told: Mapping) -> str:
    """A `report` for a person: each genre, its probability, and the seconds that spoke for it."""
    lines = [
        f"{told['trailer']}: {len(told['clips'])} clips",
        f"by {told['run']}, split {told['split']} (validation µAP {100 * told['uap']:.1f} %, "
        f"backbone weights: {told['backbone_weights']})",
        "",
        "| genre     | probability | seconds that spoke for it",
        "| --------- | ----------- | -------------------------",
    ]
    for genre, probability in told["genres"].items():
        spoke = sorted(told["clips"], key=lambda clip: -clip[genre])[:MOMENTS]
        words = ", ".join(
            f"{clip['start']:.1f}-{clip['end']:.1f} ({100 * clip[genre]:+.1f})"
            for clip in spoke
            if clip[genre] > 0
        )
        lines.append(f"| {genre:<9} | {100 * probability:>9.1f} % | {words or '-'}")
    lines += [
        "",
        "In brackets: by how many points the probability falls when this clip alone is left out.",
    ]
    return "\n".join(lines) + "\n"


def clips_of(trailer: Mapping[str, str], settings: Mapping[str, Any]) -> list[Clip]:
    """The clips of a trailer that was fetched. Raises `UserError`."""
    try:
        duration = float(trailer["duration"])
        clips, _ = detect_clips(
            trailer["file"], trailer["decoder"], duration, ClipSettings(**settings)
        )
    except Failure as failure:
        raise UserError(f"the trailer cannot be used: {failure}") from failure
    return clips
