"""Pages from tables and pictures: the report of a run, one HTML file that asks for nothing.

Reads tables, and the templates beside this module; writes pictures and the page. Must not know how
the tables were made.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml
from markupsafe import Markup

from trailers12k.common.vocabulary import CHANCE, GENRES, METRICS
from trailers12k.evaluation.scores import is_untrained
from trailers12k.report import drawing, theme
from trailers12k.report.atlas import _atlas
from trailers12k.report.formatting import (
    FIGURE_NAMES,
    FIGURES_FOLDER,
    TEMPLATES,
    Table,
    _count,
    _environment,
    _json,
    _relative,
    _script,
)
from trailers12k.report.pictures import Grid, Picture, _trained, cost_words, funnel_words
from trailers12k.report.thumbnails import Sprites

TABLES = {
    "trailers": ("results/tables/trailers.csv", "every movie's trailer, and where it was lost"),
    "funnel": ("results/tables/funnel.csv", "from movies to results, every loss by reason"),
    "ledger": (
        "data/ledger.csv",
        "what became of every movie in every stage, in the original words",
    ),
    "flags": ("results/tables/flags.csv", "trailers that a person should look at, and why"),
    "curation": ("data/curation.csv", "what was decided by hand"),
    "genres": ("results/tables/genres.csv", "movies of each genre"),
    "cooccurrence": ("results/tables/cooccurrence.csv", "movies of each pair of genres"),
    "measures": ("results/tables/measures.csv", "medians and ends of years and lengths"),
    "histograms": ("results/tables/histograms.csv", "the bars of years and lengths"),
    "stores": ("results/tables/stores.csv", "stores, backbones and weights"),
    "versions": ("results/tables/versions.csv", "the programs that made the data"),
    "splits": ("results/splits.csv", "how evenly genres are divided"),
    "summary": ("results/summary.csv", "the results, beside the paper's"),
    "tst": ("results/transfer/tst.csv", "scores of every run and split on the test movies"),
    "options": ("results/transfer/options.csv", "the same trainings, evaluated otherwise"),
    "precision_recall": ("results/curves/precision_recall.csv", "precision by recall, every run"),
    "learning": ("results/curves/learning.csv", "validation loss by epoch, every run"),
    "genre_results": ("results/curves/genres.csv", "average precision by genre, every run"),
    "mistakes": ("results/tables/mistakes.csv", "the movies each run got most wrong"),
    "costs": ("results/costs.csv", "time and memory of each rule's jobs"),
}
"""Name -> file and what it holds; the page links those that are there."""
INDEXED = ("precision_recall", "learning", "genre_results")


def read_tables(paths: Mapping[str, str | Path]) -> dict[str, Table]:
    """The tables that are there, by their names in `TABLES`."""
    # A movie may be called "NA".
    how = {"keep_default_na": False, "na_values": [""]}
    return {
        name: pd.read_csv(path, index_col=0 if name in INDEXED else None, dtype=_types(name), **how)
        for name, path in paths.items()
        if path
    }


def _types(name: str) -> dict:
    words = {
        "trailers": ("title", "genres", "trailer", "video_title", "reason", "stage"),
        "mistakes": ("title", "genres", "predicted"),
        "curation": None,
        "flags": ("flag", "words"),
    }
    if name not in words:
        return {}
    return str if words[name] is None else dict.fromkeys(words[name], str)


def report(
    tables: Mapping[str, Table],
    found: Sequence[Picture],
    *,
    config: str,
    paths: Mapping[str, str] | None = None,
    maps: Mapping[str, Table] | None = None,
    movies: Table | None = None,
    sprites: Sprites | None = None,
    credits: Sequence[str] = (),
) -> str:
    """The report as HTML. Every link is relative to `PLACE`.

    found: pictures that are drawn. config: the text of results/config.yaml. paths: where tables
    are, if elsewhere than `TABLES` says. maps: store -> rows of map/STORE.csv; drawn too.
    movies: those of the maps, as `draw_maps` takes them; by default of trailers.csv. sprites:
    frames for the map.
    """
    places = {name: _relative(path) for name, (path, _) in TABLES.items() if name in tables}
    places |= {name: _relative(path) for name, path in (paths or {}).items()}
    places["config"] = _relative("results/config.yaml")
    for one in found:
        one.tables = [places.get(name, name) for name in one.tables if name in places]
    summary, stores = tables["summary"], tables["stores"].astype(object).fillna("")
    settings = yaml.safe_load(config)
    untrained = [
        row["run"]
        for row in _trained(summary).to_dict("records")
        if is_untrained(row["pretrained"])
    ]
    of_movies = "trailers" in tables
    told = {
        "title": _title(settings),
        "lead": _lead(tables),
        "untrained": untrained,
        "run_count": len(_trained(summary)),
        "tiles": _tiles(tables),
        "facts": _facts(settings),
        "stores": stores.to_dict("records"),
        "versions": Grid(
            "The programs that made the data.",
            ["what", "made by"],
            tables["versions"].astype(object).fillna("").values.tolist(),
        ),
        "config": config,
        "funnel_words": funnel_words(tables["funnel"]),
        "decisions": _decisions(tables, places),
        "flags": _flags(tables),
        "of_movies": of_movies,
        "trailer_words": _trailer_words(tables) if of_movies else "",
        "measures": _measures(tables["measures"]) if of_movies else None,
        "result_words": _result_words(summary),
        "results": _result_rows(summary),
        "options": _options(tables),
        "genres": GENRES,
        "genre_results": _genre_rows(tables["genre_results"], summary),
        "mistakes": _mistakes(tables["mistakes"].astype(object).fillna("")),
        "atlas": _atlas(
            maps or {},
            tables.get("trailers") if movies is None else movies,
            sprites,
        ),
        "cost_words": cost_words(tables["costs"]) if "costs" in tables else "",
        "files": [(places[name], words) for name, (_, words) in TABLES.items() if name in places],
        "pictures": {one.name: one for one in found},
        "figures": _relative(FIGURES_FOLDER),
        "paths": {
            name: [places[part] for part in (parts or (name,)) if part in places]
            for name, parts in PATHS.items()
        },
        "colours": theme.GENRE_COLOURS,
        "credits": credits,
        "charts": _json({one.name: drawing.spec(one.chart) for one in found}),
        "dark": _json(theme.DARK),
        "style": Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        "code": Markup((TEMPLATES / "report.js").read_text(encoding="utf-8")),
        "library": _script(drawing.script()),
    }
    told["contents"] = _contents(told)
    return _environment().get_template("report.html.j2").render(told)


PATHS: dict[str, tuple[str, ...]] = {
    "stores": (),
    "versions": (),
    "config": (),
    "measures": ("measures", "trailers"),
    "results": ("summary", "tst"),
    "options": (),
    "genre_results": ("genre_results", "summary"),
    "mistakes": (),
    "flags": (),
}
"""What is linked below each table of the page; its own name where nothing is told."""


def _title(settings: Mapping) -> str:
    named = settings["movies"] if isinstance(settings["movies"], list) else [settings["movies"]]
    if named == ["sample"]:
        return "The built-in sample"
    if named == ["published"]:
        return "The paper's table, from the authors' features"
    return f"Trailers of {', '.join(map(str, named))}"


def _left(tables: Mapping[str, Table]) -> pd.Series:
    table = tables["funnel"]
    return table[table["status"] == "ok"].set_index("step")["movies"]


def _best(summary: Table) -> pd.Series:
    runs = _trained(summary)
    return runs.loc[runs["uap"].idxmax()]


def _lead(tables: Mapping[str, Table]) -> str:
    best, left = _best(tables["summary"]), _left(tables)
    chance = tables["summary"].set_index("run").loc[CHANCE, "uap"]
    on = "untrained weights" if is_untrained(best["pretrained"]) else str(best["weights"])
    return (
        f"{_count(left.iloc[0])} movies, {len(_trained(tables['summary']))} runs on "
        f"{tables['splits']['split'].nunique()} splits. The best, {best['run']} ({on}), reaches "
        f"µAP {best['uap']:.2f} ± {best['uap_sd']:.2f} % where chance has {chance:.2f}."
    )


def _tiles(tables: Mapping[str, Table]) -> list[tuple[str, str]]:
    left, stores = _left(tables), tables["stores"]
    tiles = [(_count(left.iloc[0]), "movies")]
    if "trailers" in left:
        tiles.append((_count(left["trailers"]), "whole trailers"))
    clips = stores.loc[stores["input"] != "posters", "clips"]
    if len(clips):
        tiles.append((_count(clips.max()), "clips"))
    tiles.append((_count(len(stores)), "stores of features"))
    tiles.append((_count(left["evaluated"]), "movies tested by every run"))
    best = _best(tables["summary"])
    tiles.append((f"{best['uap']:.1f} %", f"best µAP: {best['run']}"))
    return tiles


def _facts(settings: Mapping) -> list[tuple[str, str]]:
    movies, splits, clips = settings["movies"], settings["splits"], settings["clips"]
    training = settings["training"]
    facts = [("movies", ", ".join(movies) if isinstance(movies, list) else str(movies))]
    facts.append(("seed", str(settings["seed"])))
    if movies not in ("published", ["published"]):
        facts += [
            ("shots and clips", f"{clips['detector']}; {clips['fpc']} frames at {clips['fps']}/s"),
            ("frames of a clip", f"{settings['image_frames']} averaged by the image backbones"),
        ]
    told = (
        f"{splits['training']:.0%} training, {splits['validation']:.0%} validation, "
        f"{splits['test']:.0%} test; best of {splits['tries']} tries"
        if isinstance(splits, Mapping)
        else f"the authors' ({splits})"
    )
    facts.append(("splits", told))
    facts.append(
        (
            "training",
            f"at most {training['epochs']} epochs, batches of {training['batch']}, snippets of "
            f"{training['snippet']} clips, learning rate {training['lr']:g}",
        )
    )
    return facts


def _decisions(tables: Mapping[str, Table], places: Mapping[str, str]) -> dict | None:
    if "curation" not in tables:
        return None
    table = tables["curation"]
    if not len(table):
        return {"words": "Nothing was decided by hand.", "tables": [places["curation"]]}
    counts = table["decision"].value_counts()
    words = ", ".join(
        f"{name.replace('_', ' ')} {_count(counts[name])}" for name in sorted(counts.index)
    )
    told = f"{_count(len(table))} movies were looked at: {words}."
    if "verified" in table:
        good = table["verified"].fillna("").astype(str).str.lower().isin(["true", "1", "yes"]).sum()
        told += (
            f" {_count(good)} trailers are verified: accepted, and still the file that was seen."
        )
    return {"words": told, "tables": [places["curation"]]}


def _flags(tables: Mapping[str, Table]) -> Grid | None:
    if "flags" not in tables:
        return None
    table = tables["flags"]
    rows = [
        [str(flag).replace("_", " "), _count(len(rows)), rows.iloc[0]["mid"], rows.iloc[0]["words"]]
        for flag, rows in table.groupby("flag", sort=True)
    ]
    caption = "Trailers that a person should look at, by what is odd about them, with one of each."
    if not rows:
        caption = "No trailer is odd in a way that is known."
    return Grid(caption, ["flag", "trailers", "one of them", "because"], rows, frozenset({1}))


def _trailer_words(tables: Mapping[str, Table]) -> str:
    measures = tables["measures"].set_index("measure")
    if not measures.loc["clips", "movies"]:
        return "No trailer is there yet."
    return (
        f"{_count(measures.loc['duration', 'movies'])} trailers, in the median "
        f"{measures.loc['duration', 'median']:g} seconds, "
        f"{measures.loc['shots', 'median']:g} shots and {measures.loc['clips', 'median']:g} clips."
    )


def _measures(table: Table) -> Grid:
    columns = ["movies", "least", "lower_quartile", "median", "upper_quartile", "most", "mean"]
    rows = [
        [row["meaning"], _count(row["movies"])]
        + [f"{row[name]:.6g}" if pd.notna(row[name]) else "" for name in columns[1:]]
        for row in table.to_dict("records")
    ]
    heads = ["measure", *(name.replace("_", " ") for name in columns)]
    return Grid("The middle and the ends.", heads, rows, frozenset(range(1, 8)))


def _result_words(summary: Table) -> str:
    runs = _trained(summary)
    compared = runs[runs["paper_uap"].notna()] if "paper_uap" in runs else runs.iloc[:0]
    told = ""
    if len(compared):
        within = compared["uap_within"].astype(str).eq("True").sum()
        told = (
            f" {_count(len(compared))} have a figure in the paper; of their µAP, {_count(within)} "
            "lie within both standard deviations of it."
        )
    return f"{_count(len(runs))} runs, each trained on every split." + told


def _result_rows(summary: Table) -> list[dict]:
    rows = []
    for row in summary.to_dict("records"):
        weights = row["weights"] if isinstance(row["weights"], str) else ""
        cells = []
        for name in METRICS:
            cell = {"ours": _deviating(row[name], row[f"{name}_sd"]), "paper": "", "off": ""}
            if pd.notna(row.get(f"paper_{name}")):
                cell["paper"] = _deviating(row[f"paper_{name}"], row[f"paper_{name}_sd"])
                within = str(row[f"{name}_within"]) == "True"
                cell["off"] = f"{row[f'{name}_minus_paper']:+.2f} {'=' if within else '≠'}"
            cells.append(cell)
        told = {"run": row["run"], "weights": weights, "untrained": is_untrained(row["pretrained"])}
        rows.append(told | {"cells": cells, "movies": f"{row['movies']} of {row['of']}"})
    return rows


def _deviating(mean: float, deviation: float) -> str:
    return f"{mean:.2f}" + (f" ± {deviation:.2f}" if pd.notna(deviation) else "")


def _options(tables: Mapping[str, Table]) -> Grid | None:
    if "options" not in tables:
        return None
    means = 100 * tables["options"].groupby(["run", "option"], sort=False)[list(METRICS)].mean()
    rows = [
        [run, option, *(f"{value:.2f}" for value in row)]
        for (run, option), row in zip(means.index, means.to_numpy(), strict=True)
    ]
    heads = ["run", "option", *FIGURE_NAMES.values()]
    caption = "The same trainings, evaluated otherwise: means over the splits, in %."
    return Grid(caption, heads, rows, frozenset({2, 3, 4, 5}))


def _genre_rows(table: Table, summary: Table) -> list[dict]:
    columns = {run: table[run] for run in table}
    chance = summary.set_index("run").loc[CHANCE]
    columns = {CHANCE: chance[list(GENRES)].astype(float)} | columns
    return [
        {
            "run": run,
            "values": [
                {"told": f"{values[genre]:.1f}", "share": f"{values[genre] / 100:.3f}"}
                for genre in GENRES
            ],
        }
        for run, values in columns.items()
    ]


def _mistakes(table: Table) -> list[dict]:
    found = []
    for run, rows in table.groupby("run", sort=False):
        cells = [
            [
                row["title"] or row["mid"],
                row["mid"],
                f"{row['loss']:.3f}",
                row["genres"].replace("|", ", "),
                row["predicted"].replace("|", ", "),
            ]
            for row in rows.to_dict("records")
        ]
        first = rows.iloc[0]
        grid = Grid(
            f"The movies that {run} got most wrong.",
            ["movie", "mid", "loss", "genres", "predicted"],
            cells,
            frozenset({2}),
        )
        words = f"{first['title'] or first['mid']}, loss {first['loss']:.3f}"
        found.append({"run": run, "first": words, "grid": grid})
    return found


def _contents(told: Mapping) -> list[tuple[str, str]]:
    several = [
        ("run", "What was run", True),
        ("funnel", "From movies to results", True),
        ("movies", "The movies", True),
        ("trailers", "The trailers", told["of_movies"]),
        ("splits", "The splits", True),
        ("results", "The results", True),
        ("mistakes", "Most wrong", True),
        ("map", "A map of the features", told["atlas"]),
        ("costs", "Time and memory", told["cost_words"]),
        ("files", "The files", True),
    ]
    return [(id_, words) for id_, words, there in several if there]
