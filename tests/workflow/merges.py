"""Merges branches of a collection whose versions were kept: the second part of `make versions`.

Builds a small collection in a temporary folder. Merges two branches, one without a snapshot, which
Git does alone, and both with one, whose settings Git can and cannot join. Afterwards every version
must come back, byte for byte, with nothing left to do.
"""

import argparse
import csv
import sys
import tempfile
from pathlib import Path

import yaml

from .conftest import LOCAL, TINY, Project, write_table
from .versions import Collection, Tally, differences

FIRST = "first"


def first_version(place: Path) -> Collection:
    """A finished collection, of a clone beside it, and its first snapshot."""
    films, clone = Project(place / "films", TINY), Project(place / "clone", TINY | LOCAL)
    films.build("metadata", "trailers")
    write_table(films, clone)
    collection = Collection(place / "collection", clone.folder)
    collection.folder.mkdir()
    text = yaml.safe_dump(clone.config, sort_keys=False)
    (collection.folder / "config.yaml").write_text(text)
    (clone.folder / "movies.csv").rename(collection.folder / "movies.csv")
    collection.trailers12k("run", "--cores", "2")
    collection.trailers12k("snapshot", "--version", FIRST)
    return collection


def merge(collection: Collection, kind: str) -> list[object]:
    """Two branches from the first version, and their merge; what went wrong."""
    kept, faults = dict[str, dict[str, bytes]](), list[object]()
    for side in ("ours", "theirs"):
        branch = f"{kind}-{side}"
        collection.run("git", "switch", "--quiet", "--force", "--create", branch, FIRST)
        if kind == "alone" and side == "ours":
            change_genres(collection, 0)
            collection.run("git", "commit", "--quiet", "--all", "--message", branch)
            continue
        collection.trailers12k("restore")
        if kind == "conflict" or side == "ours":
            collection.configure("training.epochs", 4 + len(kept))
        else:
            change_genres(collection, -1)
        keep(collection, branch, kept)
    has_conflicts = kind != "alone"
    collection.run("git", "merge", "--no-edit", f"{kind}-ours", code=int(has_conflicts))
    if has_conflicts:
        text = collection.trailers12k("restore", FIRST, code=2)
        faults.append("restore: a merge left conflicts in" not in text and text)
    else:
        for version in (FIRST, "HEAD"):
            collection.trailers12k("restore", version)
    if kind == "conflict":
        text = collection.trailers12k("snapshot", code=2)
        faults.append("a merge left conflicts in config.yaml;" not in text and text)
        collection.run("git", "checkout", "--quiet", "--theirs", "config.yaml")
        collection.run("git", "add", "config.yaml")
    keep(collection, f"{kind}-merged", kept)
    if has_conflicts:
        parents = collection.run("git", "rev-list", "--parents", "--max-count=1", "HEAD").split()
        faults.append(len(parents) != 3 and f"{len(parents) - 1} parents")
    for version, products in kept.items():
        text = collection.trailers12k("restore", version)
        faults.append("Nothing to be done" not in text and text)
        faults.append(differences(products, collection.all_products())[:5])
        faults.append(not collection.is_clean() and f"dvc status is not clean at {version}")
    faults.append(collection.run("git", "status", "--porcelain", "--untracked-files=no"))
    return faults


def keep(collection: Collection, version: str, kept: dict[str, dict[str, bytes]]) -> None:
    collection.trailers12k("run", "--cores", "2")
    collection.trailers12k("snapshot", "--version", version)
    kept[version] = collection.all_products()


def change_genres(collection: Collection, row: int) -> None:
    path = collection.folder / "movies.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[row]["genres"] = "horror" if rows[row]["genres"] != "horror" else "drama"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.parse_args()
    tally = Tally()
    with tempfile.TemporaryDirectory() as temporary:
        collection = first_version(Path(temporary))
        for kind in ("alone", "joined", "conflict"):
            tally.add("merge", kind, *merge(collection, kind))
    sys.exit("\n".join(tally.wrong))


if __name__ == "__main__":
    main()
