"""The stages that a person knows, and the rules of each.

Reads and writes nothing. Must not know Snakemake.
"""

from collections.abc import Mapping
from types import MappingProxyType

FEATURES = "features of {group}"
EXTRACTION = "extract_features"
"""The rule that stands for those of all groups of stores."""

STAGE_OF_RULE = {
    **dict.fromkeys(("fetch_source", "collect_movies", "list_movies", "build_metadata"), "movies"),
    "render_sample": "sample",
    "download_trailers": "trailers",
    "download_posters": "posters",
    **dict.fromkeys(("detect_clips", "merge_clips"), "clips"),
    **dict.fromkeys(
        ("fetch_weights", "check_weights", "make_random_weights", "fetch_tokenizer"), "weights"
    ),
    **dict.fromkeys(
        ("fetch_published_sums", "fetch_published_table", "measure_record"), "published files"
    ),
    **dict.fromkeys(("extract_features", "merge_store", "fetch_store"), FEATURES),
    **dict.fromkeys(("merge_ledger", "check_failures"), "ledger"),
    **dict.fromkeys(("make_splits", "split_by_year", "plot_splits"), "splits"),
    **dict.fromkeys(("pack_store", "fit_baselines", "train_run"), "training"),
    **dict.fromkeys(
        (
            *("measure_split_effect", "score_runs", "predict_variants", "score_options"),
            *("compare_rows", "summarize_results", "draw_curves", "predict_zero_shot"),
        ),
        "evaluation",
    ),
    **dict.fromkeys(
        ("write_config", "describe_run", "map_features", "write_leaderboard", "draw_report"),
        "report",
    ),
    **dict.fromkeys(("flag_trailers", "write_review"), "review"),
    "group_duplicates": "splits",
    "publish_dataset": "publication",
    **dict.fromkeys(("fetch_trailer", "predict_trailer"), "prediction"),
}
"""Rule -> its stage. Stages are shown in this order."""

OF_MOVIES = (
    *("render_sample", "download_trailers", "download_posters", "detect_clips"),
    EXTRACTION,
)
"""Rules whose jobs work on the movies of a shard."""

_ORDER = list(dict.fromkeys(STAGE_OF_RULE.values()))


def known_rule(rule: str, groups: Mapping[str, str]) -> str:
    """`EXTRACTION` for the rule of any group of stores, else the rule itself.

    groups: see `stage_of`.
    """
    return EXTRACTION if rule in groups else rule


def stage_of(
    rule: str, wildcards: Mapping[str, str], groups: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The stage of a job; a rule that is not ours is a stage of its own.

    groups: rule or store -> title of its group of stores.
    """
    store = wildcards.get("store", "a store")
    group = groups.get(rule) or groups.get(store, store)
    return STAGE_OF_RULE.get(known_rule(rule, groups), rule).format(group=group)


def place_of(rule: str) -> int:
    """The place of a rule's stage among the stages."""
    stage = STAGE_OF_RULE.get(rule)
    return len(_ORDER) if stage is None else _ORDER.index(stage)
