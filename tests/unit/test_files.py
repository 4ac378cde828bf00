import itertools
import random
import re
from pathlib import Path

import pytest

import trailers12k
from trailers12k.files import (
    FORMULA,
    escape_formula,
    read_csv,
    replacing,
    sha256_of,
    unescape_formula,
    write_csv,
    write_text,
)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "table.csv"
    write_text(path, "old")
    with pytest.raises(KeyError), replacing(path) as partial:
        partial.write_text("half")
        raise KeyError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_table_comes_back_as_it_was(tmp_path):
    rows = [{"mid": "tt0000001", "title": 'a "b", c\nd'}, {"mid": "tt0000002"}]
    write_csv(tmp_path / "t.csv", ["mid", "title"], rows)
    assert read_csv(tmp_path / "t.csv") == [rows[0], {"mid": "tt0000002", "title": ""}]


def test_sha256_of_a_file(tmp_path):
    write_text(tmp_path / "a", "abc")
    assert sha256_of(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_every_text_comes_back_from_its_escaped_form_which_is_no_formula():
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
    script = (Path(trailers12k.__file__).parent / "templates/review.js").read_text()
    (letters,) = re.findall(r"const FORMULA = /\^'\*\[(.*?)\]/;", script)
    pattern = re.compile(f"[{letters}]")
    assert all(pattern.fullmatch(letter) for letter in FORMULA)
    assert not [
        chr(code)
        for code in range(0x10000)
        if pattern.match(chr(code)) and chr(code) not in FORMULA
    ]
