"""The stage of sound: the sound of one shard's trailers in numbers, and their waveforms.

Reads trailers; writes a waveform per movie and the records of `jobs.runner`. Must not shape any
number: what it calls does.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import av

from trailers12k.common.files import inside
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.vocabulary import OK
from trailers12k.jobs import runner
from trailers12k.video import waveforms
from trailers12k.video.no_sound import NO_FILE, NO_SOUND, track_explained, why_no_sound
from trailers12k.video.sound_measures import measure_sound

log = logging.getLogger(__name__)

LEDGER_COLUMNS = ("loudness", "peak", "silence")
"""Columns of the ledger of sound beyond those of every stage.

loudness: integrated, in LUFS by ITU-R BS.1770-4; empty where nothing passes its gate. peak: of the
samples, in decibels of the full scale. silence: share of the trailer's blocks of 0.1 s whose root
mean square is more than 60 dB below the full scale.
"""


class SoundStage:
    """The sound of a shard's trailers.

    trailers: rows of the ledger of trailers. Movies without an `ok` trailer are skipped as
        `no_trailer`, those whose row says that there is nothing to hear as `no_sound`; their
        waveforms are removed. A trailer that was not measured and whose file is gone is skipped as
        `no_file`: no other stage waits for this one.
    code: version of the code, part of the fingerprint.
    records: folder of `runner.process`. folder: of one waveform `MID.bin` per movie, shared by all
        shards. A missing one is made again where the trailer's file exists.

    The ledger has the `LEDGER_COLUMNS`.
    """

    def __init__(
        self, trailers: Sequence[Mapping[str, str]], code: str, records: Path, folder: Path
    ):
        self._trailers, self._code, self._records, self._folder = trailers, code, records, folder
        self._by_mid = {row["mid"]: row for row in trailers}

    def _waveform_of(self, mid: str) -> Path:
        return inside(self._folder, f"{mid}.bin")

    @property
    def stage(self) -> runner.Stage:
        """See `TrailerStage`."""
        tasks = tuple(map(self._task, self._trailers))
        return runner.Stage("sound", self._records, tasks, f"PyAV {av.__version__}")

    def _task(self, row: Mapping[str, str]) -> runner.Task:
        mid = row["mid"]
        if row["status"] != OK:
            return runner.Task(mid, skip="no_trailer")
        if why := why_no_sound(row):
            return runner.Task(mid, skip=NO_SOUND, detail=why)
        made_from = fingerprint(sha256=row["sha256"], duration=row["duration"], code=self._code)
        if Path(row["file"]).is_file():
            return runner.Task(mid, made_from, (self._waveform_of(mid),))
        # A record without products to compare stays as it is.
        record = runner.read_record(self._records, mid)
        if record is None or record.fingerprint != made_from:
            return runner.Task(mid, skip=NO_FILE)
        return runner.Task(mid, made_from, (self._records,))

    def work(self, mid: str) -> dict[str, Any]:
        """See `TrailerStage`."""
        row = self._by_mid[mid]
        with track_explained(row), runner.source_file(row, "download_trailers") as file:
            measures = measure_sound(file, float(row["duration"]))
        waveforms.write(self._waveform_of(mid), measures.waveform)
        loudness = measures.loudness
        return {
            "loudness": "" if loudness is None else f"{loudness:.1f}",
            "peak": f"{measures.peak:.1f}",
            "silence": f"{measures.silence:.3f}",
        }

    def finish(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """See `TrailerStage`."""
        for row in rows:
            if row["status"] != OK:
                self._waveform_of(row["mid"]).unlink(missing_ok=True)
        measured = sum(row["status"] == OK for row in rows)
        log.info("measured the sound of %d of %d trailers", measured, len(self._trailers))
