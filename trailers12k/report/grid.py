"""A table of the report as text.

Reads and writes nothing. Must not know HTML, nor what its cells mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Cell:
    """A cell with a second line in small letters. mark: whether the text is a warning."""

    text: str
    small: str = ""
    mark: bool = False


Rows = list[list[str | Cell]]


@dataclass(frozen=True)
class Grid:
    """A table of the page. numbers: positions of the right-aligned columns."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    numbers: frozenset[int] = frozenset()
