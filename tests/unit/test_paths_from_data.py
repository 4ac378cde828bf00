"""No module that writes or removes files joins a name from data to a path but by `inside`."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODULES = sorted(
    path for folder in ("trailers12k", "scripts") for path in (ROOT / folder).rglob("*.py")
)
NOT_PATHS = (ast.Mult, ast.Sub, ast.Pow, ast.FloorDiv, ast.Mod)
NUMBERS = {"abs", "float", "floor", "int", "len", "max", "mean", "min", "real", "round", "sum"}
WRITERS = re.compile(
    r"rmtree|unlink|rmdir|rename|renames|remove_\w+|removedirs|symlink_to|hardlink_to|link"
    r"|write_\w+|replacing|partial_of|mkdir|makedirs|copyfile|copytree|copy2?|move|touch|utime"
    r"|extract|extractall|save|savez|fetch|truncate"
)
FIXED = "the names are constants of the package, or of Python"
CONFIGURED = "a store, run or source of the configuration, which allows letters, digits, _ - and ."
RULE = "the rule and the wildcards of a job, which wildcard_constraints limit"
CHECKED = "the mid went through `inside` in this function; it has no character of a pattern"
YT_DLP = "a name that yt-dlp gives, in the folder of this download, checked after it"
PERSON = "a path that a person gives, who may write anywhere"
OUTPUT = "the output that a rule declares"
DIGEST = "a hexadecimal digest, computed here or matched by a pattern"
LISTED = "the name was listed from this folder, which holds nothing else"
READ = "only read"
REPLACED = "the folder went through `below`; Git lists this name, and a link there is replaced"
NUMBER = "a division of numbers"

KNOWN: dict[str, dict[str, str]] = {
    "scripts/predict_trailer.py": {"Path(f\"data/{store['name']}.zarr\")": CONFIGURED},
    "scripts/predict_zero_shot.py": {
        "Path(f'data/{RUN[STREAM]}.zarr')": CONFIGURED,
        "folder / f'split{split}'": FIXED,
    },
    "scripts/score_options.py": {"Path(f'results/runs/{run}/split{split}')": CONFIGURED},
    "scripts/score_runs.py": {
        "Path(f'data/{store}.csv')": CONFIGURED,
        "Path(f'data/{store}.zarr')": CONFIGURED,
    },
    "trailers12k/classifier/baselines.py": {
        "Path(folder) / FACTS": FIXED,
        "Path(folder) / f'split{split}'": RULE,
        "Path(folder) / f'split{split}' / name": RULE,
    },
    "trailers12k/classifier/inference.py": {"total / weights": NUMBER},
    "trailers12k/classifier/split_effect.py": {
        "folder / f'{name}.csv'": CONFIGURED,
        "folder / f'{name}.zarr'": CONFIGURED,
    },
    "trailers12k/classifier/training.py": {"folder / name": FIXED},
    "trailers12k/classifier/zero_shot.py": {
        "folder / name": FIXED,
        "rows / np.where(lengths > 0, lengths, 1)": NUMBER,
    },
    "trailers12k/cli/init.py": {
        "folder / name": FIXED,
        "resources.files('trailers12k.cli').joinpath('examples', name)": FIXED,
    },
    "trailers12k/cli/leaderboard.py": {
        "folder / PUBLISHED": FIXED,
        "folder / SETTINGS": FIXED,
        "folder / name": FIXED,
        "own / SETTINGS": FIXED,
    },
    "trailers12k/common/product_records.py": {
        "Path(RECORDS, f'{name}.json')": "a product of a rule; `..` and links are refused there",
        "Path(folder, name.removesuffix('.json'))": READ,
    },
    "trailers12k/common/files.py": {
        "Path(folder, name)": "`inside` itself",
        "folder.glob(f'*{PARTIAL}')": FIXED,
        "path.with_name(name + ending)": (
            "the name of a path that the caller may write, with digits"
        ),
    },
    "trailers12k/downloads/http.py": {
        "path.parent.glob(f'{escape(path.name)}.*{PARTIAL}')": LISTED,
        "path.with_name(f'{path.name}.{fingerprint(url=url, version=version, size=size)}{PARTIAL}')"
        "": DIGEST,
    },
    "trailers12k/downloads/shard.py": {"shard.folder / REFETCHED": FIXED},
    "trailers12k/downloads/trailers.py": {
        "self.folder.glob(f'{movie.mid}.*')": CHECKED,
        "self.folder.glob(f'{mid}.*{PARTIAL}')": CHECKED,
        "partial.with_name(f'{partial.stem}-00000000{PARTIAL}')": LISTED,
    },
    "trailers12k/downloads/ytdlp.py": {
        "Path(f'{name}.joined')": YT_DLP,
        "Path(f'{name}.{number}')": YT_DLP,
    },
    "trailers12k/evaluation/curves.py": {"folder / PREDICTION_FILES['test']": FIXED},
    "trailers12k/evaluation/scores.py": {
        "each.folder / PREDICTION_FILES[subset]": FIXED,
        "each.folder / f'{name}.csv'": FIXED,
    },
    "trailers12k/features/backbones/calibrations.py": {
        "FOLDER / f\"{self.model.replace('/', '.')}{size}.npz\"": (
            "the name of a network that the package or timm has, without separators"
        ),
    },
    "trailers12k/features/batch_sizes.py": {"size / seconds": NUMBER},
    "trailers12k/features/integrity.py": {
        "Path('build/ledger', shard.parent.name, shard.stem)": LISTED,
    },
    "trailers12k/features/speed.py": {
        "_cpu_of(lambda: backbone([noise] * backbone.batch)) / backbone.batch": NUMBER,
        "_cpu_of(listen) / probed.duration": NUMBER,
        "_cpu_of(lambda: measure_sound(trailer, probed.duration)) / probed.duration": NUMBER,
        "count / FPS": NUMBER,
        "times[0] / probed.duration": NUMBER,
        "times[1] / probed.duration": NUMBER,
    },
    "trailers12k/features/store.py": {
        "final / name": FIXED,
        "folder / name": FIXED,
        "partial / name": FIXED,
        "os.path.join(store, mid)": READ,
        "store.glob(f'*{PARTIAL}')": FIXED,
    },
    "trailers12k/features/store_index.py": {
        "DATA / f'{name}.zarr'": CONFIGURED,
        "FEATURES / store": CONFIGURED,
        "INDEXES / store": CONFIGURED,
        "REPAIRS / store": CONFIGURED,
        "store / name": READ,
    },
    "trailers12k/common/content_hashes.py": {
        "RECORDS / f'{hashlib.sha256(os.fsencode(path)).hexdigest()[:32]}.json'": DIGEST,
        "os.path.join(path, name)": READ,
    },
    "trailers12k/jobs/read_audit.py": {"Path(folder) / f'{name}.json'": RULE},
    "trailers12k/jobs/result_cache.py": {
        "FILES / digest": DIGEST,
        "RESULTS.joinpath(rule, *(parts[after:] or ['all']))": RULE,
        "folder / f'{key}.json'": DIGEST,
        "self.entry.with_name(CURRENT)": FIXED,
    },
    "trailers12k/jobs/status.py": {
        "Path(f'build/ledger/{stage}/{shard}.csv')": READ,
        "waiting / speed": NUMBER,
    },
    "trailers12k/jobs/unused_results.py": {
        "Path(folder, name)": LISTED,
        "folder / CURRENT": FIXED,
    },
    "trailers12k/movies/curation.py": {
        "(Path(tables[0]).parent if tables else Path()) / curation": PERSON,
    },
    "trailers12k/movies/sources/collection.py": {"FOLDER / source": CONFIGURED},
    "trailers12k/movies/sources/sample_rendering.py": {
        "away / DISSOLVE": NUMBER,
        "folder / file": READ,
        "take.end / FPS": NUMBER,
        "take.first / FPS": NUMBER,
    },
    "trailers12k/report/drawing.py": {
        "replacing(f'{stem}.png')": OUTPUT,
        "write_text(f'{stem}.svg', svg(chart))": OUTPUT,
    },
    "trailers12k/report/embedding_map.py": {
        "Path(FIGURES_FOLDER) / f'map_{first}.png'": CONFIGURED,
        "Path(folder) / f'map_{store}'": CONFIGURED,
    },
    "trailers12k/report/pictures.py": {
        "Path(folder) / f'{picture.name}.svg'": CONFIGURED,
        "Path(folder) / picture.name": CONFIGURED,
    },
    "trailers12k/report/tables.py": {
        "Path(folder) / f'{name}.csv'": FIXED,
        "Path(self.data, f'{name}.zarr')": CONFIGURED,
    },
    "trailers12k/publish/checking/files.py": {"os.path.join(parent, name)": READ},
    "trailers12k/publish/publication.py": {
        "folder / SHA256SUMS": FIXED,
        "os.path.join(parent, name)": READ,
        "partial / SHA256SUMS": FIXED,
        "target.parent.glob(f'*{PARTIAL}')": FIXED,
    },
    "trailers12k/publish/stamp.py": {"FOLDER / SHA256SUMS": FIXED},
    "trailers12k/review/flags.py": {
        "row.frames / duration": NUMBER,
        "row.shots / duration": NUMBER,
        "row.width / row.height": NUMBER,
        "table['shots'] / table['duration'].where(table['duration'] > 0)": NUMBER,
    },
    "trailers12k/review/page.py": {
        "TEMPLATES / f'review.{end}'": FIXED,
        "folder.glob(f'*{PARTIAL}')": FIXED,
    },
    "trailers12k/settings/presets.py": {"FOLDER / f'{name}.yaml'": FIXED},
    "trailers12k/splits/stratification.py": {"off[:, common] / expected[:, common]": NUMBER},
    "trailers12k/versions/git_files.py": {
        "Path(below('.', folder) if folder else '', name)": REPLACED
    },
    "trailers12k/versions/git_locks.py": {"folder / f'{name}.lock'": FIXED},
    "trailers12k/versions/interruptions.py": {"Path(folder, file)": LISTED},
    "trailers12k/versions/intermediates.py": {
        "Path('build') / stage": FIXED,
        "Path('build/ledger', stage)": FIXED,
    },
    "trailers12k/versions/repository.py": {
        "around.resolve().parent / f'{directory.resolve().name}-versions'": PERSON,
    },
    "trailers12k/versions/run_state.py": {
        "Path('build', *product.parts[1:2])": READ,
        "Path(name, each)": LISTED,
        "folder / file": LISTED,
    },
    "trailers12k/workflow/canonical_source.py": {
        "path.parent / file": READ,
        "self.path.parent / file": READ,
    },
    "trailers12k/workflow/estimate_inputs.py": {
        "Path('build/published', LABELS)": FIXED,
        "Path('benchmarks', EXTRACTION, group.name)": READ,
        "Path('benchmarks', rule)": READ,
        "Path('build/ledger', stage)": READ,
        "Path('build/ledger', stage, f'{path.stem}.csv')": READ,
        "Path('logs', *benchmark.parts[1:])": READ,
        "cpu / movies": NUMBER,
    },
    "trailers12k/workflow/run_lock.py": {
        "Path(f'/proc/{pid}/stat')": READ,
        "folder / HOLDER": READ,
    },
    "trailers12k/workflow/product_check.py": {
        "FILES / content.sha256": DIGEST,
        "folder / each": LISTED,
    },
    "trailers12k/workflow/measured.py": {
        "resources.files('trailers12k.workflow').joinpath('figures', f'{name}.json')": FIXED,
    },
}
"""Module -> each other join in it, and why its name is not from data."""


def joins(tree: ast.Module) -> Iterator[str]:
    """The expressions that make a path of a folder and a name that is no constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            is_join = not isinstance(node.right, ast.Constant) and not _is_number(node)
        elif isinstance(node, ast.Call):
            is_join = _is_joining_call(node)
        else:
            is_join = False
        if is_join:
            yield ast.unparse(node)


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, int | float)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, NOT_PATHS) or _is_number(node.left) or _is_number(node.right)
    if isinstance(node, ast.IfExp):
        return _is_number(node.body) or _is_number(node.orelse)
    return isinstance(node, ast.Call) and _name(node) in NUMBERS


def _name(call: ast.Call) -> str:
    function = call.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _is_joining_call(call: ast.Call) -> bool:
    name = _name(call)
    variable = [each for each in call.args if not isinstance(each, ast.Constant)]
    made = any(isinstance(each, ast.JoinedStr) for each in call.args[:1])
    if name in ("Path", "PurePath", "PurePosixPath"):
        return made or (len(call.args) > 1 and bool(variable))
    if name == "join":
        return ast.unparse(call.func) == "os.path.join" and bool(variable[1:])
    if name in ("joinpath", "with_name", "with_stem", "glob", "rglob"):
        return bool(variable)
    return bool(WRITERS.fullmatch(name)) and made


def writes(tree: ast.Module) -> bool:
    """Whether a module writes or removes files."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = _name(node)
        # `Path.replace` has one argument, and `str.replace` two.
        if WRITERS.fullmatch(name) or (name == "replace" and len(node.args) == 1):
            return True
        modes = [each.value for each in node.args if isinstance(each, ast.Constant)]
        if name == "open" and any(re.fullmatch("[wax]b?[+]?", str(mode)) for mode in modes):
            return True
    return False


def test_only_inside_joins_names_from_data_to_paths_that_are_written_or_removed():
    found: dict[str, set[str]] = {}
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if writes(tree) and (expressions := set(joins(tree))):
            found[path.relative_to(ROOT).as_posix()] = expressions
    known = {module: set(expressions) for module, expressions in KNOWN.items()}
    new = {each: found[each] - known.get(each, set()) for each in found}
    assert not {module: names for module, names in new.items() if names}, "use `inside` or `below`"
    old = {each: known[each] - found.get(each, set()) for each in known}
    assert not {module: names for module, names in old.items() if names}, "these are gone"


def test_the_search_finds_every_kind_of_join():
    for text in (
        "folder / name",
        "folder / f'{name}.csv'",
        "Path(folder, name)",
        "Path(f'data/{name}.zarr')",
        "os.path.join(folder, name)",
        "folder.joinpath(name)",
        "path.with_name(name)",
        "folder.glob(f'{mid}.*')",
        "write_text(f'{stem}.svg', text)",
        "Path(parts[0]) / name",
    ):
        assert list(joins(ast.parse(text)))[:1] == [text]
    for text in ("folder / 'name'", "Path('build')", "2 * size / side", "total / len(names)"):
        assert not list(joins(ast.parse(text)))
