"""Code versions: one hash per rule, of all modules that decide the rule's result.

Reads the package's sources; run as a program, it writes closures.txt. Must not import what it
reads; standard library only, since every start of Snakemake waits for it.
"""

import hashlib
import json
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

from trailers12k.workflow.canonical_source import ClosureError, ModuleSource, read_source

CLOSURES = Path(__file__).with_name("closures.txt")
"""The committed table of every rule's closure."""

RESULT_MODULES = {
    "build_metadata": "trailers12k.movies.metadata",
    "check_failures": "trailers12k.jobs.ledger",
    "collect_movies": "trailers12k.movies.sources.collection",
    "compare_rows": "trailers12k.evaluation.comparison",
    "describe_run": "trailers12k.report.tables",
    "detect_clips": "trailers12k.video.clip_detection",
    "draw_curves": "trailers12k.report.curves",
    "draw_report": "trailers12k.report.page",
    "extract_features": "trailers12k.features.extraction",
    "extract_sound": "trailers12k.features.sound_extraction",
    "fit_baselines": "trailers12k.classifier.baselines",
    "flag_trailers": "trailers12k.review.flagging",
    "group_duplicates": "trailers12k.splits.duplicate_groups",
    "list_movies": "trailers12k.movies.movie_table",
    "make_splits": "trailers12k.splits.assignment",
    "map_features": "trailers12k.report.embedding",
    "measure_sound": "trailers12k.video.sound_measures",
    "measure_split_effect": "trailers12k.classifier.split_effect",
    "merge_clips": "trailers12k.video.clip_table",
    "merge_ledger": "trailers12k.movies.curation",
    "merge_store": "trailers12k.features.store",
    "pack_store": "trailers12k.classifier.packing",
    "plot_splits": "trailers12k.report.charts",
    "predict_variants": "trailers12k.classifier.inference",
    "predict_trailer": "trailers12k.classifier.prediction",
    "predict_zero_shot": "trailers12k.classifier.zero_shot",
    "publish_dataset": "trailers12k.publish.publication",
    "render_sample": "trailers12k.movies.sources.sample_rendering",
    "score_options": "trailers12k.evaluation.scores",
    "score_runs": "trailers12k.evaluation.scores",
    "split_by_year": "trailers12k.splits.by_year",
    "summarize_results": "trailers12k.evaluation.summary",
    "train_run": "trailers12k.classifier.training",
    "write_config": "trailers12k.settings.loading",
    "write_leaderboard": "trailers12k.report.leaderboard",
    "write_review": "trailers12k.review.page",
}
"""Rule -> the one module that computes its result. Rules that only fetch have no code version:
what was fetched and checked is never fetched again because of an edit."""


class SourceTree:
    """The sources of one package, each read once.

    root: the package's folder; its name is the package's name.
    """

    def __init__(self, root: Path):
        self.root = root
        self._files = {self._module_of(path): path for path in sorted(root.rglob("*.py"))}
        self._sources: dict[str, ModuleSource] = {}
        self._imported: dict[str, tuple[str, ...]] = {}
        self._versions: dict[tuple[str, frozenset[str] | None], str] = {}

    @property
    def modules(self) -> tuple[str, ...]:
        """All modules of the package, dotted and sorted."""
        return tuple(sorted(self._files))

    def source(self, module: str) -> ModuleSource:
        """The source of a dotted module. Raises `ClosureError`."""
        if module not in self._files:
            raise ClosureError(f"{self.root}: the package has no module {module}")
        if module not in self._sources:
            self._sources[module] = read_source(self._files[module], module)
        return self._sources[module]

    def closure(self, module: str, families: Collection[str] | None = None) -> tuple[str, ...]:
        """See `closure`."""
        return self._closure(module, families)[0]

    def code_version(self, module: str, families: Collection[str] | None = None) -> str:
        """See `code_version`."""
        request = (module, None if families is None else frozenset(families))
        if request not in self._versions:
            modules, choices = self._closure(*request)
            meanings = {name: self.source(name).meaning for name in modules}
            text = json.dumps([meanings, sorted(choices)], sort_keys=True)
            self._versions[request] = hashlib.sha256(text.encode()).hexdigest()[:16]
        return self._versions[request]

    def families(self, module: str) -> tuple[str, ...]:
        """The keys of all registries from which the closure of `module` chooses, sorted."""
        return tuple(sorted({key for _, key, _ in self._closure(module, None)[1]}))

    def _closure(
        self, module: str, families: Collection[str] | None
    ) -> tuple[tuple[str, ...], set[tuple[str, str, str]]]:
        """The sorted modules, and (registry, key, module) of each one chosen by name."""
        pending, reached, keys, choices = [module], set[str](), set[str](), set()
        while pending:
            name = pending.pop()
            if name in reached:
                continue
            reached.add(name)
            pending += self._imports_of(name)
            for line, registry in self.source(name).dynamic_imports:
                for key, chosen in self._registry(name, line, registry).items():
                    keys.add(key)
                    if families is None or key in families:
                        choices.add((registry, key, chosen))
                        pending.append(chosen)
        if unknown := sorted(set(families or ()) - keys):
            raise ClosureError(f"{module}: no registry of its closure has {', '.join(unknown)}")
        return tuple(
            sorted(name for name in reached if name == module or self._counts(name))
        ), choices

    def _counts(self, module: str) -> bool:
        """Whether a module computes anything, which most `__init__.py` do not."""
        source = self.source(module)
        return not (source.is_empty and source.path.name == "__init__.py")

    def _imports_of(self, module: str) -> tuple[str, ...]:
        """The modules that a module's import runs directly, its parent packages included."""
        if module in self._imported:
            return self._imported[module]
        source = self.source(module)
        for line, reason in source.faults:
            raise ClosureError(f"{source.path}:{line}: {reason}")
        parts = module.split(".")
        found = [".".join(parts[:count]) for count in range(1, len(parts))]
        for each in source.imports:
            if each.module.partition(".")[0] != self.root.name:
                continue
            if each.module not in self._files:
                raise ClosureError(f"{source.path}:{each.line}: there is no module {each.module}")
            found.append(each.module)
            if each.name and (submodule := f"{each.module}.{each.name}") in self._files:
                found.append(submodule)
        self._imported[module] = tuple(name for name in found if name in self._files)
        return self._imported[module]

    def _registry(self, module: str, line: int, name: str) -> Mapping[str, str]:
        """The registry called `name` in a module: its own, or imported from another module."""
        source = self.source(module)
        if name in source.registries:
            return source.registries[name]
        for each in source.imports:
            if each.bound == name and each.name and each.module in self._files:
                registries = self.source(each.module).registries
                if each.name in registries:
                    return registries[each.name]
        raise ClosureError(
            f"{source.path}:{line}: {name} is no literal dict of this package's modules"
        )

    def _module_of(self, path: Path) -> str:
        parts = path.relative_to(self.root.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def package() -> SourceTree:
    """The sources of this package."""
    return SourceTree(Path(__file__).parents[1])


def closure(module: str, families: Collection[str] | None = None) -> tuple[str, ...]:
    """All modules of the package that `module` (dotted) imports, itself included, sorted.

    Imports count at any level but under `if TYPE_CHECKING:`. The `__init__.py` of a package counts
    when it computes something.
    families: keys of registries, whose modules count; by default all keys. A registry is a literal
        dict, key -> dotted module, at a module's level, whose name ends in `_MODULES`; modules are
        chosen from it by `import_module(NAME_MODULES[key])`.
    Raises `ClosureError` for a dynamic import of another form, for a module that does not exist,
    and for a family that no registry of the closure has.
    """
    return package().closure(module, families)


def code_version(module: str, families: Collection[str] | None = None) -> str:
    """A hash of what the closure of `module` computes, 16 hex digits; see `closure`.

    Comments, docstrings, formatting, annotations, `__version__` and the Python version do not
    count: otherwise a corrected spelling mistake or a release would recompute the features of
    12,000 trailers. Of an annotated field of a class, the name and the default count. Of a
    registry, only the entries of `families` count. A module may name data files in a literal tuple
    `PACKAGE_FILES` (paths relative to the module's folder); their bytes count.
    Raises `ClosureError`, as `closure` does.
    """
    return package().code_version(module, families)


def rule_version(rule: str, families: Collection[str] | None = None) -> str:
    """The code version of a rule's result; see `RESULT_MODULES`. Raises `KeyError`."""
    return code_version(RESULT_MODULES[rule], families)


def rules_table(tree: SourceTree | None = None, rules: Mapping[str, str] = RESULT_MODULES) -> str:
    """Every rule with the modules of its closure; the key of a registry follows what it adds."""
    tree = tree or package()
    lines = ["# Written by: python -m trailers12k.workflow.code_versions"]
    for rule, module in sorted(rules.items()):
        lines += ["", f"{rule}: {module}"]
        keys: dict[str, list[str]] = {name: [] for name in tree.closure(module)}
        common = tree.closure(module, ())
        for key in tree.families(module):
            for name in set(tree.closure(module, [key])) - set(common):
                keys[name].append(key)
        lines += [f"    {name}{_in_brackets(keys[name])}" for name in keys]
    return "\n".join(lines) + "\n"


def _in_brackets(keys: list[str]) -> str:
    return f" [{', '.join(keys)}]" if keys else ""


def main() -> None:
    """Writes closures.txt."""
    CLOSURES.write_text(rules_table(), encoding="utf-8")


if __name__ == "__main__":
    main()
