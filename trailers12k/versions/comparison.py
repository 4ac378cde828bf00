"""What changed between two versions of the dataset, in a page of text for a person.

Reads the products in data/ and results/, at git revisions through DVC or as they stand in a folder;
writes nothing. Must not know how any product is made.
"""

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from statistics import median
from typing import Protocol, TypeVar

import numpy as np
import yaml

from trailers12k.common.errors import UserError
from trailers12k.common.text import one_line
from trailers12k.common.vocabulary import GENRES
from trailers12k.settings.files import LOADER

MOST = 20
"""Lines of a list; the rest is counted."""
COMPARED = 50
"""Movies of a store whose features are compared."""
LONGEST = 60
"""Letters of a title or a value."""
METRICS = {"uap": "µAP", "map": "mAP"}
"""Of the results, in %."""
SUBSETS = {"0": "training", "1": "validation", "2": "test"}
"""What a split column holds; those of `splits` are not used, since it loads scikit-learn."""
SPLITS = ("split0", "split1", "split2")
WHEN = ("before", "after", "change")
MOVIES = ("mid", "title", "year")
MANIFEST = ("mid", "clips", "fingerprint")

Rows = dict[str, dict[str, str]]
"""A table's rows, as text, by the first of the columns that are asked for."""
Found = TypeVar("Found")


class Missing(Exception):
    """A file that a version lacks, or that cannot be read there: it is told, and no error."""


class Version(Protocol):
    """One version of the dataset's files. Paths are relative to the project's folder."""

    name: str
    told: str
    """What it is, and from when."""

    def read(self, path: str) -> bytes:
        """A file's content. Raises `Missing`."""

    def names(self, path: str) -> list[str]:
        """The names in a folder, sorted; none where there is no such folder."""


class Folder:
    """The files as they stand in a folder. See `Version`."""

    def __init__(self, root: str | Path = ".", name: str = "now"):
        self.name, self.told, self._root = name, "the files as they stand here", Path(root)

    def read(self, path: str) -> bytes:
        try:
            return (self._root / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            raise Missing(f"{path} is not in {self.name}") from None

    def names(self, path: str) -> list[str]:
        folder = self._root / path
        return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


class Revision:
    """A git revision of the project in this folder, with what DVC tracks. See `Version`.

    DVC's files come from its cache, or else from its remote. Raises `UserError` where there is no
    such revision, or no project of git and DVC.
    """

    def __init__(self, name: str):
        # DVC would look for them in the folders above, too, where paths are others.
        if not (Path(".git").exists() and Path(".dvc").is_dir()):
            raise UserError(
                "diff: this folder is no project of git and DVC; run it where .git and .dvc are"
            )
        # Here, since it takes a second, which comparing folders need not wait for.
        try:
            from dvc.api import DVCFileSystem
            from dvc.exceptions import DvcException
        except ModuleNotFoundError as error:
            raise UserError(f"diff: {error}; pip install -e '.[workflow]' brings it") from error
        self.name = name
        try:
            self._files = DVCFileSystem(".", rev=name)
            scm = self._files.repo.scm
            commit = scm.resolve_commit(scm.resolve_rev(name))
        except DvcException as error:
            raise UserError(
                f"diff: {name!r} is no version here ({one_line(str(error))}); "
                "`git tag` lists those that have a name"
            ) from error
        self.told = f"commit {commit.hexsha[:10]} of {commit.commit_datetime:%Y-%m-%d %H:%M %z}"

    def read(self, path: str) -> bytes:
        try:
            with self._files.open(f"/{path}") as file:
                return file.read()
        except Exception as error:  # whatever a remote that cannot be reached makes of it
            # From above: of a folder whose listing is not here, DVC can say nothing of a file.
            above = (*reversed(Path(path).parents), path)
            tracked = any(self._files.isdvc(f"/{at}") for at in above)
            if tracked:
                where = "DVC's cache, nor in a remote that can be reached"
                raise Missing(f"{path} of {self.name} is not in {where}") from error
            raise Missing(f"{path} is not in {self.name}") from None

    def names(self, path: str) -> list[str]:
        try:
            return sorted(Path(name).name for name in self._files.ls(f"/{path}", detail=False))
        except FileNotFoundError:
            return []


def page(before: Version, after: Version) -> str:
    """How two versions differ: movies, trailers, labels, stores, settings, results.

    A file that one of them lacks is told in its place. No letter is printed that a terminal could
    take for a command.
    """
    lines = [f"What changed from {before.name} to {after.name}"]
    lines += [f"  {version.name}: {version.told}" for version in (before, after)]
    titles = _titles(before, after)
    for head, section in {
        "Movies": _movies(titles, before, after),
        "Trailers": _trailers(titles, before, after),
        "Labels and splits": _labels(titles, before, after),
        "Stores": _stores(before, after),
        "Settings": _settings(before, after),
        "Results": _results(before, after),
    }.items():
        told = []
        try:
            told.extend(section)
        except (Missing, ValueError, yaml.YAMLError) as error:
            told.append(f"not compared: {one_line(str(error))}")
        lines += ["", head, *(f"  {line}" for line in told or ["no change"])]
    return "\n".join("".join(filter(str.isprintable, line)).rstrip() for line in lines)


def _titles(before: Version, after: Version) -> dict[str, str]:
    """mid -> mid, title and year, of the movies of both versions; the later title wins."""
    told = {}
    for version in (before, after):
        try:
            rows = _table("data/movies.csv", version, MOVIES)
        except Missing:
            continue
        told |= {row["mid"]: _title(row) for row in rows}
    return told


def _title(row: Mapping[str, str]) -> str:
    year = f" ({row['year']})" if row["year"] else ""
    return f"{row['mid']} {_cut(row['title'])}{year}"


def _movies(titles: Mapping[str, str], before: Version, after: Version) -> Iterator[str]:
    old, new = _tables("data/movies.csv", before, after, MOVIES)
    renamed = [mid for mid in _common(old, new) if _title(old[mid]) != _title(new[mid])]
    if old.keys() != new.keys():
        yield f"{len(old):,} -> {len(new):,} movies"
    yield from _listed("added", (f"+ {titles[mid]}" for mid in sorted(new.keys() - old.keys())))
    yield from _listed("removed", (f"- {titles[mid]}" for mid in sorted(old.keys() - new.keys())))
    renames = (f"~ {_title(old[mid])} -> {titles[mid].removeprefix(mid)[1:]}" for mid in renamed)
    yield from _listed("with another title or year", renames)


def _trailers(titles: Mapping[str, str], before: Version, after: Version) -> Iterator[str]:
    """Of movies that both versions have: what became of those added is told as a number."""
    columns = ("mid", "stage", "status", "reason", "sha256")
    old, new = _tables("data/ledger.csv", before, after, columns, stage="trailers")
    had, have = ({m for m, row in rows.items() if row["status"] == "ok"} for rows in (old, new))
    replaced = [mid for mid in sorted(had & have) if old[mid]["sha256"] != new[mid]["sha256"]]
    gained, lost = sorted((have - had) & old.keys()), sorted((had - have) & new.keys())
    if had != have:
        yield f"{len(had):,} -> {len(have):,} movies with a trailer"
    yield from _listed("replaced", (f"~ {titles.get(mid, mid)}" for mid in replaced))
    yield from _listed(
        "gained", (f"+ {titles.get(mid, mid)}, which was {_why(old[mid])}" for mid in gained)
    )
    yield from _listed("lost", (f"- {titles.get(mid, mid)}: {_why(new[mid])}" for mid in lost))


def _why(row: Mapping[str, str]) -> str:
    return f"{row['status']} ({row['reason']})" if row["reason"] else row["status"]


def _labels(titles: Mapping[str, str], before: Version, after: Version) -> Iterator[str]:
    old, new = _tables("data/mtgc.csv", before, after, ("mid", *GENRES, *SPLITS))
    both = _common(old, new)
    relabelled = {}
    for mid in both:
        other = [name for name in GENRES if old[mid][name] != new[mid][name]]
        if other:
            signs = (f"{'+' if new[mid][name] == '1' else '-'}{name}" for name in other)
            relabelled[mid] = " ".join(signs)
    yield from _listed(
        "relabelled", (f"~ {titles.get(mid, mid)}: {signs}" for mid, signs in relabelled.items())
    )
    for split in SPLITS:
        moves = Counter(
            " -> ".join(SUBSETS.get(rows[mid][split], "none") for rows in (old, new))
            for mid in both
            if old[mid][split] != new[mid][split]
        )
        if moves:
            told = ", ".join(f"{move} {number:,}" for move, number in sorted(moves.items()))
            yield f"{split}: {moves.total():,} of {len(both):,} in another subset: {told}"


def _stores(before: Version, after: Version) -> Iterator[str]:
    old, new = (
        {name.removesuffix(".zarr") for name in version.names("data") if name.endswith(".zarr")}
        for version in (before, after)
    )
    for store in sorted(old | new):
        try:
            if store not in old:
                yield f"+ {store}: new, {_number_of_movies(store, after):,} movies"
            elif store not in new:
                yield f"- {store}: gone, had {_number_of_movies(store, before):,} movies"
            else:
                yield from _store(store, before, after)
        except (Missing, ValueError) as error:
            yield f"{store}: not compared: {one_line(str(error))}"


def _number_of_movies(store: str, version: Version) -> int:
    return len(_table(f"data/{store}.csv", version, MANIFEST))


def _store(store: str, before: Version, after: Version) -> Iterator[str]:
    old, new = _tables(f"data/{store}.csv", before, after, MANIFEST)
    settings = _settings_of_store(store, before, after)
    if old == new and not settings:
        yield f"{store}: unchanged: {len(new):,} movies"
        return
    both = _common(old, new)
    changed = [mid for mid in both if old[mid]["fingerprint"] != new[mid]["fingerprint"]]
    counts = {
        "added": len(new.keys() - old.keys()),
        "removed": len(old.keys() - new.keys()),
        "changed": len(changed),
        "unchanged": len(both) - len(changed),
    }
    told = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    yield f"{store}: {told or 'no movies'}"
    yield from (f"  {line}" for line in _first(settings))
    if changed:
        same = [mid for mid in changed if old[mid]["clips"] == new[mid]["clips"]]
        yield from _moved(store, same, len(changed), before, after)


def _settings_of_store(store: str, before: Version, after: Version) -> list[str]:
    """What differs of what determines the features, then of what else the store says of itself."""
    found = []
    for data in _both(f"data/{store}.zarr/.zattrs", before, after, _read):
        attributes = json.loads(data)
        found.append((attributes.pop("determined_by", None) or {}, attributes))
    (old, old_more), (new, new_more) = found
    told = _differences(old, new)
    # The same setting may stand in both places.
    names = {_leaf(line) for line in told} | {"fingerprint"}
    return told + [line for line in _differences(old_more, new_more) if _leaf(line) not in names]


def _leaf(line: str) -> str:
    return line.split(": ")[0].split(".")[-1]


def _moved(
    store: str, same: Sequence[str], changed: int, before: Version, after: Version
) -> Iterator[str]:
    """By how much the features of changed movies moved.

    same: those of them that have as many clips as before. changed: how many there are in all.
    """
    number = min(COMPARED, len(same))
    cosines, identical, other = [], 0, changed - len(same)
    for mid in (same[place * len(same) // number] for place in range(number)):
        try:
            old, new = (_features(store, mid, version) for version in (before, after))
        except Missing as error:
            yield f"  features not compared further: {error}"
            break
        if old.shape == new.shape:
            cosines.append(cosine(old, new))
            identical += np.array_equal(old, new)
        else:
            other += 1
    if cosines:
        yield (
            f"  cosine of features before and after: median {median(cosines):.6f}, "
            f"least {min(cosines):.6f} ({len(cosines):,} of {changed:,} changed movies compared)"
        )
    if identical:
        yield f"  the very same values in {identical:,} of {len(cosines):,} compared"
    if other:
        yield f"  of another shape, not compared: {other:,}"


def _features(store: str, mid: str, version: Version) -> np.ndarray:
    """A movie's features, (rows, features) float32. Raises `Missing`."""
    folder = f"data/{store}.zarr/{mid}"
    about, chunk = (version.read(f"{folder}/{name}") for name in (".zarray", "0.0"))
    try:
        # Here, since the packages that Snakemake and DVC need do without: all else is told then.
        from numcodecs import get_codec

        meta = json.loads(about)
        values = get_codec(meta["compressor"]).decode(chunk)
        return np.frombuffer(values, meta["dtype"]).reshape(meta["shape"])
    except Exception as error:  # whatever a damaged chunk makes of the decoder
        why = one_line(str(error))
        raise Missing(f"{folder} of {version.name} cannot be read ({why})") from error


def cosine(before: np.ndarray, after: np.ndarray) -> float:
    """The mean cosine of corresponding rows of two (rows, features) arrays.

    Of two rows of zeros it is 1, of one such row and another 0.
    """
    old, new = before.astype(np.float64), after.astype(np.float64)
    lengths = np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
    of_zeros = ~old.any(axis=1) & ~new.any(axis=1)
    dots = (old * new).sum(axis=1)
    return float(np.divide(dots, lengths, out=of_zeros.astype(float), where=lengths > 0).mean())


def _settings(before: Version, after: Version) -> Iterator[str]:
    both = _both("results/config.yaml", before, after, _read)
    yield from _first(_differences(*(yaml.load(data, LOADER) for data in both)))


def _results(before: Version, after: Version) -> Iterator[str]:
    """A table, by run: each figure, in %, before and after, and the difference."""
    old, new = _tables("results/summary.csv", before, after, ("run", *METRICS))
    runs = dict.fromkeys([*new, *old])
    figures = {
        run: [[_number(rows, run, name) for rows in (old, new)] for name in METRICS] for run in runs
    }
    if all(one == other for pairs in figures.values() for one, other in pairs):
        return
    table = [["run", *(f"{name} {when}" for name in METRICS.values() for when in WHEN)]]
    for run, pairs in figures.items():
        row = [run]
        for pair in pairs:
            row += ["-" if value is None else f"{value:.2f}" for value in pair]
            row.append("-" if None in pair else f"{pair[1] - pair[0]:+.2f}")
        table.append(row)
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    for run, *cells in table:
        told = (f"{cell:>{width}}" for cell, width in zip(cells, widths[1:], strict=True))
        yield "  ".join([run.ljust(widths[0]), *told])


def _number(rows: Rows, run: str, name: str) -> float | None:
    return float(rows[run][name]) if run in rows and rows[run][name] else None


def _read(path: str, version: Version) -> bytes:
    return version.read(path)


def _table(path: str, version: Version, columns: Sequence[str]) -> list[dict[str, str]]:
    """The rows of a table, as text. Raises `Missing` where one of these columns is, too."""
    rows = csv.DictReader(
        StringIO(version.read(path).decode("utf-8", "replace"), newline=""), restval=""
    )
    lacking = [name for name in columns if name not in (rows.fieldnames or ())]
    if lacking:
        raise Missing(f"{path} of {version.name} has no column {lacking[0]}")
    return list(rows)


def _both(
    path: str, before: Version, after: Version, read: Callable[[str, Version], Found]
) -> list[Found]:
    """A file of both versions. Raises `Missing`, naming each that lacks it."""
    found, faults = [], []
    for version in (before, after):
        try:
            found.append(read(path, version))
        except Missing as error:
            faults.append(str(error))
    if faults:
        raise Missing("; ".join(faults))
    return found


def _tables(
    path: str, before: Version, after: Version, columns: Sequence[str], stage: str = ""
) -> list[Rows]:
    """A table of both versions; of the ledger, one stage."""
    both = _both(path, before, after, lambda path, version: _table(path, version, columns))
    return [
        {row[columns[0]]: row for row in rows if not stage or row["stage"] == stage}
        for rows in both
    ]


def _common(old: Rows, new: Rows) -> list[str]:
    return sorted(old.keys() & new.keys())


def _differences(old: Mapping, new: Mapping) -> list[str]:
    """`key.key: before -> after` of each value that differs."""
    flat = [dict(_flat(mapping)) for mapping in (old, new)]
    told = []
    for key in dict.fromkeys([*flat[1], *flat[0]]):
        one, other = (values.get(key, "not set") for values in flat)
        if one != other:
            cut = _cut(one), _cut(other)
            # Long values may differ behind the cut only.
            one, other = cut if cut[0] != cut[1] else (one, other)
            told.append(f"{key}: {one} -> {other}")
    return told


def _flat(mapping: Mapping, above: str = "") -> Iterator[tuple[str, str]]:
    """Pairs of `key.key` and its value as text."""
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, default=str)
            yield f"{above}{key}", text


def _cut(text: str) -> str:
    """A foreign text in one line that is not too long."""
    line = one_line(text)
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 3]}..."


def _first(lines: Iterable[str]) -> list[str]:
    """The first `MOST` lines, and how many more there are."""
    lines = list(lines)
    more = len(lines) - MOST
    return lines if more <= 0 else [*lines[:MOST], f"... and {more:,} more"]


def _listed(what: str, lines: Iterable[str]) -> list[str]:
    """A list below its head; nothing when it is empty."""
    lines = list(lines)
    return [f"{len(lines):,} {what}", *(f"  {line}" for line in _first(lines))] if lines else []
