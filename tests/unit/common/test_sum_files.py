"""Files of sums, as strangers write them."""

import pytest

from trailers12k.common import sum_files
from trailers12k.common.errors import UserError

MD5 = "0123456789abcdef" * 2


def test_sums_are_read_as_md5sum_writes_them():
    lines = [f"{MD5}  mtgc.csv\n", f"{MD5} *results/summary.csv\r\n"]
    assert sum_files.parse(lines, "MD5SUMS", 32) == {"mtgc.csv": MD5, "results/summary.csv": MD5}


@pytest.mark.parametrize(
    "line",
    [
        *("", "mtgc.csv", f"{MD5}", f"{MD5}  ", f"{MD5[:-1]}  a", f"{MD5.upper()}  a"),
        *(f"{MD5}  /etc/passwd", f"{MD5}  ../a", f"{MD5}  a/../b", f"{MD5}  ./a", f"{MD5}  a//b"),
        *(f"{MD5}  a\\b", f"{MD5}  C:/a", f"{MD5}  a\x00b", f"{MD5}  a\x1b[2J", f"{MD5}  a/"),
        *(f"\\{MD5}  a\\nb", f"{MD5}  {'x' * 1001}", f"{MD5 * 2}  a"),
    ],
)
def test_what_is_no_sum_of_a_file_below_the_folder_is_refused(line):
    with pytest.raises(UserError, match="MD5SUMS, line 2: "):
        sum_files.parse([f"{MD5}  b", line], "MD5SUMS", 32)


def test_a_file_is_listed_once():
    with pytest.raises(UserError, match="'a' is there twice"):
        sum_files.parse([f"{MD5}  a", f"{MD5}  a"], "MD5SUMS", 32)
