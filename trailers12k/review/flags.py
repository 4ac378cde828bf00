"""Which trailers a person should look at first, and why.

Reads tables that a run makes, and contact sheets through `twins`. Must not know about pages.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pandas as pd

from trailers12k.movies.titles import other_year, similarity
from trailers12k.review import near_duplicates as twins

FLAGS = {
    "lost": "No trailer to look at: it was not found, fetched or read.",
    "duration": "Much shorter or longer than the others: a teaser, a clip, a whole film.",
    "title": "The site calls the video something else, or names another year.",
    "duplicate": "The very same file as another movie's trailer.",
    "near_duplicate": "Shows the same shots as another movie's trailer.",
    "black": "Black for a large part.",
    "frozen": "The picture stands still for a long time.",
    "slideshow": "Single pictures rather than a film.",
    "aspect": "Upright, square, or very wide.",
    "few_shots": "Hardly any cuts: a scene or an interview rather than a trailer.",
    "corrupt": "Pictures of the file are damaged.",
}
"""The flags, in the order in which they are told, and what each means."""
COLUMNS = ["mid", "flag", "words"]
NUMBERS = [
    *("duration", "height", "width", "frames", "corrupt", "shots", "black", "still", "frozen")
]

SHORT, LONG = 1 / 3, 2.5
"""Of the median duration. Trailers of one kind differ by less: real ones take two minutes and a
half, seldom less than one or more than four."""
LONGEST = 600
"""Seconds that no trailer takes, whatever the others do; `sources.search` holds the same."""
TITLE = 0.5
"""Likeness of titles up to which they are different: "The Fly" and "The Matrix" have 0.5."""
BLACK = 0.3
"""Share of pictures. A trailer fades a lot: a tenth is usual."""
STANDING = 8
"""Seconds; cards at the beginning and the end stand for five."""
STANDING_SHARE, STANDING_LEAST = 1 / 3, 1
"""And of short trailers: this share of the whole, and so many seconds."""
STILL = 0.5
"""Share of pictures that do not differ from the one a quarter of a second before. In a film hardly
any, but for cards; in animation that moves every third frame none either."""
PICTURES = 6
"""A second: half of the slowest animation."""
ASPECTS = (1.2, 2.6)
"""Width by height: old television has 1.33, the widest usual film 2.39."""
SHOTS = 0.25
"""Of the median number of shots a second. Genres differ by a factor of two."""


def flag(
    trailers: pd.DataFrame, maps: Mapping[str, pd.DataFrame], sheets: Path | None = None
) -> pd.DataFrame:
    """The flags of all trailers: `mid,flag,words`, by mid, then in the order of `FLAGS`.

    trailers: results/tables/trailers.csv, read as text. What is missing raises no flag.
    maps: of each store of trailers, results/map/STORE.csv. sheets: folder of contact sheets.
    """
    table = trailers.copy()
    table[NUMBERS] = table[NUMBERS].apply(pd.to_numeric, errors="coerce")
    text = table.columns.difference(NUMBERS)
    table[text] = table[text].fillna("").astype(str)
    good = table[table["status"] == "ok"]
    usual = good.assign(rate=_rate(good)).median(numeric_only=True)
    found = [
        *_lost(table[table["status"] != "ok"]),
        *_copies(good, maps, sheets),
        *(each for row in good.itertuples() for each in _of_one(row, usual)),
    ]
    order = {name: place for place, name in enumerate(FLAGS)}
    found.sort(key=lambda row: (row[0], order[row[1]]))
    return pd.DataFrame(found, columns=COLUMNS)


Row = tuple[str, str, str]


def _rate(table: pd.DataFrame) -> pd.Series:
    return table["shots"] / table["duration"].where(table["duration"] > 0)


def _lost(table: pd.DataFrame) -> Iterator[Row]:
    for row in table.itertuples():
        yield row.mid, "lost", f"{row.stage}: {row.reason.replace('_', ' ') or row.status}"


def _copies(good: pd.DataFrame, maps: Mapping[str, pd.DataFrame], sheets: Path | None):
    titles = dict(zip(good["mid"], good["title"], strict=True))
    sha256 = dict(zip(good["mid"], good["sha256"], strict=True))
    for _, same in good[good["sha256"] != ""].groupby("sha256"):
        for mid in same["mid"] if len(same) > 1 else ():
            others = [_name(other, titles) for other in same["mid"] if other != mid]
            yield mid, "duplicate", f"the same file as {_and(others)}"
    near: dict[str, list[str]] = {}
    for pair, words in twins.pairs(good, maps, sheets).items():
        if pair[0] not in titles or pair[1] not in titles:
            continue
        if sha256[pair[0]] and sha256[pair[0]] == sha256[pair[1]]:
            continue
        for mid, other in (pair, pair[::-1]):
            near.setdefault(mid, []).append(f"like {_name(other, titles)}: {words}")
    for mid, told in near.items():
        yield mid, "near_duplicate", "; ".join(told)


def _name(mid: str, titles: Mapping[str, str]) -> str:
    return f"{mid} {titles[mid]}".rstrip()


def _and(names: Iterable[str], most: int = 5) -> str:
    names = list(names)
    more = f", and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _of_one(row, usual: pd.Series) -> Iterator[Row]:
    """What is told of a trailer by itself and by the collection's medians. Comparisons with what is
    not known are false."""

    def told(name: str, words: str) -> Row:
        return row.mid, name, words

    duration, median = row.duration, usual["duration"]
    if duration < SHORT * median or duration > min(LONG * median, LONGEST):
        yield told("duration", f"{_seconds(duration)}; the median is {_seconds(median)}")
    same = similarity(row.title, row.video_title)
    year = other_year(row.title, row.year, row.video_title)
    if same is not None and (same <= TITLE or year):
        yield told("title", f"“{row.video_title}”" + (f" names {year}" if year else ""))
    if row.black > BLACK:
        yield told("black", f"{row.black:.0%} of the pictures are black")
    least = max(STANDING_LEAST, STANDING_SHARE * duration)
    if row.frozen >= STANDING or row.frozen >= least:
        yield told("frozen", f"{_seconds(row.frozen)} of {_seconds(duration)} without any change")
    pictures = row.frames / duration if duration > 0 else float("nan")
    if row.still > STILL:
        yield told("slideshow", f"{row.still:.0%} of the pictures are the one before")
    elif pictures < PICTURES:
        yield told("slideshow", f"{pictures:.1f} pictures a second")
    aspect = row.width / row.height if row.height > 0 else float("nan")
    if aspect < ASPECTS[0] or aspect > ASPECTS[1]:
        yield told("aspect", f"{row.width:.0f}x{row.height:.0f}")
    rate = row.shots / duration if duration > 0 else float("nan")
    if rate < SHOTS * usual["rate"] or (row.shots == 1 and usual["shots"] > 2):
        shots = f"{row.shots:.0f} shot{'' if row.shots == 1 else 's'} in {_seconds(duration)}"
        like = usual["rate"] * duration
        yield told("few_shots", f"{shots}; {like:.0f} would be usual")
    if row.corrupt > 0:
        of = f" of {row.frames:.0f}" if row.frames > 0 else ""
        yield told("corrupt", f"{row.corrupt:.0f}{of} pictures")


def _seconds(value: float) -> str:
    if not value >= 0:
        return "an unknown time"
    return f"{value:.1f} s" if value < 20 else f"{value:.0f} s"
