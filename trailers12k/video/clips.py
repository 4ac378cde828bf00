"""The partition of a trailer's shots into clips.

Finds the shots through `shots`; writes one CSV file of clips a movie, and through `sheets` a
contact sheet. Must not know what is computed from the clips.
"""

import csv
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from trailers12k.common.files import inside, read_csv, replacing, write_csv
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_mid
from trailers12k.jobs import runner as shards
from trailers12k.video import contact_sheets as sheets
from trailers12k.video.shots import Found, detector_version, find_shots

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Clip:
    """One clip of a trailer.

    clip, shot: its number, and that of its shot; both from 0 in the order of time.
    start, end: seconds of presentation time from the trailer's first frame; `end - start` is the
        time of the clip's real frames, so a clip that is filled up is visible by its shortness.
    """

    clip: int
    shot: int
    start: float
    end: float


COLUMNS = ("mid", *(field.name for field in fields(Clip)))
"""The columns of clips.csv."""

LEDGER_COLUMNS = ("shots", "clips", "repeated", "black", "still", "frozen")
"""What the ledger of clips holds beyond the columns of every stage.

repeated: frames of the grid that repeat the one before, since the file has none of their own;
black, still: of four pictures a second, the share that is black, and that does not differ from the
one before; frozen: seconds of the longest stretch without any change. See `pictures`.
"""


def find_clips(
    path: str | Path, decoder: str, duration: float, settings: Mapping[str, object]
) -> tuple[list[Clip], Found]:
    """The clips of a trailer of `duration` seconds, at least one; and what they were made from.

    settings: the section `clips` of the configuration: detector and min_shot (see `find_shots`),
        fps, fpc, keep. Raises `Failure` when the file cannot be read.
    """
    fps, fpc = settings["fps"], settings["fpc"]
    detector, min_shot = settings["detector"], settings["min_shot"]
    found = find_shots(path, decoder, duration, detector, min_shot, fps)
    return partition(found.shots, fps, fpc, settings["keep"]), found


def partition(
    shots: Iterable[tuple[int, int]], fps: float = 24, fpc: int = 24, keep: float = 0.5
) -> list[Clip]:
    """Cut shots into clips of `fpc` frames on the grid of `fps` frames a second.

    A clip never crosses a cut. The frames that remain at the end of a shot make a clip when they
    are at least `keep * fpc` (filled up with the last of them when it is read), and are dropped
    when they are fewer; but a shot shorter than that still gives one clip, so that every shot has
    at least one. The paper states no rule; this one is ours.
    """
    clips = []
    for shot, (first, end) in enumerate(shots):
        for start in range(first, end, fpc):
            real = min(fpc, end - start)
            if real >= keep * fpc or start == first:
                clips.append(_clip(len(clips), shot, start, real, fps))
    return clips


def _clip(clip: int, shot: int, start: int, real: int, fps: float) -> Clip:
    # Six decimals are what clips.csv holds; so a clip is the same before and after the file.
    return Clip(clip, shot, round(start / fps, 6), round((start + real) / fps, 6))


def frame_times(clip: Clip, fps: float = 24, fpc: int = 24) -> np.ndarray:
    """The times of a clip's frames in seconds, float64 (fpc,); the last real one fills it up."""
    first = round(clip.start * fps)
    real = round(clip.end * fps) - first
    return (first + np.minimum(np.arange(fpc), real - 1)) / fps


def write_clips(path: Path, mid: str, clips: Sequence[Clip]) -> None:
    """Write one movie's clips with `COLUMNS`, times with six decimals."""
    write_csv(path, COLUMNS, (_row(mid, clip) for clip in clips))


def _row(mid: str, clip: Clip) -> dict:
    row = {"mid": mid} | asdict(clip)
    return row | {"start": f"{clip.start:.6f}", "end": f"{clip.end:.6f}"}


def read_clips(path: str | Path) -> dict[str, list[Clip]]:
    """The clips in a file written by this module (or in clips.csv), by mid, in the file's order."""
    clips: dict[str, list[Clip]] = {}
    with Path(path).open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        if next(rows, []) != list(COLUMNS):
            raise ValueError(f"{path} is no table of clips; delete it and run again")
        for mid, clip, shot, start, end in rows:
            found = Clip(int(clip), int(shot), float(start), float(end))
            clips.setdefault(mid, []).append(found)
    return clips


def merge(parts: Iterable[str | Path], path: str | Path) -> tuple[int, int]:
    """Put tables of clips into one, by mid: the number of trailers, and of clips.

    Lines are moved as they are: none of our fields is ever quoted, and at 12,000 movies there are
    two million.
    """
    header = ",".join(COLUMNS) + "\n"
    trailers: dict[str, list[str]] = {}
    for part in parts:
        with Path(part).open(encoding="utf-8") as file:
            if next(file, "") != header:
                raise ValueError(f"{part} is no table of clips; delete it and run again")
            for line in file:
                trailers.setdefault(line[: line.index(",")], []).append(line)
    with replacing(path) as partial, partial.open("w", encoding="utf-8") as file:
        file.write(header)
        for mid in sorted(trailers):
            file.writelines(trailers[mid])
    return len(trailers), sum(map(len, trailers.values()))


def detect_shard(
    trailers: list[dict[str, str]],
    settings: Mapping[str, object],
    code: str,
    records: Path,
    products: Path,
    pictures: Path,
) -> tuple[list[dict], list[dict]]:
    """Find the clips of a shard's trailers: the rows of the ledger, and those of clips.csv.

    trailers: the rows of the trailers' ledger; movies whose trailer is not `ok` are skipped as
        `no_trailer`.
    settings: see `find_clips`. code: the version of the code, part of the fingerprint.
    records: folder of `shards.process`. products: folder of one `MID.csv` a movie; those of movies
        that have no clips (any more) are removed.
    pictures: folder of one contact sheet a movie, `MID.jpg`, common to all shards. A missing one is
        made again where the trailer is here, and else not missed.

    Ledger columns beyond those of `shards.process`: `LEDGER_COLUMNS`.
    """
    by_mid = {row["mid"]: row for row in trailers}
    products.mkdir(parents=True, exist_ok=True)

    def task(row: Mapping[str, str]) -> shards.Task:
        if row["status"] != "ok":
            return shards.Task(row["mid"], skip="no_trailer")
        read = {key: row[key] for key in ("sha256", "duration", "decoder")}
        mark = fingerprint(**read, settings=dict(settings), code=code)
        made = [products / f"{row['mid']}.csv"]
        if Path(row["file"]).is_file():
            made.append(pictures / f"{row['mid']}.jpg")
        return shards.Task(row["mid"], mark, tuple(made))

    def work(mid: str) -> dict:
        row = by_mid[mid]
        path = shards.source_file(row, "download_trailers")
        clips, found = find_clips(path, row["decoder"], float(row["duration"]), settings)
        sheets.write(pictures / f"{mid}.jpg", found.pictures)
        write_clips(products / f"{mid}.csv", mid, clips)
        return {
            "shots": len(found.shots),
            "clips": len(clips),
            "repeated": found.repeated,
            "black": f"{found.black:.3f}",
            "still": f"{found.still:.3f}",
            "frozen": f"{found.frozen:.2f}",
        }

    tool = detector_version(settings["detector"])
    rows = shards.process(map(task, trailers), records, work, unit="trailer", tool=tool)
    done = [row["mid"] for row in rows if row["status"] == "ok"]
    for path in products.glob("tt*.csv"):
        if is_mid(path.stem) and path.stem not in done:
            path.unlink()
    for row in rows:
        if row["status"] != "ok":
            inside(pictures, f"{row['mid']}.jpg").unlink(missing_ok=True)
    table = [row for mid in done for row in read_csv(products / f"{mid}.csv")]
    log.info("%d clips of %d of %d trailers", len(table), len(done), len(trailers))
    return rows, table
