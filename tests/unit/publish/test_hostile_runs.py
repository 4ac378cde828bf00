"""Products of a run that somebody changed: what is refused in one line, and what stays private."""

import errno
import io
import json
import tarfile
from pathlib import Path

import pytest

from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.publish import known_attributes, publication
from trailers12k.publish.packing import sums

from . import finished
from .finished import CLIPS, MIDS, POSTERS


def publish(run):
    publication.write(run, Path("publication"), say=lambda line: None)


def cell(name, column, value, row=0):
    """Change a cell of a table."""

    def change():
        rows = read_csv(name)
        rows[row][column] = value
        write_csv(Path(name), [*rows[0]], rows)

    return change


def without(name, column):
    def change():
        rows = read_csv(name)
        for row in rows:
            del row[column]
        write_csv(Path(name), [*rows[0]], rows)

    return change


def emptied(name):
    return lambda: write_csv(Path(name), [*read_csv(name)[0]], [])


def text(name, content):
    return lambda: Path(name).write_bytes(content)


def attribute(value):
    def change():
        path = Path(f"data/{CLIPS}.zarr/.zattrs")
        path.write_text(json.dumps(json.loads(path.read_text()) | {"num_features": value}))

    return change


@pytest.mark.parametrize(
    ("change", "where"),
    [
        *((cell("data/clips.csv", "start", value), "clips.csv") for value in ("nan", "-1", "abc")),
        (cell("data/clips.csv", "end", "0.0"), "clips.csv"),
        (cell("data/clips.csv", "end", "inf"), "clips.csv"),
        (cell("data/clips.csv", "clip", "7"), "clips.csv"),
        (without("data/mtgc.csv", "drama"), "mtgc.csv"),
        (without("data/mtgc.csv", "split1"), "mtgc.csv"),
        (cell("data/mtgc.csv", "drama", "2"), "mtgc.csv"),
        (cell("data/mtgc.csv", "split0", "3"), "mtgc.csv"),
        (emptied("data/mtgc.csv"), "mtgc.csv"),
        (emptied("data/ledger.csv"), "ledger.csv"),
        (emptied(f"data/{POSTERS}.csv"), POSTERS),
        (text("data/metadata.json", b'{"trailers12k": {"1": 5}}'), "metadata.json"),
        (text("data/metadata.json", b'{"trailers12k": [1]}'), "metadata.json"),
        (text("results/summary.md", b"\xff\xfe"), "summary.md"),
        *((attribute(value), ".zattrs") for value in ("many", None, 0, True)),
    ],
)
def test_unsound_products_are_refused_in_one_line(run, change, where):
    change()
    with pytest.raises(UserError) as error:
        publish(run)
    assert where in str(error.value) and "\n" not in str(error.value)
    assert not Path("publication").exists() and not [*Path().glob("*.partial")]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EFBIG])
def test_a_disk_that_fills_is_reported_in_one_line(run, monkeypatch, code):
    def write(file, data):
        raise OSError(code, "It is full")

    monkeypatch.setattr(sums.Summed, "write", write)
    with pytest.raises(UserError, match=r"It is full after .* written; .* are free; .*--to$"):
        publish(run)
    assert not [*Path().glob("*.partial")]


def test_columns_and_attributes_of_others_are_not_published(run):
    rows = read_csv("data/mtgc.csv")
    original = Path("data/mtgc.csv").read_bytes()
    publish(run)
    assert Path("publication/mtgc.csv").read_bytes() == original
    write_csv(
        Path("data/mtgc.csv"), [*rows[0], "annotator"], [row | {"annotator": "Ann"} for row in rows]
    )
    publish(run)
    assert Path("publication/mtgc.csv").read_bytes() == original
    assert b"annotator" not in Path("publication/mtgc_complete.csv").read_bytes()
    source = "https://ann:secret@films.org/w.pth?token=1"
    own = {"num_features": 8, "weights_source": source, "hostname": "nas", "user": "ann"}
    assert known_attributes.of_store(own) == {
        "num_features": 8,
        "weights_source": "https://films.org/w.pth",
    }
    assert known_attributes.of_array({"fingerprint": "f", "user": "ann"}) == {"fingerprint": "f"}


def test_metadata_has_no_secret_and_no_text_of_a_decision(run):
    path = Path("data/metadata.json")
    entries = json.loads(path.read_text())
    entry = entries["trailers12k"]["1"]
    entry["curation"] |= {"decision": "Ann says no", "date": "ask Ann"}
    entry["imdb"]["page"] = "https://films.org/a?token=1"
    entry["imdb"]["curation"] = "Ann"
    path.write_text(json.dumps(entries))
    publish(run)
    packed = io.BytesIO(Path("publication/metadata.tar.gz").read_bytes())
    with tarfile.open(fileobj=packed) as tar:
        written = json.load(tar.extractfile("metadata.json"))["trailers12k"]["1"]
    assert written["curation"] == {"verified": True}
    assert written["imdb"]["page"] == "" and written["imdb"]["curation"] == {}
    assert finished.CREDITED not in json.dumps(written) and written["imdb"]["id"] == MIDS[0][2:]


def test_reasons_and_names_of_columns_are_without_paths(run):
    import gzip

    cell("data/ledger.csv", "reason", "none at /home/ann/x", row=5)()
    rows = [{"run": "tiny", "/home/ann/scores": "1"}]
    write_csv(Path("results/transfer/val.csv"), [*rows[0]], rows)
    publish(run)
    assert b"none at x," in gzip.decompress(Path("publication/ledger.csv.gz").read_bytes())
    assert Path("publication/results/validation.csv").read_text() == "run,scores\ntiny,1\n"
