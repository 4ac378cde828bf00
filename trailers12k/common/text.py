"""Makes foreign text safe to display and to open in a spreadsheet.

Reads and writes nothing. Must not know where the text comes from.
"""

import re

LONGEST = 1000
"""Maximum length of a foreign text: TMDB's limit for a plot."""

NOT_PRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f"  # control characters
    "\u2028\u2029"  # line and paragraph separators
    "\u202a-\u202e\u2066-\u206f"  # bidirectional embeddings, overrides and isolates
    "\ud800-\udfff"  # halves of a pair of code units
    "\ufdd0-\ufdef\ufff9-\ufffb\ufffe\uffff"  # noncharacters, annotations
    + "".join(chr(plane << 16 | low) for plane in range(1, 17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
"""Code points that no title needs. Unlike `str.isprintable`, the list is the same in every Python:
joiners, all spaces, private and not yet assigned code points are printable."""

INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u2060-\u2064\ufe00-\ufe0f\ufeff]+")
"""A text without a visible character: joiners, direction marks, variation selectors."""


def is_printable(text: str) -> bool:
    """Whether a text has no control characters and is not invisible; see `NOT_PRINTABLE`."""
    if text.isascii():
        return text.isprintable()
    return not (NOT_PRINTABLE.search(text) or INVISIBLE.fullmatch(text))


def one_line(value: object) -> str:
    """A foreign text in one line, without unprintable characters; empty for other types."""
    words = " ".join(value.split()) if isinstance(value, str) else ""
    # Split again: a space may be beside what is left out.
    text = " ".join(NOT_PRINTABLE.sub("", words).split())[:LONGEST].rstrip()
    return "" if INVISIBLE.fullmatch(text) else text


FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""Characters with which a spreadsheet's formula can begin."""


def escape_formula(text: str) -> str:
    """A text for a CSV file that no spreadsheet interprets as a formula.

    Texts that look escaped are escaped again, so that `unescape_formula` restores every text.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unescape_formula(text: str) -> str:
    """The original of a text that `escape_formula` returned."""
    escaped = text.startswith("'") and text.lstrip("'").startswith(FORMULA)
    return text[1:] if escaped else text
