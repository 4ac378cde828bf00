"""Errors that a person or a job acts on.

Reads and writes nothing. Must not know who raises them, or why.
"""

import errno

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Errors of a full disk and of an exhausted quota."""

DENIED = (
    *(errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR),
    *(errno.ELOOP, errno.ENAMETOOLONG),
)
"""Errors of a place that cannot be read or written as it is."""


class UserError(ValueError):
    """An error that the user can correct. The message says what is wrong, where, and what to do."""


LONGEST = 400
"""Characters of a failure's detail. A server or a file may write most of it."""


class Failure(Exception):
    """One movie's failure in a stage.

    reason: one word, see `jobs.reasons`. detail: the original message, in one line of printable
    characters, cut at `LONGEST`.
    status: the HTTP status, where a server's answer is the failure.
    """

    def __init__(self, reason: str, detail: str, status: int | None = None):
        words = " ".join(detail[: 4 * LONGEST].split())
        detail = "".join(each if each.isprintable() else "?" for each in words)
        detail = detail if len(detail) <= LONGEST else f"{detail[: LONGEST - 1]}…"
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.status = status


class Stop(Failure):
    """A failure after which the job must not begin another movie."""


class Cancelled(Exception):
    """Work that was interrupted because its job was stopped."""


def disk_failure(error: OSError) -> Failure:
    """The failure for an error of the file system: a `Stop` when the disk is full."""
    return Stop("local_io", str(error)) if error.errno in FULL else Failure("local_io", str(error))
