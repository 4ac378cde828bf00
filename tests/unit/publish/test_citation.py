"""CITATION.cff names authors, licence and sources. test_croissant.py has hostile texts."""

from dataclasses import replace
from datetime import date

import yaml

from trailers12k.publish.facts import Creator, Statements
from trailers12k.publish.texts import citation

from . import examples

ON = date(2026, 11, 27)


def cited(**changes):
    """The content for statements with changes."""
    own = replace(examples.STATED, **changes)
    return yaml.safe_load(citation.text(examples.facts(statements=own), ON))


def test_persons_have_two_names_and_organisations_one():
    ada = Creator("Lovelace, Ada", "Somewhere", "0000-0002-1825-0097")
    group = Creator("A & B Group", "Elsewhere")
    assert cited(creators=(ada, group))["authors"] == [
        {
            "family-names": "Lovelace",
            "given-names": "Ada",
            "affiliation": "Somewhere",
            "orcid": "https://orcid.org/0000-0002-1825-0097",
        },
        {"name": "A & B Group"},
    ]
    assert cited(creators=())["authors"] == [{"name": "not stated"}]


def test_a_licence_is_an_identifier_or_an_address():
    assert cited(license="cc-by-4.0")["license"] == "CC-BY-4.0"
    # The format does not know all identifiers.
    assert cited(license="NEW-1.0")["license-url"] == "https://spdx.org/licenses/NEW-1.0"
    assert cited(license="https://a.org/b")["license-url"] == "https://a.org/b"
    assert not {"license", "license-url"} & cited(license="").keys()


def test_an_unusual_doi_is_an_address():
    assert cited(doi="10.5281/zenodo.1")["doi"] == "10.5281/zenodo.1"
    assert cited(doi="10.1/a+b")["identifiers"] == [
        {"type": "url", "value": "https://doi.org/10.1/a+b"}
    ]


def test_trailers12k_is_a_reference_where_its_movies_or_splits_are_used():
    def references(**changes):
        found = yaml.safe_load(citation.text(examples.facts(**changes), ON))
        return [each["type"] for each in found["references"]]

    assert references(sources=["imdb"], settings={}) == ["article", "software"]
    assert references(sources=["trailers12k"]) == ["article", "data", "software"]
    derived = {"sources": ["imdb"], "settings": {"splits": "published"}}
    assert references(**derived) == ["article", "data", "software"]


def test_what_nobody_stated_is_left_out():
    found = yaml.safe_load(citation.text(examples.facts(statements=Statements()), ON))
    assert found["title"] and found["date-released"] == "2026-11-27"
    assert not {"url", "abstract", "doi", "license"} & found.keys()
