"""Facts of a small dataset, and the files of a small run that hold them."""

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from trailers12k.common.files import write_csv, write_json, write_text
from trailers12k.common.vocabulary import GENRES
from trailers12k.evaluation.differences import COMPARISON_COLUMNS, INTERVAL_COLUMNS
from trailers12k.publish.facts import (
    Creator,
    Facts,
    Licence,
    Loss,
    PublishedFile,
    Statements,
    StoreFacts,
    Subset,
)

HOSTILE = "<script>alert(1)</script>\"'&--></script><img src=x onerror=alert(2)> {{ 7*7 }} | # *b*"
STORE, POSTERS = "trailers_ik_swin_fps24_fpc24", "posters_i_swin"
SOUND = "trailers_a_logmel"
STATED = Statements(
    title="Trailers of three movies",
    description="A small dataset.",
    creators=(Creator("Lovelace, Ada", "Somewhere"), Creator("A & B Group")),
    license="CC-BY-4.0",
    url="https://example.org/three",
    contact="ada@example.org",
    use_cases="Tests.",
    limitations="It is small.",
    social_impact="None.",
    personal_data="None.",
    annotators="One person.",
    maintenance="Nobody maintains it.",
)


def store(name: str = STORE, **changes: Any) -> StoreFacts:
    """A store of two movies."""
    made = StoreFacts(
        name=name,
        input="posters" if name == POSTERS else "clips",
        features=4,
        movies=2,
        rows=5,
        model="torchvision/swin3d_t.KINETICS400_V1",
        weights="KINETICS400_V1",
        weights_source="https://example.org/swin3d.pth",
        licence=Licence("BSD-3-Clause"),
        attributes={"pretrained": True, "precision": "fp32"},
        lost={"no_trailer": 1},
    )
    return replace(made, **changes)


def sound_store(**changes: Any) -> StoreFacts:
    """A store of the sound of the same movies, by log-mel statistics."""
    made = store(
        SOUND,
        input="audio",
        model="logmel/64",
        weights="none",
        weights_source="",
        licence=Licence("no weights"),
        attributes={"pretrained": True, "sample_rate": 16_000, "context": 0.5},
        lost={"no_trailer": 1, "no_sound": 1},
    )
    return replace(made, **changes)


def facts(**changes: Any) -> Facts:
    """Facts of three movies, two of which have a trailer."""
    shares = dict.fromkeys(GENRES, 0.0) | {"drama": 1.0}
    made = Facts(
        statements=STATED,
        movies=3,
        labelled=3,
        trailers=2,
        complete=2,
        clips=5,
        seconds=123.5,
        years={1990: 1, 2000: 2},
        genres=dict.fromkeys(GENRES, 0) | {"drama": 3, "comedy": 1},
        pairs={("comedy", "drama"): 1},
        losses=[Loss("trailers", "failed", "removed", 1, "The video was deleted.")],
        decisions={"accept": 2},
        began=date(2026, 11, 1),
        ended=date(2026, 11, 3),
        stores=[store(), store(POSTERS, rows=2)],
        subsets=[Subset("split0", "training", 2, shares), Subset("split0", "test", 1, shares)],
        results=[{"run": "Swin", "uap": "75.71", "uap_sd": "2.43", "movies": "1", "of": "1"}],
        settings={"clips": {"detector": "adaptive", "min_shot": 6, "fps": 24, "fpc": 24}},
        sources=["trailers12k", "films.csv"],
        credits=["Information courtesy of IMDb."],
        versions={"trailers12k": "0.1.0", "torch": "2.14.1"},
        notes=["Genres are uneven."],
        example="tt0000001",
        decided=2,
        addresses=2,
    )
    return replace(made, **changes)


def files(*paths: str) -> list[PublishedFile]:
    """Files of a publication, as they would be listed."""
    return [PublishedFile(path, 1234, "0" * 64, "0" * 32, f"Holds {path}.") for path in paths]


def run(folder: Path) -> Path:
    """The files of a finished run, as far as `collect` reads them: three movies, one lost."""
    mids = ["tt0000001", "tt0000002", "tt0000003"]
    movies = [
        {"mid": mid, "title": f"Film {mid}", "year": year, "genres": genres}
        for mid, year, genres in zip(
            mids, ("1999", "2001", ""), ("drama", "comedy|drama", "drama"), strict=True
        )
    ]
    columns = ["mid", "title", "year", "genres", "youtube_id", "trailer_url", "poster_url"]
    write_csv(folder / "data/movies.csv", [*columns, "other_trailers"], movies)
    labels = [
        dict.fromkeys(GENRES, 0)
        | {"mid": movie["mid"], "split0": place % 3}
        | dict.fromkeys(movie["genres"].split("|"), 1)
        for place, movie in enumerate(movies)
    ]
    write_csv(folder / "data/mtgc.csv", ["mid", *GENRES, "split0"], labels)
    clips = [{"mid": mid, "clip": clip} for mid in mids[:2] for clip in range(2)]
    write_csv(folder / "data/clips.csv", ["mid", "clip", "shot", "start", "end"], clips)
    good = [{"mid": mid, "stage": stage, "status": "ok"} for stage in ("trailers", STORE) for mid in
            mids[:2]]  # fmt: skip
    lost = {"mid": mids[2], "stage": "trailers", "status": "failed", "reason": "geo_blocked"}
    left = {"mid": mids[2], "stage": STORE, "status": "skipped", "reason": "no_trailer"}
    write_csv(folder / "data/ledger.csv", ["mid", "stage", "status", "reason"], [*good, lost, left])
    decided = [{"mid": mids[0], "decision": "accept", "by": "Ada Lovelace", "note": "fine"}]
    write_csv(folder / "data/curation.csv", ["mid", "decision", "by", "note"], decided)
    write_json(folder / "data/metadata.json", {"trailers12k": {}})
    write_csv(folder / f"data/{STORE}.csv", ["mid", "clips"],
              [{"mid": mid, "clips": 2} for mid in mids[:2]])  # fmt: skip
    attributes = {"backbone": "a/b", "num_features": 4, "input": "clips", "pretrained": True}
    attributes |= {"weights": "mine.pth", "weights_source": "/home/ada/my weights/mine.pth"}
    write_json(folder / f"data/{STORE}.zarr/.zattrs", attributes)
    config = "seed: 1\nmovies: [/home/ada/films.csv]\ntrailers: {cookies: /home/ada/cookies.txt}\n"
    write_text(folder / "results/config.yaml", config)
    scores = {"run": "Swin", "weights": "own (/home/ada/own.pth)", "uap": "75.71"}
    write_csv(folder / "results/summary.csv", [*scores], [scores])
    write_csv(folder / "results/leaderboard.csv", ["row", "uap"], [{"row": "Swin", "uap": "75.71"}])
    write_csv(folder / "results/transfer/intervals.csv", INTERVAL_COLUMNS, [])
    write_csv(folder / "results/transfer/comparisons.csv", COMPARISON_COLUMNS, [])
    write_csv(folder / "results/splits.csv", ["split", "subset"], [])
    write_text(folder / "results/summary.md", "# Results\n")
    for name in ("tst", "val"):
        write_csv(folder / f"results/transfer/{name}.csv", [*scores], [scores])
    measured = [{"mid": mid, "duration": "60.5", "shots": 3} for mid in mids[:2]]
    write_csv(folder / "results/tables/trailers.csv", ["mid", "duration", "shots"], measured)
    tools = [{"what": "features", "made_by": "torch 2.14.1, AdaptiveDetector, PyAV 18.1.0"}]
    write_csv(folder / "results/tables/versions.csv", ["what", "made_by"], tools)
    return folder
