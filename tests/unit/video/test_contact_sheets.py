"""A contact sheet shows each shot in its cell, and is read back by whoever knows their number."""

import numpy as np
import pytest
from PIL import Image

from trailers12k.video import contact_sheets as sheets


def coloured(number: int, size: tuple[int, int] = (90, 160)) -> np.ndarray:
    """A picture that tells its number by its level."""
    return np.full((*size, 3), 8 * number % 256, np.uint8)


def number_of(cell: Image.Image) -> float:
    """Of the whole cell: what bleeds into it from others would show."""
    return np.asarray(cell).mean() / 8


@pytest.mark.parametrize("shots", [1, 9, 10, 11, 30])
def test_what_is_written_is_read_back_by_cell(tmp_path, shots):
    path = tmp_path / "tt0000001.jpg"
    sheets.write(path, [coloured(shot) for shot in range(shots)])
    cells = sheets.cells(path, shots)
    assert [round(number_of(cell)) for cell in cells] == list(range(shots))
    assert {cell.size for cell in cells} == {(160, 90)}
    with Image.open(path) as sheet:
        assert (sheet.mode, sheet.format) == ("RGB", "JPEG")
        assert sheet.size == (160 * min(10, shots), 90 * -(-shots // 10))


def test_the_same_pictures_give_the_same_bytes_and_nothing_is_left_beside(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (12, 90, 160, 3), np.uint8)
    for name in ("a.jpg", "b.jpg"):
        sheets.write(tmp_path / name, list(noise))
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jpg", "b.jpg"]


def test_a_shot_without_a_picture_is_grey_and_the_others_stay_in_their_cells(tmp_path):
    path = tmp_path / "sheet.jpg"
    sheets.write(path, [coloured(1), None, coloured(3)])
    assert [round(number_of(cell)) for cell in sheets.cells(path, 3)] == [1, 16, 3]
    sheets.write(path, [None])
    assert [round(number_of(cell)) for cell in sheets.cells(path, 1)] == [16]


def test_of_more_than_a_thousand_shots_as_many_evenly_chosen_ones_are_shown(tmp_path):
    assert sheets.shown(7) == list(range(7)) and sheets.shown(1000) == list(range(1000))
    chosen = sheets.shown(2500)
    assert len(chosen) == 1000 and set(np.diff(chosen)) == {2, 3}
    assert chosen[0] == 1 and chosen[-1] == 2498
    path = tmp_path / "sheet.jpg"
    sheets.write(path, [coloured(shot % 30, (9, 16)) for shot in range(2500)])
    found = [round(number_of(cell)) for cell in sheets.cells(path, 2500)]
    assert found == [shot % 30 for shot in chosen]


@pytest.mark.parametrize(
    ("size", "wide"),
    [((160, 90), 51), ((90, 90), 90), ((36, 64), 160), ((90, 3000), 400), ((3000, 90), 30)],
    ids=["portrait", "square", "small", "a strip", "a tower"],
)
def test_cells_are_90_high_and_of_the_trailers_aspect(tmp_path, size, wide):
    path = tmp_path / "sheet.jpg"
    sheets.write(path, [coloured(shot, size) for shot in range(12)])
    assert {cell.size for cell in sheets.cells(path, 12)} == {(wide, 90)}


def test_some_cells_are_chosen_evenly(tmp_path):
    path = tmp_path / "sheet.jpg"
    sheets.write(path, [coloured(shot) for shot in range(20)])
    assert [round(number_of(cell)) for cell in sheets.frames(path, 20, 4)] == [2, 7, 12, 17]
    assert [round(number_of(cell)) for cell in sheets.frames(path, 20, 1)] == [10]
    assert len(sheets.frames(path, 20, 50)) == 20


def test_a_sheet_that_is_not_there_damaged_or_of_other_shots_gives_nothing(tmp_path, caplog):
    path = tmp_path / "sheet.jpg"
    assert sheets.frames(path, 3, 2) == [] and not caplog.text
    sheets.write(path, [coloured(shot) for shot in range(12)])
    # 13 shots would have the same size.
    assert sheets.cells(path, 13) == [] and len(sheets.cells(path, 12)) == 12
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"<html>"):
        path.write_bytes(damaged)
        caplog.clear()
        assert sheets.cells(path, 12) == []
        assert "sheet.jpg cannot be read" in caplog.text


def test_a_size_that_no_such_sheet_has_is_refused():
    assert sheets.geometry(320, 90, 2) == [(0, 0, 160, 90), (160, 0, 320, 90)]
    assert sheets.geometry(1600, 180, 11)[-1] == (0, 90, 160, 180)
    for size, shots in (((320, 90), 3), ((320, 91), 2), ((0, 0), 0)):
        with pytest.raises(ValueError, match="is not one of"):
            sheets.geometry(*size, shots)
