"""CITATION.cff of a publication, in version 1.2.0 of the Citation File Format.

Reads and writes nothing. Must not know other formats.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import yaml

from trailers12k.common.vocabulary import PUBLISHED
from trailers12k.publish.facts import Creator, Facts
from trailers12k.publish.texts import licence_ids, words
from trailers12k.publish.texts.original import (
    AUTHORS,
    JOURNAL,
    PAPER_TITLE,
    WORKFLOW,
    WORKFLOW_AUTHORS,
    YEAR,
)

DOI = re.compile(r"10\.\d{4,9}(\.\d+)?/[A-Za-z0-9:/_;\-.()\[\]\\]+")
"""The DOIs that the format knows; others are given as an address."""
PAPER = {
    "type": "article",
    "title": PAPER_TITLE,
    "authors": AUTHORS,
    "journal": JOURNAL,
    "year": YEAR,
}
TRAILERS12K = {
    "type": "data",
    "title": "Trailers12k",
    "authors": AUTHORS,
    "doi": "10.5281/zenodo.5716409",
}


class _Dumper(yaml.SafeDumper):
    """Writes the authors of both references, not a mark at the first."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def text(facts: Facts, on: date) -> str:
    """CITATION.cff. on: the day of the publication."""
    own = facts.statements
    fields = {
        "cff-version": "1.2.0",
        "message": "If you use this dataset, please cite it and the works that it refers to.",
        "type": "dataset",
        "title": words.title(facts),
        "authors": [_author(each) for each in own.creators] or [{"name": words.NOT_STATED}],
        "version": own.version,
        "date-released": on.isoformat(),
        **_licence(own.license),
        **_doi(own.doi),
        "url": own.url,
        "abstract": own.description,
        "keywords": list(dict.fromkeys(own.keywords)),
        "references": [
            PAPER,
            *([TRAILERS12K] if _is_derived(facts) else []),
            _workflow(facts),
        ],
    }
    present = {name: value for name, value in fields.items() if value}
    return yaml.dump(present, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def _workflow(facts: Facts) -> dict[str, Any]:
    """The workflow, in the version that made the dataset."""
    found = facts.versions.get("trailers12k", "")
    version = {"version": found} if found else {}
    own = {"type": "software", "title": WORKFLOW, **version}
    return {**own, "authors": [{"name": WORKFLOW_AUTHORS}]}


def _author(creator: Creator) -> dict[str, str]:
    """A person `Family, Given`, or an entity, of which the format takes no affiliation."""
    orcid = {"orcid": f"https://orcid.org/{creator.orcid}"} if creator.orcid else {}
    family, _, given = (part.strip() for part in creator.name.partition(","))
    if not family or not given:
        return {"name": creator.name, **orcid}
    affiliation = {"affiliation": creator.affiliation} if creator.affiliation else {}
    return {"family-names": family, "given-names": given, **affiliation, **orcid}


def _licence(licence: str) -> dict[str, str]:
    if spdx := licence_ids.known(licence):
        return {"license": spdx}
    return {"license-url": licence_ids.address(licence)} if licence else {}


def _doi(doi: str) -> dict[str, Any]:
    if DOI.fullmatch(doi):
        return {"doi": doi}
    address = f"https://doi.org/{doi}"
    return {"identifiers": [{"type": "url", "value": address}]} if doi else {}


def _is_derived(facts: Facts) -> bool:
    """Whether the movies or the splits are those of Trailers12k."""
    settings: Mapping[str, Any] = facts.settings
    return "trailers12k" in facts.sources or settings.get("splits") == PUBLISHED
