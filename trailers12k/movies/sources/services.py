"""How sources query a web service: one request per movie, answers kept, failures retried later.

Reads and writes nothing. Must not know any service.
"""

from dataclasses import dataclass
from pathlib import Path

from trailers12k.common.files import inside
from trailers12k.downloads.bounds import USUAL, Bounds
from trailers12k.jobs.runner import Retry, StopSignal, never


@dataclass(frozen=True)
class ServiceJob:
    """What a job gives to a source that queries a service.

    folder: for the movies' records and answers. retries: immediate retries of a failed request.
    timeout: seconds to wait for an answer. retry, stop: see `jobs.runner.process`. bounds: of one
    request.
    """

    folder: Path
    retries: int
    timeout: float
    retry: Retry = never
    stop: StopSignal | None = None
    bounds: Bounds = USUAL

    def answer_file(self, mid: str) -> Path:
        """Where the answer about a movie is kept."""
        return inside(self.folder, f"{mid}.answer.json")
