"""The page of a publication: index.html, which loads nothing else, and the same as Markdown.

Reads the templates of this package and the style of the report. Must not know where the facts come
from.
"""

from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

from trailers12k import __version__
from trailers12k.publish.facts import Facts, PublishedFile
from trailers12k.publish.texts import markdown as writer
from trailers12k.publish.texts import sections, words

TEMPLATES = Path(__file__).parent / "templates"
PACKAGE_FILES = ("templates/page.html.j2", "templates/page.css")
"""Data files whose bytes count in code versions; see `workflow.code_versions`."""


def html(facts: Facts, files: Sequence[PublishedFile], collage: bytes = b"") -> str:
    """index.html. files: of the publication, as far as they are written. collage: the content of
    collage.jpg, if it is among them."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    from trailers12k.report import formatting

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["breakable"] = formatting.breakable
    environment.filters["kind"] = lambda value: type(value).__name__
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        title=words.title(facts),
        description=words.description(facts),
        about=sections.about(facts),
        notices=sections.notices(facts),
        sections=sections.sections(facts, files),
        style=formatting.read_template("report.css") + style,
        collage=f"data:image/jpeg;base64,{b64encode(collage).decode()}" if collage else "",
        version=__version__,
    )


def markdown(facts: Facts, files: Sequence[PublishedFile]) -> str:
    """index.md, which mkdocs makes a page of."""
    return writer.text([sections.head(facts), *sections.sections(facts, files)])
