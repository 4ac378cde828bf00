"""Errors that a person or a job acts on.

Standard library only. Must not know who raises them, or why.
"""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)
"""No space left, and none allowed."""


class UserError(ValueError):
    """Something the user can mend. The message says what was wrong, where, and what to do."""


class Failure(Exception):
    """What went wrong with one movie: a reason (one word, from a fixed list) and the details."""

    def __init__(self, reason: str, detail: str):
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = " ".join(detail.split())


class Stop(Failure):
    """A failure after which going on would do harm: no further movie is begun."""


class Cancelled(Exception):
    """Work that was broken off because its job was stopped."""


def _disk_failure(error: OSError) -> Failure:
    """An error of the file system: a reason to stop when the disk is full."""
    return Stop("local_io", str(error)) if error.errno in FULL else Failure("local_io", str(error))
