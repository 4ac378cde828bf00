"""What reads JSON, YAML, tables, arrays and pickles expects any content."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for folder in ("trailers12k", "scripts") for path in (ROOT / folder).rglob("*.py")
)
READERS = re.compile(
    r"(json|pickle|marshal|tomllib)\.loads?|yaml\.\w*load\w*|csv\.(reader|DictReader)"
    r"|(pd|pandas)\.read_\w+|(np|numpy)\.(load|loadtxt|genfromtxt|fromfile)|torch\.load"
    r"|(pickle\.)?Unpickler|fromstring"
)
EXPECTS = re.compile(r"\b(RecursionError|DAMAGED|Exception|LOADING)\b")
"""In the handlers of a `try` that expects any content."""

KNOWN: dict[str, dict[str, str]] = {
    "trailers12k/common/files.py": {
        "csv.reader(_whole_lines(file), strict=True)": "`csv_rows`, to use within `reading`"
    },
    "trailers12k/common/user_table.py": {
        "csv.reader(lines, strict=True, skipinitialspace=True)": "its errors are named by the line"
    },
    "trailers12k/jobs/result_cache.py": {
        "json.loads(os.environ.get(FORCED) or '[]')": "a variable that the run sets for its jobs"
    },
    "trailers12k/features/backbones/timm_nets.py": {
        "torch.load(file, weights_only=True)": "the sha256 of the file was compared"
    },
    "trailers12k/features/published_store.py": {
        "json.loads((array / '.zarray').read_bytes())": "array_files.parse has judged it"
    },
    "trailers12k/features/weights_content.py": {
        "torch.load(path, map_location='cpu', weights_only=True, mmap=is_archive)": (
            "pytorch_files has judged it, and `check` expects any error"
        )
    },
    "trailers12k/report/drawing.py": {
        "json.loads(frame.to_json(orient='records'))": "a text that pandas has just made"
    },
    "trailers12k/report/page.py": {
        "yaml.safe_load(contents.config)": "an input of the job, which compares it with its record"
    },
    "trailers12k/settings/files.py": {
        "yaml.load(text, Loader=LOADER)": "`_check_keys` has counted its values and levels"
    },
    "trailers12k/versions/version_tables.py": {
        "csv.DictReader(StringIO(version.read(path).decode('utf-8', 'replace'), newline=''), "
        "restval='')": "a handler of csv.Error where its rows are read; a cell has no levels"
    },
    "trailers12k/video/confined.py": {
        "json.loads(self._process.stdout.readline() or 'null')": "a line of our own process",
        "json.loads(lines.get())": "a line of our own process",
    },
    "trailers12k/workflow/estimate_inputs.py": {
        "csv.DictReader(lines, delimiter='\\t')": "a handler of csv.Error; a cell has no levels"
    },
    "trailers12k/workflow/measured.py": {
        "json.loads(file.read_text(encoding='utf-8'))": "a file of the package"
    },
}
"""Module -> each other call of a reader in it, and why it expects its content."""


def unguarded(tree: ast.AST, is_guarded: bool = False) -> Iterator[str]:
    """The calls of readers outside of a `try` or `with reading(...)` that expects any content."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Try):
            handled = any(
                each.type is None or EXPECTS.search(ast.unparse(each.type))
                for each in node.handlers
            )
            for part in node.body:
                yield from unguarded(ast.Module([part], []), is_guarded or handled)
            for part in (*node.handlers, *node.orelse, *node.finalbody):
                yield from unguarded(ast.Module([part], []), is_guarded)
            continue
        inside = is_guarded
        if isinstance(node, ast.With):
            entered = " ".join(ast.unparse(item.context_expr) for item in node.items)
            inside = is_guarded or bool(re.match(r"reading\(|suppress\(\*DAMAGED", entered))
        if isinstance(node, ast.Call) and not inside and READERS.fullmatch(ast.unparse(node.func)):
            yield ast.unparse(node)
        # A function that is defined inside runs elsewhere.
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from unguarded(node, inside and not is_function)


def test_no_reader_of_foreign_or_damaged_content_is_bare():
    found = {}
    for path in MODULES:
        calls = set(unguarded(ast.parse(path.read_text(encoding="utf-8"))))
        if calls:
            found[path.relative_to(ROOT).as_posix()] = calls
    known = {module: set(calls) for module, calls in KNOWN.items()}
    new = {each: found[each] - known.get(each, set()) for each in found}
    advice = "use parse_json, read_json, read_csv or pytorch_files"
    assert not {module: calls for module, calls in new.items() if calls}, advice
    old = {each: known[each] - found.get(each, set()) for each in known}
    assert not {module: calls for module, calls in old.items() if calls}, "these are gone"


def test_the_search_finds_a_bare_reader():
    bare = "json.loads(path.read_text())"
    for text in (
        bare,
        f"with open(path):\n    {bare}",
        f"try:\n    {bare}\nexcept ValueError:\n    pass",
        f"try:\n    pass\nexcept RecursionError:\n    {bare}",
    ):
        assert list(unguarded(ast.parse(text))) == [bare]
    for text in (
        f"with reading(path):\n    {bare}",
        f"try:\n    {bare}\nexcept (OSError, RecursionError):\n    pass",
        "read_json(path)",
    ):
        assert not list(unguarded(ast.parse(text)))
