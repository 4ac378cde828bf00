"""What downloading costs: 1,000 trailers of 1 MB from loopback, through the real rules.

Prints the CPU seconds of a trailer, the decoding that verifies it aside, and the seconds of a rerun
with nothing to do. `make bench` runs it.
"""

import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import figures
import yaml

sys.path.insert(0, str(Path(__file__).parents[1] / "workflow"))

from web import Web, marked, video

from trailers12k.video.probe import probe

ROOT = Path(__file__).parents[2]
COUNT, SIZE, SHARDS, WORKERS = 1000, 1_000_000, 8, 8


def serve(pipe) -> None:
    """In a process of its own, so that its CPU is not counted."""
    data = video(18)
    data = marked(data, "x" * (SIZE - len(data)))
    with Web({f"tt{n:07d}.mp4": data for n in range(COUNT)}) as web:
        pipe.send((web.url, data))
        pipe.recv()


def cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def snakemake(folder: Path, *arguments: str) -> tuple[float, float]:
    """Wall and CPU seconds of a call."""
    wall, cpu = time.monotonic(), cpu_of_children()
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])
    return time.monotonic() - wall, cpu_of_children() - cpu


def main() -> None:
    pipe, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    url, data = pipe.recv()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("Snakefile", "rules", "scripts", "trailers12k", "profiles"):
            os.symlink(ROOT / part, folder / part)
        config = yaml.safe_load((ROOT / "config.yaml").read_text())
        config["trailers"]["parallel"] = WORKERS
        config["downloads"]["private_addresses"] = True
        config |= {"movies": "movies.csv", "shards": SHARDS}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        rows = [f"tt{n:07d},A,2000,drama,{url}/good/tt{n:07d}.mp4\n" for n in range(COUNT)]
        head = "mid,title,year,genres,trailer_url\n"
        (folder / "movies.csv").write_text(head + "".join(rows))

        wall, cpu = snakemake(folder, "trailers")
        files = sorted((folder / "build" / "trailers").glob("*.mp4"))
        assert len(files) == COUNT and files[0].read_bytes() == data
        began = time.process_time()
        for path in files[:50]:
            probe(path)
        decoding = (time.process_time() - began) / 50 * COUNT
        again, _ = snakemake(folder, "trailers")
        kept, _ = snakemake(folder, "trailers", "--forcerun", "download_trailers")
    pipe.send("done")
    server.join()
    each = (cpu - decoding) / COUNT
    print(
        f"{COUNT:,} trailers of {SIZE / 1e6:g} MB, {WORKERS} at a time, {SHARDS} jobs: {wall:.0f} s"
    )
    print(f"  CPU seconds a trailer, decoding aside    {each:.3f}   (at most 0.15)")
    print(f"  CPU seconds of decoding a trailer        {decoding / COUNT:.3f}")
    print(f"  seconds of a rerun: nothing to be done   {again:.1f}   (under 5)")
    print(f"  seconds when all {SHARDS} jobs are forced        {kept:.1f}")
    figures.write(
        "acquisition",
        {
            "trailers": COUNT,
            "trailer_mb": SIZE / 1e6,
            "parallel": WORKERS,
            "all_wall": wall,
            "download_cpu": each,
            "decode_cpu": decoding / COUNT,
            "nothing_to_do_wall": again,
            "forced_wall": kept,
        },
    )
    if each > 0.15 or again > 5:
        sys.exit("slower than it should be")


if __name__ == "__main__":
    main()
