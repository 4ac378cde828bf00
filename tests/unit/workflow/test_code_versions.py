import json
import os
import shutil
import subprocess
import sys
from itertools import count
from pathlib import Path

import pytest

from trailers12k.workflow.canonical_source import ClosureError
from trailers12k.workflow.code_versions import SourceTree, package, rules_table

ROOT = Path(__file__).parents[3]


@pytest.fixture
def tree(tmp_path):
    """Writes a package `pkg` of {file: text}, each in a folder of its own, with an `__init__.py` in
    every folder; returns its `SourceTree`."""
    numbers = count()

    def make(files):
        root = tmp_path / str(next(numbers)) / "pkg"
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        for folder in [root, *(path for path in root.rglob("*") if path.is_dir())]:
            (folder / "__init__.py").touch()
        return SourceTree(root)

    return make


@pytest.fixture
def version(tree):
    """The code version of a module with this text."""
    return lambda text: tree({"m.py": text}).code_version("pkg.m")


FUNCTION = "def f(x):\n    return x + 1\n"
FIELDS = "from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n    y: float = 2.0\n"

SAME = {
    "comment": (FUNCTION, "# why\n" + FUNCTION),
    "docstrings": (FUNCTION, '"""M."""\ndef f(x):\n    """F."""\n    return x + 1\n'),
    "docstring of a constant": ("A = 1\nB = 2\n", 'A = 1\n"""Unit."""\nB = 2\n'),
    "docstring of a field": (FIELDS, FIELDS.replace("x: int", 'x: int\n    """Pixels."""')),
    "docstring instead of pass": ("class A:\n    pass\n", 'class A:\n    """Nothing."""\n'),
    "formatting": (FUNCTION, "def f(\n    x,\n):\n    return (x\n        + 1)\n"),
    "line endings": (FUNCTION, FUNCTION.replace("\n", "\r\n")),
    "quotes": ("A = 'a'\n", 'A = "a"\n'),
    "implicit concatenation": ("A = 'ab'\n", "A = ('a'\n    'b')\n"),
    "f-string concatenation": ("A = f'a{x}b'\n", "A = 'a' f'{x}' 'b' ''\n"),
    "argument annotation": (FUNCTION, "def f(x: float):\n    return x + 1\n"),
    "return annotation": (FUNCTION, "def f(x) -> 'float':\n    return x + 1\n"),
    "variable annotation": ("A = 1\n", "A: int = 1\n"),
    "bare annotation": (FUNCTION, "def f(x):\n    y: int\n    return x + 1\n"),
    "annotation of a field": (FIELDS, FIELDS.replace("x: int", "x: float")),
    "class variable": ("class A:\n    x = 1\n", "class A:\n    x: ClassVar[int] = 1\n"),
    "import for an annotation": (
        FUNCTION,
        "from collections.abc import Sequence as S\ndef f(x: 'S[int]'):\n    return x + 1\n",
    ),
    "import for type checkers": (
        FUNCTION,
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import numpy\n" + FUNCTION,
    ),
    "else of TYPE_CHECKING": (
        "import json\n",
        "import typing\nif typing.TYPE_CHECKING:\n    import numpy\nelse:\n    import json\n",
    ),
    "future": (FUNCTION, "from __future__ import annotations\n" + FUNCTION),
    "order of imports": ("import os\nfrom re import sub\n", "from re import sub\nimport os\n"),
    "split import": ("from re import sub, split\n", "from re import split\nfrom re import sub\n"),
    "import moved into a function": (
        "import os\ndef f():\n    return os.sep\n",
        "def f():\n    import os\n    return os.sep\n",
    ),
    "version of the package": ('__version__ = "1"\nA = 1\n', '__version__ = "2"\nA = 1\n'),
}

OTHER = {
    "number": (FUNCTION, FUNCTION.replace("1", "2")),
    "type of a number": ("A = 1\n", "A = 1.0\n"),
    "truth for a number": ("A = 1\n", "A = True\n"),
    "complex": ("A = 1.0\n", "A = 1j\n"),
    "bytes": ("A = 'a'\n", "A = b'a'\n"),
    "ellipsis": ("A = ...\n", "A = None\n"),
    "text for a name": ("A = x\n", "A = 'x'\n"),
    "text of an f-string": ("A = f'a{x}'\n", "A = f'b{x}'\n"),
    "place in an f-string": ("A = f'a{x}'\n", "A = f'{x}a'\n"),
    "conversion": ("A = f'{x}'\n", "A = f'{x!r}'\n"),
    "format": ("A = f'{x:>2}'\n", "A = f'{x:>3}'\n"),
    "operator": ("A = x + y\n", "A = x - y\n"),
    "order of statements": ("a()\nb()\n", "b()\na()\n"),
    "nesting": ("if a:\n    b()\nc()\n", "if a:\n    b()\n    c()\n"),
    "branches": ("if a:\n    b()\nelse:\n    c()\n", "if a:\n    c()\nelse:\n    b()\n"),
    "default of an argument": ("def f(x=1): pass\n", "def f(x=2): pass\n"),
    "decorator": (FUNCTION, "@cache\n" + FUNCTION),
    "async": (FUNCTION, "async " + FUNCTION),
    "name of a field": (FIELDS, FIELDS.replace("x: int", "z: int")),
    "field without default": (FIELDS, FIELDS.replace("    x: int\n", "")),
    "default of a field": (FIELDS, FIELDS.replace("2.0", "3.0")),
    "field or attribute": (FIELDS, FIELDS.replace("y: float", "y")),
    "source of an import": ("from a import f\n", "from b import f\n"),
    "imported name": ("from a import f as g\n", "from a import h as g\n"),
    "module for a name": ("import a as b\n", "from a import b\n"),
    "imports of branches": (
        "if x:\n    from a import f\nelse:\n    from b import f\n",
        "if x:\n    from b import f\nelse:\n    from a import f\n",
    ),
    "import for code and annotation": (
        "from a import T\ndef f(x: T):\n    return T(x)\n",
        "from b import T\ndef f(x: T):\n    return T(x)\n",
    ),
    "a condition like TYPE_CHECKING": (
        "if TYPE_CHECKING or x:\n    a()\n",
        "if TYPE_CHECKING or x:\n    b()\n",
    ),
    "a dict that is no registry": (
        "KERNEL_MODULES = {'a': 'b'}\n",
        "KERNEL_MODULES = {'a': 'c'}\n",
    ),
}


@pytest.mark.parametrize(("before", "after"), SAME.values(), ids=SAME)
def test_edits_that_change_no_version(version, before, after):
    assert version(before) == version(after)


@pytest.mark.parametrize(("before", "after"), OTHER.values(), ids=OTHER)
def test_edits_that_change_the_version(version, before, after):
    assert version(before) != version(after)


def test_a_version_is_16_hex_digits(version):
    assert len(version(FUNCTION)) == 16
    int(version(FUNCTION), 16)


def test_imports_of_every_form_are_followed(tree):
    files = {
        "a/m.py": "import pkg.b.one\nfrom pkg.b import two, name\nfrom ..c import three\n"
        "from . import near\nfrom .near import x\nimport numpy\n"
        "def f():\n    if x:\n        from pkg.c.four import y\n",
        "a/near.py": "",
        "b/__init__.py": "name = 1\n",
        "b/one.py": "",
        "b/two.py": "import pkg.b.deep\n",
        "b/deep.py": "",
        "b/unused.py": "",
        "c/__init__.py": '"""Computes nothing."""\n',
        "c/three.py": "",
        "c/four.py": "from pkg import top\n",
        "top.py": "",
    }
    names = ["a.m", "a.near", "b", "b.deep", "b.one", "b.two", "c.four", "c.three", "top"]
    assert tree(files).closure("pkg.a.m") == tuple(f"pkg.{name}" for name in names)


def test_relative_imports_in_a_package_start_at_the_package(tree):
    files = {"a/__init__.py": "from .b import x\nfrom .. import c\n", "a/b.py": "", "c.py": ""}
    assert tree(files).closure("pkg.a") == ("pkg.a", "pkg.a.b", "pkg.c")


def test_an_edit_counts_wherever_the_module_is_reached_from(tree):
    files = {"a.py": "from pkg import b\n", "b.py": "from pkg.c import f\n", "c.py": FUNCTION}
    before = tree(files)
    after = tree(files | {"c.py": FUNCTION.replace("1", "2")})
    for module in ("pkg.a", "pkg.b", "pkg.c"):
        assert before.code_version(module) != after.code_version(module)


def test_modules_outside_the_closure_do_not_count(tree):
    files = {"a.py": "import pkg.b\n", "b.py": "", "other.py": "A = 1\n", "web/x.py": "A = 1\n"}
    before = tree(files).code_version("pkg.a")
    assert tree(files | {"other.py": "A = 2\n", "web/x.py": "("}).code_version("pkg.a") == before


def test_circles_end(tree):
    files = {"a.py": "import pkg.b\n", "b.py": "def f():\n    import pkg.a\n"}
    assert tree(files).closure("pkg.a") == tree(files).closure("pkg.b") == ("pkg.a", "pkg.b")


def test_imports_for_type_checkers_are_not_followed(tree):
    files = {
        "a.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pkg.b\n"
        "else:\n    import pkg.c\n",
        "b.py": "",
        "c.py": "",
    }
    assert tree(files).closure("pkg.a") == ("pkg.a", "pkg.c")


def test_a_docstring_in_an_empty_package_changes_no_version(tree):
    files = {"a/m.py": FUNCTION, "a/__init__.py": ""}
    assert tree(files).closure("pkg.a.m") == ("pkg.a.m",)
    documented = files | {"a/__init__.py": '"""A."""\n'}
    assert tree(files).code_version("pkg.a.m") == tree(documented).code_version("pkg.a.m")
    code = files | {"a/__init__.py": "A = 1\n"}
    assert tree(code).closure("pkg.a.m") == ("pkg.a", "pkg.a.m")


REGISTRY = {
    "load.py": "from importlib import import_module\nfrom pkg.names import FAMILY_MODULES\n"
    "def load(name):\n    return import_module(FAMILY_MODULES[name])\n",
    "names.py": "FAMILY_MODULES = {'timm': 'pkg.nets.timm', 'video': 'pkg.nets.video'}\n",
    "nets/timm.py": "import pkg.common\n",
    "nets/video.py": "A = 1\n",
    "common.py": "",
}


def test_modules_chosen_by_name_come_from_the_registry(tree):
    found = tree(REGISTRY)
    both = ("pkg.common", "pkg.load", "pkg.names", "pkg.nets.timm", "pkg.nets.video")
    assert found.closure("pkg.load") == both
    assert found.closure("pkg.load", ["video"]) == ("pkg.load", "pkg.names", "pkg.nets.video")
    assert found.closure("pkg.load", ()) == ("pkg.load", "pkg.names")
    assert found.families("pkg.load") == ("timm", "video")


def test_only_the_module_that_imports_by_name_holds_the_families(tree):
    assert tree(REGISTRY).closure("pkg.names") == ("pkg.names",)


def test_an_edit_of_one_family_changes_only_its_versions(tree):
    before = tree(REGISTRY)
    after = tree(REGISTRY | {"nets/video.py": "A = 2\n"})
    assert before.code_version("pkg.load", ["timm"]) == after.code_version("pkg.load", ["timm"])
    assert before.code_version("pkg.load", ["video"]) != after.code_version("pkg.load", ["video"])
    assert before.code_version("pkg.load") != after.code_version("pkg.load")


def test_a_new_family_changes_no_version_of_another(tree):
    before = tree(REGISTRY)
    names = REGISTRY["names.py"].replace("}", ", 'new': 'pkg.nets.new'}")
    after = tree(REGISTRY | {"names.py": names, "nets/new.py": ""})
    assert before.code_version("pkg.load", ["timm"]) == after.code_version("pkg.load", ["timm"])
    assert before.code_version("pkg.load") != after.code_version("pkg.load")


def test_another_module_for_a_family_changes_its_version(tree):
    before = tree(REGISTRY)
    names = REGISTRY["names.py"].replace("pkg.nets.video", "pkg.common")
    after = tree(REGISTRY | {"names.py": names})
    assert before.code_version("pkg.load", ["video"]) != after.code_version("pkg.load", ["video"])


def test_a_registry_may_be_the_modules_own_and_annotated(tree):
    own = REGISTRY["names.py"].replace(" =", ": dict[str, str] =")
    load = REGISTRY["load.py"].replace("from pkg.names import FAMILY_MODULES\n", own)
    assert "pkg.nets.timm" in tree(REGISTRY | {"load.py": load}).closure("pkg.load")


def test_a_family_that_no_registry_has_is_an_error(tree):
    with pytest.raises(ClosureError, match=r"pkg\.load.*tmm"):
        tree(REGISTRY).closure("pkg.load", ["tmm"])


@pytest.mark.parametrize(
    "call",
    [
        "import_module('pkg.names')",
        "import_module(f'pkg.{name}')",
        "import_module(names[name])",
        "import_module(FAMILY_MODULES.get(name))",
        "import_module(FAMILY_MODULES[name], 'pkg')",
        "importlib.import_module('pkg.names')",
        "__import__('pkg.names')",
        "map(import_module, names)",
    ],
)
def test_other_dynamic_imports_are_errors_that_name_the_place(tree, call):
    text = REGISTRY["load.py"].replace("import_module(FAMILY_MODULES[name])", call)
    with pytest.raises(ClosureError, match=r"load\.py:4: write a dynamic import as"):
        tree(REGISTRY | {"load.py": text}).closure("pkg.load")


def test_a_dynamic_import_under_another_name_is_an_error(tree):
    with pytest.raises(ClosureError, match=r"m\.py:1: import import_module under its own name"):
        tree({"m.py": "from importlib import import_module as load\n"}).closure("pkg.m")


@pytest.mark.parametrize(
    "registry", ["FAMILY_MODULES = dict(a='pkg.b')\n", "FAMILY_MODULES = {'a': 'os'}\n"]
)
def test_a_registry_that_is_no_literal_dict_of_modules_is_an_error(tree, registry):
    with pytest.raises(ClosureError, match=r"load\.py:4: FAMILY_MODULES is no literal dict"):
        tree(REGISTRY | {"names.py": registry}).closure("pkg.load")


def test_modules_that_do_not_exist_are_errors(tree):
    with pytest.raises(ClosureError, match=r"m\.py:2: there is no module pkg\.gone"):
        tree({"m.py": "\nfrom pkg.gone import x\n"}).closure("pkg.m")
    with pytest.raises(ClosureError, match=r"no module pkg\.n"):
        tree({"m.py": ""}).closure("pkg.n")
    with pytest.raises(ClosureError, match=r"m\.py:1: import from above the package"):
        tree({"m.py": "from .. import x\n"}).closure("pkg.m")


def test_the_bytes_of_package_files_count(tree):
    files = {
        "page/m.py": 'PACKAGE_FILES: tuple[str, ...] = ("templates/p.css",)\n',
        "page/templates/p.css": "a { }",
    }
    before = tree(files).code_version("pkg.page.m")
    assert tree(files).code_version("pkg.page.m") == before
    edited = files | {"page/templates/p.css": "a {  }"}
    assert tree(edited).code_version("pkg.page.m") != before


@pytest.mark.parametrize("files", ["('gone.css',)", "tuple(names)", "('a' + b,)"])
def test_package_files_that_cannot_be_read_are_errors(tree, files):
    with pytest.raises(ClosureError, match=r"m\.py:1: .*(gone\.css|literal tuple)"):
        tree({"m.py": f"PACKAGE_FILES = {files}\n"}).closure("pkg.m")


def test_the_table_lists_every_rule_with_its_closure_and_families(tree):
    table = rules_table(tree(REGISTRY), {"load": "pkg.load", "name": "pkg.names"})
    assert table.splitlines()[1:] == [
        "",
        "load: pkg.load",
        "    pkg.common [timm]",
        "    pkg.load",
        "    pkg.names",
        "    pkg.nets.timm [timm]",
        "    pkg.nets.video [video]",
        "",
        "name: pkg.names",
        "    pkg.names",
    ]


def test_reading_changes_no_file(tree):
    found = tree(REGISTRY)
    before = {path: path.stat().st_mtime_ns for path in found.root.rglob("*")}
    found.code_version("pkg.load")
    assert {path: path.stat().st_mtime_ns for path in found.root.rglob("*")} == before


VERSION_DEPENDENT = r"""
A = f"{x!r:>{width}}" f"" "\U0001fae8 \xe9" f"{x = }" f"{'a' 'b'}"
B = f'{d["k"]:%H:%M}' + rf"\d{x}\{y}" + f"{x:}" + f"{{{x}}}"
C = (1e999, 1e22, 0.1, 1j, -0.0, b"\x00\xff", ..., None, 10**30, 0x_ff, "\ud800")
D = [*a, {**b, "k": 1}, {x async for x in y}, lambda a, /, b=1, *c, d, **e: (yield)]


class E(F, metaclass=G):
    x: int = 0


def f(a, /, b: int = 1, *c: T, d=2, **e) -> "T":
    with (a as b, c as d):
        async def g():
            await x; return a[1:2, *b, ...]
    try:
        match a:
            case {"k": [1, *rest], **others} | E(x=None) | -1 | "é" if x:
                global z
            case True | None | _:
                del a.b, c[0]
    except* (A, B) as e:
        raise e from None
    x = y = (z := 1) if not a < b <= c else a @ b
    assert x, f"{x}"
"""

IN_PYTHON = """
import json, sys
from pathlib import Path
from trailers12k.workflow.code_versions import SourceTree
trees = [SourceTree(Path(root)) for root in sys.argv[1:]]
print(json.dumps([{name: tree.source(name).meaning for name in tree.modules} for tree in trees]))
"""


def interpreter(version):
    """A Python of this version on this machine; None where there is none."""
    if sys.version_info[:2] == tuple(map(int, version.split("."))):
        return sys.executable
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted(root.glob(f"versions/{version}.*/bin/python"))
    return str(found[-1]) if found else shutil.which(f"python{version}")


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_every_python_derives_the_same_versions(tree, version):
    python = interpreter(version)
    if python is None:
        pytest.skip(f"this machine has no Python {version}")
    small = tree({"m.py": VERSION_DEPENDENT})
    # -S: without site-packages, since the module needs only the standard library.
    command = [python, "-B", "-S", "-c", IN_PYTHON, str(small.root), str(ROOT / "trailers12k")]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    text = subprocess.run(
        command, env=environment, check=True, stdout=subprocess.PIPE, text=True
    ).stdout
    trees = [small, package()]
    assert json.loads(text) == [
        {name: each.source(name).meaning for name in each.modules} for each in trees
    ]
