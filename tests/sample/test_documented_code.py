"""The Python blocks of the documentation run in the folder of the finished sample.

The notebook's are tested in tests/docs, since each needs those before it.
"""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = runpy.run_path(str(ROOT / "tests" / "docs" / "pages.py"))["pages"]()
ELSEWHERE = ("docs/publishing.md", "docs/tutorial-notebook.md", "docs/versioning.md")
"""Pages whose blocks need those before them, a publication, or a repository. A block with a title
is part of a file."""
BLOCKS = [
    block
    for page in PAGES
    for block in page.blocks
    if block.language == "python" and not block.title and page.name not in ELSEWHERE
]


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{b.page}:{b.line}" for b in BLOCKS])
def test_a_python_block_runs(block, monkeypatch):
    monkeypatch.chdir(ROOT)
    exec(compile(block.text, f"{block.page}:{block.line}", "exec"), {"__name__": "block"})
