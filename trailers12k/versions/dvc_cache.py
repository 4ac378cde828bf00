"""What DVC's cache holds of the products of this folder.

Reads dvc.yaml, dvc.lock, products and the cache. Must not know versions.
"""

import os
from collections.abc import Container
from pathlib import Path
from typing import Any

from trailers12k.versions.repository import dvc_repository
from trailers12k.workflow.folder import STATE


def cached_products(paths: Container[str]) -> list[str]:
    """Those of the present version's products that are complete in DVC's cache.

    Raises `UserError`, also while another process of DVC works here.
    """
    with dvc_repository() as repo, repo.lock:
        outs = [out for out in _outs(repo) if out.def_path in paths]
        return [out.def_path for out in outs if not out.changed_cache()]


def hashes() -> dict[str, str]:
    """The products that are here, and their hashes as DVC computes them.

    Without build/state.tar.gz, which is compared with build/ itself, and what Git keeps.
    """
    with dvc_repository() as repo:
        outs = [out for out in _outs(repo) if out.exists]
        return {out.def_path: out.get_hash().value for out in outs if out.def_path != str(STATE)}


def object_of(path: Path) -> str:
    """The file of the cache that holds a file of a product; the cache's folder where none does."""
    with dvc_repository() as repo:
        for out in _outs(repo):
            parts = (
                path.relative_to(out.def_path).parts if path.is_relative_to(out.def_path) else None
            )
            files = out.get_obj() if parts else [((), None, out.hash_info)]
            for place, _, content in files if parts is not None else ():
                if place == parts:
                    return os.path.relpath(repo.cache.local.oid_to_path(content.value))
        return os.path.relpath(repo.cache.local.path)


def _outs(repo: Any) -> list[Any]:
    """The products of dvc.yaml that DVC keeps. repo: a `dvc.repo.Repo`."""
    stages = repo.stage.load_all("dvc.yaml")
    return [out for stage in stages for out in stage.outs if out.use_cache]
