"""One error for files of the hub that do not fit one another.

Reads and writes nothing. Must not know which files they are.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from trailers12k.common.errors import UserError


@contextmanager
def fitting(model: str) -> Iterator[None]:
    """Turns whatever is raised while a model's files are used into a `UserError`.

    The library states no errors, and a hostile file may raise any, MemoryError too.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"backbone {model}: its files do not fit one another: {reason}") from error
