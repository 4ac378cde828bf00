"""Reads a publication as a stranger would, and lists what does not hold.

Reads a folder, or downloads into a temporary one; unpacks archives into a temporary folder. Must
not know the run that made the publication. All that it reads is hostile until it is judged.
"""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

from trailers12k.common import sum_files
from trailers12k.common.bounded_files import parse_json, quoted, read_bytes
from trailers12k.common.errors import UserError
from trailers12k.common.files import below, inside
from trailers12k.common.local_files import local_path
from trailers12k.common.sum_files import MD5SUMS, SHA256SUMS
from trailers12k.common.vocabulary import GENRES, SUBSETS
from trailers12k.publish import replication
from trailers12k.publish.checking import files as check_files
from trailers12k.publish.checking import intervals, movies, paths, results
from trailers12k.publish.checking import stores as check_stores
from trailers12k.publish.checking.publication import (
    COMPARISONS,
    INTERVALS,
    MOST_TEXT,
    Publication,
    Sums,
    Unsound,
)
from trailers12k.publish.collect import ZERO_SHOT
from trailers12k.publish.packing import movies_parquet, records, tables
from trailers12k.publish.packing.tables import COMPLETE
from trailers12k.settings.files import read_file
from trailers12k.settings.published_files import ARCHIVE, LABELS, stores_of

REQUIRED = (
    *("README.md", "CITATION.cff", "croissant.json", "index.html", "index.md"),
    *("metadata.tar.gz", LABELS, "movies.csv.gz", "clips.csv.gz", "ledger.csv.gz", "splits.csv"),
    *("balance.csv", "config.yaml", "results/summary.csv", "results/summary.md"),
    *("results/test.csv", "results/validation.csv"),
)
LEADERBOARD = "results/leaderboard.csv"
MOST_JSON = 200_000_000
"""Bytes of metadata.json, as of `sources.trailers12k.max_megabytes`."""
CITATION = ("cff-version", "message", "title", "authors")


def check(place: str) -> list[str]:
    """What does not hold in a publication, a sentence each; empty when all holds.

    place: its folder, or the URL of its files. Raises `UserError` where there is no publication.
    """
    with TemporaryDirectory(prefix="trailers12k-check-") as temporary:
        scratch = inside(temporary, "unpacked")
        scratch.mkdir()
        folder, faults = local_path(place), list[str]()
        if folder is None:
            folder = inside(temporary, "files")
            faults = check_files.fetch(place.rstrip("/"), folder)
        if not inside(folder, SHA256SUMS).is_file():
            raise UserError(f"{place}: it has no {SHA256SUMS}; name a publication of this workflow")
        publication = Publication(folder, scratch, faults=faults)
        with publication.judging(SHA256SUMS):
            publication.sums = check_files.read_sums(folder, SHA256SUMS)
        _check_all(publication)
        return publication.faults


def _check_all(publication: Publication) -> None:
    _check_sums(publication)
    for path in REQUIRED:
        if path not in publication.sums:
            publication.fault(path, f"it is not in {SHA256SUMS}")
    labels = _check_labels(publication)
    clips = _check_clips(publication)
    own = _check_movies(publication, labels)
    for path in ("ledger.csv.gz", "sound.csv.gz"):
        if publication.has(path):
            with publication.judging(path):
                for _ in publication.rows(path):
                    pass
    _check_metadata(publication, own)
    _check_stores(publication, labels, clips)
    _check_results(publication)
    _check_words(publication)
    _check_paths(publication)
    _check_records(publication)


def _check_sums(publication: Publication) -> None:
    """Every file is listed, and has the sums that are listed."""
    folder, listed = publication.folder, publication.sums
    md5s: Sums = {}
    with publication.judging(MD5SUMS):
        md5s = check_files.read_sums(folder, MD5SUMS)
        for path in sorted(md5s.keys() ^ listed.keys()):
            publication.fault(path, f"it is only in one of {MD5SUMS} and {SHA256SUMS}")
    present = check_files.present(folder)
    for path, kind in present.items():
        if path not in (MD5SUMS, SHA256SUMS) and path not in listed:
            publication.fault(path, f"it is not in {SHA256SUMS}")
        elif kind:
            publication.fault(path, kind)
    for path in sorted(listed):
        if path not in present:
            publication.fault(path, "it is missing")
        elif not present[path]:
            with publication.judging(path):
                sha256, md5 = check_files.digests(below(folder, path))
                if sha256 != listed[path] or md5 != md5s.get(path, md5):
                    publication.changed.add(path)
                if sha256 != listed[path]:
                    publication.fault(path, f"its sha256 is {sha256}, not that in {SHA256SUMS}")
                if path in md5s and md5 != md5s[path]:
                    publication.fault(path, f"its md5 is {md5}, not that in {MD5SUMS}")


def _check_labels(publication: Publication) -> dict[str, tuple[str, ...]] | None:
    """mid -> its subset in each split, as mtgc.csv has it, which splits.csv must have, too. None
    where it cannot be read."""
    labels: dict[str, tuple[str, ...]] = {}
    splits = tables.SPLIT_COLUMNS
    allowed = ("", *map(str, range(len(SUBSETS))))
    is_read = False
    if publication.has(LABELS):
        with publication.judging(LABELS):
            for row in publication.rows(LABELS):
                if row["mid"] in labels:
                    raise Unsound(f"{quoted(row['mid'])} is in it twice")
                if any(row[genre] not in ("0", "1") for genre in GENRES):
                    raise Unsound(f"{quoted(row['mid'])}: a genre is not 0 or 1")
                if any(row[split] not in allowed for split in splits):
                    raise Unsound(f"{quoted(row['mid'])}: a subset is none of 0, 1 and 2")
                labels[row["mid"]] = tuple(row[split] for split in splits)
            is_read = True
    if not is_read:
        return None
    _check_splits(publication, splits, labels)
    return labels


def _check_splits(
    publication: Publication, splits: Sequence[str], labels: Mapping[str, tuple[str, ...]]
) -> None:
    """splits.csv and mtgc_complete.csv have the subsets of mtgc.csv."""
    expected = {
        (split, mid, SUBSETS[int(subset)])
        for mid, subsets in labels.items()
        for split, subset in zip(splits, subsets, strict=True)
        if subset
    }
    if publication.has("splits.csv"):
        with publication.judging("splits.csv"):
            found = [
                (row["split"], row["mid"], row["subset"]) for row in publication.rows("splits.csv")
            ]
            if len(found) != len({*found}) or {*found} != expected:
                publication.fault("splits.csv", f"its subsets are not those of {LABELS}")
    if publication.has(COMPLETE):
        with publication.judging(COMPLETE):
            for row in publication.rows(COMPLETE):
                if tuple(row.get(split) for split in splits) != labels.get(row["mid"]):
                    raise Unsound(f"{quoted(row['mid'])} has other subsets than in {LABELS}")


def _check_clips(publication: Publication) -> dict[str, list[tuple[float, float]]] | None:
    """mid -> start and end of its clips, which are numbered from 0. None where they cannot be
    read."""
    clips: dict[str, list[tuple[float, float]]] = {}
    if publication.has("clips.csv.gz"):
        with publication.judging("clips.csv.gz"):
            for row in publication.rows("clips.csv.gz"):
                own = clips.setdefault(row["mid"], [])
                if row["clip"] != str(len(own)):
                    raise Unsound(f"{quoted(row['mid'])}: clip {quoted(row['clip'])} is not next")
                start, end = float(row["start"]), float(row["end"])
                if not 0 <= start <= end < 1e6:
                    raise Unsound(f"{quoted(row['mid'])}: clip {row['clip']} has no duration")
                own.append((start, end))
            return clips
    return None


def _check_movies(
    publication: Publication, labels: Mapping[str, tuple[str, ...]] | None
) -> dict[str, dict[str, str]] | None:
    """mid -> its row of movies.csv.gz, which movies/*.parquet must have, too. None where they
    cannot be read."""
    found: dict[str, dict[str, str]] | None = None
    if publication.has("movies.csv.gz"):
        with publication.judging("movies.csv.gz"):
            own: dict[str, dict[str, str]] = {}
            for row in publication.rows("movies.csv.gz"):
                if row["mid"] in own:
                    raise Unsound(f"{quoted(row['mid'])} is in it twice")
                own[row["mid"]] = row
            found = own
    tables_of, is_whole = publication.below(movies_parquet.FOLDER)
    for where, what in movies.parquet_faults(tables_of, found, labels, is_whole):
        publication.fault(where, what)
    return found


def _check_results(publication: Publication) -> None:
    """The summary has the means of the scores, as a table and as a text."""
    path = "results/summary.csv"
    summary, test = publication.table(path), publication.table("results/test.csv")
    if summary is None:
        return
    if test is not None:
        with publication.judging(path):
            if what := results.summary_fault(summary, test):
                publication.fault(path, what)
                # Whether other tables agree with it says nothing.
                return
    if publication.has("results/summary.md"):
        with publication.judging("results/summary.md"):
            if what := results.markdown_fault(publication.text("results/summary.md"), summary):
                raise Unsound(what)
    if test is not None:
        _check_compared(publication, summary, test)
    if publication.has(ZERO_SHOT):
        with publication.judging(ZERO_SHOT):
            content = parse_json(publication.text(ZERO_SHOT).encode(), ZERO_SHOT)
            if what := results.zero_shot_fault(content, summary):
                raise Unsound(what)


def _check_compared(publication: Publication, summary: results.Rows, test: results.Rows) -> None:
    """Publications of earlier versions lack these. summary, test: that agree."""
    own = publication.table(INTERVALS)
    for path, rows, fault_of in (
        (LEADERBOARD, publication.table(LEADERBOARD), results.leaderboard_fault),
        (INTERVALS, own, partial(intervals.intervals_fault, test=test)),
        (COMPARISONS, publication.table(COMPARISONS),
         lambda rows, _: intervals.comparisons_fault(rows, own or (), test)),
    ):  # fmt: skip
        if rows is not None:
            with publication.judging(path):
                if what := fault_of(rows, summary):
                    raise Unsound(what)


def _check_stores(
    publication: Publication,
    labels: Mapping[str, tuple[str, ...]] | None,
    clips: Mapping[str, list[tuple[float, float]]] | None,
) -> None:
    """Each store: its archive, and its Parquet files, which hold the same values."""
    stores = stores_of(publication.sums)
    if not stores:
        publication.fault(SHA256SUMS, "it lists no archive of a store")
    folders = {path.split("/")[1] for path in publication.sums if path.startswith("features/")}
    for name in sorted(folders - {*stores}):
        publication.fault(f"features/{name}", f"there is no {name}{ARCHIVE}")
    subsets = None if labels is None else {mid: own[0] for mid, own in labels.items()}
    against: dict[tuple[str, str], list[str]] = {}
    for name in stores:
        archive = f"{name}{ARCHIVE}"
        if not publication.has(archive):
            continue
        with publication.judging(archive):
            for found in check_stores.faults(
                below(publication.folder, archive),
                inside(publication.scratch, f"{name}.zarr"),
                *publication.below(f"features/{name}"),
                clips,
                subsets,
            ):
                if found.table:
                    against.setdefault((found.table, found.what), []).append(found.file or archive)
                else:
                    publication.fault(found.file or archive, found.what)
    for (table, what), files in against.items():
        # Where several stores agree, the table that they share is wrong.
        if len(files) > 1:
            publication.fault(table, f"it differs from {len(files)} stores: {files[0]}: {what}")
        else:
            publication.fault(files[0], what)


def _check_words(publication: Publication) -> None:
    """What programs read: the card's head, the citation, Croissant and the configuration."""
    if publication.has("README.md"):
        with publication.judging("README.md"):
            head = re.match(r"---\n(.*?\n)---\n", publication.text("README.md"), re.DOTALL)
            if not head:
                raise Unsound("it begins with no metadata for the hub (YAML)")
            _yaml("README.md", head[1])
    if publication.has("CITATION.cff"):
        with publication.judging("CITATION.cff"):
            fields = _yaml("CITATION.cff", publication.text("CITATION.cff"))
            if missing := [key for key in CITATION if not fields.get(key)]:
                publication.fault("CITATION.cff", f"it lacks {', '.join(missing)}")
    if publication.has("croissant.json"):
        with publication.judging("croissant.json"):
            _check_croissant(publication)
    if publication.has("config.yaml"):
        with publication.judging("config.yaml"):
            replication.read(inside(publication.folder, "config.yaml"), replication.ABOVE)


def _yaml(name: str, text: str) -> dict[str, Any]:
    """The keys of a YAML text, whose values and levels are counted before it is read."""
    return read_file(name, lambda _: text)


def _check_croissant(publication: Publication) -> None:
    """The files that croissant.json names exist, with its sums and sizes."""
    path = inside(publication.folder, "croissant.json")
    content = parse_json(read_bytes(path, MOST_TEXT), path)
    if not isinstance(content, dict) or not isinstance(content.get("distribution"), list):
        raise Unsound("it lists no files (distribution)")
    for entry in content["distribution"]:
        if not isinstance(entry, dict) or entry.get("@type") != "cr:FileObject":
            continue
        name = entry.get("contentUrl")
        if not isinstance(name, str) or name not in publication.sums:
            publication.fault("croissant.json", f"it names {quoted(name)}, which is no file here")
            continue
        if entry.get("sha256") != publication.sums[name]:
            publication.fault("croissant.json", f"the sha256 of {name} is not that in {SHA256SUMS}")
        if publication.has(name):
            size = below(publication.folder, name).stat().st_size
            if entry.get("contentSize") != f"{size} B":
                publication.fault("croissant.json", f"{name} has {size} bytes, not as it says")


def _check_paths(publication: Publication) -> None:
    """No text names a file of somebody's machine, whether it is listed or not."""
    for path, kind in sorted(check_files.present(publication.folder).items()):
        if not kind and not path.endswith(paths.NO_TEXT):
            with publication.judging(path):
                if what := paths.fault_of_file(below(publication.folder, path)):
                    raise Unsound(what)


def _check_metadata(publication: Publication, own: Mapping[str, Mapping[str, str]] | None) -> None:
    """metadata.json has the movies of the table, and no paths and names of people."""
    if publication.has("metadata.tar.gz"):
        with publication.judging("metadata.tar.gz"):
            text = check_files.metadata(below(publication.folder, "metadata.tar.gz"), MOST_JSON)
            if what := paths.fault(text):
                publication.fault("metadata.tar.gz", what)
            content = parse_json(text.encode(), "metadata.json")
            entries = content.get("trailers12k") if isinstance(content, dict) else None
            if not isinstance(entries, dict):
                raise Unsound("metadata.json holds no object `trailers12k`")
            _check_decisions(publication, entries)
            if own is not None and (what := movies.metadata_fault(entries, own)):
                raise Unsound(what)


def _check_decisions(publication: Publication, entries: Mapping[str, Any]) -> None:
    """Of a person's decision only what was decided, and when."""
    for mid, entry in entries.items():
        decision = entry.get("curation") if isinstance(entry, dict) else None
        if isinstance(decision, dict) and (more := decision.keys() - {*tables.DECISION}):
            publication.fault(
                "metadata.tar.gz", f"{quoted(mid)}: {quoted(sorted(more))} may name people"
            )
            return


def _check_records(publication: Publication) -> None:
    """Each record takes its files."""
    limits = records.Limits()
    of_record: dict[str, list[str]] = {}
    if "RECORDS.csv" in publication.sums:
        with publication.judging("RECORDS.csv"):
            for row in publication.rows("RECORDS.csv"):
                of_record.setdefault(row["record"], []).append(row["file"])
            listed = {path for taken in of_record.values() for path in taken}
            for path in sorted(publication.sums.keys() - listed):
                publication.fault("RECORDS.csv", f"{path} is in no record")
    else:
        of_record["1"] = [*publication.sums, MD5SUMS, SHA256SUMS]
    for record, taken in of_record.items():
        known = [path for path in taken if sum_files.is_plain(path)]
        files = [below(publication.folder, path) for path in known]
        size = sum(file.stat().st_size for file in files if file.is_file())
        if len(taken) > limits.files or size > limits.bytes:
            publication.fault(
                f"record {quoted(record)}",
                f"it has {len(taken)} files and {size / 1e9:.1f} GB; one takes {limits.files} "
                f"files and {limits.bytes / 1e9:g} GB",
            )
