"""Random input for readers of foreign data: what is tried, and what counts as a right answer."""

import copy
import csv
import io
import os
import time
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from trailers12k.common.errors import Failure, UserError

FACTOR = int(os.environ.get("FUZZ", "1"))
"""How many times as many examples are tried; `make fuzz` sets it."""
LONGEST = 700
"""Characters of a refusal."""
MOST_SECONDS = 5
"""CPU seconds of one call."""

TEXTS = (
    *("", " ", "\0", "\r", "\n", "\t", "'", '"', '""', "|", ",", ";", "\\", "\\N", "\ufeff", "#"),
    *("=1+1", "-1", "+1", "@a", "'=1", "''=1", "-abcdefghij", "NaN", "inf", "1e999", "-0", "0.5"),
    *("²", "٣", "1_0", " 1", "9" * 400, "true", "null", "none", "None", "~", "*a", "&a b", "<<"),
    *("..", "../../etc/passwd", "/dev/zero", "a/b", "{x}", "{}", "%s", "$(ls)", "`ls`", "./x.mp4"),
    *("\u202eabc", "\u200b", "\u200d", "e\u0301", "İ", "ß", "\U000e0041", "\ufffe", "\x7f", "\x85"),
    *("tt0000001", "tt00000001", "TT0000001", "tt000000١", "tt0000001\n", "drama", "Drama"),
    *("drama|drama", "drama|horror", "1999", "١٩٩٩", "99999", "2026-02-30", "2026-11-25"),
    *("abcdefghijk", "videoseries", "https://youtu.be/abcdefghijk", "youtube.com/watch?v="),
    *("https://www.youtube.com/playlist?list=x", "https://[", "https://[::1]/a", "https://a@b/c"),
    *("http://a:99999/", "http://a:b/", "https:///x", "file://", "file:///etc", "file://h/x"),
    *("javascript:alert(1)", "data:,x", "https://example.org/a.mp4", "//a/b", "http://\u2100.org/"),
    *("<script>", "&amp;", "a" * 800, "ab " * 300),
)
"""Texts that have meant harm to a program before."""

texts = st.one_of(
    st.sampled_from(TEXTS),
    st.text(max_size=20),
    st.lists(st.sampled_from(TEXTS), min_size=2, max_size=3).map("".join),
)
"""Hostile texts, of any code points."""

numbers = st.one_of(
    st.integers(-5, 5),
    st.integers(),
    st.floats(),
    st.sampled_from((2**63, -(2**63), 10**400, 1e308, 2.0, 1e-320)),
)

values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda each: st.one_of(
        st.lists(each, max_size=3), st.dictionaries(texts, each, max_size=3), st.builds(dict)
    ),
    max_leaves=6,
)
"""Values of JSON, and NaN and infinity."""


def examples(count: int) -> settings:
    """A test's number of examples, which `make fuzz` multiplies."""
    return settings(
        max_examples=count * FACTOR,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )


def answered(
    use: Callable[..., Any], *args: Any, refused: type[Exception] = UserError
) -> tuple[Any, str]:
    """What a reader returns, and the line of its refusal; one of both. Fails on other errors.

    refused: a further type of errors that the reader documents.
    """
    began = time.process_time()
    value, said = None, ""
    try:
        value = use(*args)
    except Failure as failure:
        assert failure.reason
        said = f"{failure.reason}: {failure.detail}"
    except (UserError, refused) as error:
        said = str(error)
        assert said
    assert len(said.splitlines()) <= 1, said[:LONGEST]
    assert len(said) <= LONGEST, f"{len(said)} characters: {said[:LONGEST]}"
    assert time.process_time() - began < MOST_SECONDS, "too slow"
    return value, said


@st.composite
def changed(draw: Any, template: Any, replacements: Any = values) -> Any:
    """A JSON value in which up to three parts are replaced, removed or added."""
    value = copy.deepcopy(template)
    new = replacements.map(copy.deepcopy)
    for _ in range(draw(st.integers(0, 3))):
        parents = [each for each in _containers(value) if each]
        if not parents:
            return draw(new)
        parent = draw(st.sampled_from(parents))
        keys = list(parent) if isinstance(parent, dict) else range(len(parent))
        key = draw(st.sampled_from(keys))
        action = draw(st.sampled_from(("replace", "replace", "remove", "add")))
        if action == "replace":
            parent[key] = draw(new)
        elif action == "remove":
            del parent[key]
        elif isinstance(parent, dict):
            parent[draw(texts)] = draw(new)
        else:
            parent.append(draw(new))
    return value


def _containers(value: Any) -> list[Any]:
    if not isinstance(value, dict | list):
        return []
    inner = value.values() if isinstance(value, dict) else value
    return [value, *(found for each in inner for found in _containers(each))]


@st.composite
def damaged(draw: Any, data: bytes) -> bytes:
    """A file in which up to three pieces are cut, repeated, or replaced by other bytes."""
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.sampled_from((0, 1, 1, 2, 8, 100, 10**6))))
        new = draw(
            st.one_of(
                st.just(b""),
                st.just(data[start:end] * 2),
                st.binary(max_size=8),
                texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
            )
        )
        data = data[:start] + new + data[end:]
    return data


@st.composite
def csv_files(draw: Any, columns: tuple[str, ...], rows: Any) -> bytes:
    """A CSV file of rows, in the ways of several programs, and sometimes damaged.

    rows: a strategy of dicts by column.
    """
    names = list(columns)
    if draw(st.integers(0, 9)) == 0:
        names = draw(st.permutations(names))[: draw(st.integers(0, len(names)))]
    file = io.StringIO()
    ends = draw(st.sampled_from(("\n", "\r\n", "\r")))
    writer = csv.writer(file, lineterminator=ends, delimiter=draw(st.sampled_from(",,,,,;\t")))
    writer.writerow(names)
    for row in draw(st.lists(rows, max_size=4)):
        writer.writerow([row[name] for name in names])
    mark = draw(st.sampled_from(("", "", "\ufeff", "sep=,\n")))
    data = (mark + file.getvalue()).encode("utf-8", "surrogatepass")
    return draw(damaged(data)) if draw(st.booleans()) else data


def cells(*usual: str) -> Any:
    """The texts of a column: mostly those that are usual in it."""
    return st.one_of(st.sampled_from(usual), st.sampled_from(usual), texts)
