"""The typed configuration as a whole: `Settings`, and its plain form for the params of rules.

Reads and writes nothing. Must not know how a stage uses its settings.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag

from trailers12k.common.sound_models import fixed_weights
from trailers12k.common.vocabulary import FILLING, PUBLISHED, REQUESTS, SAMPLE
from trailers12k.settings import paper
from trailers12k.settings.fields import (
    LABELS,
    CsvPath,
    Device,
    ImageFrames,
    MovieSources,
    Number,
    PathText,
    Precision,
    RunName,
    Section,
    StoreName,
    Weights,
    without_nulls,
)
from trailers12k.settings.publish_sections import PublishSettings
from trailers12k.settings.sections import (
    BackboneSettings,
    ClipSettings,
    DownloadSettings,
    EvaluationSettings,
    FeatureSettings,
    PosterSettings,
    ReportSettings,
    RunSettings,
    SplitSettings,
    TrailerSettings,
    TrainingSettings,
)
from trailers12k.settings.source_sections import PublishedSettings, SampleSettings, SourceSettings
from trailers12k.settings.zero_shot import ZeroShotSettings

Backbones = Annotated[
    Mapping[StoreName, BackboneSettings],
    BeforeValidator(
        without_nulls, json_schema_input_type=Mapping[StoreName, BackboneSettings | None]
    ),
]
Runs = Annotated[
    Mapping[RunName, RunSettings],
    Field(min_length=1),
    BeforeValidator(
        without_nulls,
        json_schema_input_type=Annotated[Mapping[RunName, RunSettings | None], Field(min_length=1)],
    ),
]


def _form_of_splits(splits: object) -> str:
    return LABELS[0] if isinstance(splits, Mapping | SplitSettings) else LABELS[1]


Splits = Annotated[
    Annotated[SplitSettings, Tag(LABELS[0])]
    | Annotated[Literal["published", "by_year"], Tag(LABELS[1])],
    Discriminator(_form_of_splits),
]


def _paper_backbones() -> dict[str, BackboneSettings]:
    return {name: BackboneSettings.model_validate(keys) for name, keys in paper.STORES.items()}


def _paper_runs() -> dict[str, RunSettings]:
    return {name: RunSettings.model_validate(keys) for name, keys in paper.RUNS.items()}


class Settings(Section):
    """The configuration of the Trailers12k workflow. Defaults are the paper's values."""

    seed: int = Field(
        default=2022,
        ge=0,
        description="Seed of all random choices: sample, random weights, splits, training.",
    )
    movies: MovieSources = Field(
        default=("trailers12k",),
        description="One source of movies, or a list in which later sources fill the gaps of "
        "earlier ones: `trailers12k`, `imdb`, `tmdb`, `search`, or the path of a CSV table; "
        "`sample` (the built-in sample) and `published` (the authors' features) only alone.",
    )
    curation: CsvPath | None = Field(
        default="curation.csv",
        description="Path of the decisions about movies that the review page exports, relative to "
        "the movie table; null: none are read. The file may be absent.",
    )
    sample: SampleSettings = Field(
        default_factory=SampleSettings, description="The built-in sample."
    )
    sources: SourceSettings = Field(
        default_factory=SourceSettings, description="Settings of the sources named in `movies`."
    )
    published: PublishedSettings = Field(
        default_factory=PublishedSettings,
        description="The authors' record, or a publication of this workflow.",
    )
    shards: int = Field(
        default=128,
        ge=1,
        le=1000,
        description="Number of shards, one job each per heavy stage; about one per 100 movies. A "
        "movie's shard depends on its mid and this number only, so keep it for a collection.",
    )
    downloads: DownloadSettings = Field(
        default_factory=DownloadSettings, description="Common to trailers and posters."
    )
    max_failure_rate: Number = Field(
        default=0.5,
        ge=0,
        le=1,
        description="Largest tolerated share of failed movies in a stage. Above it the run fails, "
        "after all other jobs; 1: never.",
    )
    trailers: TrailerSettings = Field(
        default_factory=TrailerSettings, description="Downloads of trailers."
    )
    posters: PosterSettings = Field(
        default_factory=PosterSettings, description="Downloads of posters."
    )
    clips: ClipSettings = Field(default_factory=ClipSettings, description="Shots and clips.")
    weights: Weights = Field(
        default="pretrained",
        description="`pretrained`: published weights; `random`: untrained weights drawn from the "
        "seed, which results are marked with.",
    )
    weights_from: PathText | None = Field(
        default=None,
        description="Folder or mirror URL of pretrained weights: torchvision's files by their own "
        "names, timm's as HUB_ID/FILE; null: their publishers.",
    )
    device: Device = Field(
        default="auto",
        description="Device of all networks: `cpu`, `cuda`, `cuda:N`, or `auto` (a GPU that no "
        "other job on this machine uses, else the CPU).",
    )
    image_frames: ImageFrames = Field(
        default=24,
        description="Number of evenly spaced frames of a clip that frame-level backbones average; "
        "at most `clips.fpc`.",
    )
    precision: Precision = Field(
        default="auto",
        description="`fp32`, `bf16`, or `auto`: bf16 where the device has it in hardware and the "
        "model's features stay close to fp32, else fp32.",
    )
    batch_across: bool = Field(
        default=False,
        description="Whether batches on a GPU are filled across trailers, which helps where "
        "trailers are short. Features then depend, by rounding, on which trailers share a batch; "
        "stores record it.",
    )
    backbones: Backbones = Field(
        default_factory=_paper_backbones,
        description="Feature stores: name -> model. The section replaces the paper's seven stores; "
        "a store that is null is dropped.",
    )
    features: FeatureSettings = Field(
        default_factory=FeatureSettings, description="Jobs that compute features."
    )
    splits: Splits = Field(
        default_factory=SplitSettings,
        description="Shares and assignment of the three splits; `published`: the authors' columns, "
        "for movies that have one; or `by_year`: training on the oldest movies (about 70 %), test "
        "on the newest (20 %), whole years each. The three splits are then the same.",
    )
    training: TrainingSettings = Field(
        default_factory=TrainingSettings, description="Training of DIViTA."
    )
    evaluation: EvaluationSettings = Field(
        default_factory=EvaluationSettings, description="Evaluation beyond the paper's."
    )
    zero_shot: ZeroShotSettings = Field(
        default_factory=ZeroShotSettings,
        description="Texts by which runs with `zero_shot: true` estimate genres without training.",
    )
    report: ReportSettings = Field(default_factory=ReportSettings, description="The report page.")
    publish: PublishSettings = Field(
        default_factory=PublishSettings,
        description="What `trailers12k publish` says of the dataset.",
    )
    runs: Runs = Field(
        default_factory=_paper_runs,
        description="Rows of the results table: name -> stores. The section replaces the paper's "
        "eight runs; a run that is null is dropped.",
    )
    retry: str = Field(
        default="",
        description="Failures to retry now, regardless of pauses and including final ones: `all`, "
        "or reasons joined by commas. `none`: no failure is retried; empty: those whose pause has "
        "passed.",
    )
    trailer: PathText | None = Field(
        default=None, description="Path or URL of the trailer whose genres `predict` estimates."
    )

    @property
    def is_sample(self) -> bool:
        """Whether the movies are the built-in sample."""
        return self.movies == (SAMPLE,)

    @property
    def is_published(self) -> bool:
        """Whether the features are the authors' own, so that no stage before them runs."""
        return self.movies == (PUBLISHED,)

    @property
    def collection(self) -> Literal["sample", "published", "own"]:
        """The kind of collection that a folder with these settings holds."""
        if self.is_sample:
            return "sample"
        return "published" if self.is_published else "own"

    @property
    def compares_with_paper(self) -> bool:
        """Whether the results stand beside the paper's: by default only for the paper's movies.

        Sources that only complete movies add none.
        """
        if self.evaluation.paper is not None:
            return self.evaluation.paper
        return {*self.movies} - {*FILLING} <= {PUBLISHED, "trailers12k"}

    @property
    def trained_runs(self) -> dict[str, RunSettings]:
        """The runs that train DIViTA."""
        return {name: run for name, run in self.runs.items() if not run.zero_shot}

    def backbone(self, store: str) -> BackboneSettings:
        """The settings of a store, with the common weights, frames and precision filled in.

        `image_frames` stays None where the input is not frames. Raises KeyError.
        """
        own = self.backbones[store]
        of_frames, of_sound = own.input == "frames", own.input == "audio"
        return own.model_copy(
            update={
                "weights": fixed_weights(own.model) or own.weights or self.weights,
                "precision": None if of_sound else own.precision or self.precision,
                "image_frames": (own.image_frames or self.image_frames) if of_frames else None,
            }
        )

    def for_results(self) -> dict[str, Any]:
        """The plain settings without `REQUESTS` and `publish`, which determine no result.

        Keys of stores and runs that are null are left out; they mean the same as absent ones.
        """
        settings = {
            key: value for key, value in plain(self).items() if key not in (*REQUESTS, "publish")
        }
        for section in ("backbones", "runs"):
            settings[section] = {
                name: {
                    key: value
                    for key, value in entry.items()
                    # Left out, so that runs that earlier versions trained are not trained again.
                    if value is not None and (key, value) != ("zero_shot", False)
                }
                for name, entry in settings[section].items()
            }
        return settings


def plain(model: BaseModel) -> dict[str, Any]:
    """A model as a dict that holds only str, int, float, bool, None, list and dict.

    Snakemake compares such params; it ignores every other object.
    """
    return model.model_dump(mode="json")
