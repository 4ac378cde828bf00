"""`trailers12k splits`."""

import os

import pytest

from trailers12k.common.files import read_csv, write_csv


def write_labels(path, numbers) -> None:
    rows = [{"mid": f"tt{n:07}", "action": n % 2, "drama": n // 2 % 2} for n in numbers]
    write_csv(path, ["mid", "action", "drama"], rows)


def test_movies_are_split_and_keep_their_subsets(tmp_path, call):
    labels, old, new = (tmp_path / name for name in ("labels.csv", "old.csv", "new.csv"))
    write_labels(labels, range(40))
    assert call("splits", labels, old, "--seed", "1")[0] == 0
    write_labels(labels, range(60))
    assert call("splits", labels, new, "--seed", "2", "--extend", old)[0] == 0
    before, after = read_csv(old), read_csv(new)
    assert (len(before), len(after)) == (40, 60) and after[:40] == before


def test_a_fault_of_a_table_is_one_line_and_writes_nothing(tmp_path, call):
    labels, out = tmp_path / "labels.csv", tmp_path / "out.csv"
    labels.write_text("mid,action\ntt0000001,2\n")
    code, _, err = call("splits", labels, out, "--seed", "1")
    assert code == 2 and not out.exists()
    assert err.startswith(f"error: {labels}, line 2: ") and len(err.splitlines()) == 1


@pytest.mark.parametrize("link", [None, "symlink_to", "hardlink_to"])
@pytest.mark.parametrize("option", [None, "--extend", "--groups"])
def test_no_table_is_written_over_one_that_is_read(tmp_path, call, option, link):
    labels, other = tmp_path / "labels.csv", tmp_path / "other.csv"
    write_labels(labels, range(40))
    more = []
    if option:
        assert call("splits", labels, other, "--seed", "1")[0] == 0
        more = [option, other]
    source = out = other if option else labels
    if link:
        out = tmp_path / "out.csv"
        getattr(out, link)(source)
    before = source.read_bytes()
    code, text, err = call("splits", labels, out, "--seed", "1", *more)
    assert (code, text) == (2, "") and len(err.splitlines()) == 1
    assert err.startswith(f"error: {out} is the table {source}, which would be lost")
    assert source.read_bytes() == before and out.is_symlink() == (link == "symlink_to")


def test_an_output_that_is_no_file_is_refused_before_work(tmp_path, call):
    labels, pipe = tmp_path / "labels.csv", tmp_path / "pipe"
    write_labels(labels, range(40))
    os.mkfifo(pipe)
    before = labels.read_bytes()
    for out in (tmp_path, pipe, tmp_path / "nosuch" / ".." / "labels.csv", labels / "a.csv"):
        code, _, err = call("splits", labels, out, "--seed", "1")
        assert code == 2 and len(err.splitlines()) == 1 and err.startswith("error: ")
    assert pipe.is_fifo() and labels.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"labels.csv", "pipe"}


def test_a_table_of_too_many_labels_is_refused(tmp_path, call):
    labels = tmp_path / "labels.csv"
    names = [f"label{number}" for number in range(101)]
    write_csv(labels, ["mid", *names], [{"mid": n} | dict.fromkeys(names, 0) for n in range(40)])
    code, _, err = call("splits", labels, tmp_path / "out.csv", "--seed", "1")
    assert code == 2 and "101 columns of labels; allowed: at most 100" in err


def test_only_numbered_columns_are_earlier_splits(tmp_path, call):
    labels, out = tmp_path / "labels.csv", tmp_path / "out.csv"
    rows = [{"mid": n, "splitscreen": n % 2, "split0": 0} for n in range(40)]
    write_csv(labels, ["mid", "splitscreen", "split0"], rows)
    assert call("splits", labels, out, "--seed", "1")[0] == 0
    assert list(read_csv(out)[0]) == ["mid", "splitscreen", "split0", "split1", "split2"]
