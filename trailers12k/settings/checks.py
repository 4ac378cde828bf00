"""Checks that involve several keys, or files that the configuration names.

Looks whether files exist. Must not know how a stage uses its settings.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import is_absent, kind_fault_of, quoted, shown_path
from trailers12k.common.sound_models import HUB_FAMILY, fixed_weights, hears_sound, name_fault
from trailers12k.common.video_models import frames_of
from trailers12k.common.vocabulary import (
    CHANCE,
    CONSTANT,
    FILLING,
    GENRES,
    PUBLISHED,
    SAMPLE,
    SOURCES,
    STREAM_INPUTS,
    SUBSETS,
)
from trailers12k.jobs.reasons import CHECKS, PATTERNS, PERMANENT
from trailers12k.settings.models import Settings
from trailers12k.settings.published_files import (
    LABELS,
    md5_of_files,
    md5_of_record,
    stores_of,
)
from trailers12k.settings.sections import SplitSettings
from trailers12k.splits.modes import AUTO, BY_YEAR

LARGEST = 2**63 - 1
MOST_DEPTH = 20
MOST_VALUES = 20_000
LONGEST_VALUE = 10_000
"""Bounds as of a file; a configuration may also come from the command line."""
CHOICES = "sources.search.choices"
OF_RUNS = ("build", "data", "results", "logs", "benchmarks", ".snakemake")
"""Folders of what runs make."""
FOLDERS = ("sources.imdb.files", "published.files", "weights_from")

PICTURES = (STREAM_INPUTS["image"], STREAM_INPUTS["video"])

RESERVED = {
    "backbones": (
        *("clips", "curation", "ledger", "metadata", "movies", "mtgc", "posters", "search"),
        *("sound", "tmdb", "trailers"),
    ),
    "runs": (CHANCE, CONSTANT),
}
"""Names that no store or run may have, since other files or rows have them."""


class Fault(ValueError):
    """What is wrong with the configuration: the key, its value, and what is allowed."""


def check_before(config: Mapping[str, Any]) -> None:
    """Check what the models cannot report well. Raises `Fault`."""
    _check_values(config)
    for section, reserved in RESERVED.items():
        entries = config.get(section)
        for name in entries if isinstance(entries, Mapping) else ():
            if name in reserved:
                raise Fault(
                    f"{section}.{name}: this name is reserved; allowed: any except "
                    f"{', '.join(reserved)}"
                )


def _check_values(config: object) -> None:
    """Refuse numbers that are none, and what would take much time or memory. Raises `Fault`."""
    left: list[tuple[tuple[object, ...], object]] = [((), config)]
    for _ in range(MOST_VALUES):
        if not left:
            return
        path, value = left.pop()
        fault = ""
        # The models refuse infinity and what is no number.
        if isinstance(value, int | float) and LARGEST < abs(value) < math.inf:
            fault = f"{quoted(value)} is not allowed; allowed: at most {LARGEST:,}"
        elif isinstance(value, str) and len(value) > LONGEST_VALUE:
            fault = (
                f"{quoted(value, 40)} is not allowed; allowed: at most {LONGEST_VALUE:,} characters"
            )
        elif len(path) > MOST_DEPTH:
            fault = f"nested too deeply; allowed: at most {MOST_DEPTH} levels"
        if fault:
            raise Fault(f"{_key(path[:6])}: {fault}")
        if isinstance(value, Mapping):
            left += [((*path, name), each) for name, each in value.items()]
        elif isinstance(value, list | tuple):
            left += [((*path, number), each) for number, each in enumerate(value)]
        if len(left) > MOST_VALUES:
            break
    raise Fault(f"it has too many values; allowed: at most {MOST_VALUES:,}")


def _key(path: Sequence[object]) -> str:
    return shown_path(".".join(map(str, path)) or "the top level")


def check(settings: Settings) -> None:
    """Check what no single key can show. Raises `Fault` at the first fault."""
    _check_sources(settings.movies)
    _check_pauses(settings)
    _check_files(settings)
    _check_retry(settings.retry)
    if isinstance(settings.splits, SplitSettings):
        _check_shares(settings.splits)
    _check_split_sources(settings)
    _check_frames(settings)
    _check_sound(settings)
    _check_groups(settings)
    _check_runs(settings)
    _check_zero_shot(settings)
    if settings.published.md5 is not None and LABELS not in settings.published.md5:
        raise Fault(f"published.md5: {LABELS} is missing; required: {LABELS}")
    if settings.is_published:
        _check_published(settings)


def _check_sources(movies: tuple[str, ...]) -> None:
    if len(set(movies)) < len(movies):
        raise Fault(f"movies: {quoted(list(movies))} repeats a source; allowed: each source once")
    for name in (SAMPLE, PUBLISHED):
        if name in movies and len(movies) > 1:
            raise Fault(
                f"movies: {name} cannot be combined with other sources; allowed: {name} alone, or "
                "other sources"
            )
    if movies[0] in FILLING:
        raise Fault(
            f"movies: {movies[0]} only completes the movies of other sources; allowed as the "
            "first: sample, trailers12k, imdb, or the path of a CSV file"
        )


def _check_pauses(settings: Settings) -> None:
    pauses = {f"downloads.pause.{host}": each for host, each in settings.downloads.pause.items()}
    pauses["sources.search.pause"] = settings.sources.search.pause
    for key, (shortest, longest) in pauses.items():
        if shortest > longest:
            raise Fault(
                f"{key}: {[shortest, longest]} is not allowed; allowed: the shortest pause, then "
                "the longest, in seconds"
            )


def _check_files(settings: Settings) -> None:
    for key, path in _named_paths(settings):
        if "://" not in path and key != "trailer" and ("{" in path or "}" in path):
            raise Fault(
                f"{key}: {quoted(path)}: Snakemake takes braces for wildcards; rename the file or "
                "its folder"
            )
        if key == CHOICES and (top := _folder_of_runs(path)):
            raise Fault(
                f"{key}: {shown_path(path)} is in {top}/, whose files runs write and remove; "
                "allowed: another folder"
            )
        fault = "" if "://" in path or is_absent(path) else kind_fault_of(path)
        if fault and not (fault == "is a folder" and key in FOLDERS):
            raise Fault(f"{key}: {shown_path(path)} {fault}; allowed: a file")
    kinds: dict[str, tuple[str | None, str]] = {}
    kinds["trailers.cookies"] = (settings.trailers.cookies, "a cookie file in Netscape's format")
    if isinstance(settings.splits, SplitSettings):
        tables = settings.splits.tables
        kinds["splits.extend"] = (tables.get("extend"), "the path of a CSV file")
        kinds["splits.groups"] = (tables.get("groups"), "auto, the path of a CSV file")
    for key, (named, kind) in kinds.items():
        if named and not Path(named).is_file():
            fault = "is not a file" if Path(named).exists() else "does not exist"
            raise Fault(f"{key}: {shown_path(named)} {fault}; allowed: {kind}, or null")


def _folder_of_runs(path: str) -> str:
    """The folder of products that a path is in; empty for other places."""
    place = Path(path).resolve()
    return next((top for top in OF_RUNS if place.is_relative_to(Path(top).resolve())), "")


def _named_paths(settings: Settings) -> Iterator[tuple[str, str]]:
    """The keys that may name a file or a folder, and the path or URL of each."""
    sources, splits = settings.sources, settings.splits
    yield from (("movies", name) for name in settings.movies if name not in SOURCES)
    named: dict[str, str | None] = {
        "curation": settings.curation,
        "sources.trailers12k.metadata": sources.trailers12k.metadata,
        "sources.imdb.files": sources.imdb.files,
        CHOICES: sources.search.choices,
        "published.files": settings.published.files,
        "weights_from": settings.weights_from,
        "trailers.cookies": settings.trailers.cookies,
    }
    named |= {f"backbones.{name}.file": each.file for name, each in settings.backbones.items()}
    if isinstance(splits, SplitSettings):
        named |= {f"splits.{key}": path for key, path in splits.tables.items()}
    yield from ((key, path) for key, path in named.items() if path)


def _check_retry(retry: str) -> None:
    if retry in ("", "all", "none"):
        return
    reasons = {reason for _, reason in PATTERNS} | {*CHECKS, *PERMANENT}
    for reason in retry.split(","):
        if reason not in reasons:
            raise Fault(
                f"retry: {quoted(reason)} is not allowed; allowed: all, none, or reasons joined by "
                f"commas: {', '.join(sorted(reasons))}"
            )


def _check_shares(splits: SplitSettings) -> None:
    shares = {name: getattr(splits, name) for name in SUBSETS}
    total = sum(shares.values())
    if round(total, 6) != 1:
        terms = " + ".join(f"{name} {share}" for name, share in shares.items())
        raise Fault(f"splits: {terms} is {total:g}; allowed: tenths that add up to 1")


def _check_split_sources(settings: Settings) -> None:
    """By year and by duplicates, movies can only be split where their table and trailers are."""
    splits = settings.splits
    groups = isinstance(splits, SplitSettings) and splits.by_duplicates
    if splits != BY_YEAR and not groups:
        return
    key, value = ("splits.groups", AUTO) if groups else ("splits", BY_YEAR)
    if settings.is_published:
        lacks = "trailers" if groups else "years"
        allowed = "null, or the path of a CSV file" if groups else "published, or shares"
        raise Fault(
            f"{key}: {value} needs {lacks}, which movies: published lacks; allowed: {allowed}"
        )
    if groups and not any(each.input in PICTURES for each in settings.backbones.values()):
        raise Fault(
            f"{key}: {value} compares trailers by stores of {' or '.join(PICTURES)}, and backbones "
            "has none; allowed: null, or the path of a CSV file"
        )


def _check_frames(settings: Settings) -> None:
    frames = {"image_frames": settings.image_frames} | {
        f"backbones.{store}.image_frames": backbone.image_frames
        for store, backbone in settings.backbones.items()
    }
    fpc = settings.clips.fpc
    for key, number in frames.items():
        if number is not None and number > fpc:
            raise Fault(
                f"{key}: {number} exceeds the {fpc} frames of a clip (clips.fpc); "
                f"allowed: 1 to {fpc}"
            )
    for store, backbone in settings.backbones.items():
        length = frames_of(backbone.model)
        if backbone.input == STREAM_INPUTS["video"] and length not in (None, fpc):
            raise Fault(
                f"backbones.{store}.model: {backbone.model} takes clips of {length} frames, not "
                f"{fpc} (clips.fpc); allowed: another model, or clips.fpc: {length}"
            )


def _check_sound(settings: Settings) -> None:
    for store, backbone in settings.backbones.items():
        of_sound, key = backbone.input == STREAM_INPUTS["audio"], f"backbones.{store}"
        hears = hears_sound(backbone.model)
        if hears is not None and of_sound != hears:
            kind, allowed = ("sound", "audio") if hears else ("pictures", "frames, clips, posters")
            raise Fault(
                f"{key}.input: {backbone.input} is not allowed for a model of {kind}; allowed: "
                f"{allowed}"
            )
        for name in ("size", "image_frames", "precision") if of_sound else ("context",):
            if getattr(backbone, name) is not None:
                kind = "of" if of_sound else "of other inputs than"
                raise Fault(f"{key}.{name}: not allowed for a store {kind} audio; allowed: null")
        if hears is None and backbone.size is not None:
            raise Fault(f"{key}.size: not allowed for a model of the hub; allowed: null")
        if hears is not False and (fault := name_fault(backbone.model)):
            raise Fault(f"{key}.model: {backbone.model} does not exist; {fault}")
        if not (fixed := fixed_weights(backbone.model)):
            continue
        own = {"weights": backbone.weights, "file": backbone.file, "sha256": backbone.sha256}
        for name, value in own.items():
            if value not in (None, fixed if name == "weights" else None):
                raise Fault(
                    f"{key}.{name}: {quoted(value)} is not allowed for {backbone.model}; allowed: "
                    f"null, since its weights are: {fixed}"
                )


def _check_groups(settings: Settings) -> None:
    groups = settings.features.groups
    if isinstance(groups, str) or settings.is_published:
        return
    stores = [name for name, spec in settings.backbones.items() if spec.input != "posters"]
    named = [store for group in groups for store in group]
    for store in named:
        if store not in stores:
            raise Fault(
                f"features.groups: {quoted(store)} is not a store of trailers in backbones; "
                f"allowed: {', '.join(stores) or 'none, since backbones has no such store'}"
            )
        if named.count(store) > 1:
            raise Fault(
                f"features.groups: {shown_path(store)} is named twice; allowed: each store once"
            )
    if missing := [store for store in stores if store not in named]:
        raise Fault(
            f"features.groups: {', '.join(missing)} is missing; required: every store of trailers"
        )


def _check_runs(settings: Settings) -> None:
    for name, run in settings.runs.items():
        if not run.streams:
            raise Fault(f"runs.{name}: names no store; allowed: {', '.join(STREAM_INPUTS)}")
        if run.fusion == "early" and len(run.streams) == 1:
            raise Fault(f"runs.{name}.fusion: early is not allowed for a single stream")
        for stream, store in run.streams.items():
            needed = STREAM_INPUTS[stream]
            stores = [other for other, spec in settings.backbones.items() if spec.input == needed]
            if store not in stores:
                raise Fault(
                    f"runs.{name}.{stream}: {quoted(store)} is not a store of {needed} in backbones"
                    f"; allowed: {', '.join(stores) or 'none, since backbones has no such store'}"
                )


def _check_zero_shot(settings: Settings) -> None:
    """A run without training has one store, of a model that also reads texts."""
    prompts = settings.zero_shot.prompts
    if other := [name for name in prompts if name not in GENRES]:
        raise Fault(
            f"zero_shot.prompts: {quoted(other[0])} is not a genre; allowed: {', '.join(GENRES)}"
        )
    if missing := [genre for genre in GENRES if genre not in prompts]:
        raise Fault(f"zero_shot.prompts: {', '.join(missing)} is missing; required: all ten genres")
    if settings.runs and not settings.trained_runs:
        raise Fault(
            "runs: all of them have zero_shot; required: at least one that trains, for the curves "
            "of the report"
        )
    for name, run in settings.runs.items():
        if not run.zero_shot:
            continue
        key, streams = f"runs.{name}", [*run.streams]
        if len(streams) > 1:
            raise Fault(
                f"{key}: {' and '.join(streams)} are not allowed with zero_shot; allowed: one "
                "stream"
            )
        if settings.is_published:
            raise Fault(
                f"{key}.zero_shot: not allowed with movies: published, whose stores name no model "
                "of the hub; allowed: false"
            )
        if run.shuffle_labels:
            raise Fault(
                f"{key}.shuffle_labels: true is not allowed with zero_shot, which trains on no "
                "labels; allowed: false"
            )
        model = settings.backbones[run.streams[streams[0]]].model
        if model.partition("/")[0] != HUB_FAMILY:
            raise Fault(
                f"{key}.{streams[0]}: {model} reads no texts, which zero_shot needs; allowed: "
                "stores of models hf/OWNER/NAME of CLIP, SigLIP or CLAP"
            )


def _check_published(settings: Settings) -> None:
    published = settings.published
    if not (files := md5_of_files(published)):
        return  # of a publication on the web, whose MD5SUMS was not fetched yet
    stores = stores_of(files)
    named = "published.files" if md5_of_record(published) is None else "published.md5"
    for name, run in settings.runs.items():
        for stream, store in run.streams.items():
            if store not in stores:
                raise Fault(
                    f"runs.{name}.{stream}: {shown_path(store)} is not among the published stores "
                    f"({named}); allowed: {', '.join(stores)}"
                )
