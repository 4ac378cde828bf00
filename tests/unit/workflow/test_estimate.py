import json
from dataclasses import replace
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.settings import load
from trailers12k.workflow import estimate_inputs, estimate_text, measured
from trailers12k.workflow.estimate import (
    CLIPS,
    DOWNLOADS,
    FEATURE_STAGE,
    TRAINING,
    Collection,
    backbone_name,
    estimate,
    trailer_bytes,
)

PAPER = load({"movies": "trailers12k", "shards": 128})
SIZE = Collection(12_000, youtube=12_000, web=0)
BASE = {"verify": 0.01, "shots adaptive": 0.02, "decode": 0.05, "download": 0.1, "epoch": 0.001}
BASE |= {
    "measure": 0.004,
    "map": 0,
    "store": 0,
    "job": 0,
    "torch job": 0,
    "report": 60,
    "linear": 0,
    "knn": 0,
    "slowest clip": 2,
    "slowest image": 0.1,
}
FIGURES = BASE | {backbone_name(PAPER, store): 0.01 for store in PAPER.backbones}
"""One hundredth of a CPU second for every forward pass."""


def stages(settings=PAPER, size=SIZE, figures=FIGURES, cores=16, **more):
    costs = estimate(settings, size, figures, cores, **more)
    return {stage.stage: stage for stage in costs.stages}


def test_the_sizes_of_the_paper():
    """The formulas of docs/scale.md, by hand: clips, features and passes of the six networks."""
    of = stages()
    clips, passes = 12_000 * 151, 3 * 24 + 3
    posters = 12_000 * 0.01
    assert of[FEATURE_STAGE].cpu == pytest.approx(clips * (0.05 + passes * 0.01) + posters)
    assert of[FEATURE_STAGE].disk == pytest.approx(clips * 6144 * 4 * (1 / 1.1 + 1))
    assert of[CLIPS].cpu == pytest.approx(12_000 * 150 * (0.02 + 0.004))
    # Eight runs with ten streams, three splits, a hundred epochs of 80 % of the movies.
    assert of[TRAINING].cpu == pytest.approx(10 * 3 * 100 * 0.8 * 12_000 * 0.001)
    assert of[DOWNLOADS].wall == pytest.approx(40 * 3600)  # 300 an hour
    assert of[DOWNLOADS].network == pytest.approx(12_000 * (9.8e6 + 50e3))


def test_baselines_cost_by_the_features_of_their_sets():
    more = stages(figures=FIGURES | {"linear": 1e-6, "knn": 1e-7})[TRAINING].cpu
    # The paper's sets: ShuffleNets 1024 each and both, ResNet 2048, R2+1D 512 and both, Swins 768.
    features = 2 * (1024 + 1024) + 2 * (2048 + 512) + 2 * 768
    assert more - stages()[TRAINING].cpu == pytest.approx(12_000 * features * 1.1e-6)
    without = load({"movies": "trailers12k", "shards": 128, "evaluation": {"baselines": []}})
    assert (
        stages(without, figures=FIGURES | {"linear": 1.0})[TRAINING].cpu == stages()[TRAINING].cpu
    )


def test_more_cores_shorten_what_has_jobs_for_them():
    one, many = stages(cores=1), stages(cores=16)
    assert one[FEATURE_STAGE].wall == pytest.approx(16 * many[FEATURE_STAGE].wall)
    assert one[DOWNLOADS].wall == many[DOWNLOADS].wall
    shard = PAPER.model_copy(update={"shards": 1})
    assert stages(shard, cores=16)[CLIPS].wall == pytest.approx(stages(cores=1)[CLIPS].wall)


def test_pauses_and_local_files_decide_the_downloads():
    slow = load({"movies": "trailers12k", "downloads": {"pause": {"youtube.com": [60, 60]}}})
    assert stages(slow)[DOWNLOADS].wall > 12_000 * 60
    local = stages(size=replace(SIZE, youtube=0))[DOWNLOADS]
    assert local.network == pytest.approx(12_000 * 50e3) and local.wall < 3600


def test_shards_are_computed_while_others_are_downloaded():
    costs = estimate(PAPER, SIZE, FIGURES, 16)
    of = {stage.stage: stage.wall for stage in costs.stages}
    rest = sum(of.values()) - of[DOWNLOADS] - of[CLIPS] - of[FEATURE_STAGE]
    assert costs.wall == pytest.approx(max(of[DOWNLOADS], of[CLIPS] + of[FEATURE_STAGE]) + rest)
    alone = estimate(PAPER.model_copy(update={"shards": 1}), SIZE, FIGURES, 16)
    assert alone.wall == pytest.approx(sum(stage.wall for stage in alone.stages))


def test_a_model_without_a_figure_counts_as_the_slowest_and_is_named():
    costs = estimate(PAPER, SIZE, BASE, 16)
    assert estimate_text.work(9.25e6) == "2,569 h"
    assert set(costs.unknown) == {backbone_name(PAPER, store) for store in PAPER.backbones}
    assert costs.bottleneck.stage == FEATURE_STAGE
    text = estimate_text.describe(costs, SIZE, 16, "measured", 1e15, False)
    assert "never measured" in text and "takes longest: features" in text
    assert "Not enough disk" not in text and "Each trailer" not in text
    assert "Not enough disk" in estimate_text.describe(costs, SIZE, 16, "measured", 1e9, False)


def test_the_slowest_stores_are_named():
    figures = FIGURES | {backbone_name(PAPER, "trailers_i_resnet_fpc24"): 1e3}
    costs = estimate(PAPER, SIZE, figures, 16)
    assert sum(costs.stores.values()) < sum(each.cpu for each in costs.stages)
    text = estimate_text.describe(costs, SIZE, 16, "measured", 1e15, False)
    assert "Slowest stores: trailers_i_resnet_fpc24 100 %, " in text


def test_published_features_cost_a_download_and_the_trainings():
    published = load({"movies": "published"})
    of = stages(published, Collection(12_000, 0, 0))
    assert list(of) == [DOWNLOADS, TRAINING, "tables and report"]
    assert of[DOWNLOADS].network == pytest.approx(4e10, rel=0.02)


def test_the_text_says_which_trailers_it_assumes(folder):
    def line(size):
        each = trailer_bytes(PAPER, size)
        costs = estimate(PAPER, size, FIGURES, 16)
        text = estimate_text.describe(costs, size, 16, "measured", 1e15, False, each)
        return next(line for line in text.splitlines() if line.startswith("Each trailer"))

    assert line(SIZE).startswith("Each trailer counts as 150 s, 151 clips and 9.8 MB: assumed")
    Path("build/ledger/trailers").mkdir(parents=True)
    Path("build/ledger/clips").mkdir()
    rows = [{"mid": n, "status": "ok", "duration": 15.0, "clips": 7} for n in range(6)]
    for stage in ("trailers", "clips"):
        write_csv(f"build/ledger/{stage}/0.csv", list(rows[0]), rows)
    size = estimate_inputs.collection(load({"movies": "movies.csv"}), 500)
    words = "15 s, 7 clips and 1.0 MB: the mean of the 6 trailers that are finished in this folder."
    assert line(size) == f"Each trailer counts as {words}"


def test_local_files_are_no_download(folder):
    rows = read_csv("movies.csv")
    write_csv("movies.csv", list(rows[0]), [row | {"trailer_url": "a.mp4"} for row in rows])
    local = load({"movies": "movies.csv", "downloads": {"local_files": True}})
    size = estimate_inputs.collection(local, 500)
    assert (size.youtube, size.web, size.posters) == (0, 0, 0)
    assert stages(size=size)[DOWNLOADS].network == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40, "40 s"), (600, "10 min"), (7200, "2.0 h"), (144_000, "40.0 h"), (1e6, "11.6 days")],
)
def test_durations_are_said_as_a_person_says_them(seconds, words):
    assert estimate_text.duration(seconds) == words


def test_finished_shards_give_their_own_figures(folder):
    settings = load({"movies": "movies.csv", "shards": 3})
    jobs = {"a": (50.0, 5), "b": (70.0, 5), "c": (0.5, 5)}  # the last had nothing to do
    for shard, (cpu, movies) in jobs.items():
        Path("benchmarks/detect_clips").mkdir(parents=True, exist_ok=True)
        Path(f"benchmarks/detect_clips/{shard}.tsv").write_text(f"s\tcpu_time\n9\t{cpu}\n")
        rows = [{"mid": n, "status": "ok", "clips": 7} for n in range(movies)]
        Path("build/ledger/clips").mkdir(parents=True, exist_ok=True)
        write_csv(f"build/ledger/clips/{shard}.csv", ["mid", "status", "clips"], rows)
    figures = estimate_inputs.figures(settings)
    assert figures.per_movie == {"clips": 12.0} and "finished jobs: clips" in figures.origin
    size = estimate_inputs.collection(settings, None)
    assert size == Collection(12, youtube=0, web=12, posters=0)  # no duration is known
    of = stages(settings, size, figures.figures, per_movie=figures.per_movie)
    assert of[CLIPS].cpu >= 12 * 12


def test_the_size_follows_the_tables_and_the_sources(folder):
    table = load({"movies": "movies.csv"})
    assert estimate_inputs.collection(table, 500).web == 500
    searched = load({"movies": ["movies.csv", "search"]})
    assert estimate_inputs.collection(searched, None) == Collection(12, youtube=12, web=0)
    assert estimate_inputs.collection(load({"movies": "trailers12k"}), None).movies == 12_000
    with pytest.raises(UserError, match="--movies N"):
        estimate_inputs.collection(load({"movies": "imdb"}), None)
    assert estimate_inputs.collection(load({"movies": "imdb"}), 30).youtube == 30


def test_figures_of_this_machine_replace_the_shipped_ones(folder):
    settings = load({"movies": "movies.csv"})
    shipped = estimate_inputs.figures(settings)
    assert shipped.figures["epoch"] > 0
    assert all(backbone_name(settings, store) in shipped.figures for store in settings.backbones)
    measured.write(measured.OWN, {"epoch": 42.0})
    own = estimate_inputs.figures(settings)
    assert own.figures["epoch"] == 42 and own.figures["verify"] == shipped.figures["verify"]
    assert measured.machine() in own.origin
    measured.OWN.write_text("{")
    with pytest.raises(UserError, match="delete it"):
        estimate_inputs.figures(settings)


def test_every_shipped_figure_has_a_date_and_a_machine():
    folder = Path(measured.__file__).with_name("figures")
    files = sorted(folder.glob("*.json"))
    assert len(files) > 3
    for file in files:
        content = json.loads(file.read_text())
        assert {"date", "machine"} == content["measured"].keys() and content["figures"], file


@pytest.mark.parametrize("value", ['"x"', "null", "-5", "NaN", "1e400"])
def test_damaged_figures_of_this_machine_are_refused_in_one_line(folder, value):
    measured.OWN.parent.mkdir(parents=True, exist_ok=True)
    head = '{"measured": {"date": "2026-11-26", "machine": "m"}, "figures": {"decode": '
    measured.OWN.write_text(head + value + "}}")
    with pytest.raises(UserError, match="cannot be read .*; delete it"):
        measured.own()


@pytest.mark.parametrize(
    "content", [b"", b"s\tcpu_time\n1\tinf\n", b"s\tcpu_time\n1\n", b"\xff\xfe"]
)
def test_a_damaged_benchmark_counts_as_none(folder, content):
    benchmark = folder / "000.tsv"
    benchmark.write_bytes(content)
    assert estimate_inputs._cpu_time(benchmark) is None
    assert estimate_inputs._cpu_time(folder) is None


def test_a_publication_on_this_machine_costs_no_download(tmp_path):
    (tmp_path / "mtgc.csv").write_text("mid\ntt0000001\ntt0000002\n")
    (tmp_path / "MD5SUMS").write_text(
        "".join(f"{'0' * 32}  {name}\n" for name in ("mtgc.csv", "a.zarr.tar.gz"))
    )
    (tmp_path / "a.zarr.tar.gz").write_bytes(bytes(1000))
    settings = load(
        {
            "movies": "published",
            "published": {"files": str(tmp_path)},
            "backbones": {"a": {"model": "timm/resnet50.a1_in1k", "input": "frames"}},
            "runs": {"a": {"image": "a"}},
        }
    )
    size = estimate_inputs.collection(settings, None)
    assert size.movies == 2
    downloads = stages(settings, size)["downloads"]
    assert (downloads.network, downloads.wall, downloads.disk) == (0, 0, 2100)


def test_the_published_archives_are_fetched_whole():
    with pytest.raises(UserError, match="--movies does not apply"):
        estimate_inputs.collection(load({"movies": "published"}), 100)


def test_sound_has_a_decode_and_figures_of_its_own(folder):
    sound = {
        "trailers_a_logmel": {"model": "logmel/64", "input": "audio"},
        "trailers_a_speech": {"model": "silero/vad", "input": "audio", "context": 1},
    }
    backbones = load({"backbones": sound, "runs": {"a": {"audio": "trailers_a_logmel"}}}).backbones
    heard = PAPER.model_copy(update={"backbones": PAPER.backbones | backbones})
    names = [backbone_name(heard, store) for store in sound]
    assert names == ["logmel/64 own context", "silero/vad 1 s around"]
    figures = FIGURES | {"listen": 0.02, "slowest sound": 5.0, names[0]: 0.25}
    more = stages(heard, figures=figures)[FEATURE_STAGE]
    less = stages()[FEATURE_STAGE]
    clips = 12_000 * 151
    # One pass over the sound; the frames are decoded as often as without.
    assert more.cpu - less.cpu == pytest.approx(12_000 * 150 * 0.02 + clips * (0.25 + 5))
    assert more.disk - less.disk == pytest.approx(clips * (128 + 1) * 4 * (1 / 1.1 + 1))
    assert estimate(heard, SIZE, figures, 16).unknown == (names[1],)
    specs = estimate_inputs.backbone_specs(heard)
    assert specs[names[1]].context == 1 and specs[names[0]].model == "logmel/64"
    hub = {"trailers_a_ast": {"model": "hf/owner/name@1", "input": "audio"}}
    hub = load({"backbones": hub, "runs": {"a": {"audio": "trailers_a_ast"}}})
    assert "hf/owner/name@1 own context" not in estimate_inputs.backbone_specs(hub)
