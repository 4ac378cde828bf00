"""Fetches pretrained weights: once, from their publisher, a mirror, a folder, or the user's file.

Reads a network or a folder; writes files of weights. Must not know what the networks are used for.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from trailers12k.common.errors import UserError
from trailers12k.common.files import below, sha256_of
from trailers12k.common.sound_models import HUB_FAMILY
from trailers12k.downloads import http
from trailers12k.downloads.bounds import Bounds
from trailers12k.features import hub_fetch, weights_content, weights_download
from trailers12k.features.backbones.spec import (
    FAMILY_MODULES,
    BackboneSpec,
    Origin,
    Weights,
    family_of,
)


@dataclass(frozen=True)
class WeightsSource:
    """Pretrained weights that the configuration requests.

    model: see `BackboneSpec`. file: the user's own file; None to fetch them.
    sha256: the hash, or its beginning, that the file must have; empty for any.
    """

    model: str
    file: str | None = None
    sha256: str = ""


def fetch(
    source: WeightsSource, folder: Path, mirror: str | None = None, bounds: Bounds = http.ARCHIVES
) -> Weights:
    """Have a model's pretrained weights on this machine, whole and loadable.

    folder: for fetched files. A file that has the right hash is not fetched again, and a download
        that was cut is continued.
    mirror: a folder, or the beginning of a URL, with the files, used instead of their publishers:
        torchvision's under their names, timm's as HUB_ID/FILE.
    bounds: of each download.

    The hash that a file must have is the configuration's, else the one in the file's name
    (torchvision), else the one that the hub reports. Raises `UserError`.
    """
    model = source.model
    if model.partition("/")[0] == HUB_FAMILY:
        return hub_fetch.fetch(model, source.file, source.sha256, folder, mirror, bounds)
    if source.file is not None:
        file, name, origin = Path(source.file), Path(source.file).name, "supplied by the user"
        if not file.is_file():
            raise UserError(
                f"backbone {model}: there is no file {file.absolute()}; the path in file starts in "
                f"the folder of the collection; {_help(model)}"
            )
        weights_download.check_size(file)
        weights_download.check_hash(file, model, source.sha256)
    else:
        file, name, origin = _published(source, folder, mirror, bounds)
    weights = Weights(model, name, str(file), origin, sha256_of(file), file.stat().st_size)
    with weights_download.removed_if_refused(file, is_fetched=source.file is None):
        weights_content.check(weights)
    # Loaded once here. Otherwise a hundred jobs would fail on a file of something else.
    _family(model).build(BackboneSpec(model, "pretrained", ""), 0, weights)
    return weights


def _family(model: str) -> ModuleType:
    return import_module(FAMILY_MODULES[family_of(model)])


def _help(model: str) -> str:
    """What to do where the user's file is missing."""
    if family_of(model) == "shufflenet3d":  # Nobody publishes its weights under a fixed address.
        return str(_family(model).HELP)
    return "correct the path, or leave file out for the published weights"


def _origins(model: str) -> list[Origin]:
    """Where a model's weights are published. Raises `UserError`, with where its name is found."""
    origins: Callable[[str], list[Origin]] = _family(model).origins
    if family_of(model) == "shufflenet3d":  # One model, whose error says all.
        return origins(model)
    try:
        return origins(model)
    except UserError as error:
        raise UserError(f"{error}; trailers12k backbones FILTER lists the models") from error


def _published(
    source: WeightsSource, folder: Path, mirror: str | None, bounds: Bounds
) -> tuple[Path, str, str]:
    """The file, the name of the weights, and the address that they came from."""
    model, faults = source.model, []
    for origin in _origins(model):
        file = below(folder, origin.path)
        address = origin.url if mirror is None else f"{mirror.rstrip('/')}/{origin.path}"
        sha256 = source.sha256 or _hash_in_name(origin)
        sha256 = sha256 or weights_download.hash_from_hub(address, bounds)
        try:
            weights_download.obtain(address, file, model, sha256, bounds)
            return file, origin.name, http.without_secrets(address)
        except UserError as error:
            faults.append(weights_download.cause(error))
            if not weights_download.is_missing(error):
                break
    # The advice first: the end of a long message may not be shown.
    raise UserError(
        f"backbone {model}: set weights_from to a folder or a mirror that has {origin.path}, or "
        f"set weights: random; cause: {'; '.join(faults)}"
    )


def _hash_in_name(origin: Origin) -> str:
    """The beginning of a hash, as in resnet50-0676ba61.pth; empty when the name has none."""
    match = re.search(r"-([0-9a-f]{8,64})\.pth$", origin.path)
    return match[1] if match else ""
