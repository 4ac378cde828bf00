"""`trailers12k clean`."""

import os
from pathlib import Path

STORE = "trailers_i_efficientnet_fpc24"
RESULTS = Path("build/cache/results")


def entry(job: str, key: str) -> Path:
    path = RESULTS / job / f"{key}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}")
    os.utime(path, (1, 1))
    return path


def test_it_prints_what_it_removes_and_a_dry_run_removes_nothing(collection, call, snapshot_of):
    kept = [entry(f"pack_store/{STORE}", "1"), entry("merge_clips/all", "1")]
    kept.append(entry("detect_clips/000", "1"))
    gone = entry("pack_store/trailers_gone", "1")
    before = snapshot_of(collection)
    code, out, err = call("clean", "--unused", "--dry-run")
    assert (code, err) == (0, "") and snapshot_of(collection) == before
    assert out.splitlines()[-1] == "1 file would be removed, 2 bytes"
    code, out, err = call("clean", "--unused")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        f"{gone}  2 bytes  a result that was not used for 30 days",
        "1 file removed, 2 bytes",
    ]
    assert not gone.exists() and all(path.exists() for path in kept)
    assert call("clean", "--unused")[1] == "no file removed, 0 bytes\n"


def test_it_asks_what_to_remove(collection, call):
    code, _, err = call("clean")
    assert code == 2 and err == "error: say what to remove: trailers12k clean --unused\n"


def test_it_waits_for_a_run(collection, call):
    gone = entry("pack_store/trailers_gone", "1")
    locks = collection / ".snakemake" / "locks"
    locks.mkdir(parents=True)
    (locks / "0.input.lock").touch()
    code, _, err = call("clean", "--unused")
    assert code == 2 and "Snakemake is running in this folder" in err and gone.exists()
    assert call("clean", "--unused", "--dry-run")[0] == 0
