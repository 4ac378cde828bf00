"""What the Snakefile needs to know before any job: movies per shard, stores per run, code versions.

Reads the configuration and the movie table. Must not import torch, nor anything slow: a dry run
waits for it.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from trailers12k import config as configuration
from trailers12k import sources
from trailers12k.backbones.names import modules_of
from trailers12k.fingerprint import code_version, fingerprint
from trailers12k.jobs import UserError
from trailers12k.movies import Movie, shard_of

STREAMS = ("image", "video")
SPLITS = ("0", "1", "2")
FEWEST = 10
"""Movies; splits are dealt in tenths."""
SAMPLE_CODE = ("sources.sample", "sources.sample_looks")
CLIPS_CODE = ("video", "clips")
FEATURES_CODE = ("video", "clips", "features")


class Plan:
    """The checked configuration and what follows from it. Raises `UserError`, one line."""

    def __init__(self, config: Mapping):
        self.config = configuration.check(config)
        self.movies: list[Movie] = sources.load(self.config)
        if len(self.movies) < FEWEST:
            raise UserError(
                f"movies: {self.config['movies']} has {len(self.movies)} movies; "
                f"allowed: at least {FEWEST}, for three splits"
            )
        self.stores: dict[str, dict] = self.config["backbones"]
        self.runs: dict[str, dict] = self.config["runs"]

    @property
    def is_sample(self) -> bool:
        """Whether the movies are the built-in sample's."""
        return self.config["movies"] == configuration.SAMPLE

    @cached_property
    def shards(self) -> dict[str, list[Movie]]:
        """The movies of each shard that has any, by the shard's name."""
        shards: dict[str, list[Movie]] = {}
        for movie in self.movies:
            shards.setdefault(shard_of(movie.mid, self.config["shards"]), []).append(movie)
        return dict(sorted(shards.items()))

    def rows(self, *fields: str, shard: str | None = None) -> str:
        """A hash of these fields of all movies, or of a shard's: what a rule depends on, no more.

        Computed here, before any job, because that is the one way in which a new movie reruns its
        own shard only, and a dry run knows it.
        """
        movies = self.movies if shard is None else self.shards[shard]
        return fingerprint(rows=[[getattr(movie, field) for field in fields] for movie in movies])

    def listed(self, mark: str, *fields: str, shard: str | None = None) -> list[Movie]:
        """The movies of a shard, or all, for a job whose `rows` were `mark` when it was planned.

        Raises `UserError` when the table has changed since then.
        """
        if self.rows(*fields, shard=shard) != mark:
            raise UserError("the movie table has changed since this run began; start it again")
        return self.movies if shard is None else self.shards[shard]

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
        own = {key: value for key, value in self.stores[store].items() if value is not None}
        spec = common | own
        if spec["input"] != "frames":
            del spec["image_frames"]
        return spec

    def of_posters(self, store: str) -> bool:
        """Whether a store holds posters."""
        return self.stores[store]["input"] == "posters"

    def streams(self, run: str) -> dict[str, str]:
        """The stores of a run: stream -> store."""
        return {name: self.runs[run][name] for name in STREAMS if name in self.runs[run]}

    @property
    def stages(self) -> list[str]:
        """Every stage that has a ledger, in the order of the flow; a store is a stage."""
        return ["trailers", "posters", "clips", *self.stores]

    def ledgers(self, *stages: str) -> list[str]:
        """The shards' ledgers of some stages.

        Targets ask for these as well as for what is made of them: after a failed job Snakemake
        takes an old product for up to date, unless the missing one between is asked for too.
        """
        return [f"build/ledger/{stage}/{shard}.csv" for stage in stages for shard in self.shards]

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

    def trained(self, *products: str) -> list[str]:
        """Files of every run and split, by default the last one that training writes."""
        names = products or ("run.json",)
        return [
            f"results/runs/{run}/split{split}/{name}"
            for run in self.runs
            for split in SPLITS
            for name in names
        ]


def closing_words(summary: str) -> str:
    """What a finished run says last: the results table, and three lines on where to look next.

    The table without the paper's columns, so that it fits a terminal.
    """
    path = Path(summary)
    lines = path.read_text(encoding="utf-8").splitlines()
    table = [line.split("|") for line in lines if line.startswith("|")]
    ours = "\n".join("|".join([*cells[:6], *cells[-2:]]) for cells in table)
    warning = next((line.split(". ")[0] + "." for line in lines if line.startswith("**")), "")
    return (
        f"\n{ours}\n\n{warning.replace('*', '')}\n"
        f"Beside the paper's table, explained:  {path}\n"
        "What became of each movie, and why:   data/ledger.csv\n"
        "Your own movies instead of these:     README.md, 'Your own movies'\n"
    )
