"""Damaged files in .snakemake/ end in one line, never in Snakemake's traceback."""

import json
import os
from pathlib import Path

import pytest
from snakemake.persistence import MetadataRecord

from trailers12k.common.errors import UserError
from trailers12k.workflow.snakemake_memory import INCOMPLETE, LOCKS, MEMORY, STARTING, check

LONG = MEMORY / "@begin" / "end"


@pytest.fixture(autouse=True)
def memory(folder):
    for path in (LONG.parent, INCOMPLETE, LOCKS):
        path.mkdir(parents=True)
    record = MetadataRecord(rule="r", input=["a"], params=[1], starttime=1.5)
    for path in (MEMORY / "eA==", LONG):
        path.write_text(json.dumps(dict(record.items())))
    (INCOMPLETE / "eA==").write_text('{"external_jobid": null}')
    (LOCKS / "0.input.lock").write_text("a\n")
    STARTING.touch()


def refusal() -> str:
    try:
        check(MetadataRecord.model_validate)
    except UserError as error:
        return str(error)
    return ""


def test_what_snakemake_writes_and_what_it_ignores_is_accepted():
    assert refusal() == ""
    for text in ("", "{", "[]", "null", "{}"):
        (MEMORY / "eA==").write_text(text)
        assert refusal() == "", text


@pytest.mark.parametrize("path", [MEMORY / "eA==", LONG])
@pytest.mark.parametrize(
    "content",
    [b"[1]", b"5", b'"text"', b'{"rule": 3}', b'{"input": [1]}', b"\xff", b"[" * 100_000, None, 0],
    ids=["list", "number", "text", "rule", "input", "bytes", "nested", "folder", "pipe"],
)
def test_a_record_of_a_wrong_type_is_named(path, content):
    path.unlink()
    if content is None:
        path.mkdir()
    elif content == 0:
        os.mkfifo(path)
    else:
        path.write_bytes(content)
    if content == b"\xff" or content not in (None, 0):
        with pytest.raises((ValueError, RecursionError)):
            MetadataRecord.model_validate(json.loads(content.decode()))
    assert refusal().startswith(f"{path} ") and "remove it, then run" in refusal()


def test_other_files_of_snakemake_are_checked():
    (INCOMPLETE / "eA==").write_text("[1]")
    assert refusal().startswith(f"{INCOMPLETE}/eA== holds list, not a record; remove it")
    (INCOMPLETE / "eA==").unlink()
    (LOCKS / "0.input.lock").write_bytes(b"\xff")
    assert refusal().startswith(f"{LOCKS}/0.input.lock is not text; remove it")
    (LOCKS / "0.input.lock").unlink()
    STARTING.unlink()
    Path(STARTING).mkdir()
    assert refusal().startswith(f"{STARTING} is a folder; remove it")
