"""Stores and runs: what the jobs of each store read, and what determines its features.

Looks whether the user's files of weights exist. Must not import torch.
"""

from collections.abc import Iterable
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from trailers12k.features import store_index
from trailers12k.features.backbones.names import weights_key
from trailers12k.features.backbones.packaged import check_packaged
from trailers12k.features.backbones.spec import family_of
from trailers12k.settings import Settings, plain
from trailers12k.workflow.code_versions import rule_version

NO_RESULT = ("batch", "file", "sha256")
"""Keys of a backbone on which no feature depends. Weights count by their record."""


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
        self.stores = self.used if settings.is_published else list(settings.backbones)
        """The stores that are made. Of the authors' stores only those that runs use."""
        self.backbone = cache(self._backbone)
        for store in [] if settings.is_published else self.stores:
            if self.backbone(store)["weights"] == "package":
                check_packaged(self.backbone(store)["model"])

    @property
    def inputs(self) -> dict[str, str]:
        """Store -> the input of its backbone: frames, clips or posters."""
        return {store: self._settings.backbones[store].input for store in self.stores}

    @property
    def trailer_stores(self) -> list[str]:
        """The stores of trailers, not of posters."""
        return [store for store, of in self.inputs.items() if of != "posters"]

    @property
    def stages(self) -> list[str]:
        """Every stage that has ledgers, in the order of the flow; each store is a stage."""
        if self._settings.is_published:
            return []
        return ["trailers", "posters", "clips", *self.stores]

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
        family = family_of(self._settings.backbones[store].model)
        return rule_version("extract_features", families=[family])

    def weights_record(self, store: str) -> str | None:
        """The record of a store's pretrained weights; None for other weights."""
        if self.backbone(store)["weights"] != "pretrained":
            return None
        return f"build/weights/{weights_key(self._weights(store))}.json"

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

    def feature_inputs(self, wildcards: Any) -> dict[str, str]:
        """Inputs of extract_features for one store and shard.

        A single function because Snakemake evaluates every input function once per job.
        """
        store, shard = wildcards.store, wildcards.shard
        if self._settings.backbones[store].input == "posters":
            files = {"sources": f"build/ledger/posters/{shard}.csv"}
        else:
            files = {
                "sources": f"build/ledger/trailers/{shard}.csv",
                "clips": f"build/clips/{shard}.csv",
                "detected": f"build/ledger/clips/{shard}.csv",
            }
        record = self.weights_record(store)
        return files | ({"weights": record} if record else {})

    def feature_settings(self, wildcards: Any) -> dict[str, Any]:
        """Param: all that determines a store's features, beside its inputs.

        `backbone`: see `backbone`. `clips`: the clip settings; empty for posters. `seed`, `code`.
        """
        return self._feature_settings[wildcards.store]

    @cached_property
    def _feature_settings(self) -> dict[str, dict[str, Any]]:
        clips = plain(self._settings.clips)
        return {
            store: {
                "backbone": self.backbone(store),
                "clips": {} if of == "posters" else clips,
                "seed": self._settings.seed,
                "code": self.code(store),
            }
            for store, of in self.inputs.items()
        }

    def calibrations(self, stores: Iterable[str]) -> list[str]:
        """Input: the record of the files of networks with random weights, if there are any."""
        if any(self.backbone(store)["weights"] == "random" for store in stores):
            return ["build/weights/random.json"]
        return []

    @cached_property
    def random_networks(self) -> list[dict[str, Any]]:
        """Param: `backbone`, `seed` and `code` of each network with random weights."""
        networks = {
            (own["model"], own.get("size")): {
                "backbone": own,
                "seed": self._settings.seed,
                "code": self.code(store),
            }
            for store in self.stores
            if (own := self.backbone(store))["weights"] == "random"
        }
        return list(networks.values())

    def shard_repairs(self, wildcards: Any) -> int:
        """Param: see `store_index.shard_repairs`; it grows while arrays are damaged."""
        return store_index.shard_repairs(wildcards.store, wildcards.shard)

    def store_repairs(self, wildcards: Any) -> int:
        """Param: see `store_index.repairs`; it grows while arrays are damaged."""
        return store_index.repairs(wildcards.store)

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

    def supplied_weights(self, wildcards: Any) -> list[str]:
        """Input: the user's file of weights. fetch_weights reports a file that is missing."""
        file = self.pretrained[wildcards.weights].get("file")
        return [file] if file and Path(file).is_file() else []
