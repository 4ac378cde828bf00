"""Pages from tables and pictures: the report of a run, one HTML file that asks for nothing.

Reads tables, and the templates beside this module; writes pictures and the page. Must not know how
the tables were made.
"""

import html
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from PIL import Image

from trailers12k.common.movie import GENRES
from trailers12k.evaluation.metrics import FIGURES
from trailers12k.evaluation.summary import CHANCE, CONSTANT
from trailers12k.features.backbones.names import is_untrained
from trailers12k.report import charts as figures
from trailers12k.report.thumbnails import PER_PICTURE, Sprites

TEMPLATES = Path(__file__).parent / "templates"
PLACE = "results/report"
FIGURES_FOLDER = "results/figures"
FIGURE_NAMES = {"uap": "µAP", "map": "mAP", "wap": "wAP", "sap": "sAP"}

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

Table = pd.DataFrame


@dataclass(frozen=True)
class Grid:
    """A table of the page: words only. numbers: the columns that stand to the right."""

    caption: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: frozenset[int] = frozenset()


@dataclass
class Picture:
    """A chart of the page, with what is said of it.

    alt: what it shows, for who cannot see it. tables: names of `TABLES`. choices: of the chart's
    parameter `signal`; `several` of them at a time, or one, at first `chosen`.
    """

    name: str
    heading: str
    chart: figures.Chart
    alt: str
    caption: str
    tables: Sequence[str]
    grid: Grid | None = None
    signal: str = ""
    choices: Sequence[str] = ()
    several: bool = False
    chosen: str = ""
    image: str = field(default="", init=False)
    width: int = field(default=0, init=False)
    height: int = field(default=0, init=False)


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


def pictures(tables: Mapping[str, Table]) -> list[Picture]:
    """The pictures of a run, in the order of the page, of those tables that are there."""
    found = [
        _funnel(tables["funnel"]),
        _genres(tables["genres"]),
        _cooccurrence(tables["cooccurrence"]),
    ]
    if "histograms" in tables:
        found += _histograms(tables["histograms"], tables["measures"])
    found += [_splits(tables["splits"]), _results(tables["summary"])]
    found += [_run_genres(tables["summary"]), *_curves(tables)]
    if "costs" in tables:
        found.append(_costs(tables["costs"]))
    return found


def _funnel(table: Table) -> Picture:
    rows = [
        [
            figures.LABELS.get(row["step"], row["step"])
            if row["status"] == "ok"
            else f"− {row['step']}: {row['reason']}",
            row["status"],
            _count(row["movies"]),
        ]
        for row in table.to_dict("records")
    ]
    return Picture(
        "funnel",
        "What is left of the movies, step by step",
        figures.funnel(table),
        "Bars of the movies left after each step. " + funnel_words(table),
        "Red is lost, grey is set aside; each row is named in the ledger, with its original words.",
        ["funnel", "trailers", "ledger"],
        Grid("Movies after each step.", ["step", "status", "movies"], rows, frozenset({2})),
    )


def funnel_words(table: Table) -> str:
    """The funnel in a few sentences."""
    left = table[table["status"] == "ok"].set_index("step")["movies"]
    words = [f"Of {_count(left.iloc[0])} movies, "]
    told = {
        "curation": "{} were kept by hand",
        "trailers": "{} have a whole trailer",
        "clips": "{} were cut into clips",
        "features": "{} are in the stores of every run",
        "evaluated": "{} were tested by every run",
    }
    parts = [text.format(_count(left[step])) for step, text in told.items() if step in left]
    words.append(", ".join(parts[:-1]) + f" and {parts[-1]}. ")
    lost = table[table["status"] == "failed"]
    reasons = [
        f"{_count(row['movies'])} {str(row['reason']).replace('_', ' ')} ({row['step']})"
        for row in lost.to_dict("records")
    ]
    words.append(f"Lost: {', '.join(reasons)}." if reasons else "None was lost to a failure.")
    return "".join(words)


def _genres(table: Table) -> Picture:
    rows = table.sort_values(["movies", "genre"], ascending=[False, True]).to_dict("records")
    told = ", ".join(f"{row['genre']} {_count(row['movies'])}" for row in rows)
    cells = [
        [
            row["genre"],
            _count(row["movies"]),
            f"{100 * row['share']:.1f} %",
            _count(row["evaluated"]),
        ]
        for row in rows
    ]
    return Picture(
        "genres",
        "Movies of each genre",
        figures.genres(table),
        f"Bars of the movies of each genre: {told}.",
        "A movie has one genre or several. Inside: the movies that every run was tested on.",
        ["genres"],
        Grid(
            "Movies of each genre.",
            ["genre", "movies", "share of all", "evaluated"],
            cells,
            frozenset({1, 2, 3}),
        ),
    )


def _cooccurrence(table: Table) -> Picture:
    names = list(table["genre"])
    pairs = [
        (int(table[other].iloc[row]), one, other)
        for row, one in enumerate(names)
        for other in names[row + 1 :]
    ]
    top = sorted(pairs, key=lambda pair: (-pair[0], pair[1:]))[:3]
    never = sum(count == 0 for count, _, _ in pairs)
    told = ", ".join(f"{one} with {other} {_count(count)}" for count, one, other in top)
    return Picture(
        "cooccurrence",
        "Genres that go together",
        figures.cooccurrence(table),
        f"A grid of all pairs of genres. The most frequent: {told}. Of {len(pairs)} pairs, {never} "
        "never occur.",
        "Movies that have both genres; on the diagonal, without a colour, all that have the one.",
        ["cooccurrence"],
    )


HEADINGS = {
    "year": ("year", "Years of the movies", "year"),
    "genres": ("genres_of", "Genres a movie has", "genres of a movie"),
    "duration": ("duration", "Duration of the trailers", "seconds"),
    "shots": ("shots", "Shots of a trailer", "shots"),
    "clips": ("clips", "Clips of a trailer", "clips"),
}


def _histograms(bars: Table, measures: Table) -> list[Picture]:
    found = []
    for row in measures.to_dict("records"):
        rows = bars[bars["measure"] == row["measure"]]
        name, heading, axis = HEADINGS[row["measure"]]
        words = "None is known."
        if len(rows):
            words = (
                f"{_count(row['movies'])} movies; median {row['median']:g}, half of them "
                f"between {row['lower_quartile']:g} and {row['upper_quartile']:g}; from "
                f"{row['least']:g} to {row['most']:g}."
            )
        chart = figures.histogram(rows, axis)
        alt = f"A histogram: {words}"
        found.append(Picture(name, heading, chart, alt, words, ["histograms", "measures"]))
    return found


def _splits(table: Table) -> Picture:
    told = []
    for name, rows in table.groupby("split", sort=False):
        sizes = ", ".join(
            f"{_count(row['movies'])} {row['subset']}" for row in rows.to_dict("records")
        )
        first = rows.iloc[0]
        told.append(
            f"{name}: {sizes}; label deviation {first['label_deviation']:.3f}, pair deviation "
            f"{first['pair_deviation']:.4f}"
        )
    return Picture(
        "splits",
        "How evenly genres are divided",
        figures.balance(table),
        f"Points for each genre, subset and split, around one. {'. '.join(told)}.",
        ". ".join(told) + ". Deviations: the largest of any subset.",
        ["splits"],
    )


def _trained(summary: Table) -> Table:
    return summary[~summary["run"].isin([CHANCE, CONSTANT])]


def _results(summary: Table) -> Picture:
    told = ", ".join(f"{r['run']} {r['uap']:.1f}" for r in _trained(summary).to_dict("records"))
    chance = summary.set_index("run").loc[CHANCE, "uap"]
    return Picture(
        "results",
        "Every run beside the paper and chance",
        figures.results(summary),
        f"Points for each run. Its mean µAP on the test movies, in %: {told}; chance {chance:.1f}.",
        "Mean over the splits, and the sample standard deviation to both sides.",
        ["summary"],
    )


def _run_genres(summary: Table) -> Picture:
    runs = _trained(summary)
    best = runs.loc[runs["map"].idxmax()]
    ranked = sorted(GENRES, key=lambda genre: -best[genre])
    told = ", ".join(f"{genre} {best[genre]:.1f}" for genre in ranked)
    return Picture(
        "run_genres",
        "One run, genre by genre",
        figures.run_genres(summary),
        f"Points by genre. Average precision of {best['run']}, which has the highest mAP, in %: "
        f"{told}.",
        f"The run that is chosen ({best['run']} where nothing can be) among all others, pale, and "
        "chance, the grey mark. Mean over the splits, and the sample standard deviation.",
        ["summary"],
        signal="run",
        choices=list(runs["run"]),
        chosen=best["run"],
    )


def _curves(tables: Mapping[str, Table]) -> list[Picture]:
    pretrained = figures.pretrained_of(tables["tst"])
    recall, losses = tables["precision_recall"], tables["learning"]
    middle = {run: recall[run].iloc[50] for run in recall}
    least = {run: (losses[run].min(), int(losses[run].idxmin())) for run in losses}
    common = {"signal": "shown", "choices": list(recall), "several": True}
    return [
        Picture(
            "precision_recall",
            "Precision and recall",
            figures.precision_recall(recall, pretrained),
            "A curve for each run. Precision at recall 0.5, in %: "
            + ", ".join(f"{run} {value:.1f}" for run, value in middle.items())
            + ".",
            "Over all pairs of test movie and genre; the mean over the splits.",
            ["precision_recall"],
            **common,
        ),
        Picture(
            "learning",
            "Learning curves",
            figures.learning(losses, pretrained),
            "A curve for each run. Lowest validation loss, and its epoch: "
            + ", ".join(f"{run} {value:.3f} ({epoch})" for run, (value, epoch) in least.items())
            + ".",
            "Validation loss; the mean over the splits that still train, so that a curve may jump "
            "where one of them stops.",
            ["learning"],
            **common,
        ),
    ]


def _costs(table: Table) -> Picture:
    rows = [
        [
            row["rule"],
            _count(row["jobs"]),
            duration(row["seconds"]),
            duration(row["cpu_seconds"]),
            f"{row['max_rss_mb']:,.0f} MB",
        ]
        for row in table.to_dict("records")
    ]
    return Picture(
        "costs",
        "What each rule's jobs took",
        figures.costs(table),
        "Bars for each rule. " + cost_words(table),
        "Summed over the jobs, when each last ran; jobs of one rule may have run side by side. "
        "Rules below a five-hundredth of all time are only in the table.",
        ["costs"],
        Grid(
            "Jobs, time and memory of each rule.",
            ["rule", "jobs", "wall time", "CPU time", "most memory of a job"],
            rows,
            frozenset({1, 2, 3, 4}),
        ),
    )


def cost_words(table: Table) -> str:
    """What all jobs took, in a sentence."""
    if not len(table):
        return "Nothing was measured here."
    most = table.loc[table["max_rss_mb"].idxmax()]
    return (
        f"{_count(table['jobs'].sum())} jobs took {duration(table['seconds'].sum())}, and "
        f"{duration(table['cpu_seconds'].sum())} of CPU; the longest was "
        f"{table['rule'].iloc[0]} with {duration(table['seconds'].iloc[0])}, the largest a job of "
        f"{most['rule']} with {most['max_rss_mb']:,.0f} MB."
    )


def draw(found: Sequence[Picture], folder: str | Path, drawn: Sequence[str] = ()) -> None:
    """Write every picture into `folder` as NAME.svg and NAME.png, but for those `drawn` already,
    and let it know its image."""
    for one in found:
        if one.name not in drawn:
            figures.save(one.chart, Path(folder) / one.name)
        text = (Path(folder) / f"{one.name}.svg").read_text(encoding="utf-8")
        one.image = f"data:image/svg+xml;base64,{b64encode(text.encode()).decode()}"
        one.width, one.height = (
            round(float(size))
            for size in re.search(r'<svg[^>]* width="([\d.]+)" height="([\d.]+)"', text).groups()
        )


def unnamed(labels: Table) -> Table:
    """Movies of which no more is known than their genres, of mtgc.csv, with the columns of
    trailers.csv that a map shows: the mid is the title."""
    of = labels[list(GENRES)].to_numpy() == 1
    genres = ["|".join(name for name, has in zip(GENRES, row, strict=True) if has) for row in of]
    told = {"mid": labels["mid"], "title": labels["mid"], "year": "", "genres": genres}
    return pd.DataFrame(told)


def draw_maps(maps: Mapping[str, Table], movies: Table, folder: str | Path) -> None:
    """Write the map of every store into `folder` as map_STORE.svg and .png.

    movies: rows of trailers.csv, or of `unnamed`.
    """
    first = _first_genres(movies)
    for store, places in maps.items():
        figures.save(figures.feature_map(places, first), Path(folder) / f"map_{store}")


def _first_genres(movies: Table) -> dict[str, str]:
    genres = movies["genres"].fillna("").str.split("|").str[0]
    return dict(zip(movies["mid"], genres, strict=True))


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
        "colours": figures.GENRE_COLOURS,
        "credits": credits,
        "charts": _json({one.name: figures.spec(one.chart) for one in found}),
        "dark": _json(figures.DARK),
        "style": Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        "code": Markup((TEMPLATES / "report.js").read_text(encoding="utf-8")),
        "library": _script(figures.script()),
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


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["count"] = _count
    environment.filters["file_name"] = lambda path: path.rsplit("/", 1)[-1]
    return environment


def _relative(path: str | Path) -> str:
    """A path of the project, from `PLACE`."""
    path = Path(path).as_posix()
    return f"../{path.removeprefix('results/')}" if path.startswith("results/") else f"../../{path}"


def _json(value: object) -> Markup:
    """JSON that may stand in a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _script(text: str) -> Markup:
    """A script that may stand in a script element: none of its strings ends that."""
    return Markup(re.sub(r"<(?=/script|!--|script)", r"\\x3c", text, flags=re.I))


def _count(value: object) -> str:
    return f"{int(value):,}" if value != "" else ""


def duration(seconds: float) -> str:
    """Seconds as a person says them: `41 s`, `7:05 min`, `3.2 h`."""
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    if seconds < 5400:
        return f"{int(seconds // 60)}:{int(seconds % 60):02d} min"
    return f"{seconds / 3600:,.1f} h"


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
        for name in FIGURES:
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
    means = 100 * tables["options"].groupby(["run", "option"], sort=False)[list(FIGURES)].mean()
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


def _atlas(
    maps: Mapping[str, Table],
    movies: Table | None,
    sprites: Sprites | None,
) -> dict | None:
    """The map's data and its first picture."""
    maps = {store: places for store, places in maps.items() if len(places)}
    if not maps or movies is None:
        return None
    known = {mid for places in maps.values() for mid in places["mid"]}
    shown = movies[movies["mid"].isin(known)].fillna({"title": "", "genres": ""})
    index = {mid: place for place, mid in enumerate(shown["mid"])}
    lists: list[str] = []
    stores = {}
    for store, places in maps.items():
        places = places[places["mid"].isin(index)]
        listed = _packed([index[mid] for mid in places["mid"]], "<u4")
        if listed not in lists:
            lists.append(listed)
        nearest = [index.get(mid, 2**32 - 1) for mid in places["nearest"]]
        stores[store] = {
            "movies": lists.index(listed),
            "x": _packed(_spread(places["x"]), "<u2"),
            # A canvas counts downwards.
            "y": _packed(65535 - _spread(places["y"]), "<u2"),
            "nearest": _packed(nearest, "<u4"),
        }
    genres = [text.split("|") if text else [] for text in shown["genres"]]
    years = pd.to_numeric(shown["year"], errors="coerce")
    data = {
        "mids": list(shown["mid"]),
        "titles": list(shown["title"]),
        "years": ["" if pd.isna(year) else f"{year:.0f}" for year in years],
        "genres": [sum(1 << GENRES.index(name) for name in of if name in GENRES) for of in genres],
        "first": [GENRES.index(of[0]) if of and of[0] in GENRES else -1 for of in genres],
        "names": list(GENRES),
        "colours": figures.GENRE_COLOURS,
        "lists": lists,
        "stores": stores,
        "frames": None,
    }
    words = "Titles, genres and the nearest trailer are shown where one points."
    if sprites:
        there = {mid: place for place, mid in enumerate(sprites.mids)}
        data["frames"] = {
            "width": sprites.width,
            "height": sprites.height,
            "count": sprites.count,
            "each": PER_PICTURE,
            "place": [there.get(mid, -1) for mid in shown["mid"]],
        }
        words = "Titles, genres, frames and the nearest trailer are shown where one points."
    first = next(iter(stores))
    image, size = _small_png(Path(FIGURES_FOLDER) / f"map_{first}.png")
    return {
        "data": _json(data),
        "stores": list(stores),
        "paths": {store: _relative(f"results/map/{store}.csv") for store in stores},
        "strips": [Markup(html.escape(text)) for text in (sprites.pictures if sprites else [])],
        "image": image,
        "width": size[0] // 2,
        "height": size[1] // 2,
        "alt": f"A scatter of {_count(len(maps[first]))} trailers in the features of {first}, "
        "coloured by first genre; the table has the places.",
        "words": words,
    }


def _spread(column: pd.Series) -> np.ndarray:
    """Numbers from the least, 0, to the most, 65535."""
    values = column.to_numpy(dtype=float)
    width = values.max() - values.min() or 1
    return np.rint(65535 * (values - values.min()) / width)


def _packed(values: Sequence[int] | np.ndarray, kind: str) -> str:
    return b64encode(np.asarray(values).astype(kind).tobytes()).decode()


def _small_png(path: Path) -> tuple[str, tuple[int, int]]:
    """A picture of few colours as a data URI, and its size."""
    file = BytesIO()
    with Image.open(path) as picture:
        size = picture.size
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(
            file, "PNG", optimize=True
        )
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode()}", size
