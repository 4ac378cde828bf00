"""The content of a publication: writes all of its files into a folder.

Reads data/, results/ and the contact sheets in build/; writes the folder. Must not know where the
folder comes to lie, nor how a format looks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trailers12k.common.files import below
from trailers12k.common.sum_files import MD5SUMS, SHA256SUMS
from trailers12k.publish.collect import ZERO_SHOT, zero_shot_records
from trailers12k.publish.facts import Facts, PublishedFile
from trailers12k.publish.packing import (
    archives,
    movies_parquet,
    parquet,
    records,
    stores,
    sums,
    tables,
)
from trailers12k.publish.packing.records import Limits
from trailers12k.publish.texts import words
from trailers12k.settings import Settings

Sums = dict[str, Any]
Say = Callable[[str], None]


@dataclass
class Written:
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


def cautions(facts: Facts) -> Iterator[str]:
    """A line for each thing that the authors should see to before they upload."""
    from trailers12k.publish import licences

    for key in facts.statements.missing:
        yield f"not stated: publish.{key} in config.yaml"
    for warning in (*licences.warnings(facts.stores), *licences.source_warnings(facts)):
        yield f"warning: {warning}"


def fill(
    written: Written,
    settings: Settings,
    facts: Facts,
    found: Sequence[stores.Store],
    limits: Limits,
    say: Say,
) -> None:
    """Write all files of a publication. found: its stores. Raises `UserError`."""
    _write_tables(written)
    _write_zero_shot(written, settings)
    _write_replication(written, settings, found)
    say(f"tables: {len(written.files)} files")
    shared = {path: file.bytes for path, file in written.files.items()}
    division = records.divide(shared, _write_stores(written, found, say), limits)
    for path, record in division.record_of.items():
        written.files[path] = replace(written.files[path], record=record)
    for line in (*write_words(written, facts), *_write_ends(written, division, limits)):
        say(line)


def _write_tables(written: Written) -> None:
    data, results, folder = Path("data"), Path("results"), written.folder
    for path, content, write_table, source in (
        ("metadata.tar.gz", "Metadata of all movies, in the structure of Trailers12k (JSON).",
         tables.write_metadata, data / "metadata.json"),
        ("mtgc.csv", "Genres of each movie and its subset in each split.",
         tables.write_labels, data / "mtgc.csv"),
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
        ("results/leaderboard.csv", "What each row of the scores is made with, for comparisons.",
         tables.write_results, results / "leaderboard.csv"),
        ("results/test.csv", "Scores on the test movies of each split.",
         tables.write_results, results / "transfer/tst.csv"),
        ("results/validation.csv", "Scores on the validation movies of each split.",
         tables.write_results, results / "transfer/val.csv"),
        ("results/intervals.csv", "95 % intervals of the scores, over the test movies.",
         tables.write_results, results / "transfer/intervals.csv"),
        ("results/comparisons.csv", "Each two rows of the scores, tested on the same movies.",
         tables.write_results, results / "transfer/comparisons.csv"),
    ):  # fmt: skip
        written.add(path, content, write_table(source, below(folder, path)))
    heard, path = results / "tables/trailers.csv", "sound.csv.gz"
    if any(tables.sounds(heard)):
        content = "What can be heard in each trailer: loudness, silence, speech."
        written.add(path, content, tables.write_sounds(heard, below(folder, path)))
    tabled = movies_parquet.write(folder, data / "movies.csv", data / "mtgc.csv")
    for path, file_sums in tabled.items():
        written.add(path, "Movies, a row each, by subset of split0 (Parquet).", file_sums)


def _write_zero_shot(written: Written, settings: Settings) -> None:
    """Write the texts of runs without training, if there are any."""
    if not (records := zero_shot_records(settings)):
        return
    sources = {run: Path(record) for run, record in records.items()}
    content = "Texts by which runs without training estimate genres, and their network."
    file_sums = tables.write_zero_shot(sources, below(written.folder, ZERO_SHOT))
    written.add(ZERO_SHOT, content, file_sums)


def _write_stores(
    written: Written, found: Sequence[stores.Store], say: Say
) -> list[dict[str, int]]:
    """Write the archives and Parquet files of all stores; path -> bytes, of each store."""
    subsets = tables.assigned(Path("data/mtgc.csv"), "split0", parquet.SUBSETS)
    times = tables.clip_times(Path("data/clips.csv"))
    of_stores = []
    for store in found:
        before = {*written.files}
        _write_store(written, store, subsets, times)
        sizes = {path: each.bytes for path, each in written.files.items() if path not in before}
        of_stores.append(sizes)
        say(f"{store.name}: {len(store.rows):,} movies, {sum(sizes.values()) / 1e6:,.1f} MB")
    return of_stores


def _write_store(
    written: Written,
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


def _write_replication(written: Written, settings: Settings, found: Sequence[stores.Store]) -> None:
    """Write what others need to evaluate the features: a configuration, and labels that the
    reference's loader takes, which reads the features of every movie that it finds there."""
    from trailers12k.publish import replication

    content = "A configuration that evaluates the publication again."
    written.text(replication.CONFIG, content, replication.text(settings))
    mids = set.intersection(*({*store.rows} for store in found)) if found else set()
    path = below(written.folder, tables.COMPLETE)
    content = "mtgc.csv without the movies that a store lacks, for the authors' own loader."
    written.add(tables.COMPLETE, content, tables.write_complete(Path("data/mtgc.csv"), path, mids))


def write_words(written: Written, facts: Facts) -> list[str]:
    """Write what says what the files are; lines to say."""
    from trailers12k.publish.texts import card, citation, croissant, hub, page

    lines, frames, today = [], b"", datetime.now(UTC).date()
    if facts.statements.frames:
        from trailers12k.publish.texts import collage

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


def _write_ends(written: Written, division: records.Division, limits: Limits) -> list[str]:
    """Write RECORDS.csv, where more than one record is needed, and the sums; lines to say."""
    lines = []
    if division.count > 1:
        record_of = {path: file.record for path, file in written.files.items()}
        sizes = {path: file.bytes for path, file in written.files.items()}
        listed = tables.csv_text(records.COLUMNS, records.rows(record_of, sizes))
        written.text("RECORDS.csv", "Which file is in which record.", listed)
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
