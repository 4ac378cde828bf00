"""Writes a publication of a finished run: one folder, whole or not at all.

Reads data/ and results/; writes the folder, under a temporary name beside it until it is whole. An
earlier publication is replaced. Must not know whether the run is finished, nor how formats look.
"""

import csv
import io
import logging
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trailers12k.common import sum_files
from trailers12k.common.bounded_files import read_bytes, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import (
    PARTIAL,
    TEMPORARY,
    below,
    is_being_written,
    partial_of,
    remove_leftover,
)
from trailers12k.common.sum_files import MD5SUMS, SHA256SUMS
from trailers12k.common.text import is_printable
from trailers12k.publish import (
    archives,
    movies_parquet,
    parquet,
    records,
    stamp,
    stores,
    sums,
    tables,
    words,
)
from trailers12k.publish.facts import Facts, PublishedFile
from trailers12k.publish.records import Limits
from trailers12k.settings import Settings

log = logging.getLogger(__name__)

OF_RUNS = (
    *("data", "build", "results", "logs", "benchmarks"),
    *(".snakemake", ".git", ".dvc", "trailers12k"),
)
"""Folders below the collection's that hold something else."""
OWN = ("mtgc.csv", "movies.csv.gz", "ledger.csv.gz", "metadata.tar.gz")
"""Files by which a publication is known."""
SPARE = 1.02
"""Bytes of a publication by byte of what it is made of, at most: archives add headers of tar."""
LEAST_FREE = 50_000_000
"""Bytes for the files that do not grow with the stores."""

Sums = dict[str, Any]


def check_collection(settings: Settings) -> None:
    """Raise `UserError` for the authors' own features."""
    if settings.is_published:
        raise UserError(
            "publish: movies: published are the authors' own features, which are published "
            "already; publish a collection of your own movies"
        )


def check_target(to: Path) -> Path:
    """The folder that a publication is written to, with links followed; changes nothing.

    Raises `UserError` for a folder of runs, for one that contains the collection, and for a folder
    with anything but a publication.
    """
    target = _place(to)
    here = Path(os.path.realpath("."))
    if here.is_relative_to(target):
        raise UserError(f"publish: {shown_path(to)} contains this collection; name a new folder")
    for name in OF_RUNS:
        if target.is_relative_to(os.path.realpath(name)):
            raise UserError(
                f"publish: {shown_path(to)} is in {name}/, which runs write; name a folder of its "
                f"own, such as {stamp.FOLDER}"
            )
    if target.exists() and not target.is_dir():
        raise UserError(f"publish: {shown_path(to)} is a file; name a folder")
    if foreign := foreign_file(target):
        raise UserError(
            f"publish: {shown_path(to)} holds {shown_path(foreign)}, which is of no publication; "
            "name a new folder, or move that file"
        )
    return target


def _place(to: Path) -> Path:
    """The absolute path of a folder, which need not exist. Raises `UserError` for no folder name,
    and for a link to nothing or to itself."""
    if to.is_symlink() and not to.exists():
        raise UserError(f"publish: {shown_path(to)} is a link to nothing; remove it")
    try:
        if not is_printable(str(to)):
            raise ValueError("it has a character that no folder's name should have")
        target = Path(os.path.realpath(to))
        target.exists()  # which raises OSError for a path that is too long
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        raise UserError(f"publish: {shown_path(to)}: {words}; name another folder") from None
    return target


def foreign_file(folder: Path) -> str:
    """The path, below a folder, of the first file that is not of the publication there; empty
    where there is none."""
    if not folder.is_dir():
        return ""
    try:
        path = folder / SHA256SUMS
        lines = read_bytes(path, sum_files.MOST_BYTES).decode().splitlines()
        listed = {*sum_files.parse(lines, path, sum_files.DIGITS[SHA256SUMS])}
    except ValueError:
        listed = set()
    # Others list the sums of their files, too.
    own = {*listed, MD5SUMS, SHA256SUMS} if listed >= {*OWN} else set()
    return next((name for name in _names(folder) if name not in own), "")


def _names(folder: Path) -> Iterator[str]:
    """The paths of all that is no folder, below a folder. Links are not followed."""
    for parent, folders, files in os.walk(folder):
        folders.sort()
        links = [name for name in folders if os.path.islink(os.path.join(parent, name))]
        for name in sorted([*files, *links]):
            yield os.path.relpath(os.path.join(parent, name), folder).replace(os.sep, "/")


@dataclass
class _Written:
    """The files of a publication that are written so far."""

    folder: Path
    files: dict[str, PublishedFile] = field(default_factory=dict)

    def add(self, path: str, content: str, file_sums: Sums, record: int = 1) -> None:
        """Note a file that was written."""
        self.files[path] = PublishedFile(path=path, content=content, record=record, **file_sums)

    def text(self, path: str, content: str, text: str, record: int = 1) -> None:
        """Write a text, and note it."""
        self.add(path, content, sums.of_bytes(below(self.folder, path), text.encode()), record)

    @property
    def all(self) -> list[PublishedFile]:
        """The files, sorted by path."""
        return [self.files[path] for path in sorted(self.files)]


def write(
    settings: Settings,
    to: Path,
    limits: Limits | None = None,
    say: Callable[[str], None] = log.info,
) -> Path:
    """Write a publication of the finished run in this folder; the folder that holds it.

    limits: of a record. say: is called with each line for the user.
    Raises `UserError`; an earlier publication then stays as it is.
    """
    target = check_target(to)
    target.parent.mkdir(parents=True, exist_ok=True)
    if recovered := recover(target):
        say(f"{shown_path(to)}: took up {recovered}, which an interrupted command had completed")
        check_target(to)
    facts = collect_facts(settings)
    for line in _cautions(facts):
        say(line)
    found = [stores.open_store(name) for name in settings.backbones]
    check_room(found, target.parent)
    partial = partial_of(target)
    try:
        partial.mkdir()
        written = _Written(partial)
        _write_tables(written)
        _write_replication(written, settings, found)
        _fill(written, facts, found, limits or Limits(), say)
        _put(partial, target)
    finally:
        remove_leftover(partial)
    return target


def collect_facts(settings: Settings) -> Facts:
    """What the publication says of its dataset."""
    from trailers12k.publish import collect

    return collect.facts(settings)


def _cautions(facts: Facts) -> Iterator[str]:
    """A line for each thing that the authors should see to before they upload."""
    from trailers12k.publish import licences

    for key in facts.statements.missing:
        yield f"not stated: publish.{key} in config.yaml"
    for warning in licences.warnings(facts.stores):
        yield f"warning: {warning}"


def recover(target: Path) -> str:
    """Clear what killed commands left beside the target; the name of a whole publication that
    was to take its place and now does, or empty.

    A publication is whole once it has `SHA256SUMS`, which is written last.
    """
    found = ""
    left = [each for each in target.parent.glob(f"*{PARTIAL}") if _is_left(each, target)]
    # Of a replacement that was interrupted between its two renames, the newer one counts.
    for partial in sorted(left, key=_time_of_sums, reverse=True):
        if not target.exists() and (partial / SHA256SUMS).is_file():
            partial.rename(target)
            found = partial.name
        else:
            remove_leftover(partial)
    return found


def _is_left(partial: Path, target: Path) -> bool:
    """Whether a killed command left this folder, which was to become the target."""
    is_ours = TEMPORARY.fullmatch(partial.name) and partial.name.startswith(f"{target.name}.")
    return bool(is_ours) and not is_being_written(partial)


def _time_of_sums(partial: Path) -> float:
    try:
        return (partial / SHA256SUMS).stat().st_mtime
    except OSError:
        return 0.0


def _put(partial: Path, target: Path) -> None:
    """Rename a whole publication into its place. What it replaces is removed afterwards."""
    if not target.exists():
        partial.rename(target)
        return
    old = partial_of(target)
    target.rename(old)
    partial.rename(target)
    shutil.rmtree(old)


def check_room(found: Sequence[stores.Store], folder: Path) -> None:
    """Raise `UserError` where the disk has no room for archives and Parquet of these stores."""
    need = LEAST_FREE + int(SPARE * sum(2 * store.value_bytes for store in found))
    need += sum(4096 * len(store.rows) for store in found)  # headers of tar
    free = shutil.disk_usage(folder).free
    if free < need:
        raise UserError(
            f"publish: at most {need / 1e9:.1f} GB are written to {shown_path(folder)}, and "
            f"{free / 1e9:.1f} GB are free there; free some, or name another folder by --to"
        )


def _fill(
    written: _Written,
    facts: Facts,
    found: Sequence[stores.Store],
    limits: Limits,
    say: Callable[[str], None],
) -> None:
    """Write the files of stores, what says what the files are, and the sums."""
    say(f"{len(written.files)} tables")
    shared = {path: file.bytes for path, file in written.files.items()}
    of_stores = []
    subsets = tables.assigned(Path("data/mtgc.csv"), "split0", parquet.SUBSETS)
    times = tables.clip_times(Path("data/clips.csv"))
    for store in found:
        before = {*written.files}
        _write_store(written, store, subsets, times)
        sizes = {path: each.bytes for path, each in written.files.items() if path not in before}
        of_stores.append(sizes)
        say(f"{store.name}: {len(store.rows):,} movies, {sum(sizes.values()) / 1e6:,.1f} MB")
    division = records.divide(shared, of_stores, limits)
    for path, record in division.record_of.items():
        written.files[path] = replace(written.files[path], record=record)
    for line in write_words(written, facts):
        say(line)
    for line in _write_ends(written, division, limits):
        say(line)


def _write_tables(written: _Written) -> None:
    data, results, folder = Path("data"), Path("results"), written.folder
    for path, content, write_table, source in (
        ("metadata.tar.gz", "Metadata of all movies, in the structure of Trailers12k (JSON).",
         tables.write_metadata, data / "metadata.json"),
        ("mtgc.csv", "Genres of each movie and its subset in each split.",
         sums.of_copy, data / "mtgc.csv"),
        ("movies.csv.gz", "All movies, a row each.", tables.write_movies, data / "movies.csv"),
        ("clips.csv.gz", "The seconds of each clip of each trailer.",
         tables.write_clips, data / "clips.csv"),
        ("ledger.csv.gz", "What became of each movie in each stage.",
         tables.write_ledger, data / "ledger.csv"),
        ("splits.csv", "The movies of each subset of each split.",
         tables.write_splits, data / "mtgc.csv"),
        ("balance.csv", "How well each split keeps the shares of genres.",
         tables.write_results, results / "splits.csv"),
        ("results/summary.csv", "Scores of each run, mean and deviation over the splits.",
         tables.write_results, results / "summary.csv"),
        ("results/summary.md", "The table of scores, with its caveats.",
         tables.write_summary, results / "summary.md"),
        ("results/test.csv", "Scores on the test movies of each split.",
         tables.write_results, results / "transfer/tst.csv"),
        ("results/validation.csv", "Scores on the validation movies of each split.",
         tables.write_results, results / "transfer/val.csv"),
    ):  # fmt: skip
        written.add(path, content, write_table(source, below(folder, path)))
    tabled = movies_parquet.write(folder, data / "movies.csv", data / "mtgc.csv")
    for path, file_sums in tabled.items():
        written.add(path, "Movies, a row each, by subset of split0 (Parquet).", file_sums)


def _write_store(
    written: _Written,
    store: stores.Store,
    subsets: Mapping[str, str],
    times: parquet.Times,
) -> None:
    """Write the archive and the Parquet files of a store; each array is read once."""
    name = f"{store.name}.zarr{archives.END}"
    archive = archives.StoreArchive(below(written.folder, name), store)
    rows = parquet.StoreTables(written.folder, store, subsets, times)
    for array in stores.arrays(store):
        archive.add(array)
        rows.add(array)
    what = "poster" if store.is_posters else "trailer"
    written.add(name, f"Features of {store.name}: a zarr array per {what}.", archive.close())
    for path, file_sums in rows.close().items():
        written.add(path, f"Features of {store.name}, a row per clip (Parquet).", file_sums)


def _write_replication(
    written: _Written, settings: Settings, found: Sequence[stores.Store]
) -> None:
    """Write what others need to evaluate the features: a configuration, and labels that the
    reference's loader takes, which reads the features of every movie that it finds there."""
    from trailers12k.publish import replication

    content = "A configuration that evaluates the publication again."
    written.text(replication.CONFIG, content, replication.text(settings))
    mids = set.intersection(*({*store.rows} for store in found)) if found else set()
    path = below(written.folder, tables.COMPLETE)
    content = "mtgc.csv without the movies that a store lacks, for the authors' own loader."
    written.add(tables.COMPLETE, content, tables.write_complete(Path("data/mtgc.csv"), path, mids))


def write_words(written: _Written, facts: Facts) -> list[str]:
    """Write what says what the files are; lines to say."""
    from trailers12k.publish import card, citation, croissant, hub, page

    lines, frames, today = [], b"", datetime.now(UTC).date()
    if facts.statements.frames:
        from trailers12k.publish import collage

        if frames := collage.picture(".", facts.statements.frame_side):
            path = below(written.folder, words.COLLAGE)
            written.add(words.COLLAGE, "Frames of trailers.", sums.of_bytes(path, frames))
        else:
            lines.append("no collage: build/sheets/ has no contact sheet")
    written.text("CITATION.cff", "How to cite the dataset.", citation.text(facts, today))
    files = written.all
    front = hub.front_matter(facts, files)
    for name, content, text in (
        ("README.md", "The card and the datasheet of the dataset.", card.text(facts, files, front)),
        ("index.html", "The page of the dataset.", page.html(facts, files, frames)),
        ("index.md", "The same page, for mkdocs.", page.markdown(facts, files)),
    ):
        written.text(name, content, text)
    described = croissant.text(facts, written.all, today)
    written.text("croissant.json", "The dataset as Croissant, with its fields for AI.", described)
    return lines


def _write_ends(written: _Written, division: records.Division, limits: Limits) -> list[str]:
    """Write RECORDS.csv, where more than one record is needed, and the sums; lines to say."""
    lines = []
    if division.count > 1:
        record_of = {path: file.record for path, file in written.files.items()}
        sizes = {path: file.bytes for path, file in written.files.items()}
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, ("record", "file", "bytes"), lineterminator="\n")
        writer.writeheader()
        writer.writerows(records.rows(record_of, sizes))
        written.text("RECORDS.csv", "Which file is in which record.", buffer.getvalue())
        lines.append(
            f"{division.count} records, since one takes {limits.files} files and "
            f"{limits.bytes / 1e9:g} GB: RECORDS.csv lists the files of each"
        )
    for path in division.too_large:
        lines.append(
            f"warning: {path} has {written.files[path].bytes / 1e9:.1f} GB, and a record takes "
            f"{limits.bytes / 1e9:g} GB; ask the repository for a larger quota before you upload it"
        )
    for name, kind in ((MD5SUMS, "md5"), (SHA256SUMS, "sha256")):
        listing = sums.listing({file.path: getattr(file, kind) for file in written.all})
        sums.of_bytes(below(written.folder, name), listing.encode())
    return lines
