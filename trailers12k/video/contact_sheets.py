"""Contact sheets: a JPEG file with one picture of each shot of a trailer, in the order of time.

Writes pictures that are given to it, and reads them back: build/sheets/MID.jpg. Must not know where
pictures come from, nor who looks at them. A sheet may be absent (a clone without videos has none):
who reads one that is not there, or not of as many shots, gets nothing.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from trailers12k.common.files import replacing

log = logging.getLogger(__name__)

HEIGHT = 90
"""Pixels of a cell, which has the trailer's own aspect."""

COLUMNS = 10
"""Cells in a row, at most."""

MOST = 1000
"""Cells in a sheet; of more shots, so many evenly chosen ones are shown."""

WIDTHS = 30, 400
"""Pixels of the narrowest and the widest cell, which a picture beyond is squeezed into: a JPEG file
has a largest width."""

QUALITY = 75
GREY = (128, 128, 128)
"""A cell whose shot has no picture, and what is left of the last row."""

Box = tuple[int, int, int, int]
"""Left, upper, right and lower edge in pixels, as Pillow's `crop` takes it."""


def shown(shots: int) -> list[int]:
    """The numbers of the shots that have a cell, ascending."""
    return spaced(shots, MOST)


def geometry(width: int, height: int, shots: int) -> list[Box]:
    """Where the cells are in a sheet of this size, one for each of `shown(shots)`.

    Raises ValueError when a sheet of so many shots has no such size.
    """
    cells = min(shots, MOST)
    columns = max(1, min(COLUMNS, cells))
    if not cells or height != HEIGHT * -(-cells // columns) or width % columns:
        raise ValueError(f"a sheet of {width}x{height} is not one of {shots} shots")
    wide = width // columns
    places = (divmod(cell, columns) for cell in range(cells))
    return [
        (column * wide, row * HEIGHT, (column + 1) * wide, (row + 1) * HEIGHT)
        for row, column in places
    ]


def write(path: str | Path, pictures: Sequence[np.ndarray | None]) -> None:
    """Write a contact sheet; the same pictures give the same bytes.

    pictures: one a shot, RGB, uint8 (H, W, 3), all of one aspect; None for a shot that has none.
    """
    cells = [pictures[shot] for shot in shown(len(pictures))]
    wide = _width(next((cell for cell in cells if cell is not None), None))
    columns = min(COLUMNS, len(cells))
    size = columns * wide, HEIGHT * -(-len(cells) // columns)
    sheet = Image.new("RGB", size, GREY)
    for cell, box in zip(cells, geometry(*size, len(pictures)), strict=True):
        if cell is not None:
            picture = Image.fromarray(cell)
            if picture.size != (wide, HEIGHT):
                picture = picture.resize((wide, HEIGHT), Image.Resampling.BILINEAR)
            sheet.paste(picture, box[:2])
    with replacing(path) as partial:
        sheet.save(partial, format="JPEG", quality=QUALITY, comment=_comment(len(pictures)))


def frames(path: str | Path, shots: int, count: int) -> list[Image.Image]:
    """`count` evenly spaced cells of a sheet, or all where it has no more; see `cells`."""
    return cells(path, shots, spaced(min(shots, MOST), count))


def cells(path: str | Path, shots: int, numbers: Sequence[int] | None = None) -> list[Image.Image]:
    """Cells of a sheet, by their numbers or all; none where there is no sheet of so many shots.

    shots: what the ledger of clips says. A sheet of another number of them is of another version.
    """
    try:
        with Image.open(path) as sheet:
            if sheet.info.get("comment") != _comment(shots):
                return []
            boxes = geometry(*sheet.size, shots)
            wanted = range(len(boxes)) if numbers is None else numbers
            return [sheet.crop(boxes[number]) for number in wanted]
    except FileNotFoundError:
        return []
    except (OSError, SyntaxError, ValueError) as error:
        log.warning("%s cannot be read, and is left out: %s", path, error)
        return []


def cell_width(path: str | Path, shots: int) -> int:
    """Pixels of a cell of the sheet of so many shots; 0 where there is none. No cell is read, which
    would take minutes for many sheets."""
    try:
        with Image.open(path) as sheet:
            left, _, right, _ = geometry(*sheet.size, shots)[0]
            return right - left if sheet.info.get("comment") == _comment(shots) else 0
    except (OSError, SyntaxError, ValueError):
        return 0


def spaced(cells: int, count: int) -> list[int]:
    """The numbers of `count` evenly spaced ones of so many cells; all where there are no more."""
    count = min(cells, count)
    return [(2 * place + 1) * cells // (2 * count) for place in range(count)]


def _width(picture: np.ndarray | None) -> int:
    if picture is None:
        return HEIGHT * 16 // 9
    height, width = picture.shape[:2]
    return min(max(round(width * HEIGHT / height), WIDTHS[0]), WIDTHS[1])


def _comment(shots: int) -> bytes:
    return f"{shots} shots".encode()
