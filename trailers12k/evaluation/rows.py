"""The rows of the results table: trained runs, rows without training, and baselines.

Reads and writes nothing. Must not import anything slow: the Snakefile imports this module.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.vocabulary import STREAMS

DIVITA = "divita"
LINEAR = "linear"
KNN = "knn"
ZERO_SHOT = "zero_shot"
LATE = "late"
"""How runs join their streams unless they say otherwise."""

BASELINES = {LINEAR: "linear probe", KNN: "kNN"}
"""Classifiers of pooled features -> their name in the name of a row."""

CLASSIFIERS = {DIVITA: "DIViTA", **BASELINES, ZERO_SHOT: "zero-shot"}
"""What turns features into genres -> its name in tables."""


@dataclass(frozen=True)
class ResultRow:
    """One row of the results table.

    name: in tables. run: the run of the configuration whose stores it uses; its own name unless it
    is a baseline. classifier: one of `CLASSIFIERS`. streams: stream -> store. fusion: how DIViTA
    joins several streams; empty for other rows. shuffled: whether labels were shuffled in training.
    """

    name: str
    run: str
    classifier: str
    streams: Mapping[str, str]
    fusion: str = ""
    shuffled: bool = False

    @property
    def is_baseline(self) -> bool:
        """Whether its classifier is one of `BASELINES`."""
        return self.classifier in BASELINES

    @property
    def root(self) -> Path:
        """The folder of all its splits."""
        if self.is_baseline:
            return Path(f"results/baselines/{self.run}/{self.classifier}")
        return Path(f"results/runs/{self.run}")

    def folder(self, split: int | str) -> Path:
        """Where its predictions of a split are: val.csv and tst.csv."""
        return self.root / f"split{split}"


def result_rows(runs: Mapping[str, Mapping[str, Any]], baselines: Sequence[str]) -> list[ResultRow]:
    """All rows: the runs in their order, then each baseline of each set of stores.

    runs: run -> its plain settings. baselines: some of `BASELINES`. A set of stores is named after
    the first run that uses it; runs on shuffled labels and zero-shot ones have no baselines. No
    name of a run has a parenthesis, so that none is a baseline's.
    """
    rows, first = [], dict[frozenset[str], ResultRow]()
    for name, run in runs.items():
        streams = {stream: run[stream] for stream in STREAMS if run.get(stream)}
        classifier = ZERO_SHOT if run.get("zero_shot") else DIVITA
        fuses = classifier == DIVITA and len(streams) > 1
        fusion = str(run.get("fusion", LATE)) if fuses else ""
        row = ResultRow(name, name, classifier, streams, fusion, bool(run.get("shuffle_labels")))
        rows.append(row)
        if row.classifier == DIVITA and not row.shuffled:
            first.setdefault(frozenset(streams.values()), row)
    return rows + [
        ResultRow(f"{row.name} ({BASELINES[baseline]})", row.run, baseline, row.streams)
        for baseline in baselines
        for row in first.values()
    ]
