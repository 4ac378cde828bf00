"""The stage of clips: clips and contact sheets of one shard's trailers.

Reads trailers; writes a table of clips per movie and per shard, contact sheets, and the records of
`jobs.runner`. Must not shape any number: what it calls does.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.common.files import inside, write_csv
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import is_mid
from trailers12k.common.vocabulary import OK
from trailers12k.jobs import runner
from trailers12k.video import clip_table, contact_sheets
from trailers12k.video.clip_detection import ClipSettings, detect_clips
from trailers12k.video.picture import Bars
from trailers12k.video.shots import detector_version

log = logging.getLogger(__name__)

BAR_COLUMNS = tuple(f"bar_{edge.name}" for edge in fields(Bars))

LEDGER_COLUMNS = ("shots", "clips", "repeated", "black", "still", "frozen", *BAR_COLUMNS)
"""Columns of the ledger of clips beyond those of every stage.

shots, clips: their numbers. repeated: frames of the grid that repeat the previous one because the
file has no frame of its own there. black, still: of four frames per second, the fraction that is
black, and that does not differ from the previous one. frozen: seconds of the longest stretch
without a change. `frame_statistics` defines black and still. bar_top, bar_bottom, bar_left,
bar_right: black bars around the picture, as fractions of its height and width.
"""


@dataclass(frozen=True)
class ShardPaths:
    """Where a shard's job writes.

    records: folder of `runner.process`.
    table: CSV file of the shard's clips; a folder of the same name without the suffix holds one
        table `MID.csv` per movie.
    contact_sheets: folder of one `MID.jpg` per movie, shared by all shards.
    """

    records: Path
    table: Path
    contact_sheets: Path

    def clips_of(self, mid: str) -> Path:
        return inside(self.table.with_suffix(""), f"{mid}.csv")

    def sheet_of(self, mid: str) -> Path:
        return inside(self.contact_sheets, f"{mid}.jpg")


def bars_of(rows: Iterable[Mapping[str, str]]) -> dict[str, Bars]:
    """mid -> the bars of its trailer, by the ledger of clips."""
    return {
        row["mid"]: Bars(*(float(row[column]) for column in BAR_COLUMNS))
        for row in rows
        if row["status"] == "ok"
    }


class ClipStage:
    """The clips and contact sheets of a shard's trailers.

    trailers: rows of the ledger of trailers. Movies without an `ok` trailer are skipped as
        `no_trailer`, and their tables and contact sheets are removed.
    code: version of the code, part of the fingerprint.

    A missing contact sheet is made again where the trailer's file exists. The ledger has the
    `LEDGER_COLUMNS`.
    """

    def __init__(
        self,
        trailers: Sequence[Mapping[str, str]],
        settings: ClipSettings,
        code: str,
        paths: ShardPaths,
    ):
        self._trailers, self._settings, self._code, self._paths = trailers, settings, code, paths
        self._by_mid = {row["mid"]: row for row in trailers}

    @property
    def stage(self) -> runner.Stage:
        """See `TrailerStage`."""
        tasks = tuple(map(self._task, self._trailers))
        tool = detector_version(self._settings.detector)
        return runner.Stage("clips", self._paths.records, tasks, tool)

    def _task(self, row: Mapping[str, str]) -> runner.Task:
        if row["status"] != OK:
            return runner.Task(row["mid"], skip="no_trailer")
        source = {key: row[key] for key in ("sha256", "duration", "decoder")}
        products = [self._paths.clips_of(row["mid"])]
        _remove_damaged(products[0], row["mid"])
        if Path(row["file"]).is_file():
            products.append(self._paths.sheet_of(row["mid"]))
        made_from = fingerprint(**source, settings=asdict(self._settings), code=self._code)
        return runner.Task(row["mid"], made_from, tuple(products), hashed=(products[0],))

    def work(self, mid: str) -> dict[str, Any]:
        """See `TrailerStage`."""
        row, paths = self._by_mid[mid], self._paths
        with runner.source_file(row, "download_trailers") as file:
            clips, detection = detect_clips(
                file, row["decoder"], float(row["duration"]), self._settings
            )
        contact_sheets.write(paths.sheet_of(mid), detection.images)
        clip_table.write_clips(paths.clips_of(mid), mid, clips)
        return {
            "shots": len(detection.shots),
            "clips": len(clips),
            "repeated": detection.repeated,
            "black": f"{detection.black:.3f}",
            "still": f"{detection.still:.3f}",
            "frozen": f"{detection.frozen:.2f}",
            **{f"bar_{edge}": f"{bar:.4f}" for edge, bar in asdict(detection.bars).items()},
        }

    def finish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """See `TrailerStage`."""
        paths = self._paths
        done = [row["mid"] for row in rows if row["status"] == OK]
        for path in paths.table.with_suffix("").glob("tt*.csv"):
            if is_mid(path.stem) and path.stem not in done:
                path.unlink(missing_ok=True)
        for row in rows:
            if row["status"] != OK:
                paths.sheet_of(row["mid"]).unlink(missing_ok=True)
        clips = [row for mid in done for row in clip_table.rows_of_movie(paths.clips_of(mid), mid)]
        write_csv(paths.table, clip_table.COLUMNS, clips)
        log.info("%d clips of %d of %d trailers", len(clips), len(done), len(self._trailers))


def _remove_damaged(table: Path, mid: str) -> None:
    """Remove a movie's table of clips that cannot be read: the trailer's clips are cut again."""
    try:
        clip_table.rows_of_movie(table, mid)
    except FileNotFoundError:
        pass
    except UserError as error:
        log.warning("%s", error)
        if not table.is_dir():
            table.unlink(missing_ok=True)
