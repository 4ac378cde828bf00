"""The leaderboard of a collection, from its tables, stores, checkpoints and benchmarks."""

import zipfile
from dataclasses import replace

import pytest

from trailers12k.common.files import read_csv, write_csv, write_json, write_text
from trailers12k.common.vocabulary import GENRES, METRICS
from trailers12k.evaluation.rows import result_rows
from trailers12k.features.backbones.counting import count
from trailers12k.features.backbones.parameter_counts import parameters_of
from trailers12k.features.backbones.silero import SpeechNet
from trailers12k.features.store_costs import StoreCost, cost_file, record_cost
from trailers12k.report.leaderboard import LeaderboardInputs, hashes, write_leaderboard
from trailers12k.report.leaderboard_section import leaderboard_grid

MODELS = {"a": "timm/tf_efficientnet_lite0", "b": "shufflenet3d/1.0x"}
RUNS = {"one": {"image": "a"}, "both": {"image": "a", "video": "b"}}
COST = StoreCost("f", movies=2, seconds=40, device="cpu", together=2)


@pytest.fixture
def inputs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for store, model in MODELS.items():
        write_csv(f"data/{store}.csv", ["mid"], [{"mid": "tt1"}, {"mid": "tt2"}])
        about = {"backbone": model, "pretrained": True, "weights_license": "cc-by-nc-4.0"}
        about |= {"versions": {"torch": "2.9"}, "fingerprint": "f"}
        write_json(f"data/{store}.zarr/.zattrs", about)
        for shard in ("000", "001"):
            record_cost(cost_file(store, shard), COST)
    genres = dict.fromkeys(GENRES, 1)
    movies = [{"mid": f"tt{n}", **genres, "split0": n, "split1": 2, "split2": 0} for n in (1, 2)]
    write_csv("data/mtgc.csv", [*movies[0]], movies)
    scores = {"movies": 3, "of": 4, **dict.fromkeys(METRICS, 50), "uap_low": 40, "uap_high": 60}
    pretrained = {"chance": "", "one": "true", "both": "false"}
    rows = [{"run": run, "pretrained": cell, **scores} for run, cell in pretrained.items()]
    write_csv("results/summary.csv", [*rows[0]], rows)
    for run in RUNS:
        path = tmp_path / f"results/runs/{run}/split0/best.pt"
        path.parent.mkdir(parents=True)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data/0", bytes(400))
    return LeaderboardInputs(
        tmp_path / "results/summary.csv",
        tmp_path / "data/mtgc.csv",
        result_rows(RUNS, ["knn"]),
    )


def test_each_row_says_what_it_is_made_with(inputs):
    write_leaderboard(inputs, "leaderboard.csv")
    chance, one, both = read_csv("leaderboard.csv")
    assert (chance["classifier"], chance["encoders"], chance["uap_low"]) == ("", "", "40")
    assert (both["image"], both["video"], both["encoders"]) == ("a", "b", "|".join(MODELS.values()))
    assert (one["weights_license"], one["non_commercial"]) == ("cc-by-nc-4.0", "true")
    assert [row["pretrained"] for row in (chance, one, both)] == ["", "true", "false"]
    assert (one["torch"], one["classifier_parameters"]) == ("2.9", "100")
    # Two shards of 40 s for two movies each.
    assert (one["seconds_per_movie"], one["stores_together"]) == ("20", "2")
    assert (both["seconds_per_movie"], both["seconds_on"]) == ("40", "CPU")
    assert both["stores_together"] == "2|2"


def test_seconds_of_a_gpu_and_of_a_cpu_name_both(inputs):
    record_cost(cost_file("a", "000"), replace(COST, device="cuda (X)", seconds=80))
    write_leaderboard(inputs, "leaderboard.csv")
    both = read_csv("leaderboard.csv")[2]
    assert (both["seconds_per_movie"], both["seconds_on"]) == ("50", "cuda (X)|CPU")


def test_no_seconds_are_claimed_without_records_of_these_features(inputs):
    for change in ("other", "damaged", "none"):
        for path in inputs.benchmarks.glob("stores/b/*.json"):
            if change == "other":
                record_cost(path, replace(COST, fingerprint="g", movies=1))
            elif change == "damaged":
                path.write_text('{"seconds": NaN}')
            else:
                path.unlink()
        write_leaderboard(inputs, "leaderboard.csv")
        _, one, both = read_csv("leaderboard.csv")
        assert (one["seconds_per_movie"], both["seconds_per_movie"]) == ("20", ""), change


def test_a_row_says_how_it_was_trained(inputs):
    runs = {"one": RUNS["one"] | {"shuffle_labels": True}, "both": RUNS["both"]}
    write_leaderboard(replace(inputs, rows=result_rows(runs, [])), "leaderboard.csv")
    chance, one, both = read_csv("leaderboard.csv")
    assert [row["shuffled"] for row in (chance, one, both)] == ["", "true", "false"]
    assert [row["fusion"] for row in (chance, one, both)] == ["", "", "late"]


def test_a_store_of_the_hub_has_its_own_count_and_version(inputs):
    about = {"backbone": "hf/OWNER/NAME", "parameters": 7, "transformers": "5.1"}
    for pretrained, parameters in ((True, "7"), (False, "")):
        write_json("data/a.zarr/.zattrs", about | {"pretrained": pretrained})
        write_leaderboard(inputs, "leaderboard.csv")
        one = read_csv("leaderboard.csv")[1]
        # Random weights are those of a small network.
        assert (one["encoder_parameters"], one["transformers"]) == (parameters, "5.1")


def test_hashes_tell_labels_from_test_movies(inputs):
    before = hashes(inputs.mtgc)
    text = inputs.mtgc.read_text()
    write_text(inputs.mtgc, text.replace("tt1,1", "tt1,0"))
    changed = {name for name, value in hashes(inputs.mtgc).items() if value != before[name]}
    assert changed == {"labels_sha256", "mtgc_sha256"}
    write_text(inputs.mtgc, text.replace(",1,2,0\n", ",2,2,0\n"))
    changed = {name for name, value in hashes(inputs.mtgc).items() if value != before[name]}
    assert changed == {"test0_sha256", "mtgc_sha256"}


def test_the_chapter_leaves_chance_out(inputs):
    import pandas as pd

    write_leaderboard(inputs, "leaderboard.csv")
    grid = leaderboard_grid(pd.read_csv("leaderboard.csv"))
    assert [row[0].text for row in grid.rows] == ["one", "both"]
    assert [row[0].small for row in grid.rows] == ["DIViTA", "DIViTA, late fusion"]
    assert [(cell.text, cell.small) for cell in grid.rows[0][3:5]] == [
        ("50.00", "40.00 to 60.00"),
        ("50.00", ""),
    ]
    small = [row[1].small for row in grid.rows]
    assert small == ["licence: cc-by-nc-4.0; not for commercial use", "untrained (random) weights"]


@pytest.mark.parametrize("model", ["timm/tf_efficientnet_lite0", "shufflenet3d/1.0x"])
def test_the_table_of_parameters_has_what_the_architecture_has(model):
    assert parameters_of(model) == count(model) > 0


def test_a_model_of_the_hub_has_no_count_and_statistics_have_no_parameters():
    assert parameters_of("hf/OWNER/NAME") is None
    assert parameters_of("logmel/64") == 0


def test_the_table_of_parameters_has_the_network_of_speech():
    assert parameters_of("silero/vad") == sum(each.numel() for each in SpeechNet().parameters())
