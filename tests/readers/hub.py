"""Reads a publication with `datasets`, and compares its features with the stores of the run.

Called with the folder of the publication and that of the stores.
"""

import csv
import json
import os
import sys

import datasets
import numpy as np
import zarr

SPLIT0 = {"train": "0", "validation": "1", "test": "2"}


def main(folder: str, data: str) -> None:
    """Print the names of all parts and their rows by split, as JSON."""
    with open(f"{data}/mtgc.csv", encoding="utf-8") as file:
        split0 = {row["mid"]: row["split0"] for row in csv.DictReader(file)}
    datasets.disable_progress_bars()
    names = datasets.get_dataset_config_names(folder)
    default = datasets.load_dataset(folder)
    found = {"names": names, "default": str(default["train"].config_name), "rows": {}}
    for name in names:
        parts = datasets.load_dataset(folder, name, streaming=True)
        for split, rows in parts.items():
            rows = list(rows)
            found["rows"][f"{name} {split}"] = len(rows)
            assert {split0[row["mid"]] for row in rows} == {SPLIT0[split]}, (name, split)
            if name != "movies":
                compare(rows, zarr.open(f"{data}/{name}.zarr", mode="r"))
    test = datasets.load_dataset(folder, split="test")
    found["test"] = len(test)
    found["type"] = str(test.features["features"])
    print(json.dumps(found), flush=True)
    # Threads that read ahead for a stream abort the interpreter's end now and then.
    os._exit(0)


def compare(rows: list[dict], store: zarr.Group) -> None:
    """Each row has the bytes of the store."""
    arrays = {mid: store[mid][:] for mid in {row["mid"] for row in rows}}
    for row in rows:
        values = np.array(row["features"], "<f4")
        assert values.tobytes() == arrays[row["mid"]][row["clip"]].tobytes(), row["mid"]
    assert len(rows) == sum(map(len, arrays.values()))


if __name__ == "__main__":
    main(*sys.argv[1:])
