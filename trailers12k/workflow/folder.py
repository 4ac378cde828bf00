"""The folder of a collection: which kind of collection it holds, and which version build/ is of.

Reads build/collection.json and build/state.*; writes build/collection.json. Standard library and
common only, since every start of Snakemake waits for it; must not know DVC or Git.
"""

import json
from pathlib import Path

from trailers12k.common.errors import UserError
from trailers12k.common.files import sha256_of, write_text
from trailers12k.common.vocabulary import PUBLISHED, SAMPLE

COLLECTION = Path("build/collection.json")
"""`{"collection": KIND}`, a key of `KINDS`."""
STATE = Path("build/state.tar.gz")
"""What a version keeps of build/; DVC puts it here."""
RESTORED = Path("build/state.sha256")
"""First line: the sha256 of the state that build/ was restored from or was last kept in. Second
line: the sha256 of the state that build/ gave right then, or "begun" while it is being restored."""
LOCKS = Path(".snakemake/locks")
OWN = "own"
KINDS = {
    SAMPLE: "the built-in sample",
    PUBLISHED: "the authors' published features",
    OWN: "a collection of your own movies",
}


def check(kind: str) -> None:
    """Refuse a folder with products of another collection or of another version; changes nothing.

    kind: the collection that the configuration requests, a key of `KINDS`.
    A folder without build/collection.json passes. While a run of Snakemake is at work, the version
    of build/ is not looked at. Raises `UserError`.
    """
    present = collection()
    if present not in (None, kind):
        raise UserError(
            f"this folder holds {KINDS[present]}, but the configuration names {KINDS[kind]}; undo "
            "the change of config.yaml, or use another folder: trailers12k init DIR"
        )
    if not is_current() and not is_running():
        raise UserError(
            f"build/ belongs to another version than data/ ({STATE}); put this version's build/ "
            "in place: trailers12k restore"
        )


def collection() -> str | None:
    """The kind of collection in this folder, a key of `KINDS`; None before it was recorded.

    Raises `UserError` when build/collection.json is damaged.
    """
    try:
        kind = json.loads(COLLECTION.read_text(encoding="utf-8"))["collection"]
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{COLLECTION} cannot be read ({error}); delete it") from error
    if kind not in list(KINDS):  # a list, since the value may not be hashable
        raise UserError(f"{COLLECTION}: {kind!r} is no kind of collection; delete the file")
    return str(kind)


def write_collection(kind: str) -> None:
    """Record the kind of collection, a key of `KINDS`; an equal record keeps its file."""
    text = json.dumps({"collection": kind}) + "\n"
    if not (COLLECTION.exists() and COLLECTION.read_bytes() == text.encode()):
        write_text(COLLECTION, text)


def is_current() -> bool:
    """Whether build/ belongs to the version whose state is here; also when there is no state."""
    return not STATE.exists() or restored()[:1] == [sha256_of(STATE)]


def restored() -> list[str]:
    """The lines of `RESTORED`; none before the first snapshot or restore."""
    return RESTORED.read_text(encoding="utf-8").split() if RESTORED.exists() else []


def is_running() -> bool:
    """Whether a run of Snakemake holds the lock of this folder, or was killed and left it."""
    return any(LOCKS.glob("*"))
