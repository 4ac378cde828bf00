"""The first screen of the report: what happened, how good the result is, and what was lost.

Reads the run's tables and its configuration. Must not know HTML, charts or files.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from trailers12k.common.reason_words import meaning, phrase
from trailers12k.common.vocabulary import CHANCE, OK, PUBLISHED, SAMPLE, STREAM_INPUTS
from trailers12k.evaluation.absence import listed
from trailers12k.evaluation.scores import is_untrained
from trailers12k.evaluation.selection import best, figures_of
from trailers12k.movies.curation import STAGE as CURATION
from trailers12k.report.numbers import count, counted, score
from trailers12k.report.run_charts import is_baseline, trained_runs
from trailers12k.video.no_sound import NO_SOUND

Tables = Mapping[str, pd.DataFrame]
"""Name, a key of `page.TABLES` -> rows."""
Settings = Mapping[str, Any]
"""The configuration of a run, as results/config.yaml holds it."""

FEW_TEST_MOVIES = 100
"""Test movies per split, below which the page warns about small differences."""
BY_DESIGN = (CURATION, "test")
"""Steps of funnel.csv whose losses are decisions: of reviewers, or of the splits."""
TOP_REASONS = 3


@dataclass(frozen=True)
class Answer:
    """One panel of the first screen.

    figure: the key number, with `spread` and `unit` in smaller letters. links: id of a section ->
    words. items: phrases, each with its meaning or none. warning: about untrained weights.
    """

    question: str
    figure: str
    unit: str
    sentences: Sequence[str]
    links: Mapping[str, str]
    spread: str = ""
    items: Sequence[tuple[str, str]] = ()
    warning: str = ""


def title(settings: Settings) -> str:
    """The heading of the page."""
    sources = sources_of(settings)
    if sources == [SAMPLE]:
        return "The built-in sample"
    if sources == [PUBLISHED]:
        return "The paper's table, from the authors' features"
    return f"Trailers of {listed(sources)}"


def sources_of(settings: Settings) -> list[str]:
    """The sources of movies that a configuration names."""
    movies = settings["movies"]
    return list(map(str, movies)) if isinstance(movies, list) else [str(movies)]


def controls(settings: Settings) -> set[str]:
    """The runs that are trained on shuffled labels."""
    runs = settings.get("runs") or {}
    return {name for name, run in runs.items() if run and run.get("shuffle_labels")}


def without_training(settings: Settings) -> set[str]:
    """The runs that estimate genres from texts about them."""
    runs = settings.get("runs") or {}
    return {name for name, run in runs.items() if run and run.get("zero_shot")}


def best_run(tables: Tables, settings: Settings) -> pd.Series:
    """The row of summary.csv with the highest µAP on the validation movies.

    Controls count only where there is no other run.
    """
    summary = tables["summary"]
    runs = list(trained_runs(summary)["run"])
    candidates = [run for run in runs if run not in controls(settings)] or runs
    name = best(figures_of(tables["val"].to_dict("records")), candidates)
    return summary.set_index("run", drop=False).loc[name]


def _best_baseline(tables: Tables) -> str:
    """The baseline with the highest µAP on the validation movies; empty without any."""
    summary = tables["summary"]
    names = list(summary.loc[is_baseline(summary), "run"])
    return best(figures_of(tables["val"].to_dict("records")), names) if names else ""


def untrained_runs(summary: pd.DataFrame) -> list[str]:
    """The runs on backbones with random weights."""
    runs = trained_runs(summary)
    return list(runs.loc[runs["pretrained"].map(is_untrained), "run"])


def untrained_words(summary: pd.DataFrame) -> str:
    """How many runs use random weights, and what that means; empty if none does."""
    untrained, runs = untrained_runs(summary), trained_runs(summary)
    if not untrained:
        return ""
    if len(runs) == 1:
        return (
            "The only run uses backbones with random weights. "
            "Its scores say nothing about the published models."
        )
    who = "All" if len(untrained) == len(runs) else f"{count(len(untrained))} of"
    names = f", {listed(untrained)}," if len(untrained) <= 2 < len(runs) else ""
    verb = "uses" if len(untrained) == 1 else "use"
    return (
        f"{who} {counted(len(runs), 'run')}{names} {verb} backbones with random weights. "
        "Their scores say nothing about the published models."
    )


def answers(tables: Tables, settings: Settings) -> list[Answer]:
    """The three panels, in their order."""
    return [_happened(tables, settings), _how_good(tables, settings), _lost(tables, settings)]


def remaining(funnel: pd.DataFrame) -> pd.Series:
    """The movies that remain after each step of funnel.csv, by step."""
    return funnel[funnel["status"] == OK].set_index("step")["movies"]


def _happened(tables: Tables, settings: Settings) -> Answer:
    left, stores = remaining(tables["funnel"]), tables["stores"]
    runs, splits = trained_runs(tables["summary"]), tables["splits"]["split"].nunique()
    clips = stores.loc[stores["input"] != STREAM_INPUTS["poster"], "clips"]
    made = [counted(left["trailers"], "complete trailer")] if "trailers" in left else []
    made += [counted(clips.max(), "clip")] if len(clips) else []
    made.append(counted(len(stores), "feature store"))
    made.append(f"{counted(len(runs), 'run')} on {counted(splits, 'split')}")
    untrained = len(untrained_runs(tables["summary"]))
    weights = {0: "pretrained", len(runs): "random"}.get(
        untrained, f"random for {count(untrained)} of {counted(len(runs), 'run')}"
    )
    if sources_of(settings) == [PUBLISHED]:
        weights = "as the authors published them"
    return Answer(
        "What was run?",
        count(left.iloc[0]),
        "movie" if left.iloc[0] == 1 else "movies",
        [f"Backbone weights: {weights}."],
        {"run": "Configuration", "files": "Files"},
        items=[(words, "") for words in made],
    )


def _how_good(tables: Tables, settings: Settings) -> Answer:
    summary = tables["summary"]
    chosen, by_name = best_run(tables, settings), summary.set_index("run")
    chance = by_name.loc[CHANCE]
    sentences = [
        f"{chosen['run']}, the best on the validation movies, is {_verdict(chosen, chance)}"
    ]
    for name in sorted(controls(settings) & set(by_name.index) - {chosen["run"]}):
        reached = score(by_name.loc[name, "uap"])
        sentences.append(f"The control on shuffled labels, {name}, reaches {reached}\u00a0%.")
    if baseline := _best_baseline(tables):
        reached = score(by_name.loc[baseline, "uap"])
        sentences.append(f"The best baseline there, {baseline}, reaches {reached}\u00a0%.")
    if pd.notna(chosen.get("paper_uap")):
        sentences.append(f"The paper reports {score(chosen['paper_uap'])}\u00a0% for it.")
    per_split = chosen["movies"] / chosen["splits"]
    if per_split < FEW_TEST_MOVIES:
        tested = f"Only {counted(round(per_split), 'test movie')} per split:"
        sentences.append(f"{tested} differences of a few points mean little.")
    return Answer(
        "How good is it?",
        score(chosen["uap"]),
        "% µAP",
        sentences,
        {"results": "All results", "mistakes": "Largest errors"},
        spread=f"± {score(chosen['uap_sd'])}" if chosen["uap_sd"] > 0 else "",
        warning=untrained_words(summary),
    )


def _verdict(row: pd.Series, chance: pd.Series) -> str:
    """How a run compares with chance: by more than both standard deviations together, or not."""
    gap = row["uap"] - chance["uap"]
    noise = sum(each for each in (row["uap_sd"], chance["uap_sd"]) if pd.notna(each))
    by = f"chance ({score(chance['uap'])}\u00a0%)"
    if abs(gap) <= noise:
        return f"no different from {by} within the spread of the splits."
    side = "above" if gap > 0 else "below"
    return f"{score(abs(gap))} points {side} {by}."


def losses(funnel: pd.DataFrame) -> pd.DataFrame:
    """Reason and number of the lost movies of funnel.csv, without `BY_DESIGN`, most first."""
    lost = funnel[(funnel["status"] != OK) & ~funnel["step"].isin(BY_DESIGN)]
    lost = lost.groupby("reason", sort=False, as_index=False, dropna=False)["movies"].sum()
    return lost.sort_values("movies", ascending=False, kind="stable")


def runs_with_sound(settings: Settings) -> list[str]:
    """The configured runs that hear the trailers."""
    runs = settings.get("runs") or {}
    return [name for name, run in runs.items() if run and run.get("audio")]


def _lost(tables: Tables, settings: Settings) -> Answer:
    funnel, left = tables["funnel"], remaining(tables["funnel"])
    lost = losses(funnel)
    start = left.get(CURATION, left.iloc[0])
    sentences: list[str] = []
    more = len(lost) - TOP_REASONS
    if more > 0:
        others = counted(lost["movies"].iloc[TOP_REASONS:].sum(), "movie")
        sentences.append(f"{others} for {counted(more, 'other reason')}.")
    rejected = int(left.iloc[0] - start)
    if rejected:
        sentences.append(f"Reviewers rejected {counted(rejected, 'more movie')}.")
    is_silent = bool((lost["reason"] == NO_SOUND).any())
    if unsure := _flagged(tables, is_silent):
        verb = "has a flag and needs" if unsure == 1 else "have a flag and need"
        sentences.append(f"{counted(unsure, 'other trailer')} {verb} a look.")
    if not len(lost):
        sentences.insert(0, "Every movie reached the last stage.")
    return Answer(
        "What was lost?",
        count(lost["movies"].sum()) if len(lost) else "None",
        f"of {counted(start, 'movie')}",
        sentences,
        {"funnel": "All losses"},
        items=[
            (f"{count(row['movies'])} {phrase(str(row['reason']))}", meaning(str(row["reason"])))
            for row in lost.head(TOP_REASONS).to_dict("records")
        ],
    )


def _flagged(tables: Tables, is_silent: bool) -> int:
    """The trailers with a flag that are not among the lost ones.

    is_silent: whether movies without sound are lost ones.
    """
    if "flags" not in tables:
        return 0
    flags = tables["flags"]
    counted_before = {"lost", NO_SOUND} if is_silent else {"lost"}
    lost = flags.loc[flags["flag"].isin(counted_before), "mid"]
    return int(flags.loc[~flags["mid"].isin(lost), "mid"].nunique())
