"""The Python blocks of the documentation run in the folder of the finished sample."""

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = runpy.run_path(str(ROOT / "tests" / "docs" / "pages.py"))["pages"]()
BLOCKS = [block for page in PAGES for block in page.blocks if block.language == "python"]


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{b.page}:{b.line}" for b in BLOCKS])
def test_a_python_block_runs(block, monkeypatch):
    monkeypatch.chdir(ROOT)
    exec(compile(block.text, f"{block.page}:{block.line}", "exec"), {"__name__": "block"})
