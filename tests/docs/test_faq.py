"""The FAQ has an entry for every message of the package that asks a user to do something."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = [*(ROOT / "trailers12k").rglob("*.py"), ROOT / "Makefile", ROOT / "Snakefile"]
FAQ = (ROOT / "docs" / "faq.md").read_text()

USER_ERRORS = ("UserError", "Fault", "SystemExit")
LEAST = 12
"""Characters of a message's longest fixed part; a shorter one passes another message on."""

OF_OTHERS = {
    *("The virtual environment was not created", "make: command not found"),
    *("externally-managed-environment", "No matching distribution found for"),
    *("trailers12k: command not found", "No module named trailers12k"),
    *(
        "Nothing to be done",
        "Using workflow specific profile",
        "Directory cannot be locked",
        "Sign in to confirm",
    ),
    *("HTTP Error", "Unable to extract", "Requested format", "Video unavailable"),
    *("No space left", "Read-only file system", "FileNotFoundError", "Killed"),
    *("GroupNotFoundError", "KeyError", "Checkout failed", "Unable to acquire lock"),
    *("you are not inside of a DVC repository", "no remote specified"),
}
"""How the headings of other programs' messages begin, beside those below "Snakemake's own"."""


def fixed_parts(heading: str) -> list[str]:
    """The parts of a heading between the names and numbers, for which it has an ellipsis."""
    parts = heading.replace("`", "").removeprefix("error: ").split("…")
    return [" ".join(part.split()) for part in parts if part.strip()]


def forms(text: str) -> Iterator[list[str]]:
    """The fixed parts of every heading, and of every message that an entry calls similar."""
    for heading in re.findall(r"^### (.*)$", text, re.M):
        yield fixed_parts(heading)
    for paragraph in re.split(r"\n\s*\n", text):
        if paragraph.startswith("Similar: "):
            yield from map(fixed_parts, re.findall(r"`([^`]+)`", paragraph))


def text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(text_of(part) for part in node.values)
    if isinstance(node, ast.BinOp):
        return text_of(node.left) + text_of(node.right)
    return "…"


def messages() -> Iterator[tuple[str, str]]:
    """Where each error of a user is raised, and its message."""
    for path in (ROOT / "trailers12k").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in USER_ERRORS:
                for argument in node.args[:1]:
                    message = " ".join(text_of(argument).replace("`", "").split())
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", message


def test_every_error_of_a_user_has_an_entry():
    known = list(forms(FAQ))
    found = [each for each in messages() if max(map(len, each[1].split("…"))) >= LEAST]
    assert len(found) > 150
    missing = [
        each for each in found if not any(all(part in each[1] for part in form) for form in known)
    ]
    assert not missing, f"docs/faq.md needs a heading, or a message after `Similar: `: {missing}"


def test_every_entry_is_a_message_that_exists():
    code = " ".join(path.read_text() for path in SOURCES)
    # As written: a message goes on in the next literal.
    code = " ".join(re.sub(r'"\s*\n\s*f?"', "", code).replace("`", "").split())
    own = FAQ.partition("## Snakemake's own messages")[0]
    gone = [
        form
        for form in forms(own)
        if not all(part in code for part in form)
        and not any(form[0].startswith(begin) for begin in OF_OTHERS)
    ]
    assert not gone, f"entries of docs/faq.md for messages that are gone: {gone}"
