"""A page as plain values: sections of paragraphs, lists, tables, code and pictures.

Reads and writes nothing. Must not know HTML, Markdown, nor what a page is about. All texts are
plain: whoever writes them in a format escapes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A name of a file, function or setting within a sentence."""

    text: str


@dataclass(frozen=True)
class Link:
    """A link within a sentence. address: checked by who made it; see `safe_address`."""

    text: str
    address: str


Inline = str | Code | Link
"""A part of a sentence."""
Line = Sequence[Inline] | str
"""A sentence: one text, or its parts."""


@dataclass(frozen=True)
class Paragraph:
    """Sentences. kind: `` or `warning`. head: the words before a warning."""

    line: Line
    kind: str = ""
    head: str = ""


@dataclass(frozen=True)
class Items:
    """A list."""

    lines: Sequence[Line]


@dataclass(frozen=True)
class Pairs:
    """Questions and answers, or names and values."""

    pairs: Sequence[tuple[str, Line]]


@dataclass(frozen=True)
class Source:
    """A block of code. language: as Markdown names it. words: what it does."""

    text: str
    language: str
    words: str = ""


@dataclass(frozen=True)
class Picture:
    """A picture of the publication. path: within it."""

    path: str
    alt: str
    caption: str


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    small: a second line in small letters. mark: whether the text is a warning. bar: a share from 0
    to 1 that is drawn as a bar, with `tick`, the share that it is compared with. heat: a share from
    0 to 1 that colours the cell. Formats without drawings show the text alone.
    """

    text: str
    small: str = ""
    code: bool = False
    mark: bool = False
    bar: float | None = None
    tick: float | None = None
    heat: float | None = None


@dataclass(frozen=True)
class Grid:
    """A table.

    name: unique in its page. numbers: positions of the right-aligned columns. dense: whether it has
    many narrow columns. drawing: what bars and colours mean, where they are drawn.
    """

    name: str
    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    numbers: frozenset[int] = frozenset()
    dense: bool = False
    drawing: str = ""


@dataclass(frozen=True)
class Figures:
    """Large numbers, each with its unit."""

    figures: Sequence[tuple[str, str]]


Block = Paragraph | Items | Pairs | Source | Picture | Grid | Figures


@dataclass(frozen=True)
class Section:
    """A section. name: its anchor. level: 2, or 3 for a part of the section before."""

    name: str
    heading: str
    blocks: Sequence[Block]
    level: int = 2


def safe_address(text: str) -> str:
    """The address of a link for a text that a person wrote as one; empty for anything else."""
    is_plain = text.isascii() and text.isprintable() and not {*text} & {*" <>\"'\\`{}|^"}
    if is_plain and text.lower().startswith(("https://", "http://", "mailto:")):
        return text
    name, at, host = text.partition("@")
    is_mail = is_plain and at and name and "." in host and not {*text} & {*"@:/?#&"} - {"@"}
    return f"mailto:{text}" if is_mail and text.count("@") == 1 else ""
