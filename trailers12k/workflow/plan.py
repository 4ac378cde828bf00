"""What the Snakefile needs to know before any job: movies per shard, stores per run, code versions.

Reads the configuration and the movie table. Must not import torch, nor anything slow: a dry run
waits for it.
"""

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from statistics import fmean
from typing import Any
from urllib.parse import urlsplit

from trailers12k.common import vocabulary
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, sha256_of
from trailers12k.common.fingerprint import code_version, fingerprint
from trailers12k.common.movie import Movie, shard_of
from trailers12k.common.vocabulary import SPLITS, STREAMS
from trailers12k.downloads import retries, stop_signal
from trailers12k.features.backbones.names import modules_of, weights_key
from trailers12k.jobs import status
from trailers12k.movies import curation
from trailers12k.movies.curation import AppliedDecisions, Decision
from trailers12k.movies.movie_table import read_movies
from trailers12k.movies.sources import records
from trailers12k.movies.sources.collection import CollectedMovies, collect
from trailers12k.movies.sources.credits import credits_of
from trailers12k.settings import validation as configuration

FEWEST = 10
"""Movies; splits are dealt in tenths."""
SAMPLE_CODE = (
    "movies.sources.sample",
    "movies.sources.sample_looks",
    "movies.sources.sample_rendering",
)
CLIPS_CODE = (
    "video.reader",
    "video.frame_statistics",
    "video.shots",
    "video.clips",
    "video.clip_detection",
)
FEATURES_CODE = ("video.reader", "video.clips", "features.extraction")


COLLECTED = "build/sources/movies.csv"
RECORDS = "build/sources/records.json"
REJECTED = "build/sources/rejected.json"
IMDB_FILES = ("title.basics.tsv.gz", "title.ratings.tsv.gz")


class Plan:
    """The checked configuration and what follows from it. Raises `UserError`, one line."""

    def __init__(self, config: Mapping):
        self.config = configuration.check(config)
        named = self.config["movies"]
        self.sources = [named] if isinstance(named, str) else list(named)
        self.stores: dict[str, dict] = self.config["backbones"]
        self.runs: dict[str, dict] = self.config["runs"]
        self._stores_told: dict[str, dict] = {}
        # Set by the Snakefile: raises, in Snakemake's way, until the movies are collected.
        self.collected: Callable[[], Any] = lambda: None
        if self.is_published:
            self.stores = {name: self.stores[name] for name in self.used}
        # Read now, so that a fault is told before any job.
        elif self.decisions is not None and not self.collects:
            self.check_number(self.movies)

    @property
    def settings(self) -> dict:
        """The configuration without what is asked of one command."""
        asked = configuration.ASKED
        return {key: value for key, value in self.config.items() if key not in asked}

    @property
    def is_sample(self) -> bool:
        """Whether the movies are the built-in sample's."""
        return self.sources == [vocabulary.SAMPLE]

    @property
    def is_published(self) -> bool:
        """Whether features are the authors' own, so that no stage before them runs."""
        return self.sources == [vocabulary.PUBLISHED]

    @property
    def published_table(self) -> list[str]:
        """The authors' labels and splits, when they are used."""
        used = self.is_published or self.config["splits"] == vocabulary.PUBLISHED
        return ["build/published/mtgc.csv"] if used else []

    def published_file(self, name: str) -> dict[str, str | None]:
        """Where a file of the authors' record is, and its md5 if that is known."""
        published = self.config["published"]
        address = f"{published['files'].rstrip('/')}/{name}"
        return {"address": address, "md5": published["md5"][name]}

    def published_store(self, store: str) -> dict[str, str | None]:
        """The archive of a store in the authors' record."""
        return self.published_file(f"{store}.zarr.tar.gz")

    def split_tables(self, name: str) -> list[str]:
        """The user's table for `splits.extend` or `splits.groups`, when there is one."""
        settings = self.config["splits"]
        named = None if settings == vocabulary.PUBLISHED else settings[name]
        return [named] if named else []

    @cached_property
    def collects(self) -> bool:
        """Whether a job must collect the movies, since a source is slow or far away.

        Else they are read whenever Snakemake plans, so that a dry run sees every change.
        """
        slow = set(vocabulary.SOURCES) - {vocabulary.SAMPLE, vocabulary.PUBLISHED}
        return bool(slow & set(self.sources))

    @cached_property
    def curation(self) -> str | None:
        """The file of what people decided about movies; None where there is none."""
        return curation.existing_file(self.config.get("curation"), self.sources)

    @cached_property
    def decisions(self) -> dict[str, Decision]:
        """What people decided: mid -> decision; of movies that are not there, too."""
        if self.curation is None:
            return {}
        local_files = self.is_sample or self.config["downloads"]["local_files"]
        return curation.read(self.curation, local_files)

    @property
    def decided(self) -> AppliedDecisions:
        """The decisions about movies that are there, or would be if they were not rejected."""
        titles = {movie.mid: movie.title for movie in self.movies} | self._cached[3]
        mids = sorted(titles.keys() & self.decisions.keys())
        return [(self.decisions[mid], titles[mid]) for mid in mids]

    def decided_rows(self, rejected: bool = False) -> str:
        """A hash of the decisions in force, or of those that reject a movie; see `rows`."""
        told = [pair for pair in self.decided if pair[0].rejects or not rejected]
        return fingerprint(rows=[[*vars(each).values(), title] for each, title in told])

    def check_number(self, movies: list[Movie]) -> None:
        """Refuse what cannot be split. Raises `UserError`."""
        rejects = any(decision.rejects for decision in self.decisions.values())
        check_number(movies, self.config["movies"], self.curation if rejects else None)

    @property
    def movies(self) -> list[Movie]:
        """All movies, sorted by mid."""
        return self._movies_of(_version(COLLECTED) if self.collects else ())

    @property
    def records(self) -> list[records.Record]:
        """All that the sources know of them."""
        return records.read_records(RECORDS) if self.collects else self._read().records

    def _read(self) -> CollectedMovies:
        """The movies of sources that are read at once."""
        settings = self.settings_of_sources()
        return collect(self.sources, settings, self.decisions, self.local_files)

    @property
    def local_files(self) -> bool:
        """Whether movie tables may name local files."""
        return self.config["downloads"]["local_files"]

    def settings_of_sources(self) -> dict[str, dict]:
        """The settings of each source, and the paths of its files."""
        settings: dict[str, dict] = {
            name: dict(own)
            for name, own in self.config["sources"].items()
            if name in vocabulary.FILLING
        }
        settings["sample"] = {
            "movies": self.config["sample"]["movies"],
            "seed": self.config["seed"],
        }
        for name, files in self.source_files.items():
            paths = {key: Path(path) for key, (path, _) in files.items()}
            settings[name] = {**self.config["sources"][name], "files": paths}
        return settings

    def _movies_of(self, version: tuple) -> list[Movie]:
        # The table is written while Snakemake waits for it.
        if self.__dict__.get("_cached", (None,))[0] != version:
            movies, rejected = [], []
            if version:
                movies = read_movies(COLLECTED)
                rejected = records.read_records(REJECTED) if Path(REJECTED).exists() else []
            elif not self.collects and not self.is_published:
                found = self._read()
                movies, rejected = (
                    [records.movie_of(each) for each in found.records],
                    found.rejected,
                )
            titles = {record.mid: record.title for record in rejected}
            self._cached = version, movies, _by_shard(movies, self.config["shards"]), titles
        return self._cached[1]

    @property
    def shards(self) -> dict[str, list[Movie]]:
        """The movies of each shard that has any, by the shard's name."""
        assert self.movies is not None
        return self._cached[2]

    def known(self, products: Callable[[Any], Any]) -> Callable[[Any], Any]:
        """An input function that asks for what depends on the movies, once these are collected."""
        if not self.collects:
            return products

        def ask(wildcards: Any) -> Any:
            self.collected()
            return products(wildcards)

        return ask

    @cached_property
    def tables(self) -> list[str]:
        """The user's own tables."""
        return [name for name in self.sources if name not in vocabulary.SOURCES]

    @cached_property
    def source_files(self) -> dict[str, dict[str, tuple[str, str]]]:
        """The files that sources read: source -> name -> path, and URL where it must be fetched."""
        files: dict[str, dict[str, tuple[str, str]]] = {}
        if "trailers12k" in self.sources:
            address = self.config["sources"]["trailers12k"]["metadata"]
            files["trailers12k"] = {"metadata": _fetched(address)}
        if "imdb" in self.sources:
            folder = self.config["sources"]["imdb"]["files"].rstrip("/")
            files["imdb"] = {name: _fetched(f"{folder}/{name}") for name in IMDB_FILES}
        return files

    @cached_property
    def remote_files(self) -> dict[str, str]:
        """The files that are fetched: path -> URL."""
        several = [pair for files in self.source_files.values() for pair in files.values()]
        return {path: url for path, url in several if url}

    @property
    def asking(self) -> list[str]:
        """The sources that are asked movie by movie, and so have a ledger."""
        return [name for name in vocabulary.FILLING if name in self.sources]

    @property
    def credits(self) -> list[str]:
        """What the sources want to be shown with the results."""
        published = [vocabulary.PUBLISHED] if self.published_table else []
        return credits_of([*self.sources, *published])

    @property
    def source_modules(self) -> list[str]:
        """The modules that collect movies."""
        own = [name if name in vocabulary.SOURCES else "table" for name in self.sources]
        common = ["movies.curation", "movies.sources.collection", "movies.sources.records"]
        return [*common, *sorted({f"movies.sources.{name}" for name in own})]

    def source_settings(self) -> dict:
        """What a collection of movies depends on, beside the content of files."""
        own = {
            name: value for name, value in self.config["sources"].items() if name in self.sources
        }
        corrections = {}
        if "search" in self.sources:
            from trailers12k.movies.sources.trailer_choices import corrections as read_corrections

            corrections = read_corrections(Path(self.config["sources"]["search"]["choices"]))
        return {
            "sources": self.sources,
            "settings": own,
            "corrections": fingerprint(**corrections),
            # Not what makes no difference to the movies, such as a note.
            "decisions": fingerprint(**curation.effects(self.decisions)),
            "retry_rounds": {
                name: self.retry_round(Path("build/sources") / name, "all") for name in self.asking
            },
        }

    def retry_round(self, folder: str | Path, shard: str) -> int:
        """The number of a shard's round of tries: it grows when a failure is due to be tried again,
        and so makes the shard's job run."""
        return retries.next_retry_round(
            Path(folder),
            shard,
            self.config["downloads"]["retry_pause"],
            self.config["retry"],
        )

    def download_settings(self, stage: str) -> dict:
        """All settings of a stage of downloads."""
        common = {name: value for name, value in self.config["downloads"].items()}
        return common | self.config[stage] | {"retry": self.config["retry"]}

    def rows(self, *fields: str, shard: str | None = None) -> str:
        """A hash of these fields of all movies, or of a shard's: what a rule depends on, no more.

        Computed here, before any job, because that is the one way in which a new movie reruns its
        own shard only, and a dry run knows it.
        """
        movies = self.movies if shard is None else self.shards.get(shard, [])
        return fingerprint(rows=list(map(attrgetter(*fields), movies)))

    def listed(self, mark: str, *fields: str, shard: str | None = None) -> list[Movie]:
        """The movies of a shard, or all, for a job whose `rows` were `mark` when it was planned.

        Raises `UserError` when the table has changed since then.
        """
        if self.rows(*fields, shard=shard) != mark:
            raise UserError("the movie table has changed since this run began; start it again")
        return self.movies if shard is None else self.shards.get(shard, [])

    def code(self, rule: str, *modules: str) -> dict[str, str]:
        """The versions of a rule's code: of the package's modules that make its result, and of its
        script. The first goes into the fingerprints."""
        return {
            "package": code_version(*modules) if modules else "",
            "script": code_version(f"scripts/{rule}"),
        }

    def feature_code(self, store: str) -> dict[str, str]:
        """`code` of the features of one store."""
        return self.code(
            "extract_features", *FEATURES_CODE, *modules_of(self.stores[store]["model"])
        )

    def backbone(self, store: str) -> dict:
        """All settings of one backbone, the common ones filled in, and nobody else's."""
        common = {key: self.config[key] for key in ("weights", "image_frames", "precision")}
        spec = common | self._own(store)
        if spec["input"] != "frames":
            del spec["image_frames"]
        # What determines no result: a change of it makes no job run. Weights count by their file.
        for key in ("batch", "file", "sha256"):
            spec.pop(key, None)
        return spec

    def shown_to(self, wildcards: Any) -> dict[str, str]:
        """What the job of a store and a shard reads. One function and one parameter of that rule,
        which has most of the jobs: Snakemake takes its time over each."""
        store, shard = wildcards.store, wildcards.shard
        if self.of_posters(store):
            files = {"sources": f"build/ledger/posters/{shard}.csv"}
        else:
            files = {
                "sources": f"build/ledger/trailers/{shard}.csv",
                "clips": f"build/clips/{shard}.csv",
                "detected": f"build/ledger/clips/{shard}.csv",
            }
        record = self._of_store(store)["weights"]
        return files | ({"weights": record} if record else {})

    def feature_settings(self, wildcards: Any) -> dict:
        """All that determines the features of a store beside its inputs."""
        return self._of_store(wildcards.store)["settings"]

    def _of_store(self, store: str) -> dict:
        if store not in self._stores_told:
            self._stores_told[store] = {
                "weights": self.weights(store),
                "settings": {
                    "backbone": self.backbone(store),
                    "clips": {} if self.of_posters(store) else self.config["clips"],
                    "seed": self.config["seed"],
                    "code": self.feature_code(store),
                },
            }
        return self._stores_told[store]

    def weights(self, store: str) -> str | list:
        """The record of a store's pretrained weights; none for others."""
        if self.backbone(store)["weights"] != "pretrained":
            return []
        return f"build/weights/{weights_key(self._own(store))}.json"

    @cached_property
    def pretrained(self) -> dict[str, dict]:
        """What tells the pretrained weights in use, by the name of their record."""
        own = [self._own(store) for store in self.stores if self.weights(store)]
        wanted = ("model", "file", "sha256")
        return {weights_key(spec): {k: spec[k] for k in wanted if k in spec} for spec in own}

    def supplied(self, weights: str) -> list[str]:
        """The user's file of weights, when there is one: its job tells what is missing."""
        file = self.pretrained[weights].get("file")
        return [file] if file and Path(file).is_file() else []

    def _own(self, store: str) -> dict:
        """The settings of one backbone's entry; null is as if it were not there."""
        return {key: value for key, value in self.stores[store].items() if value is not None}

    def of_posters(self, store: str) -> bool:
        """Whether a store holds posters."""
        return self.stores[store]["input"] == "posters"

    def streams(self, run: str) -> dict[str, str]:
        """The stores of a run: stream -> store."""
        return {name: self.runs[run][name] for name in STREAMS if name in self.runs[run]}

    @cached_property
    def used(self) -> list[str]:
        """The stores that runs use, in their own order."""
        names = {store for run in self.runs for store in self.streams(run).values()}
        return [store for store in self.stores if store in names]

    @property
    def stages(self) -> list[str]:
        """Every stage that has a ledger, in the order of the flow; a store is a stage."""
        return [] if self.is_published else ["trailers", "posters", "clips", *self.stores]

    def ledgers(self, *stages: str) -> list[str]:
        """The shards' ledgers of some stages.

        Targets ask for these as well as for what is made of them: after a failed job Snakemake
        takes an old product for up to date, unless the missing one between is asked for too.
        """
        return [f"build/ledger/{stage}/{shard}.csv" for stage in stages for shard in self.shards]

    def groups(self, store: str) -> list[str]:
        """The group files of a store's shards."""
        return [f"build/features/{store}/{shard}.zarr/.zgroup" for shard in self.shards]

    def source_ledgers(self) -> list[str]:
        """The ledgers of the sources that are asked movie by movie."""
        return [f"build/ledger/{name}/all.csv" for name in self.asking]

    @property
    def pictures(self) -> dict[str, tuple[str, str]]:
        """The report's own pictures: name -> its caption in captions/, and the chapter, both of
        Snakemake's report."""
        of_movies = {
            "year": ("lengths", "Movies"),
            "genres_of": ("lengths", "Movies"),
            "duration": ("lengths", "Trailers"),
            "shots": ("lengths", "Trailers"),
            "clips": ("lengths", "Trailers"),
        }
        return {
            "funnel": ("funnel", "Movies"),
            "genres": ("genres", "Movies"),
            "cooccurrence": ("genres", "Movies"),
            **({} if self.is_published else of_movies),
            "results": ("results", "Results"),
            "run_genres": ("run_genres", "Results"),
            "precision_recall": ("curves", "Results"),
            "learning": ("curves", "Results"),
            **{f"map_{store}": ("map", "Features") for store in self.stores},
            "costs": ("costs", "Costs"),
        }

    def packed(self, run: str) -> dict[str, list[str]]:
        """The packed stores of a run and their indexes: stream -> files."""
        return {
            stream: [f"build/packed/{store}.npy", f"build/packed/{store}.csv"]
            for stream, store in self.streams(run).items()
        }

    def merged(self) -> list[str]:
        """Of all stores, the manifest, and the group file, which a deleted store lacks."""
        return [f"data/{store}{end}" for store in self.stores for end in (".csv", ".zarr/.zgroup")]

    def between(self) -> list[str]:
        """What is made on the way and asked for by targets for the reason told in `ledgers`."""
        packed = {
            path for run in self.runs for files in self.packed(run).values() for path in files
        }
        painted = [f"build/sample/shots/{shard}.csv" for shard in self.shards]
        return sorted(packed) + (painted if self.is_sample else [])

    @property
    def tables_of_movies(self) -> list[str]:
        """What is told of the movies; of the authors' own features there is no such thing."""
        if self.is_published:
            return []
        return [
            "data/movies.csv",
            "data/metadata.json",
            "data/curation.csv",
            "data/clips.csv",
            "data/ledger.csv",
            "results/failures/all.csv",
        ]

    @property
    def ways(self) -> list[str]:
        """The other ways to predict, see `training.WAYS`."""
        return [name for name in self.config["evaluation"]["also"] if name != "sklearn"]

    def options(self) -> list[str]:
        """The scores of other ways to evaluate, when any is asked for."""
        return ["results/transfer/options.csv"] if self.config["evaluation"]["also"] else []

    @cached_property
    def prediction(self) -> "Prediction | None":
        """The trailer whose genres are asked for, if any."""
        address = self.config["trailer"]
        return Prediction(address, self.best_run(), self) if address else None

    def best_run(self) -> dict[str, object]:
        """The checkpoint to predict with: of the run with the highest mean validation µAP over
        its splits, the split that has the highest. Not of controls, nor of runs with posters.

        `run`, `split`, `uap`, `checkpoint` and its `sha256`. Raises `UserError` when none is there.
        """
        path = Path("results/transfer/val.csv")
        rows = read_csv(path) if path.exists() else []
        found: dict[str, list[dict]] = {}
        for row in rows:
            spec = self.runs.get(row["run"], {"shuffle_labels": True})
            if not spec.get("shuffle_labels") and "poster" not in spec:
                found.setdefault(row["run"], []).append(row)
        if not found:
            raise UserError("predict: nothing is trained here yet; run snakemake first")
        best = max(found.values(), key=lambda rows: fmean(float(row["uap"]) for row in rows))
        row = max(best, key=lambda row: float(row["uap"]))
        checkpoint = Path(f"results/runs/{row['run']}/split{row['split']}/best.pt")
        if not checkpoint.exists():
            raise UserError(f"predict: {checkpoint} is gone; run snakemake first")
        return {
            "run": row["run"],
            "split": int(row["split"]),
            "uap": float(row["uap"]),
            "checkpoint": checkpoint.as_posix(),
            "sha256": sha256_of(checkpoint),
        }

    def trained(self, *products: str) -> list[str]:
        """Files of every run and split, by default the last one that training writes."""
        names = products or ("run.json",)
        return [
            f"results/runs/{run}/split{split}/{name}"
            for run in self.runs
            for split in SPLITS
            for name in names
        ]


class Prediction:
    """What `snakemake predict` needs to know: the trailer, and how its features are made.

    address: the URL or path of a trailer. chosen: of `Plan.best_run`.
    """

    def __init__(self, address: str, chosen: dict[str, object], plan: Plan):
        is_url = urlsplit(address).scheme in ("http", "https")
        if not is_url and not Path(address).is_file():
            raise UserError(f"config: trailer: {address} is no file, and no http(s) URL")
        self.address = address
        self.chosen = chosen
        self.files = [] if is_url else [address]
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", Path(urlsplit(address).path).stem)[:40].strip("-")
        self.name = "-".join(filter(None, [stem, fingerprint(address=address)[:8]]))
        self.streams = {
            stream: {
                "name": store,
                "backbone": plan.backbone(store),
                "code": plan.feature_code(store),
                "weights": plan.weights(store) or None,
            }
            for stream, store in plan.streams(chosen["run"]).items()
        }
        self.weights = [stream["weights"] for stream in self.streams.values()]

    @property
    def products(self) -> list[str]:
        """The table and the JSON."""
        return [f"results/predictions/{self.name}{end}" for end in (".md", ".json")]


def tell_status(plan: Plan) -> None:
    """Print how far the run is, and write results/status.csv; while another run goes on, too."""
    if plan.collects and not Path(COLLECTED).exists():
        print("The movies are not collected yet.")
        return
    downloads = {stage: Path("build") / stage for stage in ("trailers", "posters")}
    folders = {
        stage: {
            shard: downloads.get(stage) or Path("build/ledger") / stage / shard
            for shard in plan.shards
        }
        for stage in plan.stages
    }
    rows = status.gather(plan.shards, folders)
    first_pause = plan.config["downloads"]["retry_pause"]
    due = {stage: retries.due_times(folder, first_pause) for stage, folder in downloads.items()}
    print(status.describe(rows, stop_signal.stop_reason(), due))
    status.write("results/status.csv", rows)


def tell_changes(plan: Plan) -> None:
    """Print how two versions of the dataset differ. Raises `UserError`."""
    # Here, since a dry run need not wait for numpy.
    from trailers12k.versions import comparison as changes

    before, after = (str(plan.config.get(key) or "") for key in ("from", "to"))
    if not before:
        raise UserError("name a version: snakemake diff --config from=TAG to=TAG")
    earlier = changes.Revision(before)
    print(changes.page(earlier, changes.Revision(after) if after else changes.Folder()))


def check_number(movies: list[Movie], named: object, rejecting: str | None = None) -> None:
    """Refuse what cannot be split. rejecting: the file that rejects some. Raises `UserError`."""
    if len(movies) < FEWEST:
        left = f", without those that {rejecting} rejects" if rejecting else ""
        raise UserError(
            f"movies: {named} has {len(movies)} movies{left}; "
            f"allowed: at least {FEWEST}, for three splits"
        )


def _by_shard(movies: list[Movie], number: int) -> dict[str, list[Movie]]:
    shards: dict[str, list[Movie]] = {}
    for movie in movies:
        shards.setdefault(shard_of(movie.mid, number), []).append(movie)
    return dict(sorted(shards.items()))


def _version(path: str) -> tuple:
    """When a file was written, and its size; empty when it is not there."""
    try:
        state = Path(path).stat()
    except FileNotFoundError:
        return ()
    return state.st_mtime_ns, state.st_size


def _fetched(address: str) -> tuple[str, str]:
    """Where a source's file is, and its URL where it is not here yet."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return address, ""
    return f"build/sources/files/{Path(parts.path).name}", address


def closing_words(summary: str, with_ledger: bool = True) -> str:
    """What a finished run says last: the results table, and three lines on where to look next.

    The table without the paper's columns, so that it fits a terminal.
    """
    path = Path(summary)
    lines = path.read_text(encoding="utf-8").split("\n## ")[0].splitlines()
    table = [line.split("|") for line in lines if line.startswith("|")]
    ours = "\n".join("|".join([*cells[:6], *cells[10:]]) for cells in table)
    warning = next(
        (line.split(". ")[0].rstrip(".") + "." for line in lines if line[:2] == "**"), ""
    )
    ledger = "What became of each movie, and why:   data/ledger.csv\n"
    return (
        f"\n{ours}\n\n{warning.replace('*', '')}\n"
        f"Beside the paper's table, explained:  {path}\n"
        f"{ledger if with_ledger else ''}"
        "Your own movies instead of these:     README.md, 'Your own movies'\n"
    )
