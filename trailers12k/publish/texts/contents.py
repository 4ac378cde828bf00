"""The files of a publication as sections: what they hold, and how to load them.

Reads and writes nothing. Must not know HTML or Markdown.
"""

from collections.abc import Sequence

from trailers12k.common.sum_files import MD5SUMS, SHA256SUMS
from trailers12k.publish.facts import Facts, PublishedFile
from trailers12k.publish.texts import snippets
from trailers12k.publish.texts.document import (
    Block,
    Cell,
    Code,
    Grid,
    Inline,
    Items,
    Line,
    Pairs,
    Paragraph,
    Section,
)
from trailers12k.publish.texts.words import (
    LICENCES,
    NOT_STATED,
    codes,
    is_untrained,
    row_of,
    side,
    size,
)
from trailers12k.report.numbers import count, counted

LEVELS = {"frames": "Frame-level", "clips": "Clip-level", "posters": "Posters", "audio": "Sound"}
"""Input of a store -> what its rows represent."""
METADATA = ("Metadata of movies", "Metadata and ids of trailers")
"""What metadata hold, without and with public addresses."""
LATER = ("README.md", "index.html", "index.md", "croissant.json")
"""Files that are written after the table of files, which is in three of them."""


def data(facts: Facts, files: Sequence[PublishedFile]) -> Section:
    """The files, by what they hold."""
    held = {file.path for file in files}

    def present(*names: str) -> list[Inline]:
        return codes([name for name in names if not files or name in held])

    trailers = [store for store in facts.stores if store.input != "posters"]
    posters = [store for store in facts.stores if store.input == "posters"]
    groups: list[tuple[str, list[Inline]]] = [
        (METADATA[bool(facts.addresses)], present("metadata.tar.gz", "movies.csv.gz")),
        ("Trailer representations", present(*(f"{each.name}.zarr.tar.gz" for each in trailers))),
        ("Poster representations", present(*(f"{each.name}.zarr.tar.gz" for each in posters))),
        ("MTGC evaluation splits", present("mtgc.csv", "splits.csv", "balance.csv")),
    ]
    blocks: list[Block] = [Pairs([(f"{head}:", names) for head, names in groups if names])]
    if files:
        rows = [_file_row(path, own) for path, own in _by_folder(files).items()]
        heads = ["File", "Content", "Size"]
        caption = f"{counted(len(files), 'file')}, {size(sum(file.bytes for file in files))}."
        caption += f" Written after this table: {', '.join(_later(files))}."
        blocks.append(Grid("files", caption, heads, rows, frozenset({2})))
        line: Line = [
            Code("croissant.json"),
            " describes the columns of movies, labels, clips, ledger and splits. In ",
            Code("metadata.json"),
            ", ",
            Code("dims"),
            " are the duration of a trailer in seconds, its height and its width in pixels.",
        ]
        blocks += [Paragraph(line), *_records(files)]
    return Section("data", "Data", blocks)


def _by_folder(files: Sequence[PublishedFile]) -> dict[str, list[PublishedFile]]:
    """Path, or a pattern for the Parquet files of a folder -> files."""
    found: dict[str, list[PublishedFile]] = {}
    for file in files:
        folder, _, name = file.path.rpartition("/")
        path = f"{folder}/*.parquet" if folder and name.endswith(".parquet") else file.path
        found.setdefault(path, []).append(file)
    return found


def _later(files: Sequence[PublishedFile]) -> list[str]:
    """The files that describe all others."""
    divided = any(file.record > 1 for file in files)
    return [*LATER, *(["RECORDS.csv"] if divided else []), MD5SUMS, SHA256SUMS]


def _file_row(path: str, files: Sequence[PublishedFile]) -> list[str | Cell]:
    number = counted(len(files), "file") if len(files) > 1 else ""
    total = size(sum(file.bytes for file in files))
    return [Cell(path, number, code=True), files[0].content, total]


def _records(files: Sequence[PublishedFile]) -> list[Block]:
    records = sorted({file.record for file in files})
    if len(records) < 2:
        return []
    lines: list[Line] = []
    for record in records:
        own = [file for file in files if file.record == record]
        total = size(sum(file.bytes for file in own))
        lines.append(f"Record {record}: {counted(len(own), 'file')}, {total}.")
    words = "The files are divided into several records; RECORDS.csv says which file is in which."
    return [Paragraph(words), Items(lines)]


def representations(facts: Facts) -> Section:
    """The stores: what their rows represent, networks, weights, licences."""
    rows: list[list[str | Cell]] = []
    for store in facts.stores:
        licence = LICENCES.get(store.licence.text, store.licence.text)
        made = [row_of(store), side(store)]
        rows.append(
            [
                Cell(f"{store.name}.zarr", LEVELS.get(store.input, store.input), code=True),
                Cell(store.model or NOT_STATED, ", ".join(filter(None, made))),
                Cell("untrained", store.weights, mark=True)
                if is_untrained(store)
                else Cell(store.weights or NOT_STATED),
                Cell("no commercial use", licence, mark=True)
                if store.licence.non_commercial
                else licence,
                Cell(f"{count(store.rows)} × {store.features}", counted(store.movies, "movie")),
            ]
        )
    heads = ["Store", "Backbone", "Weights", "Licence of the weights", "Rows × features"]
    table = Grid("stores", "Representations.", heads, rows, frozenset({4}))
    words: Line = [
        "Each store is a ",
        Code("zarr"),
        " group of format 2 with one float32 array per movie, named by its mid, of one row per "
        "clip. The same rows are in ",
        Code("features/STORE"),
        " as Parquet. The attributes of a store hold what made it.",
    ]
    return Section("representations", "Representations", [Paragraph(words), table])


def loading(facts: Facts) -> Section:
    """Snippets."""
    words = "Run these in the folder that holds the files."
    return Section("loading", "How to load", [Paragraph(words), *snippets.snippets(facts)])
