"""Reads a publication with mlcroissant, and compares its features with the stores of the run.

Called with the folder of the publication, and with that of the stores to read all records.
"""

import json
import sys

import mlcroissant
import numpy as np
import zarr


def main(folder: str, data: str = "") -> None:
    """Print the issues, and the rows of each RecordSet, as JSON."""
    dataset = mlcroissant.Dataset(f"{folder}/croissant.json")
    issues = dataset.metadata.ctx.issues
    found = {
        "errors": sorted(map(str, issues.errors)),
        "warnings": sorted(map(str, issues.warnings)),
        "name": dataset.metadata.name,
        "biases": dataset.metadata.data_biases,
    }
    if data:
        names = [each.uuid for each in dataset.metadata.record_sets]
        found["rows"] = {name: rows_of(dataset, name, data) for name in names}
        found["test rows"] = {
            name: sum(1 for _ in dataset.records(name, filters={f"{name}/split": "test"}))
            for name in names
            if name.startswith("features/posters")
        }
    print(json.dumps(found))


def rows_of(dataset: mlcroissant.Dataset, name: str, data: str) -> int:
    """The number of records, of which each of features has the bytes of the store."""
    number = 0
    is_store = name.startswith("features/")
    store = zarr.open(f"{data}/{name.partition('/')[2]}.zarr", mode="r") if is_store else {}
    arrays: dict[str, np.ndarray] = {}
    for record in dataset.records(name):
        number += 1
        if is_store:
            mid = record[f"{name}/mid"].decode()
            if mid not in arrays:
                arrays[mid] = store[mid][:]
            row = np.array(record[f"{name}/features"], "<f4")
            assert row.tobytes() == arrays[mid][record[f"{name}/clip"]].tobytes(), (name, mid)
    assert not is_store or sorted(arrays) == sorted(store), name
    return number


if __name__ == "__main__":
    main(*sys.argv[1:])
