"""What the hub reads at the beginning of README.md: the front matter of a dataset card.

Reads and writes nothing. Must not know the text below it.
"""

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import Any

import yaml

from trailers12k.common.vocabulary import STREAM_INPUTS
from trailers12k.publish.facts import Facts, PublishedFile
from trailers12k.publish.packing import movies_parquet, parquet
from trailers12k.publish.texts import licence_ids

SIZES = {10**3: "1K", 10**4: "10K", 10**5: "100K", 10**6: "1M", 10**7: "10M", 10**8: "100M"}
ONE_LINE = 10**9
"""No text is folded, so that none has a line of dashes."""
MOVIES = "movies"
FEATURES = ("string", "int32", "float64", "float64")
"""Types of the columns before the features."""


def front_matter(facts: Facts, files: Sequence[PublishedFile]) -> str:
    """YAML between two lines of dashes.

    files: of the publication, with its Parquet files. The configuration that is loaded by default
    is the first store.
    """
    configs = dict(_configs(facts, files))
    sound = any(store.input == STREAM_INPUTS["audio"] for store in facts.stores)
    fields = {
        "pretty_name": facts.statements.title or None,
        **_licence(facts.statements.license),
        "task_categories": ["video-classification", *(["audio-classification"] if sound else [])],
        "tags": list(dict.fromkeys(facts.statements.keywords)),
        "size_categories": [_size(max((store.rows for store in facts.stores), default=0))],
        "configs": [
            {"config_name": name, **({} if place else {"default": True}), "data_files": data_files}
            for place, (name, data_files) in enumerate(configs.items())
        ],
        "dataset_info": list(_columns(facts, configs)),
    }
    present = {name: value for name, value in fields.items() if value}
    text = yaml.safe_dump(present, sort_keys=False, allow_unicode=True, width=ONE_LINE)
    return f"---\n{text}---\n"


def _licence(text: str) -> dict[str, str]:
    """The hub's identifier of a licence; one that it does not know needs its name and address."""
    if not text:
        return {}
    if spdx := licence_ids.known(text):
        return {"license": licence_ids.HUB[spdx]}
    name = "custom" if licence_ids.is_address(text) else text.lower()
    return {"license": "other", "license_name": name, "license_link": licence_ids.address(text)}


def _size(rows: int) -> str:
    """The hub's name of a number of rows."""
    if rows < min(SIZES):
        return f"n<{SIZES[min(SIZES)]}"
    for low, high in pairwise(SIZES):
        if rows < high:
            return f"{SIZES[low]}<n<{SIZES[high]}"
    return f"{SIZES[max(SIZES)]}<n<1B"


def _configs(
    facts: Facts, files: Sequence[PublishedFile]
) -> Iterator[tuple[str, list[dict[str, str]]]]:
    """The name of each part of the dataset, and its files by subset."""
    folders = {store.name: f"{parquet.FOLDER}/{store.name}" for store in facts.stores}
    for name, folder in (folders | {MOVIES: movies_parquet.FOLDER}).items():
        of_subsets = [
            {"split": subset, "path": pattern}
            for subset in (*parquet.SUBSETS, parquet.UNASSIGNED)
            for pattern in [f"{folder}/{subset}-*.parquet"]
            if any(fnmatchcase(file.path, pattern) for file in files)
        ]
        if of_subsets:
            yield name, of_subsets


def _columns(facts: Facts, configs: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The columns of each store, so that no file must be opened to know them."""
    for store in facts.stores:
        if store.name not in configs or store.name == MOVIES:
            continue
        names = ("mid", "clip", "start", "end")
        columns: list[dict[str, Any]] = [
            {"name": name, "dtype": kind} for name, kind in zip(names, FEATURES, strict=True)
        ]
        columns.append({"name": "features", "list": "float32", "length": store.features})
        yield {"config_name": store.name, "features": columns}
