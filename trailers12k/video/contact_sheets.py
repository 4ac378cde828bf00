"""Contact sheets: a JPEG file with one image of each shot of a trailer, in order of time.

Writes images into build/sheets/MID.jpg and reads them back. Must not know where images come from or
who views them. A sheet may be missing (a clone has no videos) or belong to another number of shots;
reading it then gives no images.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from trailers12k.common.files import replacing

log = logging.getLogger(__name__)

HEIGHT = 90
"""Height of a cell in pixels; its aspect ratio is the trailer's."""

COLUMNS = 10
"""Maximum number of cells per row."""

MAX_CELLS = 1000
"""Maximum number of cells of a sheet; of more shots, this many evenly spaced ones are shown."""

WIDTHS = 30, 400
"""Narrowest and widest cell in pixels, because a JPEG file has a maximum width; images beyond are
squeezed."""

QUALITY = 75
GREY = (128, 128, 128)
"""Colour of a cell whose shot has no image, and of the unused end of the last row."""

Box = tuple[int, int, int, int]
"""Left, upper, right and lower edge in pixels, as for Pillow's `crop`."""


def shown(shots: int) -> list[int]:
    """The numbers of the shots that have a cell, ascending."""
    return spaced(shots, MAX_CELLS)


def geometry(width: int, height: int, shots: int) -> list[Box]:
    """The cells of a sheet of this size in pixels, one for each of `shown(shots)`.

    Raises `ValueError` when a sheet of this many shots has another size.
    """
    cells = min(shots, MAX_CELLS)
    columns = max(1, min(COLUMNS, cells))
    if not cells or height != HEIGHT * -(-cells // columns) or width % columns:
        raise ValueError(f"a sheet of {width}x{height} is not one of {shots} shots")
    wide = width // columns
    places = (divmod(cell, columns) for cell in range(cells))
    return [
        (column * wide, row * HEIGHT, (column + 1) * wide, (row + 1) * HEIGHT)
        for row, column in places
    ]


def write(path: str | Path, images: Sequence[np.ndarray | None]) -> None:
    """Write a contact sheet; the same images give the same bytes.

    images: one per shot, RGB, uint8 (H, W, 3), all of one aspect ratio; None for a shot without.
    """
    cells = [images[shot] for shot in shown(len(images))]
    wide = _width(next((cell for cell in cells if cell is not None), None))
    columns = min(COLUMNS, len(cells))
    size = columns * wide, HEIGHT * -(-len(cells) // columns)
    sheet = Image.new("RGB", size, GREY)
    for cell, box in zip(cells, geometry(*size, len(images)), strict=True):
        if cell is not None:
            image = Image.fromarray(cell)
            if image.size != (wide, HEIGHT):
                image = image.resize((wide, HEIGHT), Image.Resampling.BILINEAR)
            sheet.paste(image, box[:2])
    with replacing(path) as partial:
        sheet.save(partial, format="JPEG", quality=QUALITY, comment=_comment(len(images)))


def frames(path: str | Path, shots: int, count: int) -> list[Image.Image]:
    """`count` evenly spaced cells of a sheet, or all if it has fewer; see `cells`."""
    return cells(path, shots, spaced(min(shots, MAX_CELLS), count))


def cells(path: str | Path, shots: int, numbers: Sequence[int] | None = None) -> list[Image.Image]:
    """Cells of a sheet, all or those with these numbers; none without a sheet of so many shots.

    shots: number of shots according to the ledger of clips. A sheet of another number belongs to
        another version of the clips.
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
        log.warning("%s cannot be read and is left out: %s", path, error)
        return []


def cell_width(path: str | Path, shots: int) -> int:
    """Width in pixels of a cell of a sheet, 0 without a sheet of so many shots.

    Reads no image data, which would take minutes for many sheets.
    """
    try:
        with Image.open(path) as sheet:
            left, _, right, _ = geometry(*sheet.size, shots)[0]
            return right - left if sheet.info.get("comment") == _comment(shots) else 0
    except (OSError, SyntaxError, ValueError):
        return 0


def spaced(cells: int, count: int) -> list[int]:
    """`count` evenly spaced numbers below `cells`, ascending; all of them if there are fewer."""
    count = min(cells, count)
    return [(2 * place + 1) * cells // (2 * count) for place in range(count)]


def _width(image: np.ndarray | None) -> int:
    if image is None:
        return HEIGHT * 16 // 9
    height, width = image.shape[:2]
    return min(max(round(width * HEIGHT / height), WIDTHS[0]), WIDTHS[1])


def _comment(shots: int) -> bytes:
    return f"{shots} shots".encode()
