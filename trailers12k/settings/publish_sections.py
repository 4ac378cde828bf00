"""Section `publish` of the configuration: what a publication says and no run knows.

Reads and writes nothing. Must not know how a dataset is published.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from trailers12k.settings.fields import (
    Contact,
    CreatorName,
    Doi,
    License,
    Orcid,
    PathText,
    ReleaseVersion,
    Section,
    Url,
    Words,
)


class CreatorSettings(Section):
    """A person, named `Family, Given`, or an organisation that made the dataset."""

    affiliation: PathText | None = Field(default=None, description="Where the person works.")
    orcid: Orcid | None = Field(default=None, description="The person's ORCID iD.")


class PublishSettings(Section):
    """What `trailers12k publish` says of the dataset and cannot know from the run.

    No result depends on it. What is null is named when the dataset is published.
    """

    title: PathText | None = Field(default=None, description="Title of the dataset.")
    description: Words | None = Field(
        default=None, description="What the dataset is, in a paragraph."
    )
    version: ReleaseVersion = Field(default="1.0.0", description="Version of the dataset.")
    creators: Mapping[CreatorName, CreatorSettings] = Field(
        default_factory=dict,
        max_length=100,
        description="Who made the dataset: the name of a person as `Family, Given`, or of an "
        "organisation -> what is known of them.",
    )
    license: License | None = Field(
        default=None,
        description="Licence of the dataset: an SPDX identifier such as CC-BY-NC-SA-4.0, or a URL. "
        "Data carries the terms of its sources: a collection of Trailers12k's movies is "
        "non-commercial.",
    )
    url: Url | None = Field(default=None, description="Web page of the dataset.")
    doi: Doi | None = Field(default=None, description="DOI of the dataset, once it has one.")
    contact: Contact | None = Field(
        default=None,
        description="E-mail address or URL to which owners of trailers write to have one removed.",
    )
    keywords: Annotated[tuple[PathText, ...], Field(strict=False, max_length=50)] = Field(
        default=("movie trailers", "genre classification", "video features"),
        description="Keywords of the record.",
    )
    use_cases: Words | None = Field(
        default=None, description="What the dataset is meant for, and what it is not meant for."
    )
    limitations: Words | None = Field(
        default=None, description="Known limits, beside those that the run has counted."
    )
    social_impact: Words | None = Field(
        default=None, description="Benefits and harms that its use may have."
    )
    personal_data: Words | None = Field(
        default=None, description="Which personal or sensitive information it holds."
    )
    annotators: Words | None = Field(
        default=None,
        description="Who checked the trailers, without names: number, training, languages.",
    )
    maintenance: Words | None = Field(
        default=None, description="Who maintains the dataset, and how errors are corrected."
    )
    frames: bool = Field(
        default=False,
        description="Whether the publication has a collage of single frames of trailers. Consider "
        "their owners' rights.",
    )
    frame_side: int = Field(
        default=128,
        ge=16,
        le=256,
        description="Longest side in pixels of a frame in the collage.",
    )
