"""README.md of a publication: the hub's front matter, a dataset card and a datasheet.

Reads and writes nothing. Must not know HTML.
"""

from collections.abc import Sequence

from trailers12k.publish.facts import Facts, PublishedFile
from trailers12k.publish.texts import composition, contents, datasheet, markdown, sections
from trailers12k.publish.texts.document import Link, Paragraph, Section

PAPER = "https://doi.org/10.1145/3458723"
"""Gebru et al., Datasheets for Datasets, Communications of the ACM 64 (12), 2021."""


def text(facts: Facts, files: Sequence[PublishedFile], front: str = "") -> str:
    """README.md.

    files: of the publication, as far as they are written. front: front matter of the hub, between
    its two lines of dashes.
    """
    card = [
        composition.overview(facts, files),
        contents.data(facts, files),
        contents.loading(facts),
        contents.representations(facts),
        composition.splits(facts),
        sections.results(facts),
        composition.missing(facts),
        sections.licence(facts),
        sections.citing(facts),
        sections.takedown(facts),
    ]
    body = markdown.text([sections.head(facts), *card, *_datasheet(facts)])
    return f"{front.rstrip()}\n\n{body}" if front else body


def _datasheet(facts: Facts) -> list[Section]:
    about, *parts = datasheet.datasheet(facts)
    words = Paragraph(["The questions of ", Link("Datasheets for Datasets", PAPER), "."])
    return [Section(about.name, about.heading, [words]), *parts]
