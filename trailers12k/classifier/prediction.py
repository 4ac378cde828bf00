"""The genres of any trailer: its clips, their features, and the classifier's probabilities.

Reads a video, the attributes of stores, and a checkpoint. Must not know Snakemake, or how the run
is chosen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from trailers12k.classifier.checkpoint import load
from trailers12k.classifier.divita import DIViTA
from trailers12k.classifier.snippets import window_starts
from trailers12k.common.errors import Failure, UserError
from trailers12k.common.vocabulary import GENRES
from trailers12k.features import store
from trailers12k.features.backbones import devices
from trailers12k.features.extraction import extract_trailer, keep_memory
from trailers12k.features.recipe import Recipe
from trailers12k.features.sound_extraction import extract_sound
from trailers12k.features.sound_recipe import SoundRecipe
from trailers12k.video.clip_detection import ClipSettings, detect_clips
from trailers12k.video.clips import Clip
from trailers12k.video.picture import Bars

MAX_CLIPS = 3
"""Clips that the table names per genre."""


@dataclass(frozen=True)
class FetchedTrailer:
    """A trailer on this machine."""

    file: str
    decoder: str
    """What reads the video; see `video.probe`."""
    duration: float
    """Seconds."""

    @classmethod
    def from_record(cls, record: Mapping[str, str]) -> "FetchedTrailer":
        """From the columns `file`, `decoder` and `duration` of the trailers' ledger."""
        return cls(record["file"], record["decoder"], float(record["duration"]))


@dataclass(frozen=True)
class ChosenRun:
    """The trained run and split that predicts."""

    run: str
    split: int
    uap: float
    """µAP on the validation movies, a fraction."""
    checkpoint: str
    """Path of best.pt."""
    sha256: str
    """Of the checkpoint."""


@dataclass(frozen=True)
class TrailerPrediction:
    """The genres of a trailer and what each clip contributes to them."""

    address: str
    """URL or path of the trailer."""
    chosen: ChosenRun
    backbone_weights: str
    """Describes the weights of the backbones."""
    clips: Sequence[Clip]
    probabilities: np.ndarray
    """(10,) float32, in the order of `GENRES`."""
    contributions: np.ndarray
    """(clips, 10) float32; see `attribute_by_occlusion`."""

    def record(self) -> dict[str, Any]:
        """As JSON values, rounded to six decimals.

        Keys: `trailer` (the address), those of `ChosenRun`, `backbone_weights`, `genres` (genre ->
        probability, highest first), and `clips`: per clip `start` and `end` in seconds, and its
        contribution to each genre.
        """
        order = np.argsort(-self.probabilities, kind="stable")
        return {
            "trailer": self.address,
            **asdict(self.chosen),
            "backbone_weights": self.backbone_weights,
            "genres": {
                GENRES[place]: round(float(self.probabilities[place]), 6) for place in order
            },
            "clips": [
                {"start": clip.start, "end": clip.end}
                | {genre: round(float(value), 6) for genre, value in zip(GENRES, row, strict=True)}
                for clip, row in zip(self.clips, self.contributions, strict=True)
            ],
        }

    def table(self) -> str:
        """As Markdown: each genre, its probability, and the clips that contribute most."""
        record, chosen = self.record(), self.chosen
        lines = [
            f"{self.address}: {len(self.clips)} clips",
            f"by {chosen.run}, split {chosen.split} (validation µAP {100 * chosen.uap:.1f} %, "
            f"backbone weights: {self.backbone_weights})",
            "",
            "| genre     | probability | clips that contribute most, in seconds",
            "| --------- | ----------- | --------------------------------------",
        ]
        for genre, probability in record["genres"].items():
            most = sorted(record["clips"], key=lambda clip: -clip[genre])[:MAX_CLIPS]
            cells = [
                f"{clip['start']:.1f}-{clip['end']:.1f} ({100 * clip[genre]:+.1f})"
                for clip in most
                if clip[genre] > 0
            ]
            lines.append(f"| {genre:<9} | {100 * probability:>9.1f} % | {', '.join(cells) or '-'}")
        lines += [
            "",
            "In brackets: the points by which the probability falls when only this clip is left "
            "out.",
        ]
        return "\n".join(lines) + "\n"


def check_store(path: Path, determined_by: Mapping[str, object]) -> None:
    """Refuse a store whose features were computed in another way than the trailer's would be.

    determined_by: of the trailer's `extraction.Recipe`. The authors' own stores do not record
    theirs and are accepted. Raises `UserError`.
    """
    recorded = store.attributes(path).get("determined_by")
    if recorded is None:
        return
    different = [key for key in determined_by if recorded.get(key) != determined_by[key]]
    if different:
        raise UserError(
            f"{path} was computed with another {', '.join(different)} than the configuration "
            "says; run trailers12k run first, or use the configuration of that run"
        )


def cut_into_clips(trailer: FetchedTrailer, settings: ClipSettings) -> tuple[list[Clip], Bars]:
    """The clips of a trailer, and the bars around its picture. Raises `UserError`."""
    try:
        clips, detection = detect_clips(trailer.file, trailer.decoder, trailer.duration, settings)
    except Failure as failure:
        raise UserError(f"the trailer cannot be used: {failure}") from failure
    return clips, detection.bars


def compute_features(
    trailer: FetchedTrailer,
    clips: Sequence[Clip],
    bars: Bars,
    recipe: Recipe | SoundRecipe,
    device: str,
) -> np.ndarray:
    """The features of a trailer's clips, (clips, features) float32, as a store would hold them.

    bars: around the picture; cut off if the recipe says so.
    recipe: determines the features, see `extraction.recipe_of`. device: see `devices.claimed`.
    Raises `UserError` when the trailer cannot be decoded, ValueError for a recipe of posters.
    """
    keep_memory()
    torch.set_num_threads(1)
    with devices.claimed(device) as claimed:
        try:
            if isinstance(recipe, SoundRecipe):
                return extract_sound({"": recipe.load(claimed)}, trailer.file, clips)[""]
            if (sampling := recipe.sampling) is None:
                raise ValueError("a recipe of posters has no features of clips")
            return extract_trailer(
                {"": (recipe.load(claimed), sampling)},
                trailer.file,
                trailer.decoder,
                clips,
                bars=bars if sampling.crop_bars else None,
            )[""]
        except Failure as failure:
            raise UserError(f"the trailer cannot be used: {failure}") from failure


def predict_trailer(
    address: str,
    chosen: ChosenRun,
    backbone_weights: str,
    clips: Sequence[Clip],
    rows: Mapping[str, np.ndarray],
) -> TrailerPrediction:
    """The genres of a trailer by the chosen run's checkpoint.

    rows: stream -> (clips, features) float32, see `compute_features`. See `TrailerPrediction` for
    the other parameters.
    """
    model, settings = load(chosen.checkpoint)
    probabilities, contributions = attribute_by_occlusion(model, rows, settings.snippet)
    return TrailerPrediction(address, chosen, backbone_weights, clips, probabilities, contributions)


@torch.inference_mode()
def attribute_by_occlusion(
    model: DIViTA, rows: Mapping[str, np.ndarray], snippet: int
) -> tuple[np.ndarray, np.ndarray]:
    """The probabilities of a trailer, (10,), and each clip's contribution to them, (clips, 10).

    rows: stream -> (clips, features) float32. Probabilities are those of `inference.predict`: the
    mean over windows of `snippet` clips, the last one padded with zeros. The contribution of a clip
    is by how much a probability falls when only this clip is removed from its window. Attention
    weights are not used, because they show where a network looks and not what changes its output.
    """
    clips = len(next(iter(rows.values())))
    starts = window_starts(clips, snippet)
    padded = {
        name: torch.from_numpy(np.pad(own, ((0, len(starts) * snippet - clips), (0, 0))))
        for name, own in rows.items()
    }
    total, contributions = torch.zeros(len(GENRES)), torch.zeros(clips, len(GENRES))
    for start in starts:
        window = {name: own[None, start : start + snippet] for name, own in padded.items()}
        complete = model(window).sigmoid()[0]
        total += complete
        # A window of one clip is empty without that clip.
        if snippet == 1:
            continue
        real = min(snippet, clips - start)
        others = torch.tensor([[j for j in range(snippet) if j != i] for i in range(real)])
        occluded = model({name: own[0, others] for name, own in window.items()}).sigmoid()
        contributions[start : start + real] = (complete - occluded) / len(starts)
    return (total / len(starts)).numpy(), contributions.numpy()
