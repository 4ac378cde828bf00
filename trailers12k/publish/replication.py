"""The configuration that evaluates a publication: config.yaml of the publication, and of a new
collection made from one.

Reads config.yaml of a publication. Must not know how a run uses its settings.
"""

from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any

import yaml

from trailers12k.common.bounded_files import shown_path
from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import PUBLISHED
from trailers12k.settings import Settings, load, plain
from trailers12k.settings.files import read_file
from trailers12k.settings.published_files import ARCHIVE, LABELS

CONFIG = "config.yaml"
ABOVE = ".."
"""`published.files` in a publication: the configuration is used in a new folder inside it."""
HEAD = """\
# Evaluates a publication again: the same splits, runs, seed and training on its features. The other
# settings serve `trailers12k predict`, which makes features of another trailer.
# docs/configuration.md of the workflow explains every key.
"""
USAGE = """\
#
#     trailers12k init NEW --publication DIR_OR_URL
#     cd NEW
#     trailers12k run
"""
OF_STORES = (
    *("model", "input", "weights", "file", "sha256", "license", "size", "image_frames"),
    "precision",
)
"""Keys of a backbone, as far as features depend on them."""


def text(settings: Settings, files: str = ABOVE) -> str:
    """The configuration of a run with these settings, on its publication.

    files: folder or URL of the publication. No path but this stands in it.
    """
    runs = settings.for_results()["runs"]
    values = {
        "seed": settings.seed,
        "movies": PUBLISHED,
        "published": {"files": files, "md5": None},
        "splits": PUBLISHED,
        "training": plain(settings.training),
        # By default published features are the paper's.
        "evaluation": plain(settings.evaluation) | {"paper": settings.compares_with_paper},
        "clips": plain(settings.clips),
        "weights": settings.weights,
        "image_frames": settings.image_frames,
        "precision": settings.precision,
        "backbones": {name: _backbone(settings, name) for name in settings.backbones},
        # Texts are compared with features by the model's own network, which a store has not.
        "runs": {run: runs[run] for run in settings.trained_runs},
    }
    head = HEAD + (USAGE if files == ABOVE else "")
    return head + "".join(f"\n{_section(key, value)}" for key, value in values.items())


def _backbone(settings: Settings, name: str) -> dict[str, Any]:
    own = plain(settings.backbones[name])
    kept = {key: own[key] for key in OF_STORES if own[key] is not None}
    if "file" in kept:
        kept["file"] = PurePath(kept["file"].replace("\\", "/")).name
    return kept


def _section(key: str, value: object) -> str:
    return yaml.safe_dump({key: value}, sort_keys=False, width=100, allow_unicode=True)


def read(path: Path, files: str) -> str:
    """The configuration of a publication, for a collection in another folder.

    path: config.yaml of the publication, hostile until it is read. files: folder or URL of the
    publication. Raises `UserError` for a file that is no configuration of a publication.
    """
    config = read_file(path)
    if config.get("movies") not in (PUBLISHED, [PUBLISHED]):
        raise UserError(
            f"{shown_path(path)} evaluates no publication (movies: {PUBLISHED}); name a folder or "
            "URL that `trailers12k publish` made"
        )
    # Which stores it has is checked by the first run.
    stores = config.get("backbones")
    names = [f"{name}{ARCHIVE}" for name in (stores if isinstance(stores, Mapping) else ())]
    md5 = dict.fromkeys([LABELS, *names])
    return text(load(config | {"published": {"files": files, "md5": md5}}), files)
