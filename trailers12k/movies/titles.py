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
"""Words that surround a movie's title in the title of its trailer."""

BEFORE = re.compile(
    r"new|first|final|main|theatrical|international|original|exclusive|extended|red|band|us|uk"
)
"""Words that precede those of `AROUND`: "Moon new trailer" is the title "Moon", but "New Moon
trailer" is another movie."""

YEAR = re.compile(r"(19|20)\d\d", re.ASCII)

NUMBERS = {
    **{"one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7"},
    **{"eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13"},
    **{"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"},
}
"""Numbers as words. The Roman 1, 5 and 10 are left out, since they are also letters."""


def similarity(title: str, video: str) -> float | None:
    """The share of words that a movie's title and its video's title have in common, 0 to 1.

    None where either has no words. Words such as "official trailer" around a title do not count. A
    title of several words that the video contains as a whole scores 1, since subtitles of movies
    are often left out.
    """
    own, words = words_of(title), words_of(video)
    if not (own and words):
        return None
    if len(own) > 1 and f" {' '.join(own)} " in f" {' '.join(words)} ":
        return 1.0
    return best_match(words, own)[0]


def other_year(title: str, year: str, video: str) -> str:
    """A year in a video's title that differs from the movie's by more than one; else empty."""
    years = years_in(Counter(words_of(video)) - Counter(words_of(title)))
    return years[0] if year not in years and has_other_year(years, year) else ""


def words_of(text: str) -> list[str]:
    """The words of a title, without case and accents; numbers as digits."""
    text = unicodedata.normalize("NFKD", text).casefold().replace("&", " and ")
    text = "".join(letter for letter in text if not unicodedata.combining(letter))
    words = re.findall(r"[^\W_]+", re.sub("['’‘]", "", text))
    return [NUMBERS.get(word, word) for word in words]


def years_in(words: Iterable[str]) -> list[str]:
    """The words that are years from 1900 to 2099."""
    return [word for word in words if YEAR.fullmatch(word)]


def has_other_year(years: Iterable[str], year: str) -> bool:
    """Whether any of the years differs from the movie's by more than one; never without one."""
    return bool(year) and any(abs(int(other) - int(year)) > 1 for other in years)


def numbers_in(words: Iterable[str]) -> set[str]:
    """The numbers of a title, as digits; without 1, since a first part is often not numbered."""
    return {word for word in words if word.isdecimal()} - {"1"}


def best_match(words: Sequence[str], title: Sequence[str]) -> tuple[float, list[str]]:
    """The part of a video's title that is most similar to a movie's title.

    words, title: words of the two titles. Returns the similarity, 0 to 1, and the words of the
    part.
    """
    return max(((_overlap(title, run), run) for run in _runs(words, title)), key=lambda r: r[0])


def _runs(words: Sequence[str], own: Sequence[str]) -> Iterator[list[str]]:
    """The runs of words between those that surround a title, from the last run to the first."""
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


def _overlap(one: Sequence[str], other: Sequence[str]) -> float:
    """The share of words that two titles have in common (Dice's coefficient), 0 to 1."""
    both = (Counter(one) & Counter(other)).total()
    return 2 * both / max(1, len(one) + len(other))
