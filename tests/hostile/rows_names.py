"""Names in files that lead out of the folder that they are joined to, and links that do."""

import json
import os
import tarfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from tests.hostile.inputs import HostileInput
from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, write_csv
from trailers12k.downloads import published
from trailers12k.features import integrity, published_store, store, store_index
from trailers12k.jobs import runner, unused_results
from trailers12k.review import page
from trailers12k.versions import restoration, run_state
from trailers12k.video.clip_detection import ClipSettings
from trailers12k.video.clip_shard import ClipStage, ShardPaths
from trailers12k.video.trailer_stages import process_trailers

STORE, MID, OUT = Path("data/s.zarr"), "tt0000001", "../../../../victim"
ATTRIBUTES = {"num_features": 2, "determined_by": {}}
BOUND = "a name without separators, control characters and .., of at most 200 bytes"
LINKS = "no symbolic link that leaves its folder"


def _collection(folder: Path) -> Path:
    """A store of one movie in data/ and in its shard; and a file that must stay, outside."""
    run = folder / "a" / "b" / "run"
    run.mkdir(parents=True)
    for path in (folder / "victim", run.parent / "victim"):
        path.mkdir()
        (path / ".zarray").write_text("{}")
    for group in (run / STORE, run / "build/features/s/000.zarr"):
        store.create(group, ATTRIBUTES)
        store.write(group, MID, np.ones((1, 2), np.float32), {"fingerprint": "f"})
    _manifest(run, MID)
    return run


def _manifest(run: Path, *mids: str) -> None:
    rows = [{"mid": mid, "clips": 1, "fingerprint": "f"} for mid in mids]
    write_csv(run / "data/s.csv", ["mid", "clips", "fingerprint"], rows)


def _made(prepare: Callable[[Path], object]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        run = _collection(folder)
        prepare(run)
        return run

    return make


def _kept(use: Callable[[], object]) -> Callable[[Path], None]:
    """Call `use` in the folder of the run; nothing may be removed but in folders of temporary
    files."""

    def call(run: Path) -> None:
        os.chdir(run)
        before = _files(run.parents[2])
        try:
            use()
        finally:
            assert before <= _files(run.parents[2])

    return call


def _files(folder: Path) -> set[str]:
    return {os.path.join(top, name) for top, _, names in os.walk(folder) for name in names}


def _plan() -> None:
    """What a dry run does: it counts the repairs, and raises what the manifest's reader raises."""
    store_index.repairs("s")
    try:
        store_index.read_manifest(Path("data/s.csv"))
    except ValueError as error:
        raise UserError(str(error)) from error


def _nothing(run: Path) -> None:
    """The hostile name is in what is called."""


def _manifest_with(name: str) -> Callable[[Path], None]:
    return lambda run: _manifest(run, MID, name)


def _verify() -> None:
    faults = integrity.verify(STORE, Path("data/s.csv"))
    integrity.repair(STORE, faults)
    if faults:  # printed
        raise UserError(str(faults[0]))


def _merge(mid: str) -> None:
    shard = Path("build/features/s/000.zarr")
    store.merge([(shard, MID, "f"), (shard, mid, "f")], STORE, ATTRIBUTES)


def _detect(mid: str) -> None:
    row = {"mid": mid, "status": "failed"}
    paths = ShardPaths(Path("build/records"), Path("build/clips/000.csv"), Path("build/sheets"))
    process_trailers([ClipStage([row], ClipSettings(), "", paths)])


def _state(run: Path, name: str) -> None:
    (run / "build/leads_out").symlink_to("../../victim")
    with tarfile.open(run / "build/state.tar.gz", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo(name))


def _cache_entry(run: Path) -> None:
    """An old result that names files outside as its own."""
    (run / "build/leads_out").symlink_to("../../victim")
    entry = run / "build/cache/results/rule/job/0.json"
    entry.parent.mkdir(parents=True)
    names = ["build/../../victim/.zarray", "build/leads_out/.zarray", "/victim", "build/a\nb"]
    made = dict.fromkeys(names, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
    entry.write_text(json.dumps({"made": made, "made_on_demand": names, "outputs": {}}))


def _clean() -> None:
    found = unused_results.unused_results(lambda job: False, now=time.time() + 1e8)
    paths = [str(each.path) for each in found]
    assert paths == ["build/cache/results/rule/job/0.json"], paths


def _linked_store(run: Path) -> None:
    """data/s.zarr leads to a store of somebody else."""
    (run / STORE).rename(run.parent / "theirs.zarr")
    (run / STORE).symlink_to(run.parent / "theirs.zarr")


def _linked_array(run: Path) -> None:
    (run / STORE / MID).rename(run.parent / MID)
    (run / STORE / MID).symlink_to(run.parent / MID)


def _archive(run: Path) -> None:
    with tarfile.open(run / "store.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(f"s.zarr/{OUT}"))


def _row(
    kind: str, name: str, prepare: Callable[[Path], object], use: Callable[[], object], answer: str
) -> HostileInput:
    bound = LINKS if "link" in name else BOUND
    return HostileInput(kind, name, _made(prepare), _kept(use), answer, bound)


HOSTILE = {
    OUT: "../../../../victim",
    "..": "..",
    "/victim": "an absolute path",
    f"{MID}\n": "a mid that ends in a line feed",
}
NOT_A_MID = ".*is not a movie id"
NOT_A_NAME = ".*is not the name of a file in this folder"

ROWS = [
    *(
        _row(f"manifest of a store, {when}", words, _manifest_with(name), use, NOT_A_MID)
        for name, words in HOSTILE.items()
        for when, use in {"a dry run": _plan, "verify --repair": _verify}.items()
    ),
    *(
        _row("ledger of a store's shard", words, _nothing, partial(_merge, name), NOT_A_MID)
        for name, words in HOSTILE.items()
    ),
    *(
        _row("ledger of trailers", words, _nothing, partial(_detect, name), NOT_A_NAME)
        for name, words in HOSTILE.items()
        if name != ".."  # `...json` is a name
    ),
    _row(
        *("record of a movie", "a name of 300 bytes", _nothing),
        lambda: runner.read_record(Path("build"), "t" * 300),
        NOT_A_NAME,
    ),
    _row(
        *("pictures of the review", OUT, _nothing),
        lambda: page._copy_pictures(Path("pictures"), Path("data"), [OUT], page._link),
        "",
    ),
    *(
        _row("state of a version", words, partial(_state, name=name), run_state.check_state, answer)
        for words, name, answer in (
            (OUT, f"build/{OUT}", ".*belongs to no state"),
            ("an absolute path", "/victim", ".*belongs to no state"),
            ("a symbolic link in build/", "build/leads_out/x.csv", ".*belongs to no state"),
        )
    ),
    *(
        _row(
            *("dvc.yaml of a version", name, _nothing),
            partial(restoration._remove_products, ["data/s.csv", name]),
            ".*(is no product; do not trust this version|is not the name of a file)",
        )
        for name in ("../../victim", f"data/{OUT}", "/victim", "config.yaml")
    ),
    _row("entry of build/cache/", "files outside, and links", _cache_entry, _clean, ""),
    _row(
        *("data/", "a store that is a symbolic link to another folder", _linked_store),
        partial(_merge, MID),
        ".*is a symbolic link that leaves its folder",
    ),
    _row(
        *("data/", "an array that is a symbolic link to another folder", _linked_array),
        _verify,
        ".*is a symbolic link that leaves its folder",
    ),
    _row(
        *("archive of a store", OUT, _archive),
        lambda: published_store.unpack(Path("store.tar"), STORE),
        ".*is not the name of a file in this folder",
    ),
    _row(
        *("address of an archive", "a name that is `..`", _nothing),
        lambda: published.fetch_archive("http://127.0.0.1:9/..", None, Path("build"), True),
        NOT_A_NAME,
    ),
    _row(
        *("any name", "control characters", _nothing),
        lambda: inside("build", "a\x1b[2Jb"),
        NOT_A_NAME,
    ),
]
