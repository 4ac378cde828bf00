import ast
import re
from pathlib import Path

import pytest

from trailers12k.workflow.code_versions import (
    CLOSURES,
    RESULT_MODULES,
    closure,
    code_version,
    package,
    rules_table,
)

ROOT = Path(__file__).parents[3]
AROUND_RESULTS = ("settings", "downloads", "jobs", "workflow", "report", "review", "versions")
"""Packages that shape no feature and no training."""

NUMBERS = [
    "detect_clips",
    "extract_features",
    "extract_sound",
    "measure_sound",
    "merge_store",
    "pack_store",
    "train_run",
]

# What scripts import beside the modules that compute their results: packages around jobs, and
# modules that read the attributes of stores or claim a device.
PLUMBING = ("common", "jobs", "settings", "workflow", "downloads")
PROVENANCE = {
    "trailers12k.features.store",
    "trailers12k.features.store_attributes",
    "trailers12k.features.store_costs",
    "trailers12k.features.store_index",
    "trailers12k.features.backbones.devices",
    "trailers12k.features.backbones.names",
    "trailers12k.features.tokenizer_record",
    "trailers12k.features.weights_record",
}

# The jobs around a computation: records, ledgers, contact sheets, arrays packed as pack_store
# packs them, and which of two recipes a store has.
JOBS = {
    "trailers12k.classifier.baseline_sets",
    "trailers12k.classifier.packed_arrays",
    "trailers12k.features.recipes",
    "trailers12k.features.shard",
    "trailers12k.features.shard_store",
    "trailers12k.features.store_index",
    "trailers12k.video.clip_shard",
    "trailers12k.video.clip_table",
    "trailers12k.video.sound_shard",
    "trailers12k.video.trailer_stages",
}


SCRIPTS = {"extract_sound": "extract_features", "measure_sound": "detect_clips"}
"""Result -> the script that computes it beside its own."""


def test_the_committed_closures_are_the_computed_ones():
    assert CLOSURES.read_text(encoding="utf-8") == rules_table(), (
        "run: python -m trailers12k.workflow.code_versions"
    )


def test_every_rule_with_a_script_has_a_code_version_or_only_fetches():
    text = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("rules/*.smk"))
    scripted = set(re.findall(r'"../scripts/(\w+)\.py"', text))
    assert scripted == {path.stem for path in ROOT.glob("scripts/*.py")}
    fetching = {"download_trailers", "download_posters"}
    fetching |= {
        "fetch_published_sums",
        "fetch_published_table",
        "fetch_source",
        "fetch_store",
        "fetch_tokenizer",
        "fetch_trailer",
    }
    # Its networks have the code versions of their stores.
    calibrating = {"make_random_weights"}
    fetching |= {"fetch_weights", "check_weights", "measure_record"}
    assert scripted - fetching - calibrating == set(RESULT_MODULES) - set(SCRIPTS)


@pytest.mark.parametrize("rule", NUMBERS)
def test_modules_that_compute_import_only_what_shapes_numbers(rule):
    packages = {module.split(".")[1] for module in closure(RESULT_MODULES[rule]) if "." in module}
    assert not packages & set(AROUND_RESULTS)


@pytest.mark.parametrize("rule", sorted(RESULT_MODULES))
def test_a_version_counts_every_computing_module_that_the_script_calls(rule):
    modules, called = package().modules, set()
    script = ROOT / "scripts" / f"{SCRIPTS.get(rule, rule)}.py"
    for node in ast.walk(ast.parse(script.read_bytes())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("trailers12k"):
            called |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    computing = {
        name
        for name in called & set(modules)
        if name.count(".") and name.split(".")[1] not in PLUMBING and not is_empty_package(name)
    }
    # A script may compute several results, each by a closure of its own.
    of_script = [rule, *(result for result, own in SCRIPTS.items() if own == script.stem)]
    of_script += [script.stem] if rule in SCRIPTS else []
    counted = {name for result in of_script for name in closure(RESULT_MODULES[result])}
    assert computing - PROVENANCE - JOBS <= counted


def is_empty_package(module):
    source = package().source(module)
    return source.is_empty and source.path.name == "__init__.py"


def test_a_store_counts_its_own_family_of_backbones_only():
    families = {"timm": "timm_nets", "torchvision": "torchvision_nets"}
    families["shufflenet3d"] = "shufflenet3d"
    module = RESULT_MODULES["extract_features"]
    for family in families:
        names = {name.rpartition(".")[2] for name in closure(module, [family])}
        assert names & set(families.values()) == {families[family]}
    assert len({code_version(module, [family]) for family in families}) == len(families)


def test_no_module_imports_by_name_but_from_a_registry():
    for module in package().modules:
        assert not package().source(module).faults, module
