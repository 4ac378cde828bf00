"""The publication of the finished sample: its snippets run, and its texts say what was counted."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ROOT / ".venv/tools"


@pytest.fixture(scope="module")
def snippets(publication):
    """The blocks of the card: language, code."""
    text = (publication / "README.md").read_text(encoding="utf-8")
    return re.findall(r"^```(\w+)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def unpacked(publication, snippets, tmp_path_factory):
    """A copy of the publication in which the shell's snippet has run."""
    folder = tmp_path_factory.mktemp("unpacked")
    subprocess.run(["cp", "-r", f"{publication}/.", folder], check=True)
    [code] = [code for language, code in snippets if language == "sh"]
    subprocess.run(["sh", "-e", "-c", code], cwd=folder, check=True, stdout=subprocess.DEVNULL)
    return folder


def with_print(code: str) -> str:
    """The code, which then prints its last line if that is an expression."""
    tree = ast.parse(code)
    last = tree.body[-1]
    if isinstance(last, ast.Expr):
        values = last.value.elts if isinstance(last.value, ast.Tuple) else [last.value]
        last.value = ast.Call(ast.Name("print"), values, [])
    return ast.unparse(tree)


def run(snippets: list[str], folder: Path, *places: Path) -> list[str]:
    """The lines that snippets of Python print, run by one new interpreter in a folder.

    places: where it finds packages, beside its own.
    """
    paths = [*map(str, (*places, ROOT)), *filter(None, [os.environ.get("PYTHONPATH")])]
    offline = {"HF_DATASETS_OFFLINE": "1", "HF_HUB_OFFLINE": "1"}
    offline |= {"HF_HOME": str(folder / ".home"), "PYTHONPATH": os.pathsep.join(paths)}
    found = subprocess.run(
        [sys.executable, "-c", "\n".join(map(with_print, snippets))],
        cwd=folder,
        env=os.environ | offline,
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.splitlines()


def test_the_snippets_of_the_card_run(snippets, unpacked):
    codes = [code for language, code in snippets if language == "python"]
    hub = [code for code in codes if "load_dataset" in code]
    others = [code for code in codes if code not in hub]
    assert len(hub) == 1 and len(others) == 4
    assert run(others, unpacked) == [
        "(3, 768) float32",
        "torch.Size([30, 768]) torch.Size([10])",
        "Endless House",
    ]
    # The reader of the hub has its own versions of some packages.
    assert run(hub, unpacked, TOOLS) == ["tt9000001 0 0.0 1.0 768"]


def test_both_pages_have_the_same_snippets(publication, snippets):
    page = (publication / "index.html").read_text(encoding="utf-8")
    shown = re.findall(r"<pre tabindex=\"0\"><code>", page)
    assert len(shown) == len(snippets)
    assert (publication / "index.md").read_text(encoding="utf-8").count("```python") == 5


def test_the_texts_say_what_was_counted_and_no_path_of_this_machine(publication):
    for name in ("README.md", "index.html", "index.md"):
        text = (publication / name).read_text(encoding="utf-8")
        assert "36 movies have features in every store" in text
        assert not re.search(r"/home/|/root/|/tmp/|build/sample", text), name
        assert "{{" not in text
