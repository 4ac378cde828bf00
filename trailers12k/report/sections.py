"""The sentences and tables of the report's sections.

Reads the run's tables and its configuration. Must not know HTML, charts or files.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from trailers12k.common.reason_words import meaning, phrase
from trailers12k.common.vocabulary import (
    GENRES,
    OK,
    PUBLISHED,
    SUBSETS,
)
from trailers12k.evaluation.absence import listed
from trailers12k.report.charts import STEP_LABELS, split_label
from trailers12k.report.grid import Cell, Grid, Rows
from trailers12k.report.measures import OF_SOUND, SHARES
from trailers12k.report.numbers import (
    count,
    counted,
    duration,
    loudness,
    quantity,
    share,
    year,
)
from trailers12k.report.overview import (
    Settings,
    sources_of,
)
from trailers12k.report.split_words import split_words


def facts(settings: Settings) -> list[tuple[str, str]]:
    """The settings that matter most: name, value."""
    splits, clips, training = settings["splits"], settings["clips"], settings["training"]
    rows = [("Movies", ", ".join(sources_of(settings))), ("Seed", str(settings["seed"]))]
    if sources_of(settings) != [PUBLISHED]:
        frames = settings["image_frames"]
        rows += [
            ("Shots", f"found by the detector {clips['detector']}"),
            ("Clips", f"{clips['fpc']} frames at {clips['fps']} frames per second"),
            ("Image backbones", f"see {counted(frames, 'frame')} of every clip"),
        ]
    rows.append(("Splits", split_words(splits)))
    rows.append(
        (
            "Training",
            f"up to {counted(training['epochs'], 'epoch')}; batches of "
            f"{counted(training['batch'], 'movie')}; {counted(training['snippet'], 'clip')} per "
            f"snippet; learning rate {training['lr']:g}",
        )
    )
    return rows


def version_grid(table: pd.DataFrame) -> Grid:
    """The rows of versions.csv."""
    rows = [[str(cell) for cell in row] for row in table.astype(object).fillna("").to_numpy()]
    return Grid("The programs that made the data.", ["Stage", "Programs"], rows)


def store_grid(table: pd.DataFrame) -> Grid:
    """The rows of stores.csv."""
    rows: Rows = []
    for row in table.astype(object).fillna("").to_dict("records"):
        untrained = row["trained"] == "no"
        details = [str(row["weights"])] if untrained else []
        details += [str(row["precision"])] if row["precision"] else []
        details += [] if untrained else [f"licence: {row['license']}"]
        weights = "untrained" if untrained else str(row["weights"])
        rows.append(
            [
                Cell(row["store"], row["backbone"] or "computed by the authors"),
                Cell(weights, "; ".join(details), mark=untrained),
                Cell(f"{count(row['clips'])} × {row['features']}", counted(row["movies"], "movie")),
            ]
        )
    heads = ["Store", "Weights", "Rows × features"]
    caption = "The feature stores, and the weights of the backbones that computed them."
    return Grid(caption, heads, rows, frozenset({2}))


def decision_words(table: pd.DataFrame) -> str:
    """The rows of curation.csv in a sentence or two."""
    if not len(table):
        return "Nobody has reviewed a trailer yet."
    counts = table["decision"].value_counts()
    decisions = ", ".join(
        f"{name.replace('_', ' ')} {count(counts[name])}" for name in sorted(counts.index)
    )
    words = f"Reviewers decided about {counted(len(table), 'movie')}: {decisions}."
    if "verified" in table:
        verified = table["verified"].fillna("").astype(str).str.lower().isin(["true", "1", "yes"])
        words += f" Accepted and unchanged since then: {counted(verified.sum(), 'trailer')}."
    return words


def flag_grid(table: pd.DataFrame) -> Grid:
    """The rows of flags.csv by flag, with one example of each."""
    rows: Rows = [
        [
            str(flag).replace("_", " ").capitalize(),
            count(len(rows)),
            Cell(str(rows.iloc[0]["words"]), str(rows.iloc[0]["mid"])),
        ]
        for flag, rows in table.groupby("flag", sort=True)
    ]
    caption = "Trailers to check in the review, by flag, with one example each."
    if not rows:
        caption = "No trailer has a flag."
    return Grid(caption, ["Flag", "Trailers", "Example"], rows, frozenset({1}))


def loss_grid(funnel: pd.DataFrame) -> Grid:
    """The losses of funnel.csv by step and reason; every row explains its reason."""
    lost = funnel[funnel["status"] != OK]
    lost = lost.groupby(["step", "reason"], sort=False, as_index=False)["movies"].sum()
    rows: Rows = [
        [
            Cell(phrase(str(row["reason"])).capitalize(), meaning(str(row["reason"]))),
            str(row["step"]),
            count(row["movies"]),
        ]
        for row in lost.to_dict("records")
    ]
    caption = "Why movies were lost or left out." if rows else "No movie was lost or left out."
    return Grid(caption, ["Reason", "Stage", "Movies"], rows, frozenset({2}))


def funnel_grid(funnel: pd.DataFrame) -> Grid:
    """The movies that remain after each step of funnel.csv."""
    rows = [
        [STEP_LABELS.get(str(row["step"]), str(row["step"])), count(row["movies"])]
        for row in funnel[funnel["status"] == OK].to_dict("records")
    ]
    return Grid("Movies that remain after each step.", ["Step", "Movies"], rows, frozenset({1}))


def trailer_words(table: pd.DataFrame) -> str:
    """The rows of measures.csv about trailers in a sentence."""
    measures = table.set_index("measure")
    if not measures.loc["clips", "movies"]:
        return "There are no trailers yet."
    medians = measures["median"]
    return (
        f"A typical trailer lasts {duration(medians['duration'])}, has "
        f"{_measured(medians['shots'], 'shot')}, and is cut into "
        f"{_measured(medians['clips'], 'clip')}. "
        f"These are medians over {counted(measures.loc['duration', 'movies'], 'trailer')}."
    )


def _measured(value: float, noun: str) -> str:
    """A measurement with its noun: `1 shot`, `4.1 shots`."""
    text = quantity(value)
    return f"{text} {noun if text == '1' else noun + 's'}"


def words_of(measure: str) -> Callable[[float], str]:
    """How the values of a measure are said."""
    if measure in SHARES:
        return share
    return {"year": year, "loudness": loudness}.get(measure, quantity)


def heard_measures(table: pd.DataFrame) -> list[str]:
    """The measures of sound that have values, from measures.csv."""
    heard = table[table["measure"].isin(OF_SOUND) & (table["movies"] > 0)]
    return list(heard["measure"])


NO_SOUND_WORDS = {
    "no_track": "no sound track",
    "silent": "a silent one",
    "damaged": "a damaged one",
    "video_only": "none because the site offered the picture without it",
}
"""Cell of the column `sound` of trailers.csv -> what the trailers have."""


def sound_words(trailers: pd.DataFrame, measures: pd.DataFrame) -> str:
    """The columns of trailers.csv about sound in a few sentences; empty where nobody listened."""
    counts = trailers["sound"].value_counts()
    if not len(counts):
        return ""
    heard = counts.get(OK, 0)
    words = f"{counted(heard, 'trailer')} of {count(counts.sum())} can be heard."
    without = [
        f"{count(counts[kind])} {'has' if counts[kind] == 1 else 'have'} {said}"
        for kind, said in NO_SOUND_WORDS.items()
        if kind in counts
    ]
    words += f" Of the others, {listed(without)}." if without else ""
    medians = measures.set_index("measure")["median"]
    typical = [
        said.format(words_of(name)(medians[name]))
        for name, said in (
            ("loudness", "a loudness of {} LUFS"),
            ("silence", "{} of silence"),
            ("speech", "{} of speech"),
        )
        if pd.notna(medians.get(name))
    ]
    return f"{words} A typical one has {listed(typical)}." if typical else words


def sound_grid(trailers: pd.DataFrame) -> Grid:
    """Loudness, silence and speech by genre, from the trailers that can be heard."""
    heard = trailers[trailers["sound"] == OK]
    genres = heard["genres"].fillna("").str.split("|")
    rows: Rows = []
    for genre in GENRES:
        own = heard[genres.map(lambda names, genre=genre: genre in names)]
        medians = own[["loudness", "silence", "speech"]].median()
        cells = [words_of(name)(value) for name, value in medians.items()]
        rows.append([genre, count(len(own)), *cells])
    heads = ["Genre", "Heard", "LUFS", "Silence", "Speech"]
    caption = (
        "Loudness (in LUFS), silence and speech by genre: medians over the trailers that can be "
        "heard."
    )
    return Grid(caption, heads, rows, frozenset({1, 2, 3, 4}))


def measure_grid(table: pd.DataFrame) -> Grid:
    """The rows of measures.csv but those of sound: median, quartiles and extremes."""
    rows: Rows = []
    for row in table.to_dict("records"):
        if row["measure"] in OF_SOUND:  # beside their charts
            continue
        words = words_of(row["measure"])
        low, lower, middle, upper, high = (
            words(row[name])
            for name in ("least", "lower_quartile", "median", "upper_quartile", "most")
        )
        middle_half = lower if lower == upper else f"{lower}–{upper}"
        name = Cell(row["meaning"].capitalize(), counted(row["movies"], "value"))
        rows.append([name, middle, middle_half, f"{low}–{high}"])
    heads = ["Measure", "Median", "Middle half", "All"]
    caption = "Half of all values lie in the middle half, a quarter below and a quarter above it."
    return Grid(caption, heads, rows, frozenset({1, 2, 3}))


def split_grid(table: pd.DataFrame) -> Grid:
    """The sizes of the subsets in splits.csv, and how far a split is from an even one."""
    rows = []
    for name, subsets in table.groupby("split", sort=False):
        sizes = subsets.set_index("subset")["movies"]
        first = subsets.iloc[0]
        rows.append(
            [
                split_label(name),
                *(count(sizes.get(subset, 0)) for subset in SUBSETS),
                share(first["label_deviation"]),
                share(first["pair_deviation"]),
            ]
        )
    return Grid(
        "Movies per subset, and how far the least even subset is off in genres and in pairs of "
        "genres.",
        ["Split", *(subset.capitalize() for subset in SUBSETS), "Genres off", "Pairs off"],
        rows,
        frozenset(range(1, 6)),
    )


@dataclass(frozen=True)
class RunMistakes:
    """The test movies with the highest loss of a run; first: a summary of the first of them."""

    run: str
    first: str
    grid: Grid


def mistakes(table: pd.DataFrame) -> list[RunMistakes]:
    """The rows of mistakes.csv by run."""
    table = table.astype(object).fillna("")
    runs = []
    for run, rows in table.groupby("run", sort=False):
        cells: Rows = [
            [
                Cell(row["title"], row["mid"]) if row["title"] else row["mid"],
                Cell(row["genres"].replace("|", ", "), _predicted(row["predicted"])),
                f"{row['loss']:.2f}",
            ]
            for row in rows.to_dict("records")
        ]
        grid = Grid(
            f"The test movies with the highest loss of {run}.",
            ["Movie", "Genres", "Loss"],
            cells,
            frozenset({2}),
        )
        first = rows.iloc[0]
        runs.append(RunMistakes(str(run), first["title"] or first["mid"], grid))
    return runs


def _predicted(cell: str) -> str:
    """`drama 0.51|crime 0.30` as `predicted: drama 51 %, crime 30 %`."""
    parts = [part.rpartition(" ") for part in cell.split("|") if part]
    genres = ", ".join(f"{genre} {share(float(value))}" for genre, _, value in parts)
    return f"predicted: {genres}"
