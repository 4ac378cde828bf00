"""Refuses a version of others that would write, read or remove more than its products.

Reads dvc.lock, DVC's cache and its remote; writes what the cache lacks. Must not know how a version
is restored.
"""

import logging
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from trailers12k.common.bounded_files import parse_json, quoted, read_bytes
from trailers12k.common.errors import UserError
from trailers12k.common.files import below
from trailers12k.common.text import is_printable, one_line
from trailers12k.movies import curation
from trailers12k.settings.files import read_file
from trailers12k.versions.dvc_pipeline import CODE_VERSIONS, Stage
from trailers12k.versions.repository import dvc_repository
from trailers12k.workflow.folder import FOLDERS, STATE

PRODUCTS_ONLY = ("data", "results")
"""Folders of which a version may name any file as a product."""
PRODUCTS_OF_BUILD = ("build/ledger/trailers", str(STATE))
LOCK_KEYS = {"cmd", "deps", "params", "outs"}
ENTRY_KEYS = {"path", "hash", "md5", "size", "nfiles", "isexec"}
HASH = re.compile("[0-9a-f]{32}")
MOST_LISTING = 1 << 26
"""Bytes of a listing. That of a store of 12,000 movies has 4 MB."""
DISTRUST = "do not trust this version"

Listings = dict[str, list[str]]
"""The name in DVC's cache of each listing of a folder, and the products that it lists."""


def product(name: str) -> Path:
    """The path of a product that a dvc.yaml names. Raises `UserError` for any other path: DVC
    would write there."""
    top, _, rest = name.partition("/")
    if not (rest and top in PRODUCTS_ONLY) and name not in PRODUCTS_OF_BUILD:
        raise UserError(f"dvc.yaml: {name!r:.120} is no product; {DISTRUST}")
    return below(top, rest)


def is_outside(path: str) -> bool:
    """Whether a path of a table leaves the folder of the collection."""
    return os.path.isabs(path) or ".." in PurePosixPath(path).parts


def check_kept(files: Sequence[str]) -> None:
    """Raise `UserError` for a file of Git that is no configuration or table of the user.

    files: relative to the folder of the collection, and inside it.
    """
    for file in files:
        parts = PurePosixPath(file).parts
        is_hidden = any(part.startswith(".") for part in parts)
        is_of_dvc = file.endswith((".dvc", "dvc.yaml", "dvc.lock"))
        # A table may be in data/, whose products are of DVC.
        is_of_runs = not parts or (parts[0] in FOLDERS and parts[0] != "data")
        if is_hidden or is_of_dvc or is_of_runs or not is_printable(file):
            raise UserError(f"dvc.yaml: {quoted(file)} is no table of the user; {DISTRUST}")


def listings_of(lock: str, stages: Mapping[str, Stage]) -> Listings:
    """The listings that a dvc.lock names. Raises `UserError` for a file that is none of ours, or
    that has other products than dvc.yaml.

    lock: its text. stages: of dvc.yaml.
    """
    content = read_file("dvc.lock", lambda _: lock)
    locked = content.get("stages", {})
    if content.keys() - {"schema", "stages"} or not isinstance(locked, dict):
        raise _foreign("its keys")
    if content.get("schema") != "2.0":
        raise _foreign("its schema")
    listings: Listings = {}
    for name, stage in locked.items():
        if not isinstance(stage, dict) or stage.keys() - LOCK_KEYS:
            raise _foreign(f"the stage {quoted(name)}")
        for kind in ("deps", "outs"):
            entries = stage.get(kind, [])
            if not isinstance(entries, list) or not all(map(_is_entry, entries)):
                raise _foreign(f"{kind} of the stage {quoted(name)}")
        paths = {path for out in stages.get(name, {"outs": []})["outs"] for path in out}
        for entry in stage.get("outs", []):
            path, md5 = entry["path"], entry["md5"]
            if path not in paths:
                raise UserError(f"dvc.lock: {quoted(path)} is not in dvc.yaml; {DISTRUST}")
            if md5.endswith(".dir") and path != CODE_VERSIONS:
                listings.setdefault(md5, []).append(path)
    return listings


def _foreign(what: str) -> UserError:
    return UserError(f"dvc.lock: {what} is not as DVC writes it for trailers12k; {DISTRUST}")


def _is_entry(entry: Any) -> bool:
    """Whether a value of dvc.lock describes a file or a folder, by the hash of its content."""
    if not isinstance(entry, dict) or entry.keys() - ENTRY_KEYS or entry.get("hash") != "md5":
        return False
    path, md5 = entry.get("path"), entry.get("md5")
    if not (isinstance(path, str) and isinstance(md5, str)):
        return False
    return HASH.fullmatch(md5.removesuffix(".dir")) is not None


def check_listings(listings: Listings, fetch: bool) -> list[str]:
    """Check that listings name files below their products only; those that the cache had.

    fetch: fetch the listings that the cache lacks, and nothing else, before DVC follows them.
    Raises `UserError`, also when neither the cache nor the remote has one of them.
    """
    from dvc_data.hashfile.hash_info import HashInfo

    with dvc_repository() as repo:
        paths = {name: Path(repo.cache.local.oid_to_path(name)) for name in listings}
        present = [name for name, path in paths.items() if path.exists()]
        missing = [name for name in listings if name not in present]
        why = ""
        if missing and fetch:
            # DVC prints a line for each object that the remote lacks.
            logging.getLogger("dvc.data_cloud").setLevel(logging.ERROR)
            try:
                repo.cloud.pull([HashInfo("md5", name) for name in missing])
            except Exception as error:  # a remote raises many types
                why = f" ({one_line(str(error)):.200})"
    for name in listings:
        if paths[name].exists():
            _check_listing(name, paths[name], listings[name])
        elif fetch:
            raise UserError(
                "restore: neither the cache nor the remote has this version: the list of files of "
                f"{quoted(listings[name][0])} is missing{why}"
            )
    return present


def _check_listing(name: str, path: Path, products: Sequence[str]) -> None:
    """Raise `UserError` for a listing that DVC would follow out of one of the products."""
    data = read_bytes(path, MOST_LISTING)
    # DVC would look for another one in the remote where it cannot read this one.
    entries = parse_json(data, path) if data.startswith(b"[") else None
    if not isinstance(entries, list):
        raise UserError(f"{path} is no list of files; {DISTRUST}")
    checked: set[str] = set()
    for entry in entries:
        if not isinstance(entry, dict) or entry.keys() != {"md5", "relpath"}:
            raise UserError(f"{path}: {quoted(entry)} is no file of a list; {DISTRUST}")
        file, md5 = entry["relpath"], entry["md5"]
        is_text = isinstance(file, str) and isinstance(md5, str)
        if not is_text or not HASH.fullmatch(md5):
            raise UserError(f"{path}: {quoted(entry)} is no file of a list; {DISTRUST}")
        if {"", ".", ".."} & {*file.split("/")}:
            raise UserError(f"{products[0]}: {quoted(file)} leaves its folder; {DISTRUST}")
        folder, _, last = file.rpartition("/")
        for each in products:
            if folder in checked:
                below(Path(each, folder), last)
            else:
                below(each, file)
        checked.add(folder)


def decisions_path(config: Mapping[str, Any], where: str) -> str | None:
    """The file of decisions that is here and that a version would read; None for none.

    config: of that version, all keys. Raises `UserError` for values that no version has.
    """
    movies, name = config["movies"], config["curation"]
    sources = [movies] if isinstance(movies, str) else movies
    is_list = isinstance(sources, list) and all(_is_name(each) for each in sources)
    if not is_list:
        raise UserError(f"{where}: movies: {quoted(movies)} names no tables; {DISTRUST}")
    if name is not None and name != "" and not _is_name(name):
        raise UserError(f"{where}: curation: {quoted(name)} names no file; {DISTRUST}")
    return curation.existing_file(name, sources)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and is_printable(value)


def check_removed(path: str) -> bool:
    """Whether a file of decisions is inside this folder, so that `restore` removes it.

    Raises `UserError` for a file here that is no table of the user.
    """
    here = Path.cwd().resolve()
    real = os.path.realpath(path)
    if not Path(real).is_relative_to(here):
        return False
    inner = Path(os.path.realpath(Path(path).parent), Path(path).name)
    for each in (inner, Path(real)):
        parts = each.relative_to(here).parts if each.is_relative_to(here) else ()
        is_hidden = any(part.startswith(".") for part in parts)
        is_csv = each.suffix.lower() == ".csv" and os.path.isfile(each)
        if not parts or is_hidden or parts[0] in FOLDERS or not is_csv:
            raise UserError(
                f"config.yaml: curation: {quoted(path)} is no table of decisions; {DISTRUST}"
            )
    return True
