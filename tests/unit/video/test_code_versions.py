"""An edit changes the code versions of what it computes, and no others."""

import shutil

import pytest

from trailers12k.workflow.code_versions import RESULT_MODULES, SourceTree, package

CLIPS = RESULT_MODULES["detect_clips"]
FEATURES = RESULT_MODULES["extract_features"]


@pytest.fixture
def edited(tmp_path):
    """A call that appends a statement to a module of `video`; returns the edited package."""

    def edit(module: str) -> SourceTree:
        root = tmp_path / module / "trailers12k"
        shutil.copytree(package().root, root, ignore=shutil.ignore_patterns("__pycache__"))
        with (root / "video" / f"{module}.py").open("a", encoding="utf-8") as file:
            file.write("\nEDITED = 1\n")
        return SourceTree(root)

    return edit


@pytest.mark.parametrize("module", ["contact_sheets", "clip_shard", "clip_export", "probe"])
def test_an_edit_around_the_computation_changes_no_version(edited, module):
    tree = edited(module)
    for result in (CLIPS, RESULT_MODULES["merge_clips"], FEATURES, RESULT_MODULES["train_run"]):
        assert tree.code_version(result) == package().code_version(result)


@pytest.mark.parametrize(
    ("module", "changed"),
    [
        ("transnet", {"transnetv2"}),
        ("pyscenedetect", {"adaptive", "content"}),
        ("shots", {"adaptive", "content", "transnetv2"}),
    ],
)
def test_an_edit_of_a_detector_changes_the_versions_of_its_own_shots(edited, module, changed):
    tree = edited(module)
    for detector in ("adaptive", "content", "transnetv2"):
        same = tree.code_version(CLIPS, [detector]) == package().code_version(CLIPS, [detector])
        assert same == (detector not in changed)


@pytest.mark.parametrize("module", ["clip_detection", "shots", "frame_statistics", "clip_table"])
def test_features_do_not_depend_on_how_clips_are_detected_or_stored(edited, module):
    tree = edited(module)
    assert tree.code_version(FEATURES) == package().code_version(FEATURES)


def test_what_clips_and_their_frames_are_counts_for_features(edited):
    for module in ("reader", "clips"):
        assert edited(module).code_version(FEATURES) != package().code_version(FEATURES)
