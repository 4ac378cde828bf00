"""`trailers12k leaderboard`."""

import pytest

from trailers12k.common.files import write_csv
from trailers12k.evaluation.leaderboards import COLUMNS


@pytest.fixture
def board(tmp_path, monkeypatch):
    """The leaderboard of collection a, beside which link is another name of it."""
    path = tmp_path / "a/results/leaderboard.csv"
    path.parent.mkdir(parents=True)
    write_csv(path, COLUMNS, [{"row": "z", "uap": "1"}])
    (tmp_path / "link").symlink_to("a/results/leaderboard.csv")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    return path


@pytest.mark.parametrize("place", ["a", "a/results/leaderboard.csv", "link", "here/../a"])
@pytest.mark.parametrize("to", ["a/results/leaderboard.csv", "link", "here/../a/results/x.csv"])
def test_no_product_of_a_named_collection_is_replaced(board, call, snapshot_of, place, to):
    before = snapshot_of(board.parents[2])
    code, text, err = call("leaderboard", place, "--to", to)
    assert (code, text) == (2, "") and err.startswith("error: ") and err.count("\n") == 1
    assert "which would be lost" in err or "which the workflow writes" in err
    assert snapshot_of(board.parents[2]) == before


@pytest.mark.parametrize("folder", ["data", "results", "build"])
def test_no_table_is_written_among_products(board, call, monkeypatch, folder):
    for each in (board.parents[1], board.parents[2] / "here"):
        (each / folder).mkdir(exist_ok=True)
    (board.parents[2] / "here/config.yaml").write_text("")
    monkeypatch.chdir("here")
    for to in (f"../a/{folder}/x.csv", f"{folder}/x.csv"):
        code, _, err = call("leaderboard", "../a", "--to", to)
        assert code == 2 and f"is in {folder}/ of " in err and err.count("\n") == 1


@pytest.mark.parametrize("name", ["config.yaml", "mtgc.csv", "results/new.csv"])
def test_no_file_is_written_into_a_publication(board, call, snapshot_of, name):
    for each in ("config.yaml", "croissant.json", "mtgc.csv"):
        (board.parents[1] / each).write_text("")
    before = snapshot_of(board.parents[1])
    code, _, err = call("leaderboard", "a", "--to", f"a/{name}")
    assert code == 2 and "is in the publication " in err and "whose files are complete" in err
    assert snapshot_of(board.parents[1]) == before


def test_no_configuration_is_replaced(board, call):
    (board.parents[1] / "config.yaml").write_text("movies: sample\n")
    code, _, err = call("leaderboard", "a", "--to", "a/config.yaml")
    assert code == 2 and "is a configuration" in err and err.count("\n") == 1
    code, _, err = call("leaderboard", "a", "--to", "a/benchmarks/x.csv")
    assert code == 2 and "is in benchmarks/ of " in err


def test_folders_of_products_that_are_links_are_known(board, call):
    results = board.parent.rename(board.parents[2] / "disk")
    board.parent.symlink_to(results)
    code, _, err = call("leaderboard", "a", "--to", "disk/x.csv")
    assert code == 2 and "is in results/ of " in err


def test_a_table_is_written_elsewhere(board, call):
    code, _, err = call("leaderboard", "a", "link", "--to", "here/joined.csv")
    assert (code, err) == (0, "")
    assert (board.parents[2] / "here/joined.csv").read_text().count("\n") == 3
