"""Files that a command writes where its user says.

Looks at paths, writes nothing. Must not know what is written.
"""

from collections.abc import Iterable
from pathlib import Path

from trailers12k.common.bounded_files import is_absent, kind_fault_of, shown_path
from trailers12k.common.errors import UserError


def check_output(path: Path, inputs: Iterable[Path | None] = ()) -> None:
    """Raise `UserError` unless a file can be written there: before work starts.

    inputs: files that the command reads, which it must not replace, also under another name.
    """
    if not is_absent(path) and (fault := kind_fault_of(path)):
        raise UserError(f"{shown_path(path)} {fault}; name a file to write")
    places = [place for place in path.absolute().parents if not is_absent(place)]
    if places and not places[0].is_dir():
        raise UserError(f"{shown_path(places[0])} is no folder; name a file in one")
    # Also through folders that do not exist yet: nosuch/../labels.csv is labels.csv.
    for each in filter(None, inputs):
        if path.resolve() == each.resolve():
            raise UserError(
                f"{shown_path(path)} is the table {shown_path(each)}, which would be lost; choose "
                "another name"
            )
