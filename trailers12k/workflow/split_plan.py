"""What splits by year or by duplicates need beside ordinary splits: none for the latter.

Reads and writes nothing. Must not know how movies are assigned.
"""

from typing import Any

from trailers12k.evaluation.rows import LINEAR, result_rows
from trailers12k.settings import Settings, plain
from trailers12k.settings.sections import SplitSettings
from trailers12k.splits.modes import AUTO, BY_YEAR, DUPLICATES, EFFECT, STANDARD

FLAGS = "results/tables/flags.csv"


class SplitPlan:
    """The files and params of the section `splits`."""

    def __init__(self, settings: Settings):
        self._settings = settings
        splits = settings.splits
        self.by_year = splits == BY_YEAR
        """Whether movies are split by year."""
        self.by_duplicates = isinstance(splits, SplitSettings) and splits.by_duplicates
        """Whether duplicates found by the review stay in one subset."""

    @property
    def mode(self) -> str:
        """`BY_YEAR`, `AUTO`, or empty for ordinary splits."""
        return BY_YEAR if self.by_year else AUTO if self.by_duplicates else ""

    @property
    def duplicates(self) -> list[str]:
        """The table of duplicates that make_splits reads, if there is one."""
        return [DUPLICATES] if self.by_duplicates else []

    @property
    def before(self) -> list[str]:
        """The intermediate products that splits wait for."""
        return [FLAGS, DUPLICATES] if self.by_duplicates else []

    @property
    def effect(self) -> list[str]:
        """The comparison with standard splits, where splits are not ordinary ones."""
        return [EFFECT] if self.mode else []

    @property
    def products(self) -> list[str]:
        """All that the comparison makes."""
        return [EFFECT, STANDARD] if self.mode else []

    @property
    def standard(self) -> dict[str, Any]:
        """Param: the plain settings of the standard splits."""
        splits = self._settings.splits
        own = splits if isinstance(splits, SplitSettings) else SplitSettings()
        return plain(own) | {"groups": None}

    @property
    def row_stores(self) -> dict[str, list[str]]:
        """Param: the sets of stores, each by the first run that uses it."""
        rows = result_rows(self._settings.for_results()["runs"], [LINEAR])
        return {r.run: list(r.streams.values()) for r in rows if r.classifier == LINEAR}
