"""The report of a run: one HTML file that loads nothing else, and its pictures.

Reads the run's tables, embeddings, contact sheets, benchmarks and the templates; writes
results/report/, results/figures/ and costs.csv. Must not know how the tables were made.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from trailers12k import __version__
from trailers12k.common.files import read_csv, write_csv, write_text
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation import leaderboards
from trailers12k.evaluation.absence import EXPLANATION
from trailers12k.evaluation.differences import COMPARISON_COLUMNS, INTERVAL_COLUMNS
from trailers12k.evaluation.frames import read_embedding, read_frame
from trailers12k.evaluation.split_effect import COLUMNS as SPLIT_EFFECT
from trailers12k.evaluation.split_effect import NUMBERS as SPLIT_EFFECT_NUMBERS
from trailers12k.evaluation.summary import absences
from trailers12k.report import (
    drawing,
    effect_section,
    embedding_map,
    overview,
    pairs_section,
    pictures,
    results_section,
    run_charts,
    sections,
    theme,
    thumbnails,
)
from trailers12k.report.costs import COSTS, costs, last_day
from trailers12k.report.embedding_map import EmbeddingMap
from trailers12k.report.formatting import (
    FIGURES_FOLDER,
    json_for_script,
    read_template,
    relative_link,
    script_for_page,
    template_environment,
)
from trailers12k.report.leaderboard_section import leaderboard_grid
from trailers12k.report.overview import Tables
from trailers12k.report.pictures import Picture, Still, cost_words, funnel_words

TABLES = {
    "trailers": (
        "results/tables/trailers.csv",
        "the trailer of every movie, and the stage that lost it",
    ),
    "funnel": ("results/tables/funnel.csv", "movies after each step, and losses by reason"),
    "ledger": (
        "data/ledger.csv",
        "the status of every movie in every stage, with the original messages",
    ),
    "flags": ("results/tables/flags.csv", "trailers that a person should check, and why"),
    "curation": ("data/curation.csv", "decisions of reviewers"),
    "genres": ("results/tables/genres.csv", "movies per genre"),
    "cooccurrence": ("results/tables/cooccurrence.csv", "movies per pair of genres"),
    "measures": ("results/tables/measures.csv", "quartiles of years and lengths"),
    "histograms": ("results/tables/histograms.csv", "histograms of years and lengths"),
    "stores": ("results/tables/stores.csv", "stores, backbones and weights"),
    "versions": ("results/tables/versions.csv", "the programs that made the data"),
    "splits": ("results/splits.csv", "shares of the genres in the subsets"),
    "split_effect": ("results/split_effect.csv", "baselines on these splits and standard ones"),
    "summary": ("results/summary.csv", "the results of every run, as means over the splits"),
    "leaderboard": ("results/leaderboard.csv", "what each row is made with, for comparisons"),
    "tst": ("results/transfer/tst.csv", "scores of every run and split on the test movies"),
    "val": ("results/transfer/val.csv", "scores of every run and split on the validation movies"),
    "intervals": ("results/transfer/intervals.csv", "95 % intervals of every run and split"),
    "comparisons": ("results/transfer/comparisons.csv", "tests of every two runs"),
    "options": ("results/transfer/options.csv", "scores of the evaluation variants"),
    "precision_recall": ("results/curves/precision_recall.csv", "precision by recall, every run"),
    "learning": ("results/curves/learning.csv", "validation loss by epoch, every run"),
    "genre_results": ("results/curves/genres.csv", "average precision by genre, every run"),
    "mistakes": ("results/tables/mistakes.csv", "test movies with the highest loss of every run"),
    "costs": ("results/costs.csv", "time and memory of each rule's jobs"),
}
"""Name -> file and its content. The page links the files that exist."""
INDEXED = ("precision_recall", "learning", "genre_results")
"""The tables whose first column is an index."""
TEXT_COLUMNS = {
    "trailers": ("title", "genres", "trailer", "video_title", "reason", "stage", "sound"),
    "mistakes": ("title", "genres", "predicted"),
    "flags": ("flag", "words"),
}
"""Table -> columns that are text, whatever they look like."""
OF_GENRES = ("movies", "share", "evaluated")
OF_COSTS = ("jobs", "seconds", "cpu_seconds", "max_rss_mb")
OF_MEASURES = ("movies", "least", "lower_quartile", "median", "upper_quartile", "most", "mean")
OF_TRAILERS = (
    *("duration", "height", "width", "shots", "clips", "black", "still", "frozen"),
    *("loudness", "silence", "speech"),
)
COLUMNS: dict[str, tuple[Sequence[str], Sequence[str]]] = {
    "trailers": (
        ("mid", "title", "genres", "status", "stage", "reason", "sound", *OF_TRAILERS),
        OF_TRAILERS,
    ),
    "flags": (("mid", "flag", "words", "others"), ()),
    "ledger": (("mid", "stage", "status", "reason", "detail"), ()),
    "funnel": (("step", "status", "reason", "movies"), ("movies",)),
    "genres": (("genre", *OF_GENRES), OF_GENRES),
    "cooccurrence": (("genre", *GENRES), GENRES),
    "measures": (("measure", "meaning", *OF_MEASURES), OF_MEASURES),
    "histograms": (("measure", "from", "to", "movies"), ("from", "to", "movies")),
    "mistakes": (("run", "mid", "title", "loss", "genres", "predicted"), ("loss",)),
    "stores": (("store", "input", "movies", "clips", "features"), ("movies", "clips", "features")),
    "versions": (("what", "made_by"), ()),
    "costs": (("rule", *OF_COSTS), OF_COSTS),
    "leaderboard": (leaderboards.COLUMNS, ("movies", "of")),
    "summary": (
        ("run", "weights", "splits", "classifier", *METRICS, *GENRES),
        (*METRICS, *GENRES),
    ),
    "tst": (("run", "split", *METRICS, *GENRES), (*METRICS, *GENRES)),
    "val": (("run", "split", "subset", *METRICS, *GENRES), (*METRICS, *GENRES)),
    "options": (("run", "split", "option", *METRICS), METRICS),
    "intervals": (INTERVAL_COLUMNS, ("estimate", "low", "high")),
    "comparisons": (COMPARISON_COLUMNS, ("difference", "p", "p_adjusted")),
    "splits": (("split", "subset", "movies", *GENRES), ("movies", *GENRES)),
    "split_effect": (SPLIT_EFFECT, SPLIT_EFFECT_NUMBERS),
    "precision_recall": (("recall",), ("recall",)),
    "learning": (("epoch",), ("epoch",)),
    "genre_results": (("genre",), ()),
}
"""Table -> the columns that it must have, and those of them that are numbers."""
SOURCES: dict[str, tuple[str, ...]] = {
    "losses": ("funnel", "trailers", "ledger"),
    "stores": ("stores",),
    "versions": ("versions",),
    "config": ("config",),
    "measures": ("measures", "trailers"),
    "sound": ("trailers",),
    "results": ("summary", "intervals", "tst", "val"),
    "leaderboard": ("leaderboard",),
    "options": ("options",),
    "pairs": ("comparisons",),
    "split_effect": ("split_effect",),
    "genre_results": ("genre_results", "summary"),
    "mistakes": ("mistakes",),
    "flags": ("flags",),
    "curation": ("curation",),
}
"""Table of the page -> the files that it links, as keys of `TABLES`."""


@dataclass(frozen=True)
class ReportInputs:
    """What `draw_report` reads.

    tables: keys of `TABLES` -> files that exist, without costs. config: results/config.yaml.
    embeddings: map/STORE.csv of every store. labels: mtgc.csv, needed without trailers.csv.
    contact_sheets: folder; None: no frames on the page. current: the stores and runs of the
    configuration. credits: paragraphs of the footer. existing: pictures that another rule drew.
    """

    tables: Mapping[str, str | Path]
    config: str | Path
    embeddings: Sequence[str | Path]
    labels: str | Path | None = None
    contact_sheets: str | Path | None = None
    current: Sequence[str] = ()
    credits: Sequence[str] = ()
    existing: Container[str] = ()


def draw_report(inputs: ReportInputs, page: str | Path, costs_table: str | Path) -> None:
    """Writes the costs of the run, the pictures in `FIGURES_FOLDER`, and the page."""
    write_csv(costs_table, COSTS, costs("benchmarks", inputs.current))
    tables = read_tables({**inputs.tables, "costs": costs_table})
    drawn = pictures.pictures_of(tables)
    stills = pictures.draw(drawn, FIGURES_FOLDER, inputs.existing)
    embeddings = {Path(path).stem: read_embedding(path) for path in inputs.embeddings}
    if "trailers" in tables:
        movies = tables["trailers"]
    elif inputs.labels:
        movies = embedding_map.untitled_movies(
            read_frame(inputs.labels, ["mid", *GENRES], GENRES, ["mid"])
        )
    else:
        raise ValueError("a report needs either trailers.csv or labels")
    embedding_map.draw_embeddings(embeddings, movies, FIGURES_FOLDER)
    frames = None
    if inputs.contact_sheets and "trailers" in tables:
        shots = thumbnails.shots_of(read_csv(inputs.tables["trailers"], ["mid", "shots"]))
        frames = thumbnails.build(inputs.contact_sheets, shots)
    contents = PageContents(
        tables=tables,
        config=Path(inputs.config).read_text(encoding="utf-8"),
        pictures=drawn,
        stills=stills,
        embedding_map=embedding_map.map_of(embeddings, movies, frames),
        credits=inputs.credits,
        finished=last_day("benchmarks", inputs.current),
    )
    write_text(page, render(contents))


def read_tables(paths: Mapping[str, str | Path]) -> dict[str, pd.DataFrame]:
    """Reads the tables of `TABLES`: name -> rows."""
    return {name: _read_table(name, path) for name, path in paths.items()}


def _read_table(name: str, path: str | Path) -> pd.DataFrame:
    columns, numbers = COLUMNS.get(name, ((), ()))
    return read_frame(
        path,
        columns,
        numbers,
        index_col=0 if name in INDEXED else None,
        dtype=str if name == "curation" else dict.fromkeys(TEXT_COLUMNS.get(name, ()), str),
        # A movie may be called "NA".
        keep_default_na=False,
        na_values=[""],
    )


@dataclass(frozen=True)
class PageContents:
    """What `render` shows.

    tables: of `read_tables`. config: the text of results/config.yaml. stills: picture -> its image.
    finished: the day on which the last job ended, if known.
    """

    tables: Tables
    config: str
    pictures: Sequence[Picture]
    stills: Mapping[str, Still]
    embedding_map: EmbeddingMap | None = None
    credits: Sequence[str] = ()
    finished: date | None = None

    @property
    def has_movies(self) -> bool:
        """Whether the run has a table of movies, which the authors' own features lack."""
        return "trailers" in self.tables

    def links(self) -> dict[str, str]:
        """Name, a key of `TABLES` or `config` -> link from the page."""
        # The ledger of 12,000 movies is only linked; wherever there are trailers, there is one.
        linked = {*self.tables} | ({"ledger"} if self.has_movies else set())
        links = {name: relative_link(TABLES[name][0]) for name in TABLES if name in linked}
        return links | {"config": relative_link("results/config.yaml")}


def render(contents: PageContents) -> str:
    """The report as HTML. Its links are relative to `REPORT_FOLDER`."""
    links = contents.links()
    context = {
        "links_of": {
            name: [links[source] for source in sources if source in links]
            for name, sources in SOURCES.items()
        },
        "files": [(links[name], words) for name, (_, words) in TABLES.items() if name in links],
        "pictures": {
            picture.name: {
                "text": picture,
                "still": contents.stills[picture.name],
                "links": [links[name] for name in picture.tables if name in links],
            }
            for picture in contents.pictures
        },
        "figures": relative_link(FIGURES_FOLDER),
        "map": contents.embedding_map,
        "has_movies": contents.has_movies,
        "config": contents.config,
        "credits": contents.credits,
        "genres": GENRES,
        "colours": theme.GENRE_COLOURS,
        "charts": json_for_script(
            {picture.name: drawing.spec(picture.chart) for picture in contents.pictures}
        ),
        "dark": json_for_script(theme.DARK),
        "style": read_template("report.css"),
        "code": read_template("report.js"),
        "library": script_for_page(drawing.javascript()),
        "contents": _table_of_contents(contents),
        "finished": f"{contents.finished:%-d %B %Y}" if contents.finished else "",
        "version": __version__,
        **_sections(contents.tables, yaml.safe_load(contents.config)),
    }
    return template_environment().get_template("report.html.j2").render(context)


def _sections(tables: Tables, settings: sections.Settings) -> dict[str, Any]:
    """The texts and tables of the page; None for a table whose file does not exist."""
    summary, funnel = tables["summary"], tables["funnel"]
    return {
        "title": overview.title(settings),
        "answers": overview.answers(tables, settings),
        "facts": sections.facts(settings),
        "stores": sections.store_grid(tables["stores"]),
        "versions": sections.version_grid(tables["versions"]),
        "funnel_words": funnel_words(funnel),
        "losses": sections.loss_grid(funnel),
        "remaining": sections.funnel_grid(funnel),
        "decisions": sections.decision_words(tables["curation"]) if "curation" in tables else "",
        "flags": sections.flag_grid(tables["flags"]) if "flags" in tables else None,
        "trailer_words": sections.trailer_words(tables["measures"]) if "measures" in tables else "",
        "measures": sections.measure_grid(tables["measures"]) if "measures" in tables else None,
        "heard": sections.heard_measures(tables["measures"]) if "measures" in tables else [],
        "sound_words": _sound_words(tables),
        "sounds": sections.sound_grid(tables["trailers"]) if _sound_words(tables) else None,
        "splits": sections.split_grid(tables["splits"]),
        **effect_section.of(tables.get("split_effect")),
        "result_words": results_section.result_words(summary, settings),
        "results": results_section.result_rows(summary),
        "tested": results_section.tested_words(summary),
        "has_paper": "paper_uap" in summary,
        "has_intervals": run_charts.has_intervals(summary),
        "absence": absences(tables["tst"], tables["val"]),
        "absence_explanation": EXPLANATION,
        **pairs_section.of(tables.get("comparisons")),
        "options": results_section.variant_grid(tables["options"]) if "options" in tables else None,
        "leaderboard": leaderboard_grid(tables["leaderboard"]) if "leaderboard" in tables else None,
        "genre_results": results_section.genre_rows(tables["genre_results"], summary),
        "mistakes": sections.mistakes(tables["mistakes"]),
        "cost_words": cost_words(tables["costs"]) if "costs" in tables else "",
    }


def _sound_words(tables: Tables) -> str:
    """The sentences of the section about sound, which only trailers that were heard have."""
    if "trailers" not in tables or "measures" not in tables:
        return ""
    return sections.sound_words(tables["trailers"], tables["measures"])


def _table_of_contents(contents: PageContents) -> list[tuple[str, str]]:
    """The sections that the page has: id, heading."""
    chapters = [
        ("results", "Results", True),
        ("leaderboard", "Leaderboard", "leaderboard" in contents.tables),
        ("mistakes", "Largest errors", True),
        ("funnel", "Losses", True),
        ("movies", "Movies", True),
        ("trailers", "Trailers", contents.has_movies),
        ("sound", "Sound", bool(_sound_words(contents.tables))),
        ("map", "Map", contents.embedding_map is not None),
        ("splits", "Splits", True),
        ("run", "Configuration", True),
        ("costs", "Time and memory", "costs" in contents.tables),
        ("files", "Files", True),
    ]
    return [(id_, heading) for id_, heading, present in chapters if present]
