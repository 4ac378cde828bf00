"""Restores a version: its configuration from Git, its products from DVC, and build/.

Reads Git and DVC; writes data/, results/, build/ and the files that Git keeps of a version. Must
not know how anything is computed.
"""

import logging
import os
import shlex
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from trailers12k.common.bounded_files import quoted, shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.product_records import fault_of, recorded
from trailers12k.settings import Settings, load, plain
from trailers12k.settings.files import read_config, text_of
from trailers12k.versions import run_state, state_archive
from trailers12k.versions.dvc_cache import cached_products, hashes, object_of
from trailers12k.versions.dvc_pipeline import CODE_VERSIONS, products, settings_files, stages_in
from trailers12k.versions.git_files import modes_of, write_files
from trailers12k.versions.history import History
from trailers12k.versions.intermediates import restore_intermediates
from trailers12k.versions.interruptions import changed_products, release_dvc, sweep, whole_lock
from trailers12k.versions.leftovers import leftovers
from trailers12k.versions.merging import refuse_conflicts, without_conflicts
from trailers12k.versions.planned_jobs import planned_jobs, refuse_running
from trailers12k.versions.repository import MOST_TABLE, dvc, file_at
from trailers12k.versions.version_checks import (
    PRODUCTS_ONLY,
    Listings,
    check_kept,
    check_listings,
    check_removed,
    decisions_path,
    is_outside,
    listings_of,
    product,
)
from trailers12k.workflow.folder import (
    STATE,
    check_products,
    restore_command,
    unfinished_restore,
)

log = logging.getLogger(__name__)


def restore(version: str = "", force: bool = False) -> str:
    """Put data/, results/ and build/ back as they were in a version; a report for the user.

    Products that the version before has, and this one does not, are removed where DVC's cache has
    them.

    version: a tag, branch or commit; by default what Git has here now.
    force: lose what is in no version. Without it, raises `UserError` when something is; also when
    there is no such version.
    """
    refuse_running("restore")
    check_products()
    if not Path("dvc.yaml").exists():
        raise UserError("restore: there is no dvc.yaml here; change to the folder of a collection")
    if link := next((name for name in run_state.PRODUCT_FOLDERS if os.path.islink(name)), ""):
        raise UserError(f"restore: {link} is a symbolic link, which DVC does not follow")
    refuse_conflicts()
    cut = unfinished_restore()
    if cut is not None:
        log.warning("An earlier restore was interrupted; this one goes on.")
        version = version or cut
    release_dvc()
    here = without_conflicts("dvc.yaml", text_of("dvc.yaml"))
    lock_here = without_conflicts("dvc.lock", whole_lock(here, cut is not None))
    pipeline, lock, kept, later = here, lock_here, [], []
    if version:
        pipeline = file_at(version, "dvc.yaml", f"{version} is no version of this collection")
        lock = file_at(version, "dvc.lock", f"{version} has no snapshot", MOST_TABLE)
        pipeline = without_conflicts(f"dvc.yaml of {version}", pipeline)
        lock = without_conflicts(f"dvc.lock of {version}", lock)
        kept = _files_of_git(pipeline)
        later = _later_decisions(version, pipeline)
    names = [*products(here), *products(pipeline), *run_state.others_begun()]
    for name in names:
        product(name)
    listed = _listings(lock_here, here)
    wanted = _listings(lock, pipeline)
    is_mixed, history = cut is not None, History()
    if not force:
        files = [path for path in (*kept, *later) if os.path.lexists(path)]
        is_mixed = _refuse_unsaved(files, names, version, is_mixed, history)
    is_cached = len(check_listings(wanted, fetch=True)) == len(wanted)
    present = check_listings({name: listed[name] for name in listed if name not in wanted}, False)
    lacking = {path for name in listed if name not in {*present, *wanted} for path in listed[name]}
    others = cached_products({*products(here)} - {*products(pipeline)} - lacking)
    others += [name for name in run_state.others_begun() if name not in products(pipeline)]
    others += leftovers({*names, *others}, history)
    modes = modes_of(version, kept)
    run_state.mark_begun(version, others)
    write_files(version, modes)
    for path in later:
        Path(path).unlink()
    _fetch_products(["--force"] if force or is_mixed else [], is_cached)
    _remove_products(others)
    if is_mixed:
        sweep(names)
    return _restore_build(version, pipeline)


def _restore_build(version: str, pipeline: str) -> str:
    """Put build/ back, which ends a restore; a report for the user."""
    files = config_files(pipeline)
    _refuse_damaged_cache(version, [STATE] if _damage_of_state() else [])
    settings = _settings(files)
    kind, count = (settings.collection, settings.shards) if settings else (None, None)
    restore_intermediates(kind, force=True, count=count)
    _refuse_damaged_cache(version, list(filter(fault_of, recorded())))
    try:
        planned = planned_jobs(files)
    except UserError as error:
        return f"Restored, but today's code does not accept that configuration ({error})."
    if not planned:
        return "Restored. Nothing to be done."
    return (
        "Restored. Snakemake would run these jobs now, since the code, the settings or the tables "
        f"have changed since then or failures are due for a retry:\n{planned}\n"
        f"To go back to the code of that time too: git switch --merge --detach {version or 'TAG'}"
    )


def _files_of_git(pipeline: str) -> list[str]:
    """The files of a version that Git keeps; pipeline: the text of its dvc.yaml."""
    versions = [CODE_VERSIONS] if CODE_VERSIONS in pipeline else []
    files = settings_files(pipeline)
    for file in filter(is_outside, files):
        log.warning("%s is outside this folder and stays as it is", shown_path(file))
    own = [file for file in files if not is_outside(file)]
    check_kept(own)
    return ["dvc.yaml", "dvc.lock", *own, *versions]


def _listings(lock: str, pipeline: str) -> Listings:
    """The listings of a version; see `listings_of`."""
    return listings_of(lock, stages_in(pipeline)) if lock else {}


def config_files(pipeline: str) -> list[str]:
    """Config files after config.yaml: `--configfile` in the commands of an older dvc.yaml."""
    command = []
    with suppress(ValueError):  # a quote without its other half
        command = shlex.split(stages_in(pipeline).get("evaluation", {}).get("cmd", ""))
    return command[command.index("--configfile") + 1 :] if "--configfile" in command else []


def _settings(files: Sequence[str]) -> Settings | None:
    """The configuration here; None when it is not valid today."""
    try:
        return load(read_config(files))
    except UserError:
        return None


def _fetch_products(options: Sequence[str], is_cached: bool) -> None:
    """Put the products that dvc.lock names into place, from the cache, else from the remote.

    is_cached: whether the cache seems to have them. Raises `UserError` when neither has them.
    """
    # Only of dvc.yaml, which is checked: other files of DVC here may be of anyone.
    checkout = ("checkout", *options, "dvc.yaml")
    if is_cached:
        try:
            dvc(*checkout)
            return
        except UserError as fault:
            log.warning("%s", fault)
    log.warning("Products come from the remote.")
    try:
        dvc("fetch", "dvc.yaml")
        dvc(*checkout)
    except UserError as error:
        raise UserError(
            f"restore: neither the cache nor the remote has this version: {error}"
        ) from error


def _remove_products(names: Iterable[str]) -> None:
    """Remove products of another version, of those in data/ and results/."""
    paths = [product(name) for name in names]
    for path in paths:
        if path.parts[0] not in PRODUCTS_ONLY:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _later_decisions(version: str, pipeline: str) -> list[str]:
    """The file of decisions that is here and that a version lacks: a run would apply it to the
    movies of that version."""
    config = read_config(config_files(pipeline), lambda file: file_at(version, str(file)))
    # Not `load`, which may refuse a configuration of that time.
    path = decisions_path(plain(Settings()) | config, f"config.yaml of {version}")
    if not path or path in settings_files(pipeline):
        return []
    return [path] if check_removed(path) else []


def _refuse_unsaved(
    files: Sequence[str], names: Sequence[str], version: str, is_cut: bool, history: History
) -> bool:
    """Raise `UserError` where a restore would lose what no version holds; else whether products are
    a mixture, of versions or of files that DVC has and has not written.

    files: what Git would overwrite. names: of products. is_cut: whether a restore was interrupted,
    so that products are of two versions; in the folders of build/ no run has worked since.
    """
    unsaved = history.unsaved_files(path for path in files if path != CODE_VERSIONS)
    # A pull or checkout of DVC that was cut leaves such products, too.
    is_mixed = is_cut or bool(history.unsaved_products(hashes().items()))
    if is_mixed:
        unsaved += changed_products((name for name in names if name != str(STATE)), history)
    if not is_cut:
        unsaved += [] if run_state.is_saved() else ["work in build/"]
    more = f", and {len(unsaved) - 1} more" if unsaved[1:] else ""
    if unsaved and is_cut:
        raise UserError(
            f"restore: {quoted(unsaved[0])}{more} was changed after a restore was interrupted; "
            f"move it away, or lose it: {restore_command(version)} --force"
        )
    if unsaved:
        raise UserError(
            f"restore: {unsaved[0]} is in no version{more}; keep it: trailers12k snapshot, or lose "
            "it: trailers12k restore --force"
        )
    if not is_mixed:
        _refuse_damaged_state()
    return is_mixed


def _refuse_damaged_state() -> None:
    """Raise `UserError` for a damaged state, which DVC would not replace: no version has it."""
    if why := _damage_of_state():
        raise UserError(
            f"restore: {why}; put the version's in its place, nothing else is lost: trailers12k "
            "restore --force"
        )


def _damage_of_state() -> str:
    """Why the state cannot be read; empty when it can, or where there is none."""
    try:
        for _ in state_archive.files(STATE) if STATE.is_file() else ():
            pass
    except UserError as error:
        return str(error)
    return ""


def _refuse_damaged_cache(version: str, damaged: Sequence[Path]) -> None:
    """Raise `UserError` for products that DVC has put into place damaged: it trusts its cache."""
    if damaged:
        more = f" and {len(damaged) - 1} more" if damaged[1:] else ""
        raise UserError(
            f"restore: {damaged[0]}{more} is damaged in DVC's cache; remove "
            f"{shown_path(object_of(damaged[0]))}, then: {restore_command(version)} --force"
        )
