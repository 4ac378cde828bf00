"""Where movies come from: each source is a module with the same `read`; here they are combined.

Reads what the sources read. Must not know what is done with the movies.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import FILLING, SAMPLE, SOURCES
from trailers12k.downloads import retries, stop_signal
from trailers12k.movies.curation import STAGE, Decision, effects
from trailers12k.movies.sources.records import Record, check_complete, combine

log = logging.getLogger(__name__)

CREDITS = {
    "trailers12k": "Movies, genres and trailers: Trailers12k (Montalvo-Lezama et al., 2023), "
    "CC BY-NC-SA 4.0.",
    "published": "Features, labels and splits: Trailers12k (Montalvo-Lezama et al., 2023), "
    "CC BY-NC-SA 4.0.",
    "imdb": "Information courtesy of IMDb (https://www.imdb.com). Used with permission.",
    "tmdb": "This product uses the TMDB API but is not endorsed or certified by TMDB.",
}
"""What must be shown when a source is used."""


def names(config: Mapping) -> list[str]:
    """The sources of a configuration in their order; what is no source's name is a table's path."""
    movies = config["movies"]
    return [movies] if isinstance(movies, str) else list(movies)


@dataclass
class CollectedMovies:
    """What the sources gave.

    records: the movies, sorted by mid. rejected: those that somebody has rejected, too; nothing
        further is asked about them. ledgers: of sources that keep one.
    """

    records: list[Record]
    rejected: list[Record] = field(default_factory=list)
    ledgers: dict[str, list[dict]] = field(default_factory=dict)


def collect(
    config: Mapping,
    given: Mapping[str, Mapping] | None = None,
    decisions: Mapping[str, Decision] | None = None,
) -> CollectedMovies:
    """The movies of all sources, as people's decisions leave them.

    Later sources fill the gaps of earlier ones. Movies are those of the sample, of tables and of
    trailers12k; of imdb only where it stands first; tmdb and search add none.
    given: what the sources need to know beside their section of the configuration.
    decisions: mid -> what somebody decided about that movie. They come last.
    Raises `UserError`.
    """
    decisions = decisions or {}
    records: dict[str, Record] = {}
    ledgers: dict[str, list[dict]] = {}
    mendable = set()
    leaving = {mid for mid, decision in decisions.items() if decision.rejects}
    for position, name in enumerate(names(config)):
        is_table = name not in SOURCES
        settings = {"path": name} if is_table else dict(config["sources"].get(name, {}))
        if name == SAMPLE:
            settings = {"movies": config["sample"]["movies"], "seed": config["seed"]}
        settings |= (given or {}).get(name, {})
        module = import_module(f"{__name__}.{'table' if is_table else name}")
        known = records
        if name in FILLING and leaving:
            known = {mid: record for mid, record in records.items() if mid not in leaving}
        found, rows = module.read(settings, known)
        adds = name not in FILLING and (name != "imdb" or position == 0)
        local_files = name == SAMPLE or config["downloads"]["local_files"]
        combine(records, Path(name).stem if is_table else name, found, adds, local_files)
        if is_table:
            mendable |= {record.mid for record in found}
        if rows:
            ledgers[name] = rows
    rejected = [records.pop(mid) for mid in sorted(leaving & records.keys())]
    for mid, record in sorted(records.items()):
        try:
            check_complete(record)
        except UserError as error:
            # Nobody can mend a published file for the sake of one movie.
            if mid in mendable:
                raise
            log.warning("left out: %s", error)
            del records[mid]
    for mid in effects(decisions).keys() & records.keys():
        records[mid] = _decided(records[mid], decisions[mid])
    return CollectedMovies([records[mid] for mid in sorted(records)], rejected, ledgers)


def _decided(record: Record, decision: Decision) -> Record:
    """A record with the trailers that a decision leaves it."""
    given = dict(record.given)
    trailers = decision.mend(record.trailers)
    if not trailers:
        given.pop("trailers", None)
    elif decision.replacement:
        given["trailers"] = STAGE
    return replace(record, trailers=trailers, given=given)


def collect_all(
    config: Mapping,
    files: Mapping[str, Mapping[str, tuple[str, str]]],
    retry_rounds: Mapping[str, int],
    decisions: Mapping[str, Decision] | None = None,
) -> CollectedMovies:
    """`collect` where a source is slow or far away; what is left open is noted for later runs.

    files: the files of sources: source -> name -> path and URL.
    retry_rounds: for each source that is asked movie by movie, the number of this retry round.
    decisions: as `collect` takes them.
    """
    given: dict[str, dict] = {
        name: {"files": {key: Path(path) for key, (path, _) in several.items()}}
        for name, several in files.items()
    }
    folders = {name: Path("build/sources") / name for name in retry_rounds}
    downloads = config["downloads"]
    for name, folder in folders.items():
        retry = retries.again(lambda mid: None, downloads["retry_pause"], config["retry"])
        common = {"retries": downloads["retries"], "timeout": downloads["timeout"]}
        folder.mkdir(parents=True, exist_ok=True)
        stop = stop_signal.SharedStopSignal(folder)
        given[name] = {"folder": folder, "retry": retry, "stop": stop, **common}
    found = collect(config, given, decisions)
    for name, folder in folders.items():
        retries.write_open(folder, "all", retry_rounds[name], found.ledgers.get(name, []))
    return found
