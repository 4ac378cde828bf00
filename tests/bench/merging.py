"""What merging costs with 12,000 movies in 128 shards: `make bench`.

A store of arrays (96, 1024), merged for the first time by hard links and by copies, again with
nothing new, and with one movie more; then the table of clips, the ledger and the metadata, written
and read. CPU seconds of this process. Needs 12 GB of disk for temporary files.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import figures
import numpy as np

from trailers12k.common.files import write_csv
from trailers12k.common.movie import Movie, shard_of
from trailers12k.features import store as stores
from trailers12k.jobs import ledger
from trailers12k.movies import metadata, movie_table
from trailers12k.movies.sources.records import Record
from trailers12k.video import clip_table
from trailers12k.video.clips import Clip

MOVIES, SHARDS, SHAPE = 12_000, 128, (96, 1024)
CLIPS = 151
"""Of a trailer of 150 s."""
STAGES = 10
measured: dict[str, float | int | str] = {"movies": MOVIES, "shards": SHARDS}


@contextmanager
def timed(key: str, what: str) -> Iterator[None]:
    """Print the CPU and wall seconds of the block, and keep the former as the figure KEY_cpu."""
    wall, cpu = time.perf_counter(), time.process_time()
    yield
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{what}: {cpu:.1f} CPU s, {wall:.1f} s", flush=True)
    measured[f"{key}_cpu"] = cpu


def merge_stores(folder: Path, mids: list[str]) -> None:
    parts = []
    for number in range(SHARDS):
        stores.create(folder / f"{number:03}.zarr", {"num_features": SHAPE[1]})
    values = np.random.default_rng(0).standard_normal(SHAPE, dtype=np.float32)
    more = "tt9999999"
    first = folder / "000.zarr" / more
    stores.write(first.parent, more, values, {"fingerprint": "0"})
    for mid in mids:
        shard = folder / f"{shard_of(mid, SHARDS)}.zarr"
        shutil.copytree(first, shard / mid)
        parts.append((shard, mid, "0"))

    def merge(name: str, several: list) -> None:
        index = folder / "index.csv"
        rows = stores.merge(several, folder / name, {"num_features": SHAPE[1]}, index)
        write_csv(folder / "manifest.csv", ["mid", "clips", "fingerprint"], rows)

    with timed("links", f"store of {MOVIES} arrays {SHAPE}, first merge by hard links"):
        merge("linked.zarr", parts)
    with timed("nothing_new", "  with nothing new"):
        merge("linked.zarr", parts)
    with timed("one_more", "  with one movie more"):
        merge("linked.zarr", [*parts, (first.parent, more, "0")])
    with mock.patch("os.link", side_effect=OSError), timed("copies", "  first merge by copies"):
        merge("copied.zarr", parts)


def merge_tables(folder: Path, mids: list[str]) -> None:
    cut = [Clip(n, n // 3, float(n), n + 1.0) for n in range(CLIPS)]
    shards: dict[str, list[str]] = {}
    for mid in mids:
        shards.setdefault(shard_of(mid, SHARDS), []).append(mid)
    tables = []
    for shard, of_shard in shards.items():
        tables.append(folder / f"clips-{shard}.csv")
        rows = [clip_table.row_of(mid, clip) for mid in of_shard for clip in cut]
        write_csv(tables[-1], clip_table.COLUMNS, rows)
    with timed("clips", f"table of {len(mids) * CLIPS} clips, merged"):
        clip_table.merge(tables, folder / "clips.csv")
    with timed("clips_read", "  read"):
        clip_table.read_clips(folder / "clips.csv")

    row = {"status": "ok", "attempts": 1, "bytes": 9_800_000, "sha256": "0" * 64, "tool": "yt-dlp"}
    ledgers = []
    for stage in map(str, range(STAGES)):
        for shard, of_shard in shards.items():
            ledgers.append((stage, folder / stage / f"{shard}.csv"))
            ledger.write_shard(ledgers[-1][1], [{"mid": mid} | row for mid in of_shard])
    with timed("ledger", f"ledger of {STAGES} stages, merged"):
        ledger.merge(ledgers, folder / "ledger.csv")
    with timed("ledger_read", "  read and counted"):
        ledger.failures(ledger.read_shard(folder / "ledger.csv"))

    movies = [Movie(mid, "A title", "2001", ("drama",), "abcdefghijk") for mid in mids]
    records = [
        Record(m.mid, m.title, m.year, m.genres, ({"id": m.youtube_id},), origin={"title": "table"})
        for m in movies
    ]
    trailers = [
        {"mid": mid, "status": "ok", "trailer": "0", "duration": "150", "height": "360"}
        | {"width": "640"}
        for mid in mids
    ]
    with timed("metadata", "metadata.json and movies.csv, written and read"):
        metadata.write_metadata(folder / "metadata.json", records, trailers)
        movie_table.write_movies(folder / "movies.csv", movies)
        movie_table.read_movies(folder / "movies.csv")


def main() -> None:
    mids = [f"tt{number:07}" for number in range(MOVIES)]
    with tempfile.TemporaryDirectory() as name:
        merge_tables(Path(name), mids)
        merge_stores(Path(name), mids)
    measured["clips_in_table"] = MOVIES * CLIPS
    figures.write("merging", measured)


if __name__ == "__main__":
    main()
