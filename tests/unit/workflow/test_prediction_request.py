from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.evaluation.selection import NotValidation
from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.prediction_request import best_checkpoint, prediction_request

from .conftest import Wildcards

STORE = "trailers_i_resnet_fpc24"
RUNS = {
    "low": {"image": STORE},
    "high": {"image": STORE},
    "control": {"image": STORE, "shuffle_labels": True},
    "covers": {"poster": "posters_i_swin"},
}
SCORES = """run,split,uap,subset
low,0,10,validation
low,1,99,validation
high,0,60,validation
high,1,70,validation
control,0,100,validation
covers,0,100,validation
gone,0,100,validation
"""


@pytest.fixture
def trained(folder):
    for path in ("results/transfer/val.csv", "results/runs/high/split1/best.pt"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / "results/transfer/val.csv").write_text(SCORES)
    (folder / "results/runs/high/split1/best.pt").write_bytes(b"weights")
    (folder / "a trailer.mp4").touch()


def request_of(settings):
    return prediction_request(settings, FeaturePlan(settings))


def test_the_best_split_of_the_best_run_predicts(settings_of, trained):
    chosen = best_checkpoint(settings_of(runs=RUNS))
    assert (chosen["run"], chosen["split"], chosen["uap"]) == ("high", 1, 70)
    assert chosen["checkpoint"] == "results/runs/high/split1/best.pt"
    assert len(chosen["sha256"]) == 64


def test_test_figures_choose_no_checkpoint(settings_of, trained):
    path = Path("results/transfer/val.csv")
    path.write_text(SCORES.replace("validation", "test"))
    with pytest.raises(NotValidation, match="figures of test movies"):
        best_checkpoint(settings_of(runs=RUNS))
    path.write_text(SCORES.replace(",subset", ",other"))
    with pytest.raises(UserError, match="earlier version .* trailers12k run evaluate"):
        best_checkpoint(settings_of(runs=RUNS))


def test_nothing_trained_or_a_missing_checkpoint_is_reported(settings_of, trained):
    settings = settings_of(runs=RUNS)
    Path("results/runs/high/split1/best.pt").unlink()
    with pytest.raises(UserError, match="best.pt is missing; run first: trailers12k run evaluate"):
        best_checkpoint(settings)
    Path("results/transfer/val.csv").unlink()
    with pytest.raises(
        UserError, match="no run is trained yet; run first: trailers12k run evaluate"
    ):
        best_checkpoint(settings)


def test_a_local_file_is_an_input_and_a_url_is_not(settings_of, trained):
    local = request_of(settings_of(runs=RUNS, trailer="a trailer.mp4"))
    assert local.files(Wildcards()) == ["a trailer.mp4"]
    assert local.products[0].startswith("results/predictions/a-trailer-")
    remote = request_of(settings_of(runs=RUNS, trailer="https://h/b.mp4?x=1"))
    assert remote.files(Wildcards()) == []
    assert remote.url_or_path(Wildcards()) == "https://h/b.mp4?x=1"
    assert remote.products[1].startswith("results/predictions/b-")


def test_two_files_of_one_name_have_products_of_their_own(settings_of, trained):
    first = request_of(settings_of(runs=RUNS, trailer="https://h/b.mp4"))
    second = request_of(settings_of(runs=RUNS, trailer="https://other/b.mp4"))
    assert first.name != second.name


def test_features_are_made_as_for_the_store(settings_of, trained):
    settings = settings_of(runs=RUNS, weights="pretrained", trailer="https://h/b.mp4")
    request = request_of(settings)
    stream = request.streams["image"]
    assert stream["name"] == STORE
    assert stream["backbone"] == FeaturePlan(settings).backbone(STORE)
    assert request.weights == [stream["weights"]] == [FeaturePlan(settings).weights_record(STORE)]


def test_a_missing_file_is_reported(settings_of, trained):
    with pytest.raises(UserError, match="trailer: none.mp4 does not exist"):
        request_of(settings_of(runs=RUNS, trailer="none.mp4"))


def test_without_a_trailer_there_is_no_request(settings_of):
    assert request_of(settings_of(runs=RUNS)) is None
