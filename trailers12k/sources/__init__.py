"""Where movies come from: each source is a module that gives the same records."""

from collections.abc import Mapping

from trailers12k.config import SAMPLE
from trailers12k.movies import Movie
from trailers12k.sources import sample, table


def load(config: Mapping) -> list[Movie]:
    """The movies that the configuration names, sorted by mid. Raises `UserError`."""
    if config["movies"] == SAMPLE:
        return sample.movies(config["sample"]["movies"], config["seed"])
    return table.read(config["movies"])
