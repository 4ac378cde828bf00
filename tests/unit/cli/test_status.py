"""`trailers12k status`."""

import json

from trailers12k.common.files import read_csv
from trailers12k.jobs import ledger


def write_ledger(folder, stage: str, rows) -> None:
    path = folder / "build" / "ledger" / stage / "000.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    ledger.write_shard(path, rows)


def test_it_counts_what_is_done_and_changes_no_file(collection, call, snapshot_of):
    mids = [row["mid"] for row in read_csv("movies.csv")]
    rows = [{"mid": mid, "status": "ok", "bytes": 1_000_000} for mid in mids[:-1]]
    rows.append({"mid": mids[-1], "status": "failed", "reason": "private"})
    write_ledger(collection, "trailers", rows)
    before = snapshot_of(collection)
    code, out, err = call("status")
    assert (code, err) == (0, "")
    lines = {line.split()[0]: line.split() for line in out.splitlines()}
    assert lines["trailers"][1:5] == [str(len(mids) - 1), "1", "0", "0"]
    assert lines["posters"][1:5] == ["0", "0", "0", str(len(mids))]
    assert "failed: private 1" in out
    assert snapshot_of(collection) == before


def test_the_figures_are_written_where_the_user_wants_them(collection, call):
    code, _, _ = call("status", "--csv", "status.csv")
    stages = [row["stage"] for row in read_csv("status.csv")]
    assert code == 0
    assert stages == ["trailers", "posters", "clips", "sound", "trailers_i_efficientnet_fpc24"]


def test_a_fault_of_the_configuration_is_one_line(collection, call):
    with (collection / "config.yaml").open("a") as file:
        file.write("seed: x\n")
    code, _, err = call("status")
    assert code == 2
    assert err.startswith("error: config: seed: 'x'") and len(err.splitlines()) == 1


def test_movies_that_are_not_collected_yet_are_reported(collection, call):
    config = (collection / "config.yaml").read_text()
    (collection / "config.yaml").write_text(
        config.replace("movies: movies.csv", "movies: [movies.csv, search]")
    )
    code, out, _ = call("status")
    assert code == 0 and out.startswith("The movies are not collected yet")


def test_a_folder_of_another_collection_is_refused_in_one_line(collection, call):
    (collection / "build").mkdir()
    (collection / "build" / "collection.json").write_text(json.dumps({"collection": "sample"}))
    code, out, err = call("status")
    assert (code, out) == (2, "")
    assert "this folder holds the built-in sample" in err and len(err.splitlines()) == 1


def test_a_rejected_movie_is_no_longer_counted(collection, call):
    rows = read_csv("movies.csv")
    mids = [row["mid"] for row in rows]
    assert len(mids) > 10
    results = [{"mid": mid, "status": "ok", "bytes": 1_000_000} for mid in mids[1:]]
    results.insert(0, {"mid": mids[0], "status": "failed", "reason": "network"})
    write_ledger(collection, "trailers", results)
    failure = {"mid": mids[0], "reason": "network", "attempts": 1, "tried": 0.0}
    path = collection / "build/trailers/open/000.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"round": 0, "stopped": 0, "failures": [failure]}))
    assert "1 of them will be tried again" in call("status")[1]
    (collection / "curation.csv").write_text(f"mid,decision\n{mids[0]},reject\n")
    code, out, _ = call("status")
    lines = {line.split()[0]: line.split() for line in out.splitlines()}
    assert code == 0 and lines["trailers"][1:5] == [str(len(mids) - 1), "0", "0", "0"]
    assert lines["trailers"][-1] == "-" and "tried again" not in out and "failed:" not in out
