"""What determines a result, as one hash: sources, settings, weights, and the code that computes it.

Reads the package's own source files. Must not know what any stage does.
"""

import ast
import hashlib
import json
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def fingerprint(**parts: object) -> str:
    """A hash of named JSON values: 16 hex digits, the same for the same values in any order."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@cache
def code_version(*modules: str) -> str:
    """A hash of what modules of this package, or scripts, do: `code_version("video", "clips")`.

    Comments, docstrings and formatting do not count: a hash that changed with them would
    compute 12,000 trailers again for a spelling mistake.
    """
    return fingerprint(**{module: _content(_file_of(module)) for module in modules})


def _content(file: Path) -> str:
    text = file.read_text(encoding="utf-8")
    return _meaning(text) if file.suffix == ".py" else text


def _file_of(module: str) -> Path:
    """The file of a module of the package, of one of its templates (`templates/NAME.SUFFIX`, which
    counts as it stands), or of a script of the project: `scripts/NAME`."""
    if "/templates/" in module:
        return PACKAGE / module
    folder = PACKAGE.parent if module.startswith("scripts/") else PACKAGE
    return folder / (module.replace(".", "/") + ".py")


@cache
def _meaning(source: str) -> str:
    tree = ast.parse(source)
    _strip(tree)
    return ast.unparse(tree)


def _strip(node: ast.AST) -> None:
    """Take the docstrings out of a statement's body, and of those in it."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        parts = getattr(node, name, None)
        if isinstance(parts, list):
            for part in parts:
                _strip(part)
    # Not only the first statement: constants and fields have docstrings below them too.
    if isinstance(body := getattr(node, "body", None), list):
        kept = [part for part in body if not _is_docstring(part)]
        setattr(node, "body", kept or [ast.Pass()])  # noqa: B010


def _is_docstring(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )
