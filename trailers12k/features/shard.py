"""The job of a group of stores and a shard: computes what is missing or damaged, keeps the rest.

Reads trailers or posters, each once for all stores that lack it; the stores write their arrays.
Must not know Snakemake, nor import torch before something must be computed.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from trailers12k.common.errors import Failure
from trailers12k.features.backbones.network_faults import working
from trailers12k.features.recipe import Recipe
from trailers12k.features.shard_store import ShardMovies, ShardStore, StoreRequest
from trailers12k.features.sound_recipe import SoundRecipe
from trailers12k.features.store_costs import StoreCost, record_cost
from trailers12k.jobs import runner
from trailers12k.video.no_sound import track_explained
from trailers12k.video.reader import available_decoder

if TYPE_CHECKING:
    import numpy as np

    from trailers12k.features.backbones.common import Backbone
    from trailers12k.features.backbones.devices import Device
    from trailers12k.features.backbones.sound import SoundBackbone
    from trailers12k.features.recipe import Sampling
    from trailers12k.features.store_clock import StoreClock

log = logging.getLogger(__name__)

LEDGER_COLUMNS = ("clips", "fingerprint")
"""Columns of a store's ledger beyond those of every stage."""


@dataclass(frozen=True)
class Machine:
    """What computes. No result depends on it but by the precision of `device`, and by rounding.

    device: see `devices.claimed`.
    threads: trailers in progress. Each has a thread that decodes; on the CPU it computes too, with
        another that decodes ahead, while a GPU takes the batches of all in turn. With one thread
        nothing overlaps on the CPU: one process per core wastes the least.
    batch_across: whether batches on a GPU are filled with clips of all trailers in progress.
    """

    device: str = "auto"
    threads: int = 1
    batch_across: bool = False


def extract_shard(
    requests: Sequence[StoreRequest], movies: ShardMovies, machine: Machine | None = None
) -> dict[str, list[dict[str, Any]]]:
    """Compute the features of a shard that stores lack; store -> the rows of its ledger.

    A source that is not `ok` is skipped as `no_trailer` or `no_poster`, a trailer without clips as
    `no_clips`; all movies of a store without weights as `no_weights`; one without sound, as
    `no_sound` by the stores that hear. Arrays of movies without
    features are removed. An array that is not as the index says is read, and computed again when it
    is damaged. A group records what is needed to compute its numbers again; an array records its
    source's sha256, its fingerprint, and the decoder, precision and device that computed it. Rows
    have `LEDGER_COLUMNS` beside the columns of `runner.process`. What each store took is recorded,
    see `store_costs`. Raises `UserError` when weights are damaged.
    """
    machine = machine or Machine()
    with ExitStack() as claims:
        shard = _Shard(requests, movies, machine, claims)
        start, cpu_start = time.perf_counter(), time.process_time()
        stages = [store.stage for store in shard.stores.values()]
        rows = runner.process_together(stages, shard.work, workers=machine.threads)
        seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
        shard.record_costs(seconds, cpu_seconds)
        for name, store in shard.stores.items():
            if not store.is_described:
                shard.network(name)
            store.finish(rows[name])
            if store.computed:
                rate = store.computed / seconds
                log.info("%s: %d vectors computed, %.2f a second", name, store.computed, rate)
    return rows


@dataclass
class _Shard:
    """The work of `extract_shard` on each movie."""

    requests: Sequence[StoreRequest]
    movies: ShardMovies
    machine: Machine
    claims: ExitStack
    stores: dict[str, ShardStore] = field(init=False)
    _lock: Lock = field(default_factory=Lock)
    _networks: dict[str, Backbone | SoundBackbone] = field(default_factory=dict)
    _device: Device | None = None
    _clock: StoreClock | None = None
    _loading: float = 0.0
    _cpu_loading: float = 0.0

    def __post_init__(self) -> None:
        self.stores = {each.name: ShardStore(each, self.movies) for each in self.requests}
        self._recipes = {each.name: each.recipe for each in self.requests if each.recipe}
        self._samplings: dict[str, Sampling] = {
            name: recipe.sampling
            for name, recipe in self._recipes.items()
            if isinstance(recipe, Recipe) and recipe.sampling
        }
        self._sources = {row["mid"]: row for row in self.movies.sources}

    def work(self, mid: str, names: list[str]) -> dict[str, dict[str, Any] | Failure]:
        """Compute and write one movie's arrays in these stores; by store, the columns of its row,
        or why there are none. Frames and sound are apart, so that no result depends on groups."""
        hearing = [name for name in names if self.stores[name].is_of_sound]
        seeing = [name for name in names if name not in hearing]
        row = self._sources[mid]
        made: dict[str, dict[str, Any] | Failure] = {}
        values: dict[str, np.ndarray] = {}
        for own, features_of in ((seeing, self._seen), (hearing, self._heard)):
            if own:
                try:
                    values |= features_of(row, own)
                except Failure as failure:
                    made |= dict.fromkeys(own, failure)
        for name, features in values.items():
            made[name] = self.stores[name].write(mid, features, self._networks[name].attributes)
        with self._lock:
            for name, features in values.items():
                self.stores[name].computed += len(features)
        return made

    def _seen(self, row: Mapping[str, str], names: Sequence[str]) -> dict[str, np.ndarray]:
        """Store -> float32 (clips, features), of the frames of one trailer, or of one poster."""
        from trailers12k.features.extraction import extract_poster, extract_trailer

        networks: dict[str, Any] = {name: self.network(name) for name in names}
        if self.movies.of_posters:
            with self._reading(names), runner.source_file(row, "download_posters") as file:
                return {name: extract_poster(network, file) for name, network in networks.items()}
        with self._reading(names), runner.source_file(row, "download_trailers") as file:
            return extract_trailer(
                {name: (network, self._samplings[name]) for name, network in networks.items()},
                file,
                available_decoder(row["decoder"]),
                self.movies.clips_of(row["mid"]),
                ahead=self.machine.threads > 1,
                bars=self.movies.bars_of(row["mid"]),
            )

    def _heard(self, row: Mapping[str, str], names: Sequence[str]) -> dict[str, np.ndarray]:
        """Store -> float32 (clips, features), of the sound of one trailer."""
        from trailers12k.features.sound_extraction import extract_sound

        networks: dict[str, Any] = {name: self.network(name) for name in names}
        with (
            self._reading(names),
            track_explained(row),
            runner.source_file(row, "download_trailers") as file,
        ):
            return extract_sound(networks, file, self.movies.clips_of(row["mid"]))

    def _reading(self, names: Sequence[str]) -> AbstractContextManager[None]:
        """Counts one pass over a file; the networks of these stores are loaded."""
        assert self._clock  # nosec B101  # for mypy
        return self._clock.reading(names)

    def record_costs(self, seconds: float, cpu_seconds: float) -> None:
        """Record what each store took of the job, without loading the networks.

        seconds: on the clock.
        """
        if not (self._clock and self._device):
            return
        on_gpu = self._device.transfer is not None
        total = seconds - self._loading if on_gpu else cpu_seconds - self._cpu_loading
        for name, own in self._clock.divided(total).items():
            share, store = self._clock.shares[name], self.stores[name]
            if store.costs:
                cost = (share.movies, round(own, 3), self._device.name, share.together)
                record_cost(store.costs, StoreCost(store.fingerprint, *cost))

    def network(self, name: str) -> Backbone | SoundBackbone:
        """A store's backbone, loaded when it is first needed: most reruns compute nothing."""
        with self._lock:
            if name not in self._networks:
                if self._device is None:
                    self._device = self._claim()
                recipe = self._recipes[name]
                began, cpu_began = time.perf_counter(), time.thread_time()
                backbone: Backbone | SoundBackbone
                with working(recipe.spec.model):
                    backbone = recipe.load(self._device)
                self._loading += time.perf_counter() - began
                self._cpu_loading += time.thread_time() - cpu_began
                self._choose_batches(name, backbone)
                self.stores[name].describe(backbone.attributes)
                if self._clock:
                    self._clock.meter.watch(name, backbone)
                self._networks[name] = backbone
            return self._networks[name]

    def _claim(self) -> Device:
        """The device of all networks of this job; its speed is logged."""
        import torch

        from trailers12k.features import progress
        from trailers12k.features.backbones import devices
        from trailers12k.features.extraction import keep_memory
        from trailers12k.features.store_clock import StoreClock

        keep_memory()
        # One thread computes a trailer, so that no result depends on the number of threads.
        torch.set_num_threads(1)
        device = self.claims.enter_context(devices.claimed(self.machine.device))
        self._clock = StoreClock()
        device.meter = self._clock.meter
        self.claims.enter_context(progress.logged(device, self.machine.threads))
        return device

    def _choose_batches(self, name: str, backbone: Backbone | SoundBackbone) -> None:
        """Set how a network's batches are filled."""
        from trailers12k.features import batch_sizes

        recipe = self._recipes[name]
        if isinstance(recipe, SoundRecipe):
            clips = self.movies.clip_settings
            seconds = cast("float", clips["fpc"]) / cast("float", clips["fps"])
            batch_sizes.set_sound_batch(cast("SoundBackbone", backbone), recipe.spec, seconds)
            return
        network = cast("Backbone", backbone)
        sampling = self._samplings.get(name)
        length = (sampling.image_frames or sampling.fpc) if sampling else 1
        batch_sizes.set_batch(network, recipe.spec, length)
        # On the CPU larger batches gain nothing.
        if self.machine.batch_across and sampling and network.device.transfer:
            network.fill_across(length)
