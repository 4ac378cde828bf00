"""Executes docs/notebook.ipynb and turns it into a page with its outputs.

Reads the notebook; `write_page` writes docs/tutorial-notebook.md and its pictures. Must not know
what the notebook does.
"""

import base64
import re
from io import BytesIO
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode
from PIL import Image

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK, PAGE = DOCS / "notebook.ipynb", DOCS / "tutorial-notebook.md"
COLOURS = 128
"""Of a picture; enough for charts, and a tenth of the bytes."""
NOTE = (
    "*This page is the notebook [notebook.ipynb](notebook.ipynb), executed on the built-in sample. "
    "Open it in Jupyter or in an editor that runs notebooks.*"
)
OUTPUT = re.compile(r"^```text\n(.*?)^```\n\n|^!\[[^\n]*\]\(notebook-\d\.png\)\n\n", re.M | re.S)


def read() -> NotebookNode:
    """The notebook, without outputs."""
    return nbformat.read(NOTEBOOK, as_version=4)


def execute(collection: Path) -> NotebookNode:
    """The notebook with its outputs, executed in the folder of a finished collection.

    Raises CellExecutionError for a cell that fails.
    """
    notebook = read()
    where = {"metadata": {"path": str(collection)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=where).execute()
    return notebook


def page_of(notebook: NotebookNode) -> tuple[str, list[bytes]]:
    """The text of the page, and the PNG pictures notebook-1.png, ... that it shows."""
    parts, pictures = [], []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
            if cell is notebook.cells[0]:
                parts.append(NOTE)
            continue
        parts.append(f"```python\n{cell.source}\n```")
        for output in cell.outputs:
            data = output.get("data", {})
            if "image/png" in data:
                pictures.append(base64.b64decode(data["image/png"]))
                parts.append(f"![{cell.metadata['alt']}](notebook-{len(pictures)}.png)")
            else:
                shown = output["text"] if output.output_type == "stream" else data["text/plain"]
                lines = "\n".join(line.rstrip() for line in shown.strip("\n").splitlines())
                parts.append(f"```text\n{lines}\n```")
    return "\n\n".join(parts) + "\n", pictures


def without_outputs(page: str) -> str:
    """The page as `page_of` makes it from a notebook that was not executed."""
    return OUTPUT.sub("", page + "\n").rstrip("\n") + "\n"


def outputs_of(page: str) -> list[str]:
    """The texts that the cells print, without digits behind a point, which another processor
    changes, and without the widths of columns."""
    texts = re.findall(r"^```text\n(.*?)^```$", page, re.M | re.S)
    return [re.sub(r"\s+", " ", re.sub(r"\d+\.\d+", "NUMBER", text)) for text in texts]


def write_page(collection: Path) -> None:
    """Execute the notebook; write its page and its pictures."""
    text, pictures = page_of(execute(collection))
    PAGE.write_text(text, encoding="utf-8")
    for number, data in enumerate(pictures, 1):
        with Image.open(BytesIO(data)) as picture:
            small = picture.convert("RGB").quantize(COLOURS)
            small.save(DOCS / f"notebook-{number}.png", optimize=True)
