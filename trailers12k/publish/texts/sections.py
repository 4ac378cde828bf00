"""The sections of the page, with those of results, licence, citation and takedown.

Reads and writes nothing. Must not know HTML or Markdown.
"""

from collections.abc import Iterator, Mapping, Sequence

from trailers12k.common.vocabulary import CHANCE, CONSTANT, METRIC_NAMES, METRICS
from trailers12k.evaluation.rows import BASELINES, KNN, LINEAR
from trailers12k.publish.facts import Facts, PublishedFile
from trailers12k.publish.texts import bibtex, original
from trailers12k.publish.texts.composition import comparison, missing, overview, splits
from trailers12k.publish.texts.contents import data, loading, representations
from trailers12k.publish.texts.document import (
    Block,
    Cell,
    Code,
    Grid,
    Inline,
    Items,
    Line,
    Link,
    Pairs,
    Paragraph,
    Section,
    Source,
)
from trailers12k.publish.texts.words import (
    LICENCES,
    NOT_STATED,
    codes,
    controls,
    description,
    is_untrained,
    linked,
    title,
    without_training,
)
from trailers12k.report.numbers import NBSP, counted

SIMPLE = {LINEAR: "a logistic regression", KNN: "k nearest neighbours"}
"""Baseline -> what it is."""
NON_COMMERCIAL = "No commercial use."
MOST_NAMED = 3
"""Stores that a warning names."""


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
        who = codes(names) if few else [f"{len(names)} of {len(facts.stores)} stores"]
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
        yield Paragraph(["The features of ", *codes(names), words], "warning", NON_COMMERCIAL)


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
            *(
                f"Rows with ({BASELINES[name]}): {words}, on the mean features of each movie."
                for name, words in SIMPLE.items()
                if any(row.get("classifier") == name for row in facts.results)
            ),
            *(
                f"{run}: a control, trained on shuffled labels. It should not beat chance."
                for run in controls(facts.settings)
                if any(row["run"] == run for row in facts.results)
            ),
            *(
                f"{run}: not trained. Genres are estimated from texts about them, which "
                "results/zero_shot.json has."
                for run in without_training(facts.settings)
                if any(row["run"] == run for row in facts.results)
            ),
        ]
    )
    words: Line = [
        "Results of classifiers on these features, DIViTA where nothing else is said, from ",
        Code("results/"),
        ".",
    ]
    blocks: list[Block] = [Paragraph(words), table, *_caution(facts), meanings]
    return Section("results", "Results", blocks if rows else [Paragraph("There are no results.")])


def _caution(facts: Facts) -> Iterator[Paragraph]:
    """What limits the meaning of the scores."""
    from trailers12k.report.overview import FEW_TEST_MOVIES

    tested = [_per_split(row) for row in facts.results if row["run"] not in (CHANCE, CONSTANT)]
    known = [number for number in tested if number is not None]
    if known and min(known) < FEW_TEST_MOVIES:
        few = counted(round(min(known)), "test movie")
        words = f"With {few} per split, differences of a few points mean little."
        yield Paragraph(words, "warning", "Few test movies.")
    line: Line = ["The caveats of these scores are in ", Code("results/summary.md"), "."]
    yield Paragraph(line)


def _per_split(row: Mapping[str, str]) -> float | None:
    """The evaluated test movies of a run, mean over the splits; None where unknown."""
    try:
        return float(row["movies"]) / float(row["splits"])
    except (KeyError, ValueError, ZeroDivisionError):
        return None


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
        return f"{text} ±{NBSP}{float(deviation):.2f}" if deviation else text
    except ValueError:
        return ""


def licence(facts: Facts) -> Section:
    """The licence of the dataset, those of the weights, and the notices of the sources."""
    own = facts.statements
    blocks: list[Block] = [Pairs([("Licence of the dataset:", linked(own.license or NOT_STATED))])]
    named: dict[str, list[str]] = {}
    for store in facts.stores:
        named.setdefault(store.licence.text, []).append(store.name)
    lines: list[Line] = [
        [f"{LICENCES.get(text, text)}: ", *codes(names), "."] for text, names in named.items()
    ]
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
    words = (
        "Cite this dataset, the paper that introduced Trailers12k, and the workflow that made the "
        "dataset:"
    )
    entries = (bibtex.entry(facts), bibtex.paper(), bibtex.workflow(facts))
    blocks: list[Block] = [Paragraph(words), Source("\n\n".join(entries), "bibtex")]
    return Section("citing", "How to cite", [*blocks, Paragraph(original.PAPER + ".")])


def takedown(facts: Facts) -> Section:
    """Whom to ask."""
    contact = facts.statements.contact
    line: Line = (
        "The authors state no address for questions and for owners who want a trailer removed."
    )
    if contact:
        found = linked(contact)
        parts = [found] if isinstance(found, str) else [*found]
        line = [
            "To have a trailer removed from the dataset, or to ask, write to ",
            *parts,
            ". Name the id of the movie",
            " or the address of the video." if facts.addresses else ".",
        ]
    return Section("takedown", "Takedown and questions", [Paragraph(line)])
