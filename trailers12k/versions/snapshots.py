"""Snapshots: commits all products of a finished run to DVC, and what names them to Git.

Reads the configuration and the products; writes dvc.yaml, the state, commits and tags. Must not
know how anything is computed, nor what the state holds.
"""

from collections.abc import Sequence
from pathlib import Path

from trailers12k.common import product_records
from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv
from trailers12k.common.vocabulary import OK
from trailers12k.evaluation.selection import best, figures_of
from trailers12k.movies import curation
from trailers12k.settings import Settings, load
from trailers12k.settings.files import read_config, read_file
from trailers12k.versions import git_locks, run_state
from trailers12k.versions.code_state import CodeState, code_state
from trailers12k.versions.dvc_pipeline import (
    CODE_VERSIONS,
    pipeline_of,
    products,
    settings_files,
    stores_of,
    write_pipeline,
)
from trailers12k.versions.interruptions import release_dvc, whole_lock
from trailers12k.versions.merging import is_merging, refuse_other_conflicts
from trailers12k.versions.planned_jobs import planned_jobs, refuse_running
from trailers12k.versions.repository import REPOSITORY_FILES, dvc, git, require_dvc, set_up, top_of
from trailers12k.versions.version_files import CODE
from trailers12k.workflow import clone
from trailers12k.workflow.folder import STATE, check_restored


def snapshot(version: str = "", allow_dirty: bool = False) -> str:
    """Commit all products to DVC, and what names them to Git; a report for the user.

    version: a tag for the snapshot. allow_dirty: also where the clone has code that is not
    committed; the message of the commit then names its files. Raises `UserError`, before anything
    is written, when the products are not finished or have another configuration.
    """
    if top_of():
        refuse_other_conflicts()
    settings = load(read_config())
    if settings.trailers.po_token:
        raise UserError(
            "snapshot: trailers.po_token is a secret, which Git and DVC would keep; remove it from "
            "the configuration and set the environment variable YOUTUBE_PO_TOKEN"
        )
    pipeline = pipeline_of(settings)
    code = code_state()
    _refuse_unready(settings, pipeline, version)
    if code.uncommitted and not allow_dirty:
        _refuse_uncommitted(code)
    if top_of():
        git_locks.check()
        # Git refuses files outside its repository.
        git("add", "--dry-run", "--force", "--", *settings_files(pipeline))
    # Last, since it takes longest.
    if planned := planned_jobs((), "--config", "retry=none"):
        raise UserError(f"snapshot: the run is not finished; trailers12k run would do:\n{planned}")
    report = list(filter(None, [set_up()]))
    with git_locks.recorded():
        _write(settings, pipeline)
        names = ["dvc.yaml", "dvc.lock", CODE_VERSIONS, *settings_files(pipeline)]
        names += _removed_decisions(settings)
        names += _new_repository_files()
        message = f"Snapshot: {describe_products(settings)}"
        texts = ("--message", message, "--message", f"{CODE}: {code}")
        is_new = _commit(names, texts)
        nothing_new = "" if is_new else "Nothing has changed since the last snapshot. "
        report.append(nothing_new + message)
        if version:
            # `git push --follow-tags` takes tags with a message only.
            git("tag", "--annotate", *texts, version)
    if code.uncommitted:
        report.append(f"Made by code that is not committed: {code.names()}")
    if version:
        report.append(f"Its tag: {version}")
    elif not git("branch", "--show-current"):
        report.append("It is on no branch; keep it by a name: git switch --create NAME")
    return "\n".join(report)


def _write(settings: Settings, pipeline: str) -> None:
    """Write dvc.yaml and the state, and commit all products to DVC."""
    for path in product_records.recorded():
        product_records.check(path)
        product_records.record(path)  # which puts the present content first
    if is_merging():
        Path("dvc.lock").unlink(missing_ok=True)  # DVC reads it, and it may hold conflicts
    release_dvc()
    whole_lock(pipeline, is_mixed=True)
    write_pipeline(pipeline)
    run_state.write()
    # Otherwise DVC removes products and copies them from its cache: a kill between leaves none.
    dvc("commit", "--force", "--no-relink")


def _commit(names: Sequence[str], texts: Sequence[str]) -> bool:
    """Commit files to Git; whether there was something to commit. texts: of the message."""
    git("add", "--force", "--", *names)
    if is_merging():
        git("commit", "--quiet", *texts)  # Git commits no part of a merge
    elif git("diff", "--cached", "--name-only", "--", *names):
        git("commit", "--quiet", *texts, "--only", "--", *names)
    else:
        return False
    return True


def _new_repository_files() -> list[str]:
    """The files of a repository that no commit has yet; a version is read by their settings."""
    try:
        committed = git("ls-tree", "-r", "--name-only", "HEAD", "--", *REPOSITORY_FILES)
    except UserError:  # before the first commit
        committed = ""
    present = [name for name in REPOSITORY_FILES if Path(name).exists()]
    return [name for name in present if name not in committed.splitlines()]


def _removed_decisions(settings: Settings) -> list[str]:
    """The file of decisions that Git has and that was deleted here: no clone may apply it."""
    path = curation.path_of(settings.curation, settings.movies)
    is_removed = path and not Path(path).exists() and git("ls-files", "--", path)
    return [path] if path and is_removed else []


def _refuse_unready(settings: Settings, pipeline: str, version: str) -> None:
    """Raise `UserError` for an unfinished run, or for what DVC or Git would refuse half-way."""
    refuse_running("snapshot")
    check_restored()
    links = [name for name in ("data", "build", "results") if Path(name).is_symlink()]
    if links:
        raise UserError(f"snapshot: {links[0]} is a symbolic link, which DVC does not follow")
    missing = [
        path for path in products(pipeline) if path != str(STATE) and not Path(path).exists()
    ]
    if missing:
        raise UserError(f"snapshot: {missing[0]} is missing; finish the run first: trailers12k run")
    if not _has_results_of(settings):
        raise UserError(
            "snapshot: results/config.yaml has other settings than config.yaml; run first: "
            "trailers12k run (what the last run got by --config belongs in config.yaml)"
        )
    require_dvc()
    name = "git needs your name: git config --global user.name NAME"
    git("var", "GIT_COMMITTER_IDENT", error=name)
    if version:
        git(
            "check-ref-format",
            f"refs/tags/{version}",
            error=f"{version!r:.120} is no valid tag name",
        )
        if top_of() and version in git("tag", "--list").splitlines():
            raise UserError(f"snapshot: the tag {version} exists already; choose another")


def _refuse_uncommitted(code: CodeState) -> None:
    more = f" and {len(code.uncommitted) - 1} more" if code.uncommitted[1:] else ""
    raise UserError(
        f"snapshot: {shown_path(code.uncommitted[0])}{more} of the clone {clone.folder()} is not "
        "committed, so no version would have the code that made it; commit it, or call: "
        "trailers12k snapshot --allow-dirty"
    )


def _has_results_of(settings: Settings) -> bool:
    """Whether the results here were made with these settings."""
    try:
        written = load(read_file("results/config.yaml"))
    except UserError:
        return False
    return written.for_results() == settings.for_results()


def describe_products(settings: Settings) -> str:
    """The numbers of movies, trailers, clips and arrays, and the best run, in one line."""
    words = [f"{len(read_csv('data/mtgc.csv'))} movies"]
    if not settings.is_published:
        with open("data/clips.csv", "rb") as file:
            clips = sum(1 for _ in file) - 1
        stages = [row["stage"] for row in read_csv("data/ledger.csv") if row["status"] == OK]
        words += [f"{stages.count('trailers')} trailers", f"{clips} clips"]
    stores = stores_of(settings)
    arrays = sum(len(read_csv(f"data/{store}.csv")) for store in stores)
    words += [f"{arrays} arrays in {len(stores)} store{'s' if len(stores) > 1 else ''}"]
    # Chosen on validation movies, so that the figure of the test movies is not the luckiest one.
    scores = [
        row for row in read_csv("results/transfer/val.csv", ["run"]) if row["run"] in settings.runs
    ]
    run = best(figures_of(scores))
    tested = next(row for row in read_csv("results/summary.csv") if row["run"] == run)
    return f"{', '.join(words)}; µAP {float(tested['uap']):.2f} ({run}, best on validation)"
