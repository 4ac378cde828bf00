"""Hostile names on the command line: every command that takes one answers in one line.

But for trailers of `predict`, which the Snakefile checks as a key of the configuration.
"""

import pytest

from trailers12k.cli.app import COMMANDS, create_app

LONGEST = 400
"""Characters of an answer."""
NAMES = {"line-feed": "no\nsuch", "long": "x" * 5000, "long-with-blanks": "x " * 2500}
MP4 = "tt0111161"
CALLS = [
    *(["init", "NAME/x"], ["predict", "a.mp4", "NAME"]),
    *(["run", "-n", "NAME"], ["run", "--directory", "NAME"], ["run", "--configfile", "NAME"]),
    *(["run", "-n", "--config", "NAME=1"], ["run", "-n", "--unlock", "NAME"], ["review", "NAME"]),
    *(["status", "--csv", "a.csv/NAME"], ["diff", "NAME"], ["diff", "main", "NAME"]),
    *(["snapshot", "--version", "NAME"], ["restore", "NAME"], ["backbones", "NAME"]),
    *(["publish", "--to", "NAME"], ["publish", "--to", "data/NAME"]),
    *(["stores", "describe", "NAME"], ["stores", "verify", "NAME"]),
    ["stores", "verify", "data/a.zarr", "--clips", "NAME"],
    *(["clips", "cut", "NAME", "0", "a.mp4"], ["clips", "cut", MP4, "0", "NAME"]),
    *(["clips", "cut", MP4, "0", "NAME.mp4"], ["clips", "cut", MP4, "0", "NAME/a.mp4"]),
    *(
        ["splits", "NAME", "o.csv", "--seed", "1"],
        ["splits", "labels.csv", "a.csv/NAME", "--seed=1"],
    ),
    ["splits", "labels.csv", "o.csv", "--seed", "1", "--extend", "NAME"],
    ["splits", "labels.csv", "o.csv", "--seed", "1", "--groups", "NAME"],
    ["leaderboard", "NAME"],
]
WITHOUT = {"estimate", "verify", "stages", "clean"}
"""Commands that take neither a path nor a name."""


def test_every_command_is_called():
    called = {words[0] for words in CALLS}
    assert called | WITHOUT == {module.__name__.rpartition(".")[2] for module in COMMANDS}
    assert create_app().registered_commands


@pytest.fixture
def files(collection):
    """What a command needs to come to the name."""
    (collection / "data/a.zarr").mkdir(parents=True)
    (collection / "data/a.zarr/.zgroup").write_text('{"zarr_format": 2}')
    (collection / "data/clips.csv").write_text("mid,clip,shot,start,end\n")
    rows = "".join(f"tt{n:07},{n % 2},{(n + 1) % 2}\n" for n in range(20))
    (collection / "labels.csv").write_text(f"mid,drama,crime\n{rows}")
    (collection / "a.csv").write_text("mid\n")


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
@pytest.mark.parametrize("words", CALLS, ids=" ".join)
def test_a_hostile_name_is_answered_in_one_line(files, call, monkeypatch, words, name):
    def start(arguments):
        raise AssertionError(f"Snakemake is started with {arguments}")

    monkeypatch.setattr("trailers12k.cli.snakemake.run", start)
    if words[0] == "init" and name == NAMES["line-feed"]:
        pytest.skip("it is a name like any other")
    code, _, said = call(*(word.replace("NAME", name) for word in words))
    assert code == 2 and said.startswith("error: ") and said.count("\n") == 1, said
    assert len(said) <= LONGEST and said.strip().isprintable(), said
