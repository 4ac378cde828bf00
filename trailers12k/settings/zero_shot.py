"""The section `zero_shot`: the texts that replace training.

Reads and writes nothing. Must not know how texts are turned into vectors.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from trailers12k.common.text import INVISIBLE, is_printable
from trailers12k.common.vocabulary import GENRES
from trailers12k.settings.fields import Section, text

_PLAIN = r"[^\x00-\x1f\x7f{}]"
MOST_TEMPLATES, MOST_PHRASES = 30, 10
"""Templates of a list, and phrases of a genre: at most 3,000 texts."""


def _unique(texts: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(texts)) < len(texts):
        raise ValueError("an entry is repeated")
    return texts


def _visible(value: str) -> str:
    printable = value.isprintable() and is_printable(value)
    if not printable or not INVISIBLE.sub("", value).strip():
        raise ValueError("not printable, or blank")
    return value


Template = Annotated[
    str,
    Field(max_length=200),
    text(
        rf"^{_PLAIN}*\{{genre\}}{_PLAIN}*$",
        "up to 200 printable characters that contain {genre} once, and no other braces",
    ),
    AfterValidator(_visible),
]
Phrase = Annotated[
    str,
    text(f"^{_PLAIN}{{1,100}}$", "1 to 100 printable characters without braces, not all blank"),
    AfterValidator(_visible),
]


_UNIQUE: dict[str, Any] = {"uniqueItems": True}
Templates = Annotated[
    tuple[Template, ...],
    Field(strict=False, min_length=1, max_length=MOST_TEMPLATES, json_schema_extra=_UNIQUE),
    AfterValidator(_unique),
]
Phrases = Annotated[
    tuple[Phrase, ...],
    Field(strict=False, min_length=1, max_length=MOST_PHRASES, json_schema_extra=_UNIQUE),
    AfterValidator(_unique),
]
Prompts = Annotated[
    Mapping[str, Phrases],
    Field(
        json_schema_extra={
            "required": list(GENRES),
            "propertyNames": {"enum": list(GENRES)},
        }
    ),
]
"""`checks.check` requires the ten genres, and no others."""

PICTURES = (
    "a movie trailer of {genre}.",
    "a frame from {genre}.",
    "a still from the trailer of {genre}.",
    "a scene from {genre}.",
    "a movie poster of {genre}.",
)
SOUND = (
    "the sound of {genre}.",
    "the soundtrack of {genre}.",
    "a trailer of {genre}.",
    "music and voices from {genre}.",
)
PHRASES = {
    "action": ("an action movie", "a movie with fights, chases and explosions"),
    "adventure": ("an adventure movie", "a movie about a quest or a journey to a far place"),
    "comedy": ("a comedy movie", "a funny movie that makes people laugh"),
    "crime": ("a crime movie", "a movie about gangsters, police and murder"),
    "drama": ("a drama movie", "a serious movie about people and their feelings"),
    "fantasy": ("a fantasy movie", "a movie with magic and mythical creatures"),
    "horror": ("a horror movie", "a scary movie with ghosts, monsters or killers"),
    "romance": ("a romance movie", "a movie about two people who fall in love"),
    "sci-fi": ("a science fiction movie", "a movie about the future, space or robots"),
    "thriller": ("a thriller movie", "a suspenseful and tense movie"),
}


class ZeroShotSettings(Section):
    """The texts by which runs with `zero_shot: true` estimate genres; they are recorded."""

    templates: Templates = Field(
        default=PICTURES,
        description="Texts around the phrases of a genre, each with {genre}, for runs on pictures. "
        "A genre's embedding is the mean over all its texts.",
    )
    sound_templates: Templates = Field(
        default=SOUND, description="As `templates`, for runs on sound."
    )
    prompts: Prompts = Field(
        default_factory=lambda: dict(PHRASES),
        description="Genre -> phrases that stand for it, in the place of {genre}; all ten genres.",
    )
