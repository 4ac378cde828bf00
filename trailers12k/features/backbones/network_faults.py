"""One error for networks that PyTorch cannot run, as on pictures that are too small.

Reads and writes nothing. Must not import torch: a job that computes nothing needs none.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from trailers12k.common.errors import UserError


@contextmanager
def working(model: str) -> Iterator[None]:
    """Turns a RuntimeError, raised while a network is loaded or calibrated, into a `UserError`."""
    try:
        yield
    except RuntimeError as error:
        first, _, _ = str(error).partition("\n")
        raise UserError(
            f"backbone {model}: its network does not work here: {first}; choose another size, or "
            "another model"
        ) from error
