"""Small files of our own: whatever is in their place, no reader waits for it or fills memory."""

import os
from pathlib import Path

import pytest

from trailers12k.common import bounded_files, content_hashes, product_records
from trailers12k.common.errors import UserError
from trailers12k.jobs import result_cache
from trailers12k.jobs.outcome import read_outcome
from trailers12k.workflow import folder, measured, run_lock


def pipe(path: Path) -> None:
    os.mkfifo(path)


def sparse(path: Path) -> None:
    path.touch()
    os.truncate(path, 200 << 30)


@pytest.fixture(params=[pipe, sparse, Path.mkdir], ids=["pipe", "sparse", "folder"])
def put(request, tmp_path, monkeypatch):
    """Puts something that is no small file in the place of one."""
    monkeypatch.chdir(tmp_path)

    def put(path):
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        request.param(path)

    return put


def test_what_is_no_small_file_raises(put):
    put("a.json")
    with pytest.raises(OSError, match=r"a\.json"):
        bounded_files.read_small("a.json")


def test_records_of_products_and_hashes_count_as_none(put):
    Path("data").mkdir()
    Path("data/a.csv").write_text("mid\n")
    product_records.record("data/a.csv")
    Path("data/a.csv").write_text("edited\n")
    assert product_records.fault_of("data/a.csv")
    put(product_records.record_of("data/a.csv"))
    assert product_records.fault_of("data/a.csv") == ""
    large = Path("large")
    large.write_bytes(bytes(content_hashes.SMALL))
    digest = content_hashes.content_of(large)
    put(content_hashes.record_of("large"))
    assert content_hashes.content_of(large, remembers=False) == digest


def test_a_product_of_another_size_is_not_read(put):
    Path("data").mkdir()
    Path("data/a.csv").write_text("mid\n")
    product_records.record("data/a.csv")
    put("data/a.csv")
    assert product_records.fault_of("data/a.csv")


def test_state_of_the_folder_is_named_or_counts_as_none(put):
    put(folder.COLLECTION)
    with pytest.raises(UserError, match="build/collection.json cannot be read"):
        folder.collection()
    put(folder.RESTORED)
    assert folder.restored() == []
    put(measured.OWN)
    with pytest.raises(UserError, match="estimate.json cannot be read"):
        measured.own()
    put(run_lock.HOLDER)
    assert run_lock.at_work() == ""
    put("logs/a.json")
    assert read_outcome("logs/a.log") is None


def test_a_file_of_the_cache_counts_as_damaged(put):
    Path("a.csv").write_text("mid\n")
    digest = result_cache._keep_file("a.csv")
    put(result_cache.FILES / digest)
    with pytest.raises(ValueError, match="no file of the cache"):
        result_cache._read_file(digest)


def test_a_state_that_is_no_file_is_not_waited_for(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder.STATE.parent.mkdir()
    pipe(folder.STATE)
    assert not folder.is_current()
