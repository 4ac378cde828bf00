"""Files and data are read within bounds, and every fault is one line that names the file."""

import gzip
import json
import os
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailers12k.common.bounded_files import (
    MEMBERS,
    QUOTED,
    opened,
    parse_json,
    quoted,
    read_bytes,
    shown_path,
    unpacked,
)
from trailers12k.common.errors import UserError


def said(call, *arguments, **more):
    with pytest.raises(UserError) as error:
        call(*arguments, **more)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_file_is_read_whole(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 200_000)
    assert read_bytes(path, 200_000) == b"x" * 200_000
    with opened(path, 200_000) as file:
        assert file.readline(10) == b"x" * 10


def test_a_file_with_more_bytes_is_refused(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"x" * 11)
    assert said(read_bytes, path, 10) == f"{path} has 11 bytes; allowed: at most 10 bytes"
    message = said(read_bytes, path, 10, "sources.most")
    assert message.endswith("at most 10 bytes (sources.most in the configuration)")


def test_a_file_whose_size_is_unknown_is_refused_while_it_is_read():
    assert os.stat("/proc/self/status").st_size == 0
    assert "has more than 10 bytes" in said(read_bytes, "/proc/self/status", 10)


def test_only_files_are_opened(tmp_path):
    fifo, loop, sock = (tmp_path / name for name in ("fifo", "loop", "socket"))
    os.mkfifo(fifo)
    loop.symlink_to(loop)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(sock))
        device = "is a device, a pipe or a socket"
        assert said(read_bytes, fifo, 10) == f"{fifo} {device}; allowed: a file"
        assert device in said(read_bytes, sock, 10)
        assert device in said(read_bytes, "/dev/zero", 10)
    assert said(read_bytes, tmp_path, 10) == f"{tmp_path} is a folder; allowed: a file"
    assert (
        said(read_bytes, tmp_path / "no", 10)
        == f"{tmp_path / 'no'} does not exist; allowed: a file"
    )
    assert "Too many levels of symbolic links" in said(read_bytes, loop, 10)
    assert "null" in said(read_bytes, "a\0b", 10)
    assert len(said(read_bytes, "a" * 5000, 10)) < 200


def test_gzip_streams_of_several_members_with_padding(tmp_path):
    packed = gzip.compress(b"one") + gzip.compress(b"") + gzip.compress(b"two") + bytes(1000)
    assert unpacked(packed, 6, "a").read() == b"onetwo"
    (tmp_path / "a").write_bytes(packed)
    with unpacked(opened(tmp_path / "a", 2000), 6, "a") as file:
        assert list(file) == [b"onetwo"]


@given(st.lists(st.binary(max_size=300_000), min_size=1, max_size=3))
def test_unpacked_is_the_inverse_of_gzip(parts):
    packed = b"".join(map(gzip.compress, parts))
    assert unpacked(packed, 10**6, "a").read() == b"".join(parts)


def test_gzip_streams_are_bounded():
    packed = gzip.compress(bytes(10**7))
    message = said(unpacked(packed, 10**6, "a").read)
    assert message == "a unpacks to more than 1 MB; allowed: at most 1 MB"
    many = gzip.compress(b"") * (MEMBERS + 1)
    assert "members" in said(unpacked(many, 10, "a").read)


@pytest.mark.parametrize("cut", [0, 5, 30, -1])
def test_damaged_gzip_streams_are_refused(cut):
    packed = gzip.compress(os.urandom(1000))
    message = said(unpacked(packed[:cut], 10**6, "a").read)
    assert message == "a: truncated or damaged (the gzip stream has no end)"


def test_other_bytes_are_no_gzip_stream():
    packed = bytearray(gzip.compress(b"abc"))
    packed[-8] ^= 1
    message = said(unpacked(bytes(packed), 100, "a").read)
    assert message == "a: truncated or damaged (no gzip stream: incorrect data check)"
    assert "incorrect header check" in said(unpacked(b"abc", 100, "a").read)
    assert "incorrect header" in said(unpacked(gzip.compress(b"") + b"abc", 100, "a").read)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=20))
def test_json_is_parsed(value):
    assert parse_json(json.dumps(value), "a") == value
    assert parse_json(json.dumps(value).encode(), "a") == value


@pytest.mark.parametrize("depth", [51, 900, 100_000])
@pytest.mark.parametrize(("first", "last"), [("[", "]"), ('{"a":', "}")])
def test_deep_json_is_refused(depth, first, last):
    message = said(parse_json, first * depth + "1" + last * depth, "a")
    assert message == "a is nested too deeply; allowed: at most 50 levels"
    parse_json(first * 50 + "1" + last * 50, "a")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "a, line 1, column 1: not JSON (Expecting value)"),
        ('{"a": NaN}', "a is not JSON: NaN is no number"),
        ("[-Infinity]", "a is not JSON: -Infinity is no number"),
        ("[1e999]", "a is not JSON: '1e999' is too large"),
        ("1" * 10**6, "a is not JSON: Exceeds the limit"),
        (b"\xff\xfe1\0", "a is not JSON: byte 0 is not UTF-8"),
        ("[" + "1," * 6_000_000 + "1]", "a has too many values; allowed: at most 5,000,000"),
    ],
)
def test_other_json_is_refused(text, message):
    assert said(parse_json, text, "a").startswith(message)


def test_nan_can_be_allowed():
    assert parse_json("[1e999, NaN]", "a", not_finite=True)[0] == float("inf")


def test_the_last_of_two_keys_counts():
    assert parse_json('{"a": 1, "a": 2}', "a") == {"a": 2}


@pytest.mark.parametrize("value", ["abc", "", "a'b", b"abc", 3, 1.5, None, [1, "a"], {"a": [()]}])
def test_short_values_are_quoted_as_by_repr(value):
    assert quoted(value) == repr(value)


@given(
    st.recursive(
        st.text() | st.integers() | st.floats() | st.binary(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=50,
    )
)
def test_quoted_is_one_short_line(value):
    shown = quoted(value)
    assert len(shown) <= QUOTED and shown.isprintable()


def test_long_values_are_quoted_in_part():
    assert quoted("x" * 1000) == "'" + "x" * 117 + "…'"
    assert len(quoted("\x00" * 10**6)) == QUOTED
    assert quoted(10**5000) == "a number of about 5001 digits"
    laughs: list[object] = ["ha"]
    for _ in range(40):
        laughs = [laughs] * 9
    assert len(quoted(laughs)) <= QUOTED


def test_paths_keep_their_ends():
    assert shown_path(Path("a/b")) == "a/b"
    assert shown_path("x" * 200 + "/movies.csv") == "…" + "x" * 108 + "/movies.csv"
    assert shown_path("a\nb") == r"'a\nb'"


def test_half_a_pair_of_code_units_can_be_written_again():
    value = parse_json(rb'{"plot": ["half \ud83d", "whole \ud83d\ude00"]}', "m.json")
    assert value == {"plot": ["half \ufffd", "whole \U0001f600"]}
    json.dumps(value, ensure_ascii=False).encode()
