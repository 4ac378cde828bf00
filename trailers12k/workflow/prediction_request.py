"""The trailer whose genres `snakemake predict` estimates, and the checkpoint that it uses.

Reads results/transfer/val.csv and the best checkpoint. Must not know how features are made.
"""

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from trailers12k.common import product_records
from trailers12k.common.errors import UserError
from trailers12k.common.files import file_address, read_csv, sha256_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.local_files import fault_of, local_path, state_of
from trailers12k.common.movie import address_of, check_trailer
from trailers12k.common.text import one_line
from trailers12k.common.youtube import video_id
from trailers12k.evaluation.selection import best, figures_of
from trailers12k.settings import Settings
from trailers12k.workflow.feature_plan import FeaturePlan

NAME_LENGTH = 40
"""Characters of the trailer's file name that the products' names keep."""


class PredictionRequest:
    """A trailer, and how its features are made."""

    def __init__(self, address: str, settings: Settings, features: FeaturePlan):
        """address: the trailer's path from the working directory, its URL, or its YouTube id.

        Raises `UserError` for a file that is absent, and if no run has been trained.
        """
        self._settings = settings
        self._features = features
        self._file = local_path(address_of(address))
        if self._file is None:
            check_trailer("trailer", address, "config", local_files=True)
            self.address = address_of(address)
        elif fault := fault_of(self._file):
            raise UserError(
                f"config: trailer: {one_line(str(self._file))} {fault}; allowed: a file or an "
                "http(s) URL"
            )
        else:
            self.address = str(self._file)
        stem = video_id(self.address) or (self._file or Path(urlsplit(self.address).path)).stem
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", stem)[:NAME_LENGTH].strip("-")
        state = {"state": state_of(self._file)} if self._file and not self.files(None) else {}
        number = fingerprint(address=self.address, **state)[:8]
        self.name = "-".join(filter(None, [stem, number]))
        """The name of the products."""
        self.checkpoint = best_checkpoint(settings)

    @property
    def products(self) -> list[str]:
        """The table and the JSON file of the prediction."""
        return [f"results/predictions/{self.name}{end}" for end in (".md", ".json")]

    @property
    def streams(self) -> dict[str, dict[str, Any]]:
        """How the features of each stream of the checkpoint's run are made.

        Stream -> `name` of the store, `backbone` (its plain settings), `code` (its code version),
        `weights` (the record of its pretrained weights, or None).
        """
        return {
            stream: {
                "name": store,
                "backbone": self._features.backbone(store),
                "code": self._features.code(store),
                "weights": self._features.weights_record(store),
            }
            for stream, store in self._settings.runs[self.checkpoint["run"]].streams.items()
        }

    @property
    def weights(self) -> list[str]:
        """The records of the pretrained weights that the prediction needs."""
        return [stream["weights"] for stream in self.streams.values() if stream["weights"]]

    # Functions, because Snakemake would take braces in a plain string for wildcards.

    def files(self, wildcards: Any) -> list[str]:
        """Input: the trailer, if it is a local file.

        None for a path with braces, in which Snakemake would look for wildcards; such a file gives
        other products when it changes.
        """
        return [self.address] if self._file and not re.search("[{}]", self.address) else []

    def url_or_path(self, wildcards: Any) -> str:
        """Param: the address of the trailer, as people read it."""
        return self.address

    def location(self, wildcards: Any) -> str:
        """Param: the URL, or the `file:` address of the file: a path can look like a URL."""
        return file_address(self.address) if self._file else self.address


def prediction_request(settings: Settings, features: FeaturePlan) -> PredictionRequest | None:
    """The request that the key `trailer` makes; None without it. Raises `UserError`."""
    return PredictionRequest(settings.trailer, settings, features) if settings.trailer else None


def best_checkpoint(settings: Settings) -> dict[str, Any]:
    """The checkpoint with which trailers are predicted.

    Of the run with the highest mean validation µAP over its splits, the split with the highest.
    Controls and runs with posters do not count. `run`, `split`, `uap`, `checkpoint` (its path) and
    its `sha256`. Raises `UserError` if there is none.
    """
    path = Path("results/transfer/val.csv")
    product_records.check(path)
    rows = read_csv(path, ("run", "split", "uap"), ["uap"], ["split"]) if path.exists() else []
    trained = [
        row
        for row in rows
        if (run := settings.trained_runs.get(row["run"]))
        and not run.shuffle_labels
        and run.poster is None
    ]
    if not trained:
        raise UserError("predict: no run is trained yet; run first: trailers12k run evaluate")
    chosen = best(figures_of(trained))
    of_split = {row["split"]: row for row in trained if row["run"] == chosen}
    by_split = figures_of([row | {"run": split} for split, row in of_split.items()])
    row = of_split[best(by_split)]
    checkpoint = Path(f"results/runs/{row['run']}/split{row['split']}/best.pt")
    if not checkpoint.exists():
        raise UserError(f"predict: {checkpoint} is missing; run first: trailers12k run evaluate")
    product_records.check(checkpoint)
    return {
        "run": row["run"],
        "split": int(row["split"]),
        "uap": float(row["uap"]),
        "checkpoint": checkpoint.as_posix(),
        "sha256": sha256_of(checkpoint),
    }
