"""What a publication says of its dataset: what the run counted, and what its authors wrote.

Reads and writes nothing. Must not know the formats in which a publication says it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True)
class Creator:
    """Who made the dataset. name: `Family, Given` of a person, or that of an organisation."""

    name: str
    affiliation: str = ""
    orcid: str = ""


@dataclass(frozen=True)
class Statements:
    """What the authors wrote below `publish` in the configuration; empty where they wrote nothing.

    The fields are the keys of `PublishSettings`, which has their meanings.
    """

    title: str = ""
    description: str = ""
    version: str = "1.0.0"
    creators: Sequence[Creator] = ()
    license: str = ""
    url: str = ""
    doi: str = ""
    contact: str = ""
    keywords: Sequence[str] = ()
    use_cases: str = ""
    limitations: str = ""
    social_impact: str = ""
    personal_data: str = ""
    annotators: str = ""
    maintenance: str = ""
    frames: bool = False
    frame_side: int = 128

    @property
    def missing(self) -> list[str]:
        """The keys of `publish` that a publication needs and that say nothing, in their order."""
        return [name for name in NEEDED if not getattr(self, name)]


NEEDED = (
    *("title", "description", "creators", "license", "url", "contact", "use_cases", "limitations"),
    *("social_impact", "personal_data", "annotators", "maintenance"),
)
"""The keys of `publish` whose absence is named. A DOI comes with the first upload."""


@dataclass(frozen=True)
class Licence:
    """Under what weights may be used. text: as their publisher states it, `not stated`, or `none`
    for random weights. non_commercial: whether it forbids commercial use."""

    text: str
    non_commercial: bool = False


@dataclass(frozen=True)
class StoreFacts:
    """One store. input: `frames`, `clips` or `posters`. features: numbers of a row. rows: of all
    movies together. model, weights: names; `random` weights are untrained. attributes: of the
    store, without paths of this machine. lost: reason of the ledger -> movies."""

    name: str
    input: str
    features: int
    movies: int
    rows: int
    model: str
    weights: str
    weights_source: str
    licence: Licence
    attributes: Mapping[str, Any]
    lost: Mapping[str, int]


@dataclass(frozen=True)
class Loss:
    """Movies that a stage lost. stage: of the ledger. status: `failed` or `skipped`. reason: one
    word of the ledger. meaning: the reason in words. mids: of these movies."""

    stage: str
    status: str
    reason: str
    movies: int
    meaning: str
    mids: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Subset:
    """A subset of a split. genres: genre -> share of its movies that have it, from 0 to 1."""

    split: str
    name: str
    movies: int
    genres: Mapping[str, float]


@dataclass(frozen=True)
class Facts:
    """All that a publication says of its dataset.

    statements: of its authors. movies: in the movie table. labelled: in mtgc.csv. trailers: whole
    ones. clips: of all trailers. seconds: of all trailers. years: first of a decade -> movies.
    genres: genre -> movies of mtgc.csv. pairs: two genres -> movies with both. losses: by stage.
    complete: movies with every store. decisions: kind of a person's decision -> movies.
    decided: movies of the table that a person decided about; rejected ones are no longer there.
    addresses: movies that have a public address of a trailer or poster.
    began, ended: first and last day of the collection, in UTC; None where unknown. stores: in the
    order of the configuration. subsets: of all splits. results: rows of results/summary.csv, texts.
    settings: results/config.yaml. sources: of movies, as the configuration names them, paths by
    their file names only. credits: the notices that the sources demand. versions: program ->
    version. notes: further known biases in sentences, each with its figures. example: mid of a
    movie that is in every store, or else in the first one.
    """

    statements: Statements
    movies: int
    labelled: int
    trailers: int
    complete: int
    clips: int
    seconds: float
    years: Mapping[int, int]
    genres: Mapping[str, int]
    pairs: Mapping[tuple[str, str], int]
    losses: Sequence[Loss]
    decisions: Mapping[str, int]
    began: date | None
    ended: date | None
    stores: Sequence[StoreFacts]
    subsets: Sequence[Subset]
    results: Sequence[Mapping[str, str]]
    settings: Mapping[str, Any]
    sources: Sequence[str]
    credits: Sequence[str]
    versions: Mapping[str, str]
    notes: Sequence[str] = field(default=())
    example: str = ""
    decided: int = 0
    addresses: int = 0


@dataclass(frozen=True)
class PublishedFile:
    """A file of the publication. path: below its folder, with `/`. content: what it holds, in one
    sentence. sha256, md5: of its bytes. record: number of the record, from 1, that it is uploaded
    to."""

    path: str
    bytes: int
    sha256: str
    md5: str
    content: str
    record: int = 1
