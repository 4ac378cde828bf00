"""What publishing costs: 1,000 made-up movies, computed for 12,000: `make publish-bench`.

Six stores as wide as the record's, 135 clips of a trailer on average, posters, and all tables. CPU
time and peak memory of a process that writes the publication; then the CPU time of one that
compresses nothing, which is the cost beyond compression. Needs 15 GB of disk for temporary files.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import figures
import numpy as np

from trailers12k.common.files import write_csv, write_json, write_text
from trailers12k.common.vocabulary import GENRES
from trailers12k.downloads.published import CLIPS, FEATURES
from trailers12k.evaluation.differences import COMPARISON_COLUMNS, INTERVAL_COLUMNS
from trailers12k.features import store
from trailers12k.jobs import ledger
from trailers12k.video import clip_table
from trailers12k.video.clips import Clip

MOVIES, ALL = int(os.environ.get("MOVIES", "1000")), 12_000
POSTERS = "posters_i_swin"
WIDTHS = {**FEATURES, POSTERS: 768}
POOL = 64
"""Made-up trailers whose features are drawn; further ones repeat them."""
MODEL = "timm/resnet18.a1_in1k"

WRITER = """
import json, resource, sys, time
from pathlib import Path
from trailers12k.publish import publication
from trailers12k.publish.packing import archives
from trailers12k.publish.packing import parquet
from trailers12k.settings import load
if sys.argv[2] == "plain":
    archives.LEVEL, parquet.COMPRESSION, parquet.LEVEL = 0, "none", None
settings = load(json.loads(Path("config.json").read_text()))
wall, cpu = time.perf_counter(), time.process_time()
publication.write(settings, Path(sys.argv[1]), say=lambda line: None)
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
size = sum(path.stat().st_size for path in Path(sys.argv[1]).rglob("*"))
files = sum(path.is_file() for path in Path(sys.argv[1]).rglob("*"))
print(json.dumps({"cpu": cpu, "wall": wall, "peak": peak, "bytes": size, "files": files}))
"""


def make_run(folder: Path) -> None:
    """Write the products of a finished run."""
    rng = np.random.default_rng(0)
    mids = [f"tt{number:07}" for number in range(1, MOVIES + 1)]
    clips = np.clip(rng.normal(CLIPS, CLIPS / 3, MOVIES), 5, 4 * CLIPS).astype(int)
    clips = clips[np.arange(MOVIES) % POOL]
    for name, width in WIDTHS.items():
        _make_store(folder / "data", name, width, mids, clips, rng)
    _make_tables(folder, mids, clips)
    config = {
        "movies": "movies.csv",
        "backbones": {name: {"model": MODEL, "input": _input(name)} for name in WIDTHS},
        "runs": {"one": {"image": "trailers_i_swin_fpc24"}},
    }
    write_json(folder / "config.json", config)
    write_text(folder / "results/config.yaml", json.dumps(config))


def _input(name: str) -> str:
    kinds = {"posters": "posters", "trailers_i": "frames"}
    return next((kind for start, kind in kinds.items() if name.startswith(f"{start}_")), "clips")


def _make_store(data: Path, name: str, width: int, mids: list, clips: np.ndarray, rng) -> None:
    path, rows = data / f"{name}.zarr", np.ones_like(clips) if name == POSTERS else clips
    about = {"backbone": MODEL, "num_features": width, "input": _input(name), "pretrained": True}
    store.create(path, {**about, "weights": "a1_in1k", "weights_source": "https://hub.org/a.bin"})
    for number, mid in enumerate(mids):
        if number < POOL:
            # As features after a ReLU or a mean over frames: positive, of which zstd saves a tenth.
            values = np.abs(rng.standard_normal((rows[number], width), dtype=np.float32))
            store.write(path, mid, values, {"fingerprint": "0" * 16, "source_sha256": "0" * 64})
        else:
            folder = path / mid
            folder.mkdir()
            for file in (path / mids[number % POOL]).iterdir():
                (folder / file.name).write_bytes(file.read_bytes())
    manifest = [
        {"mid": mid, "clips": count, "fingerprint": "0" * 16}
        for mid, count in zip(mids, rows.tolist(), strict=True)
    ]
    write_csv(data / f"{name}.csv", ["mid", "clips", "fingerprint"], manifest)


def _make_tables(folder: Path, mids: list, clips: np.ndarray) -> None:
    data, results = folder / "data", folder / "results"
    movies = [
        {"mid": mid, "title": f"A title of a movie {mid}", "year": "2001", "genres": "drama"}
        | {"youtube_id": "abcdefghijk", "poster_url": f"https://images.org/t/p/w342/{mid}.jpg"}
        for mid in mids
    ]
    columns = ["mid", "title", "year", "genres", "youtube_id", "trailer_url", "poster_url"]
    write_csv(data / "movies.csv", [*columns, "other_trailers"], movies)
    rows = (
        clip_table.row_of(mid, Clip(number, number // 3, float(number), number + 1.0))
        for mid, count in zip(mids, clips.tolist(), strict=True)
        for number in range(count)
    )
    write_csv(data / "clips.csv", clip_table.COLUMNS, rows)
    subsets = [0] * 7 + [1] + [2] * 2
    labels = [
        {"mid": mid, **dict.fromkeys(GENRES, 0), "drama": 1}
        | {f"split{split}": subsets[(number + split) % 10] for split in range(3)}
        for number, mid in enumerate(mids)
    ]
    write_csv(data / "mtgc.csv", ["mid", *GENRES, "split0", "split1", "split2"], labels)
    stages = ["trailers", "posters", "clips", *WIDTHS]
    fate = {"status": "ok", "attempts": 1, "bytes": 9_800_000, "sha256": "0" * 64, "tool": "a 1.0"}
    of_stages = ({"mid": mid, "stage": stage, **fate} for stage in stages for mid in mids)
    write_csv(data / "ledger.csv", ["mid", "stage", *ledger.COLUMNS[1:]], of_stages)
    entries = {
        str(number): {
            "imdb": {"id": mid[2:], "title": f"A title {mid}", "year": "2001", "plot": "x" * 300},
            "youtube": {"trailers": [{"id": "abcdefghijk", "dims": [150.0, 360, 640]}]},
            "sources": {"title": "imdb"},
        }
        for number, mid in enumerate(mids, start=1)
    }
    write_json(data / "metadata.json", {"trailers12k": entries})
    write_csv(data / "curation.csv", ["mid", "decision", "by"], [])
    scores = {"run": "one", "weights": "a1_in1k", "pretrained": "True", "uap": "50.0"}
    scores |= {"splits": 3, "movies": 1, "of": 1, "map": 50.0, "wap": 50.0, "sap": 50.0}
    for name in ("summary.csv", "transfer/tst.csv", "transfer/val.csv"):
        write_csv(results / name, [*scores], [scores])
    write_csv(results / "leaderboard.csv", ["row", "uap"], [{"row": "one", "uap": "50.0"}])
    write_csv(results / "transfer/intervals.csv", INTERVAL_COLUMNS, [])
    write_csv(results / "transfer/comparisons.csv", COMPARISON_COLUMNS, [])
    write_text(results / "summary.md", "# Results\n")
    write_csv(results / "splits.csv", ["split", "subset"], [])
    durations = [{"mid": mid, "duration": 150.0} for mid in mids]
    write_csv(results / "tables/trailers.csv", ["mid", "duration"], durations)
    write_csv(results / "tables/versions.csv", ["what", "made_by"], [])


def measure(folder: Path, kind: str) -> dict[str, float]:
    """Publish in a process of its own; its CPU seconds, seconds, peak memory and bytes written."""
    command = [sys.executable, "-c", WRITER, f"../{kind}", kind]
    output = subprocess.run(command, cwd=folder, check=True, stdout=subprocess.PIPE).stdout
    return json.loads(output.splitlines()[-1])


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "run")
        folder.mkdir()
        make_run(folder)
        packed = measure(folder, "packed")
        subprocess.run(["rm", "-r", f"{name}/packed"], check=True)
        plain = measure(folder, "plain")
    scale = ALL / MOVIES
    measured = {
        "movies": MOVIES,
        "stores": len(WIDTHS),
        "all_movies": ALL,
        "files": packed["files"],
        "bytes": packed["bytes"],
        "all_gigabytes": scale * packed["bytes"] / 1e9,
        "cpu": packed["cpu"],
        "beyond_cpu": plain["cpu"],
        "all_minutes": scale * packed["cpu"] / 60,
        "all_beyond_minutes": scale * plain["cpu"] / 60,
        "wall": packed["wall"],
        "peak_megabytes": packed["peak"] / 1e6,
        "bytes_a_second": packed["bytes"] / packed["wall"],
    }
    for key, value in measured.items():
        print(f"{key}: {value:,.1f}")
    figures.write("publishing", measured)


if __name__ == "__main__":
    main()
