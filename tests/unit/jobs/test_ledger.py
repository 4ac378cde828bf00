"""The ledger of all stages, and its counts."""

import pytest

from trailers12k.common.files import read_csv
from trailers12k.jobs import ledger

OK = {"mid": "tt0000002", "status": "ok", "attempts": 2, "bytes": 7, "tool": "yt-dlp 2026"}
LOST = {"mid": "tt0000001", "status": "failed", "reason": "private", "detail": "HTTP 403"}


def test_a_shard_has_the_columns_of_all_ledgers_and_then_its_own(tmp_path):
    ledger.write_shard(tmp_path / "a.csv", [OK | {"height": 360}], ["height"])
    assert (tmp_path / "a.csv").read_text().splitlines() == [
        "mid,status,reason,detail,attempts,bytes,sha256,tool,height",
        "tt0000002,ok,,,2,7,,yt-dlp 2026,360",
    ]
    assert ledger.read_shard(tmp_path / "a.csv")[0]["height"] == "360"


def test_the_ledger_of_all_stages_is_by_stage_and_mid(tmp_path):
    ledger.write_shard(tmp_path / "0.csv", [OK, LOST], ["height"])
    ledger.write_shard(tmp_path / "1.csv", [OK | {"mid": "tt0000000"}])
    shards = [(s, tmp_path / n) for s, n in (("b", "0.csv"), ("a", "1.csv"), ("b", "1.csv"))]
    more = {"movies": [{"mid": "tt0000009", "status": "skipped", "reason": "rejected"}]}
    rows = ledger.merge(shards, tmp_path / "ledger.csv", more)
    places = [(row["stage"], row["mid"][-1]) for row in rows]
    assert places == [("movies", "9"), ("b", "0"), ("b", "1"), ("b", "2"), ("a", "0")]
    written = read_csv(tmp_path / "ledger.csv")
    assert [(row["stage"], row["mid"][-1]) for row in written] == places
    assert list(written[0]) == ["mid", "stage", *ledger.COLUMNS[1:]]
    assert written[2]["reason"] == "private" and written[2]["detail"] == "HTTP 403"
    assert written[0]["attempts"] == ""
    assert ledger.merge([], tmp_path / "none.csv") == []


def test_counts_name_each_status_and_the_reasons_by_name():
    skipped = [{"mid": str(n), "status": "skipped", "reason": "no_trailer"} for n in range(3)]
    failed = [LOST, LOST | {"reason": "drm"}, LOST]
    assert ledger.count([OK, *skipped, *failed]) == (
        "1 ok, 3 failed (drm 1, private 2), 3 skipped (no_trailer 3)"
    )
    assert ledger.count([]) == "0 ok"
    assert ledger.count([OK | {"reason": "short"}]) == "1 ok (short 1)"


def test_tools_are_those_of_rows_that_are_ok():
    rows = [OK, OK | {"tool": "av 18"}, OK, LOST | {"tool": "other"}]
    assert ledger.tools(rows) == "av 18, yt-dlp 2026"


def test_failures_are_counted_for_each_stage_and_written(tmp_path):
    rows = [{"stage": "a", "reason": ""} | row for row in (OK, OK, LOST)]
    rows.append({"stage": "a", "mid": "c", "status": "skipped", "reason": "stopped"})
    rows.append({"stage": "b", "mid": "c", "status": "skipped", "reason": "no_trailer"})
    stages = ledger.failures(rows)
    assert stages == [
        ledger.StageFailures("a", tried=3, failed=1, stopped=1, reasons="private 1"),
        ledger.StageFailures("b", tried=0, failed=0, stopped=0, reasons=""),
    ]
    assert [stage.rate for stage in stages] == [pytest.approx(1 / 3), 0]
    ledger.write_failures(tmp_path / "failures.csv", stages)
    assert (tmp_path / "failures.csv").read_text().splitlines() == [
        "stage,tried,failed,rate,stopped,reasons",
        "a,3,1,0.3333,1,private 1",
        "b,0,0,0.0000,0,",
    ]
