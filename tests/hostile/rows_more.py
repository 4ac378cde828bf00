"""Hostile configurations, weights, and texts for pages and spreadsheets."""

import gzip
import importlib
import pickle
from collections.abc import Callable
from pathlib import Path

from tests.hostile.inputs import HostileInput
from trailers12k.features.backbones.spec import Weights

NOTHING_RUNS = "no code of a file runs"


def _config(text: str | bytes) -> Callable[[Path], Path]:
    """Writes config.yaml."""

    def make(folder: Path) -> Path:
        data = text.encode() if isinstance(text, str) else text
        (folder / "config.yaml").write_bytes(data)
        return folder

    return make


def _load(folder: Path) -> object:
    from trailers12k.settings import load
    from trailers12k.settings.files import read_config

    return load(read_config())


LAUGHS = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"b{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
)
MERGES = "a: &a0 {x: 1, y: 2}\n" + "".join(
    f"b{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}], k{level}: 1}}\n"
    for level in range(1, 9)
)


def _config_rows() -> list[HostileInput]:
    number, name = "a finite number", "1 to 60 letters, digits, _, + and -"
    rows = [
        ("10 aliases in each of 9 levels", LAUGHS, "config.*", "the number of aliases"),
        ("merged mappings in each of 9 levels", MERGES, "config.*", "the number of aliases"),
        ("an alias within itself", "runs: &a\n  x: *a\n", "config.*", "no circle"),
        ("a list of 100,000 levels", "runs: " + "[" * 100_000, "config.*", "the depth"),
        ("a Python object", "seed: !!python/object/apply:os.getpid []\n", "config.*", NOTHING_RUNS),
        ("a key of 100,000 characters", f"{'k' * 100_000}: 1\n", "config", "120 characters"),
        (
            "a text of 100,000 characters",
            f"seed: {'a' * 100_000}\n",
            "config",
            "120 characters quoted",
        ),
        ("NaN", "downloads: {timeout: .nan}\n", r"config: downloads\.timeout", number),
        ("infinity", "downloads: {retry_pause: .inf}\n", r"config: downloads\.retry_pause", number),
        ("a count of 2.0", "shards: 2.0\n", "config: shards", "a whole number"),
        ("a name of 61 letters", f"runs: {{{'a' * 61}: {{image: x}}}}\n", "config: runs: ", name),
        ("a name that ends in a line feed", 'runs: {"a\\n": {image: x}}\n', "config: runs: ", name),
        ("a number of 5000 digits", f"seed: {'9' * 5000}\n", "config.*", "4,300 digits"),
        ("bytes that are not UTF-8", b"seed: \xff\xfe\n", r"config\.yaml", "UTF-8"),
        ("a control character", b"seed: \x07\n", r"config\.yaml", "printable YAML"),
    ]
    return [
        HostileInput("configuration", name, _config(text), _load, answer, bound, 50, 5)
        for name, text, answer, bound in rows
    ]


class _Marker:
    """Unpickled, it writes a file."""

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (Path("executed"),))


def _pickled() -> bytes:
    return pickle.dumps(_Marker())


def _not_executed(use: Callable[[Path], object]) -> Callable[[Path], object]:
    def call(made: Path) -> object:
        try:
            return use(made)
        finally:
            assert not Path("executed").exists()

    return call


def _weights(data: Callable[[], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        importlib.import_module("torch")  # which takes more memory than the child may
        (folder / "weights.pth").write_bytes(data())
        return folder / "weights.pth"

    return make


def _load_weights(path: Path) -> object:
    from torch import nn

    from trailers12k.features.backbones.weights import load_state

    weights = Weights("shufflenet3d/1.0x", "pretrained", str(path), "", "", 1)
    return load_state(nn.Linear(2, 2), weights)


def _text_rows() -> list[HostileInput]:
    script = "</script><script>alert(1)</script>"
    return [
        HostileInput(
            "title",
            "a script, in the pages",
            lambda folder: script,
            _in_pages,
            "",
            "foreign text is text",
        ),
        HostileInput(
            "note",
            "a formula, in curation.csv",
            lambda folder: "=HYPERLINK(1)",
            _in_a_spreadsheet,
            "",
            "a quote before =, +, - and @",
        ),
    ]


def _in_pages(text: str) -> None:
    from trailers12k.report.formatting import breakable, json_for_script, template_environment
    from trailers12k.review.page import _json

    template = template_environment().from_string("<p title='{{ text }}'>{{ text }}</p>")
    shown = [template.render(text=text), breakable(text), json_for_script([text]), _json([text])]
    assert not any("<script" in each or "</script" in each for each in shown), shown


def _in_a_spreadsheet(text: str) -> None:
    from trailers12k.movies import curation

    decision = curation.Decision("tt0000001", "unsure", note=text)
    curation.write("curation.csv", [(decision, text)], {})
    assert f",{text}" not in Path("curation.csv").read_text()
    assert curation.read("curation.csv") == {"tt0000001": decision}


ROWS = [
    *_config_rows(),
    HostileInput(
        "weights",
        "a pickle that runs code",
        _weights(_pickled),
        _not_executed(_load_weights),
        "backbone shufflenet3d.* does not hold its weights",
        NOTHING_RUNS,
        most_mb=300,
    ),
    HostileInput(
        "weights",
        "1 MB of gzip",
        _weights(lambda: gzip.compress(bytes(1_000_000))),
        _load_weights,
        "backbone shufflenet3d.* does not hold its weights",
        "PyTorch's files",
        most_mb=300,
    ),
    *_text_rows(),
]
