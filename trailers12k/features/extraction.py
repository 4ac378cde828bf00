"""From the clips of a trailer, or a poster, to features: float32 arrays in a store.

Reads videos through `video` and pictures; writes a store (`stores`). Must not know Snakemake, nor
where the videos came from.
"""

import ctypes
import json
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from threading import Lock

import numpy as np
import PIL
import torch
from PIL import Image

from trailers12k.common import errors
from trailers12k.common.files import inside
from trailers12k.common.fingerprint import fingerprint
from trailers12k.features import backbones
from trailers12k.features import store as stores
from trailers12k.features.backbones import devices
from trailers12k.features.backbones.common import Backbone
from trailers12k.features.backbones.names import Weights
from trailers12k.features.store_index import Index, read_index, signature, write_index
from trailers12k.jobs import runner as shards
from trailers12k.video import reader as video
from trailers12k.video.clips import Clip, frame_times

log = logging.getLogger(__name__)

LEDGER_COLUMNS = ("clips", "fingerprint")
"""What the ledger of a store holds beyond the columns of every stage."""

IRRELEVANT = ("batch", "file", "sha256")
"""Keys of a backbone's entry that determine no result; pretrained weights count by their hash."""


def extract_movie(
    backbone: Backbone,
    path: str | Path,
    decoder: str,
    clips: Sequence[Clip],
    fps: float,
    fpc: int,
    image_frames: int | None = None,
    ahead: bool = False,
) -> np.ndarray:
    """The features of a trailer's clips, float32 (clips, features), from one straight decode.

    image_frames: how many frames of a clip, evenly spaced, are given to the backbone; None for all
        `fpc`. For image networks, whose features are averaged over them.
    ahead: whether a thread decodes the next clips while some are computed.

    Movies are never mixed in a forward pass, and no more frames are held than it takes, as they
    are after resizing and cropping. Raises `Failure`.
    """
    chosen = spread(image_frames or fpc, fpc)
    times = np.concatenate([frame_times(clip, fps, fpc)[chosen] for clip in clips])
    frames = _cropped(backbone, video.read_frames(path, decoder, times, backbone.side))
    batches = _batches(frames, len(clips), len(chosen), backbone.clips_at_a_time(len(chosen)))
    if ahead:
        batches = _ahead(batches)
    return np.concatenate([backbone.compute(part) for part in batches])


def _cropped(backbone: Backbone, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """The frames as the network wants them; one that repeats, as in a clip filled up, only once."""
    last, crop = None, None
    for frame in frames:
        if frame is not last:
            last, crop = frame, backbone.crop(frame)
        yield crop


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
        raise errors.Failure("decode_failed", str(error)) from error
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
    index: Path,
    seed: int,
    weights: Weights | None = None,
    device: str = "auto",
    threads: int = 1,
) -> list[dict]:
    """Compute what is missing of a shard's store; the rows of its ledger.

    name: of the store, for the log.
    spec: the backbone, see `backbones.load`; and `image_frames`, see `extract_movie`.
    settings: of the clips: fps, fpc, and whatever else made them, which is recorded in the store.
        For posters, {}.
    sources: rows of the ledger of trailers, or of posters when the backbone's input is `posters`;
        others than `ok` are skipped as `no_trailer`, `no_poster`.
    clips: by mid; a trailer that has none is skipped as `no_clips`. Ignored for posters.
    code: the version of the code. seed: of random weights. weights: the pretrained ones.
    records: folder of `shards.process`. store: the zarr group of this shard; arrays of movies that
        have no features (any more) are removed.
    index: of that store, see `store_index`. Arrays that are not as it says are read, and computed
        again when they are damaged.
    device: see `devices.claimed`.
    threads: trailers in flight. Each is decoded, resized and cropped by threads of its own, and on
        the CPU computed there too; a GPU takes their batches in turn. With one thread, nothing
        overlaps: one process a core wastes the least.

    The group carries what is needed to make its numbers again, an array its source's sha256, its
    fingerprint, and the precision and device it was computed in. Ledger columns beyond those of
    `shards.process`: `LEDGER_COLUMNS`. Raises `UserError` when the weights cannot be had.
    """
    keep_memory()
    # Each lane computes on a thread of its own, so that no result depends on their number.
    torch.set_num_threads(1)
    posters = spec["input"] == "posters"
    by_mid = {row["mid"]: row for row in sources}
    common = determined_by(spec, settings, code, seed, weights)
    marks = {
        mid: stores.mark(common, row.get("sha256"), row.get("decoder"), clips.get(mid, []))
        for mid, row in by_mid.items()
    }
    about = _about(spec, settings) | {"determined_by": common}
    made_with = fingerprint(**common, about=about)
    computed = {"rows": 0}
    verified = _verified(store, index, records, marks)

    def task(row: Mapping[str, str]) -> shards.Task:
        mid = row["mid"]
        if row["status"] != "ok":
            return shards.Task(mid, skip="no_poster" if posters else "no_trailer")
        if not posters and not clips.get(mid):
            return shards.Task(mid, skip="no_clips")
        return shards.Task(mid, marks[mid], (store / mid,))

    with ExitStack() as claims:
        loading = Lock()
        loaded: list[Backbone] = []

        def backbone() -> Backbone:
            """Loaded when first needed: in most reruns nothing is."""
            with loading:
                if not loaded:
                    where = claims.enter_context(devices.claimed(device))
                    loaded.append(backbones.load(spec, seed, weights, where))
                    attributes = loaded[0].attributes | about | {"fingerprint": made_with}
                    stores.create(store, attributes)
                return loaded[0]

        def work(mid: str) -> dict:
            row, net = by_mid[mid], backbone()
            if posters:
                values = extract_poster(net, shards.source_file(row, "download_posters"))
            else:
                values = extract_movie(
                    net,
                    shards.source_file(row, "download_trailers"),
                    row["decoder"],
                    clips[mid],
                    settings["fps"],
                    settings["fpc"],
                    spec.get("image_frames") if spec["input"] == "frames" else None,
                    ahead=threads > 1,
                )
            made_from = {"source_sha256": row["sha256"], "decoder": row.get("decoder")}
            made_on = {key: net.attributes[key] for key in ("precision", "device")}
            stores.write(store, mid, values, made_from | {"fingerprint": marks[mid]} | made_on)
            computed["rows"] += len(values)
            return {"clips": len(values), "fingerprint": marks[mid]}

        start = time.perf_counter()
        rows = shards.process(map(task, sources), records, work, workers=threads)
        seconds = time.perf_counter() - start
        standing = stores.attributes(store)
        if standing.get("fingerprint") == made_with:
            stores.create(store, standing)  # Snakemake may have taken the group's own file away
        else:
            backbone()
    done = {row["mid"] for row in rows if row["status"] == "ok"}
    stores.keep_only(store, done)
    write_index(
        index,
        {mid: verified.get(mid) or (marks[mid], signature(store / mid)) for mid in done},
    )
    if computed["rows"]:
        rate = computed["rows"] / seconds
        log.info("%s: %d vectors computed, %.2f a second", name, computed["rows"], rate)
    return rows


def _verified(store: Path, index: Path, records: Path, fingerprints: Mapping[str, str]) -> Index:
    """The index of the arrays that can stay; damaged ones are removed with their records.

    Without its record a movie is computed again as if it never was, and its ledger row stays equal.
    """
    known, verified, about = read_index(index), {}, stores.attributes(store)
    for mid, own in fingerprints.items():
        record = inside(records, f"{mid}.json")
        if not _is_done(record, own):
            continue
        entry = own, signature(store / mid)
        fault = ""
        if known.get(mid) != entry:
            fault = stores.fault_of_values(store, mid, about, {"fingerprint": own})
        if fault:
            log.warning("%s: %s; computed again", store / mid, fault)
            stores.remove_array(store / mid)
            record.unlink()
            continue
        verified[mid] = entry
    return verified


def _is_done(record: Path, own: str) -> bool:
    """Whether a movie's record says that its array was written with this fingerprint."""
    if not record.exists():
        return False
    told = json.loads(record.read_text(encoding="utf-8"))
    return told["fingerprint"] == own and told["row"]["status"] == "ok"


def determined_by(
    spec: Mapping[str, object],
    settings: Mapping[str, object],
    code: str,
    seed: int,
    weights: Weights | None,
) -> dict[str, object]:
    """What determines all features of a store, beside the videos and their clips.

    See `extract_shard` for the parameters.
    """
    return {
        "spec": {key: value for key, value in spec.items() if key not in IRRELEVANT},
        "settings": {key: settings[key] for key in ("fps", "fpc") if spec["input"] != "posters"},
        "code": code,
        "seed": seed if spec["weights"] == "random" else None,
        "weights_sha256": weights.sha256 if weights else None,
    }


def _about(spec: Mapping[str, object], settings: Mapping[str, object]) -> dict[str, object]:
    """What a store says of its making beyond the backbone."""
    if spec["input"] == "posters":
        return {"decoder": f"Pillow {PIL.__version__}"}
    about = {"decoder": video.decoder_versions()} | dict(settings)
    if spec["input"] == "frames":
        frames = spec.get("image_frames") or settings["fpc"]
        about |= {"image_frames": frames, "frame_reduction": "mean"}
    return about


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
