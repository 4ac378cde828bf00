"""The job that fits the baselines of all sets of stores, each only where its inputs have changed.

Reads packed stores and mtgc.csv; writes results/baselines/, and keeps results in build/cache/. Must
not know how a baseline is fitted.
"""

import logging
import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.content_hashes import content_of
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.vocabulary import PREDICTION_FILES, SPLITS
from trailers12k.evaluation.rows import ResultRow
from trailers12k.jobs.result_cache import RESULTS, KeptResult, Reuse, cost_since

log = logging.getLogger(__name__)

RULE = "fit_baselines"


@dataclass(frozen=True)
class BaselineInputs:
    """mtgc: data/mtgc.csv. indexes: store -> build/packed/STORE.csv, which has the fingerprint of
    every array. data: the folder of the stores. code: the version of what fits."""

    mtgc: str | Path
    indexes: Mapping[str, str | Path]
    code: str
    data: Path = Path("data")


def products_of(row: ResultRow) -> list[str]:
    """All files of a baseline's row."""
    files = [row.folder(split) / name for split in SPLITS for name in PREDICTION_FILES.values()]
    return [path.as_posix() for path in (*files, row.root / "facts.json")]


def fit_rows(
    rows: Sequence[ResultRow], inputs: BaselineInputs, threads: int = 1, forced: bool = False
) -> list[str]:
    """Write the products of all rows; the names of those that had to be fitted.

    threads: rows that are fitted at a time; no result depends on it. forced: whether earlier
    results are left alone. Raises `UserError`.
    """
    kept = {row.name: _kept(row, inputs) for row in rows}
    waiting = [row for row in rows if forced or not kept[row.name].put_back()]
    if waiting:
        _fit(waiting, inputs, threads, kept)
    log.info("%d baselines fitted, %d unchanged", len(waiting), len(rows) - len(waiting))
    return [row.name for row in waiting]


def _kept(row: ResultRow, inputs: BaselineInputs) -> KeptResult:
    """The place of a row's result in the cache, by all that determines it."""
    key = fingerprint(
        classifier=row.classifier,
        mtgc=content_of(inputs.mtgc),
        stores=[[name, content_of(inputs.indexes[name])] for name in row.streams.values()],
        code=inputs.code,
    )
    entry = RESULTS / RULE / row.run / row.classifier / f"{key}.json"
    return KeptResult(entry, (), tuple(products_of(row)), Reuse())


def _fit(
    rows: Sequence[ResultRow],
    inputs: BaselineInputs,
    threads: int,
    kept: Mapping[str, KeptResult],
) -> None:
    # Only here: they take longer to import than to find that nothing has changed.
    from sklearn.exceptions import ConvergenceWarning
    from threadpoolctl import threadpool_limits

    from trailers12k.classifier.baselines import fit_splits, pool
    from trailers12k.classifier.labels import read_labels
    from trailers12k.classifier.packed_arrays import array_of

    table = read_labels(inputs.mtgc)
    used = dict.fromkeys(store for row in rows for store in row.streams.values())
    arrays = [array_of(inputs.indexes[name], inputs.data / f"{name}.zarr") for name in used]

    def fit(row: ResultRow) -> None:
        began = time.time()
        stores = {name: pooled[name] for name in row.streams.values()}
        facts = fit_splits(row.classifier, stores, table, row.root)
        kept[row.name].keep(cost_since(began))
        values = ", ".join(f"{split['value']:g}" for split in facts["splits"].values())
        log.info("%s: %.1f s; chosen %s", row.name, time.time() - began, values)

    # facts.json names the genres of which scikit-learn would warn.
    with threadpool_limits(1), warnings.catch_warnings(), ThreadPoolExecutor(threads) as workers:
        warnings.simplefilter("ignore", ConvergenceWarning)
        pooled = dict(zip(used, workers.map(pool, arrays), strict=True))
        list(workers.map(fit, rows))
