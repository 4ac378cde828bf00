"""The genres of any trailer: its clips, their features, and the classifier's probabilities.

Reads a video, the attributes of stores, and a checkpoint. Must not know Snakemake, or how the run
is chosen.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch

from trailers12k.classifier.checkpoint import load
from trailers12k.classifier.divita import EARLY, DIViTA, Stream
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
from trailers12k.video.no_sound import NO_SOUND
from trailers12k.video.picture import Bars

MAX_CLIPS = 3
"""Clips that the table names per genre."""
AUDIO = "audio"
"""The stream whose features are of the clips' sound."""

CLIPS_HEAD = "clips that contribute most, in seconds"
SOUNDS_HEAD = "sounds that contribute most, in seconds"
OCCLUDED = "In brackets: the points by which the probability falls when only this clip is left out."
MUFFLED = "For sounds: when only this clip's sound is replaced by the training movies' mean sound."


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
    sounds: np.ndarray | None = None
    """(clips, 10) float32; see `attribute_to_sounds`. None for a run without sound."""

    def record(self) -> dict[str, Any]:
        """As JSON values, rounded to six decimals.

        Keys: `trailer` (the address), those of `ChosenRun`, `backbone_weights`, `genres` (genre ->
        probability, highest first), and `clips`: per clip `start` and `end` in seconds, its
        contribution to each genre and, for a run with sound, `sound`: genre -> that of its sound.
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
                | _by_genre(row)
                | ({} if self.sounds is None else {"sound": _by_genre(self.sounds[place])})
                for place, (clip, row) in enumerate(
                    zip(self.clips, self.contributions, strict=True)
                )
            ],
        }

    def table(self) -> str:
        """As Markdown: each genre, its probability, and the clips that contribute most.

        For a run with sound also the sounds that do.
        """
        chosen = self.chosen
        columns = {CLIPS_HEAD: self.contributions}
        if self.sounds is not None:
            columns[SOUNDS_HEAD] = self.sounds
        order = np.argsort(-self.probabilities, kind="stable")
        cells = {
            head: [self._most(values[:, place]) for place in order]
            for head, values in columns.items()
        }
        # The last column is not padded, since lines may wrap.
        widths = [max(map(len, [head, *own])) for head, own in cells.items()]
        widths[-1] = 0
        lines = [
            f"{self.address}: {len(self.clips)} clips",
            f"by {chosen.run}, split {chosen.split} (validation µAP {100 * chosen.uap:.1f} %, "
            f"backbone weights: {self.backbone_weights})",
            "",
            _line("| genre     | probability", cells, widths),
            _line("| --------- | -----------", ["-" * len(head) for head in cells], widths),
        ]
        for number, place in enumerate(order):
            start = f"| {GENRES[place]:<9} | {100 * self.probabilities[place]:>9.1f} %"
            lines.append(_line(start, [own[number] for own in cells.values()], widths))
        lines += ["", OCCLUDED] + ([] if self.sounds is None else [MUFFLED])
        return "\n".join(lines) + "\n"

    def _most(self, contributions: np.ndarray) -> str:
        """The seconds of the clips that contribute most, and their points. (clips,) float32."""
        most = np.argsort(-contributions, kind="stable")[:MAX_CLIPS]
        named = [
            f"{self.clips[i].start:.1f}-{self.clips[i].end:.1f} ({100 * contributions[i]:+.1f})"
            for i in most
            if contributions[i] > 0
        ]
        return ", ".join(named) or "-"


def _by_genre(values: np.ndarray) -> dict[str, float]:
    """Genre -> value, rounded to six decimals; values: (10,)."""
    return {genre: round(float(value), 6) for genre, value in zip(GENRES, values, strict=True)}


def _line(start: str, cells: Iterable[str], widths: Iterable[int]) -> str:
    """A line of a table with padded cells."""
    return " | ".join([start, *map(str.ljust, cells, widths)])


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
            if failure.reason == NO_SOUND:
                raise UserError(
                    "the trailer has no sound, which the best run of this collection needs "
                    f"({failure.detail}); name another file of it"
                ) from failure
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
    sounds = attribute_to_sounds(model, rows, settings.snippet) if AUDIO in rows else None
    return TrailerPrediction(
        address, chosen, backbone_weights, clips, probabilities, contributions, sounds
    )


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
    clips, starts, padded = _windows(rows, snippet)
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


@torch.inference_mode()
def attribute_to_sounds(model: DIViTA, rows: Mapping[str, np.ndarray], snippet: int) -> np.ndarray:
    """The contribution of each clip's sound to the probabilities of a trailer, (clips, 10).

    rows: stream -> (clips, features) float32, with the stream `AUDIO`. It is by how much a
    probability falls when the sound of only this clip says nothing, while its pictures stay: its
    features are replaced by the mean of the training movies', which the model's first layer
    subtracts. Early fusion sees one row per clip, so that its sound cannot be left out as a clip
    is.
    """
    clips, starts, padded = _windows(rows, snippet)
    mean, contributions = _mean_sound(model, rows), torch.zeros(clips, len(GENRES))
    for start in starts:
        window = {name: own[None, start : start + snippet] for name, own in padded.items()}
        real = min(snippet, clips - start)
        muffled = {name: own.repeat(real, 1, 1) for name, own in window.items()}
        places = torch.arange(real)
        muffled[AUDIO][places, places] = mean
        fall = model(window).sigmoid() - model(muffled).sigmoid()
        contributions[start : start + real] = fall / len(starts)
    return contributions.numpy()


def _windows(
    rows: Mapping[str, np.ndarray], snippet: int
) -> tuple[int, range, dict[str, torch.Tensor]]:
    """The number of clips, the first clips of the windows, and the rows, padded with zeros."""
    clips = len(next(iter(rows.values())))
    starts = window_starts(clips, snippet)
    missing = len(starts) * snippet - clips
    padded = {
        name: torch.from_numpy(np.pad(own, ((0, missing), (0, 0)))) for name, own in rows.items()
    }
    return clips, starts, padded


def _mean_sound(model: DIViTA, rows: Mapping[str, np.ndarray]) -> torch.Tensor:
    """The mean features of sound in training, (features,), as the model's first layer keeps them.

    rows: stream -> (clips, features) float32.
    """
    if model.fusion == "late":
        return _running_mean(model, AUDIO)
    before = model.inputs[: model.inputs.index(AUDIO)]
    first = sum(rows[name].shape[1] for name in before)
    return _running_mean(model, EARLY)[first : first + rows[AUDIO].shape[1]]


def _running_mean(model: DIViTA, stream: str) -> torch.Tensor:
    network = cast("Stream", model.streams[stream])
    return cast("torch.Tensor", network.norm_in.running_mean)
