"""Pretrained weights as files of this machine: fetched once, checked, and loaded as tensors only.

Writes files of weights. Must not know what the networks are used for.
"""

import logging
import pickle
import re
import shutil
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import requests
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from trailers12k.common.errors import UserError
from trailers12k.common.files import replacing, sha256_of
from trailers12k.downloads import http as web
from trailers12k.features.backbones.names import FAMILY_MODULES, Origin, Weights, family_key

log = logging.getLogger(__name__)

LOADING = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
    SafetensorError,
    pickle.UnpicklingError,
)
"""What a file that holds no weights, or another model's, may raise."""


def fetch(spec: Mapping[str, Any], folder: Path, mirror: str | None = None) -> Weights:
    """Have a model's pretrained weights on this machine, whole, and such as it can load.

    spec: `model`; and `file`, where the user supplies them, or `sha256` (or its beginning), which
        they must have.
    folder: for what is fetched. What is there with the right hash is not fetched again, and what
        was cut is continued.
    mirror: a folder, or the beginning of a URL, where the files are instead of at their publishers:
        torchvision's under their names, timm's as HUB_ID/FILE.

    The hash that they must have is the configuration's, else the one in the file's name
    (torchvision), else the one that the hub tells. Raises `UserError`.
    """
    model = spec["model"]
    if "file" in spec:
        file, name, source = Path(spec["file"]), Path(spec["file"]).name, "supplied by the user"
        if not file.is_file():
            raise UserError(f"backbone {model}: there is no file {file}; {_family(model).HELP}")
        _check(file, model, spec.get("sha256", ""))
    else:
        file, name, source = _published(spec, folder, mirror)
    weights = Weights(model, name, str(file), source, sha256_of(file), file.stat().st_size)
    # Loaded once here: else a hundred jobs would find out that it is a file of something else.
    kind = {"model": model, "weights": "pretrained"}
    _family(model).build(kind, 0, weights)
    return weights


def _family(model: str) -> Any:
    return import_module(FAMILY_MODULES[family_key(model)])


def _published(spec: Mapping, folder: Path, mirror: str | None) -> tuple[Path, str, str]:
    """The file, the weights' name, and where they came from."""
    model, tried = spec["model"], []
    for origin in _family(model).origins(spec):
        file = folder / origin.path
        source = origin.url if mirror is None else f"{mirror.rstrip('/')}/{origin.path}"
        promised = spec.get("sha256") or _in_name(origin) or _told_by_hub(source)
        if file.is_file() and sha256_of(file).startswith(promised):
            log.info("%s is there already", file)
            return file, origin.name, source
        try:
            if (local := web.local_path(source)) is None:
                web.fetch(source, file, f"sha256:{promised}" if promised else "")
            else:
                _copy(local, file, model, promised)
            return file, origin.name, source
        except UserError as error:
            tried.append(str(error))
            if not _is_missing(error):
                break
    raise UserError(
        f"backbone {model}: {'; '.join(tried)}. Without a network, name a folder or a mirror that "
        f"has {origin.path} in weights_from, or set weights: random"
    )


def _in_name(origin: Origin) -> str:
    """The beginning of a hash, as in resnet50-0676ba61.pth; else nothing."""
    found = re.search(r"-([0-9a-f]{8,64})\.pth$", origin.path)
    return found[1] if found else ""


def _told_by_hub(source: str) -> str:
    """The sha256 that the Hugging Face hub gives a large file with its address; else nothing."""
    if web.local_path(source) is not None:
        return ""
    try:
        answer = web.session(retries=3).head(source, timeout=60, allow_redirects=False)
    except requests.RequestException:
        return ""  # fetching it will say what is wrong
    tag = answer.headers.get("X-Linked-Etag", "").strip('"')
    return tag if re.fullmatch("[0-9a-f]{64}", tag) else ""


def _is_missing(error: UserError) -> bool:
    cause = error.__cause__
    return isinstance(cause, FileNotFoundError) or "HTTP Error 404" in str(cause)


def _copy(source: Path, file: Path, model: str, promised: str) -> None:
    try:
        with replacing(file) as partial:
            shutil.copyfile(source, partial)
            _check(partial, model, promised, told=source)
    except FileNotFoundError as error:
        raise UserError(f"there is no file {source}") from error


def _check(file: Path, model: str, promised: str, told: Path | None = None) -> None:
    if not (found := sha256_of(file)).startswith(promised):
        raise UserError(
            f"backbone {model}: the sha256 of {told or file} is {found}, and should be {promised}"
        )


def load_state(
    module: nn.Module,
    given: Weights,
    unwrap: Callable[[Mapping], Mapping[str, Tensor]] = lambda checkpoint: checkpoint,
) -> None:
    """Load a PyTorch file into a network; no code of the file is run.

    unwrap: finds the tensors in what the file holds. Raises `UserError` when they are not this
    network's.
    """
    try:
        checkpoint = torch.load(given.file, map_location="cpu", weights_only=True)
        module.load_state_dict(unwrap(checkpoint))
    except LOADING as error:
        raise refused(given, error) from error


def refused(given: Weights, error: BaseException | None) -> UserError:
    """The one line about a file that does not hold a model's weights."""
    reason = " ".join(str(error).split())[:200]
    return UserError(
        f"backbone {given.model}: {given.file} does not hold its weights: {reason}; name or fetch "
        "the right file"
    )


def checked(weights: Weights) -> Weights:
    """The same, after a look at the file. Raises `UserError` when it is gone or another."""
    file = Path(weights.file)
    if not file.is_file() or sha256_of(file) != weights.sha256:
        raise UserError(
            f"backbone {weights.model}: {file} is gone or changed; fetch it again with "
            "snakemake weights --forcerun fetch_weights"
        )
    return weights
