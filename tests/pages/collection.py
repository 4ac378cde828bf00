"""A made-up collection of any size, with all that a report is made of, but no videos."""

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
from trailers12k.evaluation import curves, scores, summary
from trailers12k.evaluation.paper import RunStreams
from trailers12k.movies.metadata import write_movies
from trailers12k.report import atlas, costs, formatting
from trailers12k.report import losses as losses_
from trailers12k.report import page as pages
from trailers12k.report import pictures as pictures_
from trailers12k.report import tables as overview
from trailers12k.report import thumbnails as sprites
from trailers12k.review import trailer_table
from trailers12k.video import contact_sheets as sheets

ROOT = Path(__file__).parents[2]
HOSTILE = "<script>alert(1)</script>\"'&--></script><img src=x onerror=alert(2)>"
RUNS = ("ResNet", "Swin-2D", "Swin-3D", "control")
STORES = ("trailers_i_resnet_fpc24", "trailers_i_swin_fpc24", "trailers_ik_swin_fps24_fpc24")
UNTRAINED = "untrained (random, seed 1)"


def movies_of(number: int, random: np.random.Generator) -> list[Movie]:
    """Movies with one to four genres; the second has a title that must do no harm."""
    movies = []
    for place in range(number):
        genres = random.choice(len(GENRES), random.integers(1, 5), replace=False)
        title = HOSTILE if place == 1 else f"The movie of number {place:05d}, told at length"
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
    """The ledgers of all stages; every eleventh trailer is gone, and every 97th cannot be cut."""
    trailers, clips, all_ = [], [], []
    for place, movie in enumerate(movies):
        there, cut = place % 11 != 5, place % 97 != 7
        row = {"mid": movie.mid, "status": "ok", "tool": "yt-dlp 1", "trailer": 0}
        row |= {"duration": f"{random.gamma(20, 7):.3f}", "height": 360, "width": 640}
        row |= {"fps": "24.000", "frames": 3000, "corrupt": 0, "sha256": f"{place:064x}"}
        if not there:
            reason = ("removed", "private", "geo_blocked")[place % 3]
            row = {"mid": movie.mid, "status": "failed", "reason": reason}
        trailers.append(row)
        shots = int(random.integers(8, 17))
        row = {"mid": movie.mid, "status": "ok", "tool": "PySceneDetect 1", "repeated": 0}
        row |= {"shots": shots, "clips": shots + int(random.gamma(5, 10))}
        if not there:
            row = {"mid": movie.mid, "status": "skipped", "reason": "no_trailer"}
        elif not cut:
            row = {"mid": movie.mid, "status": "failed", "reason": "no_frames"}
        clips.append(row)
        state = {"status": "ok"} if there and cut else {"status": "skipped", "reason": "no_clips"}
        all_ += [{"stage": "trailers"} | trailers[-1], {"stage": "clips"} | clips[-1]]
        all_ += [{"mid": movie.mid, "stage": store} | state for store in STORES]
    more = ["status", "reason", "tool"]
    of_file = ["trailer", "duration", "height", "width", "fps", "frames", "corrupt", "sha256"]
    write_csv(folder / "build/ledger/trailers/000.csv", ["mid", *more, *of_file], trailers)
    columns = ["mid", *more, "shots", "clips", "repeated"]
    write_csv(folder / "build/ledger/clips/000.csv", columns, clips)
    rows = ({name: row.get(name, "") for name in ["mid", "stage", *more]} for row in all_)
    write_csv(folder / "data/ledger.csv", ["mid", "stage", *more], rows)


def make(folder: Path, number: int, *, untrained: bool = True, kinds: int = 3) -> Path:
    """All tables of a collection of so many movies, and its page, whose path is returned.

    kinds: how many different contact sheets of each length the trailers share; none: no frames.
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
    labels = overview.labels_of(movies)
    mtgc = labels.copy()
    for split in range(3):
        subset = np.repeat([0, 1, 2], [7, 1, 2])[random.permutation(np.arange(number) % 10)]
        mtgc[f"split{split}"] = subset
    mtgc.to_csv("data/mtgc.csv")
    stages = losses_.stages_of(read_csv("data/ledger.csv"))
    there = [mid for mid, (status, _) in stages[STORES[0]].items() if status == "ok"]
    manifests = {store: [{"mid": mid, "clips": "100"} for mid in there] for store in STORES}
    runs, rows_of_runs = {}, []
    weights = [UNTRAINED if untrained else "ImageNet", "ImageNet-22k", "Kinetics", "ImageNet"]
    for place, run in enumerate(RUNS):
        runs[run] = [Path(f"results/runs/{run}/split{split}") for split in range(3)]
        for split, path in enumerate(runs[run]):
            path.mkdir(parents=True)
            mids = [mid for mid in there if mtgc.loc[mid, f"split{split}"] == 2]
            noise = random.random((len(mids), len(GENRES)))
            guess = (labels.loc[mids] * 0.4 + 0.6 * noise).round(4)
            guess.to_csv(path / "tst.csv")
            row = {"run": run, "split": split, "movies": len(mids), "of": len(mids)}
            row |= {name: 0.6 + 0.05 * place + 0.01 * split for name in (*METRICS, *GENRES)}
            rows_of_runs.append(
                row | {"weights": weights[place], "pretrained": not untrained or place > 0}
            )
    chance = [
        {"run": run, "split": split, "movies": 9, "of": 9, "weights": None}
        | dict.fromkeys((*METRICS, *GENRES), 0.3)
        for run in (vocabulary.CHANCE, vocabulary.CONSTANT)
        for split in range(3)
    ]
    tst = pd.DataFrame(chance + rows_of_runs)
    Path("results/transfer").mkdir()
    tst.to_csv("results/transfer/tst.csv", index=False)
    specs = {"ResNet": RunStreams(image=STORES[0])}
    summary.write_summary("results", tst, specs, ["a note"])
    recalls = pd.Index(curves.RECALLS, name="recall")
    slopes = {run: 100 - 60 * curves.RECALLS ** (1 + n) for n, run in enumerate(RUNS)}
    curves.write("results/curves/precision_recall.csv", pd.DataFrame(slopes, index=recalls), 2)
    epochs = pd.Index(range(1, 41), name="epoch")
    losses = {run: 0.6 / epochs.to_numpy() ** (0.1 * (1 + n)) for n, run in enumerate(RUNS)}
    curves.write("results/curves/learning.csv", pd.DataFrame(losses, index=epochs), 6)
    curves.write("results/curves/genres.csv", curves.genres(tst, list(RUNS)), 2)
    rows = [
        {"split": f"split{k}", "subset": subset, "movies": int(number * part)}
        | {"label_deviation": 0.01, "pair_deviation": 0.002}
        | {genre: round(1 + 0.02 * random.standard_normal(), 4) for genre in GENRES}
        for k in range(3)
        for subset, part in (("training", 0.7), ("validation", 0.1), ("test", 0.2))
    ]
    pd.DataFrame(rows).to_csv("results/splits.csv", index=False)
    trailer_table.list_trailers(
        "results/tables/trailers.csv",
        "data/movies.csv",
        "data/ledger.csv",
        ["build/ledger/trailers/000.csv"],
        ["build/ledger/clips/000.csv"],
        dict.fromkeys(STORES, "frames"),
    )
    overview.describe(
        "results/tables",
        splits=scores.read_labels("data/mtgc.csv"),
        runs=runs,
        stores=STORES,
        attributes={
            store: {"input": "frames", "pretrained": not untrained, "weights": "told"}
            for store in STORES
        },
        manifests=manifests,
        movies="data/movies.csv",
        ledger="data/ledger.csv",
        trailers="results/tables/trailers.csv",
    )
    for rule, seconds in (("extract_features", 4000), ("train_run", 300), ("merge_clips", 1)):
        head = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
        text = f"{head}{seconds}\t0\t512.5\t0\t0\t0\t0\t0\t50\t{seconds / 2}\n"
        write_text(f"benchmarks/{rule}.tsv", text)
    write_csv("results/costs.csv", costs.COSTS, costs.costs("benchmarks", [*STORES, *RUNS]))
    write_csv("data/curation.csv", ["mid", "decision", "note", "verified"], _decided(movies))
    flags = [{"mid": movie.mid, "flag": "short", "words": "2 s; <b>"} for movie in movies[:3]]
    write_csv("results/tables/flags.csv", ["mid", "flag", "words"], flags)
    write_text("results/config.yaml", yaml.safe_dump(_settings()))
    maps = _maps(there, random)
    shown = _sprites(there, kinds, random) if kinds else None
    return _page(maps, shown)


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


def _maps(mids: list[str], random: np.random.Generator) -> dict[str, pd.DataFrame]:
    Path("results/map").mkdir()
    maps = {}
    for store in STORES:
        places = random.standard_normal((len(mids), 2)).round(4)
        maps[store] = pd.DataFrame(places, columns=["x", "y"])
        maps[store].insert(0, "mid", mids)
        maps[store]["nearest"] = mids[1:] + mids[:1]
        maps[store]["distance"] = 1.0
        maps[store].to_csv(f"results/map/{store}.csv", index=False)
    return maps


def _sprites(mids: list[str], different: int, random: np.random.Generator) -> sprites.Sprites:
    """Frames of as many bytes as those of real pictures: smooth shapes with grain."""
    folder = Path("build/sheets")
    folder.mkdir(parents=True)
    shots = sprites.of_rows(read_csv("results/tables/trailers.csv"))
    for number in sorted(set(shots.values())):
        for place in range(different):
            cells = random.integers(0, 255, (number, 3, 4, 3)).astype(np.uint8)
            whole = [Image.fromarray(cell).resize((160, 90)) for cell in cells]
            grain = random.normal(0, 8, (90, 160, 1))
            pictures = [np.clip(np.asarray(one) + grain, 0, 255).astype(np.uint8) for one in whole]
            sheets.write(folder / f"kind{number}-{place}", pictures)
    for place, mid in enumerate(mids):
        os.link(folder / f"kind{shots[mid]}-{place % different}", folder / f"{mid}.jpg")
    return sprites.build(folder, shots)


def _page(maps: dict[str, pd.DataFrame], shown: sprites.Sprites | None) -> Path:
    tables = pages.read_tables(
        {name: path for name, (path, _) in pages.TABLES.items() if Path(path).exists()}
    )
    found = pictures_.pictures(tables)
    pictures_.draw(found, "results/figures")
    atlas.draw_maps(maps, tables["trailers"], "results/figures")
    config = Path("results/config.yaml").read_text()
    text = pages.report(tables, found, config=config, maps=maps, sprites=shown, credits=["IMDb."])
    page = Path(formatting.PLACE) / "index.html"
    write_text(page, text)
    return page
