"""Which trailers a person should check first, and why.

Reads the table of trailers, embeddings and, through `near_duplicates`, contact sheets. Must not
know about pages.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from trailers12k.common.reason_words import phrase
from trailers12k.common.vocabulary import OK
from trailers12k.movies.titles import other_year, similarity
from trailers12k.review.near_duplicates import pairs
from trailers12k.video import video_flags

FLAGS = {
    "lost": "No trailer to check: none was found, downloaded or readable.",
    "duration": "Much shorter or longer than the other trailers: a teaser, a scene, a whole film.",
    "title": "The title of the video is a different one, or names another year.",
    "duplicate": "The same file as another movie's trailer.",
    "near_duplicate": "The same shots as another movie's trailer.",
    "black": "A large part is black.",
    "frozen": "The picture does not change for a long time.",
    "slideshow": "Still pictures instead of motion.",
    "aspect": "Upright, square, or extremely wide.",
    "few_shots": "Hardly any cuts: a scene or an interview instead of a trailer.",
    "corrupt": "Some frames of the file are damaged.",
    "no_sound": "Nothing can be heard: no sound track, silence, or a damaged one.",
    "mostly_silent": "More than half of the trailer is silent.",
    "unusual_file": "The file is read in an unusual way, which may show.",
}
"""The flags in the order in which they are listed -> their meaning."""
COLUMNS = ["mid", "flag", "words", "others"]
"""Columns of flags.csv. words: the reason, with the numbers behind it. others: mids of the other
trailers that the flag is about, joined by `|`."""
NUMBERS = [
    *("duration", "height", "width", "frames", "corrupt", "shots", "black", "still", "frozen"),
    *("loudness", "silence", "speech"),
]
"""The columns of trailers.csv that are numbers."""

SHORT, LONG = 1 / 3, 2.5
"""Factors of the median duration. Real trailers take about 150 s, and seldom less than 60 s or more
than 240 s."""
LONGEST = 600
"""Seconds that no trailer exceeds, whatever the median; `movies.sources.search` agrees."""
TITLE = 0.5
"""Likeness up to which titles count as different: "The Fly" and "The Matrix" have 0.5."""
BLACK = 0.3
"""Share of black frames. Trailers fade to black often; 0.1 is usual."""
FROZEN = 8
"""Seconds without change; cards at the beginning and the end stay for five."""
FROZEN_SHARE, FROZEN_LEAST = 1 / 3, 1
"""For short trailers: this share of the duration, but at least this many seconds."""
STILL = 0.5
"""Share of frames that equal the frame a quarter of a second before. Films have hardly any outside
of cards; nor does animation that draws every third frame."""
FRAME_RATE = 6
"""Frames per second: half of the slowest animation."""
ASPECTS = (1.2, 2.6)
"""Width / height: old television has 1.33, the widest common film format 2.39."""
SILENCE = 0.5
"""Share of the trailer below -60 dB. Trailers are mixed loud; their pauses take a few percent."""
NO_SOUND = {
    "no_track": "the file has no sound track",
    "silent": "the sound track is silent",
    "damaged": "the sound track is damaged",
    "video_only": "it was downloaded without sound; trailers: {refetch: no_sound} fetches it again",
}
"""Cell of the column `sound` -> the reason of the flag `no_sound`. `video_only` raises it where
most trailers have sound: in a collection from before sound was kept, it says nothing of one."""
SHOT_RATE = 0.25
"""Factor of the median shots per second. Genres differ by a factor of two."""


class Flag(NamedTuple):
    """A row of flags.csv; see `COLUMNS`."""

    mid: str
    flag: str
    words: str
    others: str = ""


def flag(
    trailers: pd.DataFrame, embeddings: Mapping[str, pd.DataFrame], sheets: Path | None = None
) -> pd.DataFrame:
    """The flags of all trailers: rows of `COLUMNS`, by mid, then in the order of `FLAGS`.

    trailers: results/tables/trailers.csv, read as text. Empty cells raise no flag. embeddings:
    store of trailers -> rows of map/STORE.csv. sheets: folder of contact sheets.
    """
    table = trailers.copy()
    for name in NUMBERS:
        # Not by DataFrame.apply, which leaves the columns of an empty table as texts.
        table[name] = pd.to_numeric(table[name], errors="coerce")
    text = table.columns.difference(NUMBERS)
    table[text] = table[text].fillna("").astype(str)
    present = table[table["status"] == OK]
    if (present["sound"] == OK).mean() <= 0.5:
        present = present.assign(sound=present["sound"].replace("video_only", ""))
    medians = present.assign(rate=_shot_rate(present)).median(numeric_only=True)
    flags = [
        *_lost(table[table["status"] != OK]),
        *_copies(present, embeddings, sheets),
        *(each for row in present.itertuples() for each in _flags_of(row, medians)),
    ]
    order = {name: place for place, name in enumerate(FLAGS)}
    flags.sort(key=lambda row: (row.mid, order[row.flag]))
    return pd.DataFrame(flags, columns=COLUMNS)


def _shot_rate(table: pd.DataFrame) -> pd.Series:
    return table["shots"] / table["duration"].where(table["duration"] > 0)


def _lost(table: pd.DataFrame) -> Iterator[Flag]:
    for row in table.itertuples():
        yield Flag(row.mid, "lost", f"{row.stage}: {phrase(row.reason) or row.status}")


def _copies(
    present: pd.DataFrame, embeddings: Mapping[str, pd.DataFrame], sheets: Path | None
) -> Iterator[Flag]:
    titles = dict(zip(present["mid"], present["title"], strict=True))
    sha256 = dict(zip(present["mid"], present["sha256"], strict=True))
    for _, same in present[present["sha256"] != ""].groupby("sha256"):
        for mid in same["mid"] if len(same) > 1 else ():
            others = [other for other in same["mid"] if other != mid]
            words = f"the same file as {_listed(_name(other, titles) for other in others)}"
            yield Flag(mid, "duplicate", words, "|".join(others))
    near: dict[str, dict[str, str]] = {}
    for pair, reason in pairs(present, embeddings, sheets).items():
        if pair[0] not in titles or pair[1] not in titles:
            continue
        if sha256[pair[0]] and sha256[pair[0]] == sha256[pair[1]]:
            continue
        for mid, other in (pair, pair[::-1]):
            near.setdefault(mid, {})[other] = f"like {_name(other, titles)}: {reason}"
    for mid, reasons in near.items():
        yield Flag(mid, "near_duplicate", "; ".join(reasons.values()), "|".join(reasons))


def _name(mid: str, titles: Mapping[str, str]) -> str:
    return f"{mid} {titles[mid]}".rstrip()


def _listed(names: Iterable[str], most: int = 5) -> str:
    names = list(names)
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _flags_of(row: Any, medians: pd.Series) -> Iterator[Flag]:
    """The flags that a trailer's own row raises, compared with the medians of the collection.

    row: of `DataFrame.itertuples`. A missing number is NaN, for which every comparison is false.
    """

    def raised(name: str, words: str) -> Flag:
        return Flag(row.mid, name, words)

    duration, median = row.duration, medians["duration"]
    if duration < SHORT * median or duration > min(LONG * median, LONGEST):
        yield raised("duration", f"{_seconds(duration)}; the median is {_seconds(median)}")
    same = similarity(row.title, row.video_title)
    year = other_year(row.title, row.year, row.video_title)
    if same is not None and (same <= TITLE or year):
        yield raised("title", f"“{row.video_title}”" + (f" names {year}" if year else ""))
    if row.black > BLACK:
        yield raised("black", f"{row.black:.0%} of the frames are black")
    least = max(FROZEN_LEAST, FROZEN_SHARE * duration)
    if row.frozen >= FROZEN or row.frozen >= least:
        yield raised("frozen", f"{_seconds(row.frozen)} of {_seconds(duration)} without any change")
    frame_rate = row.frames / duration if duration > 0 else float("nan")
    if row.still > STILL:
        yield raised("slideshow", f"{row.still:.0%} of the frames repeat an earlier one")
    elif frame_rate < FRAME_RATE:
        yield raised("slideshow", f"{frame_rate:.1f} frames per second")
    aspect = row.width / row.height if row.height > 0 else float("nan")
    if aspect < ASPECTS[0] or aspect > ASPECTS[1]:
        yield raised("aspect", f"{row.width:.0f}x{row.height:.0f}")
    rate = row.shots / duration if duration > 0 else float("nan")
    if rate < SHOT_RATE * medians["rate"] or (row.shots == 1 and medians["shots"] > 2):
        shots = f"{row.shots:.0f} shot{'' if row.shots == 1 else 's'} in {_seconds(duration)}"
        usual = medians["rate"] * duration
        yield raised("few_shots", f"{shots}; {usual:.0f} would be usual")
    if row.corrupt > 0:
        total = f" of {row.frames:.0f}" if row.frames > 0 else ""
        yield raised("corrupt", f"{row.corrupt:.0f}{total} frames are damaged")
    if row.sound in NO_SOUND:
        yield raised("no_sound", NO_SOUND[row.sound])
    elif row.silence > SILENCE:
        yield raised("mostly_silent", f"{row.silence:.0%} is silent")
    if row.file_flags:
        words = [video_flags.FLAGS.get(word, word) for word in row.file_flags.split("|")]
        yield raised("unusual_file", " ".join(words))


def _seconds(value: float) -> str:
    if not value >= 0:
        return "an unknown duration"
    return f"{value:.1f} s" if value < 20 else f"{value:.0f} s"
