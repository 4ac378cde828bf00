"""Sections of the configuration that say where movies come from.

Reads and writes nothing. Must not know how a source is read.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from trailers12k.settings.fields import (
    CsvPath,
    Genre,
    Md5,
    Number,
    PathText,
    Pause,
    RecordFile,
    SearchAddress,
    Section,
    Url,
    Year,
)
from trailers12k.settings.paper import RECORD_URL

RecordSums = Annotated[
    Mapping[RecordFile, Md5 | None], Field(json_schema_extra={"required": ["mtgc.csv"]})
]


class SampleSettings(Section):
    """The built-in sample, used with `movies: sample`."""

    movies: int = Field(
        default=40,
        ge=10,
        le=1000,
        description="Number of intact movies. Four broken ones are added to show how failures are "
        "reported.",
    )


class Trailers12kSource(Section):
    """The published metadata of Trailers12k."""

    metadata: PathText = Field(
        default=f"{RECORD_URL}/metadata.tar.gz",
        description="URL or local path of the metadata: .tar.gz, .json.gz or .json.",
    )
    max_megabytes: Number = Field(
        default=200,
        gt=0,
        le=100_000,
        description="Maximum size of the unpacked metadata in megabytes. Reading takes about ten "
        "times as much memory.",
    )


class ImdbSource(Section):
    """IMDb's non-commercial data files. The filters apply where imdb is the first source."""

    files: PathText = Field(
        default="https://datasets.imdbws.com",
        description="URL or local folder that holds title.basics.tsv.gz and title.ratings.tsv.gz.",
    )
    types: Annotated[tuple[str, ...], Field(strict=False, min_length=1)] = Field(
        default=("movie",), description="IMDb title types to include."
    )
    years: Annotated[tuple[Year, Year], Field(strict=False)] = Field(
        default=(1980, 2025), description="First and last year of release to include."
    )
    votes: int = Field(default=1000, ge=0, description="Minimum number of votes on IMDb.")
    genres: Annotated[tuple[Genre, ...], Field(strict=False, min_length=1)] | None = Field(
        default=None,
        description="Include movies that have at least one of these genres; null: any of the ten.",
    )
    max_megabytes: Number = Field(
        default=4000,
        gt=0,
        le=100_000,
        description="Maximum size of an unpacked file in megabytes. The files are read line by "
        "line.",
    )


class TmdbSource(Section):
    """The Movie Database. Its key is read from the environment variable TMDB_API_KEY."""

    api: Url = Field(default="https://api.themoviedb.org/3", description="URL of the API.")
    images: Url = Field(
        default="https://image.tmdb.org/t/p/w342",
        description="URL of the folder that holds posters of the wanted width.",
    )
    parallel: int = Field(default=4, ge=1, le=16, description="Number of concurrent requests.")


class SearchSource(Section):
    """A search on YouTube for movies that have no trailer."""

    address: SearchAddress = Field(
        default="ytsearch{count}:{query}",
        description="The search term for yt-dlp, with {query} and optionally {count}.",
    )
    candidates: int = Field(
        default=5, ge=1, le=50, description="Number of results to score per movie."
    )
    least_score: Number = Field(
        default=0.6, ge=0, le=1, description="Minimum score of an accepted candidate, from 0 to 1."
    )
    choices: CsvPath = Field(
        default="trailer_choices.csv",
        description="The table of candidates and choices that the search writes. An id, a URL or "
        "`none` in its column `correction` overrides the choice in the next run.",
    )
    pause: Pause = Field(
        default=(5, 10), description="Shortest and longest pause between two searches, in seconds."
    )


class SourceSettings(Section):
    """The settings of each source that `movies` may name."""

    trailers12k: Trailers12kSource = Field(
        default_factory=Trailers12kSource, description="The published metadata."
    )
    imdb: ImdbSource = Field(default_factory=ImdbSource, description="IMDb's data files.")
    tmdb: TmdbSource = Field(default_factory=TmdbSource, description="The Movie Database.")
    search: SearchSource = Field(default_factory=SearchSource, description="YouTube search.")


class PublishedSettings(Section):
    """Published features and splits: the authors' record, or a publication of this workflow.

    `movies: published` takes both from it, `splits: published` the splits.
    """

    files: PathText = Field(
        default=RECORD_URL,
        description="URL or local folder of the record's files, or of a publication that "
        "`trailers12k publish` wrote.",
    )
    md5: RecordSums | None = Field(
        default=None,
        description="Name of each file -> its md5; null where the md5 is unknown. mtgc.csv is "
        "required. null: those in the MD5SUMS of `files`; those of the authors' record, where "
        "`files` is that record, or a local folder without MD5SUMS.",
    )
    keep_archives: bool = Field(
        default=False, description="Whether unpacked archives stay in build/published/."
    )
