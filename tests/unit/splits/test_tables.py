import numpy as np
import pytest

from trailers12k.common.errors import UserError
from trailers12k.splits.stratification import UNASSIGNED
from trailers12k.splits.tables import read_assigned, read_groups, read_labels


@pytest.fixture
def table(tmp_path):
    """Writes the text of a table; returns its path."""

    def write(text):
        path = tmp_path / "table.csv"
        path.write_text(text)
        return path

    return write


def test_labels_are_read_in_any_column_order_and_sorted_by_mid(table):
    path = table("b,mid,a\n1,tt0000002,0\n0,tt0000001,1\n")
    mids, labels = read_labels(path, ["a", "b"])
    assert mids == ["tt0000001", "tt0000002"]
    np.testing.assert_array_equal(labels, [[1, 0], [0, 1]])
    with pytest.raises(UserError, match="the column 'c' is missing"):
        read_labels(path, ["a", "c"])


@pytest.mark.parametrize("values", ["0,1", "0.0,1.0", "False,True", "FALSE,TRUE", "false,true"])
def test_labels_are_read_as_data_frames_and_spreadsheets_write_them(table, values):
    _, labels = read_labels(table(f"mid,a,b\ntt0000001,{values}\n"), ["a", "b"])
    np.testing.assert_array_equal(labels, [[0, 1]])


@pytest.mark.parametrize("value", ["2", "0.5", "", "yes", "nan"])
def test_other_labels_are_refused(table, value):
    with pytest.raises(UserError, match=f"line 2: a is '{value}'; allowed: 0, 1$"):
        read_labels(table(f"mid,a,b\ntt0000001,{value},1\n"), ["a"])


def test_a_column_without_a_name_that_counts_no_rows_is_refused(table):
    with pytest.raises(UserError, match="line 3: '7' is in a column without a name"):
        read_labels(table(",mid,a\n0,tt0000001,1\n7,tt0000002,1\n"), ["a"])


def test_movies_absent_from_an_earlier_table_are_unassigned(table):
    path = table("mid,split0,split1\ntt0000001,0,2\ntt0000009,1,1\n")
    assigned = read_assigned(path, ["tt0000002", "tt0000001"], 2)
    np.testing.assert_array_equal(assigned, [[UNASSIGNED, UNASSIGNED], [0, 2]])


def test_movies_without_a_group_get_one_of_their_own(table):
    path = table("mid,group\ntt0000001,a\ntt0000003,a\ntt0000004,\n")
    groups = read_groups(path, [f"tt000000{n}" for n in range(1, 5)])
    assert groups[0] == groups[2] and len(set(groups.tolist())) == 3


def test_mids_of_groups_that_are_no_movies_are_named_in_a_warning(table, caplog):
    path = table("mid,group\ntt0000009,a\ntt0000001,a\ntt0000008,b\n")
    read_groups(path, ["tt0000001"])
    (message,) = [line.getMessage() for line in caplog.records if line.levelname == "WARNING"]
    assert "table.csv: 2 of 3 movies are not among those to split, such as tt0000008;" in message
    caplog.clear()
    read_groups(path, ["tt0000001", "tt0000008", "tt0000009", "tt0000007"])
    assert not [line for line in caplog.records if line.levelname == "WARNING"]


def test_a_table_that_does_not_exist_or_is_not_text_is_named(table, tmp_path):
    with pytest.raises(UserError, match="missing.csv does not exist"):
        read_labels(tmp_path / "missing.csv", ["a"])
    path = tmp_path / "table.csv"
    path.write_bytes(b"mid,a\n\xff\xfe,1\n")
    with pytest.raises(UserError, match="table.csv, line 2: byte 0xFF is not UTF-8"):
        read_labels(path, ["a"])
