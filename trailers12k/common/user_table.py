"""The one reader of all tables that a user makes: CSV files of editors and spreadsheets.

Reads the file that its caller names. Must not know what the columns mean.
"""

import csv
import io
import re
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from errno import ENOENT
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from trailers12k.common.bounded_files import is_absent, opened, quoted, shown_path
from trailers12k.common.errors import UserError

SEPARATORS = {
    ";": "semicolons",
    "\t": "tabs",
    "|": "vertical bars",
    "\uff0c": "fullwidth commas",
    "\u3001": "ideographic commas",
    "\u060c": "Arabic commas",
}
"""Characters that other programs put between columns."""

EXCEL_SETTING = re.compile(r'\s*"?sep=([^\r\n])"?[,;\t]*[\r\n]+', re.IGNORECASE)
"""A first line that tells Excel the separator; no row of the table."""

OTHER_FILES = {
    b"PK\x03\x04": "a workbook or a zip archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF": "a PDF document",
    b"\xff\xfe\x00\x00": "text in UTF-32",
    b"\x00\x00\xfe\xff": "text in UTF-32",
    b"\xff\xfe": "text in UTF-16",
    b"\xfe\xff": "text in UTF-16",
}
"""First bytes -> what has them; the longer ones come first."""

SAVE = "allowed: CSV in UTF-8 (Excel saves it as: CSV UTF-8, comma delimited)"


MOST_BYTES = 500_000_000
MOST_ROWS = 1_000_000
"""More than IMDb has movies."""
MOST_COLUMNS = 10_000
MOST_CELLS = 30_000_000
LONGEST_LINE = 1_000_000
LONGEST_CELL = 10_000
"""Characters. Ten times the longest plot of TMDB, and five times the longest address."""

BLOCK = 1 << 16

Rows = Iterator[tuple[int, dict[str, str]]]


@dataclass(frozen=True)
class UserTable:
    """A table: its path, the names of its columns, and its rows, which are read one by one.

    rows: the number of the line in which a row begins, and its stripped texts by column. Rows
    without any text are left out. Raises `UserError` with the line of a fault.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Rows


def read_user_table(
    path: str | Path, required: Sequence[str], optional: Sequence[str] | None = None
) -> UserTable:
    """Read a CSV file: UTF-8 with or without a byte order mark, any line ends, comma-separated.

    required, optional: names of columns; without `optional`, further columns are accepted. Columns
        without a name are left out if they are empty, and the first one also if it counts the rows.
    Raises `FileNotFoundError`, and `UserError` with the line for every other fault.
    """
    path = Path(path)
    if is_absent(path):
        raise FileNotFoundError(ENOENT, "No such file or directory", str(path))
    lines = _checked_lines(_lines(opened(path, MOST_BYTES), path), required[0], path)
    rows = _rows_of(lines, path)
    number, head = next(rows, (1, []))
    columns = [name.strip() for name in head]
    _check_columns(columns, required, optional, f"{shown_path(path)}, line {number}")
    return UserTable(path, tuple(filter(None, columns)), _named(rows, columns, path))


def _named(rows: Iterator[tuple[int, list[str]]], columns: Sequence[str], path: Path) -> Rows:
    """The rows by column, at most `MOST_ROWS`. Raises `UserError`."""
    most = min(MOST_ROWS, MOST_CELLS // len(columns))
    for place, (number, cells) in enumerate(rows):
        if place == most:
            raise UserError(
                f"{shown_path(path)}, line {number}: the table has more than {most:,} rows; "
                f"allowed: at most {MOST_ROWS:,} rows and {MOST_CELLS:,} cells"
            )
        yield number, _row(cells, columns, place, path, number)


def _lines(file: BinaryIO, path: Path) -> Iterator[str]:
    """The lines of a file with their ends, decoded. Raises `UserError` unless it is UTF-8.

    Without byte order marks, which files have in the middle after they were joined, and without the
    Ctrl-Z that ends files of DOS.
    """
    decoder = getincrementaldecoder("utf-8")()
    number, rest = 1, ""
    with file:
        while True:
            data = file.read(BLOCK)
            if number == 1 and not rest:
                _check_kind(data, path)
            if 0 in data:
                raise _nul(data, path, number, rest)
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                before = rest + error.object[: error.start].decode("latin-1")
                raise UserError(
                    f"{shown_path(path)}, line {number + _line_ends(before)}: byte "
                    f"0x{error.object[error.start]:02X} is not UTF-8: the table seems to be saved "
                    f"in a Windows code page, such as 1252, 1251 or Shift-JIS; {SAVE}"
                ) from None
            text = rest + text.replace("\ufeff", "")
            lines = list(io.StringIO(text, newline=""))
            # The last line may go on in the next block, and \r may be half of \r\n.
            rest = lines.pop() if data and lines else ""
            for line in lines:
                number += 1
                yield line if "\x1a" not in line else _without_ctrl_z(line)
            if len(rest) > LONGEST_LINE:
                raise UserError(
                    f"{shown_path(path)}, line {number}: more than {LONGEST_LINE:,} characters "
                    f"without a line end; allowed: a line for each row"
                )
            if not data:
                return


def _without_ctrl_z(line: str) -> str:
    """A line without the Ctrl-Z at its end. Blanks after it go with it."""
    end = line.rstrip()
    return end.rstrip("\x1a \t\r\n") + line[len(end) :] if end.endswith("\x1a") else line


def _check_kind(data: bytes, path: Path) -> None:
    """Raise `UserError` where the first bytes of a file are those of another kind."""
    kinds = (kind for start, kind in OTHER_FILES.items() if data.startswith(start))
    # Three NUL bytes in a row hold a NUL character in UTF-16, too: a power cut leaves such runs.
    is_wide = 3 * data.count(0) > len(data) and bytes(3) not in data
    kind = next(kinds, "text in UTF-16" if is_wide else "")
    if kind:
        raise UserError(f"{shown_path(path)}: it is {kind}, not a CSV file; {SAVE}")


def _nul(data: bytes, path: Path, number: int, rest: str) -> UserError:
    line = number + _line_ends(rest + data[: data.index(0)].decode("latin-1"))
    return UserError(f"{shown_path(path)}, line {line}: NUL bytes: the file is damaged; {SAVE}")


def _line_ends(text: str) -> int:
    """The number of line ends of any kind."""
    return text.replace("\r\n", "\n").replace("\r", "\n").count("\n")


def _checked_lines(lines: Iterator[str], key: str, path: Path) -> Iterator[str]:
    """The lines, without Excel's setting of the separator. key: a required column.

    Raises `UserError` where the columns are separated by another character than the comma.
    """
    head: list[str] = []
    setting = ","
    for line in lines:
        found = EXCEL_SETTING.fullmatch(line) if not "".join(head).strip() else None
        if found:
            setting, line = found[1], "\n"
        head.append(line)
        if line.strip():
            _check_separator(line, setting, key, f"{shown_path(path)}, line {len(head)}")
            break
        if len(head) > MOST_ROWS:
            break
    return chain(head, lines)


def _check_separator(line: str, setting: str, key: str, where: str) -> None:
    """Raise `UserError` where the first line has another separator than the comma.

    setting: Excel's; a comma where the file has none. key: a required column.
    """
    separators = {} if key in _names(line, ",") else SEPARATORS
    for character, name in separators.items():
        if key in (names := _names(line, character)) and (len(names) > 1 or character == setting):
            raise UserError(
                f"{where}: the column {key!r} is missing, since the columns are separated by "
                f"{name}; allowed: columns separated by commas"
            )


def _names(line: str, separator: str) -> list[str]:
    return [cell.strip(" \t\"'") for cell in line.split(separator)]


def _rows_of(lines: Iterator[str], path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold any text, each after the number of its first line. Raises `UserError`."""
    reader = csv.reader(lines, strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            where = f"{shown_path(path)}, line {line}"
            raise _quoting_fault(error, where, reader.line_num > line) from None
        if (cells and cells[0].strip()) or any(cell.strip() for cell in cells):
            if max(map(len, cells)) > LONGEST_CELL:
                raise _too_long(f"{shown_path(path)}, line {line}")
            yield line, cells


def _too_long(where: str) -> UserError:
    return UserError(
        f"{where}: a cell has more than {LONGEST_CELL:,} characters; allowed: at most these"
    )


def _quoting_fault(error: csv.Error, where: str, is_long: bool) -> UserError:
    """The error for a row that is no CSV. is_long: whether it reaches over several lines."""
    text = str(error)
    if "field limit" in text and not is_long:
        return _too_long(where)
    if is_long or "unexpected end" in text:
        text = f"a quote that opens here is not closed properly ({text})"
    return UserError(f"{where}: not a CSV file: {text}; allowed: within quotes, each quote twice")


def _check_columns(
    columns: Sequence[str], required: Sequence[str], optional: Sequence[str] | None, where: str
) -> None:
    if len(columns) > MOST_COLUMNS:
        raise UserError(f"{where}: {len(columns):,} columns; allowed: at most {MOST_COLUMNS:,}")
    allowed = {*required, *(columns if optional is None else optional), ""}
    count = Counter(columns)
    faults = [f"{name!r} is missing" for name in required if name not in count]
    faults += [f"{quoted(name)} is unknown" for name in columns if name not in allowed]
    faults += [f"{quoted(name)} appears twice" for name in columns if name and count[name] > 1]
    if faults:
        more = [name for name in optional or () if name not in required]
        further = f"; optional: {', '.join(more)}" if more else ""
        raise UserError(
            f"{where}: the column {faults[0]}; required: {', '.join(required)}{further}; "
            "the first line holds the names, separated by commas"
        )


def _row(
    cells: Sequence[str], columns: Sequence[str], place: int, path: Path, line: int
) -> dict[str, str]:
    """The stripped texts of a row by column. place: of the row, from 0. Raises `UserError`."""
    if len(cells) != len(columns):
        raise UserError(
            f"{shown_path(path)}, line {line}: the number of columns is not {len(columns)}, as in "
            f"the first line, but {len(cells)}; allowed: a comma between two columns, and a text "
            "with commas in quotes"
        )
    row = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    if "" not in row:
        return row
    # The index of a data frame, which pandas writes before the columns.
    counted = not columns[0] and cells[0].strip() in (str(place), str(place + 1))
    for name, cell in list(zip(columns, cells, strict=True))[counted:]:
        if not name and cell.strip():
            raise UserError(
                f"{shown_path(path)}, line {line}: {quoted(cell)} is in a column without a name; "
                "allowed: a name"
            )
    del row[""]
    return row
