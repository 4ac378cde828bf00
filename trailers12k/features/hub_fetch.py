"""Fetches a model of the Hugging Face hub: its weights and the two files that configure it.

Reads a network or a folder; writes the files. Must not know what the models are used for; runs no
code of a repository.
"""

import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from huggingface_hub import hf_hub_url

from trailers12k.common.bounded_files import quoted
from trailers12k.common.errors import UserError
from trailers12k.common.files import below, inside, sha256_of
from trailers12k.downloads import http
from trailers12k.downloads.bounds import Bounds
from trailers12k.features import weights_content, weights_download
from trailers12k.features.backbones import (
    hub,
    hub_files,
    hub_kinds,
    hub_nets,
    hub_vision_kinds,
    loading,
    sound,
)
from trailers12k.features.backbones.hub import HubName, HubWeights
from trailers12k.features.backbones.hub_faults import fitting
from trailers12k.features.backbones.sound_spec import SoundSpec
from trailers12k.features.backbones.spec import BackboneSpec

SMALL = http.Checks(most_bytes=hub.JSON_BYTES)
TRIED = 0.1
"""Seconds of silence, and of noise, that a fetched model must turn into features."""
TRIED_FRAME = 90, 160
"""Height and width of a frame of noise."""


def fetch(
    model: str,
    file: str | None,
    sha256: str,
    folder: Path,
    mirror: str | None,
    bounds: Bounds,
) -> HubWeights:
    """Have a model "hf/OWNER/NAME[@REVISION]" on this machine, whole and loadable.

    file, sha256: the user's own weights, and the hash that they must have; the JSON files lie
        beside them. folder, mirror, bounds: see `weights_fetch.fetch`; a mirror has the files as
        OWNER/NAME/FILE.
    A revision of the hub is pinned: all files are of the commit that it stands for now.
    Raises `UserError`.
    """
    name = hub.parse_name(model)
    hub_nets.library(model)
    if file is not None:
        path, title, origin = _supplied(model, Path(file), sha256)
    else:
        path, title, origin = _published(model, name, sha256, folder, mirror, bounds)
    beside = hub_files.hashes_beside(path)
    size = path.stat().st_size
    weights = HubWeights(model, title, str(path), origin, sha256_of(path), size, beside)
    with weights_download.removed_if_refused(path, is_fetched=file is None):
        weights_content.check(weights)
    # Tried once here. Otherwise a hundred jobs would fail on files that do not fit one another.
    _try(model, weights)
    return weights


def _try(model: str, weights: HubWeights) -> None:
    """Raise `UserError` where a model does not turn noise into finite features."""
    kind = str(hub_nets.read_values(weights, hub.CONFIG).get("model_type"))
    if kind in hub_kinds.KINDS:
        features = partial(_of_noise, model, weights)
    elif kind in hub_vision_kinds.KINDS:
        takes = "clips" if hub_vision_kinds.KINDS[kind].sees_clips else "frames"
        spec = BackboneSpec(model, "pretrained", takes, precision="fp32")
        features = partial(_of_pictures, spec, weights)
    else:
        raise UserError(
            f"backbone {model}: its model_type is {quoted(kind)}, not one that gives features of "
            f"sound: {', '.join(hub_kinds.KINDS)}; or of pictures: "
            f"{', '.join(hub_vision_kinds.KINDS)}"
        )
    with fitting(model), np.errstate(all="ignore"):
        is_finite = np.isfinite(features()).all()
    if not is_finite:
        raise UserError(
            f"backbone {model}: its files do not fit one another: its features are not finite"
        )


def _of_noise(model: str, weights: HubWeights) -> np.ndarray:
    """The features of silence and of noise."""
    net = sound.load(SoundSpec(model, "pretrained"), 0, weights)
    count = round(TRIED * net.rate)
    noise = np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)
    return net([np.zeros(count, np.float32), noise])


def _of_pictures(spec: BackboneSpec, weights: HubWeights) -> np.ndarray:
    """The features of two frames of noise."""
    net = loading.load(spec, 0, weights)
    noise = np.random.default_rng(0).integers(0, 256, (1, 2, *TRIED_FRAME, 3), np.uint8)
    return net(noise)


def _supplied(model: str, file: Path, sha256: str) -> tuple[Path, str, str]:
    """The user's file, its name, and where it came from."""
    if file.suffix != ".safetensors":
        raise UserError(
            f"backbone {model}: {file} is no .safetensors file; other formats may hold code"
        )
    if not file.is_file():
        raise UserError(
            f"backbone {model}: there is no file {file.absolute()}; the path in file starts in the "
            "folder of the collection; correct the path, or leave file out for the published "
            "weights"
        )
    weights_download.check_size(file)
    weights_download.check_hash(file, model, sha256)
    return file, file.name, "supplied by the user"


def _published(
    model: str, name: HubName, sha256: str, folder: Path, mirror: str | None, bounds: Bounds
) -> tuple[Path, str, str]:
    """The file of weights, the name of the weights, and the address that they came from."""
    revision, title = name.revision, model.removeprefix(f"{hub.FAMILY}/")
    if mirror is None and (commit := _commit(name, bounds)):
        revision, title = commit, f"{name.repository}@{commit}"
    own = below(folder, f"{hub.FAMILY}/{title}")
    base = f"{mirror.rstrip('/')}/{name.repository}" if mirror is not None else None
    address = ""
    for names in ((hub.CONFIG,), hub_files.PROCESSORS, (hub.TENSORS,)):
        addresses = {
            inside(own, file): f"{base}/{file}"
            if base
            else hf_hub_url(name.repository, file, revision=revision)
            for file in names
        }
        try:
            address = _first_of(addresses, model, sha256, bounds)
        except UserError as error:
            # The advice first: the end of a long message may not be shown.
            raise UserError(
                f"backbone {model}: set weights_from to a folder or a mirror that has "
                f"{name.repository}/{names[0]}, name a revision that has it, or set weights: "
                f"random; cause: {weights_download.cause(error)}"
            ) from error
    return inside(own, hub.TENSORS), title, http.without_secrets(address)


def _first_of(addresses: Mapping[Path, str], model: str, sha256: str, bounds: Bounds) -> str:
    """Have the first file that is published; its address. Raises `UserError` of the first.

    addresses: file -> where it is published.
    """
    faults = []
    for path, address in addresses.items():
        large = path.name == hub.TENSORS
        wanted = (sha256 or weights_download.hash_from_hub(address, bounds)) if large else ""
        checks = weights_download.LIMITS if large else SMALL
        try:
            weights_download.obtain(address, path, model, wanted, bounds, checks, anew=not large)
            return address
        except UserError as error:
            faults.append(error)
            if not weights_download.is_missing(error):
                break
            path.unlink(missing_ok=True)  # of an earlier commit
    raise faults[0]


def _commit(name: HubName, bounds: Bounds) -> str:
    """The commit that a revision stands for now, as the hub reports it; empty where it does not."""
    address = hf_hub_url(name.repository, hub.CONFIG, revision=name.revision)
    commit = weights_download.answered_headers(address, bounds).get("x-repo-commit", "")
    return commit if re.fullmatch("[0-9a-f]{40}", commit) else ""
