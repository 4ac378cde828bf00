"""The job of measure_sound: the sound of one shard's trailers in numbers, and their waveforms.

Reads trailers; writes a waveform per movie and the records of `jobs.runner`. Must not shape any
number: what it calls does.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import av

from trailers12k.common.errors import Failure
from trailers12k.common.files import inside
from trailers12k.common.fingerprint import fingerprint
from trailers12k.jobs import runner
from trailers12k.video import waveforms
from trailers12k.video.no_sound import NO_FILE, NO_SOUND, NO_TRACK, missing_track, why_no_sound
from trailers12k.video.sound_measures import SoundMeasures, measure_sound

log = logging.getLogger(__name__)

LEDGER_COLUMNS = ("loudness", "peak", "silence")
"""Columns of the ledger of sound beyond those of every stage.

loudness: integrated, in LUFS by ITU-R BS.1770-4; empty where nothing passes its gate. peak: of the
samples, in decibels of the full scale. silence: share of the trailer's blocks of 0.1 s whose root
mean square is more than 60 dB below the full scale.
"""


def measure_shard(
    trailers: Sequence[Mapping[str, str]], code: str, records: Path, folder: Path
) -> list[dict]:
    """Measure the sound of a shard's trailers; returns the rows of its ledger.

    trailers: rows of the ledger of trailers. Movies without an `ok` trailer are skipped as
        `no_trailer`, those whose row says that there is nothing to hear as `no_sound`; their
        waveforms are removed. A trailer that was not measured and whose file is gone is skipped as
        `no_file`: no other stage waits for this one.
    code: version of the code, part of the fingerprint.
    records: folder of `runner.process`. folder: of one waveform `MID.bin` per movie, shared by all
        shards. A missing one is made again where the trailer's file exists.
    """
    by_mid = {row["mid"]: row for row in trailers}

    def waveform_of(mid: str) -> Path:
        return inside(folder, f"{mid}.bin")

    def task(row: Mapping[str, str]) -> runner.Task:
        mid = row["mid"]
        if row["status"] != "ok":
            return runner.Task(mid, skip="no_trailer")
        if why := why_no_sound(row):
            return runner.Task(mid, skip=NO_SOUND, detail=why)
        made_from = fingerprint(sha256=row["sha256"], duration=row["duration"], code=code)
        if Path(row["file"]).is_file():
            return runner.Task(mid, made_from, (waveform_of(mid),))
        # A record without products to compare stays as it is.
        record = runner.read_record(records, mid)
        if record is None or record.fingerprint != made_from:
            return runner.Task(mid, skip=NO_FILE)
        return runner.Task(mid, made_from, (records,))

    def work(mid: str) -> dict:
        row = by_mid[mid]
        with runner.source_file(row, "download_trailers") as file:
            measures = _measured(file, row)
        waveforms.write(waveform_of(mid), measures.waveform)
        loudness = measures.loudness
        return {
            "loudness": "" if loudness is None else f"{loudness:.1f}",
            "peak": f"{measures.peak:.1f}",
            "silence": f"{measures.silence:.3f}",
        }

    tool = f"PyAV {av.__version__}"
    rows = runner.process(map(task, trailers), records, work, unit="trailer", tool=tool)
    for row in rows:
        if row["status"] != "ok":
            waveform_of(row["mid"]).unlink(missing_ok=True)
    measured = sum(row["status"] == "ok" for row in rows)
    log.info("measured the sound of %d of %d trailers", measured, len(trailers))
    return rows


def _measured(file: Path, row: Mapping[str, str]) -> SoundMeasures:
    try:
        return measure_sound(file, float(row["duration"]))
    except Failure as failure:
        if failure.detail.startswith(NO_TRACK):
            raise Failure(failure.reason, missing_track(row)) from failure
        raise
