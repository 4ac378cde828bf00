"""How far the run in this folder is, stage by stage; also while it runs.

Reads ledgers and records of movies; writes nothing. Must not know Snakemake.
"""

from dataclasses import dataclass
from pathlib import Path

from trailers12k.downloads import retries, stop_signal
from trailers12k.jobs import status
from trailers12k.settings import Settings
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.movie_list import COLLECTED, MovieList

DOWNLOADS = {"trailers": Path("build/trailers"), "posters": Path("build/posters")}
"""Stage of downloads -> the folder of its movies' records."""


@dataclass(frozen=True)
class RunStatus:
    """rows: one per stage. text: the same for people."""

    rows: list[status.StageStatus]
    text: str


def run_status(settings: Settings) -> RunStatus | None:
    """The state of every stage; None until the movies are collected. Raises `UserError`."""
    movies, features = MovieList(settings), FeaturePlan(settings)
    if movies.must_collect and not Path(COLLECTED).exists():
        return None
    folders = {
        stage: {
            shard: DOWNLOADS.get(stage) or Path("build/ledger") / stage / shard
            for shard in movies.shards
        }
        for stage in features.stages
    }
    earlier = {"clips": "trailers", "sound": "trailers"} | {
        store: "posters" if of == "posters" else "clips" for store, of in features.inputs.items()
    }
    rows = status.gather(movies.shards, folders, earlier)
    pause = settings.downloads.retry_pause
    mids = {movie.mid for movie in movies.movies}
    due = {stage: retries.due_times(folder, pause, mids) for stage, folder in DOWNLOADS.items()}
    return RunStatus(rows, status.describe(rows, stop_signal.stop_reason(), due))
