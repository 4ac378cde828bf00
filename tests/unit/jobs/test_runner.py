import hashlib
import json
import time

import pytest

from trailers12k.common.errors import Cancelled, Failure, Stop, UserError
from trailers12k.jobs.runner import StopSignal, Task, process, read_record, source_file

MIDS = ["tt0000001", "tt0000002", "tt0000003"]


def tasks(**changed):
    return [Task(mid, changed.get(mid, "same")) for mid in MIDS]


def test_a_failure_is_a_row_and_the_other_movies_are_done(tmp_path):
    def work(mid):
        if mid == "tt0000002":
            raise Failure("truncated", "it ends\nhere")
        return {"bytes": 7}

    rows = process(tasks(), tmp_path, work)
    assert [row["status"] for row in rows] == ["ok", "failed", "ok"]
    assert rows[1] == {
        "mid": "tt0000002",
        "status": "failed",
        "attempts": 1,
        "reason": "truncated",
        "detail": "it ends here",
    }
    assert rows[0]["bytes"] == 7


def test_only_changed_tasks_are_repeated(tmp_path, caplog):
    done = []
    process(tasks(), tmp_path, lambda mid: done.append(mid) or {})
    done.clear()
    caplog.set_level("INFO")
    rows = process(tasks(tt0000003="other"), tmp_path, lambda mid: done.append(mid) or {})
    assert done == ["tt0000003"]
    assert "1 computed, 2 kept" in caplog.text
    assert rows[2]["attempts"] == 1, "attempts of a changed task start at one"


def test_what_another_job_of_the_shard_has_done_meanwhile_is_taken_over(tmp_path):
    done = []

    def work(mid):
        done.append(mid)
        if mid == "tt0000001" and len(done) == 1:
            process(tasks(), tmp_path, work)  # the other job
        return {"bytes": 7}

    rows = process(tasks(), tmp_path, work)
    assert done == ["tt0000001", *MIDS], "only what both had begun is done twice"
    assert rows == [{"mid": mid, "status": "ok", "attempts": 1, "bytes": 7} for mid in MIDS]


def test_a_task_with_a_missing_product_is_repeated(tmp_path):
    product = tmp_path / "product"
    product.touch()
    task = [Task("tt0000001", "same", products=(product,))]
    done = []
    process(task, tmp_path / "records", lambda mid: done.append(mid) or {})
    process(task, tmp_path / "records", lambda mid: done.append(mid) or {})
    product.unlink()
    process(task, tmp_path / "records", lambda mid: done.append(mid) or {})
    assert len(done) == 2


def test_each_of_several_products_is_checked(tmp_path):
    products = tmp_path / "a.csv", tmp_path / "b.jpg"
    task, done = [Task("tt0000001", "same", products)], []

    def work(mid):
        for product in products:
            product.touch()
        done.append(mid)
        return {}

    process(task, tmp_path / "records", work)
    process(task, tmp_path / "records", work)
    assert len(done) == 1
    for product in products:
        product.unlink()
        process(task, tmp_path / "records", work)
    assert len(done) == 3


def test_a_task_with_a_missing_file_of_its_row_is_repeated(tmp_path):
    file = tmp_path / "file"
    made = []

    def work(mid):
        file.touch()
        made.append(mid)
        return {"file": str(file)}

    task = [Task("tt0000001", "same")]
    process(task, tmp_path / "records", work)
    process(task, tmp_path / "records", work)
    file.unlink()
    process(task, tmp_path / "records", work)
    assert len(made) == 2


def test_a_failure_stays_unless_the_retry_rule_repeats_it(tmp_path):
    def fail(mid):
        raise Failure("network" if mid == "tt0000001" else "removed", "gone")

    process(tasks(), tmp_path, fail)
    again = []

    def work(mid):
        again.append(mid)
        return {}

    rows = process(tasks(), tmp_path, work)
    assert again == [] and rows[0]["reason"] == "network"
    rows = process(tasks(), tmp_path, work, retry=lambda row, tried: row["reason"] == "network")
    assert again == ["tt0000001"]
    assert [row["status"] for row in rows] == ["ok", "failed", "failed"]
    assert rows[0]["attempts"] == 2


def test_a_removed_source_file_is_an_error_of_the_user(tmp_path):
    (tmp_path / "a.mp4").touch()
    with source_file({"file": str(tmp_path / "a.mp4")}, "download_trailers") as file:
        assert file.name == "a.mp4"
    with (
        pytest.raises(UserError, match="b.mp4 was removed; .* --forcerun download_trailers"),
        source_file({"file": str(tmp_path / "b.mp4")}, "download_trailers"),
    ):
        pass


def read_damaged(row):
    """Work on a file that cannot be decoded."""
    with source_file(row, "download_trailers"):
        raise Failure("decode_failed", "no frame")


def test_a_damaged_source_file_is_no_failure_of_its_movie(tmp_path):
    path, whole = tmp_path / "a.mp4", b"a video"
    path.write_bytes(whole)
    row = {"file": str(path), "bytes": "7", "sha256": hashlib.sha256(whole).hexdigest()}
    with pytest.raises(Failure):
        read_damaged(row)
    path.write_bytes(b"a v")
    words = r"a.mp4 is damaged or was edited \({}\); run: trailers12k verify --repair$"
    with pytest.raises(UserError, match=words.format("3 of 7 bytes")):
        read_damaged(row)
    path.write_bytes(b"no film")
    with pytest.raises(UserError, match=words.format("another sha256")):
        process(tasks(), tmp_path / "records", lambda mid: read_damaged(row))
    assert not any(read_record(tmp_path / "records", mid) for mid in MIDS)
    with pytest.raises(Failure):
        read_damaged(row | {"bytes": ""})  # a file of the user


def test_finished_movies_survive_an_unexpected_exception(tmp_path):
    def work(mid):
        if mid == "tt0000002":
            raise ZeroDivisionError
        return {}

    with pytest.raises(ZeroDivisionError):
        process(tasks(), tmp_path, work)
    done = []
    process(tasks(), tmp_path, lambda mid: done.append(mid) or {})
    assert "tt0000001" not in done and "tt0000002" in done


def test_skipped_movies_and_movies_that_return_keep_their_records(tmp_path):
    process(tasks(), tmp_path, lambda mid: {})
    rows = process([Task("tt0000001", skip="no_trailer")], tmp_path, lambda mid: {})
    assert rows == [{"mid": "tt0000001", "status": "skipped", "reason": "no_trailer"}]
    again = []
    process(tasks(), tmp_path, lambda mid: again.append(mid) or {})
    assert again == []


def test_several_workers_give_the_same_rows(tmp_path):
    many = [Task(f"tt{i:07d}", "same") for i in range(50)]
    assert process(many, tmp_path / "a", lambda mid: {"bytes": mid}) == process(
        many, tmp_path / "b", lambda mid: {"bytes": mid}, workers=8
    )


def test_a_stop_ends_the_job_and_marks_movies_that_were_not_begun(tmp_path):
    def work(mid):
        if mid == "tt0000002":
            raise Stop("rate_limited", "429")
        return {}

    rows = process(tasks(), tmp_path, work)
    assert [row["status"] for row in rows] == ["ok", "failed", "skipped"]
    assert rows[1]["reason"] == "rate_limited"
    assert rows[2]["reason"] == "stopped" and rows[2]["detail"] == "rate_limited: 429"
    rows = process(tasks(), tmp_path, lambda mid: {})
    assert rows[2]["status"] == "ok" and rows[2]["attempts"] == 1


def test_an_attempt_that_failed_for_the_disk_is_not_counted(tmp_path):
    """With space again, the ledger is that of a run that had it all the time."""

    def attempts(reason):
        def fail(mid):
            raise Failure(reason, "no")

        work = fail if reason else lambda mid: {}
        rows = process(tasks(), tmp_path, work, retry=lambda row, tried: True)
        return rows[0]["attempts"]

    reasons = ["local_io", "local_io", "network", "local_io", ""]
    assert [attempts(reason) for reason in reasons] == [1, 1, 1, 2, 2]


def test_a_cancelled_movie_keeps_its_earlier_record(tmp_path):
    def fail(mid):
        raise Failure("network", "lost")

    process(tasks(), tmp_path, fail)
    stop = StopSignal()

    def work(mid):
        stop.set("stopped from outside")
        raise Cancelled

    rows = process(tasks(), tmp_path, work, retry=lambda row, tried: True, stop=stop)
    assert [row["reason"] for row in rows] == ["network"] * 3
    rows = process(tasks(), tmp_path, fail, retry=lambda row, tried: True)
    assert [row["attempts"] for row in rows] == [2, 2, 2]


def test_a_failure_is_repeated_when_its_other_addresses_change(tmp_path):
    def fail(mid):
        raise Failure("private", "")

    process([Task("tt0000001", "same")], tmp_path, fail)
    done = []
    task = Task("tt0000001", "same", others=("b",))
    process([task], tmp_path, lambda mid: done.append(mid) or {})
    process([task], tmp_path, lambda mid: done.append(mid) or {})
    assert done == ["tt0000001"]


def test_a_hostile_mid_cannot_name_a_record_outside_of_the_folder(tmp_path):
    victim = tmp_path / "victim.json"
    victim.write_text("{}")
    with pytest.raises(UserError, match="is not the name of a file"):
        process([Task("../victim", "f")], tmp_path / "records", lambda mid: {})
    assert victim.read_text() == "{}"


def test_the_record_is_removed_before_the_work_begins(tmp_path):
    """Work that is killed may have replaced the product, which must not match the old record."""
    product = tmp_path / "product"

    def work(mid):
        assert read_record(tmp_path / "records", mid) is None
        product.write_text("new")
        raise KeyboardInterrupt

    product.write_text("old")
    old = [Task("tt0000001", "old", (product,))]
    process(old, tmp_path / "records", lambda mid: {})
    with pytest.raises(KeyboardInterrupt):
        process([Task("tt0000001", "new", (product,))], tmp_path / "records", work)
    done = []
    process(old, tmp_path / "records", lambda mid: done.append(mid) or {})
    assert done == ["tt0000001"]


def test_a_record_has_the_row_the_task_and_the_time(tmp_path):
    before = time.time()
    task = Task("tt0000001", "f", others=("b", "c"))
    (row,) = process([task], tmp_path, lambda mid: {"bytes": 7}, tool="yt-dlp 2026")
    assert row == {
        **{"mid": "tt0000001", "status": "ok", "attempts": 1, "bytes": 7, "tool": "yt-dlp 2026"}
    }
    record = read_record(tmp_path, "tt0000001")
    assert (record.row, record.fingerprint, record.others) == (row, "f", ("b", "c"))
    assert before <= record.time <= time.time()
    process([Task("tt0000001", "g")], tmp_path, lambda mid: {"tool": "other"}, tool="yt-dlp 2026")
    assert read_record(tmp_path, "tt0000001").row["tool"] == "other"


@pytest.mark.parametrize("edited", ["record", "table", "neither", "no hashes"])
def test_an_edited_record_or_table_counts_as_none(tmp_path, edited):
    table, record = tmp_path / "table.csv", tmp_path / "tt0000001.json"
    task = Task("tt0000001", "f", (table,), hashed=(table,))
    done = []

    def work(mid):
        done.append(mid)
        table.write_text("start\n1.5\n")
        return {"shots": 17}

    process([task], tmp_path, work)
    content = json.loads(record.read_text())
    if edited == "record":
        record.write_text(record.read_text().replace("17", "18"))
    elif edited == "table":
        table.write_text("start\n2.5\n")
    elif edited == "no hashes":  # as an earlier version of the program wrote it
        del content["sha256"], content["hashes"]
        record.write_text(json.dumps(content))
    (row,) = process([task], tmp_path, work)
    assert row["shots"] == 17 and table.read_text() == "start\n1.5\n"
    assert len(done) == (2 if edited in ("record", "table") else 1)


def test_the_retry_rule_gets_the_row_and_the_time_of_the_last_attempt(tmp_path):
    def fail(mid):
        raise Failure("network", "lost")

    process(tasks(), tmp_path, fail)
    seen = []
    process(tasks(), tmp_path, fail, retry=lambda row, tried: seen.append((row, tried)))
    assert [row["mid"] for row, _ in seen] == MIDS
    assert [tried for _, tried in seen] == [read_record(tmp_path, mid).time for mid in MIDS]


def test_counts_are_logged(tmp_path, caplog):
    def work(mid):
        if mid == "tt0000002":
            raise Failure("private", "")
        return {}

    process(tasks()[:1], tmp_path, work)
    caplog.set_level("INFO")
    process([*tasks(), Task("tt0000004", skip="no_trailer")], tmp_path, work)
    assert "1 computed, 1 kept, 1 failed, 1 skipped" in caplog.text


def test_a_stop_from_outside_keeps_the_row_of_an_earlier_failure(tmp_path):
    def fail(mid):
        raise Failure("network", "lost")

    process(tasks()[:1], tmp_path, fail)
    stop = StopSignal()
    stop.set("the disk is full")
    rows = process(tasks(), tmp_path, fail, retry=lambda row, tried: True, stop=stop)
    assert [row["status"] for row in rows] == ["failed", "skipped", "skipped"]
    assert rows[0]["detail"] == "lost" and rows[0]["attempts"] == 1
    assert rows[1] == {
        **{"mid": "tt0000002", "status": "skipped", "reason": "stopped"},
        "detail": "the disk is full",
    }


def test_what_a_movie_is_skips_it_and_is_not_looked_at_again(tmp_path):
    calls = []

    def work(mid):
        calls.append(mid)
        raise Failure("no_sound", "damaged: all of it")

    rows = [process([Task("tt0000001", "f")], tmp_path, work)[0] for _ in range(2)]
    assert rows[0] == rows[1] and calls == ["tt0000001"]
    assert (rows[0]["status"], rows[0]["reason"]) == ("skipped", "no_sound")
