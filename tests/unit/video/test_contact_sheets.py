"""A contact sheet shows each shot in its cell and is read back by the number of shots."""

import numpy as np
import pytest
from PIL import Image

from trailers12k.video import contact_sheets


def numbered(number: int, size: tuple[int, int] = (90, 160)) -> np.ndarray:
    """An image whose grey level encodes its number."""
    return np.full((*size, 3), 8 * number % 256, np.uint8)


def number_of(cell: Image.Image) -> float:
    """Read from the whole cell, so that the edges of its neighbours would show."""
    return np.asarray(cell).mean() / 8


@pytest.mark.parametrize("shots", [1, 9, 10, 11, 30])
def test_cells_are_read_back_as_they_were_written(tmp_path, shots):
    path = tmp_path / "tt0000001.jpg"
    contact_sheets.write(path, [numbered(shot) for shot in range(shots)])
    cells = contact_sheets.cells(path, shots)
    assert [round(number_of(cell)) for cell in cells] == list(range(shots))
    assert {cell.size for cell in cells} == {(160, 90)}
    with Image.open(path) as sheet:
        assert (sheet.mode, sheet.format) == ("RGB", "JPEG")
        assert sheet.size == (160 * min(10, shots), 90 * -(-shots // 10))


def test_the_same_images_give_the_same_bytes_and_no_temporary_file_is_left(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (12, 90, 160, 3), np.uint8)
    for name in ("a.jpg", "b.jpg"):
        contact_sheets.write(tmp_path / name, list(noise))
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.jpg"]


def test_a_shot_without_an_image_is_grey_and_the_others_keep_their_cells(tmp_path):
    path = tmp_path / "sheet.jpg"
    contact_sheets.write(path, [numbered(1), None, numbered(3)])
    assert [round(number_of(cell)) for cell in contact_sheets.cells(path, 3)] == [1, 16, 3]
    contact_sheets.write(path, [None])
    assert [round(number_of(cell)) for cell in contact_sheets.cells(path, 1)] == [16]


def test_of_more_than_a_thousand_shots_a_thousand_evenly_spaced_ones_are_shown(tmp_path):
    assert contact_sheets.shown(7) == list(range(7)) and contact_sheets.shown(1000) == list(
        range(1000)
    )
    chosen = contact_sheets.shown(2500)
    assert len(chosen) == 1000 and set(np.diff(chosen)) == {2, 3}
    assert chosen[0] == 1 and chosen[-1] == 2498
    path = tmp_path / "sheet.jpg"
    contact_sheets.write(path, [numbered(shot % 30, (9, 16)) for shot in range(2500)])
    numbers = [round(number_of(cell)) for cell in contact_sheets.cells(path, 2500)]
    assert numbers == [shot % 30 for shot in chosen]


@pytest.mark.parametrize(
    ("size", "wide"),
    [((160, 90), 51), ((90, 90), 90), ((36, 64), 160), ((90, 3000), 400), ((3000, 90), 30)],
    ids=["portrait", "square", "small", "a strip", "a tower"],
)
def test_cells_are_90_pixels_high_and_keep_the_aspect_ratio(tmp_path, size, wide):
    path = tmp_path / "sheet.jpg"
    contact_sheets.write(path, [numbered(shot, size) for shot in range(12)])
    assert {cell.size for cell in contact_sheets.cells(path, 12)} == {(wide, 90)}


def test_frames_are_evenly_spaced_cells(tmp_path):
    path = tmp_path / "sheet.jpg"
    contact_sheets.write(path, [numbered(shot) for shot in range(20)])
    assert [round(number_of(cell)) for cell in contact_sheets.frames(path, 20, 4)] == [2, 7, 12, 17]
    assert [round(number_of(cell)) for cell in contact_sheets.frames(path, 20, 1)] == [10]
    assert len(contact_sheets.frames(path, 20, 50)) == 20


def test_a_sheet_that_is_missing_damaged_or_of_other_shots_gives_no_images(tmp_path, caplog):
    path = tmp_path / "sheet.jpg"
    assert contact_sheets.frames(path, 3, 2) == [] and not caplog.text
    contact_sheets.write(path, [numbered(shot) for shot in range(12)])
    # A sheet of 13 shots has the same size.
    assert contact_sheets.cells(path, 13) == [] and len(contact_sheets.cells(path, 12)) == 12
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"<html>"):
        path.write_bytes(damaged)
        caplog.clear()
        assert contact_sheets.cells(path, 12) == []
        assert "sheet.jpg cannot be read" in caplog.text


def test_a_sheet_of_another_size_is_refused():
    assert contact_sheets.geometry(320, 90, 2) == [(0, 0, 160, 90), (160, 0, 320, 90)]
    assert contact_sheets.geometry(1600, 180, 11)[-1] == (0, 90, 160, 180)
    for size, shots in (((320, 90), 3), ((320, 91), 2), ((0, 0), 0)):
        with pytest.raises(ValueError, match="is not one of"):
            contact_sheets.geometry(*size, shots)
