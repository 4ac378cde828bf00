"""The results of finished jobs, found by the content of what they were made from, and put back.

Reads and writes build/cache/: results/RULE/JOB/KEY.json describes a result, files/SHA256 holds its
files. Must not know what the jobs do. Standard library only: every job waits for it.
"""

import csv
import hashlib
import json
import logging
import os
import re
import resource
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trailers12k.common.bounded_files import kind_fault, read_small
from trailers12k.common.content_hashes import CACHE, content_of, has_links
from trailers12k.common.files import read_csv, replacing, write_json, write_text
from trailers12k.common.messages import unwritten

log = logging.getLogger(__name__)

RESULTS = CACHE / "results"
FILES = CACHE / "files"
MOST_BYTES = 1 << 30
"""Most bytes of a file of the cache: all of it is read into memory."""

FORMAT = 1
"""Part of every key. Raise it when entries of an earlier form must not be found."""

FORCED = "TRAILERS12K_FORCED"
"""An environment variable: JSON list of the rules and files that the user forced; `*` for all.
Their jobs look for no result."""

LOGS = "logs"
CURRENT = "current"
"""In the folder of a job's results, the file that names the one the job's outputs have now."""

DAMAGED = (
    *(OSError, ValueError, KeyError, TypeError),
    *(AttributeError, ArithmeticError, RecursionError),
)
"""What a damaged entry may raise."""

SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)

PathLike = str | os.PathLike[str]


@dataclass(frozen=True)
class Reuse:
    """What a job's result depends on besides its inputs and params, and what it makes.

    ignored: names of params that determine nothing, such as `repairs`.
    ignored_columns: columns of tables (.csv) among the inputs that determine nothing, such as the
        `attempts` of a ledger, which grow in each retry round.
    reads: files and folders that the job reads without being inputs; their content counts.
    implied: files and folders that it reads as well, and whose content the inputs determine: the
        arrays of a store, whose manifest has the fingerprint of each. Their content does not count.
    made: files and folders that it makes beside its outputs; they are never copied. A result whose
        `made` was deleted or changed is made again. A callable where only the finished job knows
        them.
    made_on_demand: as `made`, but a missing file does not count: the jobs that read it can make it.
    is_sound: says whether side products with an index of their own are as they were made.
    """

    ignored: Sequence[str] = ()
    ignored_columns: Sequence[str] = ()
    reads: Sequence[PathLike] = ()
    implied: Sequence[PathLike] = ()
    made: Sequence[PathLike] | Callable[[], Iterable[PathLike]] = ()
    made_on_demand: Sequence[PathLike] = ()
    is_sound: Callable[[], bool] = lambda: True


@dataclass(frozen=True)
class Cost:
    """What the work of a job cost: wall and CPU seconds, and the peak of its memory."""

    seconds: float
    cpu_seconds: float
    max_rss_mb: float


def cost_since(began: float) -> Cost:
    """The cost of this process so far. began: time in seconds since 1970."""
    own, children = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    cpu = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    peak = max(own.ru_maxrss, children.ru_maxrss) / 1024
    return Cost(round(time.time() - began, 2), round(cpu, 2), round(peak, 1))


@dataclass(frozen=True)
class KeptResult:
    """The place of a job's result in the cache, whether or not it is there.

    entry: its description. inputs, outputs: the job's.
    """

    entry: Path
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    reuse: Reuse

    @property
    def declared(self) -> list[str]:
        """All files and folders that the job may read, but for a callable's `made`."""
        made = () if callable(self.reuse.made) else self.reuse.made
        others = (*self.reuse.reads, *self.reuse.implied, *made, *self.reuse.made_on_demand)
        return [*self.inputs, *self.outputs, *(os.fspath(path) for path in others)]

    def put_back(self) -> Cost | None:
        """Write the outputs as they were made, when the result is there and whole.

        Returns the cost of the work that made them, else None. A damaged entry counts as none.
        Raises OSError when the outputs cannot be written.
        """
        try:
            content = json.loads(read_small(self.entry))
            cost = Cost(**{name: float(value) for name, value in content["cost"].items()})
            files = self._files(content["outputs"])
            is_whole = self._is_made(content["made"]) and self.reuse.is_sound()
        except DAMAGED:
            return None
        if not is_whole:
            return None
        for path, data in files.items():
            with replacing(path) as partial:
                partial.write_bytes(data)
        _touch(self.entry)
        with suppress(OSError):  # a full disk, which the job need not mind
            self._point()
        return cost

    def keep(self, cost: Cost) -> None:
        """Keep the outputs of the finished job. Warns where they cannot be kept."""
        try:
            if has_links(self.entry) or has_links(FILES):
                raise OSError(f"{CACHE} holds symbolic links; remove them")
            outputs = {path: _keep_file(path) for path in self.outputs}
            made = self.reuse.made() if callable(self.reuse.made) else self.reuse.made
            paths = sorted({os.fspath(path) for path in (*made, *self.reuse.made_on_demand)})
            content = {
                "cost": asdict(cost),
                "outputs": outputs,
                "made": {path: content_of(path) for path in paths},
                "made_on_demand": [os.fspath(path) for path in self.reuse.made_on_demand],
            }
            write_json(self.entry, content)
            self._point()
        except OSError as error:
            why = unwritten(error)
            log.warning("the result is finished, but not kept for later runs: %s", why)

    def _point(self) -> None:
        """Record that the job's outputs are now those of this entry."""
        write_text(self.entry.with_name(CURRENT), self.entry.name)

    def _files(self, hashes: Mapping[str, str]) -> dict[str, bytes]:
        """Output -> its content. Raises OSError or ValueError when one is missing or damaged."""
        if set(hashes) != set(self.outputs):
            raise ValueError("other outputs")
        return {path: _read_file(digest) for path, digest in hashes.items()}

    def _is_made(self, hashes: Mapping[str, str | None]) -> bool:
        """Whether the side products are as they were made."""
        on_demand = {os.fspath(path) for path in self.reuse.made_on_demand}
        for path, digest in hashes.items():
            if not is_relative(path):
                return False
            present = content_of(path)
            if present != digest and not (present is None and path in on_demand):
                return False
        return True


def result_of(snakemake: Any, reuse: Reuse) -> KeptResult:
    """The place of the result of a Snakemake job. Reads its inputs."""
    params = {name: value for name, value in snakemake.params.items() if name not in reuse.ignored}
    named = {name: _paths(value) for name, value in snakemake.input.items()}
    inputs = _paths(snakemake.input)
    parts = {
        "format": FORMAT,
        "rule": snakemake.rule,
        "wildcards": dict(snakemake.wildcards.items()),
        "params": params,
        "inputs": [named, *((path, _content(path, reuse.ignored_columns)) for path in inputs)],
        "reads": sorted((path, content_of(path)) for path in _paths(reuse.reads)),
    }
    text = json.dumps(parts, sort_keys=True, default=str)
    key = hashlib.sha256(text.encode()).hexdigest()[:32]
    folder = folder_of(snakemake.rule, snakemake.log[0])
    outputs = tuple(map(str, snakemake.output))
    return KeptResult(folder / f"{key}.json", tuple(inputs), outputs, reuse)


def _content(path: str, ignored_columns: Collection[str]) -> str | None:
    """The hash of an input; of a table without some columns, where there are any to ignore."""
    if not ignored_columns or not path.endswith(".csv"):
        return content_of(path)
    try:
        rows = read_csv(path)
    except (OSError, ValueError, csv.Error):
        return content_of(path)
    kept = [{name: row[name] for name in row if name not in ignored_columns} for row in rows]
    return hashlib.sha256(json.dumps(kept, default=str).encode()).hexdigest()


def folder_of(rule: str, log_file: str) -> Path:
    """The folder of the results of a job, which the path of its log names as well."""
    parts = [part for part in Path(log_file).with_suffix("").parts if part not in ("/", "..")]
    # Rules of groups of stores share a folder of logs that has another name.
    after = parts.index(rule) + 1 if rule in parts else 2 * (parts[0] == LOGS)
    return RESULTS.joinpath(rule, *(parts[after:] or ["all"]))


def forced_names(settings: Any) -> list[str]:
    """The rules and files that the user forced; `*` for all. settings: Snakemake's of the DAG."""
    named = {*settings.forcerun, *(settings.targets if settings.forcetargets else ())}
    return ["*"] if settings.forceall else sorted(os.path.normpath(str(name)) for name in named)


def record_forced(settings: Any) -> None:
    """Let the jobs of this run know what the user forced. settings: Snakemake's of the DAG."""
    os.environ[FORCED] = json.dumps(forced_names(settings))


def is_forced(rule: str, outputs: Iterable[str], forced: Collection[str] | None = None) -> bool:
    """Whether the user forced this job. forced: by default what `record_forced` recorded."""
    if forced is None:
        forced = json.loads(os.environ.get(FORCED) or "[]")
    return bool({*forced} & {"*", rule, *map(os.path.normpath, outputs)})


def is_relative(path: str) -> bool:
    """Whether a path stays inside the run's folder by its name."""
    return not os.path.isabs(path) and ".." not in Path(path).parts


def _paths(value: Any) -> list[str]:
    """The paths of an input or of several, relative to the run's folder where they are inside."""
    paths = [value] if isinstance(value, str | os.PathLike) else value
    here = os.path.join(os.getcwd(), "")
    return [os.fspath(path).removeprefix(here) for path in paths]


def _touch(entry: Path) -> None:
    """Note that a result is in use: `trailers12k clean` goes by the time."""
    try:
        os.utime(entry)
    except OSError as error:
        log.info("%s: %s", entry, error)


def _keep_file(path: str) -> str:
    """Copy a file into the cache, by the hash of its content, which is returned."""
    data = Path(path).read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    try:
        _read_file(digest)
    except (OSError, ValueError):
        with replacing(FILES / digest) as partial:
            partial.write_bytes(data)
    return digest


def _read_file(digest: str) -> bytes:
    """A file of the cache. Raises OSError or ValueError when it is missing or damaged."""
    if not SHA256.fullmatch(digest):
        raise ValueError(f"{digest!r} is not a sha256")
    path = FILES / digest
    found = path.stat()
    if kind_fault(found.st_mode) or found.st_size > MOST_BYTES:
        raise ValueError(f"{digest} is no file of the cache")
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{digest} is damaged")
    return data
