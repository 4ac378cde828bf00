"""The section `publish`, which decides no result."""

import pytest

from trailers12k.common.errors import UserError
from trailers12k.publish.facts import NEEDED, Creator, Statements
from trailers12k.publish.texts.document import safe_address
from trailers12k.settings import load
from trailers12k.settings.publish_sections import CreatorSettings, PublishSettings


def test_what_the_authors_say_decides_no_result():
    described = load({"movies": "sample", "publish": {"title": "Trailers of 2026"}})
    assert described.for_results() == load({"movies": "sample"}).for_results()


@pytest.mark.parametrize(
    "publish",
    [
        {"license": "do what you want"},
        {"doi": "https://doi.org/10.5281/zenodo.1"},
        {"creators": {"Doe, Jane": {"orcid": "1234"}}},
        {"creators": {"": {}}},
        {"title": "two\nlines"},
        {"frame_side": 1024},
        {"contact": "nobody"},
        {"contact": "jane@example"},
        {"contact": "javascript:alert(1)"},
        {"contact": "https://example.org/<b>"},
        {"frames": "yes"},
    ],
)
def test_faults_are_refused_by_their_keys(publish):
    with pytest.raises(UserError, match="publish"):
        load({"movies": "sample", "publish": publish})


@pytest.mark.parametrize(
    "contact",
    [
        "jane@example.org",
        "mailto:a.b-c+d@mail.example.org",
        "https://example.org/ask?of=[1]&x=~y#z",
    ],
)
def test_a_contact_is_an_address_that_texts_link_to(contact):
    settings = load({"movies": "sample", "publish": {"contact": contact}})
    assert settings.publish.contact == contact
    assert safe_address(contact).removeprefix("mailto:") == contact.removeprefix("mailto:")


def test_the_statements_have_the_keys_of_the_section():
    assert [*Statements.__dataclass_fields__] == [*PublishSettings.model_fields]
    assert [*Creator.__dataclass_fields__] == ["name", *CreatorSettings.model_fields]
    assert {*NEEDED} < {*PublishSettings.model_fields}
    assert Statements(title="Trailers of 2026").missing == [*NEEDED[1:]]
