"""What docs/files.md says: the paths of a run's files, and the columns of its tables.

Imports nothing of these tests, since tests/sample reads it too.
"""

import re
from functools import cache
from pathlib import Path

from trailers12k.common.vocabulary import GENRES, METRICS, SPLITS

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text(encoding="utf-8")
SUMMARY = [
    *METRICS,
    *GENRES,
    *(f"{name}_sd" for name in (*METRICS, *GENRES)),
    *(f"{name}_{end}" for name in METRICS for end in ("low", "high")),
]
"""The columns of results/summary.csv after those about the run."""


PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.S)


@cache
def paths() -> tuple[re.Pattern[str], ...]:
    """A regular expression for each path in a code span."""
    spans = dict.fromkeys(re.findall(r"`([\w./*-]+)`", PROSE))
    return tuple(re.compile(_pattern(s)) for s in spans if "/" in s or re.search(r"\.\w+$", s))


def files() -> list[re.Pattern[str]]:
    """Of `paths`, those of files, and of folders whose content a table describes as a whole.

    A heading that is a folder, and the table of the folders at the top, list no file.
    """
    described = PROSE.partition("## Your files")[2]
    found = re.findall(r"^(?:### |\| )`([\w./*-]+)`", described, re.M)
    found += re.findall(r"`(results/[\w/]+\.(?:csv|json))`", described)
    headings = re.findall(r"^### `([\w./*-]+/)`", described, re.M)
    return [re.compile(_pattern(path)) for path in found if path not in headings and "/" in path]


def _pattern(path: str) -> str:
    """Capitals and * stand for names; a path that ends with / stands for all files in it."""
    text = re.sub(r"(?<![A-Za-z])(?:[A-Z]{3,}|splitK)(?![A-Za-z])|\\\*", "[^/]+", re.escape(path))
    return text + ".*" if path.endswith("/") else text + r"(/.*)?"


def columns(section: str) -> list[str]:
    """The columns in the table of a section; `a` … `b` are all from a to b."""
    text = PAGE.split(f"### `{section}`\n")[1].split("\n##")[0]
    listed: list[str] = []
    for cell in re.findall(r"^\| (`.+?`) \| ", text, re.M):
        names = re.findall(r"`([^`]+)`", cell)
        if "…" not in cell:
            listed += names
        elif names[0].startswith("split"):
            listed += [f"split{split}" for split in SPLITS]
        else:
            listed += SUMMARY[SUMMARY.index(names[0]) : SUMMARY.index(names[1]) + 1]
    return listed
