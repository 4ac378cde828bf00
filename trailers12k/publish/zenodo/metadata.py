"""What a record on Zenodo says of a publication, and the numbers in its DOIs.

Reads and writes nothing. Must not know how a record is uploaded. Sources: the fields are those of
developers.zenodo.org ("Deposit metadata"); that an unknown licence ends in an error 500, and that
licences are looked up in lower case, is in the server's own code (zenodo/zenodo-rdm,
site/zenodo_rdm/legacy).
"""

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from trailers12k.common.errors import UserError
from trailers12k.publish.facts import Statements
from trailers12k.publish.texts.document import safe_address

NEEDED = ("title", "description", "creators", "license")
"""The keys of `publish` without which a record cannot be published."""
MARKER = "Upload by trailers12k publish, number "
"""Before a deposit's number in its notes, by which a deposit is found after a kill."""
DOI = re.compile(r"10\.(5281|5072)/zenodo\.(\d{1,18})", re.ASCII | re.IGNORECASE)
"""Zenodo's DOIs, and those of its sandbox, which end with the number of a record."""
CREATIVE_COMMONS = re.compile(
    r"https?://creativecommons\.org/(?:licenses/([a-z-]+)/([\d.]+)|publicdomain/(zero)/([\d.]+))"
    r"(?:/(?:deed(?:\.\w+)?|legalcode)?)?",
    re.ASCII,
)
SAME_LICENCE = {
    **{"cc-zero": "cc0-1.0", "cc-by": "cc-by-1.0", "cc-by-sa": "cc-by-sa-1.0"},
    **{"odc-by": "odc-by-1.0", "odc-odbl": "odbl-1.0", "odc-pddl": "pddl-1.0"},
    **{"mit-license": "mit", "apache2.0": "apache-2.0"},
}
"""Names of licences in Zenodo's answers -> those of SPDX in lower case."""


def check(statements: Statements) -> None:
    """Raise `UserError` where a key that Zenodo needs says nothing, or a licence is unknown."""
    missing = [name for name in NEEDED if not getattr(statements, name)]
    if missing:
        names = ", ".join(missing)
        raise UserError(f"a record on Zenodo needs {names} below publish: in config.yaml; add them")
    licence(statements.license)


def licence(text: str) -> str:
    """Zenodo's identifier of a licence. Raises `UserError` for a URL that is none of Creative
    Commons: without an identifier, Zenodo would choose a licence itself."""
    if not text.startswith(("http://", "https://")):
        return text.lower()
    if not (found := CREATIVE_COMMONS.fullmatch(text)):
        raise UserError(
            f"publish.license is {text:.200}, and Zenodo takes identifiers only; name one, such as "
            "CC-BY-NC-SA-4.0, or other-open, other-nc or other-closed"
        )
    kind, version, zero, zero_version = found.groups()
    return f"cc0-{zero_version}" if zero else f"cc-{kind}-{version}"


def is_same_licence(one: str, other: str) -> bool:
    """Whether two of Zenodo's identifiers name the same licence."""
    one, other = one.lower(), other.lower()
    return SAME_LICENCE.get(one, one) == SAME_LICENCE.get(other, other)


def number_of(doi: str, is_sandbox: bool) -> int | None:
    """The number of the record that a DOI names; None for a DOI of another site."""
    found = DOI.fullmatch(doi)
    if found and (found[1] == "5072") == is_sandbox:
        return int(found[2])
    return None


def marker_in(notes: str) -> str:
    """The number that `metadata` wrote into notes; empty without one."""
    found = re.search(re.escape(MARKER) + "([0-9a-f]{16})", notes)
    return found[1] if found else ""


def metadata(
    statements: Statements,
    credits: Sequence[str],
    marker: str,
    part: tuple[int, int] = (1, 1),
    related: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """The metadata of a deposit. credits: notices that sources demand. part: number of the record
    and of all. related: entries of `related_identifiers`."""
    number, count = part
    identical = []
    if statements.doi and not DOI.fullmatch(statements.doi):
        identical.append({"identifier": statements.doi, "relation": "isIdenticalTo"})
    return {
        "title": statements.title + (f" (part {number} of {count})" if count > 1 else ""),
        "upload_type": "dataset",
        "description": _description(statements, part),
        "creators": [
            {
                "name": each.name,
                **({"affiliation": each.affiliation} if each.affiliation else {}),
                **({"orcid": each.orcid} if each.orcid else {}),
            }
            for each in statements.creators
        ],
        "access_right": "open",
        "license": licence(statements.license),
        "keywords": [*statements.keywords],
        "version": statements.version,
        "notes": _notes(statements, credits, marker),
        "related_identifiers": [*identical, *map(dict, related)],
        "prereserve_doi": True,
    }


def relations(number: int, dois: Mapping[int, str]) -> list[dict[str, str]]:
    """How a record is related to the others. dois: number of each record -> its DOI."""
    if number == 1:
        return [
            {"identifier": doi, "relation": "hasPart", "resource_type": "dataset"}
            for each, doi in dois.items()
            if each != 1
        ]
    return [{"identifier": dois[1], "relation": "isPartOf", "resource_type": "dataset"}]


def _description(statements: Statements, part: tuple[int, int]) -> str:
    number, count = part
    text = _paragraphs(statements.description)
    if count > 1:
        text += (
            f"<p>This is part {number} of {count}. RECORDS.csv names the files of each part.</p>"
        )
    return text


def _notes(statements: Statements, credits: Sequence[str], marker: str) -> str:
    parts = [_paragraphs(each) for each in credits]
    if statements.contact:
        parts.append(f"<p>To have a trailer removed: {_link(statements.contact)}</p>")
    if statements.url:
        parts.append(f"<p>Web page: {_link(statements.url)}</p>")
    parts.append(
        "<p>Zenodo has no folders: a file FOLDER--FILE here is FOLDER/FILE in SHA256SUMS.</p>"
    )
    return "".join([*parts, f"<p>{MARKER}{marker}</p>"])


def _link(text: str) -> str:
    """An address as a link to it; other texts as they are."""
    shown, address = escape(text.removeprefix("mailto:")), safe_address(text)
    return f'<a href="{escape(address)}">{shown}</a>' if address else shown


def _paragraphs(text: str) -> str:
    """Text as HTML: an empty line begins a paragraph."""
    blocks = [escape(each.strip()) for each in re.split(r"\n\s*\n", text) if each.strip()]
    return "".join(f"<p>{each}</p>".replace("\n", "<br>") for each in blocks)
