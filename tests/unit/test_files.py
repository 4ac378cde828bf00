import pytest

from trailers12k.files import inside, read_csv, replacing, sha256_of, write_csv, write_text
from trailers12k.jobs import UserError


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


@pytest.mark.parametrize("name", ["", ".", "..", "../a", "a/b", "/etc", "a\\b", "a\0", "link"])
def test_a_name_of_a_file_leads_nowhere_else(tmp_path, name):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (folder / "own").symlink_to(folder / "file")
    assert inside(folder, "own") == folder / "own" and inside(folder, "x.y") == folder / "x.y"
    with pytest.raises(UserError, match="folder"):
        inside(folder, name)
