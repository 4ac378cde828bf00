"""What Snakemake needs to plan with the full preset, by the number of movies: `make bench`.

Movies are made up, and so are their products: every file is there, and empty. Stores hold as many
arrays as there are movies, since these are looked at too. For each size: `snakemake -n` before
anything is made; for the smaller ones also when all is finished, and with one movie added. CPU
seconds and peak memory of the whole process. Ratios are to `snakemake -n` on an empty Snakefile,
run in turns with the others; of each, the least of all rounds counts.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import figures

from trailers12k.common.files import write_csv
from trailers12k.common.vocabulary import GENRES
from trailers12k.features import store_index
from trailers12k.workflow.folder import COLLECTION, OWN

ROOT = Path(__file__).parents[2]
SIZES = [(1_200, 128), (12_000, 128), (120_000, 1_000)]
"""Movies, shards."""
FINISHED = 1_200
"""Movies of the largest tree that is finished: each takes four inodes in each of seven stores."""
PARTS = ["Snakefile", "config.yaml", "rules", "scripts", "trailers12k", "profiles"]
PARTS += ["presets", "envs"]


def row(number: int) -> str:
    """A line of the movie table."""
    chance = random.Random(number)
    genres = "|".join(sorted(chance.sample(GENRES, chance.randint(1, 3)), key=GENRES.index))
    poster = f"https://images.example.org/{number:07}.jpg"
    return f"tt{number:07},Movie {number},2001,{genres},{number:011},{poster}\n"


def snakemake(folder: Path, shards: int, *arguments: str) -> tuple[str, float, int]:
    """What it prints, its CPU seconds, and its peak memory in MB."""
    return run(folder, *arguments, "--config", "movies=movies.csv", f"shards={shards}")


def run(folder: Path, *arguments: str) -> tuple[str, float, int]:
    """`snakemake` with the Snakefile of a folder."""
    command = [sys.executable, "-m", "snakemake", *arguments]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=os.environ | {"PYTHONPATH": str(folder)},
        )
        _, status, used = os.wait4(process.pid, 0)
        output.seek(0)
        text = output.read()
    if status:
        sys.exit(text[-3000:])
    return text, used.ru_utime + used.ru_stime, used.ru_maxrss // 1024


def jobs(text: str) -> Counter:
    """The jobs that a dry run counts, by rule."""
    table = re.search(r"^Job stats:\n.*?\n(?=\n|\Z)", text, re.M | re.S)
    if table is None:
        sys.exit(text[-3000:])
    table = table.group()
    return Counter({n: int(c) for n, c in re.findall(r"^(\w+) +(\d+)$", table, re.M)})


def finish(folder: Path, movies: int, shards: int) -> None:
    """Make every product, empty but for the stores: a run whose jobs only touch their outputs."""
    for rules in (folder / "rules").glob("*.smk"):
        text = re.sub(r'script:\n( *)".*"', r'shell:\n\1"touch {output}"', rules.read_text())
        rules.write_text(text)
    snakemake(folder, shards, "features", "--quiet", "all")
    # Its time stays, so that nothing runs because of it.
    kind, when = folder / COLLECTION, (folder / COLLECTION).stat().st_mtime
    kind.write_text(json.dumps({"collection": OWN}))
    os.utime(kind, (when, when))
    for store in (folder / "data").glob("*.zarr"):
        fill(store, folder / store_index.index_of(store.stem), movies)
    snakemake(folder, shards, "--quiet", "all")
    shutil.copytree(ROOT / "rules", folder / "rules", dirs_exist_ok=True)


def fill(store: Path, index: Path, movies: int) -> None:
    """A store whose arrays are trusted unread, and so need hold nothing."""
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    (store / ".zattrs").write_text('{"num_features": 1024}')
    rows = [{"mid": f"tt{n:07}", "clips": 96, "fingerprint": f"{n:016}"} for n in range(movies)]
    known = {}
    for row in rows:
        folder = store / row["mid"]
        folder.mkdir()
        for name in store_index.FILES:
            (folder / name).touch()
        known[row["mid"]] = row["fingerprint"], store_index.signature(folder)
    write_csv(store.with_suffix(".csv"), ["mid", "clips", "fingerprint"], rows)
    store_index.write_index(index, known)


def make_tree(folder: Path, movies: int) -> None:
    """A collection with a table of so many movies, and the full preset."""
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, folder / part)
    shutil.copy(folder / "presets" / "trailers12k.yaml", folder / "config.yaml")
    with (folder / "movies.csv").open("w") as file:
        file.write("mid,title,year,genres,youtube_id,poster_url\n")
        file.writelines(map(row, range(movies)))


def dry_runs(folder: Path, shards: int, size: str, rounds: int) -> dict[str, float | int]:
    """A dry run before anything is made, compared with the one of an empty Snakefile."""
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "Snakefile").touch()
        pairs = [
            (run(Path(name), "-n"), snakemake(folder, shards, "-n", "--quiet", "rules"))
            for _ in range(rounds)
        ]
    empty = min(seconds for (_, seconds, _), _ in pairs)
    text, seconds, memory = min((full for _, full in pairs), key=lambda full: full[1])
    total = jobs(text)["total"]
    print(
        f"{size}: {total} jobs: dry run {seconds:.1f} CPU s, {memory} MB; "
        f"{seconds / empty:.1f} times an empty Snakefile's {empty:.2f} CPU s",
        flush=True,
    )
    return {
        f"jobs_{size}": total,
        f"dry_run_{size}_cpu": seconds,
        f"dry_run_{size}_mb": memory,
        f"dry_run_{size}_ratio": seconds / empty,
        f"empty_{size}_cpu": empty,
    }


def finished_runs(folder: Path, movies: int, shards: int) -> dict[str, float | int]:
    """Dry runs when all is finished, and with one movie more."""
    finish(folder, movies, shards)
    text, seconds, memory = snakemake(folder, shards, "-n")
    assert "Nothing to be done" in text, text[-3000:]
    print(f"  finished: {seconds:.1f} CPU s, {memory} MB", flush=True)
    with (folder / "movies.csv").open("a") as file:
        file.write(row(movies))
    text, more, _ = snakemake(folder, shards, "-n", "--quiet", "rules")
    counts = ", ".join(f"{rule} {count}" for rule, count in sorted(jobs(text).items()))
    print(f"  one movie more: {more:.1f} CPU s; {counts}", flush=True)
    return {
        f"finished_{movies}_cpu": seconds,
        f"finished_{movies}_mb": memory,
        f"one_more_{movies}_cpu": more,
        f"one_more_{movies}_jobs": jobs(text)["total"],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="dry runs before anything is made")
    parser.add_argument("--finish", type=int, default=FINISHED, help="the most movies to finish")
    args = parser.parse_args()
    measured: dict[str, float | int | str] = {}
    for movies, shards in SIZES:
        with tempfile.TemporaryDirectory() as name:
            make_tree(Path(name), movies)
            measured |= dry_runs(Path(name), shards, str(movies), args.rounds)
            if movies <= args.finish:
                measured |= finished_runs(Path(name), movies, shards)
    figures.write("planning", measured)


if __name__ == "__main__":
    main()
