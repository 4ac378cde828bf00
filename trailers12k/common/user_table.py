"""The one reader of all tables that a user makes: CSV files of editors and spreadsheets.

Reads the file that its caller names. Must not know what the columns mean.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

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

EXCEL_SETTING = re.compile(r'\s*"?sep=([^\r\n])"?[,;\t]*(?=[\r\n])', re.IGNORECASE)
"""A first line that tells Excel the separator; no row of the table."""

FIRST_LINE = re.compile(r"[^\r\n]*\S[^\r\n]*")

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


@dataclass(frozen=True)
class UserTable:
    """A table: its path, the names of its columns, and its rows.

    rows: the number of the line in which a row begins, and its stripped texts by column. Rows
    without any text are left out.
    """

    path: Path
    columns: tuple[str, ...]
    rows: list[tuple[int, dict[str, str]]]


def read_user_table(
    path: str | Path, required: Sequence[str], optional: Sequence[str] | None = None
) -> UserTable:
    """Read a CSV file: UTF-8 with or without a byte order mark, any line ends, comma-separated.

    required, optional: names of columns; without `optional`, further columns are accepted. Columns
        without a name are left out if they are empty, and the first one also if it counts the rows.
    Raises `FileNotFoundError`, and `UserError` with the line for every other fault.
    """
    path = Path(path)
    try:
        text = _decoded(path.read_bytes(), path)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; allowed: a readable CSV file") from None
    if setting := EXCEL_SETTING.match(text):
        text = text[setting.end() :]
    _check_separator(text, setting[1] if setting else ",", required[0], path)
    lines = _rows_of(text, path)
    number, head = next(lines, (1, []))
    columns = [name.strip() for name in head]
    _check_columns(columns, required, optional, f"{path}, line {number}")
    rows = [
        (number, _row(cells, columns, place, path, number))
        for place, (number, cells) in enumerate(lines)
    ]
    return UserTable(path, tuple(filter(None, columns)), rows)


def _decoded(data: bytes, path: Path) -> str:
    """The text of a file. Raises `UserError` unless it is UTF-8.

    Without byte order marks, which files have in the middle after they were joined, and without the
    Ctrl-Z that ends files of DOS.
    """
    for start, kind in OTHER_FILES.items():
        if data.startswith(start):
            raise UserError(f"{path}: it is {kind}, not a CSV file; {SAVE}")
    if zeros := data.count(0):
        if 3 * zeros > len(data):
            raise UserError(f"{path}: it is text in UTF-16, not a CSV file; {SAVE}")
        line = _line_at(data[: data.index(0)].decode("latin-1"))
        raise UserError(f"{path}, line {line}: a NUL byte: the file is damaged; {SAVE}")
    try:
        text = data.decode("utf-8").replace("\ufeff", "")
    except UnicodeDecodeError as error:
        line = _line_at(data[: error.start].decode("latin-1"))
        raise UserError(
            f"{path}, line {line}: byte 0x{data[error.start]:02X} is not UTF-8: the table seems "
            f"to be saved in a Windows code page, such as 1252, 1251 or Shift-JIS; {SAVE}"
        ) from None
    end = text.rstrip()
    return end.rstrip("\x1a \t\r\n") if end.endswith("\x1a") else text


def _line_at(before: str) -> int:
    """The number of the line that follows a text, whatever its line ends are."""
    return before.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1


def _check_separator(text: str, setting: str, key: str, path: Path) -> None:
    """Raise `UserError` where the columns are separated by another character than the comma.

    setting: Excel's; a comma where the file has none. key: a required column.
    """
    first = FIRST_LINE.search(text)
    if first is None:
        return
    separators = {} if key in _names(first[0], ",") else SEPARATORS
    for character, name in separators.items():
        if key in (names := _names(first[0], character)) and (
            len(names) > 1 or character == setting
        ):
            where = f"{path}, line {_line_at(text[: first.start()])}"
            raise UserError(
                f"{where}: the column {key!r} is missing, since the columns are separated by "
                f"{name}; allowed: columns separated by commas"
            )


def _names(line: str, separator: str) -> list[str]:
    return [cell.strip(" \t\"'") for cell in line.split(separator)]


def _rows_of(text: str, path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that hold any text, each after the number of its first line. Raises `UserError`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _quoting_fault(error, f"{path}, line {line}", reader.line_num > line) from None
        if (cells and cells[0].strip()) or any(cell.strip() for cell in cells):
            yield line, cells


def _quoting_fault(error: csv.Error, where: str, is_long: bool) -> UserError:
    """The error for a row that is no CSV. is_long: whether it reaches over several lines."""
    text = str(error)
    if is_long or "unexpected end" in text:
        text = f"a quote that opens here is not closed properly ({text})"
    return UserError(f"{where}: not a CSV file: {text}; allowed: within quotes, each quote twice")


def _check_columns(
    columns: Sequence[str], required: Sequence[str], optional: Sequence[str] | None, where: str
) -> None:
    allowed = [*required, *(columns if optional is None else optional), ""]
    faults = [f"{name!r} is missing" for name in required if name not in columns]
    faults += [f"{name!r} is unknown" for name in columns if name not in allowed]
    faults += [f"{name!r} appears twice" for name in columns if name and columns.count(name) > 1]
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
            f"{path}, line {line}: the number of columns is not {len(columns)}, as in the first "
            f"line, but {len(cells)}; allowed: a comma between two columns, and a text with commas "
            "in quotes"
        )
    row = {name: cell.strip() for name, cell in zip(columns, cells, strict=True)}
    if "" not in row:
        return row
    # The index of a data frame, which pandas writes before the columns.
    counted = not columns[0] and cells[0].strip() in (str(place), str(place + 1))
    for name, cell in list(zip(columns, cells, strict=True))[counted:]:
        if not name and cell.strip():
            raise UserError(
                f"{path}, line {line}: {cell!r} is in a column without a name; allowed: a name"
            )
    del row[""]
    return row
