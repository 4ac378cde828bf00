"""Ends Snakemake with one line when the Snakefile meets a `UserError`.

Reads and writes nothing. Must not import Snakemake.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from trailers12k.common.errors import UserError
from trailers12k.common.messages import one_line

STOPPED = "the run was stopped before its end; the same command continues it"


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn a `UserError` into an exit with "error: ..." and status 1, without a traceback."""
    try:
        yield
    except UserError as error:
        raise SystemExit(f"error: {one_line(error)}\n") from None
