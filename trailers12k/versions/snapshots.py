"""Versions of all products, in DVC and Git: dvc.yaml, snapshots, and going back.

Reads the configuration and products; writes dvc.yaml, commits and tags. Must not know how anything
is computed, nor what the state holds (`state`).

    python -m trailers12k.versions.snapshots snapshot [--version TAG] [--configfile FILE ...]
    python -m trailers12k.versions.snapshots restore [TAG] [--force]
    python -m trailers12k.versions.snapshots stages [--configfile FILE ...]
"""

import argparse
import json
import logging
import re
import shlex
import subprocess
import sys
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path

import yaml

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv
from trailers12k.movies import curation
from trailers12k.versions import run_state as state
from trailers12k.versions.dvc_pipeline import (
    _read,
    _text,
    dvc_yaml,
    products,
    settings_files,
    write_stages,
)
from trailers12k.workflow.folder import is_running
from trailers12k.workflow.plan import Plan

log = logging.getLogger(__name__)


def _config(files: Sequence[str], text_of: Callable[[str | Path], str] = _text) -> dict:
    """config.yaml with others laid over it, as Snakemake does it."""
    from snakemake.utils import update_config

    config = _read("config.yaml", text_of)
    for file in files:
        update_config(config, _read(file, text_of))
    return config


def _plan(files: Sequence[str]) -> Plan:
    return Plan(_config(files))


def snapshot(files: Sequence[str] = (), version: str = "") -> str:
    """Commit all products into DVC, and what names them into Git; the message of the commit.

    files: as `--configfile`. version: a tag for it. Raises `UserError`, before anything is
    written, when the products are not finished, or not those of this configuration.
    """
    plan = _plan(files)
    text = dvc_yaml(plan, files)
    _refuse_unready(plan, files, text, version)
    write_stages(text)
    state.write()
    _dvc("commit", "--force")
    named = ["dvc.yaml", "dvc.lock", *settings_files(text), *_decisions_taken_back(plan)]
    _git("add", "--force", "--", *named)
    message = f"Snapshot: {counts(plan)}"
    if _git("diff", "--cached", "--name-only", "--", *named):
        _git("commit", "--quiet", "--message", message, "--only", "--", *named)
    else:
        message = f"Nothing has changed since the last one. {message}"
    if version:
        _git("tag", version)
    return message + (f"\nIts name: {version}" if version else "")


def _decisions_taken_back(plan: Plan) -> list[str]:
    """The file of decisions that Git has and that is gone here: a clone must not apply it."""
    place = curation.path_of(plan.config.get("curation"), plan.sources)
    gone = place and not Path(place).exists() and _git("ls-files", "--", place)
    return [place] if gone else []


def _refuse_unready(plan: Plan, files: Sequence[str], text: str, version: str) -> None:
    """Raise `UserError` for what would make half a snapshot, or one of half a run."""
    _refuse_running("snapshot")
    outside = [file for file in files if Path(file).is_absolute() or ".." in Path(file).parts]
    if outside:
        raise UserError(f"snapshot: {outside[0]} is outside of this folder; Git must keep it, too")
    links = [name for name in ("data", "build", "results") if Path(name).is_symlink()]
    if links:
        raise UserError(f"snapshot: {links[0]} is a symbolic link, which DVC does not follow")
    missing = [
        path
        for path in products(text)
        if path != state.STATE.as_posix() and not Path(path).exists()
    ]
    if missing:
        raise UserError(f"snapshot: {missing[0]} is not there; run snakemake to its end first")
    if _read("results/config.yaml") != json.loads(json.dumps(plan.settings)):
        raise UserError(
            "snapshot: results/config.yaml has other settings than the configuration; run "
            "snakemake first, or name the files that it was called with: CONFIG='FILE ...'"
        )
    if planned := _planned(files, "--config", "retry=none"):
        raise UserError(f"snapshot: run snakemake first, which has to do:\n{planned}")
    _git("var", "GIT_COMMITTER_IDENT", why="git: tell it who you are: git config user.name NAME")
    if Path(_git("rev-parse", "--git-path", "MERGE_HEAD")).exists():
        raise UserError("snapshot: a merge is going on in Git; end it first")
    if version:
        _git("check-ref-format", f"refs/tags/{version}", why=f"{version!r} cannot be a tag's name")
        if version in _git("tag", "--list").splitlines():
            raise UserError(f"snapshot: the tag {version} is taken; choose another")


def _refuse_running(action: str) -> None:
    if is_running():
        raise UserError(
            f"{action}: snakemake is at work here; wait for its end (after a kill: "
            "snakemake --unlock)"
        )


def _planned(files: Sequence[str], *more: str) -> str:
    """The table of jobs that Snakemake has to do; empty when there are none."""
    named = ["--configfile", *files] if files else []
    told = _run([sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", *named, *more])
    if "Nothing to be done" in told:
        return ""
    table = re.search(r"^job +count\n.*?\n(?=\n|\Z)", told, re.M | re.S)
    return table.group().rstrip() if table else told


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
    _refuse_running("restore")
    if not Path("dvc.yaml").exists():
        raise UserError("restore: there is no dvc.yaml; call it where the project is")
    text, named, later = Path("dvc.yaml").read_text(encoding="utf-8"), [], []
    if version:
        text = _git("show", f"{version}:dvc.yaml", why=f"{version} is no version of this project")
        _git("show", f"{version}:dvc.lock", why=f"{version} has no snapshot")
        named = ["dvc.yaml", "dvc.lock", *settings_files(text)]
        later = _later_decisions(version, text)
    if not force:
        _refuse_unsaved([path for path in (*named, *later) if Path(path).exists()])
    if named:
        _git("checkout", version, "--", *named)
    for path in later:
        Path(path).unlink()
    forced = ["--force"] if force else []
    _fetch_products(forced)
    state.lay_out(force=True)
    try:
        planned = _planned(_config_files(text))
    except UserError as error:
        return f"All is as it was, but today's code does not take that configuration ({error})."
    if not planned:
        return "Nothing to be done: all is as it was."
    return (
        "All is as it was. What Snakemake would do now, since the code is another today, or "
        f"failures are due for a retry:\n{planned}\n"
        f"The code of that time, too: git switch --detach {version or 'TAG'}"
    )


def _fetch_products(forced: Sequence[str]) -> None:
    """Put the products that dvc.lock names into place, from the cache, else from the remote.

    Raises `UserError` with the reasons of both when neither has them.
    """
    try:
        _dvc("checkout", *forced)
    except UserError as checkout:
        log.warning("%s; fetching from the remote", checkout)
        try:
            _dvc("pull", *forced)
        except UserError as pull:
            raise UserError(
                f"restore: neither the cache nor the remote has this version: {checkout}; {pull}"
            ) from pull


def _later_decisions(version: str, text: str) -> list[str]:
    """The file of decisions that is here, and which a version, whose dvc.yaml is `text`, lacks: a
    run would apply it to that version's movies."""
    shown = _config(_config_files(text), lambda file: _git("show", f"{version}:{file}"))
    movies = shown["movies"]
    sources = [movies] if isinstance(movies, str) else movies
    path = curation.existing_file(shown.get("curation"), sources)
    return [path] if path and path not in settings_files(text) else []


def _config_files(text: str) -> list[str]:
    """What --configfile names in the commands of a dvc.yaml."""
    command = shlex.split(yaml.safe_load(text)["stages"]["evaluation"]["cmd"])
    return command[command.index("--configfile") + 1 :] if "--configfile" in command else []


def _refuse_unsaved(files: Sequence[str]) -> None:
    """Raise `UserError` where going back would lose what no version holds.

    files: what Git would overwrite. Products are known by the hashes in all commits of dvc.lock.
    """
    lost = [path for path in files if not _is_in_history(path)]
    known = set()
    for commit in _git("rev-list", "--all", "--", "dvc.lock").splitlines():
        if not _git("ls-tree", "--name-only", commit, "--", "dvc.lock"):
            continue  # this commit deleted it
        lock = yaml.safe_load(_git("show", f"{commit}:dvc.lock", why="-") or "{}")
        for stage in lock.get("stages", {}).values():
            known |= {(out["path"], out["md5"]) for out in stage.get("outs", [])}
    lost += [path for path, md5 in _hashes().items() if (path, md5) not in known]
    lost += [] if state.is_saved() else ["work in build/"]
    if lost:
        more = f", and {len(lost) - 1} more" if lost[1:] else ""
        raise UserError(
            f"restore: {lost[0]} is in no version{more}; make snapshot first, or lose it: "
            "make restore FORCE=1 VERSION=..."
        )


def _hashes() -> dict[str, str]:
    """The products that are here, but for the state, and their hashes as DVC computes them."""
    from dvc.repo import Repo

    with Repo() as repo:
        outs = [out for out in repo.index.outs if out.exists and out.def_path != str(state.STATE)]
        return {out.def_path: out.get_hash().value for out in outs}


def _is_in_history(path: str) -> bool:
    """Whether some commit has this file just as it is."""
    found = f"--find-object={_git('hash-object', path)}"
    return bool(_git("log", "--all", "-1", "--format=%H", found))


def _git(*arguments: str, why: str = "") -> str:
    return _run(["git", *arguments], why)


def _dvc(*arguments: str) -> str:
    return _run([sys.executable, "-m", "dvc", *arguments])


def _run(command: Sequence[str], why: str = "") -> str:
    """What a command prints. Raises `UserError` with its last error, or `why`, when it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError as error:
        raise UserError(f"{command[0]} is not installed here") from error
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()
        errors = [line for line in lines if line.lower().startswith("error")]
        if errors and errors[-1].endswith(":"):  # what it announces are the lines that follow
            errors = [textwrap.shorten(" ".join(lines[lines.index(errors[-1]) :]), 500)]
        name = next(word for word in command if not word.startswith(("-", "/")))
        raise UserError(why or f"{name}: {(errors or lines)[-1]}")
    return done.stdout.strip()


def main(arguments: Sequence[str] | None = None) -> int:
    """The commands at the head of this module, and `state`, which dvc.yaml calls."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    parser = argparse.ArgumentParser(prog="python -m trailers12k.versions.snapshots")
    actions = parser.add_subparsers(dest="action", required=True)
    make = actions.add_parser("snapshot", help="commit all products")
    make.add_argument("--version", default="", help="a tag for it")
    stages_ = actions.add_parser("stages", help="write dvc.yaml, for `dvc repro`")
    for action in (make, stages_):
        action.add_argument("--configfile", nargs="*", default=[], help="as for snakemake")
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
            case "stages":
                write_stages(dvc_yaml(_plan(told.configfile), told.configfile))
            case "state":
                state.write()
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
