"""What sound adds to pictures, on a sample seven times as large as the built-in one: `make sound`.

Runs the whole pipeline in a temporary folder, with one store of frames and one of sound. One movie
of ten has a look that says nothing of its genres, another a sound that does. Ends with an error
unless the run on sound beats chance clearly, both fusions beat picture and sound on the movies of
which one says nothing, and the control does not beat chance.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import figures
import numpy as np
import pandas as pd
import yaml

from trailers12k.common.vocabulary import CHANCE, GENRES, SPLITS
from trailers12k.evaluation import metrics
from trailers12k.evaluation.frames import read_predictions
from trailers12k.evaluation.scores import read_labels
from trailers12k.movies.sources.sample import plain_parts

IMAGE, AUDIO = "trailers_i_efficientnet_fpc24", "trailers_a_logmel"
RUNS: dict[str, dict[str, str | bool]] = {
    "image": {"image": IMAGE},
    "audio": {"audio": AUDIO},
    "late": {"image": IMAGE, "audio": AUDIO},
    "early": {"image": IMAGE, "audio": AUDIO, "fusion": "early"},
    "control": {"audio": AUDIO, "shuffle_labels": True},
}
CLEARLY = 20.0
"""Points of µAP by which a run must exceed chance; a control must stay within."""


def configuration(movies: int) -> dict[str, object]:
    """config.yaml with more movies, two stores, and the runs that are compared."""
    settings = yaml.safe_load((figures.ROOT / "config.yaml").read_text(encoding="utf-8"))
    settings["sample"]["movies"] = movies
    settings["backbones"] = {name: settings["backbones"][name] for name in (IMAGE, AUDIO)}
    settings["runs"] = RUNS
    return dict(settings)


def run(folder: Path, movies: int) -> None:
    """Run the collection to its results table."""
    text = yaml.safe_dump(configuration(movies), sort_keys=False)
    (folder / "config.yaml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(figures.ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", "2", "evaluate"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout[-3000:] + done.stderr[-3000:])


def uap_of(folder: Path, run: str, labels: pd.DataFrame, kind: str) -> float:
    """Mean µAP over the splits in %, of the test movies of a kind: `all`, or of `kinds`."""
    values = []
    for split in SPLITS:
        path = folder / f"results/runs/{run}/split{split}/tst.csv"
        predictions = read_predictions(path)
        mids = [mid for mid in predictions.index if kind == "all" or kind in kinds(mid)]
        truth = labels.loc[mids, list(GENRES)].to_numpy()
        values.append(metrics.scores(truth, predictions.loc[mids].to_numpy())["uap"])
    return 100 * float(np.mean(values))


def kinds(mid: str) -> set[str]:
    """What is special of a movie: `plain_look`, `plain_sound`, and `mixed` for either."""
    look, sound = plain_parts(mid)
    named = {"plain_look": look, "plain_sound": sound, "mixed": look or sound}
    return {kind for kind, is_so in named.items() if is_so}


def measure(folder: Path) -> dict[str, float]:
    """RUN_KIND -> mean µAP in %; `chance`; `movies` and `heard`: test movies, and with sound."""
    labels = read_labels(folder / "data/mtgc.csv")
    summary = pd.read_csv(folder / "results/summary.csv", index_col="run")
    measured: dict[str, float] = {
        f"{run}_{kind}": uap_of(folder, run, labels, kind)
        for run in RUNS
        for kind in ("all", "mixed", "plain_look", "plain_sound")
    }
    sizes = {"movies": int(summary.loc["image", "movies"])}
    sizes["heard"] = int(summary.loc["audio", "movies"])
    return measured | {"chance": float(summary.loc[CHANCE, "uap"])} | sizes


def faults(measured: Mapping[str, float]) -> list[str]:
    """What the figures do not show that they should."""
    chance = measured["chance"]
    shown = {
        "sound beats chance": measured["audio_all"] > chance + CLEARLY,
        "the control does not": measured["control_all"] < chance + CLEARLY / 2,
    }
    for fusion in ("late", "early"):
        for alone in ("image", "audio"):
            beats = measured[f"{fusion}_mixed"] > measured[f"{alone}_mixed"]
            shown[f"{fusion} fusion beats {alone} where one says nothing"] = beats
    return [words for words, is_shown in shown.items() if not is_shown]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--movies", type=int, default=300, help="movies of the sample")
    movies = parser.parse_args().movies
    with tempfile.TemporaryDirectory() as name:
        run(Path(name), movies)
        measured = measure(Path(name))
    for key, value in measured.items():
        print(f"{key}: {value:.4g}")
    if missing := faults(measured):
        sys.exit(f"not shown: {'; '.join(missing)}")
    figures.write("sound_runs", measured | {"sample": movies})


if __name__ == "__main__":
    main()
