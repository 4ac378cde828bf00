"""Compares titles of movies with titles of videos.

Reads and writes nothing. Must not know where titles come from.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

AROUND = re.compile(
    r"official|trailers?|teaser|movie|film|hd|uhd|3d|4k|8k|imax|\d{3,4}p|pictures|studios?"
    r"|entertainment|presents|(19|20)\d\d"
)
"""Words around a title that are no part of it."""

BEFORE = re.compile(
    r"new|first|final|main|theatrical|international|original|exclusive|extended|red|band|us|uk"
)
"""And these before them: a "new trailer" is none of "Moon", but "New Moon" is another movie."""

YEAR = re.compile(r"(19|20)\d\d", re.ASCII)

NUMBERS = {
    **{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"},
    **{"eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13"},
    **{"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"},
}
"""Not the Roman 1, 5 and 10, which are words and letters too."""


def likeness(title: str, video: str) -> float | None:
    """How much of a movie's title and of its video's is the same, 0 to 1; None where one of them
    has no words.

    Words that stand around titles, such as "official trailer", do not count. A title of several
    words that is there as a whole is the same: subtitles are not always named.
    """
    own, words = _words(title), _words(video)
    if not (own and words):
        return None
    if len(own) > 1 and f" {' '.join(own)} " in f" {' '.join(words)} ":
        return 1.0
    return _likest(words, own)[0]


def other_year(title: str, year: str, video: str) -> str:
    """The year that a video's title names and that is not the movie's, by more than one; or
    empty."""
    years = _years(Counter(_words(video)) - Counter(_words(title)))
    return years[0] if year not in years and _is_other_year(years, year) else ""


def _years(words: Iterable[str]) -> list[str]:
    return [word for word in words if YEAR.fullmatch(word)]


def _is_other_year(years: Iterable[str], year: str) -> bool:
    return bool(year) and any(abs(int(other) - int(year)) > 1 for other in years)


def _likest(words: Sequence[str], own: Sequence[str]) -> tuple[float, list[str]]:
    """The part of a video's title that is most like a movie's, and how much it is, 0 to 1."""
    return max(((_alike(own, run), run) for run in _runs(words, own)), key=lambda r: r[0])


def _words(text: str) -> list[str]:
    """The words of a title, without case and accents; numbers as digits."""
    text = unicodedata.normalize("NFKD", text).casefold().replace("&", " and ")
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    words = re.findall(r"[^\W_]+", re.sub("['’‘]", "", text))
    return [NUMBERS.get(word, word) for word in words]


def _runs(words: Sequence[str], own: Sequence[str]) -> Iterator[list[str]]:
    """A title's words, cut at those that are no part of a movie's title."""
    run: list[str] = []
    cut = False
    for word in reversed(words):
        around = AROUND.fullmatch(word) or (cut and BEFORE.fullmatch(word))
        if cut := bool(around) and word not in own:
            yield run[::-1]
            run = []
        else:
            run.append(word)
    yield run[::-1]


def _alike(one: Sequence[str], other: Sequence[str]) -> float:
    """How many of the words of two titles are in both: 1 for the same, 0 for others."""
    both = (Counter(one) & Counter(other)).total()
    return 2 * both / max(1, len(one) + len(other))


def _numbers(words: Iterable[str]) -> set[str]:
    """A title's numbers; a first part often has none."""
    return {word for word in words if word.isdecimal()} - {"1"}
