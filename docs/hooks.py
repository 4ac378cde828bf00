"""Build hooks of the documentation site: measured figures, included files, modules, mermaid.

Reads trailers12k/ (its sources, workflow/figures/*.json) and files at the top; writes nothing.
Must not know what a figure means.

In a page, `{{ planning.movies }}` is the figure `movies` of figures/planning.json,
`{{ planning.cpu|.1f }}` formats it, and `{{ planning.measured }}` says when and on which machine it
was measured. `{{ include CHANGELOG.md }}` is that file. `{{ modules }}` lists the modules of the
package by their docstrings.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

from mkdocs.exceptions import PluginError

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "trailers12k" / "workflow" / "figures"
FIGURE = re.compile(r"\{\{ *([a-z0-9_]+)\.([A-Za-z0-9_]+)(?:\|([^{}]*))? *\}\}")
PACKAGE = ROOT / "trailers12k"
MODULES = "{{ modules }}"
INCLUDE = re.compile(r"\{\{ *include ([\w./-]+) *\}\}")
MERMAID = "assets/mermaid.tiny.js"
"""@mermaid-js/tiny 11.17.2, MIT (assets/mermaid.LICENSE), unchanged. The theme would load it from
the network."""


REPETITIVE = (
    *("api.md", "architecture.md", "commands.md", "contributing.md", "index.md"),
    "release-notes.md",
)
BOOST = 0.3
"""Weight in the search of pages that repeat the words of all others: those for developers, the list
of commands, and the first one."""


def on_page_markdown(markdown: str, page: Any = None, **_: Any) -> str:
    """The page with included files, modules and figures."""
    if page and page.file.src_uri in REPETITIVE:
        page.meta["search"] = {"boost": BOOST}
    if MODULES in markdown:
        markdown = markdown.replace(MODULES, module_tables())
    return replace_figures(INCLUDE.sub(_included, markdown))


def on_post_page(output: str, page: Any, **_: Any) -> str:
    """The page with mermaid, if it has a diagram, before the theme's scripts."""
    if 'class="mermaid"' not in output:
        return output
    script = "../" * page.url.count("/") + MERMAID
    return output.replace("<script src=", f'<script src="{script}"></script><script src=', 1)


def replace_figures(markdown: str, folder: Path = FIGURES) -> str:
    """The text with every `{{ FILE.KEY }}` replaced. Raises PluginError for an unknown one."""
    return FIGURE.sub(lambda match: figure(*match.groups(), folder=folder), markdown)


def figure(name: str, key: str, form: str | None = None, folder: Path = FIGURES) -> str:
    """One figure as text.

    name: of the JSON file. key: of a figure, or `measured` for the date and the machine.
    form: a format of Python, such as `.1f`. Raises PluginError where any of them is wrong.
    """
    path = folder / f"{name}.json"
    if not path.is_file():
        raise PluginError(f"{{{{ {name}.{key} }}}}: there is no {path.name}; a benchmark writes it")
    content = json.loads(path.read_text(encoding="utf-8"))
    if key == "measured":
        return f"measured on {content['measured']['date']}, {content['measured']['machine']}"
    if key not in content["figures"]:
        raise PluginError(f"{{{{ {name}.{key} }}}}: {path.name} has no figure {key}")
    try:
        return format(content["figures"][key], (form or "").strip())
    except ValueError as error:
        raise PluginError(f"{{{{ {name}.{key}|{form} }}}}: {error}") from error


def module_tables(package: Path = PACKAGE) -> str:
    """A heading and a table for each package: module, and the first sentence of its docstring."""
    tables = []
    for folder in sorted(path.parent for path in package.rglob("__init__.py")):
        rows = [
            f"| `{path.relative_to(package)}` | {_summary(path)} |"
            for path in sorted(folder.glob("*.py"))
            if path.name != "__init__.py"
        ]
        if rows:
            heading = f"### {folder.relative_to(package).as_posix()}"
            tables.append("\n".join([heading, "", "| module | what it does |", "|---|---|", *rows]))
    return "\n\n".join(tables)


def _summary(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|")


def _included(match: re.Match[str]) -> str:
    path = ROOT / match[1]
    if not path.is_file():
        raise PluginError(f"{match[0]}: there is no such file")
    # Links of a file at the top lead to docs/.
    return re.sub(r"\]\(docs/", "](", path.read_text(encoding="utf-8"))
