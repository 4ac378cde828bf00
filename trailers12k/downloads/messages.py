"""Messages of network errors, without the objects of the programs that raise them.

Reads and writes nothing. Must not know what is downloaded.
"""

import re

OBJECT = re.compile(
    r"\w*(?:Connection|Pool)\(host=(?:'[^']*'|[^),]*)(?:, port=\w+)?\): "
    r"|<[\w.]+ object at 0x[0-9a-f]+>: "
)
"""urllib3's names of a connection before what went wrong."""
CAUSE = re.compile(r""" \([Cc]aused by \w+\((["'])(?P<text>.*)\1\)\)""")


LONGEST = 2000
"""Characters of a message that are looked at: a server can write some of it, and the search takes
the square of its length."""


def without_objects(message: str) -> str:
    """The start of a message, without names of connections and a cause that only repeats it."""
    message = OBJECT.sub("", message[:LONGEST])
    cause = CAUSE.search(message)
    if cause is None:
        return message
    before = message[: cause.start()]
    text = "" if cause["text"] in before else f" ({cause['text']})"
    return f"{before}{text}{message[cause.end() :]}"
