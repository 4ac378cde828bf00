"""Pages of docs/ that are executed on the finished sample."""

from pathlib import Path

from ..docs import executed_notebook

ROOT = Path(__file__).parents[2]


def test_the_notebook_runs_and_prints_what_its_page_shows():
    text, pictures = executed_notebook.page_of(executed_notebook.execute(ROOT))
    page = executed_notebook.PAGE.read_text(encoding="utf-8")
    assert executed_notebook.outputs_of(text) == executed_notebook.outputs_of(page)
    assert len(pictures) == page.count("](notebook-")
