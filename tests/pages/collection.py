"""A synthetic collection of any size, with everything that a report needs, but no videos."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from PIL import Image

from trailers12k.common import vocabulary
from trailers12k.common.files import read_csv, write_csv, write_text
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation import curves, summary
from trailers12k.evaluation.paper import RunStreams
from trailers12k.features import store as stores
from trailers12k.movies.movie_table import write_movies
from trailers12k.report import losses, tables, thumbnails
from trailers12k.report.charts import plot_splits
from trailers12k.report.formatting import FIGURES_FOLDER, REPORT_FOLDER
from trailers12k.report.page import TABLES, ReportInputs, draw_report
from trailers12k.review.trailer_table import TRAILERS, TrailerFiles, list_trailers
from trailers12k.video import contact_sheets

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script>\"'&--></script><img src=x onerror=alert(2)>"
HEARS = "Log-mel"
RUNS = ("ResNet", "Swin-2D", "Swin-3D", HEARS, "control")
SOUND = "trailers_a_speech"
STORES = (
    *("trailers_i_resnet_fpc24", "trailers_i_swin_fpc24", "trailers_ik_swin_fps24_fpc24"),
    SOUND,
)
UNTRAINED = "untrained (random, seed 1)"


def movies_of(number: int, random: np.random.Generator) -> list[Movie]:
    """Movies with one to four genres; the title of the second is hostile."""
    movies = []
    for place in range(number):
        genres = random.choice(len(GENRES), random.integers(1, 5), replace=False)
        title = HOSTILE if place == 1 else f"The movie of number {place:05d}, with a long title"
        movies.append(
            Movie(
                mid=f"tt{8_000_000 + place}",
                title=title,
                year=str(1960 + place % 60),
                genres=tuple(GENRES[n] for n in sorted(genres)),
                youtube_id=f"{place:011d}",
            )
        )
    return movies


def ledgers(folder: Path, movies: list[Movie], random: np.random.Generator) -> None:
    """The ledgers of all stages; every eleventh trailer is lost, and every 97th cannot be cut.

    Every 23rd trailer has no sound.
    """
    trailers, clips, sounds, all_ = [], [], [], []
    for place, movie in enumerate(movies):
        present, cut = place % 11 != 5, place % 97 != 7
        row = {"mid": movie.mid, "status": "ok", "tool": "yt-dlp 1", "trailer": 0}
        row |= {"duration": f"{random.gamma(20, 7):.3f}", "height": 360, "width": 640}
        row |= {"fps": "24.000", "frames": 3000, "corrupt": 0, "sha256": f"{place:064x}"}
        if not present:
            reason = ("removed", "private", "geo_blocked")[place % 3]
            row = {"mid": movie.mid, "status": "failed", "reason": reason}
        trailers.append(row)
        shots = int(random.integers(8, 17))
        row = {"mid": movie.mid, "status": "ok", "tool": "PySceneDetect 1", "repeated": 0}
        row |= {"shots": shots, "clips": shots + int(random.gamma(5, 10))}
        if not present:
            row = {"mid": movie.mid, "status": "skipped", "reason": "no_trailer"}
        elif not cut:
            row = {"mid": movie.mid, "status": "failed", "reason": "no_frames"}
        clips.append(row)
        state = {"status": "ok"} if present and cut else {"status": "skipped", "reason": "no_clips"}
        kind = ("no_track", "video_only", "damaged")[place % 3] if place % 23 == 11 else ""
        if not kind:
            sound = {"status": "ok", "loudness": f"{random.normal(-16, 4):.1f}", "peak": "-1.0"}
            sound |= {"silence": f"{random.beta(2, 20):.3f}"}
        else:
            sound = {"status": "skipped", "reason": "no_sound", "detail": f"{kind}: as it is"}
        if not present:
            sound = {"status": "skipped", "reason": "no_trailer"}
        sounds.append({"mid": movie.mid} | sound)
        all_ += [{"stage": "trailers"} | trailers[-1], {"stage": "clips"} | clips[-1]]
        heard = state if sound["status"] == "ok" or not present else sound
        all_ += [{"mid": movie.mid, "stage": store} | state for store in STORES[:-1]]
        all_ += [{"mid": movie.mid, "stage": SOUND} | heard]
    more = ["status", "reason", "detail", "tool"]
    of_file = ["trailer", "duration", "height", "width", "fps", "frames", "corrupt", "sha256"]
    write_csv(folder / "build/ledger/trailers/000.csv", ["mid", *more, *of_file], trailers)
    columns = ["mid", *more, "shots", "clips", "repeated"]
    write_csv(folder / "build/ledger/clips/000.csv", columns, clips)
    columns = ["mid", *more, "loudness", "peak", "silence"]
    write_csv(folder / "build/ledger/sound/000.csv", columns, sounds)
    rows = ({name: row.get(name, "") for name in ["mid", "stage", *more]} for row in all_)
    write_csv(folder / "data/ledger.csv", ["mid", "stage", *more], rows)


def make(folder: Path, number: int, *, untrained: bool = True, kinds: int = 3) -> Path:
    """Writes the tables of a collection of `number` movies and its page, and returns its path.

    kinds: number of different contact sheets per number of shots; 0: no frames on the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = Path.cwd()
    os.chdir(folder)
    try:
        return folder / _make(number, untrained, kinds)
    finally:
        os.chdir(before)


def _make(number: int, untrained: bool, kinds: int) -> Path:
    random = np.random.default_rng(1)
    movies = movies_of(number, random)
    write_movies("data/movies.csv", movies)
    ledgers(Path(), movies, random)
    labels = tables.labels_of(movies)
    mtgc = labels.copy()
    for split in range(3):
        subset = np.repeat([0, 1, 2], [7, 1, 2])[random.permutation(np.arange(number) % 10)]
        mtgc[f"split{split}"] = subset
    mtgc.to_csv("data/mtgc.csv")
    stages = losses.stages_of(read_csv("data/ledger.csv"))
    mids = [mid for mid, (status, _) in stages[STORES[0]].items() if status == "ok"]
    for store in STORES:
        attributes = {"num_features": 8, "pretrained": not untrained, "weights": "as recorded"}
        stores.create(Path(f"data/{store}.zarr"), attributes)
        write_csv(f"data/{store}.csv", ["mid", "clips"], [{"mid": m, "clips": 100} for m in mids])
    runs, rows_of_runs = {}, []
    weights = [UNTRAINED if untrained else "ImageNet", "ImageNet-22k", "Kinetics", "none"]
    weights.append("ImageNet")
    heard = {mid for mid, (status, _) in stages[SOUND].items() if status == "ok"}
    for place, run in enumerate(RUNS):
        runs[run] = [Path(f"results/runs/{run}/split{split}") for split in range(3)]
        for split, path in enumerate(runs[run]):
            path.mkdir(parents=True)
            of_split = [mid for mid in mids if mtgc.loc[mid, f"split{split}"] == 2]
            tested = [mid for mid in of_split if run != HEARS or mid in heard]
            noise = random.random((len(tested), len(GENRES)))
            guess = (labels.loc[tested] * 0.4 + 0.6 * noise).round(4)
            guess.to_csv(path / "tst.csv")
            row = {"run": run, "split": split, "movies": len(tested), "of": len(of_split)}
            row |= {name: 0.6 + 0.05 * place + 0.01 * split for name in (*METRICS, *GENRES)}
            rows_of_runs.append(
                row
                | {"weights": weights[place], "pretrained": not untrained or place > 0}
                | {"classifier": "divita"}
            )
    chance = [
        {"run": run, "split": split, "movies": 9, "of": 9, "weights": None}
        | dict.fromkeys((*METRICS, *GENRES), 0.3)
        for run in (vocabulary.CHANCE, vocabulary.CONSTANT)
        for split in range(3)
    ]
    tst = pd.DataFrame(chance + rows_of_runs).assign(absent="")
    tst.loc[tst["split"] == 1, "absent"] = "horror"
    Path("results/transfer").mkdir()
    for name in ("tst", "val"):
        scored = tst.assign(subset={"tst": "test", "val": "validation"}[name])
        scored.to_csv(f"results/transfer/{name}.csv", index=False)
    specs = {"ResNet": RunStreams(image=STORES[0])}
    summary.write_summary("results", summary.Scores(tst, tst), specs, ["a note"])
    recalls = pd.Index(curves.RECALLS, name="recall")
    slopes = {run: 100 - 60 * curves.RECALLS ** (1 + n) for n, run in enumerate(RUNS)}
    curves.write("results/curves/precision_recall.csv", pd.DataFrame(slopes, index=recalls), 2)
    epochs = pd.Index(range(1, 41), name="epoch")
    falling = {run: 0.6 / epochs.to_numpy() ** (0.1 * (1 + n)) for n, run in enumerate(RUNS)}
    curves.write("results/curves/learning.csv", pd.DataFrame(falling, index=epochs), 6)
    curves.write("results/curves/genres.csv", curves.genres(tst, list(RUNS)), 2)
    rows = [
        {"split": f"split{k}", "subset": subset, "movies": int(number * part)}
        | {"label_deviation": 0.01, "rare_deviation": 0.0, "pair_deviation": 0.002}
        | {genre: round(1 + 0.02 * random.standard_normal(), 4) for genre in GENRES}
        for k in range(3)
        for subset, part in (("training", 0.7), ("validation", 0.1), ("test", 0.2))
    ]
    pd.DataFrame(rows).to_csv("results/splits.csv", index=False)
    inputs = dict.fromkeys(STORES, "frames") | {SOUND: "audio"}
    files = TrailerFiles(
        movies="data/movies.csv",
        ledger="data/ledger.csv",
        downloaded=["build/ledger/trailers/000.csv"],
        cut=["build/ledger/clips/000.csv"],
        stores=inputs,
        heard=["build/ledger/sound/000.csv"],
    )
    rows = list_trailers("results/tables/trailers.csv", files)
    for row in rows:
        row["speech"] = f"{random.beta(3, 4):.3f}" if row["sound"] == "ok" else ""
    write_csv("results/tables/trailers.csv", TRAILERS, rows)
    run_files = tables.RunFiles(
        mtgc="data/mtgc.csv",
        runs=runs,
        stores=inputs,
        used=STORES,
        movies="data/movies.csv",
        ledger="data/ledger.csv",
        trailers="results/tables/trailers.csv",
    )
    tables.describe_run("results/tables", run_files)
    for rule, seconds in (("extract_features", 4000), ("train_run", 300), ("merge_clips", 1)):
        head = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
        text = f"{head}{seconds}\t0\t512.5\t0\t0\t0\t0\t0\t50\t{seconds / 2}\n"
        write_text(f"benchmarks/{rule}.tsv", text)
    write_csv("data/curation.csv", ["mid", "decision", "note", "verified"], _decided(movies))
    flags = [{"mid": movie.mid, "flag": "short", "words": "2 s; <b>"} for movie in movies[:3]]
    write_csv("results/tables/flags.csv", ["mid", "flag", "words", "others"], flags)
    write_text("results/config.yaml", yaml.safe_dump(_settings()))
    write_embeddings(mids, random)
    if kinds:
        write_sheets(mids, kinds, random)
    plot_splits("results/splits.csv", f"{FIGURES_FOLDER}/splits")
    page = Path(REPORT_FOLDER) / "index.html"
    draw_report(
        ReportInputs(
            tables={name: path for name, (path, _) in TABLES.items() if Path(path).exists()},
            config="results/config.yaml",
            embeddings=[f"results/map/{store}.csv" for store in STORES],
            contact_sheets="build/sheets",
            current=[*STORES, *RUNS],
            credits=["IMDb."],
            existing=["splits"],
        ),
        page,
        "results/costs.csv",
    )
    return page


def _decided(movies: list[Movie]) -> list[dict]:
    return [
        {"mid": movie.mid, "decision": decision, "note": HOSTILE, "verified": verified}
        for movie, (decision, verified) in zip(
            movies, [("accept", True), ("accept", False), ("wrong_trailer", "")], strict=False
        )
    ]


def _settings() -> dict:
    whole = yaml.safe_load((ROOT / "config.yaml").read_text())
    return whole | {"movies": ["movies.csv", "imdb"]}


def write_embeddings(mids: list[str], random: np.random.Generator) -> None:
    """Random positions for every store."""
    Path("results/map").mkdir()
    for store in STORES:
        table = pd.DataFrame(random.standard_normal((len(mids), 2)).round(4), columns=["x", "y"])
        table.insert(0, "mid", mids)
        table["nearest"] = mids[1:] + mids[:1]
        table["distance"] = 1.0
        table.to_csv(f"results/map/{store}.csv", index=False)


def write_sheets(mids: list[str], kinds: int, random: np.random.Generator) -> None:
    """Contact sheets with as many bytes as real ones: smooth shapes with grain."""
    folder = Path("build/sheets")
    folder.mkdir(parents=True)
    shots = thumbnails.shots_of(read_csv("results/tables/trailers.csv"))
    for number in sorted(set(shots.values())):
        for kind in range(kinds):
            cells = random.integers(0, 255, (number, 3, 4, 3)).astype(np.uint8)
            images = [Image.fromarray(cell).resize((160, 90)) for cell in cells]
            grain = random.normal(0, 8, (90, 160, 1))
            frames = [np.clip(np.asarray(each) + grain, 0, 255).astype(np.uint8) for each in images]
            contact_sheets.write(folder / f"kind{number}-{kind}", frames)
    for place, mid in enumerate(mids):
        os.link(folder / f"kind{shots[mid]}-{place % kinds}", folder / f"{mid}.jpg")
