"""Every command, option, key, file, Python name and link in README and docs exists."""

import ast
import builtins
import csv
import importlib
import importlib.util
import re
import runpy
import shlex
from functools import cache

import pytest
import typer
import yaml
from jsonschema import Draft202012Validator
from snakemake.cli import get_argument_parser

from trailers12k.cli.app import create_app
from trailers12k.movies.curation import WRITTEN
from trailers12k.movies.movie_table import COLUMNS as MOVIE_COLUMNS
from trailers12k.settings.allowed import at, json_schema

from . import documented
from .pages import ROOT, commands, pages

GENERATE = runpy.run_path(str(ROOT / "docs" / "generate.py"))
APP = typer.main.get_command(create_app())
COMMANDS = dict(GENERATE["leaves"](APP))
TARGETS = set(GENERATE["TARGETS"])
MAKE = {name.removeprefix("make").strip() for name, _ in GENERATE["make_targets"]()}
SNAKEMAKE = {
    option for action in get_argument_parser()._actions for option in action.option_strings
}
SCHEMA = json_schema()
SECTIONS = set(SCHEMA["properties"])
PROGRAMS = {
    *("apt-get", "cd", "cp", "curl", "dvc", "export", "git", "grep", "jupyter", "ls", "mkdir"),
    *("mv", "nohup", "pip", "pytest", "python", "python3", "rm", "rsync", "ruff", "sbatch", "scp"),
    *("sinfo", "snakefmt", "squeue", "ssh", "tail", "tmux", "unzip", "tar", "wc", "."),
    *("lint-imports", "mypy", "uv", "source", "du", "df", "ln", "less", "cat", "head", "xdg-open"),
    *("sha256sum", "nvidia-smi"),
}
"""Programs other than ours that a page may call."""
FOREIGN_OPTIONS = {"--slurm-partition", "--numprocesses", "--strict", "--editable", "--constraint"}
FOREIGN_OPTIONS |= {"--all-tags"}
"""Options of other programs that a page names by themselves."""
OF_TOOLS = ("datasets", "mlcroissant")
"""Packages of readers, which are apart from ours in .venv/tools."""
PUBLICATION = "".join(
    each.read_text(encoding="utf-8") for each in (ROOT / "trailers12k/publish").rglob("*.py")
)
"""The modules that name the files of a publication."""

PAGES = {page.name: page for page in pages()}


def of_pages(attribute):
    """Parameters: each page with what it has of something."""
    return [pytest.param(page, id=page.name) for page in pages() if getattr(page, attribute)]


# Commands


@pytest.mark.parametrize(
    ("where", "command"),
    [(where, text) for where, text in commands() if re.match(r"trailers12k\b", text)],
    ids=lambda text: re.sub(r"[^\x20-\x7e]", "", text)[:60],
)
def test_a_command_of_ours_exists(where, command):
    words = shlex.split(command.replace("...", ""), comments=True)[1:]
    if not words or words[0] in ("--help", "--version", "COMMAND"):
        return
    path = "trailers12k"
    while words and f"{path} {words[0]}" not in COMMANDS and _is_group(path, words[0]):
        path = f"{path} {words.pop(0)}"
    path = f"{path} {words.pop(0)}" if words else path
    assert path in COMMANDS or _is_group(*path.rsplit(" ", 1)), f"{where}: {path}"
    if path not in COMMANDS:
        return
    settings = COMMANDS[path].context_settings
    known = {"--help", "-h"} | {name for p in COMMANDS[path].params for name in _names(p)}
    if settings.get("ignore_unknown_options"):
        known |= SNAKEMAKE
    options = [word.partition("=")[0] for word in words if word.startswith("-")]
    assert [o for o in options if o not in known] == [], f"{where}: {command}"
    if path == "trailers12k run" and words and not words[0].startswith("-"):
        name = words[0].strip("[]")
        assert name in TARGETS | {"TARGET"} or "/" in name, f"{where}: {command}"


def _is_group(path, name):
    group = APP
    for part in [*path.split()[1:], name]:
        group = getattr(group, "commands", {}).get(part)
    return hasattr(group, "commands")


def _names(parameter):
    return [*parameter.opts, *parameter.secondary_opts]


@pytest.mark.parametrize(
    ("where", "command"),
    [(where, text) for where, text in commands() if not re.match(r"trailers12k\b", text)],
    ids=lambda text: re.sub(r"[^\x20-\x7e]", "", text)[:60],
)
def test_another_command_exists(where, command):
    words = shlex.split(command, comments=True)
    while words and re.fullmatch(r"\w+=.*", words[0]):
        words.pop(0)
    if not words:
        return
    program, *rest = words
    if program == "make":
        names = [word for word in rest if "=" not in word and not word.startswith("-")]
        assert {*names} <= MAKE, f"{where}: {command}"
    elif program == "snakemake":
        options = [word.partition("=")[0] for word in rest if word.startswith("--")]
        assert [o for o in options if o not in SNAKEMAKE] == [], f"{where}: {command}"
    elif program in ("python", "python3") and rest[:1] == ["-m"]:
        assert importlib.util.find_spec(rest[1]), f"{where}: {command}"
    elif program in ("python", "pytest") and rest and rest[0].startswith(("tests/", "docs/")):
        assert (ROOT / rest[0].partition("::")[0]).exists(), f"{where}: {command}"
    else:
        assert program in PROGRAMS or (ROOT / program).is_file(), f"{where}: {command}"


def test_no_page_needs_configfile():
    """`snakemake --configfile x.yaml TARGET` takes the target for a second file."""
    assert [page.name for page in pages() if "--configfile" in page.text] == []


# Code spans

PATTERNS = {
    "option": r"--[a-z][a-z-]+",
    "key": r"[a-z_0-9]+(?:\.[A-Za-z_0-9]+)*(?:\.\*)?",
    "path": r"[\w.*/{}+-]+/[\w.*/{}+-]*"
    r"|[\w.-]+\.(?:py|smk|csv|json|yaml|md|zarr|txt|html|toml|cff)",
    "module": r"trailers12k(?:\.\w+)+(?:\(.*\))?",
    "yaml": r"\{?\w+: .+",
    "class": r"[A-Z][a-z]+(?:[A-Z][a-z]+)+",
    "function": r"[a-z_]\w+\(.*\)",
}


def spans_like(kind):
    return [
        (page.name, span)
        for page in pages()
        for span in dict.fromkeys(page.spans)
        if re.fullmatch(PATTERNS[kind], span)
    ]


def test_every_option_exists():
    ours = {name for command in COMMANDS.values() for p in command.params for name in _names(p)}
    known = ours | SNAKEMAKE | FOREIGN_OPTIONS | {"--help", "--version"}
    found = spans_like("option")
    assert len(found) > 5
    assert [(page, span) for page, span in found if span not in known] == []


def test_every_dotted_key_exists():
    found = [
        (page, span)
        for page, span in spans_like("key")
        if span.partition(".")[0] in SECTIONS and "." in span and not _is_file_name(span)
    ]
    assert len(found) > 20
    assert [(page, span) for page, span in found if not _is_key(span)] == []


def _is_file_name(span):
    return span.rsplit(".", 1)[1] in {"csv", "gz", "py", "yaml", "smk", "json", "zarr", "md", "js"}


def _is_key(span):
    path = span.removesuffix(".*").split(".")
    try:
        at(SCHEMA, path)
    except KeyError:
        return False
    return True


VALIDATOR = Draft202012Validator(SCHEMA)
KEYS = SECTIONS | {key for each in SCHEMA["$defs"].values() for key in each.get("properties", {})}


def test_yaml_in_a_code_span_is_valid():
    found = []
    for page, span in spans_like("yaml"):
        try:
            content = yaml.safe_load(span)
        except yaml.YAMLError:
            continue
        # A value of several words is a message, such as `curation: nothing to do`.
        if isinstance(content, dict) and content.keys() <= KEYS and not _is_message(content):
            found.append((page, span, content))
    assert len(found) > 5
    assert [(page, span) for page, span, content in found if not _is_valid(content)] == []


def _is_message(content):
    return any(isinstance(value, str) and " " in value for value in content.values())


def _is_valid(content):
    """Whether the configuration, or a section of it, may have these keys and values."""
    sections = [SCHEMA, *SCHEMA["$defs"].values()]
    return any(
        content.keys() <= section.get("properties", {}).keys()
        and Draft202012Validator(
            {"$defs": SCHEMA["$defs"], "properties": section["properties"]}
        ).is_valid(content)
        for section in sections
    )


YOURS = re.compile(
    r"profiles/mine/.*|(my-movies|my-12000|other|videos|posters|big|labels|disk|mnt|scratch|home|path|PATH)\b.*"
    r"|(movies|more|labels|sequels|groups|new|old|mine|choices|OUT|OLD|GROUPS|LABELS|status|clip"
    r"|LABELS|report|mtgc|clips|curation|trailer_choices|config|movie_labels)\.(csv|yaml|md|html)"
)
"""Names that a user gives, and files of a collection that pages call by their names alone."""


def test_every_path_exists():
    found = spans_like("path")
    assert len(found) > 30
    assert [(page, span) for page, span in found if not _is_path(span)] == []


def _is_path(span):
    if YOURS.fullmatch(span) or (ROOT / span).exists() or (ROOT / "trailers12k" / span).exists():
        return True
    # Models, addresses, places outside the repository, a publication, and Snakemake's own folder.
    if re.match(
        r"(torchvision|timm|shufflenet3d|logmel|silero|hf|youtu\.be|i\.ytimg\.com|publication|\.snakemake|\.dvc)/"
        r"|\.*/",
        span,
    ):
        return True
    if re.fullmatch(r"(features/STORE|movies)/\*\.parquet", span) or f'"{span}"' in PUBLICATION:
        return True
    if span.startswith(("data", "build", "results", "logs", "benchmarks")):
        plain = re.sub(r"[*{}]+", "X", span).rstrip("/")
        return any(p.fullmatch(plain) for p in documented.paths()) or any(
            re.sub(r"[*]+", "X", p.pattern).startswith(re.escape(plain)) for p in documented.paths()
        )
    if any(c in span for c in "*{"):
        return any(ROOT.glob(re.sub(r"\{[^}]*\}", "*", span)))
    if re.search(r"\b[A-Z]{3,}\b", span):
        return True
    if "/" in span:
        return False
    in_a_run = any(
        each.fullmatch(span) or each.pattern.endswith(f"/{re.escape(span)}(/.*)?")
        for each in documented.paths()
    )
    return in_a_run or any(ROOT.glob(f"*/**/{span}"))


@pytest.mark.parametrize("span", {span for _, span in spans_like("module")})
def test_a_dotted_python_name_exists(span):
    parts = span.partition("(")[0].split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for name in parts[length:]:
            found = getattr(found, name)
        return
    pytest.fail(span)


@cache
def words_of_code():
    paths = [
        *(ROOT / "trailers12k").rglob("*.py"),
        *(ROOT / "rules").glob("*.smk"),
        ROOT / "Snakefile",
        *(ROOT / "tests").rglob("*.py"),
    ]
    return set(re.findall(r"\w+", "\n".join(path.read_text("utf-8") for path in paths)))


FOREIGN = {"PartitionTimeLimit", "DataLoader", "MaxTime"}
"""Names of other programs and libraries."""


def test_every_class_and_function_is_in_the_code():
    found = [*spans_like("class"), *spans_like("function")]
    names = {(page, re.match(r"\w+", span)[0]) for page, span in found}
    unknown = {(page, name) for page, name in names if name not in words_of_code()}
    assert {(p, n) for p, n in unknown if not hasattr(builtins, n) and n not in FOREIGN} == set()


# Blocks

BLOCKS = [block for page in pages() for block in page.blocks]


def blocks(language, with_title=False):
    return [
        pytest.param(block, id=f"{block.page}:{block.line}")
        for block in BLOCKS
        if block.language == language and bool(block.title) == with_title
    ]


def test_every_block_names_its_language():
    allowed = {"sh", "text", "yaml", "python", "csv", "mermaid", "json", "bibtex"}
    unknown = [(b.page, b.line, b.language) for b in BLOCKS if b.language not in allowed]
    assert unknown == []


@pytest.mark.parametrize("block", blocks("yaml"))
def test_a_yaml_block_is_a_valid_part_of_a_configuration(block):
    content = yaml.safe_load(block.text)
    if content is not None:
        assert [error.message for error in VALIDATOR.iter_errors(content)] == []


def _imported(name):
    """A module; None for one of the tools that are apart from our environment."""
    if name in OF_TOOLS:
        assert (ROOT / ".venv" / "tools" / name).is_dir(), "make .venv/tools"
        return None
    return importlib.import_module(name)


@pytest.mark.parametrize("block", blocks("python"))
def test_a_python_block_compiles_and_its_imports_exist(block):
    tree = ast.parse(block.text)
    imported = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = _imported(node.module)
            if module is None:
                continue
            for alias in node.names:
                try:
                    found = getattr(module, alias.name)
                except AttributeError:
                    found = importlib.import_module(f"{node.module}.{alias.name}")
                imported[alias.asname or alias.name] = found
        elif isinstance(node, ast.Import):
            for alias in node.names:
                imported[alias.asname or alias.name] = _imported(alias.name)
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = imported.get(node.value.id)
            assert owner is None or hasattr(owner, node.attr), f"{node.value.id}.{node.attr}"


@pytest.mark.parametrize("block", blocks("csv"))
def test_a_csv_block_has_columns_that_exist(block):
    head, *rows = csv.reader(block.text.strip().splitlines())
    if "decision" in head:
        assert {*head} <= {*WRITTEN}
    elif "title" in head:
        assert {*head} <= {*MOVIE_COLUMNS}
    assert all(len(row) == len(head) for row in rows)


# Links


@pytest.mark.parametrize("page", of_pages("links"))
def test_links_lead_to_files(page):
    """`mkdocs build --strict` also checks anchors, but does not read README.md."""
    folder = (ROOT / page.name).parent
    for link in page.links:
        if not re.match(r"[a-z]+:|#", link):
            assert (folder / link.partition("#")[0]).exists(), link


# README


def test_the_readme_is_short_and_its_sentences_too():
    prose = PAGES["README.md"].prose
    prose = re.sub(r"^\|.*$|^#+ .*$|!\[[^\]]*\]\([^)]*\)", "", prose, flags=re.M)
    prose = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", prose)
    words = re.findall(r"[^\s`*_|-][^\s]*", PAGES["README.md"].prose)
    assert len(words) <= 900
    sentences = re.split(r"(?<=[.!?:])\s+(?=[A-Z`*\[])|\n\s*\n|\n\s*[-*] |\n\d+\. ", prose)
    assert [s for s in sentences if len(s.split()) > 25] == []


@pytest.mark.parametrize("page", [p for p in pages() if p.name.startswith("docs/")])
def test_a_page_of_the_site_begins_with_its_only_title(page):
    if page.name == "docs/contributing.md" or "{{ include" in page.text:
        return
    titles = re.findall(r"^# .+", page.prose, re.M)
    text = re.sub(r"\A---\n.*?\n---\n", "", page.text, flags=re.S)
    assert len(titles) == 1 and text.lstrip().startswith(titles[0])
