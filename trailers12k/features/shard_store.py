"""One store of a shard: what it lacks, and where its arrays and records are written.

Reads and writes the arrays of a shard's store, their index, and the group's attributes. Must not
import torch, nor know how features are computed.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trailers12k.common.files import inside, write_json
from trailers12k.common.fingerprint import fingerprint
from trailers12k.features import store, store_index
from trailers12k.features.recipe import Recipe
from trailers12k.features.recipes import described_input
from trailers12k.features.sound_recipe import DECODER, SoundRecipe
from trailers12k.features.weights_record import NO_WEIGHTS
from trailers12k.jobs import runner
from trailers12k.video.clips import Clip
from trailers12k.video.no_sound import NO_SOUND, why_no_sound
from trailers12k.video.picture import Bars
from trailers12k.video.reader import available_decoder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoreRequest:
    """A store of which a job computes one shard, and where its products lie.

    recipe: None where the weights could not be obtained; `missing` says why.
    records: folder of a record per movie, see `runner.process`.
    group: the zarr group of this shard. index: of that store, see `store_index`.
    costs: where is recorded what the shard took, see `store_costs`; None for nowhere.
    """

    name: str
    recipe: Recipe | SoundRecipe | None
    records: Path
    group: Path
    index: Path
    missing: str = ""
    costs: Path | None = None

    @property
    def is_of_sound(self) -> bool:
        """Whether the store's backbone hears the trailers."""
        return isinstance(self.recipe, SoundRecipe)


@dataclass(frozen=True)
class ShardMovies:
    """The movies of a shard.

    sources: rows of the ledger of trailers, or of posters for backbones of posters.
    clips: mid -> clips; empty for posters. clip_settings: how they were cut, which stores record;
        {} for posters.
    bars: mid -> the bars of its trailer; needed where they are cut off.
    """

    sources: Sequence[Mapping[str, str]]
    clips: Mapping[str, list[Clip]] = field(default_factory=dict)
    clip_settings: Mapping[str, object] = field(default_factory=dict)
    bars: Mapping[str, Bars] = field(default_factory=dict)

    @property
    def of_posters(self) -> bool:
        """Whether the sources are posters."""
        return not self.clip_settings

    def clips_of(self, mid: str) -> list[Clip]:
        """The clips of a movie."""
        return self.clips.get(mid, [])

    def bars_of(self, mid: str) -> Bars | None:
        """The bars that are cut off; None where the settings keep them."""
        if not self.clip_settings.get("crop_bars"):
            return None
        return self.bars.get(mid, Bars())


class ShardStore:
    """A store of a shard while its job runs.

    fingerprints: mid -> fingerprint of its array. computed: number of vectors that were computed.
    """

    def __init__(self, request: StoreRequest, movies: ShardMovies):
        self._request, self._movies = request, movies
        self._sources = {row["mid"]: row for row in movies.sources}
        self.fingerprints: dict[str, str] = {}
        self.computed = 0
        self._about: dict[str, Any] = {}
        self._verified: store_index.Index = {}
        if request.recipe is None:
            log.info("%s has no weights: %s", request.name, request.missing)
        else:
            self._determine(request.recipe)
            self._verified = self._verify()

    def _determine(self, recipe: Recipe | SoundRecipe) -> None:
        determined_by = recipe.determined_by
        self.fingerprints = {
            mid: store.array_fingerprint(
                determined_by,
                row.get("sha256"),
                self._decoder_of(row),
                self._movies.clips_of(mid),
                self._fractions(mid),
            )
            for mid, row in self._sources.items()
        }
        self._about = described_input(recipe) | dict(self._movies.clip_settings)
        self._about["determined_by"] = determined_by
        self._about["fingerprint"] = fingerprint(**determined_by, about=self._about)

    def _decoder_of(self, row: Mapping[str, str]) -> str | None:
        return DECODER if self._request.is_of_sound else decoder_of(row)

    def _fractions(self, mid: str) -> tuple[float, ...] | None:
        bars = None if self._request.is_of_sound else self._movies.bars_of(mid)
        return None if bars is None else astuple(bars)

    @property
    def is_of_sound(self) -> bool:
        """Whether the store's backbone hears the trailers."""
        return self._request.is_of_sound

    @property
    def costs(self) -> Path | None:
        """See `StoreRequest`."""
        return self._request.costs

    @property
    def fingerprint(self) -> str:
        """Of the attributes that determine all of its arrays; empty without weights."""
        return str(self._about.get("fingerprint", ""))

    @property
    def stage(self) -> runner.Stage:
        """The tasks of this store."""
        tasks = tuple(map(self._task, self._movies.sources))
        return runner.Stage(self._request.name, self._request.records, tasks)

    def _task(self, row: Mapping[str, str]) -> runner.Task:
        mid = row["mid"]
        if row["status"] != "ok":
            return runner.Task(mid, skip="no_poster" if self._movies.of_posters else "no_trailer")
        if not self._movies.of_posters and not self._movies.clips_of(mid):
            return runner.Task(mid, skip="no_clips")
        if self._request.recipe is None:
            return runner.Task(mid, skip=NO_WEIGHTS, detail=self._request.missing)
        if self._request.is_of_sound and (why := why_no_sound(row)):
            return runner.Task(mid, skip=NO_SOUND, detail=why)
        return runner.Task(mid, self.fingerprints[mid], (inside(self._request.group, mid),))

    @property
    def is_described(self) -> bool:
        """Whether the group has its attributes, so that no network must be loaded for them."""
        if self._request.recipe is None:
            return True
        attributes = _group_attributes(self._request.group)
        return attributes.get("fingerprint") == self._about["fingerprint"]

    def describe(self, network: Mapping[str, object]) -> None:
        """Write the group with its attributes. network: those of the backbone."""
        store.create(self._request.group, dict(network) | self._about)

    def write(self, mid: str, values: np.ndarray, network: Mapping[str, object]) -> dict[str, Any]:
        """Write one movie's array; returns the columns of its row.

        values: float32 (clips, features). network: the attributes of the backbone.
        """
        row = self._sources[mid]
        attributes = {
            "source_sha256": row["sha256"],
            "decoder": self._decoder_of(row),
            "fingerprint": self.fingerprints[mid],
            "precision": network["precision"],
            "device": network["device"],
            "batch": network["batch"],
        }
        if network.get("batch_across"):
            attributes["batch_across"] = True
        if (fractions := self._fractions(mid)) is not None:
            attributes["bars"] = [*fractions]
        store.write(self._request.group, mid, values, attributes)
        return {"clips": len(values), "fingerprint": self.fingerprints[mid]}

    def finish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write the index and the group files, which Snakemake removed before the job.

        Arrays of movies that have left are removed. Without weights nothing is known of the arrays
        that are there: they stay.
        """
        group, index = self._request.group, self._request.index
        if self._request.recipe is None:
            write_json(group / ".zgroup", {"zarr_format": 2})
            return
        store.create(group, _group_attributes(group))
        done = {row["mid"] for row in rows if row["status"] == "ok"}
        store.keep_only(group, done)
        entries = {
            mid: (self.fingerprints[mid], store_index.signature(inside(group, mid))) for mid in done
        }
        # An array that changed while this job ran was not verified.
        kept = {mid: entry for mid, entry in self._verified.items() if mid in done}
        store_index.write_index(index, entries | kept)

    def _verify(self) -> store_index.Index:
        """The index of the arrays that can stay; damaged arrays are removed with their records.

        Without its record a movie is computed as if for the first time, so its ledger row stays
        equal.
        """
        request, verified = self._request, {}
        index, about = store_index.read_index(request.index), _group_attributes(request.group)
        for mid, own in self.fingerprints.items():
            record = inside(request.records, f"{mid}.json")
            if not _is_done(record, own):
                continue
            array = inside(request.group, mid)
            entry = own, store_index.signature(array)
            fault = ""
            if index.get(mid) != entry:
                fault = store.fault_of_values(request.group, mid, about, {"fingerprint": own})
            if fault:
                log.warning("%s: %s; computed again", array, fault)
                store.remove_array(array)
                record.unlink(missing_ok=True)
            else:
                verified[mid] = entry
        return verified


def decoder_of(row: Mapping[str, str]) -> str | None:
    """The decoder that reads a trailer here; None for a poster, and for a trailer that failed."""
    decoder = row.get("decoder")
    return available_decoder(decoder) if decoder else decoder


def _group_attributes(group: Path) -> dict[str, Any]:
    """The attributes of a group; empty when they are missing or damaged."""
    try:
        return store.attributes(group)
    except ValueError:
        return {}


def _is_done(record: Path, own: str) -> bool:
    """Whether a movie's record says that an array was written with this fingerprint."""
    done = runner.read_record(record.parent, record.stem)
    return done is not None and done.fingerprint == own and done.row["status"] == "ok"
