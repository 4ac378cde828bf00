"""The configuration: checked against its schema, and the checks that a schema cannot make.

Reads schemas/config.schema.yaml. Must not know what the stages do with their settings.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from trailers12k.common.errors import UserError
from trailers12k.common.vocabulary import FILLING, PUBLISHED, SAMPLE
from trailers12k.jobs.reasons import CHECKS, PATTERNS

SCHEMA = Path(__file__).parents[2] / "schemas" / "config.schema.yaml"
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where there is one, is ten times as fast."""
ASKED = ("retry", "trailer", "from", "to")
"""What is asked of one command, and no setting of any result."""
TAKEN = {
    "backbones": (
        *("clips", "curation", "ledger", "metadata", "movies", "mtgc", "posters", "search"),
        *("tmdb", "trailers"),
    ),
    "runs": ("chance", "constant prediction"),
}


def check(config: Mapping) -> dict:
    """The configuration without the stores and runs that were set to null.

    Raises `UserError`, one line, at the first fault: the key, its value, and what is allowed.
    """
    config = dict(config)
    for section in ("backbones", "runs"):
        if isinstance(config.get(section), Mapping):
            config[section] = {k: v for k, v in config[section].items() if v is not None}
    _check_revisions(config)
    schema = yaml.load(SCHEMA.read_text(encoding="utf-8"), Loader=LOADER)
    _check_names(config)
    error = best_match(Draft202012Validator(schema).iter_errors(config))
    if error is not None:
        raise UserError(f"config: {_describe(error)}")
    _check_sources(config["movies"])
    _check_downloads(config)
    if config["splits"] != PUBLISHED:
        _check_shares(config["splits"])
    _check_frames(config)
    _check_runs(config["runs"], config["backbones"])
    if config["movies"] in (PUBLISHED, [PUBLISHED]):
        _check_published(config["runs"], config["published"]["md5"])
    return config


def _describe(error: ValidationError) -> str:
    key = ".".join(str(part) for part in error.absolute_path) or "the top level"
    value = error.instance
    match error.validator:
        case "additionalProperties":
            known = sorted(error.schema["properties"])
            unknown = sorted(set(value) - set(known))
            at = ".".join([*(str(part) for part in error.absolute_path), unknown[0]])
            there = "" if key == "the top level" else f" in {key}"
            given = str(value[unknown[0]])[:60]
            return f"{at}: unknown key (value {given}); allowed{there}: {', '.join(known)}"
        case "required":
            missing = [name for name in error.validator_value if name not in value]
            return f"{key}: {missing[0]} is missing; required: {', '.join(error.validator_value)}"
        case "enum":
            return f"{key}: {value!r} is not allowed; allowed: {_listed(error.validator_value)}"
        case "type":
            kind = error.validator_value
            kind = kind if isinstance(kind, str) else _listed(kind)
            return f"{key}: {value!r} is of the wrong type; allowed: {kind}{_bounds(error.schema)}"
        case "pattern" if error.parent or "propertyNames" in error.absolute_schema_path:
            return f"{key}: the name {value!r} is not allowed; allowed: {error.validator_value}"
        case "pattern":
            return f"{key}: {value!r} is not allowed; allowed: {error.validator_value}"
        case _:
            return f"{key}: {value!r} is not allowed; allowed:{_bounds(error.schema)}"


def _listed(values: list) -> str:
    return ", ".join(str(value) for value in values)


def _bounds(schema: Mapping) -> str:
    words = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "minLength": "characters: at least",
        "minProperties": "entries: at least",
    }
    return "".join(f" {word} {schema[key]}" for key, word in words.items() if key in schema)


def _check_names(config: Mapping) -> None:
    """Names of stores and runs that are no text, or that something else bears already."""
    for section, taken in TAKEN.items():
        for name in config.get(section) or ():
            if not isinstance(name, str):
                raise UserError(
                    f"config: {section}: the name {name!r} is no text; put it in quotes"
                )
            if name in taken:
                raise UserError(
                    f"config: {section}.{name}: this name is taken; "
                    f"allowed: others than {', '.join(taken)}"
                )


def _check_revisions(config: dict) -> None:
    """Names of versions that YAML, or Snakemake, takes for something else."""
    for key in ("from", "to"):
        if isinstance(config.get(key), date):
            config[key] = str(config[key])  # a tag like 2026-11-24: its text is still the same
        if isinstance(config.get(key), float):
            raise UserError(
                f"config: {key}: {config[key]} was read as a number, maybe not as you wrote it; "
                "allowed: tags/NAME, of a tag NAME"
            )


def _check_sources(movies: str | list[str]) -> None:
    """Sources that make no sense together."""
    several = [movies] if isinstance(movies, str) else movies
    if len(set(several)) < len(several):
        raise UserError(f"config: movies: {several} names a source twice; allowed: each once")
    for name in (SAMPLE, PUBLISHED):
        if name in several and len(several) > 1:
            raise UserError(f"config: movies: {name} stands alone; allowed: other sources together")
    if several[0] in FILLING:
        raise UserError(
            f"config: movies: {several[0]} only fills gaps; allowed first: sample, trailers12k, "
            "imdb, or the path of a CSV file"
        )


def _check_downloads(config: Mapping) -> None:
    for host, (least, most) in config["downloads"]["pause"].items():
        if least > most:
            raise UserError(
                f"config: downloads.pause.{host}: {[least, most]} is not allowed; "
                "allowed: the least and the most seconds"
            )
    cookies = config["trailers"]["cookies"]
    if cookies and not Path(cookies).is_file():
        raise UserError(
            f"config: trailers.cookies: {cookies} does not exist; allowed: a cookie file in "
            "Netscape's format, or null"
        )
    known = {reason for _, reason in PATTERNS} | set(CHECKS)
    for reason in config["retry"].split(","):
        if reason not in known and config["retry"] not in ("", "all", "none"):
            raise UserError(
                f"config: retry: {reason!r} is not allowed; allowed: all, none, or reasons joined "
                f"by commas: {', '.join(sorted(known))}"
            )


def _check_shares(splits: Mapping) -> None:
    total = sum(splits[name] for name in ("training", "validation", "test"))
    if round(total, 6) != 1:
        shares = " + ".join(f"{name} {splits[name]}" for name in ("training", "validation", "test"))
        raise UserError(f"config: splits: {shares} is {total:g}; allowed: tenths that make 1")
    for name in ("extend", "groups"):
        if splits[name] and not Path(splits[name]).is_file():
            raise UserError(
                f"config: splits.{name}: {splits[name]} is no file; allowed: a CSV file, or null"
            )


def _check_frames(config: Mapping) -> None:
    fpc = config["clips"]["fpc"]
    wanted = {"image_frames": config["image_frames"]}
    for store, spec in config["backbones"].items():
        if "image_frames" in spec:
            wanted[f"backbones.{store}.image_frames"] = spec["image_frames"]
    for key, frames in wanted.items():
        if frames > fpc:
            raise UserError(f"config: {key}: {frames} is more than a clip has; allowed: 1 to {fpc}")


def _check_runs(runs: Mapping, backbones: Mapping) -> None:
    kinds = {"image": "frames", "video": "clips", "poster": "posters"}
    for run, spec in runs.items():
        streams = [stream for stream in kinds if stream in spec]
        if not streams:
            raise UserError(f"config: runs.{run}: names no store; allowed: image, video, poster")
        if spec.get("fusion") == "early" and len(streams) == 1:
            raise UserError(f"config: runs.{run}.fusion: early is not allowed; one stream only")
        for stream in streams:
            allowed = [name for name, other in backbones.items() if other["input"] == kinds[stream]]
            if spec[stream] not in allowed:
                raise UserError(
                    f"config: runs.{run}.{stream}: {spec[stream]!r} is not such a store; "
                    f"allowed: {', '.join(allowed) or 'none is configured'}"
                )


def _check_published(runs: Mapping, files: Mapping) -> None:
    for run, spec in runs.items():
        for stream in ("image", "video", "poster"):
            if stream in spec and f"{spec[stream]}.zarr.tar.gz" not in files:
                raise UserError(
                    f"config: runs.{run}.{stream}: {spec[stream]} is not in the record; allowed: "
                    f"{', '.join(name.split('.')[0] for name in files if name != 'mtgc.csv')}"
                )
