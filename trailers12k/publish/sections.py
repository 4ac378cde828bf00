"""What the page and the card of a publication say: its facts as sections.

Reads and writes nothing. Must not know HTML or Markdown.
"""

from collections.abc import Iterator, Mapping, Sequence

from trailers12k.common.reason_words import phrase
from trailers12k.common.vocabulary import CHANCE, CONSTANT, GENRES, METRIC_NAMES, METRICS, SUBSETS
from trailers12k.publish import bibtex, original, snippets
from trailers12k.publish.biases import share
from trailers12k.publish.document import (
    Block,
    Cell,
    Code,
    Figures,
    Grid,
    Inline,
    Items,
    Line,
    Link,
    Pairs,
    Paragraph,
    Picture,
    Section,
    Source,
    safe_address,
)
from trailers12k.publish.facts import Facts, Loss, PublishedFile, StoreFacts, Subset

NOT_STATED = "not stated"
NON_COMMERCIAL = "No commercial use."
MOST_NAMED = 3
"""Stores that a warning names."""
COLLAGE = "collage.jpg"
LEVELS = {"frames": "Frame-level", "clips": "Clip-level", "posters": "Posters"}
"""Input of a store -> what its rows represent."""
INPUT_WORDS = {
    "frames": "mean over the frames of a clip",
    "clips": "one vector per clip",
    "posters": "one vector per poster",
}
SOURCES = {
    "sample": "the built-in sample of the workflow",
    "trailers12k": "Trailers12k",
    "imdb": "the files of IMDb",
    "tmdb": "TMDB",
    "search": "a search on YouTube",
}
"""Source of the configuration -> its name; others are tables."""
LICENCES = {"none": "none, since the weights are random"}
"""Licence of weights -> how it is said; others say themselves."""
DECISIONS = {
    "accept": "accepted as they are",
    "reject": "rejected",
    "wrong_trailer": "had the trailer of something else, which was replaced or removed",
    "unsure": "left open",
}
"""Kind of decision -> what reviewers did with the movies."""


def sections(facts: Facts, files: Sequence[PublishedFile]) -> list[Section]:
    """All sections of the page."""
    return [
        overview(facts, files),
        comparison(facts),
        data(facts, files),
        representations(facts),
        loading(facts),
        splits(facts),
        results(facts),
        missing(facts),
        licence(facts),
        citing(facts),
        takedown(facts),
    ]


def count(number: int) -> str:
    """A number with separators of thousands."""
    return f"{number:,}"


def counted(number: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def size(number: int) -> str:
    """Bytes in the unit that suits them."""
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= factor:
            value = number / factor
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:,.0f} {unit}"
    return f"{number} bytes"


def length(seconds: float) -> tuple[str, str]:
    """A length of time: the figure, and its unit."""
    if seconds < 600:
        return f"{seconds:,.0f}", "seconds"
    if seconds < 36_000:
        return f"{seconds / 60:,.0f}", "minutes"
    return f"{seconds / 3600:,.0f}", "hours"


def title(facts: Facts) -> str:
    """The title of the dataset."""
    return facts.statements.title or "A dataset of movie trailers"


def description(facts: Facts) -> str:
    """The description of the dataset."""
    return facts.statements.description or f"Description: {NOT_STATED}."


def head(facts: Facts) -> Section:
    """Title, description and warnings."""
    blocks = [Paragraph(description(facts)), Paragraph(about(facts)), *notices(facts)]
    return Section("top", title(facts), blocks, level=1)


def about(facts: Facts) -> list[Inline]:
    """Version, licence, makers and addresses, in a row."""
    own = facts.statements
    makers = [
        " ".join(reversed([part.strip() for part in creator.name.split(",", 1)]))
        for creator in own.creators
    ]
    parts: list[Line] = [
        f"Version {own.version}",
        linked(own.license),
        ", ".join(makers),
        [Link(own.doi, f"https://doi.org/{own.doi}")] if own.doi else "",
        linked(own.url),
    ]
    line: list[Inline] = []
    for part in filter(None, parts):
        line += [*(" · " for _ in line[:1]), *([part] if isinstance(part, str) else part)]
    return line


def notices(facts: Facts) -> list[Paragraph]:
    """Warnings that come before all else."""
    return [*_untrained(facts), *_non_commercial(facts)]


def _untrained(facts: Facts) -> Iterator[Paragraph]:
    names = [store.name for store in facts.stores if is_untrained(store)]
    if not names:
        return
    who: Line = ["All stores"]
    if len(names) < len(facts.stores):
        few = len(names) <= MOST_NAMED
        who = _codes(names) if few else [f"{len(names)} of {len(facts.stores)} stores"]
    verb = "comes from a network" if len(facts.stores) == 1 else "come from networks"
    words = f" {verb} with random weights. Such features serve for tests only."
    yield Paragraph([*who, words], "warning", "Untrained weights.")


def _non_commercial(facts: Facts) -> Iterator[Paragraph]:
    by_licence: dict[str, list[str]] = {}
    for store in facts.stores:
        if store.licence.non_commercial:
            by_licence.setdefault(store.licence.text, []).append(store.name)
    for text, names in by_licence.items():
        words = f" were made with weights that forbid commercial use ({text})."
        yield Paragraph(["The features of ", *_codes(names), words], "warning", NON_COMMERCIAL)


def is_untrained(store: StoreFacts) -> bool:
    """Whether the weights of a store are random."""
    return store.attributes.get("pretrained") is False


def _codes(names: Sequence[str]) -> list[Inline]:
    """Names in a row."""
    parts: list[Inline] = []
    for name in names:
        parts += [*(", " for _ in parts[:1]), Code(name)]
    return parts


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


def sources(facts: Facts) -> str:
    """The sources of movies, in a row."""
    names = [SOURCES.get(name, f"the table {name}") for name in facts.sources]
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def time_frame(facts: Facts) -> str:
    """When the dataset was collected; empty where nobody knows."""
    if not (facts.began and facts.ended):
        return ""
    if facts.began == facts.ended:
        return f"on {facts.began}"
    return f"from {facts.began} to {facts.ended}"


def _years(facts: Facts) -> Grid:
    known = sum(facts.years.values())
    most = max(facts.years.values())
    rows: list[list[str | Cell]] = [
        [f"{first}s", Cell(count(movies), bar=movies / most), share(movies, known)]
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


def data(facts: Facts, files: Sequence[PublishedFile]) -> Section:
    """The files, by what they hold."""
    held = {file.path for file in files}

    def present(*names: str) -> list[Inline]:
        return _codes([name for name in names if not files or name in held])

    trailers = [store for store in facts.stores if store.input != "posters"]
    posters = [store for store in facts.stores if store.input == "posters"]
    groups: list[tuple[str, list[Inline]]] = [
        ("Metadata and ids of trailers", present("metadata.tar.gz", "movies.csv.gz")),
        ("Trailer representations", present(*(f"{each.name}.zarr.tar.gz" for each in trailers))),
        ("Poster representations", present(*(f"{each.name}.zarr.tar.gz" for each in posters))),
        ("MTGC evaluation splits", present("mtgc.csv", "splits.csv", "balance.csv")),
    ]
    blocks: list[Block] = [Pairs([(head, names) for head, names in groups if names])]
    if files:
        rows: list[list[str | Cell]] = [
            [Cell(file.path, code=True), file.content, size(file.bytes)] for file in files
        ]
        heads = ["File", "Content", "Size"]
        caption = f"{counted(len(files), 'file')}, {size(sum(file.bytes for file in files))}."
        blocks.append(Grid("files", caption, heads, rows, frozenset({2})))
        blocks += _records(files)
    return Section("data", "Data", blocks)


def _records(files: Sequence[PublishedFile]) -> list[Block]:
    records = sorted({file.record for file in files})
    if len(records) < 2:
        return []
    lines: list[Line] = []
    for record in records:
        own = [file for file in files if file.record == record]
        total = size(sum(file.bytes for file in own))
        lines.append(f"Record {record}: {counted(len(own), 'file')}, {total}.")
    words = "The files are divided into several records; RECORDS.csv says which file is in which."
    return [Paragraph(words), Items(lines)]


def representations(facts: Facts) -> Section:
    """The stores: what their rows represent, networks, weights, licences."""
    rows: list[list[str | Cell]] = []
    for store in facts.stores:
        licence = store.licence.text
        rows.append(
            [
                Cell(f"{store.name}.zarr", LEVELS.get(store.input, store.input), code=True),
                Cell(store.model or NOT_STATED, INPUT_WORDS.get(store.input, "")),
                Cell("untrained", store.weights, mark=True)
                if is_untrained(store)
                else Cell(store.weights or NOT_STATED),
                Cell(licence, "no commercial use", mark=True)
                if store.licence.non_commercial
                else licence,
                Cell(f"{count(store.rows)} × {store.features}", counted(store.movies, "movie")),
            ]
        )
    heads = ["Store", "Backbone", "Weights", "Licence of the weights", "Rows × features"]
    table = Grid("stores", "Representations.", heads, rows, frozenset({4}))
    words: Line = [
        "Each store is a ",
        Code("zarr"),
        " group of format 2 with one float32 array per movie, named by its mid, of one row per "
        "clip. The same rows are in ",
        Code("features/STORE"),
        " as Parquet. The attributes of a store hold what made it.",
    ]
    return Section("representations", "Representations", [Paragraph(words), table])


def loading(facts: Facts) -> Section:
    """Snippets."""
    words = "Run these in the folder that holds the files."
    return Section("loading", "How to load", [Paragraph(words), *snippets.snippets(facts)])


def splits(facts: Facts) -> Section:
    """The splits, their columns and their balance."""
    columns: list[Line] = [
        [Code("mid"), ": identifier of the movie."],
        [*_codes(GENRES), ": genres as 0 and 1."],
        [
            *_codes(_split_names(facts.subsets)),
            ": the subset of the movie (0: training, 1: validation, 2: test).",
        ],
    ]
    blocks: list[Block] = [
        Paragraph(
            [
                Code("mtgc.csv"),
                f" assigns {counted(facts.labelled, 'movie')} to subsets for multi-label trailer "
                "genre classification. It has these columns:",
            ]
        ),
        Items(columns),
    ]
    if facts.subsets:
        blocks.append(_balance(facts))
    return Section("splits", "Evaluation splits", blocks)


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


def percent(part: float) -> str:
    """A share in % without its unit."""
    return f"{100 * part:.1f}"


def results(facts: Facts) -> Section:
    """The table of results, with those of the paper where they are compared."""
    rows = [_result(row) for row in facts.results]
    has_paper = any(row.get("paper_uap") for row in facts.results)
    caption = "Scores on the test movies in %: mean ± standard deviation over the splits."
    if has_paper:
        caption += " Below them, the scores of the paper."
    heads = ["Run", *METRIC_NAMES.values(), "Test movies"]
    table = Grid("results", caption, heads, rows, frozenset(range(1, len(heads))))
    meanings = Items(
        [
            "µAP: average precision over all pairs of a movie and a genre.",
            "mAP: mean of the average precisions of the genres.",
            "wAP: the same mean, weighted by the movies of each genre.",
            "sAP: mean of the average precisions of the movies.",
            f"{CHANCE}: predicts each genre as often as it occurs among the training movies, in "
            "random order.",
            f"{CONSTANT}: gives every movie the same scores; ties inflate mAP and wAP.",
        ]
    )
    words: Line = [
        "Results of the classifier DIViTA on these features, from ",
        Code("results/"),
        ".",
    ]
    blocks: list[Block] = [Paragraph(words), table, meanings]
    return Section("results", "Results", blocks if rows else [Paragraph("There are no results.")])


def _result(row: Mapping[str, str]) -> list[str | Cell]:
    cells: list[str | Cell] = [Cell(row["run"], row.get("weights", ""))]
    for metric in METRICS:
        paper = _spread(row.get(f"paper_{metric}", ""), row.get(f"paper_{metric}_sd", ""))
        cells.append(Cell(_spread(row.get(metric, ""), row.get(f"{metric}_sd", "")), paper))
    tested, of = row.get("movies", ""), row.get("of", "")
    cells.append(f"{tested} of {of}" if tested and of else NOT_STATED)
    return cells


def _spread(mean: str, deviation: str) -> str:
    try:
        text = f"{float(mean):.2f}"
        return f"{text} ± {float(deviation):.2f}" if deviation else text
    except ValueError:
        return ""


def missing(facts: Facts) -> Section:
    """What was lost, why, and the known biases."""
    rows: list[list[str | Cell]] = [
        [_stages(stages), Cell(phrase(loss.reason), loss.meaning), count(loss.movies)]
        for loss, stages in _alike(facts.losses)
    ]
    caption = "Movies that a stage lost or left out, by reason."
    table = Grid("losses", caption, ["Stage", "Reason", "Movies"], rows, frozenset({2}))
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


def _alike(losses: Sequence[Loss]) -> list[tuple[Loss, list[str]]]:
    """The losses, those of equal reason and number together, with their stages."""
    stages: dict[tuple[str, str, int], list[str]] = {}
    for loss in losses:
        stages.setdefault((loss.status, loss.reason, loss.movies), []).append(loss.stage)
    first: dict[tuple[str, str, int], Loss] = {}
    for loss in losses:
        first.setdefault((loss.status, loss.reason, loss.movies), loss)
    return [(first[key], names) for key, names in stages.items()]


def _stages(names: Sequence[str]) -> str:
    if len(names) < 3:
        return " and ".join(names)
    return f"{names[0]} and {len(names) - 1} other stages"


def linked(text: str) -> Line:
    """A text that is an address as a link to it; other texts as they are."""
    address = safe_address(text)
    return [Link(text.removeprefix("mailto:"), address)] if address else text


def licence(facts: Facts) -> Section:
    """The licence of the dataset, those of the weights, and the notices of the sources."""
    own = facts.statements
    blocks: list[Block] = [Pairs([("Licence of the dataset:", linked(own.license or NOT_STATED))])]
    named: dict[str, list[str]] = {}
    for store in facts.stores:
        named.setdefault(store.licence.text, []).append(store.name)
    lines: list[Line] = [[f"{text}: ", *_codes(names), "."] for text, names in named.items()]
    blocks += [Paragraph("Licences of the weights that made the features:"), Items(lines)]
    blocks += _non_commercial(facts)
    if facts.credits:
        blocks.append(Items([*facts.credits]))
    blocks.append(
        Paragraph(
            "The publication holds no trailer and no poster. Trailers and posters belong to their "
            "owners."
        )
    )
    return Section("licence", "Licence", blocks)


def citing(facts: Facts) -> Section:
    """How to cite."""
    words = "Cite this dataset, and the paper that introduced Trailers12k:"
    entry = Source(bibtex.entry(facts), "bibtex")
    return Section(
        "citing", "How to cite", [Paragraph(words), entry, Paragraph(original.PAPER + ".")]
    )


def takedown(facts: Facts) -> Section:
    """Whom to ask."""
    contact = facts.statements.contact
    line: Line = ["To have a trailer removed from the dataset, or to ask: ", NOT_STATED, "."]
    if contact:
        found = linked(contact)
        parts = [found] if isinstance(found, str) else [*found]
        line = [
            "To have a trailer removed from the dataset, or to ask, write to ",
            *parts,
            ". Name the id of the movie or the address of the video.",
        ]
    return Section("takedown", "Takedown and questions", [Paragraph(line)])
