"""The pipeline of DVC: dvc.yaml, generated from the configuration, and the code versions it reads.

Reads config files; writes dvc.yaml and code_versions.json. Must not know Git.
"""

import json
import os
from collections.abc import Callable, Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from trailers12k import __version__
from trailers12k.common.bounded_files import quoted, shown_key
from trailers12k.common.errors import UserError
from trailers12k.common.files import write_text
from trailers12k.common.vocabulary import SOURCES, SPLITS
from trailers12k.evaluation.rows import result_rows
from trailers12k.movies import curation
from trailers12k.settings import Settings
from trailers12k.settings.files import CONFIG, LOADER, read_file
from trailers12k.workflow.code_versions import RESULT_MODULES, rule_version
from trailers12k.workflow.folder import STATE
from trailers12k.workflow.report_figures import report_figures
from trailers12k.workflow.split_plan import SplitPlan

CODE_VERSIONS = "code_versions.json"
"""The code dependency of every stage; Git keeps it."""
OLD_CODE = ("Snakefile", "rules", "scripts", "trailers12k")
"""The code dependencies in a dvc.yaml of before `CODE_VERSIONS`."""
HEAD = "# Written by `trailers12k stages` and `trailers12k snapshot` from the configuration.\n"
SCORES = ("summary.csv", "summary.md", "metrics.json", "leaderboard.csv")
METADATA_KEYS = (
    *("movies", "curation", "sample", "sources", "seed", "shards"),
    *("downloads", "trailers", "posters"),
)
EVALUATION_KEYS = ("runs", "training", "evaluation", "zero_shot", "seed")
FEATURES_KEYS = ("backbones", "weights", "image_frames", "precision", "clips", "seed", "shards")

Stage = dict[str, Any]
"""A stage of dvc.yaml: cmd, deps, params, outs."""


def stages_of(settings: Settings) -> dict[str, Stage]:
    """The stages of dvc.yaml, in the order of the flow."""
    stages: dict[str, Stage] = {
        # Without dependencies: it runs where the file is missing, such as in a new clone.
        "code": {
            "cmd": "trailers12k stages --code",
            "outs": [{CODE_VERSIONS: {"cache": False, "persist": True}}],
        }
    }

    def add(
        name: str, target: str, keys: Collection[str], deps: Sequence[str], outs: Sequence[str]
    ) -> None:
        stages[name] = _stage(target, _parameters(keys), deps, outs)

    stores = stores_of(settings)
    manifests = [f"data/{store}.csv" for store in stores]
    arrays = [f"data/{store}.zarr" for store in stores]
    movies = [] if settings.is_published else ["data/movies.csv"]
    ledger = [] if settings.is_published else ["data/ledger.csv"]
    clips = [] if settings.is_published else [curation.PRODUCT, "data/clips.csv"]
    if settings.is_published:
        outs = [*manifests, *arrays]
        add("features", " ".join(manifests), ("movies", "published", "runs"), [], outs)
    else:
        trailers = "build/ledger/trailers"
        metadata = [*movies, "data/metadata.json", curation.PRODUCT, trailers]
        add("metadata", "metadata", METADATA_KEYS, _user_tables(settings), metadata)
        add("clips", "clips", ("clips", "shards"), [trailers], ["data/clips.csv"])
        outs = [*manifests, *arrays, *ledger]
        add("features", "features", FEATURES_KEYS, [*movies, *clips], outs)
    splits = ["data/mtgc.csv", "results/splits.csv", *_figure_files("splits")]
    plan = SplitPlan(settings)
    # Duplicates are found in the features and the clips.
    found = [*manifests, *ledger, *clips] if plan.by_duplicates else []
    deps = [*movies, *_split_tables(settings), *found]
    add("splits", "splits", ("movies", "splits", "seed"), deps, splits)
    inputs = [*manifests, "data/mtgc.csv", *ledger]
    runs = [f"results/runs/{run}" for run in settings.runs]
    rows = result_rows(settings.for_results()["runs"], settings.evaluation.baselines)
    fitted = (f"results/baselines/{row.run}" for row in rows if row.is_baseline)
    runs += dict.fromkeys(fitted)
    scores = ["results/transfer", "results/curves", *(f"results/{name}" for name in SCORES)]
    scores += [*_figure_files("curves"), *plan.products]
    add("evaluation", "evaluate", EVALUATION_KEYS, inputs, [*runs, *scores])
    # All other products depend on all settings; `publish` determines none.
    outs = [f"results/{name}" for name in ("map", "tables", "costs.csv", "report", "config.yaml")]
    outs += [] if settings.is_published else ["results/failures/all.csv"]
    outs += _figure_files(*report_figures(stores, settings.is_published))
    keys = [*settings.for_results()]
    add(
        "report",
        "all",
        keys,
        [*inputs, *movies, *clips, "results/splits.csv", *runs, *scores],
        outs,
    )
    stages["state"] = {
        "cmd": "trailers12k state",
        # The manifest describes its store. New code may make equal products, but another state.
        "deps": [path for path in _outs(stages) if not path.endswith(".zarr")],
        "outs": [{STATE.as_posix(): {"persist": True}}],
    }
    return stages


def stores_of(settings: Settings) -> list[str]:
    """The stores of a run: all, but of the authors' own features those that runs use."""
    used = {store for run in settings.runs.values() for store in run.streams.values()}
    return [name for name in settings.backbones if not settings.is_published or name in used]


def _user_tables(settings: Settings) -> list[str]:
    """The tables of the user that name movies, trailers and decisions."""
    tables = [name for name in settings.movies if name not in SOURCES]
    choices = settings.sources.search.choices if "search" in settings.movies else ""
    optional = [choices, curation.existing_file(settings.curation, settings.movies) or ""]
    return tables + [path for path in optional if path and os.path.exists(path)]


def _split_tables(settings: Settings) -> list[str]:
    """The tables of the user that the splits follow."""
    if isinstance(settings.splits, str):
        return []
    return list(settings.splits.tables.values())


def _figure_files(*names: str) -> list[str]:
    return [f"results/figures/{name}.{kind}" for name in names for kind in ("svg", "png")]


def _parameters(keys: Collection[str]) -> list[dict[str, list[str]]]:
    """The keys of config.yaml that a stage depends on; DVC refuses keys that the file lacks."""
    present = [key for key in read_file(CONFIG) if key in keys]
    return [{CONFIG: present}] if present else []


def _stage(
    target: str,
    params: list[dict[str, list[str]]],
    deps: Sequence[str],
    outs: Sequence[str],
) -> Stage:
    """A stage that makes a target of the workflow."""
    return {
        "cmd": f"trailers12k run {target}",
        "deps": [CODE_VERSIONS, *deps],
        "params": params,
        # Without `persist` DVC deletes the products first, and all would be computed again.
        "outs": [{path: {"persist": True}} for path in outs],
    }


def plots_of(settings: Settings) -> list[dict[str, Any]]:
    """The plots that `dvc plots show` draws."""
    runs = list(settings.trained_runs)
    recall = "results/curves/precision_recall.csv"
    plots = {
        "precision and recall": {
            "x": {recall: "recall"},
            "y": {recall: runs},
            "y_label": "precision, %",
        }
    }
    for run in runs:
        curves = [f"results/runs/{run}/split{split}/curves.csv" for split in SPLITS]
        plots[f"learning of {run}"] = {
            "x": "epoch",
            "y": dict.fromkeys(curves, "val_loss"),
            "y_label": "validation loss",
        }
    for run in runs:
        plots[f"genres of {run}"] = _bars("genres", run, "average precision, %")
    for split in SPLITS:
        for subset in ("validation", "test"):
            name = f"split{split} {subset}"
            label = "share of a genre / its share overall"
            plots[f"balance of {name}"] = _bars("balance", name, label)
    return [{title: plot} for title, plot in plots.items()]


def _bars(table: str, column: str, label: str) -> dict[str, Any]:
    """A bar for each genre; column: of results/curves/TABLE.csv."""
    file = f"results/curves/{table}.csv"
    axes = {"x": {file: column}, "y": {file: "genre"}}
    return axes | {"template": "bar_horizontal", "x_label": label}


def pipeline_of(settings: Settings) -> str:
    """The text of dvc.yaml for the configuration of this folder."""
    content = {
        "stages": stages_of(settings),
        "metrics": ["results/metrics.json"],
        "plots": plots_of(settings),
    }
    return HEAD + yaml.safe_dump(content, sort_keys=False, width=100, allow_unicode=True)


def write_pipeline(pipeline: str) -> None:
    """Write dvc.yaml, and the code versions; dvc.lock is removed when dvc.yaml differs."""
    path = Path("dvc.yaml")
    if not path.is_file() or path.read_bytes() != pipeline.encode():
        write_text(path, pipeline)
        Path("dvc.lock").unlink(missing_ok=True)
    write_code_versions()


def write_code_versions() -> None:
    """Write code_versions.json: the version of the package, and of the code of each rule.

    The same code gives the same bytes on every version of Python.
    """
    versions = {rule: rule_version(rule) for rule in sorted(RESULT_MODULES)}
    text = json.dumps({"package": __version__, "rules": versions}, indent=1) + "\n"
    path = Path(CODE_VERSIONS)
    if not path.is_file() or path.read_bytes() != text.encode():
        write_text(path, text)


def products(pipeline: str) -> list[str]:
    """The paths that DVC keeps; pipeline: the text of a dvc.yaml."""
    return [path for path in _outs(stages_in(pipeline)) if path != CODE_VERSIONS]


@cache
def stages_in(pipeline: str) -> dict[str, Stage]:
    """The stages of a dvc.yaml by name, not to be changed. Raises `UserError` for a text that is
    none of ours."""
    content = read_file("dvc.yaml", lambda _: pipeline)
    stages = content.get("stages")
    if not isinstance(stages, dict):
        raise _foreign("stages")
    for key, value in content.items():
        if key not in PARTS or not PARTS[key](value):
            raise _foreign(shown_key(str(key)))
    for name, stage in stages.items():
        if not (isinstance(name, str) and _is_stage(stage)):
            raise _foreign(f"stages.{shown_key(str(name))}")
    # PyYAML and the parser of DVC need not agree on merged keys and on types that are named.
    for event in yaml.parse(pipeline, Loader=LOADER):
        value = getattr(event, "value", "")
        if value == "<<" or "${" in value or getattr(event, "tag", None):
            raise _foreign(quoted(value))
    return stages


def _foreign(what: str) -> UserError:
    return UserError(
        f"dvc.yaml: its stages are not as trailers12k writes them ({what}); write it again: "
        "trailers12k stages, or name another version"
    )


def _is_stage(stage: Any) -> bool:
    """Whether a stage has the keys and types that `_stage` gives it. DVC knows more of them, such
    as `wdir` and `foreach`, which lead out of the folder."""
    if not isinstance(stage, dict) or stage.keys() - {"cmd", "deps", "params", "outs"}:
        return False
    params, outs = stage.get("params", []), stage.get("outs")
    return (
        isinstance(stage.get("cmd"), str)
        and _are_texts(stage.get("deps", []))
        and isinstance(params, list)
        and all(_is_mapping(each) and all(map(_are_texts, each.values())) for each in params)
        and isinstance(outs, list)
        and all(_is_mapping(each) and all(map(_is_out, each, each.values())) for each in outs)
    )


def _is_out(path: str, options: Any) -> bool:
    kept = {"cache": False, "persist": True} if path == CODE_VERSIONS else {"persist": True}
    return bool(options == kept)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict) and _are_texts(list(value))


def _are_texts(values: Any) -> bool:
    return isinstance(values, list) and all(isinstance(each, str) for each in values)


def _is_plot(plot: Any) -> bool:
    """Whether a plot is one of `plots_of`, of this or an earlier version of the program."""
    if not (_is_mapping(plot) and all(map(_is_mapping, plot.values()))):
        return False
    for axes in plot.values():
        files = [axes.get(axis) for axis in ("x", "y") if not isinstance(axes.get(axis), str)]
        if axes.keys() - PLOT_KEYS or not all(map(_is_mapping, files)):
            return False
        if axes.get("template", "bar_horizontal") != "bar_horizontal":
            return False
        paths = [path.split("/") for each in files for path in each]
        if not all(names[0] == "results" and ".." not in names for names in paths):
            return False
    return True


PLOT_KEYS = {"x", "y", "x_label", "y_label", "template"}
PARTS: dict[Any, Callable[[Any], bool]] = {
    "stages": lambda stages: isinstance(stages, dict),
    "metrics": lambda metrics: bool(metrics == ["results/metrics.json"]),
    "plots": lambda plots: isinstance(plots, list) and all(map(_is_plot, plots)),
}
"""The keys of a dvc.yaml that `pipeline_of` writes, and whether a value is one of its own."""


def _outs(stages: dict[str, Stage]) -> list[str]:
    return [path for stage in stages.values() for out in stage["outs"] for path in out]


def settings_files(pipeline: str) -> list[str]:
    """The config files and the user's tables that a dvc.yaml was made for; Git keeps them."""
    stages = stages_in(pipeline)
    own = {*_outs(stages), CODE_VERSIONS, *OLD_CODE}
    files: dict[str, None] = {}
    for stage in stages.values():
        files |= {file: None for params in stage.get("params", []) for file in params}
        files |= {path: None for path in stage.get("deps", []) if path not in own}
    return list(files)
