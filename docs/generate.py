"""Generates the tables of the pages docs/commands.md, docs/reasons.md and docs/reliability.md.

Reads the command, the targets, the Makefile, the texts of the reasons, and what was measured of
faults and hostile inputs; writes the part of each page between its two marks. Must not know what a
command does.

    python docs/generate.py            # or --check: fail if a page is not current
"""

import difflib
import json
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from trailers12k.cli.app import create_app
from trailers12k.jobs import reason_texts

DOCS = Path(__file__).parent
TARGETS = {
    "all": "Everything. The default.",
    "metadata": "The movies and their metadata: `data/movies.csv`, `data/metadata.json`. Downloads "
    "the trailers, which the metadata describes.",
    "trailers": "Downloads of trailers.",
    "posters": "Downloads of posters.",
    "clips": "Shots and clips: `data/clips.csv`.",
    "weights": "Downloads of all pretrained weights that the configuration names.",
    "features": "All stores: `data/STORE.zarr`.",
    "splits": "The three splits: `data/mtgc.csv`.",
    "evaluate": "Training, predictions and the results table: `results/summary.md`.",
    "report": "The report: `results/report/index.html`.",
    "publish": "The files of a published dataset: `publication/`.",
    "review": "The review page: `results/review/index.html`. Nothing is trained.",
}
"""Target -> what it makes. `predict`, `status` and `diff` only name the command to use instead."""

REASON_TABLES: dict[str, tuple[Mapping[str, reason_texts.ReasonText], str]] = {
    "The download failed": (
        reason_texts.DOWNLOADS,
        "The site, the server or the disk did not give the file. Stages `trailers` and `posters`; "
        "the sources `tmdb` and `search` have some of them too.",
    ),
    "The file failed a check": (
        reason_texts.CHECKS,
        "Every file is decoded to its end before it counts.",
    ),
    "A source of movies": (
        reason_texts.SOURCES,
        "Stages `imdb`, `trailers12k`, `tmdb` and `search`.",
    ),
    "A later stage, or your decision": (
        reason_texts.STAGES,
        "Stages `clips`, `curation` and the stores; `no_address` and `stopped` are reasons of "
        "downloads that were not begun.",
    ),
    "Only in the report": (
        reason_texts.REPORT,
        "The report counts movies that have features but do not reach the results table.",
    ),
}


def reasons() -> str:
    """A section per group of reasons, with a heading per reason, which the search finds."""
    parts = []
    for title, (texts, description) in REASON_TABLES.items():
        parts.append(f"## {title}\n\n{description}\n")
        for reason in sorted(texts):
            meaning, remedy = texts[reason]
            lines = [f"### `{reason}`", "", meaning]
            if remedy:
                lines += ["", f"**What to do:** {remedy}"]
            if texts is not reason_texts.REPORT:
                lines += ["", f"**Tried again:** {reason_texts.when_retried(reason)}."]
            parts.append("\n".join(lines) + "\n")
    return "\n".join(parts)


def commands() -> str:
    """Usage, arguments, options and examples of every command, then targets and make targets."""
    app = typer.main.get_command(create_app())
    parts = [_command(path, command) for path, command in leaves(app)]
    targets = [(f"`{name}`", text) for name, text in TARGETS.items()]
    parts.append(
        "## Targets\n\n"
        "`trailers12k run TARGET` makes one part, and what it needs. Several may be named.\n\n"
        + _table(("Target", "Makes"), targets)
    )
    parts.append(
        "## make\n\nThese work in a clone of the repository.\n\n"
        + _table(("Command", "Does"), [(f"`{name}`", text) for name, text in make_targets()])
    )
    return "\n".join(parts)


MEASURED = DOCS.parent / "trailers12k/workflow/figures/reliability.json"
"""What `make faults`, `make damage` and `make reliability` measured."""
RELIABILITY = {
    "faults": (
        "Faults",
        "{tried} faults, in builds of a small sample. Kills and signals come at random moments, "
        "about four in a build; after each, the same command goes on. Two runs at once and a full "
        "disk are one fault in a build each. File times change in a finished build, for a third of "
        "its files. The products of a build are compared once, at its end. If all are those of an "
        "undisturbed build, byte for byte, each of its faults counts as *equal products*. *Done "
        "again* counts finished movies whose work was repeated. A power cut is a kill after which "
        "temporary files lose a part.",
        {
            "fault": "Fault",
            "tried": "Times",
            "builds": "Builds",
            "survived": "Equal products",
            "lost": "Done again",
        },
    ),
    "damages": (
        "Damaged files",
        "{tried} of {pairs} pairs of a file and a damage, on copies of a finished small sample. "
        "The files are one of each kind in `data/`, `build/`, `results/`, `logs/` and "
        "`benchmarks/`. After the damage the sample ran again. Several files are damaged at once; "
        "a file counts only where no other damage can have led to its repair, and is else tried "
        "again without the others.\n\n"
        "- *Equal after a run*: this run alone ended with the products of the undamaged sample, "
        "byte for byte. It made the file again, or did not need it.\n"
        "- *Named in one line*: a line named the file and a command. After that command and "
        "another run, the products were equal. For a product that no job reads, `trailers12k "
        "verify` printed that line.\n"
        "- *Neither*: a traceback, other products, or a fault that `verify` did not find.\n\n",
        {
            "damage": "Damage",
            "pairs": "Pairs",
            "tried": "Tried",
            "remade": "Equal after a run",
            "named": "Named in one line",
            "lost": "Neither",
        },
    ),
    "inputs": (
        "Hostile inputs",
        "What each of {count} inputs got as its answer, with its peak of memory (MB) and its time "
        "(s) beyond those of the start of a process. A test repeats each. *Accepted* means that "
        "the input was read within its bound, or that it did no harm. `PORT` stands for a number.",
        {
            "kind": "Kind",
            "name": "Input",
            "bound": "Bound",
            "answer": "Answer",
            "mb": "MB",
            "seconds": "s",
        },
    ),
}
"""Key of `MEASURED` -> heading, introduction, and the columns of its table."""


def reliability() -> str:
    """A section and a table for each of `RELIABILITY` that was measured."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))["figures"]
    parts = []
    for key, (heading, introduction, columns) in RELIABILITY.items():
        if key not in measured:
            continue
        rows = measured[key]["rows"]
        kinds = list(dict.fromkeys(row.get("kind") for row in rows))
        rows = sorted(rows, key=lambda row: kinds.index(row.get("kind")))
        tried, pairs = (sum(row.get(name, 0) for row in rows) for name in ("tried", "pairs"))
        text = introduction.format(count=len(rows), tried=tried, pairs=pairs)
        cells = (
            tuple(_code(row[name]) if name == "answer" else str(row[name]) for name in columns)
            for row in rows
        )
        table = _table(tuple(columns.values()), cells)
        if "answer" in columns:
            table = f'<div class="wide" markdown>\n\n{table}\n</div>\n'
        where = f"Measured on {measured[key]['date']}, {measured[key]['machine']}."
        parts.append(
            f"## {heading}\n\n{text}{'' if text[-1:].isspace() else ' '}{where}\n\n{table}"
        )
    return "\n".join(parts)


def _code(answer: str) -> str:
    return f"`` {answer} ``" if answer else "accepted"


def leaves(app: Any, path: str = "trailers12k") -> Iterable[tuple[str, Any]]:
    """Every command that can be called, without hidden ones, with its full name."""
    for name, command in app.commands.items():
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from leaves(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def options_of(command: Any) -> list[Any]:
    """The visible options of a command."""
    return [p for p in command.params if p.param_type_name == "option" and not p.hidden]


def make_targets() -> list[tuple[str, str]]:
    """Command and description of each line at the top of the Makefile."""
    lines = (DOCS.parent / "Makefile").read_text(encoding="utf-8").splitlines()
    matches = (re.fullmatch(r"# (make(?: [a-z-]+)?) {2,}(.+)", line) for line in lines)
    return [(match[1], match[2]) for match in matches if match]


def _command(path: str, command: Any) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    usage = [path]
    usage += [_name(p) if p.required else f"[{_name(p)}]" for p in arguments]
    options = options_of(command)
    for option in options:
        if option.required:
            usage.append(_spelling(option))
    if any(not option.required for option in options):
        usage.append("[OPTIONS]")
    if command.context_settings.get("ignore_unknown_options"):
        usage.append("[SNAKEMAKE OPTIONS]")
    lines = [f"## {path}", "", _prose(command.help), "", f"```text\n{' '.join(usage)}\n```", ""]
    rows = [(f"`{_name(p)}`", _with_default(p)) for p in arguments]
    rows += [(f"`{_spelling(p)}`", _with_default(p)) for p in options]
    if rows:
        lines.append(_table(("Argument or option", "Meaning"), rows))
    shown = (command.epilog or "").partition("Examples:\n")[2]
    if shown:
        block = "\n".join(line.strip() for line in shown.splitlines())
        lines += [f"```sh\n{block}\n```", ""]
    return "\n".join(lines)


def _name(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper()).strip("[]")


def _spelling(option: Any) -> str:
    names = " / ".join([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return names
    kind = option.type_descriptor.annotation
    default_metavar = getattr(kind, "__name__", "VALUE").upper()
    return f"{names} {option.metavar or default_metavar}"


def _with_default(parameter: Any) -> str:
    text = parameter.help or ""
    default = parameter.default
    if default is True:
        text += f" Default: `{parameter.opts[0]}`."
    elif default:
        text += f" Default: `{default}`."
    return text


def _prose(text: str | None) -> str:
    """A help text as Markdown: the paragraphs, each in one line."""
    paragraphs = (text or "").replace("\b", "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, ("---",) * len(heads), *rows]
    cells = [" | ".join(cell.replace("|", r"\|") for cell in line) for line in lines]
    return "\n".join(f"| {line} |" for line in cells) + "\n"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "reasons.md": reasons,
    "reliability.md": reliability,
}
BEGIN = "<!-- Generated by `python docs/generate.py`: begin -->\n"
END = "<!-- Generated: end -->\n"


def page_text(name: str) -> str:
    """A page with its generated part replaced. Raises ValueError without the two marks."""
    before, rest = (DOCS / name).read_text(encoding="utf-8").split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{PAGES[name]()}\n{END}{after}"


def main() -> None:
    """Write the pages, or with --check print how they differ and exit with 1."""
    texts = {DOCS / name: page_text(name) for name in PAGES}
    if "--check" not in sys.argv:
        for path, text in texts.items():
            path.write_text(text, encoding="utf-8")
        return
    for path, text in texts.items():
        old = path.read_text(encoding="utf-8")
        if old != text:
            diff = difflib.unified_diff(old.splitlines(), text.splitlines(), lineterm="")
            sys.exit("\n".join(["run: python docs/generate.py", *diff]))


if __name__ == "__main__":
    main()
