"""Which kept results belong to jobs of the present configuration.

Reads and writes nothing. Must not know how results are kept.
"""

import re
from collections.abc import Callable

from trailers12k.common.vocabulary import SPLITS
from trailers12k.settings import Settings
from trailers12k.workflow.feature_plan import FeaturePlan

SHARD = re.compile(r"\d{3}", re.ASCII)


def is_current_job(settings: Settings) -> Callable[[tuple[str, ...]], bool]:
    """A function: whether a job, as parts of its name such as ("train_run", "Swin", "split0"), is
    of a store, group of stores or run of the configuration, or of neither."""
    features = FeaturePlan(settings)
    named = {*features.stores, *features.runs, *(f"split{split}" for split in SPLITS), "all"}
    named |= {group.name for group in features.groups}

    def is_current(parts: tuple[str, ...]) -> bool:
        return all(part in named or SHARD.fullmatch(part) for part in parts[1:])

    return is_current
