"""Numbers, names and addresses as the sentences of a publication say them.

Reads and writes nothing. Must not know pages.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trailers12k.common.vocabulary import STREAM_INPUTS
from trailers12k.publish.facts import Facts, StoreFacts
from trailers12k.publish.texts.document import (
    Code,
    Inline,
    Line,
    Link,
    safe_address,
)
from trailers12k.report.numbers import NBSP, count, counted

NOT_STATED = "not stated"
LICENCES = {"none": "none, since the weights are random"}
"""Licence of weights -> how it is said; others say themselves."""
COLLAGE = "collage.jpg"
INPUT_WORDS = {"clips": "one vector per clip", "posters": "one vector per poster"}
"""Input of a store -> what a row of it is; see `row_of` for frames and sound."""
SIDES = re.compile(r"(?:crop_size=\[|CenterCrop\(size=\(|centre crop )(\d+)(?:(?:, |x)(\d+))?")
"""Height and width of a network's input, or the side of a square, in `preprocessing`."""
SOURCES = {
    "sample": "the built-in sample of the workflow",
    "trailers12k": "Trailers12k",
    "imdb": "the files of IMDb",
    "tmdb": "TMDB",
    "search": "a search on YouTube",
}
"""Source of the configuration -> its name; others are tables of the authors."""

DECISIONS = {
    "accept": "accepted as they are",
    "reject": "rejected",
    "wrong_trailer": "had the trailer of something else, which was replaced or removed",
    "unsure": "left open",
}
"""Kind of decision -> what reviewers did with the movies."""


def title(facts: Facts) -> str:
    """The title of the dataset."""
    return facts.statements.title or "A dataset of movie trailers"


def description(facts: Facts) -> str:
    """The description of the dataset; its counts, where the authors wrote none."""
    return facts.statements.description or (
        f"Features, labels and splits of {counted(facts.movies, 'movie')}, of which "
        f"{count(facts.trailers)} have a trailer."
    )


def sentence(text: str) -> str:
    """A statement of the authors with a full stop, for more sentences to follow."""
    text = (text or NOT_STATED.capitalize()).strip()
    return text if text.endswith((".", "!", "?")) else f"{text}."


def row_of(store: StoreFacts) -> str:
    """What a row of a store is made of."""
    if store.input == STREAM_INPUTS["audio"]:
        context = store.attributes.get("context")
        around = (
            f" and {context:g} s around it" if isinstance(context, int | float) and context else ""
        )
        return f"sound of a clip{around}"
    if store.input != "frames":
        return INPUT_WORDS.get(store.input, store.input)
    number = store.attributes.get("image_frames")
    if not isinstance(number, int):
        return "mean over the frames of a clip"
    return "one frame of a clip" if number == 1 else f"mean over {number} frames of a clip"


def side(store: StoreFacts) -> str:
    """Height and width of the network's input in pixels, or the rate of its sound; empty where
    nobody knows."""
    rate = store.attributes.get("sample_rate")
    if store.input == STREAM_INPUTS["audio"]:
        return f"{rate / 1000:g} kHz" if isinstance(rate, int) else ""
    found = SIDES.search(str(store.attributes.get("preprocessing", "")))
    return f"{found[1]} × {found[2] or found[1]} pixels" if found else ""


def origin(facts: Facts) -> str:
    """Where titles, trailers and posters are from."""
    both = "Trailers and posters" if has_posters(facts) else "Trailers"
    if facts.addresses:
        return (
            f"Titles, years, genres and addresses come from {sources(facts)}. {both} were fetched "
            "from these addresses, and each file was decoded as a check."
        )
    return (
        f"Titles, years and genres come from {sources(facts)}. {both} were files without a public "
        "address, and each file was decoded as a check."
    )


def has_posters(facts: Facts) -> bool:
    """Whether a store has features of posters."""
    return any(store.input == "posters" for store in facts.stores)


def controls(settings: Mapping[str, Any]) -> list[str]:
    """The runs that were trained on shuffled labels. settings: results/config.yaml."""
    return _runs_with(settings, "shuffle_labels")


def without_training(settings: Mapping[str, Any]) -> list[str]:
    """The runs that are not trained. settings: results/config.yaml."""
    return _runs_with(settings, "zero_shot")


def _runs_with(settings: Mapping[str, Any], key: str) -> list[str]:
    """The runs whose setting `key` is true."""
    runs = settings.get("runs")
    entries = runs.items() if isinstance(runs, Mapping) else ()
    return [str(name) for name, run in entries if isinstance(run, Mapping) and run.get(key) is True]


def size(number: int) -> str:
    """Bytes in the unit that suits them."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            value = number / factor
            digits = f"{value:.1f}" if value < 9.95 else f"{value:,.0f}"
            return f"{digits}{NBSP}{unit}"
    return f"{number}{NBSP}bytes"


def length(seconds: float) -> tuple[str, str]:
    """A length of time: the figure, and its unit."""
    if seconds < 600:
        return f"{seconds:,.0f}", "seconds"
    if seconds < 36_000:
        return f"{seconds / 60:,.0f}", "minutes"
    return f"{seconds / 3600:,.0f}", "hours"


def is_untrained(store: StoreFacts) -> bool:
    """Whether the weights of a store are random."""
    return store.attributes.get("pretrained") is False


def codes(names: Sequence[str]) -> list[Inline]:
    """Names in a row."""
    parts: list[Inline] = []
    for name in names:
        parts += [*(", " for _ in parts[:1]), Code(name)]
    return parts


def sources(facts: Facts) -> str:
    """The sources of movies, in a row."""
    names = [SOURCES.get(name, f"a table of the authors ({name})") for name in facts.sources]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def time_frame(facts: Facts) -> str:
    """When the dataset was collected; empty where nobody knows."""
    if not (facts.began and facts.ended):
        return ""
    if facts.began == facts.ended:
        return f"on {facts.began}"
    return f"from {facts.began} to {facts.ended}"


def percent(part: float) -> str:
    """A share in % without its unit."""
    return f"{100 * part:.1f}"


def linked(text: str) -> Line:
    """A text that is an address as a link to it; other texts as they are."""
    address = safe_address(text)
    return [Link(text.removeprefix("mailto:"), address)] if address else text
