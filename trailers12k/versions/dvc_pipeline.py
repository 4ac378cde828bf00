"""The pipeline of DVC: dvc.yaml, generated from the workflow and the configuration.

Reads the configuration; writes dvc.yaml. Must not know Git.
"""

import os
import shlex
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import yaml

from trailers12k.common.errors import UserError
from trailers12k.common.files import write_text
from trailers12k.common.vocabulary import SPLITS
from trailers12k.movies.curation import PRODUCT
from trailers12k.versions import run_state as state
from trailers12k.workflow.plan import Plan

CODE = ["Snakefile", "rules", "scripts", "trailers12k"]

SCORES = ("summary.csv", "summary.md", "metrics.json")

METADATA_KEYS = (
    *("movies", "curation", "sample", "sources", "seed", "shards"),
    *("downloads", "trailers", "posters"),
)

FEATURES_KEYS = ("backbones", "weights", "image_frames", "precision", "clips", "seed", "shards")


def stages(plan: Plan, files: Sequence[str]) -> dict[str, dict]:
    """The stages of dvc.yaml, in the order of the flow.

    files: what `--configfile` named; config.yaml comes before them.
    """
    manifests = [f"data/{store}.csv" for store in plan.stores]
    arrays = [f"data/{store}.zarr" for store in plan.stores]
    found: dict[str, dict] = {}

    def add(name: str, targets: str, keys: Iterable[str], deps: list[str], outs: list[str]) -> None:
        found[name] = _stage(plan, files, targets, keys, deps, outs)

    if plan.is_published:
        keys = ("movies", "published", "runs")
        add("features", " ".join(manifests), keys, [], manifests + arrays)
    else:
        choices = plan.config["sources"]["search"]["choices"] if "search" in plan.sources else ""
        tables = [*plan.tables, *filter(os.path.exists, [choices, plan.curation or ""])]
        downloads = ["build/ledger/trailers"]
        made = ["data/movies.csv", "data/metadata.json", PRODUCT, *downloads]
        add("metadata", "metadata", METADATA_KEYS, tables, made)
        add("clips", "clips", ("clips", "shards"), downloads, ["data/clips.csv"])
        made = [*manifests, *arrays, "data/ledger.csv"]
        made_from = ["data/movies.csv", PRODUCT, "data/clips.csv"]
        add("features", "features", FEATURES_KEYS, made_from, made)
    splits = ["data/mtgc.csv", "results/splits.csv", *_drawn("splits")]
    labels = [] if plan.is_published else ["data/movies.csv"]
    own = plan.split_tables("extend") + plan.split_tables("groups")
    add("splits", "splits", ("movies", "splits", "seed"), labels + own, splits)
    keys = ("runs", "training", "evaluation", "seed")
    ledger = [] if plan.is_published else ["data/ledger.csv"]
    made_from = [*manifests, "data/mtgc.csv", *ledger]
    scores = ["results/transfer", "results/curves", *(f"results/{name}" for name in SCORES)]
    scores += _drawn("curves")
    trained = [f"results/runs/{run}" for run in plan.runs]
    add("evaluation", "evaluate", keys, made_from, [*trained, *scores])
    # All that is left, and the settings.
    rest = [f"results/{name}" for name in ("map", "tables", "costs.csv", "report", "config.yaml")]
    rest += [] if plan.is_published else ["results/failures/all.csv"]
    told = [] if plan.is_published else ["data/movies.csv", PRODUCT, "data/clips.csv"]
    made_from += [*told, "results/splits.csv", *trained, *scores]
    add("report", "all", plan.settings, made_from, rest + _drawn(*plan.pictures))
    made = [path for stage in found.values() for out in stage["outs"] for path in out]
    found["state"] = {
        "cmd": "python -m trailers12k.versions.snapshots state",
        # Of a store the manifest tells all. Code: it may make the same products again.
        "deps": [*CODE, *(path for path in made if not path.endswith(".zarr"))],
        "outs": [{state.STATE.as_posix(): {"persist": True}}],
    }
    return found


def _drawn(*names: str) -> list[str]:
    """The files of pictures."""
    return [f"results/figures/{name}.{kind}" for name in names for kind in ("svg", "png")]


def _stage(
    plan: Plan,
    files: Sequence[str],
    targets: str,
    keys: Iterable[str],
    deps: Sequence[str],
    outs: Sequence[str],
) -> dict:
    """A stage that is a target of the workflow."""
    named = f" --configfile {shlex.join(files)}" if files else ""
    keys = [key for key in plan.config if key in set(keys)]
    params = [{"config.yaml": keys}]
    for file in files:
        own = [key for key in _read(file) if key in keys]
        params += [{file: own}] if own else []
    return {
        "cmd": f"snakemake {targets}{named}",
        "deps": [*CODE, *deps],
        "params": params,
        # Without `persist` DVC deletes the products first, and all would be computed again.
        "outs": [{path: {"persist": True}} for path in outs],
    }


def plots(plan: Plan) -> list[dict]:
    """The plots that `dvc plots show` draws."""
    runs = list(plan.runs)
    recall = "results/curves/precision_recall.csv"
    shown = {
        "precision and recall": {
            "x": {recall: "recall"},
            "y": {recall: runs},
            "y_label": "precision, %",
        }
    }
    for run in runs:
        curves = [path for path in plan.trained("curves.csv") if f"/{run}/" in path]
        shown[f"learning of {run}"] = {
            "x": "epoch",
            "y": dict.fromkeys(curves, "val_loss"),
            "y_label": "validation loss",
        }

    def bars(table: str, column: str, label: str) -> dict:
        file = f"results/curves/{table}.csv"
        about = {"template": "bar_horizontal", "x_label": label}
        return {"x": {file: column}, "y": {file: "genre"}} | about

    for run in runs:
        shown[f"genres of {run}"] = bars("genres", run, "average precision, %")
    for split in SPLITS:
        for subset in ("validation", "test"):
            name = f"split{split} {subset}"
            shown[f"balance of {name}"] = bars(
                "balance", name, "share of a genre / its share overall"
            )
    return [{title: plot} for title, plot in shown.items()]


def dvc_yaml(plan: Plan, files: Sequence[str] = ()) -> str:
    """The text of dvc.yaml for a configuration."""
    head = (
        "# Written by `make snapshot` from the workflow and the configuration: "
        "trailers12k/versions.py.\n"
    )
    whole = {
        "stages": stages(plan, files),
        "metrics": ["results/metrics.json"],
        "plots": plots(plan),
    }
    return head + yaml.safe_dump(whole, sort_keys=False, width=100, allow_unicode=True)


def write_stages(text: str) -> None:
    """Write dvc.yaml where it is another one; stages of the old one are forgotten."""
    path = Path("dvc.yaml")
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        write_text(path, text)
        Path("dvc.lock").unlink(missing_ok=True)


def products(text: str) -> list[str]:
    """The paths that a dvc.yaml keeps."""
    stages_ = yaml.safe_load(text)["stages"].values()
    return [path for stage in stages_ for out in stage["outs"] for path in out]


def settings_files(text: str) -> list[str]:
    """What a dvc.yaml was made for and Git keeps: config files and the user's tables."""
    own = {state.STATE.as_posix(), *products(text), *CODE}
    found: dict[str, None] = {}
    for stage in yaml.safe_load(text)["stages"].values():
        found |= {file: None for params in stage.get("params", []) for file in params}
        found |= {path: None for path in stage["deps"] if path not in own}
    return list(found)


def _text(file: str | Path) -> str:
    return Path(file).read_text(encoding="utf-8")


def _read(file: str | Path, text_of: Callable[[str | Path], str] = _text) -> dict:
    try:
        return yaml.safe_load(text_of(file)) or {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file} cannot be read: {' '.join(str(error).split())}") from error
