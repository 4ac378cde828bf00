"""Makes foreign text safe to display and to open in a spreadsheet.

Reads and writes nothing. Must not know where the text comes from.
"""

LONGEST = 1000
"""Maximum length of a foreign text: TMDB's limit for a plot."""


def one_line(value: object) -> str:
    """A foreign text in one line, without unprintable characters; empty for other types."""
    words = " ".join(value.split()) if isinstance(value, str) else ""
    return "".join(letter for letter in words if letter.isprintable())[:LONGEST]


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
