"""What runs without training need: none of it where no run is one.

Looks whether the user's files exist. Must not import torch, nor know how texts are read.
"""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.features.backbones.hub_text_known import TOKENIZER_FILES, text_fault
from trailers12k.settings import Settings, plain
from trailers12k.workflow.feature_plan import FeaturePlan

RECORD = "zero_shot.json"


class ZeroShotPlan:
    """The files and params of runs with `zero_shot: true`.

    Raises `UserError` for a model that is known to have no text network.
    """

    def __init__(self, settings: Settings, features: FeaturePlan):
        self._settings, self._features = settings, features
        self.runs = [name for name, run in settings.runs.items() if run.zero_shot]
        """The names of the runs, in their order."""
        for name in self.runs:
            (stream,) = settings.runs[name].streams
            is_pretrained = features.backbone(self._store(name))["weights"] == "pretrained"
            if fault := text_fault(self._model(name), is_pretrained):
                raise UserError(f"runs.{name}.{stream}: {fault}")

    @property
    def products(self) -> list[str]:
        """What was asked, and by which network, of each run."""
        return [f"results/runs/{run}/{RECORD}" for run in self.runs]

    @property
    def tokenizers(self) -> list[str]:
        """The records of all tokenizers that are fetched."""
        return list(dict.fromkeys(path for run in self.runs for path in self._tokenizer(run)))

    def _store(self, run: str) -> str:
        (store,) = self._settings.runs[run].streams.values()
        return store

    def _model(self, run: str) -> str:
        return self._settings.backbones[self._store(run)].model

    def _weights(self, run: str) -> list[str]:
        record = self._features.weights_record(self._store(run))
        return [record] if record else []

    def _tokenizer(self, run: str) -> list[str]:
        return [f"build/tokenizers/{Path(record).name}" for record in self._weights(run)]

    # Input functions and params of rules.

    def inputs(self, wildcards: Any) -> dict[str, Any]:
        """Input: the store of the job's run, and the records of weights and tokenizer, if any."""
        store, run = self._store(wildcards.run), wildcards.run
        return {
            "manifest": f"data/{store}.csv",
            "group": f"data/{store}.zarr/.zgroup",
            "weights": self._weights(run),
            "tokenizer": self._tokenizer(run),
        }

    def prompts(self, wildcards: Any) -> dict[str, Any]:
        """Param: `templates` and `phrases` of the job's run, see `zero_shot.Prompts`."""
        own = plain(self._settings.zero_shot)
        hears = self._settings.runs[wildcards.run].audio is not None
        return {
            "templates": own["sound_templates" if hears else "templates"],
            "phrases": own["prompts"],
        }

    def network(self, wildcards: Any) -> dict[str, Any]:
        """Param: the model of the job's run, and the seed of random weights."""
        return {"model": self._model(wildcards.run), "seed": self._settings.seed}

    def supplied(self, wildcards: Any) -> list[str]:
        """Input: the tokenizer beside the user's own weights; fetch_tokenizer reports its lack."""
        if not (file := self._features.pretrained[wildcards.weights].get("file")):
            return []
        files = [Path(file).with_name(name) for name in TOKENIZER_FILES]
        return [path.as_posix() for path in files if path.is_file()]


def names_pattern(names: Iterable[str] | Mapping[str, Any]) -> str:
    """The constraint of a wildcard that is one of these names; of none, one that fits no name."""
    return "|".join(map(re.escape, names)) or "(?!)"
