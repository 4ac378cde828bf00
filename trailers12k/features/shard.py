"""The job of one store and shard: computes what is missing or damaged, keeps the rest.

Reads trailers or posters; writes the arrays of a shard's store, their index, and a record of each
movie. Must not know Snakemake.
"""

import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import astuple, dataclass, field
from pathlib import Path
from threading import Lock

import torch

from trailers12k.common.files import inside
from trailers12k.common.fingerprint import fingerprint
from trailers12k.features import store, store_index
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.extraction import extract_poster, extract_trailer, keep_memory
from trailers12k.features.recipe import Recipe, describe_input
from trailers12k.jobs import runner
from trailers12k.video.clips import Clip
from trailers12k.video.picture import Bars
from trailers12k.video.reader import available_decoder

log = logging.getLogger(__name__)

LEDGER_COLUMNS = ("clips", "fingerprint")
"""Columns of a store's ledger beyond those of every stage."""


@dataclass(frozen=True)
class ShardRequest:
    """The movies of one shard, and where its products lie.

    name: of the store, for the log.
    sources: rows of the ledger of trailers, or of posters for a backbone of posters.
    clips: mid -> clips; empty for posters.
    bars: mid -> the bars of its trailer; needed where the recipe cuts them off.
    records: folder of a record per movie, see `runner.process`.
    group: the zarr group of this shard. index: of that store, see `store_index`.
    """

    name: str
    sources: Sequence[Mapping[str, str]]
    clips: Mapping[str, list[Clip]]
    records: Path
    group: Path
    index: Path
    bars: Mapping[str, Bars] = field(default_factory=dict)


@dataclass(frozen=True)
class Machine:
    """What computes. No result depends on it but by the precision of `device`.

    device: see `devices.claimed`.
    threads: trailers in progress. Each has threads of its own that decode, resize and crop; on the
        CPU they compute too, while a GPU takes the batches of all in turn. With one thread nothing
        overlaps: one process per core wastes the least.
    """

    device: str = "auto"
    threads: int = 1


def extract_shard(
    recipe: Recipe,
    request: ShardRequest,
    clip_settings: Mapping[str, object],
    machine: Machine | None = None,
) -> list[dict]:
    """Compute the features of a shard that are missing or damaged; the rows of its ledger.

    clip_settings: how the clips were cut, recorded in the store; {} for posters.

    A source that is not `ok` is skipped as `no_trailer` or `no_poster`, a trailer without clips as
    `no_clips`. Arrays of movies without features are removed. An array that is not as the index
    says is read, and computed again when it is damaged. The group records what is needed to compute
    its numbers again; an array records its source's sha256, its fingerprint, and the decoder,
    precision and device that computed it. Rows have `LEDGER_COLUMNS` beside the columns of
    `runner.process`. Raises `UserError` when the weights are missing or damaged.
    """
    keep_memory()
    # Each trailer is computed by one thread, so that no result depends on the number of threads.
    torch.set_num_threads(1)
    machine = machine or Machine()
    with ExitStack() as claims:
        shard = _Shard(recipe, request, dict(clip_settings), machine, claims)
        verified = _verified(request, shard.fingerprints)
        start = time.perf_counter()
        tasks = map(shard.task, request.sources)
        rows = runner.process(tasks, request.records, shard.work, workers=machine.threads)
        seconds = time.perf_counter() - start
        shard.write_group()
    done = {row["mid"] for row in rows if row["status"] == "ok"}
    store.keep_only(request.group, done)
    entries = {
        mid: (shard.fingerprints[mid], store_index.signature(request.group / mid)) for mid in done
    }
    # An array that changed while this job ran was not verified.
    store_index.write_index(
        request.index, entries | {m: verified[m] for m in verified if m in done}
    )
    if shard.computed:
        rate = shard.computed / seconds
        log.info("%s: %d vectors computed, %.2f a second", request.name, shard.computed, rate)
    return rows


@dataclass
class _Shard:
    """The work of `extract_shard` on each movie.

    fingerprints: mid -> fingerprint. computed: number of vectors that were computed.
    """

    recipe: Recipe
    request: ShardRequest
    clip_settings: dict[str, object]
    machine: Machine
    claims: ExitStack
    computed: int = 0
    _loading: Lock = field(default_factory=Lock)
    _loaded: Backbone | None = None

    def __post_init__(self) -> None:
        self._sources = {row["mid"]: row for row in self.request.sources}
        determined_by = self.recipe.determined_by
        self.fingerprints = {
            mid: store.array_fingerprint(
                determined_by,
                row.get("sha256"),
                _decoder_of(row),
                self._clips(mid),
                self._fractions(mid),
            )
            for mid, row in self._sources.items()
        }
        self._about = describe_input(self.recipe) | self.clip_settings
        self._about["determined_by"] = determined_by
        self._group_fingerprint = fingerprint(**determined_by, about=self._about)

    @property
    def _of_posters(self) -> bool:
        return self.recipe.sampling is None

    def _clips(self, mid: str) -> list[Clip]:
        return self.request.clips.get(mid, [])

    def _bars(self, mid: str) -> Bars | None:
        """The bars that are cut off; None where none are."""
        sampling = self.recipe.sampling
        if sampling is None or not sampling.crop_bars:
            return None
        return self.request.bars.get(mid, Bars())

    def _fractions(self, mid: str) -> tuple[float, ...] | None:
        bars = self._bars(mid)
        return None if bars is None else astuple(bars)

    def task(self, row: Mapping[str, str]) -> runner.Task:
        """The task of one row of the sources."""
        mid = row["mid"]
        if row["status"] != "ok":
            return runner.Task(mid, skip="no_poster" if self._of_posters else "no_trailer")
        if not self._of_posters and not self._clips(mid):
            return runner.Task(mid, skip="no_clips")
        return runner.Task(mid, self.fingerprints[mid], (self.request.group / mid,))

    def work(self, mid: str) -> dict:
        """Compute and write one movie's array. Raises `Failure`."""
        row, backbone = self._sources[mid], self._backbone()
        if self.recipe.sampling is None:
            values = extract_poster(backbone, runner.source_file(row, "download_posters"))
        else:
            values = extract_trailer(
                {self.request.name: (backbone, self.recipe.sampling)},
                runner.source_file(row, "download_trailers"),
                available_decoder(row["decoder"]),
                self._clips(mid),
                ahead=self.machine.threads > 1,
                bars=self._bars(mid),
            )[self.request.name]
        attributes = {
            "source_sha256": row["sha256"],
            "decoder": _decoder_of(row),
            "fingerprint": self.fingerprints[mid],
            "precision": backbone.attributes["precision"],
            "device": backbone.attributes["device"],
        }
        if (fractions := self._fractions(mid)) is not None:
            attributes["bars"] = [*fractions]
        store.write(self.request.group, mid, values, attributes)
        with self._loading:
            self.computed += len(values)
        return {"clips": len(values), "fingerprint": self.fingerprints[mid]}

    def write_group(self) -> None:
        """Write the group files, which Snakemake may have removed before the job."""
        attributes = _group_attributes(self.request.group)
        if attributes.get("fingerprint") == self._group_fingerprint:
            store.create(self.request.group, attributes)
        else:
            self._backbone()

    def _backbone(self) -> Backbone:
        """Loaded when it is first needed: most reruns compute nothing."""
        with self._loading:
            if self._loaded is None:
                device = self.claims.enter_context(devices.claimed(self.machine.device))
                self._loaded = self.recipe.load(device)
                attributes = self._loaded.attributes | self._about
                attributes["fingerprint"] = self._group_fingerprint
                store.create(self.request.group, attributes)
            return self._loaded


def _decoder_of(row: Mapping[str, str]) -> str | None:
    """The decoder that reads a trailer here; None for a poster, and for a trailer that failed."""
    decoder = row.get("decoder")
    return available_decoder(decoder) if decoder else decoder


def _verified(request: ShardRequest, fingerprints: Mapping[str, str]) -> store_index.Index:
    """The index of the arrays that can stay; damaged arrays are removed with their records.

    Without its record a movie is computed as if for the first time, so its ledger row stays equal.
    """
    index, verified = store_index.read_index(request.index), {}
    about = _group_attributes(request.group)
    for mid, own in fingerprints.items():
        record = inside(request.records, f"{mid}.json")
        if not _is_done(record, own):
            continue
        array = request.group / mid
        entry = own, store_index.signature(array)
        fault = ""
        if index.get(mid) != entry:
            fault = store.fault_of_values(request.group, mid, about, {"fingerprint": own})
        if fault:
            log.warning("%s: %s; computed again", array, fault)
            store.remove_array(array)
            record.unlink()
        else:
            verified[mid] = entry
    return verified


def _group_attributes(group: Path) -> dict:
    """The attributes of a group; empty when they are missing or damaged."""
    try:
        return store.attributes(group)
    except ValueError:
        return {}


def _is_done(record: Path, own: str) -> bool:
    """Whether a movie's record says that an array was written with this fingerprint."""
    if not record.exists():
        return False
    content = json.loads(record.read_text(encoding="utf-8"))
    return content["fingerprint"] == own and content["row"]["status"] == "ok"
