"""Stores and runs: what the jobs of each store read, and what determines its features.

Looks whether the user's files of weights exist. Must not import torch.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import count
from pathlib import Path
from typing import Any

from trailers12k.common.sound_models import HUB_FAMILY, SPEECH, fixed_weights
from trailers12k.common.vocabulary import STREAM_INPUTS
from trailers12k.evaluation.rows import ResultRow, result_rows
from trailers12k.features import store_index, weights_record
from trailers12k.features.backbones import hub, hub_files, pooling, weights_licenses
from trailers12k.features.backbones.names import weights_key
from trailers12k.features.backbones.packaged import check_packaged
from trailers12k.features.backbones.sound_spec import sound_family_of
from trailers12k.features.backbones.spec import family_of
from trailers12k.settings import Settings, plain
from trailers12k.workflow.code_versions import rule_version
from trailers12k.workflow.user_errors import one_line_errors

NO_RESULT = ("batch", "file", "sha256", "license")
"""Keys of a backbone on which no feature depends. Weights count by their record."""
EXTRACTION = "extract_features"
"""The rule of all stores of trailers, whose resources in a profile hold for every group."""

InputFunction = Callable[[Any], dict[str, str]]
ALL = "all"
"""The name of the group of all stores of trailers; its rule is extract_features."""


@dataclass(frozen=True)
class FeatureGroup:
    """Stores that one job computes for a shard, so that each trailer is decoded once.

    name: of its rule, logs and benchmarks. of_posters: whether the stores are of posters.
    """

    name: str
    stores: tuple[str, ...]
    of_posters: bool = False

    @property
    def rule(self) -> str:
        """The name of its rule."""
        return EXTRACTION if self.name == ALL else f"extract_{self.name}"

    @property
    def title(self) -> str:
        """What it computes the features of, for people."""
        if len(self.stores) == 1:
            return self.stores[0]
        return "trailers" if self.name == ALL else self.name


class FeaturePlan:
    """The stores that are made, and the runs that use them.

    Raises `UserError` for a backbone with `weights: package` whose model has no package.
    """

    def __init__(self, settings: Settings):
        self._settings = settings
        self.runs: dict[str, dict[str, Any]] = settings.for_results()["runs"]
        """Run -> its plain settings, without the streams that it lacks."""
        used = {store for run in settings.runs.values() for store in run.streams.values()}
        self.used = [store for store in settings.backbones if store in used]
        """The stores that runs use, in the order of the configuration."""
        trained = {
            store for run in settings.trained_runs.values() for store in run.streams.values()
        }
        self.trained = [store for store in self.used if store in trained]
        """Those that runs train on."""
        self.stores = self.used if settings.is_published else list(settings.backbones)
        """The stores that are made. Of the authors' stores only those that runs use."""
        self.backbone = cache(self._backbone)
        for store in [] if settings.is_published else self.stores:
            own = self.backbone(store)
            if own["weights"] == "package" and fixed_weights(own["model"]) != "package":
                check_packaged(self.backbone(store)["model"])

    @property
    def baselines(self) -> list[str]:
        """The baselines of each set of stores."""
        return list(self._settings.evaluation.baselines)

    @cached_property
    def rows(self) -> list[ResultRow]:
        """The rows of the results table, beside chance."""
        return result_rows(self.runs, self.baselines)

    @property
    def baseline_stores(self) -> list[str]:
        """The stores that baselines use."""
        rows = [row for row in self.rows if row.is_baseline]
        return list(dict.fromkeys(store for row in rows for store in row.streams.values()))

    @property
    def inputs(self) -> dict[str, str]:
        """Store -> the input of its backbone: frames, clips or posters."""
        return {store: self._settings.backbones[store].input for store in self.stores}

    @property
    def trailer_stores(self) -> list[str]:
        """The stores of trailers, not of posters."""
        return [store for store, of in self.inputs.items() if of != "posters"]

    @property
    def frame_stores(self) -> list[str]:
        """The stores of trailers whose backbones see frames or clips, not of sound."""
        return [store for store in self.trailer_stores if self.inputs[store] != "audio"]

    @property
    def speech_store(self) -> str | None:
        """The store of the share of speech in each clip; None where none is made."""
        return next((s for s in self.stores if self._settings.backbones[s].model == SPEECH), None)

    @cached_property
    def groups(self) -> list[FeatureGroup]:
        """The groups of `features.groups`; stores of posters are a group of their own."""
        wanted = self._settings.features.groups
        if self._settings.is_published:
            return []
        if wanted == "each":
            return [FeatureGroup(s, (s,), of == "posters") for s, of in self.inputs.items()]
        of_posters = tuple(s for s, of in self.inputs.items() if of == "posters")
        posters = [FeatureGroup("posters", of_posters, of_posters=True)] if of_posters else []
        if isinstance(wanted, str):
            together = tuple(self.trailer_stores)
            return [*([FeatureGroup(ALL, together)] if together else []), *posters]
        names = (name for n in count(1) if (name := f"group{n}") not in self.stores)
        named = [(each[0] if len(each) == 1 else next(names), each) for each in wanted]
        return [*(FeatureGroup(name, each) for name, each in named), *posters]

    @property
    def titles(self) -> dict[str, str]:
        """Rule of a group, or store -> the title of the group, for people."""
        return {key: group.title for group in self.groups for key in (group.rule, *group.stores)}

    def decoders(self, cores: int, gpus: int) -> int:
        """Threads of a job that extracts features, each with a trailer in progress.

        With GPUs a job has one of them, and its share of the cores; two are left for downloads.
        Without, the jobs share the cores that outnumber them.
        """
        if gpus:
            return max(1, (cores - 2) // gpus)
        jobs = self._settings.shards * sum(not group.of_posters for group in self.groups)
        return max(1, cores // max(1, jobs))

    def spread_resources(self, said: Any) -> None:
        """Let what a profile says of extract_features hold for the rules of all groups.

        said: Snakemake's `resource_settings`, which are changed.
        """
        for name in ("overwrite_threads", "overwrite_resources"):
            of_rules = dict(getattr(said, name))
            if EXTRACTION in of_rules:
                of_groups = {group.rule: of_rules[EXTRACTION] for group in self.groups}
                setattr(said, name, of_groups | of_rules)

    @property
    def stages(self) -> list[str]:
        """Every stage that has ledgers, in the order of the flow; each store is a stage."""
        if self._settings.is_published:
            return []
        return ["trailers", "posters", "clips", "sound", *self.stores]

    def _backbone(self, store: str) -> dict[str, Any]:
        """The plain settings of a backbone on which features depend.

        The common weights, frames and precision are filled in; keys that are null are left out.
        """
        settings = plain(self._settings.backbone(store))
        return {
            key: value
            for key, value in settings.items()
            if value is not None and key not in NO_RESULT
        }

    def code(self, store: str) -> str:
        """The code version of a store's features."""
        own = self._settings.backbones[store]
        model = own.model
        if own.input == STREAM_INPUTS["audio"]:
            return rule_version("extract_sound", families=[sound_family_of(model)])
        return rule_version("extract_features", families=[family_of(model)])

    def weights_record(self, store: str) -> str | None:
        """The record of a store's pretrained weights; None for other weights."""
        if self.backbone(store)["weights"] != "pretrained":
            return None
        return weights_record.record_of(weights_key(self._weights(store))).as_posix()

    @cached_property
    def pretrained(self) -> dict[str, dict[str, str]]:
        """The pretrained weights in use: name of the record -> `model`, `file`, `sha256`."""
        wanted = map(self._weights, filter(self.weights_record, self.stores))
        return {weights_key(weights): weights for weights in wanted}

    def _weights(self, store: str) -> dict[str, str]:
        """`model`, and `file` and `sha256` where they are configured."""
        own = self._settings.backbones[store]
        named = {"model": own.model, "file": own.file, "sha256": own.sha256}
        return {key: value for key, value in named.items() if value is not None}

    # Input functions and params of rules.

    def shard_inputs(self, group: FeatureGroup) -> InputFunction:
        """Inputs of a group's extraction of one shard.

        A single function because Snakemake evaluates every input function once per job.
        """
        records = {f"weights_{store}": self.weights_record(store) for store in group.stores}
        weights = {name: record for name, record in records.items() if record}

        def inputs(wildcards: Any) -> dict[str, str]:
            shard = wildcards.shard
            if group.of_posters:
                return {"sources": f"build/ledger/posters/{shard}.csv", **weights}
            return {
                "sources": f"build/ledger/trailers/{shard}.csv",
                "clips": f"build/clips/{shard}.csv",
                "detected": f"build/ledger/clips/{shard}.csv",
                **weights,
            }

        return inputs

    def group_settings(self, group: FeatureGroup) -> dict[str, dict[str, Any]]:
        """Param: store -> all that determines its features, beside inputs and `clip_settings`.

        `backbone`: see `backbone`. `seed`, `code`.
        """
        seed = self._settings.seed
        return {
            store: {"backbone": self.backbone(store), "seed": seed, "code": self.code(store)}
            for store in group.stores
        }

    def clip_settings(self, group: FeatureGroup) -> dict[str, Any]:
        """Param: the settings of clips; empty for posters."""
        return {} if group.of_posters else plain(self._settings.clips)

    def shard_repairs(self, group: FeatureGroup) -> Callable[[Any], dict[str, int]]:
        """Param: store -> see `store_index.shard_repairs`; it grows while arrays are damaged."""

        def repairs(wildcards: Any) -> dict[str, int]:
            shard = wildcards.shard
            with one_line_errors():
                return {store: store_index.shard_repairs(store, shard) for store in group.stores}

        return repairs

    def calibrations(self, stores: Iterable[str]) -> list[str]:
        """Input: the record of the files of networks with random weights, if there are any."""
        if any(self._is_calibrated(store) for store in stores):
            return ["build/weights/random.json"]
        return []

    def _is_calibrated(self, store: str) -> bool:
        """Whether a store's network has random weights whose statistics are measured."""
        own = self.backbone(store)
        return own["weights"] == "random" and self.inputs[store] != STREAM_INPUTS["audio"]

    @cached_property
    def random_networks(self) -> list[dict[str, Any]]:
        """Param: `backbone`, `seed` and `code` of each network with random weights.

        The backbone without the keys on which its statistics do not depend.
        """
        needed = ("model", "weights", "input", "size")
        networks = {
            (own["model"], own.get("size")): {
                "backbone": {key: own[key] for key in needed if key in own},
                "seed": self._settings.seed,
                "code": self.code(store),
            }
            for store in filter(self._is_calibrated, self.stores)
            if (own := self.backbone(store))
        }
        return list(networks.values())

    def store_repairs(self, wildcards: Any) -> int:
        """Param: see `store_index.repairs`; it grows while arrays are damaged."""
        with one_line_errors():
            return store_index.repairs(wildcards.store)

    def stated(self, wildcards: Any) -> dict[str, Any]:
        """Param: what the job's store records of licences, and of how its network pools."""
        own = self._settings.backbones[wildcards.store]
        weights = self.backbone(wildcards.store)["weights"]
        license = weights_licenses.license_of(own.model, weights, own.file, own.license)
        return pooling.attributes(own.model) | weights_licenses.attributes(license)

    def run_settings(self, wildcards: Any) -> dict[str, Any]:
        """Param: the plain settings of the job's run."""
        return self.runs[wildcards.run]

    def run_groups(self, wildcards: Any) -> list[str]:
        """Input: the group files of the stores of the job's run."""
        streams = self._settings.runs[wildcards.run].streams
        return [f"data/{store}.zarr/.zgroup" for store in streams.values()]

    def weights(self, wildcards: Any) -> dict[str, str]:
        """Param: the entry of `pretrained` by the wildcard `weights`."""
        return self.pretrained[wildcards.weights]

    def weights_attempts(self, wildcards: Any) -> int:
        """Param: see `weights_record.attempts`; it grows while the weights are missing."""
        with one_line_errors():
            return weights_record.attempts(wildcards.weights)

    def supplied_weights(self, wildcards: Any) -> list[str]:
        """Input: the user's file of weights, and those of a model of the hub beside it.

        fetch_weights reports a file that is missing.
        """
        own = self.pretrained[wildcards.weights]
        if not (file := own.get("file")):
            return []
        files = [file]
        if own["model"].partition("/")[0] == HUB_FAMILY:
            names = (hub.CONFIG, *hub_files.PROCESSORS)
            files += [Path(file).with_name(name).as_posix() for name in names]
        return [each for each in files if Path(each).is_file()]
