"""Reads README.md and docs/*.md into blocks, code spans and links."""

import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^( *)(```+)(.*)\n((?:.*\n)*?)\1\2 *$", re.M)
SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.S)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)[^)]*\)")
COMMENT = re.compile(r"<!--.*?-->", re.S)


class Block(NamedTuple):
    """A fenced block. title: of a file, as in ```yaml title="FILE"; line: of its fence, from 1."""

    page: str
    line: int
    language: str
    title: str
    text: str


class Page(NamedTuple):
    """name: relative to the repository. prose: without comments and fenced blocks."""

    name: str
    text: str
    prose: str
    blocks: list[Block]

    @property
    def spans(self) -> list[str]:
        """The code spans, each in one line."""
        return [" ".join(match[2].split()) for match in SPAN.finditer(self.prose)]

    @property
    def links(self) -> list[str]:
        return LINK.findall(SPAN.sub("", self.prose))


@cache
def pages() -> tuple[Page, ...]:
    """README.md, CONTRIBUTING.md and the pages of the site.

    Not CHANGELOG.md, which names what there was.
    """
    paths = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    return tuple(map(_page, paths))


def _page(path: Path) -> Page:
    name, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
    blocks = []
    for match in FENCE.finditer(text):
        language, _, options = match[3].strip().partition(" ")
        title = re.search(r'title="([^"]+)"', options)
        line = text.count("\n", 0, match.start()) + 1
        content = re.sub(rf"^{match[1]}", "", match[4], flags=re.M)
        blocks.append(Block(name, line, language, title[1] if title else "", content))
    return Page(name, text, COMMENT.sub("", FENCE.sub("", text)), blocks)


def commands() -> list[tuple[str, str]]:
    """Every shell command in ```sh blocks and in code spans: where it is, and its text."""
    found = []
    for page in pages():
        for block in page.blocks:
            if block.language == "sh":
                where = f"{block.page}:{block.line}"
                text = re.sub(r"\\\n\s*", " ", block.text)
                lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()]
                found += [
                    (where, part.strip())
                    for line in lines
                    for part in re.split(r"&&|\|\||;|(?<=\s)\|(?=\s)", line)
                    if part.strip()
                ]
        for span in page.spans:
            if re.match(r"(trailers12k|snakemake|make|dvc|git|pytest|pip) [a-z-]", span):
                found.append((page.name, span))
    return found
