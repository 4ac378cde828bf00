"""The entries of a publication, of the paper and of the workflow for BibTeX.

Reads and writes nothing. Must not know pages.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from trailers12k.publish.facts import Facts
from trailers12k.publish.texts.original import (
    AUTHORS,
    JOURNAL,
    PAPER_TITLE,
    WORKFLOW,
    WORKFLOW_AUTHORS,
    YEAR,
)
from trailers12k.publish.texts.words import NOT_STATED, title

MOST_KEY = 40
"""Characters of a key."""
LETTERS = str.maketrans({"æ": "ae", "ø": "o", "ß": "ss", "œ": "oe", "đ": "d", "ł": "l", "þ": "th"})
"""Letters that Unicode does not decompose."""

SPECIAL = {
    **{char: f"\\{char}" for char in "&%$#_"},
    "{": r"\textbraceleft ",
    "}": r"\textbraceright ",
    "\\": r"\textbackslash ",
    "~": r"\textasciitilde ",
    "^": r"\textasciicircum ",
    '"': "''",
}
"""Character -> how TeX writes it."""


def entry(facts: Facts) -> str:
    """The entry, without doubled braces, which template engines take for their own."""
    return _entry("misc", _key(facts), _fields(facts))


def _entry(kind: str, key: str, fields: Iterable[tuple[str, str]]) -> str:
    lines = [f"  {name} = {value}," for name, value in fields]
    return "\n".join([f"@{kind}{{{key},", *lines, "}"])


def _key(facts: Facts) -> str:
    """The first words of the title, in plain letters."""
    text = title(facts).lower().translate(LETTERS)
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    key = ""
    for word in re.findall("[a-z0-9]+", plain):
        longer = f"{key}-{word}" if key else word[:MOST_KEY]
        if len(longer) > MOST_KEY:
            break
        key = longer
    return key or "dataset"


def paper() -> str:
    """The entry of the paper that introduced Trailers12k. It has no fields that nobody states."""
    names = " and ".join(f"{each['family-names']}, {each['given-names']}" for each in AUTHORS)
    return _entry(
        "article",
        "trailers12k-paper",
        [
            ("title", f'"{escape(PAPER_TITLE)}"'),
            ("author", f'"{names}"'),
            ("journal", f'"{escape(JOURNAL)}"'),
            ("year", f"{{{YEAR}}}"),
        ],
    )


def workflow(facts: Facts) -> str:
    """The entry of the workflow, in the version that made the dataset."""
    version = facts.versions.get("trailers12k", "")
    return _entry(
        "software",
        "trailers12k-workflow",
        [
            ("title", f'"{WORKFLOW}"'),
            ("author", f'"{{{WORKFLOW_AUTHORS}}}"'),
            *([("version", f"{{{escape(version)}}}")] if version else []),
        ],
    )


def _fields(facts: Facts) -> Iterator[tuple[str, str]]:
    own = facts.statements
    yield "title", f'"{escape(title(facts))}"'
    names = [_author(creator.name) for creator in own.creators] or [_author(NOT_STATED)]
    yield "author", f'"{" and ".join(names)}"'
    if facts.ended:
        yield "year", f"{{{facts.ended.year}}}"
    yield "version", f"{{{escape(own.version)}}}"
    if own.doi:
        yield "doi", f"{{{own.doi}}}"
    if own.url:
        yield "url", f"{{{own.url}}}"
    yield "note", '"Dataset"'


def _author(name: str) -> str:
    """A person as `Family, Given`; an organisation in braces, so that its name stays whole."""
    return escape(name) if "," in name else f"{{{escape(name)}}}"


def escape(text: str) -> str:
    """A text in one line, of which no character is TeX."""
    return "".join(SPECIAL.get(char, char) for char in " ".join(text.split()))
