"""What a collection will cost: time, disk and network, stage by stage.

Reads nothing but the sizes of local archives; figures and sizes are arguments. docs/scale.md shows
the formulas' results. Must not know where figures come from, nor how the estimate is printed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from trailers12k.common.local_files import local_path
from trailers12k.common.vocabulary import SPLITS, STREAM_INPUTS
from trailers12k.downloads import published
from trailers12k.evaluation.rows import result_rows
from trailers12k.settings import Settings
from trailers12k.settings.published_files import ARCHIVE
from trailers12k.workflow.feature_plan import FeatureGroup, FeaturePlan

TRAILER_SECONDS = 150.0
CLIPS_PER_SECOND = 151 / 150
"""Of trailers that run two to three minutes."""
SHORT_SIDE = 360
"""Pixels for which decoding is measured; costs grow with their square."""
TRAILER_BYTES = 9.8e6 / TRAILER_SECONDS
"""Per second of a trailer of 360 lines from YouTube."""
POSTER_BYTES = 50e3
SHEET_BYTES = 180e3
"""Of a trailer's contact sheet: 60 shots of 3 kB."""
GUEST_RATE = 300 / 3600
"""Downloads per second that YouTube gives one address as a guest, by its users' experience."""
FLOAT = 4
"""Bytes."""
FEATURES = 1024
"""Of a model that is not among the paper's, per clip."""
AUDIO = STREAM_INPUTS["audio"]
SNIPPET = 30
"""Clips with which an epoch is measured."""

DOWNLOADS, CLIPS, FEATURE_STAGE = "downloads", "shots and clips", "features"
TRAINING, TABLES = "training", "tables and report"


@dataclass(frozen=True)
class Collection:
    """Sizes on which costs depend.

    movies: their number. youtube, web: how many trailers come from YouTube, and from other servers;
    the rest are files of this machine. seconds, clips: of a trailer, on average. measured: the
    number of this folder's trailers from which these come; 0 where they are assumed. posters: how
    many posters come from servers; None for one of each movie.
    """

    movies: int
    youtube: int
    web: int
    seconds: float = TRAILER_SECONDS
    clips: float = TRAILER_SECONDS * CLIPS_PER_SECOND
    measured: int = 0
    posters: int | None = None


@dataclass(frozen=True)
class StageCosts:
    """cpu: seconds of all jobs together. wall: seconds. disk, network: bytes."""

    stage: str
    cpu: float
    wall: float
    disk: float = 0
    network: float = 0


@dataclass(frozen=True)
class Estimate:
    """The stages in their order, the seconds of the whole run, and models without a figure.

    stores: store -> CPU seconds of its features.
    """

    stages: tuple[StageCosts, ...]
    wall: float
    unknown: tuple[str, ...] = ()
    stores: Mapping[str, float] = field(default_factory=dict)

    @property
    def bottleneck(self) -> StageCosts:
        """The stage that takes longest."""
        return max(self.stages, key=lambda stage: stage.wall)


def backbone_name(settings: Settings, store: str) -> str:
    """The name of the figure of a store's backbone."""
    backbone = settings.backbone(store)
    if backbone.input == STREAM_INPUTS["audio"]:
        context = "own context" if backbone.context is None else f"{backbone.context:g} s around"
        return f"{backbone.model} {context}"
    return f"{backbone.model} {backbone.size or 'own size'} {backbone.precision}"


def _features_of(model: str) -> int:
    """The length of a vector of a model that is not among the paper's, as far as it is known."""
    family, _, name = model.partition("/")
    if family == "logmel" and name.isdecimal():
        return 2 * int(name)
    return 1 if family == "silero" else FEATURES


def trailer_bytes(settings: Settings, collection: Collection) -> float:
    """The size that a trailer's file is assumed to have."""
    return collection.seconds * TRAILER_BYTES * _pixels(settings)


def _pixels(settings: Settings) -> float:
    side = SHORT_SIDE if settings.is_sample else settings.trailers.short_side
    return (side / SHORT_SIDE) ** 2


def estimate(
    settings: Settings,
    collection: Collection,
    figures: Mapping[str, float],
    cores: int,
    per_movie: Mapping[str, float] | None = None,
) -> Estimate:
    """What the collection will cost on CPUs.

    figures: CPU seconds, as `features.speed.measure` names them, and `download` (of a trailer),
    `epoch` (of a movie and stream), `linear` and `knn` (of a movie and feature), `job` (what any
    job adds), `torch job` (one that loads torch), `map` (of a movie and store), `store` (its merge
    and packing), `report` (what is left).
    per_movie: stage -> CPU seconds of a movie as measured in finished shards, in place of figures.
    """
    costs = _Costs(settings, collection, figures, cores, per_movie or {})
    if settings.is_published:
        stages = [costs.archives(), costs.training(), costs.tables()]
        return Estimate(tuple(stages), sum(stage.wall for stage in stages))
    stages = [costs.downloads(), costs.shots(), costs.features(), costs.training(), costs.tables()]
    computing = stages[1].wall + stages[2].wall
    # Shards are independent: one is computed while the next is downloaded.
    first = [stages[0].wall, computing]
    wall = max(first) if costs.shards > 1 else sum(first)
    wall += stages[3].wall + stages[4].wall
    return Estimate(tuple(stages), wall, tuple(costs.unknown), costs.stores)


class _Costs:
    """The formulas of one collection."""

    def __init__(
        self,
        settings: Settings,
        collection: Collection,
        figures: Mapping[str, float],
        cores: int,
        per_movie: Mapping[str, float],
    ):
        self._settings, self._collection, self._figures = settings, collection, figures
        self._cores, self._per_movie = cores, per_movie
        self.shards = min(settings.shards, collection.movies)
        self.unknown: list[str] = []
        """Models without a figure."""
        self.stores: dict[str, float] = {}
        """Store -> CPU seconds of its features."""

    def downloads(self) -> StageCosts:
        """Trailers and posters, and their verification."""
        settings, size = self._settings, self._collection
        trailers = (size.youtube + size.web) * trailer_bytes(settings, size)
        posters = (size.movies if size.posters is None else size.posters) * POSTER_BYTES
        rate = published.MEGABITS * 1e6 / 8
        pause = sum(settings.downloads.pause.get("youtube.com", (0, 0))) / 2
        each = trailer_bytes(settings, size) / rate
        network = size.youtube * max(pause + each, 1 / GUEST_RATE) + size.web * each
        verify = size.seconds * self._pixels * self._figures["verify"]
        cpu = self._cpu("trailers", self._figures["download"] + verify)
        stage = self._stage(DOWNLOADS, cpu, 2 * self.shards)
        return StageCosts(
            DOWNLOADS,
            stage.cpu,
            max(network, stage.wall),
            disk=trailers + posters,
            network=trailers + posters,
        )

    def shots(self) -> StageCosts:
        """Shot detection and contact sheets, and the measures of sound."""
        size = self._collection
        each = size.seconds * self._pixels * self._figures[f"shots {self._settings.clips.detector}"]
        cpu = self._cpu("clips", each + size.seconds * self._figures["measure"])
        disk = size.movies * SHEET_BYTES
        return self._stage(CLIPS, cpu, self.shards, disk=disk, parallel=self.shards)

    def features(self) -> StageCosts:
        """All stores, those of posters too."""
        settings, size = self._settings, self._collection
        disk = 0.0
        groups = FeaturePlan(settings).groups
        for store, group in ((name, each) for each in groups for name in each.stores):
            forward = self._forward(store)
            if group.of_posters:
                self.stores[store] = self._cpu(store, forward)
                continue
            whole = settings.backbone(store)
            passes = (whole.image_frames or settings.clips.fpc) if whole.input == "frames" else 1
            each = self._decode(store, group) + size.clips * passes * forward
            self.stores[store] = self._cpu(store, each)
            numbers = self._numbers(store)
            # A store in build/ and data/ is one file by hard links; then it is packed for training.
            disk += size.movies * size.clips * numbers * FLOAT * (1 / published.PACKED + 1)
        jobs = self.shards * len(groups)
        # What finished shards took includes the start of their jobs.
        cpu = sum(self.stores.values())
        starts = self.shards * sum(group.stores[0] not in self._per_movie for group in groups)
        # Where cores outnumber jobs, a job uses several.
        return self._stage(FEATURE_STAGE, cpu, jobs, starts, disk=disk, parallel=self._cores)

    def _decode(self, store: str, group: FeatureGroup) -> float:
        """A store's share of decoding one trailer: those of a group share one pass over the frames,
        and one over the sound."""
        inputs, size = self._settings.backbones, self._collection
        of_sound = inputs[store].input == AUDIO
        sharing = sum((inputs[each].input == AUDIO) == of_sound for each in group.stores)
        if of_sound:
            return size.seconds * self._figures["listen"] / sharing
        return size.clips * self._figures["decode"] * self._pixels / sharing

    def training(self) -> StageCosts:
        """All runs on three splits, as if none ended early."""
        settings, movies = self._settings, self._collection.movies
        streams = sum(len(run.streams) for run in settings.trained_runs.values())
        training = settings.training
        # A run without training is one job of seconds.
        trained = len(settings.trained_runs)
        jobs = trained * len(SPLITS) + len(settings.runs) - trained
        each = self._figures["epoch"] * min(1.0, training.snippet / SNIPPET)
        cpu = each * movies * streams * len(SPLITS) * training.epochs * self._used_share
        return self._stage(TRAINING, cpu + self._baselines(), jobs, jobs)

    def _baselines(self) -> float:
        """CPU seconds of the baselines of all sets of stores."""
        rows = result_rows(
            self._settings.for_results()["runs"], self._settings.evaluation.baselines
        )
        return sum(
            self._figures[row.classifier] * self._collection.movies * self._numbers(store)
            for row in rows
            if row.is_baseline
            for store in row.streams.values()
        )

    def _numbers(self, store: str) -> int:
        """The length of a store's vectors."""
        return published.FEATURES.get(store) or _features_of(self._settings.backbones[store].model)

    def tables(self) -> StageCosts:
        """Splits, merges, packing, scores, maps and the report."""
        stores = len(self._settings.backbones)
        each = self._figures["store"] + self._collection.movies * self._figures["map"]
        cpu = self._figures["report"] + stores * each
        return self._stage(TABLES, cpu, 20 + 3 * stores, parallel=2)

    def archives(self) -> StageCosts:
        """The published archives, unpacked and packed for training."""
        used = {store for run in self._settings.runs.values() for store in run.streams.values()}
        inputs = {store: self._settings.backbones[store].input for store in used}
        files = self._settings.published.files.rstrip("/")
        addresses = {store: f"{files}/{store}{ARCHIVE}" for store in used}
        sizes = published.sizes(addresses, inputs, self._collection.movies).values()
        whole = sum(sizes)
        disk = whole * (1 + published.PACKED)
        if local_path(files) is not None:
            return StageCosts(DOWNLOADS, len(used) * self._figures["torch job"], 0, disk, 0)
        # One archive exists at a time beside its store, unless all are kept.
        archives = whole if self._settings.published.keep_archives else max(sizes, default=0)
        wall = whole * 8 / (published.MEGABITS * 1e6)
        cpu = len(used) * self._figures["torch job"]
        return StageCosts(DOWNLOADS, cpu, wall, archives + disk, whole)

    @property
    def _pixels(self) -> float:
        """Pixels of a frame relative to those for which decoding is measured."""
        return _pixels(self._settings)

    @property
    def _used_share(self) -> float:
        """Share of movies that an epoch sees: those of training and validation."""
        splits = self._settings.splits
        return 0.8 if isinstance(splits, str) else splits.training + splits.validation

    def _forward(self, store: str) -> float:
        """CPU seconds of one pass; for a model without a figure, the slowest one's of its input."""
        name, figures = backbone_name(self._settings, store), self._figures
        if name in figures:
            return figures[name]
        self.unknown.append(name)
        kinds = {"clips": "slowest clip", AUDIO: "slowest sound"}
        return figures[kinds.get(self._settings.backbones[store].input, "slowest image")]

    def _cpu(self, stage: str, each: float) -> float:
        """CPU seconds of all movies; `each` is one's, unless finished shards give it."""
        return self._collection.movies * self._per_movie.get(stage, each)

    def _stage(
        self,
        name: str,
        cpu: float,
        jobs: int,
        torch_jobs: int = 0,
        disk: float = 0,
        parallel: int | None = None,
    ) -> StageCosts:
        """parallel: how many of the jobs run at a time; None for all."""
        cpu += jobs * self._figures["job"] + torch_jobs * self._figures["torch job"]
        return StageCosts(name, cpu, cpu / max(1, min(self._cores, parallel or jobs)), disk)
