import itertools
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

import trailers12k
from trailers12k.common.errors import UserError
from trailers12k.common.files import (
    inside,
    is_being_written,
    partial_of,
    read_csv,
    read_json,
    replacing,
    sha256_of,
    sweep,
    write_csv,
    write_text,
)
from trailers12k.common.text import FORMULA, escape_formula, unescape_formula


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with pytest.raises(KeyError), replacing(path) as partial:
        partial.write_text("half")
        raise KeyError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_is_read_as_it_was_written(tmp_path):
    rows = [{"mid": "tt0000001", "title": 'a "b", c\nd'}, {"mid": "tt0000002"}]
    write_csv(tmp_path / "t.csv", ["mid", "title"], rows)
    assert read_csv(tmp_path / "t.csv") == [rows[0], {"mid": "tt0000002", "title": ""}]


@pytest.mark.parametrize("name", ["n" * 251 + ".csv", "é" * 125 + ".csv"])
def test_a_name_of_any_length_that_the_file_system_allows_can_be_written(tmp_path, name):
    write_text(tmp_path / name, "text")
    assert [path.name for path in tmp_path.iterdir()] == [name]
    partial = partial_of(tmp_path / name)
    assert len(os.fsencode(partial.name)) <= 255 and is_being_written(partial)
    assert partial_of(tmp_path / "short.csv").name.startswith("short.csv.")


def test_a_file_that_may_not_be_read_is_not_to_be_deleted(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("mid\n")
    path.chmod(0)
    user = os.geteuid()
    os.seteuid(user or 65534)  # root may read all files
    try:
        for read in (read_csv, read_json):
            with pytest.raises(
                UserError, match=r"table.csv cannot be read \(Permission denied\)"
            ) as e:
                read(path)
            assert str(e.value).endswith("; change its permissions")
    finally:
        os.seteuid(user)
    with pytest.raises(UserError, match="it has no column title; delete it and run again$"):
        path.chmod(0o600)
        read_csv(path, ["title"])


def test_sha256_of_a_file(tmp_path):
    write_text(tmp_path / "a", "abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea")


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "/etc", "a\\b", "a\0", "link"])
def test_a_name_cannot_lead_outside_of_its_folder(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "own").symlink_to(folder / "file")
    assert inside(folder, "own") == folder / "own" and inside(folder, "x.y") == folder / "x.y"
    with pytest.raises(UserError, match="folder"):
        inside(folder, name)


WRITE_OFTEN = """
import sys
from trailers12k.common.files import write_text
for _ in range(200):
    write_text(sys.argv[1], sys.argv[2] * 10_000)
"""


def test_two_processes_write_the_same_file_whole(tmp_path):
    path = tmp_path / "table.csv"
    processes = [
        subprocess.Popen([sys.executable, "-c", WRITE_OFTEN, str(path), letter]) for letter in "ab"
    ]
    while any(process.poll() is None for process in processes):
        if path.exists():
            assert path.read_text() in ("a" * 10_000, "b" * 10_000)
    assert [process.returncode for process in processes] == [0, 0]
    assert list(tmp_path.iterdir()) == [path]


def test_two_writers_of_one_process_do_not_interfere(tmp_path):
    path = tmp_path / "table.csv"
    with replacing(path) as first, replacing(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


def test_sweep_removes_only_temporary_files_of_killed_processes(tmp_path):
    child = [sys.executable, "-c", "import os; print(os.getpid())"]
    dead = subprocess.run(child, capture_output=True, text=True, check=True).stdout.strip()
    own = partial_of(tmp_path / "own")
    left = [own.with_name(own.name.replace(f"-{os.getpid()}-", f"-{dead}-"))]
    left += [tmp_path / "old.00000000-1-00000000.partial"]
    stay = [own, tmp_path / "new.00000000-1-00000000.partial", tmp_path / "mine.partial"]
    for path in [*left, *stay]:
        path.touch()
    os.utime(left[1], (1, 1))
    assert is_being_written(own) and own.name.endswith(".partial")
    sweep(tmp_path)
    assert {*tmp_path.iterdir()} == {*stay}


def test_escaped_texts_are_no_formulas_and_can_be_restored():
    letters = ("'", "a", " ", '"', *FORMULA)
    texts = ["".join(some) for n in range(5) for some in itertools.product(letters, repeat=n)]
    draw = random.Random(0)
    texts += ["".join(map(chr, draw.choices(range(0xD000), k=9))) for _ in range(2000)]
    for text in texts:
        escaped = escape_formula(text)
        assert not escaped.startswith(FORMULA)
        assert unescape_formula(escaped) == text
    assert len({*map(escape_formula, texts)}) == len({*texts})
    assert unescape_formula("'=typed by a person") == "=typed by a person"


def test_the_page_escapes_the_same_characters():
    script = (Path(trailers12k.__file__).parent / "review/templates/review.js").read_text()
    (letters,) = re.findall(r"const FORMULA = /\^'\*\[(.*?)\]/;", script)
    pattern = re.compile(f"[{letters}]")
    assert all(pattern.fullmatch(letter) for letter in FORMULA)
    assert not [
        chr(code)
        for code in range(0x10000)
        if pattern.match(chr(code)) and chr(code) not in FORMULA
    ]
