"""The base of all settings models, and the types that their fields share.

Reads and writes nothing. Must not know any section of the configuration.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
)

MESSAGE = "patternErrorMessage"
"""The schema keyword by which editors show, in place of a pattern, words that explain it."""

SECRET = "writeOnly"  # nosec B105  # a keyword
"""The schema keyword of a value that no message may show."""

LABELS = ("[shares]", "[word]")
"""Labels of the two forms of `splits`, which pydantic puts into the place of a fault."""


class Section(BaseModel):
    """A section of the configuration: frozen, strict about types, without unknown keys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


def text(pattern: str, allowed: str) -> Any:
    """The constraints of a text that must match `pattern`, which `allowed` describes in words."""
    return Field(pattern=pattern, json_schema_extra={MESSAGE: allowed})


def _canonical(value: float) -> float:
    """A whole number as an int: 20 and 20.0 mean the same and must rerun nothing."""
    return int(value) if value.is_integer() else value


def without_nulls(entries: object) -> object:
    """A section without the entries that are null, by which the user drops a store or a run."""
    if isinstance(entries, Mapping):
        return {name: entry for name, entry in entries.items() if entry is not None}
    return entries


def _as_list(sources: object) -> object:
    return [sources] if isinstance(sources, str) else sources


def _as_written(sources: tuple[str, ...]) -> str | list[str]:
    """A single source as text, as configurations name it."""
    return sources[0] if len(sources) == 1 else list(sources)


def _unique(values: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(values)) < len(values):
        raise ValueError("an entry is repeated")
    return values


def _is_share(value: float) -> float:
    if value not in SHARES:
        raise ValueError("not in tenths")
    return value


SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)

Number = Annotated[
    float,
    Field(allow_inf_nan=False),
    AfterValidator(_canonical),
    PlainSerializer(lambda value: value),
]
Seconds = Annotated[
    float,
    Field(ge=0, le=86400, allow_inf_nan=False),
    AfterValidator(_canonical),
    PlainSerializer(lambda value: value),
]
Url = Annotated[str, text("^https?://[!-~]{1,2000}$", "a URL that begins with http:// or https://")]
_PATH = r"[^\x00-\x1f\x7f]"
PathText = Annotated[str, text(f"^{_PATH}{{1,1000}}$", "1 to 1,000 printable characters")]
CsvPath = Annotated[str, text(rf"^{_PATH}{{1,1000}}\.csv$", "a path that ends in .csv")]
CreatorName = Annotated[str, StringConstraints(pattern=f"^{_PATH}{{1,200}}$")]
HostName = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9.-]{1,253}$")]
Sha256 = Annotated[
    str, text("^[0-9a-f]{8,64}$", "8 to 64 hexadecimal digits in lower case, the hash's beginning")
]
Md5 = Annotated[str, text("^[0-9a-f]{32}$", "32 hexadecimal digits in lower case")]
Device = Annotated[str, text("^(auto|cpu|cuda(:[0-9]+)?)$", "auto, cpu, cuda, or cuda:N")]
ModelName = Annotated[
    str,
    text(
        "^((torchvision|timm|shufflenet3d|logmel|silero)/[A-Za-z0-9_.]{1,100}"
        "|hf/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}/[A-Za-z0-9][A-Za-z0-9_.-]{0,95}(@[A-Za-z0-9_.-]{1,64})?)$",
        "torchvision/NAME.WEIGHTS, timm/NAME.TAG, shufflenet3d/1.0x, logmel/64, silero/vad, or "
        "hf/OWNER/NAME@REV",
    ),
]
PlayerClient = Annotated[str, text("^-?[A-Za-z0-9_]{1,60}$", "the name of a client, or -NAME")]
PlayerClients = Annotated[
    tuple[PlayerClient, ...],
    Field(strict=False, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_unique),
]
_TOKEN = r"[A-Za-z0-9_]+(\.[A-Za-z]+)?\+[^\s,+]+"  # nosec B105  # a pattern
PoToken = Annotated[
    str,
    Field(
        pattern=f"^{_TOKEN}(, ?{_TOKEN})*$",
        json_schema_extra={
            MESSAGE: "CLIENT.CONTEXT+TOKEN, or several joined by commas",
            SECRET: True,
        },
    ),
]
Words = Annotated[
    str,
    text(
        r"^[^\x00-\x09\x0b-\x1f\x7f]{1,10000}$", "1 to 10,000 printable characters and line breaks"
    ),
]
License = Annotated[
    str,
    text(
        "^(https?://[!-~]{1,2000}|[A-Za-z0-9][A-Za-z0-9.+-]{0,59})$",
        "an SPDX identifier such as CC-BY-4.0, or a URL",
    ),
]
_MAIL = r"[A-Za-z0-9.!$%*+=_~-]{1,64}@[A-Za-z0-9-]{1,63}([.][A-Za-z0-9-]{1,63}){1,8}"
_LINK = r"https?://[!#-&(-;=?-Z_a-z~\[\]]{1,2000}"
Contact = Annotated[
    str,
    text(
        f"^({_LINK}|(mailto:)?{_MAIL})$",
        "an e-mail address such as trailers@example.org, with or without mailto:, or a URL",
    ),
]
Doi = Annotated[str, text("^10[.][0-9]{4,9}/[!-~]{1,200}$", "a DOI such as 10.5281/zenodo.5716410")]
Orcid = Annotated[
    str, text("^([0-9]{4}-){3}[0-9]{3}[0-9X]$", "an ORCID iD such as 0000-0002-1825-0097")
]
ReleaseVersion = Annotated[
    str, text("^[0-9A-Za-z][0-9A-Za-z.+-]{0,39}$", "a version such as 1.0.0")
]

SearchAddress = Annotated[
    str, text(r"^[ -~]*\{query\}[ -~]*$", "text that contains {query}, in ASCII")
]

StoreName = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_]{1,60}$")]
RunName = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_+-]{1,60}$")]
RecordFile = Annotated[
    str, StringConstraints(pattern=r"^(mtgc\.csv|[A-Za-z0-9_]{1,60}\.zarr\.tar\.gz)$")
]

Pause = Annotated[tuple[Seconds, Seconds], Field(strict=False)]
"""The shortest and the longest pause in seconds."""

Year = Annotated[int, Field(ge=1870, le=2100)]
Genre = Literal[
    "action",
    "adventure",
    "comedy",
    "crime",
    "drama",
    "fantasy",
    "horror",
    "romance",
    "sci-fi",
    "thriller",
]
Share = Annotated[float, AfterValidator(_is_share), Field(json_schema_extra={"enum": list(SHARES)})]
Parallel = Annotated[int, Field(ge=1, le=32)]
ImageFrames = Annotated[int, Field(ge=1, le=240)]
Context = Annotated[
    float,
    Field(ge=0, le=30, allow_inf_nan=False),
    AfterValidator(_canonical),
    PlainSerializer(lambda value: value),
]
Precision = Literal["fp32", "bf16", "auto"]
Batch = Annotated[int, Field(ge=1)] | Literal["auto"]
Weights = Literal["random", "pretrained"]
Input = Literal["frames", "clips", "posters", "audio"]
Variant = Literal["masked", "whole", "weighted", "sklearn"]
Variants = Annotated[
    tuple[Variant, ...],
    Field(strict=False, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_unique),
]
Baselines = Annotated[
    tuple[Literal["linear", "knn"], ...],
    Field(strict=False, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_unique),
]


_Lists = Annotated[
    tuple[Annotated[tuple[StoreName, ...], Field(min_length=1)], ...], Field(min_length=1)
]


def _as_groups(groups: object) -> str | tuple[tuple[str, ...], ...]:
    """`all`, `each`, or lists of names. Raises ValueError."""
    if groups in ("all", "each"):
        return str(groups)
    if not isinstance(groups, list | tuple) or not groups:
        raise ValueError("neither all, each, nor lists of stores")
    for group in groups:
        is_list = isinstance(group, list | tuple) and group
        if not is_list or not all(isinstance(name, str) for name in group):
            raise ValueError("not a list of stores")
    return tuple(tuple(group) for group in groups)


FeatureGroups = Annotated[
    str | tuple[tuple[str, ...], ...],
    PlainValidator(_as_groups, json_schema_input_type=Literal["all", "each"] | _Lists),
    PlainSerializer(lambda groups: groups if isinstance(groups, str) else [*map(list, groups)]),
]
MovieSources = Annotated[
    tuple[PathText, ...],
    Field(strict=False, min_length=1),
    BeforeValidator(
        _as_list,
        json_schema_input_type=PathText | Annotated[tuple[PathText, ...], Field(min_length=1)],
    ),
    PlainSerializer(_as_written),
]
