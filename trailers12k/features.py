"""From the clips of a trailer, or a poster, to features: float32 arrays in a store.

Reads videos through `video` and pictures; writes a store (`stores`). Must not know Snakemake, nor
where the videos came from.
"""

import ctypes
import logging
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import PIL
import torch
from PIL import Image

from trailers12k import backbones, shards, stores, video
from trailers12k.backbones.common import Backbone
from trailers12k.clips import Clip, frame_times
from trailers12k.files import sha256_of
from trailers12k.fingerprint import fingerprint

log = logging.getLogger(__name__)

LEDGER_COLUMNS = ("clips", "fingerprint")
"""What the ledger of a store holds beyond the columns of every stage."""

IRRELEVANT = ("batch", "file")
"""Keys of a backbone's entry that do not determine a result; a checkpoint counts by its hash."""


def extract_movie(
    backbone: Backbone,
    path: str | Path,
    reader: str,
    clips: Sequence[Clip],
    fps: float,
    fpc: int,
    image_frames: int | None = None,
    batch: int = 4,
) -> np.ndarray:
    """The features of a trailer's clips, float32 (clips, features), from one straight decode.

    image_frames: how many frames of a clip, evenly spaced, are given to the backbone; None for all
        `fpc`. For image networks, whose features are averaged over them.
    batch: clips (of a video network) or frames (of an image network) in one forward pass, but no
        less than one clip. Movies are never mixed, so a result depends on no other movie.

    Where torch may use more threads than one, the next batch is decoded while one is computed.
    Raises `Failure`.
    """
    chosen = spread(image_frames or fpc, fpc)
    times = np.concatenate([frame_times(clip, fps, fpc)[chosen] for clip in clips])
    frames = video.read_frames(path, reader, times, backbone.side)
    if backbone.attributes["input"] == "frames":
        batch = max(1, batch // len(chosen))
    batches = _batches(frames, len(clips), len(chosen), batch)
    if torch.get_num_threads() > 1:
        batches = _ahead(batches)
    return np.concatenate([backbone(part) for part in batches])


def spread(count: int, fpc: int) -> np.ndarray:
    """The numbers of `count` evenly spaced frames of `fpc`, int (count,); the middle one for 1."""
    return ((np.arange(count) + 0.5) * fpc / count).astype(int)


def _batches(
    frames: Iterator[np.ndarray], clips: int, length: int, batch: int
) -> Iterator[np.ndarray]:
    """uint8 (B, T, H, W, 3), B being `batch` clips or what is left, T being `length`."""
    for first in range(0, clips, batch):
        count = min(batch, clips - first)
        part = np.stack([next(frames) for _ in range(count * length)])
        yield part.reshape(count, length, *part.shape[1:])


def _ahead(batches: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The same batches, the next one being made by a thread while this one is used."""
    with ThreadPoolExecutor(1) as reader:
        coming = reader.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = reader.submit(next, batches, None)
            yield batch


def extract_poster(backbone: Backbone, path: str | Path) -> np.ndarray:
    """The features of one picture, float32 (1, features). Raises `Failure`."""
    try:
        with Image.open(path) as picture:
            pixels = np.array(picture.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise shards.Failure("decode_failed", str(error)) from error
    return backbone(pixels[None, None])


def extract_shard(
    name: str,
    spec: Mapping[str, object],
    settings: Mapping[str, object],
    sources: list[dict[str, str]],
    clips: Mapping[str, list[Clip]],
    code: str,
    records: Path,
    store: Path,
    seed: int,
) -> list[dict]:
    """Compute what is missing of a shard's store; the rows of its ledger.

    name: of the store, for the log.
    spec: the backbone, see `backbones.load`; and `batch`, `image_frames`, see `extract_movie`.
    settings: of the clips: fps, fpc, and whatever else made them, which is recorded in the store.
        For posters, {}.
    sources: rows of the ledger of trailers, or of posters when the backbone's input is `posters`;
        others than `ok` are skipped as `no_trailer`, `no_poster`.
    clips: by mid; a trailer that has none is skipped as `no_clips`. Ignored for posters.
    code: the version of the code. seed: of random weights.
    records: folder of `shards.process`. store: the zarr group of this shard; arrays of movies that
        have no features (any more) are removed.

    The group carries what is needed to make its numbers again, an array its source's sha256, its
    fingerprint and the precision it was computed in. Ledger columns beyond those of
    `shards.process`: `LEDGER_COLUMNS`. Raises `UserError` when the weights cannot be had.
    """
    keep_memory()
    posters = spec["input"] == "posters"
    by_mid = {row["mid"]: row for row in sources}
    common = {
        "spec": {key: value for key, value in spec.items() if key not in IRRELEVANT},
        "settings": {} if posters else {key: settings[key] for key in ("fps", "fpc")},
        "code": code,
        "seed": seed if spec["weights"] == "random" else None,
        "checkpoint": _checkpoint(spec),
    }
    marks = {mid: _mark(common, row, clips.get(mid, [])) for mid, row in by_mid.items()}
    about = _about(spec, settings)
    made_with = fingerprint(**common, about=about)
    computed = {"rows": 0, "seconds": 0.0}

    @cache
    def backbone() -> Backbone:
        """Loaded when first needed: in most reruns nothing is."""
        loaded = backbones.load(spec, seed)
        stores.create(store, loaded.attributes | about | {"fingerprint": made_with})
        return loaded

    def task(row: Mapping[str, str]) -> shards.Task:
        mid = row["mid"]
        if row["status"] != "ok":
            return shards.Task(mid, skip="no_poster" if posters else "no_trailer")
        if not posters and not clips.get(mid):
            return shards.Task(mid, skip="no_clips")
        return shards.Task(mid, marks[mid], store / mid)

    def work(mid: str) -> dict:
        row, net = by_mid[mid], backbone()
        start = time.perf_counter()
        if posters:
            values = extract_poster(net, shards.source_file(row, "download_posters"))
        else:
            values = extract_movie(
                net,
                shards.source_file(row, "download_trailers"),
                row["reader"],
                clips[mid],
                settings["fps"],
                settings["fpc"],
                spec.get("image_frames") if spec["input"] == "frames" else None,
                spec["batch"],
            )
        computed["rows"] += len(values)
        computed["seconds"] += time.perf_counter() - start
        made_from = {"source_sha256": row["sha256"], "fingerprint": marks[mid]}
        stores.write(store, mid, values, made_from | {"precision": net.attributes["precision"]})
        return {"clips": len(values), "fingerprint": marks[mid]}

    rows = shards.process(map(task, sources), records, work)
    standing = stores.attributes(store)
    if standing.get("fingerprint") == made_with:
        stores.create(store, standing)  # Snakemake may have taken the group's own file away
    else:
        backbone()
    done = {row["mid"] for row in rows if row["status"] == "ok"}
    for mid in stores.movies(store):
        if mid not in done:
            shutil.rmtree(store / mid)
    if computed["rows"]:
        rate = computed["rows"] / computed["seconds"]
        log.info("%s: %d vectors computed, %.2f a second", name, computed["rows"], rate)
    return rows


def _about(spec: Mapping[str, object], settings: Mapping[str, object]) -> dict[str, object]:
    """What a store says of its making beyond the backbone."""
    if spec["input"] == "posters":
        return {"decoder": f"Pillow {PIL.__version__}"}
    about = {"decoder": video.decoders()} | dict(settings)
    if spec["input"] == "frames":
        frames = spec.get("image_frames") or settings["fpc"]
        about |= {"image_frames": frames, "frame_reduction": "mean"}
    return about


def _mark(common: Mapping[str, object], row: Mapping[str, str], clips: list[Clip]) -> str:
    read = {key: row.get(key) for key in ("sha256", "reader")}
    return fingerprint(**common, **read, clips=[asdict(clip) for clip in clips])


def _checkpoint(spec: Mapping[str, object]) -> str | None:
    """The hash of the checkpoint that the user supplies, None when there is none."""
    file = spec.get("file")
    if spec["weights"] != "pretrained" or not file or not Path(file).is_file():
        return None
    return sha256_of(file)


@cache
def keep_memory() -> None:
    """Let glibc keep freed memory, where there is a glibc.

    A forward pass allocates and frees the same large blocks again and again. By default each goes
    back to the kernel and comes again page by page: swin3d_t then takes 4.6 CPU s a clip instead of
    3.1 (fp32), 6.1 instead of 3.5 (bf16).
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return
    m_trim_threshold, m_mmap_threshold = -1, -3
    mallopt(m_mmap_threshold, 1 << 30)
    mallopt(m_trim_threshold, 2**31 - 1)
