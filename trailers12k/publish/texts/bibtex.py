"""The entry of a publication for BibTeX.

Reads and writes nothing. Must not know pages.
"""

import re
from collections.abc import Iterator

from trailers12k.publish.facts import Facts

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
    lines = [f"  {name} = {value}," for name, value in _fields(facts)]
    return "\n".join([f"@misc{{{_key(facts)},", *lines, "}"])


def _key(facts: Facts) -> str:
    words = re.findall("[a-z0-9]+", facts.statements.title.lower())
    return "-".join(words)[:40].strip("-") or "dataset"


def _fields(facts: Facts) -> Iterator[tuple[str, str]]:
    own = facts.statements
    yield "title", f'"{escape(own.title or "Untitled dataset")}"'
    if own.creators:
        names = [_author(creator.name) for creator in own.creators]
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
