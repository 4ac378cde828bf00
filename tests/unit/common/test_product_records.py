"""Records of products: what counts as damage, and what has no record."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from trailers12k.common import product_records
from trailers12k.common.content_hashes import SMALL
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_csv
from trailers12k.common.product_records import check, fault_of, record, recorded

LEDGER = Path("data/ledger.csv")


@pytest.fixture
def ledger(tmp_path, monkeypatch) -> Path:
    """A recorded table of three lines in a run's folder."""
    monkeypatch.chdir(tmp_path)
    write_csv(LEDGER, ["mid", "status"], [{"mid": "a", "status": "ok"}, {"mid": "b"}])
    record(LEDGER)
    return LEDGER


def test_the_content_that_was_recorded_has_no_fault(ledger):
    assert fault_of(ledger) == fault_of(ledger.absolute()) == ""
    assert list(recorded()) == [ledger]
    check(ledger)
    os.utime(ledger, (1, 1))
    assert not fault_of(ledger)


def _garbage(path: Path) -> None:
    path.write_bytes(b"\x00\xff" * 20)


def _doubled(path: Path) -> None:
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join([*lines, lines[-1]]))


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize(
    "damage, words",
    [
        (lambda path: path.write_bytes(b""), "has 0 of 3 lines"),
        (lambda path: path.write_bytes(b"mid,status\na,ok\n"), "has 2 of 3 lines"),
        (_doubled, "is not as its job wrote it"),
        (_garbage, "is not as its job wrote it"),
        (_folder, "is a folder"),
        (_loop, "cannot be read (Too many levels of symbolic links)"),
        (_pipe, "is not a file"),
    ],
)
def test_damage_is_named_in_one_line(ledger, damage, words):
    damage(ledger)
    assert fault_of(ledger) == words
    with pytest.raises(UserError) as caught:
        check(ledger)
    assert str(caught.value) == (
        f"data/ledger.csv is damaged or was edited: it {words}; undo: trailers12k verify --repair"
    )


def test_a_product_that_may_not_be_read_is_not_called_damaged(ledger, monkeypatch):
    def refuse(path, remembers=True):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    # root may read all files
    monkeypatch.setattr(product_records, "content_of", refuse)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UserError) as caught:
        check(ledger)
    words = "data/ledger.csv cannot be read (Permission denied); change its permissions"
    assert str(caught.value) == words


def test_a_table_edited_by_hand_says_where_the_edit_belongs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_csv("data/mtgc.csv", ["mid"], [{"mid": "a"}])
    record("data/mtgc.csv")
    write_csv("data/mtgc.csv", ["mid"], [{"mid": "b"}])
    with pytest.raises(UserError, match=r"data/mtgc\.csv .* name it in splits\.extend$"):
        check("data/mtgc.csv")


def test_earlier_contents_are_accepted_up_to_a_number(ledger):
    versions = [f"mid\n{number}\n" for number in range(product_records.MOST + 1)]
    for text in versions:
        ledger.write_text(text)
        record(ledger)
    for number, text in enumerate(versions):
        ledger.write_text(text)
        assert bool(fault_of(ledger)) == (number == 0)
    ledger.write_text(versions[1])
    record(ledger)
    assert product_records.contents_of(ledger)[0].lines == 2
    assert len(product_records.contents_of(ledger)) == product_records.MOST
    place = product_records.record_of(ledger)
    assert place.stat().st_size < product_records.MOST_BYTES
    kept = json.loads(product_records.latest_only(place))
    assert len(kept["contents"]) == 1 and kept["contents"][0]["lines"] == 2


def test_what_is_missing_or_outside_or_a_folder_has_no_record(ledger, tmp_path):
    (tmp_path.parent / "victim").write_text("a")
    Path("data/store.zarr").mkdir()
    for path in ("../victim", "/etc/hostname", "data/store.zarr", "data/none.csv", "", "."):
        record(path)
        assert not fault_of(path)
    assert list(recorded()) == [LEDGER]
    ledger.unlink()
    assert not fault_of(ledger)


@pytest.mark.parametrize(
    "text",
    [
        *("", "[]", "null", "{", "\x00", '{"contents": 1}', '{"contents": [1]}', "[" * 10**5),
        '{"contents": [{"sha256": 1, "lines": 1}]}',
        '{"contents": [{"sha256": "ab", "lines": 1}]}',
        '{"contents": [{"sha256": "' + "a" * 64 + '", "lines": "1"}]}',
        " " * (product_records.MOST_BYTES + 1),
    ],
)
def test_an_unreadable_record_counts_as_none(ledger, text):
    place = product_records.record_of(ledger)
    place.write_text(text)
    ledger.write_text("other\n")
    assert not fault_of(ledger)
    record(ledger)
    assert len(product_records.contents_of(ledger)) == 1
    place.unlink()
    place.mkdir()
    assert not fault_of(ledger)


def test_comparing_writes_nothing_and_a_copied_folder_keeps_its_records(ledger):
    large = Path("data/large.bin")
    large.write_bytes(bytes(SMALL + 1))
    record(large)
    shutil.copytree(".", "../copy")
    os.chdir("../copy")
    before = sorted((path, path.stat().st_mtime_ns) for path in Path().rglob("*"))
    assert not fault_of(large) and not fault_of(ledger)
    large.write_bytes(bytes(SMALL) + b"1")
    assert fault_of(large) == "is not as its job wrote it"
    assert sorted(path for path, _ in before) == sorted(Path().rglob("*"))


def test_a_record_that_cannot_be_written_is_removed(ledger, monkeypatch, caplog):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(product_records, "write_json", full)
    ledger.write_text("other\n")
    record(ledger)
    assert "is not recorded" in caplog.text
    assert not fault_of(ledger) and not list(recorded())


def test_a_folder_of_records_that_may_not_be_written_is_named(ledger, monkeypatch):
    def refuse(path, *arguments, **named):
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(product_records, "write_json", refuse)
    monkeypatch.setattr(Path, "unlink", refuse)
    ledger.write_text("other\n")
    with pytest.raises(UserError) as caught:
        record(ledger)
    assert str(caught.value) == (
        "build/records/data/ledger.csv.json: Permission denied in the folder build/records/data; "
        "see to it, then run again"
    )


def test_records_behind_a_link_are_neither_read_nor_written(ledger):
    Path("build/records").rename("elsewhere")
    Path("build/records").symlink_to(Path("elsewhere").absolute())
    kept = Path("elsewhere/data/ledger.csv.json").read_bytes()
    ledger.write_text("other\n")
    record(ledger)
    assert not fault_of(ledger)
    assert Path("elsewhere/data/ledger.csv.json").read_bytes() == kept
