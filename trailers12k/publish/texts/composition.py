"""What a dataset is made of, as sections: counts, genres, splits, and what is missing.

Reads and writes nothing. Must not know HTML or Markdown.
"""

from collections.abc import Sequence

from trailers12k.common.reason_words import phrase
from trailers12k.common.vocabulary import GENRES, SUBSETS
from trailers12k.publish.biases import share
from trailers12k.publish.facts import Facts, PublishedFile, Subset
from trailers12k.publish.texts import losses, original
from trailers12k.publish.texts.document import (
    Block,
    Cell,
    Code,
    Figures,
    Grid,
    Items,
    Line,
    Link,
    Paragraph,
    Picture,
    Section,
)
from trailers12k.publish.texts.words import (
    COLLAGE,
    NOT_STATED,
    codes,
    length,
    percent,
    sources,
    time_frame,
)
from trailers12k.report.numbers import count, counted
from trailers12k.report.split_words import split_words


def overview(facts: Facts, files: Sequence[PublishedFile]) -> Section:
    """Counts, genres, years, and the collage where there is one."""
    figure, unit = length(facts.seconds)
    figures = Figures(
        [
            (count(facts.movies), "movies"),
            (count(facts.trailers), "trailers"),
            (count(facts.clips), "clips"),
            (figure, f"{unit} of trailers"),
            (count(len(facts.genres)), "genres"),
            (count(len(facts.stores)), "feature stores"),
        ]
    )
    blocks: list[Block] = [figures]
    if any(file.path == COLLAGE for file in files):
        words = "Single frames of trailers of the dataset."
        blocks.append(Picture(COLLAGE, words, f"{words} Their rights belong to their owners."))
    blocks.append(Paragraph(_collected(facts)))
    if facts.years:
        blocks.append(_years(facts))
    return Section("overview", "Overview", blocks)


def _collected(facts: Facts) -> str:
    words = f"Movies come from {sources(facts)}. "
    if frame := time_frame(facts):
        words += f"Trailers and posters were collected {frame}. "
    return words + f"{counted(facts.complete, 'movie')} have features in every store."


def _years(facts: Facts) -> Grid:
    known = sum(facts.years.values())
    rows: list[list[str | Cell]] = [
        [f"{first}s", Cell(count(movies), bar=movies / known), share(movies, known)]
        for first, movies in facts.years.items()
    ]
    return Grid("years", "Movies by decade.", ["Decade", "Movies", "Share"], rows, frozenset({2}))


def comparison(facts: Facts) -> Section:
    """The counts of this dataset beside those of Trailers12k."""
    most = max(
        *(movies / max(1, facts.labelled) for movies in facts.genres.values()),
        *(movies / original.MOVIES for movies in original.GENRES.values()),
    )
    rows: list[list[str | Cell]] = []
    for genre in GENRES:
        ours = facts.genres.get(genre, 0) / max(1, facts.labelled)
        theirs = original.GENRES[genre] / original.MOVIES
        rows.append(
            [
                genre,
                Cell(count(facts.genres.get(genre, 0)), bar=ours / most, tick=theirs / most),
                share(ours, 1),
                count(original.GENRES[genre]),
                share(theirs, 1),
            ]
        )
    heads = ["Genre", "Movies here", "Share here", "In Trailers12k", "Share there"]
    genres = Grid(
        "genres",
        "Movies of each genre, and their share of all labelled movies.",
        heads,
        rows,
        frozenset({2, 3, 4}),
        drawing="The bars show the shares here, the marks those of Trailers12k.",
    )
    words: Line = [
        "The counts of ",
        Link("Trailers12k", original.PAGE),
        f" ({original.PAPER}) beside those of this dataset.",
    ]
    return Section(
        "comparison",
        "Comparison with Trailers12k",
        [Paragraph(words), _sizes(facts), genres, _pairs(facts)],
    )


def _sizes(facts: Facts) -> Grid:
    labels = sum(facts.genres.values()) / max(1, facts.labelled)
    theirs = sum(original.GENRES.values()) / original.MOVIES
    shares = {
        subset.name: [each.movies for each in facts.subsets if each.name == subset.name]
        for subset in facts.subsets
    }
    rows: list[list[str | Cell]] = [
        ["Movies", count(facts.movies), count(original.MOVIES)],
        ["Labelled movies", count(facts.labelled), count(original.MOVIES)],
        ["Genres of a movie, mean", f"{labels:.2f}", f"{theirs:.2f}"],
        ["Feature stores", count(len(facts.stores)), count(original.STORES)],
    ]
    for place, name in enumerate(SUBSETS):
        movies = " / ".join(map(count, shares.get(name, []))) or NOT_STATED
        published = " / ".join(count(sizes[place]) for sizes in original.SUBSETS.values())
        rows.append([f"{name.capitalize()} movies, by split", movies, published])
    caption = "Sizes of both datasets."
    return Grid("sizes", caption, ["", "Here", "Trailers12k"], rows, frozenset({1, 2}))


def _pairs(facts: Facts) -> Grid:
    most = max([*facts.pairs.values(), 1])
    mirrored = {(other, one): movies for (one, other), movies in facts.pairs.items()}
    both = {**facts.pairs, **mirrored}
    rows: list[list[str | Cell]] = []
    for one in GENRES:
        row: list[str | Cell] = [one]
        for other in GENRES:
            movies = both.get((one, other), facts.genres.get(one, 0) if one == other else 0)
            heat = None if one == other else movies / most
            row.append(Cell(count(movies), heat=heat))
        rows.append(row)
    numbers = frozenset(range(1, len(GENRES) + 1))
    caption = "Movies that have both of two genres."
    return Grid("pairs", caption, ["", *GENRES], rows, numbers, dense=True)


def splits(facts: Facts) -> Section:
    """The splits, their columns and their balance."""
    columns: list[Line] = [
        [Code("mid"), ": identifier of the movie."],
        [*codes(GENRES), ": genres as 0 and 1."],
        [
            *codes(_split_names(facts.subsets)),
            ": the subset of the movie (0: training, 1: validation, 2: test).",
        ],
    ]
    blocks: list[Block] = [
        Paragraph(
            [
                Code("mtgc.csv"),
                f" assigns {counted(facts.labelled, 'movie')} to subsets for multi-label trailer "
                f"genre classification. {_way_of_splitting(facts)}It has these columns:",
            ]
        ),
        Items(columns),
    ]
    if facts.subsets:
        blocks.append(_balance(facts))
    return Section("splits", "Evaluation splits", blocks)


def _way_of_splitting(facts: Facts) -> str:
    """A sentence on how the movies were split; empty where the configuration does not say."""
    splits = facts.settings.get("splits")
    return f"The splits are {split_words(splits)}. " if splits else ""


def _split_names(subsets: Sequence[Subset]) -> list[str]:
    return list(dict.fromkeys(subset.split for subset in subsets))


def _balance(facts: Facts) -> Grid:
    overall = {genre: facts.genres.get(genre, 0) / max(1, facts.labelled) for genre in GENRES}
    everything = [percent(overall[genre]) for genre in GENRES]
    rows: list[list[str | Cell]] = [["all movies", count(facts.labelled), *everything]]
    for subset in facts.subsets:
        cells: list[str | Cell] = []
        for genre in GENRES:
            part = subset.genres.get(genre, 0.0)
            off = abs(part - overall[genre]) / overall[genre] if overall[genre] else 0.0
            cells.append(Cell(percent(part), heat=min(1.0, off)))
        rows.append([f"{subset.split} {subset.name}", count(subset.movies), *cells])
    return Grid(
        "balance",
        "Balance: the share of each genre in each subset, in %.",
        ["Subset", "Movies", *GENRES],
        rows,
        frozenset(range(1, len(GENRES) + 2)),
        dense=True,
        drawing="The stronger the colour, the further a share is from that of all movies.",
    )


def missing(facts: Facts) -> Section:
    """What was lost, why, and the known biases."""
    rows: list[list[str | Cell]] = [
        [
            losses.stages(stages),
            Cell(phrase(loss.reason), loss.meaning),
            Cell(loss.reason, code=True),
            count(loss.movies),
        ]
        for loss, stages in losses.alike(facts.losses)
    ]
    caption = "Movies that a stage lost or left out, by reason."
    table = Grid(
        "losses", caption, ["Stage", "Reason", "In the ledger", "Movies"], rows, frozenset({3})
    )
    words: Line = [
        "The fate of every movie in every stage is in ",
        Code("ledger.csv.gz"),
        ".",
    ]
    blocks: list[Block] = [Paragraph(words)]
    blocks.append(table if rows else Paragraph("No movie was lost."))
    if facts.notes:
        blocks += [Paragraph("Known biases:"), Items([*facts.notes])]
    return Section("missing", "Missing data and known biases", blocks)
