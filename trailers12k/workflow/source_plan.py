"""What the sources of movies need: files, URLs, settings, ledgers, credits, the authors' record.

Reads the corrections in the table of trailer choices, and checks the tables of splits. Must not
read movies.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.sum_files import MD5SUMS
from trailers12k.common.vocabulary import FILLING, PUBLISHED, SAMPLE, SOURCES
from trailers12k.movies import curation
from trailers12k.movies.curation import Decision
from trailers12k.movies.sources.collection import source_key
from trailers12k.movies.sources.credits import credits_of
from trailers12k.settings import Settings, plain
from trailers12k.settings.published_files import (
    ARCHIVE,
    FETCHED,
    LABELS,
    is_on_web,
    md5_of_files,
    md5_of_record,
)
from trailers12k.settings.sections import SplitSettings
from trailers12k.splits.rows import read_group_names, read_positions
from trailers12k.workflow.download_plan import retry_round

PUBLISHED_LISTS = ("trailers12k", "imdb")
"""Sources that are files which users cannot correct."""
IMDB_FILES = ("title.basics.tsv.gz", "title.ratings.tsv.gz")


class SourcePlan:
    """The sources that `movies` and `splits` name."""

    def __init__(self, settings: Settings):
        self._settings = settings
        self.names = settings.movies
        """The sources in their order; any name but a built-in source's is the path of a table."""

    @property
    def tables(self) -> list[str]:
        """The paths of the user's movie tables."""
        return own_tables(self._settings)

    @property
    def decisions_folder(self) -> str:
        """The folder of the user's file of decisions, in which its paths start."""
        path = curation.path_of(self._settings.curation, self.names)
        return str(Path(path).parent) if path else "."

    @property
    def files(self) -> dict[str, dict[str, tuple[str, str]]]:
        """See `source_files`."""
        return source_files(self._settings)

    @property
    def families(self) -> list[str]:
        """The keys of the sources' modules in `SOURCE_MODULES`."""
        return sorted(set(map(source_key, self.names)))

    @property
    def queried(self) -> list[str]:
        """The sources that are queried movie by movie."""
        return [name for name in FILLING if name in self.names]

    @property
    def recorded(self) -> list[str]:
        """The sources that have a ledger: of requests, or of odd rows."""
        return [name for name in self.names if name in (*FILLING, *PUBLISHED_LISTS)]

    @property
    def ledgers(self) -> list[str]:
        """The ledgers of `recorded`."""
        return [f"build/ledger/{name}/all.csv" for name in self.recorded]

    @property
    def credits(self) -> list[str]:
        """The statements that the sources want to be shown with the results."""
        # A publication of this workflow has its own notices.
        is_authors = md5_of_record(self._settings.published) is not None
        names = [name for name in self.names if name != PUBLISHED]
        published = [PUBLISHED] if self.published_table and is_authors else []
        return credits_of([*names, *published])

    @property
    def published_table(self) -> list[str]:
        """The authors' labels and splits, if `movies` or `splits` is `published`."""
        used = self._settings.is_published or self._settings.splits == PUBLISHED
        return ["build/published/mtgc.csv"] if used else []

    def collection_settings(self, decisions: Mapping[str, Decision]) -> dict[str, Any]:
        """All that determines the collected movies, beside the content of files."""
        settings = plain(self._settings.sources)
        for own in settings.values():
            own.pop("max_megabytes", None)
        return {
            "sources": list(self.names),
            "settings": {name: own for name, own in settings.items() if name in self.names},
            "corrections": fingerprint(**self._corrections()),
            # Only what changes the movies: a note does not.
            "decisions": fingerprint(**curation.effects(decisions)),
            "retry_rounds": {
                name: retry_round(self._settings, f"build/sources/{name}", "all")
                for name in self.queried
            },
        }

    def published_file(self, name: str) -> dict[str, str | None]:
        """`address` and `md5` of a file of the published record.

        The md5 is None where it is unknown, and where the job reads it from `published_sums`: the
        param would change once MD5SUMS is fetched.
        """
        published = self._settings.published
        md5 = None if is_on_web(published) else md5_of_files(published).get(name)
        return {"address": f"{published.files.rstrip('/')}/{name}", "md5": md5}

    @property
    def published_sums(self) -> list[str]:
        """Input: the fetched MD5SUMS of a publication on the web."""
        return [FETCHED.as_posix()] if is_on_web(self._settings.published) else []

    @property
    def published_sums_address(self) -> str:
        """Param: the address of MD5SUMS."""
        return f"{self._settings.published.files.rstrip('/')}/{MD5SUMS}"

    def store_archive(self, store: str) -> dict[str, str | None]:
        """`published_file` of the archive of a store."""
        return self.published_file(f"{store}{ARCHIVE}")

    def check_tables(self) -> None:
        """Raise `UserError` for a fault in a table that otherwise only jobs would read."""
        self._corrections()
        for path in self.split_table("extend"):
            read_positions(path)
        for path in self.split_table("groups"):
            read_group_names(path)

    def _corrections(self) -> dict[str, str]:
        """The corrections in the table of trailer choices. Raises `UserError`."""
        if "search" not in self.names:
            return {}
        from trailers12k.movies.sources.trailer_choices import corrections

        return corrections(Path(self._settings.sources.search.choices))

    # Input functions and params of rules.

    def inputs(self, wildcards: Any) -> list[str]:
        """Input: the files and tables that collect_movies reads."""
        return [path for files in self.files.values() for path, _ in files.values()] + self.tables

    def url(self, wildcards: Any) -> str:
        """Param: the URL of a source's file, by the wildcard `file`."""
        wanted = f"build/sources/files/{wildcards.file}"
        return next(
            url for files in self.files.values() for path, url in files.values() if path == wanted
        )

    def published_labels(self, wildcards: Any) -> dict[str, str | None]:
        """Param: `published_file` of the authors' labels and splits."""
        return self.published_file(LABELS)

    def published_store(self, wildcards: Any) -> dict[str, str | None]:
        """Param: `store_archive` of the job's store."""
        return self.store_archive(wildcards.store)

    def split_table(self, key: Literal["extend", "groups"]) -> list[str]:
        """The user's table of `splits.extend` or `splits.groups`, if there is one."""
        splits = self._settings.splits
        tables = splits.tables if isinstance(splits, SplitSettings) else {}
        return [tables[key]] if key in tables else []


def own_tables(settings: Settings) -> list[str]:
    """The paths of the user's movie tables."""
    return [name for name in settings.movies if name not in SOURCES]


def source_files(settings: Settings) -> dict[str, dict[str, tuple[str, str]]]:
    """The files that sources read: source -> name -> (path, URL; empty if it is local)."""
    files: dict[str, dict[str, tuple[str, str]]] = {}
    if "trailers12k" in settings.movies:
        address = settings.sources.trailers12k.metadata
        files["trailers12k"] = {"metadata": _local_path(address)}
    if "imdb" in settings.movies:
        folder = settings.sources.imdb.files.rstrip("/")
        files["imdb"] = {name: _local_path(f"{folder}/{name}") for name in IMDB_FILES}
    return files


def source_settings(settings: Settings) -> dict[str, dict[str, Any]]:
    """Source -> what its module's `read` takes: its own settings, and the paths of its files."""
    own = plain(settings.sources)
    own[SAMPLE] = {"movies": settings.sample.movies, "seed": settings.seed}
    for name, files in source_files(settings).items():
        own[name]["files"] = {key: Path(path) for key, (path, _) in files.items()}
    return own


def _local_path(address: str) -> tuple[str, str]:
    """Where a source's file is, or will be, and its URL; empty if it is local."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return address, ""
    return f"build/sources/files/{Path(parts.path).name}", address
