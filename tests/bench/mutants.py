"""Changes the code in small ways and counts the changes that no unit test notices: `make mutants`.

Takes a seeded sample of mutants of the modules that determine the results. Each is written into a
copy of the tree and run against the unit tests of its package, those named after its module first.
Prints the survivors; writes a row per mutant to a CSV file. A later call with the same file goes on
with the mutants that it lacks; `--survivors` runs its survivors again.
"""

import argparse
import ast
import contextlib
import copy
import csv
import importlib
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
MODULES = (
    *("splits/*", "evaluation/*", "classifier/*", "video/clip*", "video/shots"),
    *("features/store*", "features/integrity", "jobs/*", "downloads/retries"),
)
PRELOADED = ("numpy", "torch", "zarr", "pandas", "sklearn.metrics", "av", "PIL.Image", "requests")
"""What tests import anyway. Each mutant runs in a fork that has it already."""
MEMORY = 16 << 30
SWAPS = {
    **{ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq},
    **{ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn},
    **{ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div},
    **{ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.Mult, ast.Pow: ast.Mult},
    **{ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or, ast.Or: ast.And},
}
NAMES = {"min": "max", "max": "min", "any": "all", "all": "any", "argmin": "argmax"}
COLUMNS = ("module", "line", "at", "was", "becomes", "verdict", "seconds", "by")
"""by: the test that failed. A test that fails under load, whatever the mutant, stands out there."""


class Mutant(NamedTuple):
    """One change: the bytes `start` to `end` of a module become `text`."""

    module: str
    line: int
    start: int
    end: int
    was: str
    text: str

    @property
    def key(self) -> tuple[str, ...]:
        return self.module, str(self.line), str(self.start), self.was, self.text


def variants(node: ast.AST) -> Iterator[ast.AST]:
    """The mutants of one node of the syntax tree."""
    new = copy.deepcopy(node)
    match new:
        case ast.Compare() if type(new.ops[0]) in SWAPS:
            new.ops[0] = SWAPS[type(new.ops[0])]()
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign() if type(new.op) in SWAPS:
            new.op = SWAPS[type(new.op)]()
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            new = new.operand
        case ast.Constant(value=bool()):
            new.value = not new.value
        case ast.Constant(value=int() | float()):
            new.value += 1
        case ast.Constant(value=str()) if re.fullmatch(r"[\w.:/-]+", new.value):
            new.value = f"XX{new.value}"
        case ast.Attribute(attr=name) if name in NAMES:
            new.attr = NAMES[name]
        case ast.Call(func=ast.Name(id=name)) if name in NAMES:
            new.func.id = NAMES[name]
        case ast.IfExp() | ast.comprehension():
            return
        case ast.Return(value=ast.expr()):
            new.value = ast.Constant(None)
        case ast.Expr(value=ast.Call()) | ast.Raise():
            new = ast.Pass()
        case ast.Break():
            new = ast.Continue()
        case ast.Continue():
            new = ast.Break()
        case _:
            return
    yield new


def mutants_of(module: Path) -> Iterator[Mutant]:
    """All mutants of a module. Logs, messages, docstrings and annotations stay as they are."""
    source = module.read_bytes()
    starts = [0]
    for row in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(row))

    def walk(node: ast.AST, field: str = "") -> Iterator[Mutant]:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        logged = isinstance(node, ast.Expr) and ast.unparse(node).startswith("log.")
        if field in ("annotation", "returns") or text or logged or isinstance(node, ast.JoinedStr):
            return
        negated = field == "test" and not isinstance(node, ast.Compare | ast.UnaryOp)
        for new in [ast.UnaryOp(ast.Not(), node)] if negated else variants(node):
            start = starts[node.lineno - 1] + node.col_offset
            end = starts[node.end_lineno - 1] + node.end_col_offset
            was, code = source[start:end].decode(), ast.unparse(ast.fix_missing_locations(new))
            code = f"({code})" if isinstance(new, ast.BinOp | ast.BoolOp | ast.Compare) else code
            name = str(module.relative_to(ROOT))
            yield Mutant(name, node.lineno, start, end, was, code)
        if isinstance(node, ast.Raise):
            return
        for name, value in ast.iter_fields(node):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from walk(child, name)

    yield from walk(ast.parse(source))


def tests_of(module: str, tree: Path) -> list[str]:
    """The unit tests of a module's package, those with its name first."""
    _, package, name = Path(module).with_suffix("").parts
    files = sorted(str(p.relative_to(tree)) for p in (tree / "tests/unit" / package).glob("test_*"))
    return sorted(files, key=lambda path: f"test_{name}" not in path)


def passes(tree: Path, tests: list[str], limit: float) -> bool | None:
    """Whether tests pass in a copy of the tree; None: not within `limit` seconds."""
    if (child := os.fork()) == 0:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        os.environ |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
        with open(tree.parent / "output.txt", "w") as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
        import pytest

        folder = f"--basetemp={tree.parent / 'tests'}"
        os._exit(pytest.main(["-x", "-q", "-p", "no:cacheprovider", folder, *tests]))
    end = time.monotonic() + limit
    while (done := os.waitpid(child, os.WNOHANG)) == (0, 0) and time.monotonic() < end:
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    if done == (0, 0):
        os.waitpid(child, 0)
        return None
    return done[1] == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "mutants.csv")
    parser.add_argument("--survivors", action="store_true")
    options = parser.parse_args()
    end = time.monotonic() + 3600 * options.hours

    files = sorted({p for glob in MODULES for p in (ROOT / "trailers12k").glob(f"{glob}.py")})
    every = [mutant for file in files for mutant in mutants_of(file)]
    sample = random.Random(options.seed).sample(every, options.count)
    print(f"{options.count} of {len(every)} mutants of {len(files)} modules")
    rows = {}
    if options.out.exists():
        with options.out.open(newline="") as file:
            rows = {tuple(row[c] for c in COLUMNS[:5]): row for row in csv.DictReader(file)}
    if options.survivors:
        rows = {key: row for key, row in rows.items() if row["verdict"] != "survived"}

    for name in PRELOADED:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        tree, output, limits = Path(folder) / "tree", Path(folder) / "output.txt", {}
        tracked = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
        for name in filter(None, tracked.split("\0")):
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, tree / name)
        for mutant in sample:
            if mutant.key in rows or time.monotonic() > end:
                continue
            tests, package = tests_of(mutant.module, tree), Path(mutant.module).parts[1]
            began = time.monotonic()
            if package not in limits:
                if not passes(tree, tests, 600):
                    sys.exit(output.read_text()[-3000:])
                limits[package] = 30 + 4 * (time.monotonic() - began)
                began = time.monotonic()
            path = tree / mutant.module
            source = path.read_bytes()
            path.write_bytes(source[: mutant.start] + mutant.text.encode() + source[mutant.end :])
            verdict = {True: "survived", False: "killed", None: "timeout"}
            state = verdict[passes(tree, tests, limits[package])]
            path.write_bytes(source)
            failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", output.read_text(), re.MULTILINE)
            by = failed[-1] if state == "killed" and failed else ""
            cells = (*mutant.key, state, f"{time.monotonic() - began:.1f}", by)
            rows[mutant.key] = dict(zip(COLUMNS, cells, strict=True))
            if state == "survived":
                print(
                    f"{mutant.module}:{mutant.line}: {mutant.was!r} -> {mutant.text!r}", flush=True
                )
            options.out.parent.mkdir(parents=True, exist_ok=True)
            with options.out.open("w", newline="") as file:
                table = csv.DictWriter(file, COLUMNS)
                table.writeheader()
                table.writerows(rows.values())
    ran = [rows[mutant.key]["verdict"] for mutant in sample if mutant.key in rows]
    print(
        f"{ran.count('survived')} of {len(ran)} mutants survived ({ran.count('timeout')} by limit)"
    )


if __name__ == "__main__":
    main()
