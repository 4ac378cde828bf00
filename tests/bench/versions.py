"""What versions cost with 12,000 movies, for each store: `make bench`.

One store of made-up arrays of 24 kB, a fifteenth of real ones; what a GB more costs is measured
with one large file. CPU seconds of the whole process, its children too. Needs 6 GB of disk.
"""

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

import figures
import numpy as np
import yaml

from trailers12k.common.files import write_csv, write_json
from trailers12k.common.movie import shard_of
from trailers12k.features import store as stores
from trailers12k.jobs import ledger
from trailers12k.versions import run_state
from trailers12k.versions.intermediates import restore_intermediates
from trailers12k.versions.repository import init_repository
from trailers12k.workflow.folder import STATE

MOVIES, SHARDS, SHAPE = 12_000, 128, (96, 64)
STORES = [f"trailers_{number}" for number in range(1)]
STAGES = [*STORES, *map(str, range(9))]
"""As many as the whole workflow has."""
ZARRAY = {
    "shape": SHAPE,
    "chunks": SHAPE,
    "dtype": "<f4",
    "compressor": None,
    "fill_value": 0.0,
    "order": "C",
    "filters": None,
    "dimension_separator": ".",
    "zarr_format": 2,
}
measured: dict[str, float | int | str] = {"movies": MOVIES}
DVC = [sys.executable, "-m", "dvc"]


def cpu() -> float:
    """CPU seconds of this process and its finished children."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@contextmanager
def timed(key: str, what: str) -> Iterator[None]:
    """Print and keep the CPU and wall seconds of what is done, and the MB it adds to the cache."""
    began, wall, size = cpu(), time.perf_counter(), cached()
    yield
    seconds, added = cpu() - began, (cached() - size) / 1e6
    measured[f"{key}_cpu"] = seconds
    if added:
        measured[f"{key}_mb"] = added
    print(
        f"{what}: {seconds:.1f} CPU s, {time.perf_counter() - wall:.0f} s"
        + (f", {added:.1f} MB more in the cache" if added else ""),
        flush=True,
    )


def cached() -> int:
    return sum(path.stat().st_size for path in Path(".dvc/cache").rglob("*") if path.is_file())


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def write(store: str, mid: str, version: str) -> None:
    """An array and the record of it."""
    shard = shard_of(mid, SHARDS)
    folder = Path(f"build/features/{store}/{shard}.zarr/{mid}")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    write_json(folder / ".zarray", ZARRAY)
    write_json(folder / ".zattrs", {"fingerprint": f"{version}-{mid}"})
    (folder / "0.0").write_bytes(np.random.default_rng().bytes(4 * SHAPE[0] * SHAPE[1]))


def merge(store: str, mids: list[str], marks: dict[str, str]) -> None:
    """Shards' ledgers, the store of data/, and its manifest."""
    parts = []
    shards: dict[str, list[str]] = {}
    for mid in mids:
        shards.setdefault(shard_of(mid, SHARDS), []).append(mid)
    for shard, of_shard in shards.items():
        group = Path(f"build/features/{store}/{shard}.zarr")
        stores.create(group, {"num_features": SHAPE[1]})
        rows = [{"mid": mid, "status": "ok", "fingerprint": marks[mid]} for mid in of_shard]
        ledger.write_shard(f"build/ledger/{store}/{shard}.csv", rows, ("clips", "fingerprint"))
        parts += [(group, mid, marks[mid]) for mid in of_shard]
    rows = stores.merge(parts, Path(f"data/{store}.zarr"), {"num_features": SHAPE[1]})
    write_csv(f"data/{store}.csv", ["mid", "clips", "fingerprint"], rows)


def record(mid: str) -> None:
    """The records that all stages keep of a movie."""
    row = {"mid": mid, "status": "ok", "attempts": 1, "sha256": "0" * 64, "tool": "a tool 1.0"}
    for stage in STAGES:
        folder = Path("build/ledger") / stage / shard_of(mid, SHARDS)
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / f"{mid}.json", {"fingerprint": "0" * 16, "time": 1.7e9, "row": row})


def snapshot(name: str) -> None:
    run_state.write()
    run(*DVC, "commit", "--force", "--quiet")
    run("git", "add", "dvc.yaml", "dvc.lock")
    run("git", "commit", "--quiet", "--message", name)
    run("git", "tag", name)


def restore(name: str) -> None:
    run("git", "checkout", "--quiet", name, "--", "dvc.lock")
    run(*DVC, "checkout", "--quiet")
    restore_intermediates(force=True)


def main() -> None:
    mids = [f"tt{number:07}" for number in range(MOVIES)]
    more = "tt9999999"
    marks = {mid: f"a-{mid}" for mid in [*mids, more]}
    with tempfile.TemporaryDirectory() as name, chdir(name):
        init_repository(".")
        for key, value in (("name", "bench"), ("email", "bench@example.org")):
            run("git", "config", f"user.{key}", value)
        outs = [f"data/{store}{end}" for store in STORES for end in (".csv", ".zarr")]
        outs = [{path: {"persist": True}} for path in [*outs, STATE.as_posix()]]
        stages = {"all": {"cmd": "true", "outs": outs}}
        Path("dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
        run_state.MEMORY.mkdir(parents=True)
        for number in range(1_336):
            path = urlsafe_b64encode(f"build/none/{number}.csv".encode()).decode()
            (run_state.MEMORY / path).write_text("x" * 3_000)
        for mid in mids:
            record(mid)
        for store in STORES:
            for mid in mids:
                write(store, mid, "a")
            merge(store, mids, marks)
        Path(".dvc/cache").mkdir(exist_ok=True)
        total = sum(p.stat().st_size for p in Path("data").rglob("*") if p.is_file()) / 1e9
        print(f"{MOVIES} movies, a store of {total:.2f} GB", flush=True)
        measured["store_gb"] = total

        with timed("first_snapshot", "first snapshot"):
            snapshot("v1")
        print(f"  of which the state is {STATE.stat().st_size / 1e6:.1f} MB")
        measured["state_mb"] = STATE.stat().st_size / 1e6
        with timed("status", "dvc status, nothing changed"):
            run(*DVC, "status", "--quiet")
        record(more)
        for store in STORES:
            write(store, more, "a")
            merge(store, [*mids, more], marks)
        with timed("one_movie", "snapshot with one movie more"):
            snapshot("v2")
        with timed("restore", "restore of the version before"):
            restore("v1")
        other = marks | {mid: f"b-{mid}" for mid in mids}
        for mid in mids:
            write(STORES[0], mid, "b")
        merge(STORES[0], mids, other)
        with timed("new_store", "snapshot with the store made anew"):
            snapshot("v3")
        with timed("restore_store", "restore of the version before"):
            restore("v1")
        with Path("large").open("wb") as file:
            for _ in range(20):
                file.write(os.urandom(100_000_000))
        with timed("two_gb", "one file of 2 GB more"):
            run(*DVC, "add", "--quiet", "large")
    figures.write("versions", measured)


if __name__ == "__main__":
    main()
