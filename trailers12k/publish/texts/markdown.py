"""Writes the sections of a page as Markdown that Git hosts, the hub and mkdocs read alike.

Reads and writes nothing. Must not know what a page is about. Every text is escaped: none of its
characters is markup, HTML, or a placeholder of a template.
"""

import re
from collections.abc import Iterator, Sequence
from functools import singledispatch
from typing import Any

from trailers12k.common.text import NOT_PRINTABLE
from trailers12k.publish.texts.document import (
    Cell,
    Code,
    Figures,
    Grid,
    Inline,
    Items,
    Line,
    Link,
    Pairs,
    Paragraph,
    Picture,
    Section,
    Source,
)

ESCAPED = re.compile(r"[\\`*\[\]]|(?<![^\W_])_|_(?![^\W_])")
"""Characters that a backslash makes plain in every dialect."""
ENTITIES = re.compile(r"[|~$^{}]|&(?=#|\w+(?:;|$)|$)|<(?!\s)")
"""Characters that only some dialects let a backslash make plain. An ampersand that begins no
entity, a less-than sign that begins no tag and a greater-than sign within a line are plain."""
BEGINNING = re.compile(r"([!#%*+,\-./:;<=>?@^`|~])|(\d+)([.)])(?=\s|$)", re.ASCII)
"""The beginning of a line that could be a heading, a list, a quotation or the like."""
PLAIN_CODE = re.compile(r"[\w./:+=-]+( [\w./:+=-]+)*", re.ASCII)
"""A name that needs no escaping within backquotes."""


def escape(text: str) -> str:
    """A text in one line, of which no character is markup."""
    text = NOT_PRINTABLE.sub("", " ".join(text.split()))
    text = ENTITIES.sub(lambda found: f"&#{ord(found[0])};", text)
    return ESCAPED.sub(r"\\\g<0>", text)


def line(parts: Line) -> str:
    """A sentence."""
    return "".join(map(_inline, [parts] if isinstance(parts, str) else parts))


def _inline(part: Inline) -> str:
    if isinstance(part, Code):
        return code(part.text)
    if isinstance(part, Link):
        return f"[{escape(part.text)}]({_address(part.address)})"
    # A part that begins or ends with a space keeps it.
    begin, end = part[:1].isspace(), part[-1:].isspace()
    return f"{' ' * begin}{escape(part)}{' ' * (end and bool(part.strip()))}"


def _address(address: str) -> str:
    return re.sub(r"[()\s<>\\]", lambda found: f"%{ord(found[0]):02X}", address)


def code(text: str) -> str:
    """A name in the letters of code."""
    return f"`{text}`" if PLAIN_CODE.fullmatch(text) else f"<code>{escape(text)}</code>"


def paragraph(text: str) -> str:
    """An escaped line that begins no heading, list or quotation."""

    def plain(found: re.Match[str]) -> str:
        return f"&#{ord(found[1])};" if found[1] else f"{found[2]}&#{ord(found[3])};"

    return BEGINNING.sub(plain, text, count=1) if BEGINNING.match(text) else text


def _begun(parts: Line) -> str:
    """A sentence at the beginning of a line. Code and links begin with markup of their own."""
    is_text = isinstance(parts, str) or isinstance(next(iter(parts), ""), str)
    return paragraph(line(parts)) if is_text else line(parts)


def text(sections: Sequence[Section]) -> str:
    """The sections as Markdown, with a line break at the end."""
    return "\n\n".join(part for section in sections for part in _section(section)) + "\n"


def _section(section: Section) -> Iterator[str]:
    yield f"{'#' * section.level} {escape(section.heading)}"
    for block in section.blocks:
        yield _block(block)


@singledispatch
def _block(block: Any) -> str:
    raise TypeError(type(block).__name__)


@_block.register
def _(block: Paragraph) -> str:
    if block.kind:
        return f"> **{escape(block.head)}** {line(block.line)}"
    return _begun(block.line)


@_block.register
def _(block: Items) -> str:
    return "\n".join(f"- {_begun(each)}" for each in block.lines)


@_block.register
def _(block: Pairs) -> str:
    return "\n\n".join(f"**{escape(name)}** {line(value)}" for name, value in block.pairs)


@_block.register
def _(block: Source) -> str:
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", block.text)), default=0))
    # In Markdown of a template engine, doubled braces would be a placeholder.
    shown = f"{fence}{block.language}\n{block.text.rstrip()}\n{fence}"
    return f"{paragraph(escape(block.words))}\n\n{shown}" if block.words else shown


@_block.register
def _(block: Picture) -> str:
    return f"![{escape(block.alt)}]({_address(block.path)})\n\n{paragraph(escape(block.caption))}"


@_block.register
def _(block: Figures) -> str:
    heads = [escape(unit) for _, unit in block.figures]
    return _table(heads, [[escape(figure) for figure, _ in block.figures]], range(len(heads)))


@_block.register
def _(block: Grid) -> str:
    rows = [[_cell(cell) for cell in row] for row in block.rows]
    caption = paragraph(escape(block.caption))
    return f"{caption}\n\n{_table([*map(escape, block.heads)], rows, block.numbers)}"


def _cell(cell: str | Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    shown = code(cell.text) if cell.code else escape(cell.text)
    if cell.mark:
        shown = f"**{shown}**"
    return f"{shown}<br>{escape(cell.small)}" if cell.small else shown


def _table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[int] | frozenset[int]
) -> str:
    rules = ["---:" if place in numbers else "---" for place in range(len(heads))]
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rules, *rows))
