import pytest

from trailers12k.publish.packing.records import Limits, divide, rows

PLAIN = Limits(files=10, bytes=100, reserved_files=0, reserved_bytes=0)


def test_one_record_takes_all_that_fits():
    division = divide({"mtgc.csv": 5}, [{"a.zarr": 40, "a.parquet": 40}], PLAIN)
    assert division.count == 1 and not division.too_large


@pytest.mark.parametrize("limits", [PLAIN, Limits(3, 1000, 0, 0)])
def test_the_files_of_a_store_stay_together(limits):
    stores = [{f"{name}.zarr": 30, f"{name}.parquet": 30} for name in "abc"]
    division = divide({"mtgc.csv": 5}, stores, limits)
    of_stores = [{division.record_of[path] for path in files} for files in stores]
    assert of_stores == [{1}, {2}, {3}]


def test_a_small_store_fills_a_record_with_room():
    stores = [{"a": 90}, {"b": 90}, {"c": 10}]
    assert divide({}, stores, PLAIN).record_of == {"a": 1, "b": 2, "c": 1}


def test_a_store_that_no_record_takes_whole_is_divided_by_file():
    division = divide({"mtgc.csv": 5}, [{"a.zarr": 80, "a-0": 60, "a-1": 40}], PLAIN)
    assert division.record_of == {"mtgc.csv": 1, "a.zarr": 1, "a-0": 2, "a-1": 2}


def test_a_file_that_no_record_takes_is_named_and_has_a_record_of_its_own():
    division = divide({"mtgc.csv": 5}, [{"a": 101}, {"b": 50}], PLAIN)
    assert division.too_large == ["a"]
    assert division.record_of == {"mtgc.csv": 1, "a": 2, "b": 1}


def test_room_is_kept_for_files_that_come_later():
    assert divide({"a": 95}, [], Limits(10, 100, 0, 10)).count == 1
    assert divide({}, [{"a": 50}, {"b": 45}], Limits(10, 100, 0, 10)).count == 2
    assert divide({}, [{"a": 1}, {"b": 1}], Limits(3, 100, 2, 0)).count == 2


def test_the_card_and_the_sums_are_in_each_record():
    found = rows({"README.md": 1, "a": 1, "b": 2}, {"README.md": 3, "a": 4, "b": 5})
    of_second = [row for row in found if row["record"] == 2]
    assert [row["file"] for row in of_second] == [
        *("MD5SUMS", "README.md", "RECORDS.csv", "SHA256SUMS", "b", "croissant.json"),
    ]
    assert {row["bytes"] for row in of_second} == {"", 3, 5}
