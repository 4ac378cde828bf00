"""The notebook's page; tests/sample executes the notebook."""

from . import executed_notebook


def test_the_page_has_the_cells_of_the_notebook_and_outputs():
    page = executed_notebook.PAGE.read_text(encoding="utf-8")
    text, _ = executed_notebook.page_of(executed_notebook.read())
    assert executed_notebook.without_outputs(page) == text, "make docs-figures writes the page"
    assert len(executed_notebook.outputs_of(page)) >= 5


def test_the_notebook_is_committed_without_outputs():
    cells = [cell for cell in executed_notebook.read().cells if cell.cell_type == "code"]
    assert cells and not any(cell.outputs or cell.execution_count for cell in cells)
