"""The words of messages: one line of bounded length, with the names that a user knows."""

import errno

from trailers12k.common.files import partial_of
from trailers12k.common.messages import denied, one_line


def test_a_message_is_one_line_whose_long_words_are_cut():
    assert one_line("a\nb\x1b[2J: é") == "a\\nb\\x1b[2J: é"
    said = one_line(f"{'x' * 5000}.csv is no table; allowed: {'y ' * 5000}")
    assert said.startswith("xxx") and "…" in said and len(said) == 1000
    assert ".csv is no table; allowed: y y" in said
    assert one_line("short; allowed: a, b") == "short; allowed: a, b"


def test_a_file_that_cannot_be_written_is_named_without_its_temporary_name():
    error = PermissionError(errno.EACCES, "Permission denied", str(partial_of("data/mtgc.csv")))
    assert denied(error) == "data/mtgc.csv: Permission denied in the folder data"
    error = OSError(errno.EROFS, "Read-only file system", str(partial_of("out.csv")))
    assert denied(error) == "out.csv: Read-only file system in the folder ."
    error = OSError(errno.ENAMETOOLONG, "File name too long", "x" * 5000)
    assert denied(error).endswith("xxx: File name too long") and len(denied(error)) < 200
