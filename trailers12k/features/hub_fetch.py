"""Fetches a model of the Hugging Face hub: its weights and the two files that configure it.

Reads a network or a folder; writes the files. Must not know what the models are used for; runs no
code of a repository.
"""

import re
from pathlib import Path

import numpy as np
from huggingface_hub import hf_hub_url

from trailers12k.common.errors import UserError
from trailers12k.common.files import below, sha256_of
from trailers12k.downloads import http
from trailers12k.downloads.bounds import Bounds
from trailers12k.features import weights_content, weights_download
from trailers12k.features.backbones import hub, hub_nets, sound
from trailers12k.features.backbones.hub import HubName, HubWeights
from trailers12k.features.backbones.sound import SoundBackbone
from trailers12k.features.backbones.sound_spec import SoundSpec

SMALL = http.Checks(most_bytes=hub.JSON_BYTES)
TRIED = 0.1
"""Seconds of silence, and of noise, that a fetched model must turn into features."""


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
    beside = hub.hashes_beside(path)
    size = path.stat().st_size
    weights = HubWeights(model, title, str(path), origin, sha256_of(path), size, beside)
    with weights_download.removed_if_refused(path, is_fetched=file is None):
        weights_content.check(weights)
    # Tried once here. Otherwise a hundred jobs would fail on files that do not fit one another.
    _try(sound.load(SoundSpec(model, "pretrained"), 0, weights), model)
    return weights


def _try(net: SoundBackbone, model: str) -> None:
    """Raise `UserError` where a model does not turn silence and noise into finite features."""
    count = round(TRIED * net.rate)
    noise = np.random.default_rng(0).normal(0, 0.1, count).astype(np.float32)
    # The library states no errors, and a hostile file may raise any, MemoryError too.
    try:
        with np.errstate(all="ignore"):
            is_finite = np.isfinite(net([np.zeros(count, np.float32), noise])).all()
    except UserError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise UserError(f"backbone {model}: its files do not fit one another: {reason}") from error
    if not is_finite:
        raise UserError(
            f"backbone {model}: its files do not fit one another: its features are not finite"
        )


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
    address = ""
    for file in hub.FILES:
        if mirror is None:
            address = hf_hub_url(name.repository, file, revision=revision)
        else:
            address = f"{mirror.rstrip('/')}/{name.repository}/{file}"
        large = file == hub.TENSORS
        wanted = (sha256 or weights_download.hash_from_hub(address, bounds)) if large else ""
        checks = weights_download.LIMITS if large else SMALL
        path = own / file
        try:
            weights_download.obtain(address, path, model, wanted, bounds, checks, anew=not large)
        except UserError as error:
            # The advice first: the end of a long message may not be shown.
            raise UserError(
                f"backbone {model}: set weights_from to a folder or a mirror that has "
                f"{name.repository}/{file}, name a revision that has it, or set weights: random; "
                f"cause: {weights_download.cause(error)}"
            ) from error
    return own / hub.TENSORS, title, http.without_secrets(address)


def _commit(name: HubName, bounds: Bounds) -> str:
    """The commit that a revision stands for now, as the hub reports it; empty where it does not."""
    address = hf_hub_url(name.repository, hub.CONFIG, revision=name.revision)
    commit = weights_download.answered_headers(address, bounds).get("x-repo-commit", "")
    return commit if re.fullmatch("[0-9a-f]{40}", commit) else ""
