"""Versions of all products, in DVC: dvc.yaml, snapshots, going back, and what build/ was then.

Reads the configuration and products; writes dvc.yaml, build/state.tar.gz, commits and tags. Must
not know how anything is computed.

    python -m trailers12k.versions snapshot [--version TAG] [--configfile FILE ...]
    python -m trailers12k.versions restore [TAG] [--force]

DVC keeps data/ and results/. Snakemake also wants what it made on the way, and its own memory of
what was made from what; else everything would run again after going back. Both are small without
videos, posters and arrays, and are kept as one file, the state. Arrays of build/features are those
of the stores, and are linked from there.
"""

import argparse
import base64
import gzip
import json
import logging
import os
import shutil
import subprocess
import sys
import tarfile
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

import yaml

from trailers12k import trust
from trailers12k.files import PARTIAL, read_csv, replacing, sha256_of, write_text
from trailers12k.jobs import UserError
from trailers12k.movies import is_mid
from trailers12k.plan import SPLITS, Plan

log = logging.getLogger(__name__)

STATE = Path("build/state.tar.gz")
LAID_OUT = Path("build/state.sha256")
"""Of the state that build/ was laid out from, or that was written from it."""
MEMORY = Path(".snakemake/metadata")
TABLES = (".csv", ".json", ".zgroup", ".zattrs")
NO_STATE = ("weights", "packed", "training", "predictions", "published", "stores", "stopped.json")
"""Of build/: what can be made again without any video, or is of this machine and this day."""
CODE = ["Snakefile", "rules", "scripts", "trailers12k"]
SCORES = ("summary.csv", "summary.md", "metrics.json", "figures/curves.png")
METADATA_KEYS = (
    *("movies", "sample", "sources", "seed", "shards"),
    *("downloads", "trailers", "posters"),
)
FEATURES_KEYS = ("backbones", "weights", "image_frames", "precision", "clips", "seed", "shards")


def stages(plan: Plan, files: Sequence[str]) -> dict[str, dict]:
    """The stages of dvc.yaml, in the order of the flow.

    files: what `--configfile` named; config.yaml comes before them.
    """
    manifests = [f"data/{store}.csv" for store in plan.stores]
    arrays = [f"data/{store}.zarr" for store in plan.stores]
    found: dict[str, dict] = {}

    def add(name: str, targets: str, keys: Iterable[str], deps: list[str], outs: list[str]) -> None:
        found[name] = _stage(plan, files, targets, keys, deps, outs)

    if plan.is_published:
        keys = ("movies", "published", "runs")
        add("features", " ".join(manifests), keys, [], manifests + arrays)
    else:
        choices = plan.config["sources"]["search"]["choices"] if "search" in plan.sources else ""
        tables = [*plan.tables, *filter(os.path.exists, [choices])]
        made = ["data/movies.csv", "data/metadata.json", "build/ledger/trailers"]
        add("metadata", "metadata", METADATA_KEYS, tables, made)
        add("clips", "clips", ("clips", "shards"), made[2:], ["data/clips.csv"])
        made = [*manifests, *arrays, "data/ledger.csv"]
        add("features", "features", FEATURES_KEYS, ["data/movies.csv", "data/clips.csv"], made)
    splits = ["data/mtgc.csv", "results/splits.csv", "results/figures/splits.png"]
    labels = [] if plan.is_published else ["data/movies.csv"]
    own = plan.split_tables("extend") + plan.split_tables("groups")
    add("splits", "splits", ("movies", "splits", "seed"), labels + own, splits)
    keys = ("runs", "training", "evaluation", "seed")
    ledger = [] if plan.is_published else ["data/ledger.csv"]
    made_from = [*manifests, "data/mtgc.csv", *ledger]
    scores = ["results/transfer", "results/curves", *(f"results/{name}" for name in SCORES)]
    trained = [f"results/runs/{run}" for run in plan.runs]
    add("evaluation", "evaluate", keys, made_from, [*trained, *scores])
    # All that is left, and the settings.
    rest = ["results/figures/results.png", "results/config.yaml"]
    rest += [] if plan.is_published else ["results/failures/all.csv"]
    add("report", "all", plan.settings, ["results/summary.csv", *ledger], rest)
    made = [path for stage in found.values() for out in stage["outs"] for path in out]
    found["state"] = {
        "cmd": "python -m trailers12k.versions state",
        # Of a store the manifest tells all. Code: it may make the same products again.
        "deps": [*CODE, *(path for path in made if not path.endswith(".zarr"))],
        "outs": [{STATE.as_posix(): {"persist": True}}],
    }
    return found


def _stage(
    plan: Plan,
    files: Sequence[str],
    targets: str,
    keys: Iterable[str],
    deps: Sequence[str],
    outs: Sequence[str],
) -> dict:
    """A stage that is a target of the workflow."""
    named = f" --configfile {' '.join(files)}" if files else ""
    keys = [key for key in plan.config if key in set(keys)]
    params = [{"config.yaml": keys}]
    for file in files:
        own = [key for key in _read(file) if key in keys]
        params += [{file: own}] if own else []
    return {
        "cmd": f"snakemake {targets}{named}",
        "deps": [*CODE, *deps],
        "params": params,
        # Without `persist` DVC deletes the products first, and all would be computed again.
        "outs": [{path: {"persist": True}} for path in outs],
    }


def plots(plan: Plan) -> list[dict]:
    """The plots that `dvc plots show` draws."""
    runs = list(plan.runs)
    recall = "results/curves/precision_recall.csv"
    shown = {
        "precision and recall": {
            "x": {recall: "recall"},
            "y": {recall: runs},
            "y_label": "precision, %",
        }
    }
    for run in runs:
        curves = [path for path in plan.trained("curves.csv") if f"/{run}/" in path]
        shown[f"learning of {run}"] = {
            "x": "epoch",
            "y": dict.fromkeys(curves, "val_loss"),
            "y_label": "validation loss",
        }

    def bars(table: str, column: str, label: str) -> dict:
        file = f"results/curves/{table}.csv"
        about = {"template": "bar_horizontal", "x_label": label}
        return {"x": {file: column}, "y": {file: "genre"}} | about

    for run in runs:
        shown[f"genres of {run}"] = bars("genres", run, "average precision, %")
    for split in SPLITS:
        for subset in ("validation", "test"):
            name = f"split{split} {subset}"
            shown[f"balance of {name}"] = bars(
                "balance", name, "share of a genre / its share overall"
            )
    return [{title: plot} for title, plot in shown.items()]


def dvc_yaml(plan: Plan, files: Sequence[str] = ()) -> str:
    """The text of dvc.yaml for a configuration."""
    head = (
        "# Written by `make snapshot` from the workflow and the configuration: "
        "trailers12k/versions.py.\n"
    )
    whole = {
        "stages": stages(plan, files),
        "metrics": ["results/metrics.json"],
        "plots": plots(plan),
    }
    return head + yaml.safe_dump(whole, sort_keys=False, width=100, allow_unicode=True)


def products(text: str) -> list[str]:
    """The paths that a dvc.yaml keeps."""
    stages_ = yaml.safe_load(text)["stages"].values()
    return [path for stage in stages_ for out in stage["outs"] for path in out]


def settings_files(text: str) -> list[str]:
    """What a dvc.yaml was made for and Git keeps: config files and the user's tables."""
    own = {STATE.as_posix(), *products(text), *CODE}
    found: dict[str, None] = {}
    for stage in yaml.safe_load(text)["stages"].values():
        found |= {file: None for params in stage.get("params", []) for file in params}
        found |= {path: None for path in stage["deps"] if path not in own}
    return list(found)


def write_state() -> None:
    """Keep what build/ and Snakemake know now as one file. The same state gives the same bytes."""
    with (
        replacing(STATE) as partial,
        partial.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=3, fileobj=raw, mtime=0) as packed,
        tarfile.open(mode="w", fileobj=packed, format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in sorted(_kept()):
            with path.open("rb") as file:
                about = tarfile.TarInfo(path.as_posix())
                about.size = os.fstat(file.fileno()).st_size
                tar.addfile(about, file)
    write_text(LAID_OUT, sha256_of(STATE) + "\n")


def _kept() -> Iterator[Path]:
    """The files of a state."""
    for top in (Path("build"), MEMORY):
        for folder, folders, names in os.walk(top):
            at = Path(folder)
            if at == Path("build"):
                folders[:] = [name for name in folders if name not in NO_STATE]
                names = [name for name in names if name not in NO_STATE]
            if at == Path("build/sources"):
                folders[:] = [name for name in folders if name != "files"]
            # Arrays of stores, and temporary folders beside them.
            folders[:] = [n for n in folders if not is_mid(n) and not n.endswith(PARTIAL)]
            for name in names:
                if top == MEMORY or (name.endswith(TABLES) and at != Path("build")):
                    yield at / name


def is_laid_out() -> bool:
    """Whether build/ is that of the state which is there, if any; or is in use by another run."""
    if not STATE.exists() or any(trust.LOCKS.glob("*")):
        return True
    return LAID_OUT.exists() and LAID_OUT.read_text().strip() == sha256_of(STATE)


def lay_out() -> None:
    """Make build/, and what Snakemake remembers, as they were when the state was written.

    Arrays of features are linked from the stores of data/, and packed stores packed again. What
    belongs to a store that is not here is left out, so that it would be computed. Videos, posters
    and weights that are here stay.
    """
    log.warning("%s is of another version than build/: laying that one out", STATE)
    _check_state()
    LAID_OUT.unlink(missing_ok=True)
    for path in list(_kept()):
        path.unlink()
    with tarfile.open(STATE) as tar:
        tar.extractall(".", filter="data")
    # Without it Snakemake takes its memory for that of an older Snakemake.
    MEMORY.with_name("incomplete").mkdir(exist_ok=True)
    for folder in sorted(Path("build/features").glob("*")):
        _lay_out_features(folder)
    _pack()
    now = time.time()
    for path in _remembered():
        if path.exists():
            os.utime(path, (now, now))
    write_text(LAID_OUT, sha256_of(STATE) + "\n")


def _check_state() -> None:
    """Read the state to its end. Raises `UserError` when it is damaged, or holds what none has."""
    try:
        with tarfile.open(STATE) as tar:
            found = tar.getmembers()
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise UserError(f"{STATE}: {error}; put it back: dvc checkout --force {STATE}") from error
    for member in found:
        path = PurePosixPath(member.name)
        inside = path.is_relative_to("build") or path.is_relative_to(MEMORY.as_posix())
        if not member.isreg() or not inside or ".." in path.parts:
            raise UserError(f"{STATE}: {member.name!r} is no part of a state; do not trust it")


def _lay_out_features(folder: Path) -> None:
    """Link the shards of one store, and trust it: DVC knows its files by their content."""
    # Here, since every start of Snakemake loads this module.
    from trailers12k import stores

    store, manifest = Path("data") / f"{folder.name}.zarr", Path("data") / f"{folder.name}.csv"
    ledgers = Path("build/ledger") / folder.name
    groups = sorted(folder.glob("*.zarr"))
    parts = {
        group: [
            (store, row["mid"], row["fingerprint"])
            for row in read_csv(ledgers / f"{group.stem}.csv")
            if row["status"] == "ok"
        ]
        for group in groups
    }
    listed = read_csv(manifest) if manifest.exists() and (store / ".zgroup").exists() else []
    marks = {row["mid"]: row["fingerprint"] for row in listed}
    if marks != {mid: mark for several in parts.values() for _, mid, mark in several}:
        log.warning("%s of this version is not here: dvc pull %s %s", store, store, manifest)
        for part in (folder, ledgers):
            shutil.rmtree(part, ignore_errors=True)
        return
    for group in groups:
        stores.merge(parts[group], group, stores.attributes(group))
    known = {mid: (mark, trust.signature(store / mid)) for mid, mark in marks.items()}
    trust.write_index(trust.index_of(folder.name), known)


def _pack() -> None:
    """Pack the stores that trainings of this version were given."""
    from trailers12k import dataset

    for path in _remembered():
        if path.parent == Path("build/packed") and path.suffix == ".npy":
            manifest = Path("data") / f"{path.stem}.csv"
            index = path.with_suffix(".csv")
            if manifest.exists() and not (path.exists() and _same(index, manifest)):
                dataset.pack(manifest.with_suffix(".zarr"), manifest, path)


def _same(index: Path, manifest: Path) -> bool:
    """Whether a packed store holds what a manifest says."""
    if not index.exists():
        return False
    marks = [[(row["mid"], row["fingerprint"]) for row in read_csv(p)] for p in (index, manifest)]
    return marks[0] == marks[1]


def _remembered() -> list[Path]:
    """The products that Snakemake remembers."""
    found = []
    for path in sorted(path for path in MEMORY.rglob("*") if path.is_file()):
        # A long name is cut into folders that begin with @.
        name = "".join(part.removeprefix("@") for part in path.relative_to(MEMORY).parts)
        found.append(Path(os.fsdecode(base64.urlsafe_b64decode(name))))
    return found


def _read(file: str | Path) -> dict:
    return yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {}


def _plan(files: Sequence[str]) -> Plan:
    """The plan of config.yaml with others laid over it, as Snakemake does it."""
    from snakemake.utils import update_config

    config = _read("config.yaml")
    for file in files:
        update_config(config, _read(file))
    return Plan(config)


def snapshot(files: Sequence[str] = (), version: str = "") -> str:
    """Commit all products into DVC, and what names them into Git; the message of the commit.

    files: as `--configfile`. version: a tag for it. Raises `UserError` when products are missing,
    or are not of this configuration.
    """
    plan = _plan(files)
    text = dvc_yaml(plan, files)
    missing = [path for path in products(text) if path != str(STATE) and not Path(path).exists()]
    if missing:
        raise UserError(f"snapshot: {missing[0]} is not there; run snakemake to its end first")
    if _read("results/config.yaml") != json.loads(json.dumps(plan.settings)):
        raise UserError(
            "snapshot: results/config.yaml has other settings than the configuration; run "
            "snakemake first, or name the files that it was called with: CONFIG='FILE ...'"
        )
    if version and _git("tag", "--list", version):
        raise UserError(f"snapshot: the tag {version} is taken; choose another")
    if not Path("dvc.yaml").exists() or Path("dvc.yaml").read_text(encoding="utf-8") != text:
        write_text("dvc.yaml", text)
        # It would keep stages that are no more.
        Path("dvc.lock").unlink(missing_ok=True)
    write_state()
    _dvc("commit", "--force", "--quiet")
    named = ["dvc.yaml", "dvc.lock", *settings_files(text)]
    _git("add", "--force", "--", *named)
    message = f"Snapshot: {counts(plan)}"
    if _git("diff", "--cached", "--name-only", "--", *named):
        _git("commit", "--quiet", "--message", message, "--only", "--", *named)
    else:
        message = f"Nothing has changed since the last one. {message}"
    if version:
        _git("tag", version)
    return message + (f"\nIts name: {version}" if version else "")


def counts(plan: Plan) -> str:
    """What a snapshot holds, in a line."""
    words = [f"{len(read_csv('data/mtgc.csv'))} movies"]
    if not plan.is_published:
        with open("data/clips.csv", "rb") as file:
            clips = sum(1 for _ in file) - 1
        ok = [row["stage"] for row in read_csv("data/ledger.csv") if row["status"] == "ok"]
        words += [f"{ok.count('trailers')} trailers", f"{clips} clips"]
    arrays = sum(len(read_csv(f"data/{store}.csv")) for store in plan.stores)
    words += [f"{arrays} arrays in {len(plan.stores)} stores"]
    rows = [row for row in read_csv("results/summary.csv") if row["run"] in plan.runs]
    best = max(rows, key=lambda row: float(row["uap"]))
    return f"{', '.join(words)}; best µAP {float(best['uap']):.2f} ({best['run']})"


def restore(version: str = "", force: bool = False) -> str:
    """Put data, results and build/ back as they were in a version; what Snakemake says of it.

    version: a tag, branch or commit; without one, what Git has here now. Raises `UserError` when
    something here is in no version yet (not with `force`), or the version is not known.
    """
    if version:
        text = _git("show", f"{version}:dvc.yaml", why=f"{version} is no version of this project")
        _git("show", f"{version}:dvc.lock", why=f"{version} has no snapshot")
        named = ["dvc.yaml", "dvc.lock", *settings_files(text)]
        here = [path for path in named if Path(path).exists()]
        if not force:
            _refuse_unsaved(here)
        _git("checkout", version, "--", *named)
    elif not force:
        _refuse_unsaved([])
    _dvc("checkout", "--quiet", *(["--force"] if force else []), otherwise=["pull", "--quiet"])
    lay_out()
    files = _config_files(Path("dvc.yaml").read_text(encoding="utf-8"))
    told = _run([sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", *files])
    if "Nothing to be done" in told:
        return "Nothing to be done: all is as it was."
    return (
        f"{told}\nThe products are those of {version or 'this version'}. Jobs are planned where "
        f"the code here is another, or failures are due for a retry. The code of that time, too: "
        f"git switch --detach {version}"
    )


def _config_files(text: str) -> list[str]:
    """The option --configfile of the commands in a dvc.yaml."""
    command = yaml.safe_load(text)["stages"]["evaluation"]["cmd"].split()
    return command[command.index("--configfile") :] if "--configfile" in command else []


def _refuse_unsaved(files: Sequence[str]) -> None:
    """Raise `UserError` where going back would lose what no version holds."""
    edited = [path for path in files if not _is_in_history(path)]
    status = json.loads(_dvc("data", "status", "--json") or "{}").get("uncommitted", {})
    products = [path for kind in ("modified", "added") for path in status.get(kind, [])]
    if lost := edited + products:
        more = f", and {len(lost) - 1} more" if lost[1:] else ""
        raise UserError(
            f"restore: {lost[0]} is in no version{more}; make snapshot first, or lose it: "
            "make restore FORCE=1 VERSION=..."
        )


def _is_in_history(path: str) -> bool:
    """Whether some commit has this file just as it is."""
    return bool(
        _git("log", "--all", "-1", "--format=%H", f"--find-object={_git('hash-object', path)}")
    )


def _git(*arguments: str, why: str = "") -> str:
    return _run(["git", *arguments], why)


def _dvc(*arguments: str, otherwise: Sequence[str] = ()) -> str:
    """Call DVC; when that fails, in another way if there is one."""
    try:
        return _run([sys.executable, "-m", "dvc", *arguments])
    except UserError:
        if not otherwise:
            raise
        return _run([sys.executable, "-m", "dvc", *otherwise])


def _run(command: Sequence[str], why: str = "") -> str:
    """What a command prints. Raises `UserError` with its last line, or `why`, when it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        name = next(word for word in command if not word.startswith(("-", "/")))
        raise UserError(why or f"{name}: {last}")
    return done.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """The commands at the head of this module, and `state`, which dvc.yaml calls."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m trailers12k.versions")
    actions = parser.add_subparsers(dest="action", required=True)
    make = actions.add_parser("snapshot", help="commit all products")
    make.add_argument("--version", default="", help="a tag for it")
    make.add_argument("--configfile", nargs="*", default=[], help="as for snakemake")
    back = actions.add_parser("restore", help="put a version's products back")
    back.add_argument("version", nargs="?", default="")
    back.add_argument("--force", action="store_true", help="lose what is in no version")
    actions.add_parser("state", help="write build/state.tar.gz")
    told = parser.parse_args(arguments)
    try:
        match told.action:
            case "snapshot":
                print(snapshot(told.configfile, told.version))
            case "restore":
                print(restore(told.version, told.force))
            case "state":
                write_state()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
