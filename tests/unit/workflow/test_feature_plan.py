from pathlib import Path
from types import SimpleNamespace

import pytest

from trailers12k.common.errors import UserError
from trailers12k.workflow.feature_plan import FeaturePlan

from .conftest import Wildcards

IMAGE, CLIPS, POSTERS = "images", "clips_3d", "covers"
BACKBONES = {
    IMAGE: {"model": "timm/resnet10t", "input": "frames", "batch": 8},
    CLIPS: {"model": "shufflenet3d/1.0x", "input": "clips", "weights": "pretrained"},
    POSTERS: {"model": "timm/resnet10t", "input": "posters", "image_frames": None},
}
RUNS = {"both": {"image": IMAGE, "video": CLIPS}, "early": {"poster": POSTERS, "image": IMAGE}}


@pytest.fixture
def plan_of(settings_of):
    def plan(stores=None, **keys) -> FeaturePlan:
        backbones = {name: spec | (stores or {}).get(name, {}) for name, spec in BACKBONES.items()}
        return FeaturePlan(settings_of(**{"backbones": backbones, "runs": RUNS} | keys))

    return plan


def test_each_store_is_a_stage_with_an_input(plan_of):
    plan = plan_of()
    assert plan.stages == ["trailers", "posters", "clips", "sound", IMAGE, CLIPS, POSTERS]
    assert plan.inputs == {IMAGE: "frames", CLIPS: "clips", POSTERS: "posters"}
    assert plan.trailer_stores == [IMAGE, CLIPS]


def test_stores_of_sound_are_told_from_those_of_frames(plan_of, settings_of):
    assert plan_of().speech_store is None
    heard = {"mel": ("logmel/64", "audio"), "voices": ("silero/vad", "audio")}
    heard = {name: {"model": model, "input": input_} for name, (model, input_) in heard.items()}
    plan = FeaturePlan(settings_of(backbones=BACKBONES | heard, runs=RUNS))
    assert plan.trailer_stores == [IMAGE, CLIPS, *heard]
    assert plan.frame_stores == [IMAGE, CLIPS] and plan.speech_store == "voices"


def test_a_job_reads_what_its_input_needs(plan_of):
    plan = plan_of()
    trailers, posters = plan.groups
    assert plan.shard_inputs(trailers)(Wildcards(shard="001")) == {
        "sources": "build/ledger/trailers/001.csv",
        "clips": "build/clips/001.csv",
        "detected": "build/ledger/clips/001.csv",
        f"weights_{CLIPS}": "build/weights/shufflenet3d.1.0x.json",
    }
    assert plan.shard_inputs(posters)(Wildcards(shard="001")) == {
        "sources": "build/ledger/posters/001.csv"
    }
    repairs = plan.shard_repairs(trailers)(Wildcards(shard="001"))
    assert repairs == {IMAGE: 0, CLIPS: 0}


def test_an_index_that_is_a_link_to_itself_ends_the_run_in_one_line(plan_of):
    """Snakemake prints what an input function raises as a traceback."""
    plan = plan_of()
    index = Path("build/stores", f"{IMAGE}.csv")
    index.parent.mkdir(parents=True)
    index.symlink_to(index.name)
    repairs = plan.shard_repairs(plan.groups[0])
    for function in (repairs, plan.store_repairs):
        with pytest.raises(SystemExit, match=f"error: {index} is .* remove the link: rm {index}\n"):
            function(Wildcards(shard="001", store=IMAGE))


def test_the_groups_of_stores(plan_of):
    def groups(wanted=None, **keys):
        features = {"features": {"groups": wanted}} if wanted else {}
        return [(g.rule, g.title, *g.stores) for g in plan_of(**features, **keys).groups]

    posters = ("extract_posters", POSTERS, POSTERS)
    assert groups() == [("extract_features", "trailers", IMAGE, CLIPS), posters]
    alone = [(f"extract_{store}", store, store) for store in (IMAGE, CLIPS, POSTERS)]
    assert groups("each") == alone
    assert groups([[CLIPS], [IMAGE]]) == [alone[1], alone[0], posters]
    assert groups([[CLIPS, IMAGE]]) == [("extract_group1", "group1", CLIPS, IMAGE), posters]
    plan = plan_of(features={"groups": "each"})
    assert plan.titles[IMAGE] == plan.titles[f"extract_{IMAGE}"] == IMAGE
    one = {"backbones": {IMAGE: BACKBONES[IMAGE]}, "runs": {"image": {"image": IMAGE}}}
    assert groups(**one) == [("extract_features", IMAGE, IMAGE)]
    one = {"backbones": {POSTERS: BACKBONES[POSTERS]}, "runs": {"poster": {"poster": POSTERS}}}
    assert groups(**one) == [posters]


def test_what_a_profile_says_of_extract_features_holds_for_every_group(plan_of):
    said = SimpleNamespace(
        overwrite_threads={"extract_features": 8},
        overwrite_resources={"extract_features": {"gpu": 1}, f"extract_{CLIPS}": {"gpu": 2}},
    )
    plan_of(features={"groups": "each"}).spread_resources(said)
    rules = [f"extract_{store}" for store in (IMAGE, CLIPS, POSTERS)]
    assert [said.overwrite_threads[rule] for rule in rules] == [8, 8, 8]
    assert [said.overwrite_resources[rule]["gpu"] for rule in rules] == [1, 2, 1]


def test_networks_with_random_weights_are_calibrated_once(plan_of):
    plan = plan_of({IMAGE: {"size": 64}})
    assert plan.calibrations([CLIPS]) == []
    assert plan.calibrations([CLIPS, IMAGE]) == ["build/weights/random.json"]
    assert [own["backbone"].get("size") for own in plan.random_networks] == [64, None]
    # Frames and posters with the same network.
    (shared,) = plan_of().random_networks
    assert shared["backbone"]["model"] == "timm/resnet10t" and shared["code"]


def test_common_keys_are_filled_in_and_unused_ones_left_out(plan_of):
    plan = plan_of()
    assert plan.backbone(IMAGE) == {
        "model": "timm/resnet10t",
        "input": "frames",
        "weights": "random",
        "image_frames": 1,
        "precision": "fp32",
    }
    assert "image_frames" not in plan.backbone(CLIPS)


def changed(first: FeaturePlan, second: FeaturePlan) -> set[str]:
    """The stores whose features the second plan computes again."""
    return {
        store
        for before, after in zip(first.groups, second.groups, strict=True)
        for store in before.stores
        if first.group_settings(before)[store] != second.group_settings(after)[store]
        or first.clip_settings(before) != second.clip_settings(after)
    }


@pytest.mark.parametrize(
    ("stores", "keys", "stores_changed"),
    [
        ({IMAGE: {"batch": 1}}, {}, set()),
        ({}, {"device": "cpu"}, set()),
        ({IMAGE: {"size": 64}}, {}, {IMAGE}),
        ({}, {"image_frames": 2}, {IMAGE}),
        ({IMAGE: {"image_frames": 1}}, {}, set()),
        ({}, {"precision": "bf16"}, {IMAGE, CLIPS, POSTERS}),
        ({}, {"clips": {"fpc": 12}}, {IMAGE, CLIPS}),
        ({}, {"seed": 1}, {IMAGE, CLIPS, POSTERS}),
        ({CLIPS: {"file": "x.pth"}}, {}, set()),
    ],
)
def test_a_key_changes_the_stores_that_depend_on_it(plan_of, stores, keys, stores_changed):
    assert changed(plan_of(), plan_of(stores, **keys)) == stores_changed


def test_the_code_version_is_that_of_the_family(plan_of):
    plan = plan_of()
    assert plan.code(IMAGE) == plan.code(POSTERS) != plan.code(CLIPS)


def test_weights_are_shared_by_equal_models_and_files(plan_of):
    plan = plan_of({IMAGE: {"weights": "pretrained"}, POSTERS: {"weights": "pretrained"}})
    assert sorted(plan.pretrained) == ["shufflenet3d.1.0x", "timm.resnet10t"]
    own = plan_of({CLIPS: {"file": "mine.pth"}})
    (name,) = own.pretrained
    assert own.weights(Wildcards(weights=name)) == {
        "model": "shufflenet3d/1.0x",
        "file": "mine.pth",
    }
    assert own.supplied_weights(Wildcards(weights=name)) == []
    Path("mine.pth").touch()
    assert own.supplied_weights(Wildcards(weights=name)) == ["mine.pth"]


def test_runs_name_their_streams_only(plan_of):
    plan = plan_of()
    run = plan.run_settings(Wildcards(run="both"))
    assert run == {"image": IMAGE, "video": CLIPS, "fusion": "late", "shuffle_labels": False}
    assert plan.run_groups(Wildcards(run="both")) == [
        f"data/{store}.zarr/.zgroup" for store in (IMAGE, CLIPS)
    ]


def test_of_the_published_stores_those_that_runs_use_are_made(settings_of):
    runs = {"resnet": {"image": "trailers_i_resnet_fpc24"}}
    plan = FeaturePlan(settings_of(movies="published", runs=runs))
    assert plan.stores == ["trailers_i_resnet_fpc24"] and plan.stages == []


def test_weights_of_a_package_are_those_of_one_model(plan_of):
    with pytest.raises(
        UserError, match=r"timm/resnet10t: no package has its weights, only .*lite0"
    ):
        plan_of({IMAGE: {"weights": "package"}})
    lite0 = {"model": "timm/tf_efficientnet_lite0", "weights": "package"}
    assert plan_of({IMAGE: lite0}).backbone(IMAGE)["weights"] == "package"


@pytest.mark.parametrize(
    ("groups", "cores", "gpus", "threads"),
    [("all", 16, 0, 4), ("each", 16, 0, 2), ("all", 3, 0, 1), ("all", 16, 2, 7), ("all", 1, 2, 1)],
)
def test_jobs_share_the_cores_that_outnumber_them(plan_of, groups, cores, gpus, threads):
    plan = plan_of(shards=4, features={"groups": groups})
    assert plan.decoders(cores, gpus) == threads
