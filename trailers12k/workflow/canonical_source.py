"""The canonical form of a module: a text that changes only when its computation may change.

Reads one source file and the data files that it names. Must not import what it reads; standard
library only, and independent of the Python version: every version must derive the same form.
"""

import ast
import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii as _quote
from pathlib import Path
from typing import Any

REGISTRY = re.compile(r"[A-Z][A-Z0-9_]*_MODULES")
"""The name of a registry: a literal dict at module level, key -> dotted module of the package, from
which `import_module` chooses at run time."""

# Fields that differ between Python versions, or that do not change what is computed.
_IGNORED_FIELDS = {"ctx", "kind", "type_comment", "type_params", "returns", "annotation", "simple"}
_STATEMENTS = {"body", "orelse", "finalbody"}
# Imports in these blocks count as the enclosing block's; in all other blocks they are conditional.
_UNCONDITIONAL = {"Module", "FunctionDef", "AsyncFunctionDef", "ClassDef", "With", "AsyncWith"}
_DYNAMIC_IMPORTS = {"import_module", "__import__"}


class ClosureError(ValueError):
    """A source from which no closure can be derived. The message names file and line."""


@dataclass(frozen=True)
class Import:
    """One name that an import statement binds.

    module: the absolute dotted module. name: what is taken from it; None for `import module`.
    """

    line: int
    bound: str
    module: str
    name: str | None = None


@dataclass(frozen=True)
class ModuleSource:
    """What one source file contributes to code versions.

    meaning: SHA-256 of the canonical form and of the package files, 64 hex digits.
    is_empty: whether the module holds only docstrings, comments, annotations and registries.
    imports: at any level, without those under `if TYPE_CHECKING:`.
    registries: name -> {key: dotted module}; see `REGISTRY`.
    dynamic_imports: (line, name of the registry) of each `import_module(REGISTRY[key])`.
    faults: (line, reason) of each dynamic import that cannot be followed.
    """

    path: Path
    meaning: str
    is_empty: bool
    imports: tuple[Import, ...]
    registries: dict[str, dict[str, str]]
    dynamic_imports: tuple[tuple[int, str], ...]
    faults: tuple[tuple[int, str], ...]


def read_source(path: Path, module: str) -> ModuleSource:
    """Reads the source of `module` (dotted). Raises `ClosureError`, `SyntaxError`, `OSError`."""
    tree = ast.parse(path.read_bytes(), filename=str(path))
    writer = _CanonicalWriter(path, module)
    text = writer.write_module(tree)
    digest = hashlib.sha256(text.encode())
    for file in writer.package_files:
        digest.update(b"\0" + hashlib.sha256((path.parent / file).read_bytes()).digest())
    return ModuleSource(
        path,
        digest.hexdigest(),
        text in ("Module()", "Module(body=[])"),
        tuple(writer.imports),
        writer.registries,
        tuple(writer.dynamic_imports),
        tuple(writer.faults),
    )


class _CountedFields(dict[type[ast.AST], tuple[str, ...]]):
    """Class of nodes -> the fields that count, sorted: their order may differ between versions."""

    def __missing__(self, kind: type[ast.AST]) -> tuple[str, ...]:
        self[kind] = tuple(sorted(set(kind._fields) - _IGNORED_FIELDS))
        return self[kind]


_FIELDS = _CountedFields()


class _CanonicalWriter:
    """Writes a syntax tree as text, without the parts that compute nothing, and collects imports.

    Not `ast.unparse` or `ast.dump`, whose texts differ between Python versions.
    """

    def __init__(self, path: Path, module: str):
        self.path = path
        self.package = module.partition(".")[0]
        is_package = path.name == "__init__.py"
        self.parent = module if is_package else module.rpartition(".")[0]
        self.imports: list[Import] = []
        self.registries: dict[str, dict[str, str]] = {}
        self.package_files: list[str] = []
        self.dynamic_imports: list[tuple[int, str]] = []
        self.faults: list[tuple[int, str]] = []
        # The text, with a place for the imports of the module and of each conditional block.
        self._parts = [""]
        self._imports_here: list[Import] = []
        self._blocks = [(0, self._imports_here)]
        self._names: set[str] = set()
        self._typing_names: set[str] = set()
        self._in_class = False

    def write_module(self, tree: ast.Module) -> str:
        """The canonical form. Registries are left out: a version counts the keys that it uses."""
        body = []
        for statement in tree.body:
            name, value = _constant(statement)
            if REGISTRY.fullmatch(name) and (registry := self._registry(value)) is not None:
                self.registries[name] = registry
            # A new release must not recompute anything.
            elif name != "__version__":
                body.append(statement)
            if name == "PACKAGE_FILES":
                self.package_files = self._package_files(statement, value)
        tree.body = body
        self._write(tree)
        for place, imports in self._blocks:
            self._parts[place] = self._bindings(imports)
        return "".join(self._parts)

    def _registry(self, value: ast.expr | None) -> dict[str, str] | None:
        """The registry that a literal is; None for every other dict."""
        registry = _literal(value)
        if not isinstance(registry, dict) or not registry:
            return None
        prefix = f"{self.package}."
        if all(isinstance(key, str) for key in registry) and all(
            isinstance(module, str) and module.startswith(prefix) for module in registry.values()
        ):
            return registry
        return None

    def _package_files(self, statement: ast.stmt, value: ast.expr | None) -> list[str]:
        files = _literal(value)
        if not isinstance(files, tuple) or not all(isinstance(file, str) for file in files):
            raise ClosureError(
                f"{self.path}:{statement.lineno}: write PACKAGE_FILES as a literal tuple of paths"
            )
        for file in files:
            if not (self.path.parent / file).is_file():
                raise ClosureError(f"{self.path}:{statement.lineno}: there is no file {file}")
        return list(files)

    def _bindings(self, imports: Iterable[Import]) -> str:
        """What a block's imports bind, in any order, without names that only annotations use."""
        unused = self._typing_names - self._names
        rows = {
            f"{each.bound}={each.module}:{each.name or ''};"
            for each in imports
            if each.bound not in unused and each.module != "__future__"
        }
        return f"Imports({''.join(sorted(rows))})" if rows else ""

    def _write(self, node: ast.AST) -> None:
        kind = type(node)
        special = _SPECIAL.get(kind)
        if special is None:
            self._write_node(node, kind)
        else:
            special(self, node)

    def _write_node(self, node: ast.AST, kind: type[ast.AST]) -> None:
        append = self._parts.append
        append(f"{kind.__name__}(")
        for field in _FIELDS[kind]:
            value = getattr(node, field, None)
            # Left out, so that an optional field of a later Python changes nothing.
            if value is None or value == []:
                continue
            append(f"{field}=")
            if isinstance(value, ast.AST):
                self._write(value)
            elif not isinstance(value, list):
                append(_atom(value))
            elif field in _STATEMENTS:
                self._write_block(value, kind.__name__ not in _UNCONDITIONAL)
            else:
                self._write_list(value)
        append(")")

    def _write_list(self, values: list[Any]) -> None:
        append = self._parts.append
        append("[")
        for value in values:
            if isinstance(value, ast.AST):
                self._write(value)
            else:
                append(_atom(value))
            append(",")
        append("]")

    def _write_block(self, statements: list[ast.stmt], is_conditional: bool) -> None:
        outer = self._imports_here
        self._parts.append("[")
        if is_conditional:
            self._imports_here = []
            self._blocks.append((len(self._parts), self._imports_here))
            self._parts.append("")
        self._write_statements(statements)
        self._imports_here = outer
        self._parts.append("]")

    def _write_statements(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            self._write(statement)

    def _skip(self, node: ast.AST) -> None:
        """Leaves a statement out."""

    def _write_expression(self, node: ast.Expr) -> None:
        # Docstrings (of constants and fields, too) and `...`.
        if not isinstance(node.value, ast.Constant):
            self._write_node(node, ast.Expr)

    def _write_if(self, node: ast.If) -> None:
        """`if TYPE_CHECKING:` never runs; its `else` always does."""
        names = _names_in(node.test)
        if isinstance(node.test, ast.Name | ast.Attribute) and "TYPE_CHECKING" in names:
            self._typing_names |= names
            self._write_statements(node.orelse)
        else:
            self._write_node(node, ast.If)

    def _write_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._typing_names |= _names_in(node.returns)
        outer, self._in_class = self._in_class, False
        self._write_node(node, type(node))
        self._in_class = outer

    def _write_class(self, node: ast.ClassDef) -> None:
        outer, self._in_class = self._in_class, True
        self._write_node(node, ast.ClassDef)
        self._in_class = outer

    def _write_argument(self, node: ast.arg) -> None:
        if node.annotation is not None:
            self._typing_names |= _names_in(node.annotation)
        self._parts.append(f"arg({_atom(node.arg)})")

    def _write_annotated(self, node: ast.AnnAssign) -> None:
        """In a class, the annotation makes a field; elsewhere it is only an assignment."""
        names = _names_in(node.annotation)
        self._typing_names |= names
        if self._in_class and "ClassVar" not in names:
            self._write_node(node, ast.AnnAssign)
        elif node.value is not None:
            self._write_node(ast.Assign(targets=[node.target], value=node.value), ast.Assign)

    def _write_name(self, node: ast.Name) -> None:
        self._names.add(node.id)
        if node.id in _DYNAMIC_IMPORTS:
            self._fault(node)
        self._parts.append(f"Name({_atom(node.id)})")

    def _write_attribute(self, node: ast.Attribute) -> None:
        if node.attr in _DYNAMIC_IMPORTS:
            self._fault(node)
        self._write_node(node, ast.Attribute)

    def _write_call(self, node: ast.Call) -> None:
        """Accepts `import_module(REGISTRY[key])`; every other dynamic import is a fault."""
        match node:
            case ast.Call(
                func=ast.Name(id="import_module"),
                args=[ast.Subscript(value=ast.Name(id=name), slice=key)],
                keywords=[],
            ) if REGISTRY.fullmatch(name):
                self._names |= {"import_module", name}
                self.dynamic_imports.append((node.lineno, name))
                self._parts.append(f"ImportModule({name},")
                self._write(key)
                self._parts.append(")")
            case _:
                self._write_node(node, ast.Call)

    def _fault(self, node: ast.expr) -> None:
        reason = "write a dynamic import as import_module(NAME_MODULES[key]) of a literal registry"
        self.faults.append((node.lineno, reason))

    def _write_import(self, node: ast.Import) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            self._import(Import(node.lineno, bound, alias.name))

    def _write_import_from(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            above = self.parent.split(".")[: 1 - node.level or None]
            if node.level > self.parent.count(".") + 1:
                raise ClosureError(f"{self.path}:{node.lineno}: import from above the package")
            base = ".".join([*above, base] if base else above)
        for alias in node.names:
            bound = alias.asname or alias.name
            if alias.name in _DYNAMIC_IMPORTS and alias.asname:
                self.faults.append((node.lineno, f"import {alias.name} under its own name"))
            self._import(Import(node.lineno, bound, base, alias.name))

    def _import(self, imported: Import) -> None:
        self.imports.append(imported)
        self._imports_here.append(imported)

    def _write_constant(self, node: ast.Constant) -> None:
        self._parts.append(f"Constant({_atom(node.value)})")

    def _write_joined(self, node: ast.JoinedStr) -> None:
        """An f-string, with adjacent texts merged: Python 3.12 adds empty ones."""
        text = ""
        self._parts.append("JoinedStr(")
        for value in node.values:
            if isinstance(value, ast.Constant):
                text += str(value.value)
                continue
            if text:
                self._parts.append(_atom(text))
                text = ""
            self._write(value)
        self._parts.append((_atom(text) if text else "") + ")")


_SPECIAL: dict[type[ast.AST], Callable[[_CanonicalWriter, Any], None]] = {
    ast.AnnAssign: _CanonicalWriter._write_annotated,
    ast.AsyncFunctionDef: _CanonicalWriter._write_function,
    ast.Attribute: _CanonicalWriter._write_attribute,
    ast.Call: _CanonicalWriter._write_call,
    ast.ClassDef: _CanonicalWriter._write_class,
    ast.Constant: _CanonicalWriter._write_constant,
    ast.Expr: _CanonicalWriter._write_expression,
    ast.FunctionDef: _CanonicalWriter._write_function,
    ast.If: _CanonicalWriter._write_if,
    ast.Import: _CanonicalWriter._write_import,
    ast.ImportFrom: _CanonicalWriter._write_import_from,
    ast.JoinedStr: _CanonicalWriter._write_joined,
    ast.Name: _CanonicalWriter._write_name,
    ast.Pass: _CanonicalWriter._skip,
    ast.arg: _CanonicalWriter._write_argument,
}


def _atom(value: object) -> str:
    """A constant or an identifier. `repr` of a text depends on the Python version's Unicode."""
    if isinstance(value, str):
        return _quote(value)
    return f"{type(value).__name__}:{value!r}"


def _constant(statement: ast.stmt) -> tuple[str, ast.expr | None]:
    """The name and the value of an assignment to one name, else an empty name."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return name, value
        case ast.AnnAssign(target=ast.Name(id=name), value=value):
            return name, value
    return "", None


def _literal(value: ast.expr | None) -> Any:
    """The value of a literal; None for an expression that must be computed."""
    try:
        return None if value is None else ast.literal_eval(value)
    except (TypeError, ValueError):
        return None


def _names_in(annotation: ast.expr | None) -> set[str]:
    """The identifiers of an annotation, also of a quoted one."""
    if annotation is None:
        return set()
    if isinstance(annotation, ast.Name):  # most of them
        return {annotation.id}
    names = set()
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            names.add(node.id)
        elif isinstance(node, ast.Attribute):
            names.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            names |= set(re.findall(r"\w+", node.value))
    return names
