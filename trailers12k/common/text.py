"""Foreign text made safe to show, and to open in a spreadsheet.

Reads and writes nothing. Must not know where the text comes from.
"""

LONGEST = 1000
"""Letters of a text that a site gives: as many as TMDB lets a plot have."""


def one_line(value: object) -> str:
    """A foreign text in one line, without what cannot be printed; empty for what is no text."""
    words = " ".join(value.split()) if isinstance(value, str) else ""
    return "".join(letter for letter in words if letter.isprintable())[:LONGEST]


FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠", "\t", "\r", "\n")
"""What a spreadsheet takes for the beginning of a formula."""


def escape_formula(text: str) -> str:
    """A text for a CSV file that no spreadsheet takes for a formula.

    Also escapes a text that looks escaped already, so that `unescape_formula` returns every text.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unescape_formula(text: str) -> str:
    """The text from which `escape_formula` made this one."""
    escaped = text.startswith("'") and text.lstrip("'").startswith(FORMULA)
    return text[1:] if escaped else text
