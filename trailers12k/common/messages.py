"""Messages for a person: one line, in which foreign names are short.

Reads and writes nothing. Must not know what a message is about.
"""

import errno
import os
import re
from collections.abc import Sequence

from trailers12k.common.bounded_files import QUOTED, shown_path
from trailers12k.common.errors import DENIED
from trailers12k.common.files import TEMPORARY_END

LONG = re.compile(rf"\S{{{QUOTED + 1},}}")
"""A word that only a foreign name or value can be."""
LONGEST = 1000
"""Characters of a message. The longest lists of allowed values have 700."""


def first_names(names: Sequence[str], most: int) -> str:
    """The first `most` names, and how many more there are."""
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def one_line(message: object) -> str:
    """A message without unprintable characters and long words, of which start and end are kept.

    The last bound, for what the message itself has not quoted.
    """
    text = "".join(each if each.isprintable() else repr(each)[1:-1] for each in str(message))
    text = LONG.sub(lambda word: shortened(word[0], QUOTED), text)
    return shortened(text, LONGEST)


def denied(error: OSError) -> str:
    """Which file cannot be read or written, and why; without temporary names."""
    path = TEMPORARY_END.sub("", os.fsdecode(error.filename2 or error.filename))
    # A file is written beside its place, so the permissions of the folder count.
    folder, counts = os.path.dirname(path) or ".", error.errno in (errno.EACCES, errno.EROFS)
    place = f" in the folder {shown_path(folder)}" if counts else ""
    return f"{shown_path(path)}: {error.strerror}{place}"


def unwritten(error: OSError) -> str:
    """Why a file was not written, and what to do where its folder does not allow it."""
    if not error.filename:
        return str(error)
    remedy = "; see to it, then run again" if error.errno in DENIED else ""
    return f"{denied(error)}{remedy}"


def shortened(text: str, most: int) -> str:
    """A text without its middle where it has more than `most` characters."""
    if len(text) <= most:
        return text
    end = most // 2
    return f"{text[: most - end - 1]}…{text[-end:]}"
