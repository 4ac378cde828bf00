"""Products of other versions that a restore removes, since they lie beside those of its version.

Reads dvc.yaml, products, Git and DVC's cache. Must not know how a version is restored.
"""

import os
from collections.abc import Container, Iterator
from pathlib import Path

from trailers12k.versions.history import History, Product
from trailers12k.versions.repository import dvc_repository

PLACES = ("results/runs/*", "results/figures/map_*", "data/*.zarr", "data/*.csv")
"""Where the products of a version have names of its own: runs, stores and their maps."""


def leftovers(known: Container[str], history: History) -> list[str]:
    """The runs and stores here that some version has as they are, and that DVC's cache holds.

    They remain where dvc.yaml was changed without a restore, such as by a run with other settings.
    known: products of this version and of the one to be restored, which are left out.
    """
    names = sorted(path.as_posix() for place in PLACES for path in Path().glob(place))
    cached = dict(_cached([name for name in names if name not in known]))
    lost = history.unsaved_products(cached.items()) if cached else []
    return [name for name in cached if (name, cached[name]) not in lost]


def _cached(names: list[str]) -> Iterator[Product]:
    """The products whose content DVC's cache holds, with their hashes."""
    if not names:
        return
    from dvc.fs import LocalFileSystem
    from dvc_data.hashfile import check
    from dvc_data.hashfile.build import build
    from dvc_objects.errors import ObjectFormatError

    with dvc_repository() as repo:
        cache, options = repo.cache.local, {"dry_run": True, "ignore": repo.dvcignore}
        for name in names:
            _, _, content = build(cache, os.path.abspath(name), LocalFileSystem(), "md5", **options)
            try:
                check(cache, content)
            except (FileNotFoundError, ObjectFormatError):
                continue
            yield name, str(content.hash_info.value)
