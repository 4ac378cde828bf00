import pytest

from trailers12k.workflow.feature_plan import FeaturePlan
from trailers12k.workflow.movie_list import MovieList
from trailers12k.workflow.prediction_request import prediction_request
from trailers12k.workflow.targets import target_files

from .conftest import Wildcards


def targets_of(settings) -> dict[str, set[str]]:
    """The files of each target; "error: ..." where it refuses."""
    features = FeaturePlan(settings)
    request = prediction_request(settings, features)
    targets = target_files(settings, MovieList(settings), features, request)
    return {name: set(paths(files)) for name, files in targets.items()}


def paths(files):
    for each in files:
        try:
            yield from each(Wildcards()) if callable(each) else [each]
        except SystemExit as error:
            yield str(error)


STORE = "trailers_i_resnet_fpc24"
RUNS = {"resnet": {"image": STORE}}


def test_targets_request_intermediate_products(settings_of):
    targets = targets_of(settings_of(movies="movies.csv", runs=RUNS))
    intermediate = {
        "build/ledger/trailers/000.csv",
        f"build/ledger/{STORE}/001.csv",
        f"build/packed/{STORE}.csv",
        f"data/{STORE}.zarr/.zgroup",
        "results/runs/resnet/split2/run.json",
    }
    for name in ("all", "evaluate", "report"):
        assert intermediate <= targets[name], name


def test_all_includes_every_target_but_those_on_demand(settings_of):
    targets = targets_of(settings_of(movies="movies.csv", runs=RUNS))
    for name in targets.keys() - {"weights", "review", "publish", "predict", "status", "diff"}:
        extra = targets[name] - targets["all"]
        assert extra <= {f"results/failures/{name}.csv"}, name
    assert "results/review/index.html" not in targets["all"]


def test_all_requests_what_no_job_reads(settings_of):
    """A deleted file that no target names would not be made again."""
    settings = settings_of(
        movies="movies.csv", runs=RUNS, evaluation={"also": ["masked", "sklearn"]}
    )
    assert {
        "results/metrics.json",
        "results/costs.csv",
        "results/figures/genres.svg",
        f"results/figures/map_{STORE}.png",
        "results/tables/flags.csv",
        "results/tables/measures.csv",
        f"results/map/{STORE}.csv",
        "results/runs/resnet/split1/best.pt",
        "results/runs/resnet/split1/tst_masked.csv",
    } <= targets_of(settings)["all"]


def test_the_shots_of_the_sample_are_requested(settings_of):
    assert "build/sample/shots/000.csv" in targets_of(settings_of(runs=RUNS))["all"]
    own = targets_of(settings_of(movies="movies.csv", runs=RUNS))["all"]
    assert not any(path.startswith("build/sample") for path in own)


def test_evaluation_variants_are_requested_if_configured(settings_of):
    options = "results/transfer/options.csv"
    assert options not in targets_of(settings_of(runs=RUNS))["all"]
    settings = settings_of(runs=RUNS, evaluation={"also": ["masked"]})
    assert options in targets_of(settings)["all"]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("predict", "name a trailer: trailers12k predict FILE_OR_URL"),
        ("status", "trailers12k status"),
        ("diff", "trailers12k diff FROM [TO]"),
    ],
)
def test_a_target_without_files_says_what_to_do(settings_of, target, message):
    (only,) = targets_of(settings_of(runs=RUNS))[target]
    assert only.startswith("error: ") and only.endswith(message) and "\n" not in only


def test_published_features_need_no_stage_before_them(settings_of):
    targets = targets_of(settings_of(movies="published", runs=RUNS))
    assert not any(path.startswith("build/ledger") for path in targets["all"])
    assert "data/movies.csv" not in targets["all"] and "data/mtgc.csv" in targets["all"]
    assert targets["review"] == {
        "error: review: movies: published has features, but no trailers to look at"
    }
