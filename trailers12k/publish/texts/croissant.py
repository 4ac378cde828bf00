"""croissant.json of a publication: Croissant 1.1 with its fields for responsible AI.

Reads and writes nothing. Must not know how files are written.

Files have relative addresses: mlcroissant reads them from the folder of croissant.json.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from trailers12k.common.vocabulary import GENRES, SUBSETS
from trailers12k.publish.facts import Creator, Facts, PublishedFile, StoreFacts
from trailers12k.publish.packing import parquet, tables
from trailers12k.publish.texts import bibtex, columns, licence_ids, rai, words
from trailers12k.report.numbers import counted

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
METADATA_VERSION = "1.0.0"
"""Of what this module writes."""
OF_CROISSANT = (
    *("annotation", "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty"),
    *("excludes", "extract", "field", "fileObject", "fileProperty", "fileSet", "format"),
    *("includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path"),
    *("readLines", "recordSet", "references", "regex", "repeated", "replace", "samplingRate"),
    *("sdVersion", "separator", "source", "subField", "transform", "unArchive", "value"),
)
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "name": {"@container": "@language"},
    "description": {"@container": "@language"},
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{name: f"cr:{name}" for name in OF_CROISSANT},
}
"""That of the specification, and what mlcroissant misses there."""
FORMATS = {
    ".csv": "text/csv",
    ".csv.gz": "text/csv",
    ".tar.gz": "application/gzip",
    ".parquet": "application/x-parquet",
    ".md": "text/markdown",
    ".html": "text/html",
    ".jpg": "image/jpeg",
    ".json": "application/json",
    ".yaml": "application/yaml",
    ".cff": "application/yaml",
}
"""End of a file name -> its media type. Readers see that a table is packed."""
SUBSET_TERMS = ("cr:TrainingSplit", "cr:ValidationSplit", "cr:TestSplit")
NUMBERS = {"year": "sc:Integer", "clip": "cr:Int32", "shot": "cr:Int32", "attempts": "cr:Int64",
           "bytes": "cr:Int64", "loudness": "cr:Float64", "silence": "cr:Float64",
           "speech": "cr:Float64", "start": "cr:Float64", "end": "cr:Float64"}  # fmt: skip
"""Column -> its type; all others are texts."""

Node = dict[str, Any]


def text(facts: Facts, files: Sequence[PublishedFile], on: date) -> str:
    """croissant.json. files: those of the publication. on: the day of the publication."""
    return json.dumps(document(facts, files, on), indent=1, ensure_ascii=False) + "\n"


def document(facts: Facts, files: Sequence[PublishedFile], on: date) -> Node:
    """The content of croissant.json. What the authors did not state is left out."""
    own = facts.statements
    fields = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": words.title(facts),
        "description": words.description(facts),
        "conformsTo": [CONFORMS_TO, rai.CONFORMS_TO],
        "license": licence_ids.address(own.license) if own.license else None,
        "url": own.url,
        "sameAs": f"https://doi.org/{own.doi}" if own.doi else None,
        "creator": [_creator(each) for each in own.creators],
        "datePublished": on.isoformat(),
        "dateCreated": facts.ended.isoformat() if facts.ended else None,
        "version": own.version,
        "sdVersion": METADATA_VERSION,
        "keywords": list(dict.fromkeys(own.keywords)),
        "citeAs": bibtex.entry(facts),
        "isLiveDataset": False,
        **rai.fields(facts),
        "distribution": [*map(_file, files), *_file_sets(facts, files)],
        "recordSet": list(_record_sets(facts, files)),
    }
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _creator(creator: Creator) -> Node:
    """A person `Family, Given`, or an organisation."""
    family, _, given = (part.strip() for part in creator.name.partition(","))
    node: Node = {"@type": "sc:Organization", "name": creator.name}
    if family and given:
        node = {"@type": "sc:Person", "name": f"{given} {family}"}
        node |= {"givenName": given, "familyName": family}
    if creator.affiliation:
        node["affiliation"] = {"@type": "sc:Organization", "name": creator.affiliation}
    if creator.orcid:
        node["url"] = f"https://orcid.org/{creator.orcid}"
    return node


def _file(file: PublishedFile) -> Node:
    return {
        "@type": "cr:FileObject",
        "@id": file.path,
        "name": file.path.rpartition("/")[2],
        "description": file.content,
        "contentUrl": file.path,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": _format(file.path),
        "sha256": file.sha256,
    }


def _format(path: str) -> str:
    return next((kind for end, kind in FORMATS.items() if path.endswith(end)), "text/plain")


def _stores(facts: Facts, files: Sequence[PublishedFile]) -> Iterator[tuple[StoreFacts, str]]:
    """The stores that have Parquet files, and the pattern of these."""
    for store in facts.stores:
        folder = f"{parquet.FOLDER}/{store.name}/"
        if any(file.path.startswith(folder) for file in files):
            yield store, f"{folder}*.parquet"


def _file_sets(facts: Facts, files: Sequence[PublishedFile]) -> Iterator[Node]:
    for store, pattern in _stores(facts, files):
        yield {
            "@type": "cr:FileSet",
            "@id": f"parquet/{store.name}",
            "name": store.name,
            "description": f"The Parquet files of {store.name}, by subset of split0.",
            "encodingFormat": FORMATS[".parquet"],
            "includes": pattern,
        }


def _record_sets(facts: Facts, files: Sequence[PublishedFile]) -> Iterator[Node]:
    """The tables, and the features of each store. References and keys join them by mid."""
    present = {file.path for file in files}
    movies = {"mid": "movies/mid"}
    for name, path, of_table, key, references, about in (
        ("movies", "movies.csv.gz", (*tables.MOVIES, "other_trailers"), ["mid"], {},
         f"Title, year, genres{' and addresses' * bool(facts.addresses)} of each movie."),
        ("labels", "mtgc.csv", tables.LABELS, ["mid"],
         movies, "Genres of each movie as 0 and 1, and its subset in each split by number: "
         "0 training, 1 validation, 2 test."),
        ("clips", "clips.csv.gz", tables.CLIPS, ["mid", "clip"], movies,
         "The seconds of each clip of each trailer."),
        ("ledger", "ledger.csv.gz", tables.LEDGER, ["mid", "stage"], movies,
         "What became of each movie in each stage."),
        ("sound", "sound.csv.gz", tables.SOUND, ["mid"], movies,
         "What can be heard in each trailer."),
        ("assignments", "splits.csv", tables.SPLIT, ["split", "mid"],
         {"subset": "splits/subset"}, "The subset of each movie in each split."),
        ("balance", "balance.csv", columns.BALANCE, ["split", "subset"],
         {"subset": "splits/subset"}, "How well each split keeps the shares of genres."),
    ):  # fmt: skip
        if path in present:
            yield _table(name, path, of_table, key, references, about)
    yield _splits()
    for store, _ in _stores(facts, files):
        yield _features(store)


def _splits() -> Node:
    """The subsets, with their meanings for machine learning."""
    terms = zip(parquet.SUBSETS, SUBSETS, SUBSET_TERMS, strict=True)
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The subsets of a split. Files of features follow the first, split0.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            _field("splits/name", "The name of its Parquet files.", "sc:Text"),
            _field("splits/subset", "Its name in tables.", "sc:Text"),
            _field("splits/url", "Its meaning.", ["sc:URL", "cr:Split"]),
        ],
        "data": [
            {"splits/name": name, "splits/subset": subset, "splits/url": term}
            for name, subset, term in terms
        ],
    }


def _table(
    name: str,
    path: str,
    names: Sequence[str],
    key: Sequence[str],
    references: Mapping[str, str],
    about: str,
) -> Node:
    """The records of a CSV file. references: column -> field of another table."""
    fields = []
    for column in names:
        source = {"fileObject": {"@id": path}, "extract": {"column": column}}
        field = _field(
            f"{name}/{column}", columns.MEANINGS[name, column], _kind(name, column), source=source
        )
        if column in references:
            field["references"] = {"field": {"@id": references[column]}}
        fields.append(field)
    keys = [{"@id": f"{name}/{column}"} for column in key]
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": about,
        "key": keys[0] if len(keys) == 1 else keys,
        "field": fields,
    }


def _kind(table: str, column: str) -> str | list[str]:
    if table == "balance":
        return "sc:Text" if column in ("split", "subset") else "cr:Float64"
    if column in GENRES:
        return ["sc:Integer", "cr:Label"]
    return "sc:Integer" if column[:-1] == "split" else NUMBERS.get(column, "sc:Text")


def _features(store: StoreFacts) -> Node:
    """The records of a store, a row for each clip or poster."""
    name = f"{parquet.FOLDER}/{store.name}"
    rows = {"fileSet": {"@id": f"parquet/{store.name}"}}
    what = "poster" if store.input == "posters" else "clip"
    columns: list[tuple[str, str, str, Node]] = [
        ("mid", "The movie.", "sc:Text", {}),
        ("clip", "Number of the clip, from 0.", "cr:Int32", {}),
        ("start", "Its first second; null for a poster.", "cr:Float64", {}),
        ("end", "Its last second; null for a poster.", "cr:Float64", {}),
        ("features", f"The features by {store.model}.", "cr:Float32",
         {"isArray": True, "arrayShape": str(store.features)}),
    ]  # fmt: skip
    subsets = "|".join((*parquet.SUBSETS, parquet.UNASSIGNED))
    subset = {
        **rows,
        "extract": {"fileProperty": "fullpath"},
        # mlcroissant applies it twice, so it matches what it yields, too.
        "transform": {"regex": f"(?:{name}/)?({subsets})(?:-.+parquet)?$"},
    }
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": store.name,
        "description": f"Features of {counted(store.rows, what)} by {store.model}.",
        "key": [{"@id": f"{name}/mid"}, {"@id": f"{name}/clip"}],
        "field": [
            *(
                _field(
                    f"{name}/{each}",
                    about,
                    kind,
                    **more,
                    source={**rows, "extract": {"column": each}},
                )
                for each, about, kind, more in columns
            ),  # fmt: skip
            _field(
                f"{name}/split",
                "The subset of split0.",
                "sc:Text",
                source=subset,
                references={"field": {"@id": "splits/name"}},
            ),
        ],
    }


def _field(name: str, about: str, kind: str | list[str], **more: Any) -> Node:
    return {
        "@type": "cr:Field",
        "@id": name,
        "name": name,
        "description": about,
        "dataType": kind,
        **more,
    }
