import json
import os
import pickle

import numpy as np
import pytest
import yaml

from trailers12k.common.files import write_csv, write_text
from trailers12k.common.vocabulary import GENRES
from trailers12k.features import store as zarr_store
from trailers12k.versions import store_comparison
from trailers12k.versions.comparison import describe_changes
from trailers12k.versions.version_files import Folder

MIDS = [f"tt{number:07d}" for number in range(1, 6)]
LEDGER = ["mid", "stage", "status", "reason", "sha256"]


class Made:
    """A small version of the dataset, whose parts a test changes before it is written."""

    def __init__(self, folder, name):
        self.folder, self.name = folder / name, name
        self.movies = {mid: {"title": f"Film {mid[-1]}", "year": "2001"} for mid in MIDS}
        self.trailers = {mid: {"status": "ok", "sha256": mid} for mid in MIDS}
        self.labels = {mid: dict.fromkeys(GENRES, 0) | {"drama": 1} for mid in MIDS}
        self.splits = {mid: {"split0": 0, "split1": 1, "split2": 2} for mid in MIDS}
        spec = {"image_frames": 1, "model": "timm/x"}
        self.about = {"image_frames": 1, "device": "cpu", "fingerprint": name}
        self.about["determined_by"] = {"spec": spec, "code": "a"}
        self.stores = {"one": {mid: ("f", np.array([[1, 0], [0, 1]])) for mid in MIDS}}
        self.settings = {"seed": 1, "clips": {"fps": 24}}
        self.code = "trailers12k 0.1.0, commit a"
        self.more = ["wap", "sap", "drama"]
        self.decisions = {MIDS[4]: {"decision": "accept", "by": "Ada"}}
        self.tables = {
            "tables/genres.csv": "a,1",
            "metrics.json": "{}",
            "runs/Net/split0/best.pt": "",
        }
        self.results = {"chance": {"uap": "40", "map": "30"}, "Net": {"uap": "70.5", "map": "60"}}

    def write(self):
        data, results = self.folder / "data", self.folder / "results"
        movies = ({"mid": mid} | row for mid, row in self.movies.items())
        write_csv(data / "movies.csv", ["mid", "title", "year"], movies)
        rows = [{"mid": mid, "stage": "trailers"} | row for mid, row in self.trailers.items()]
        rows += [{"mid": mid, "stage": "clips", "sha256": self.name} for mid in MIDS]
        write_csv(data / "ledger.csv", LEDGER, rows)
        labels = [{"mid": mid} | row | self.splits[mid] for mid, row in self.labels.items()]
        write_csv(data / "mtgc.csv", ["mid", *GENRES, "split0", "split1", "split2"], labels)
        for store, arrays in self.stores.items():
            zarr_store.create(data / f"{store}.zarr", self.about)
            manifest = []
            for mid, (fingerprint, values) in arrays.items():
                zarr_store.write(data / f"{store}.zarr", mid, values.astype(np.float32), {})
                manifest.append({"mid": mid, "clips": len(values), "fingerprint": fingerprint})
            write_csv(data / f"{store}.csv", ["mid", "clips", "fingerprint"], manifest)
        figures = ({"run": run} | row for run, row in self.results.items())
        write_csv(results / "summary.csv", ["run", "uap", "map", *self.more], figures)
        for name, text in self.tables.items():
            write_text(results / name, text)
        decided = [{"mid": mid} | row for mid, row in self.decisions.items()]
        write_csv(data / "curation.csv", ["mid", "title", "decision", "by", "note"], decided)
        (results / "config.yaml").write_text(yaml.safe_dump(self.settings))
        return Folder(self.folder, self.name, self.code)


@pytest.fixture
def old(tmp_path):
    return Made(tmp_path, "old")


@pytest.fixture
def new(tmp_path):
    return Made(tmp_path, "new")


def sections(old, new):
    """head -> its lines, of the page on two versions that are written now."""
    text = describe_changes(*(v.write() if isinstance(v, Made) else v for v in (old, new)))
    _, *parts = text.split("\n\n")
    return {part.split("\n")[0]: [row.strip() for row in part.split("\n")[1:]] for part in parts}


def test_two_equal_versions_differ_in_nothing(old, new):
    lines = sections(old, new)
    assert lines.pop("Stores") == ["one: unchanged: 5 movies"]
    heads = ("Movies", "Decisions", "Trailers", "Labels and splits", "Settings", "Code", "Results")
    assert tuple(lines) == heads
    assert all(lines == ["no change"] for lines in lines.values())


def test_the_code_is_compared_where_both_versions_record_it(old, new):
    new.code = "trailers12k 0.1.0, commit b, and not committed: Snakefile"
    assert sections(old, new)["Code"] == [f"{old.code} -> {new.code}"]
    new.code = ""
    assert sections(old, new)["Code"] == ["not compared: it is not recorded in new"]


def test_movies_come_and_go_and_are_renamed(old, new):
    del new.movies[MIDS[0]]
    new.movies["tt0000009"] = {"title": "Late", "year": ""}
    new.movies[MIDS[1]]["title"] = "Other"
    assert sections(old, new)["Movies"] == [
        "5 -> 5 movies",
        *("1 added", "+ tt0000009 Late"),
        *("1 removed", "- tt0000001 Film 1 (2001)"),
        *("1 with another title or year", "~ tt0000002 Film 2 (2001) -> Other (2001)"),
    ]


def test_trailers_are_replaced_gained_and_lost(old, new):
    new.trailers[MIDS[0]]["sha256"] = "other"
    old.trailers[MIDS[1]] = {"status": "failed", "reason": "private"}
    new.trailers[MIDS[2]] = {"status": "failed", "reason": "removed"}
    new.trailers[MIDS[3]] = {"status": "skipped", "reason": "no_address"}
    assert sections(old, new)["Trailers"] == [
        "4 -> 3 movies with a trailer",
        *("1 replaced", "~ tt0000001 Film 1 (2001)"),
        *("1 gained", "+ tt0000002 Film 2 (2001), which was failed (private)"),
        *("2 lost", "- tt0000003 Film 3 (2001): failed (removed)"),
        "- tt0000004 Film 4 (2001): skipped (no_address)",
    ]


def test_labels_and_subsets_change(old, new):
    new.labels[MIDS[0]] |= {"drama": 0, "crime": 1}
    new.splits[MIDS[1]] |= {"split0": 2, "split2": 0}
    new.splits[MIDS[2]]["split2"] = ""
    assert sections(old, new)["Labels and splits"] == [
        *("1 relabelled", "~ tt0000001 Film 1 (2001): +crime -drama"),
        "split0: 1 of 5 in another subset: training -> test 1",
        "split2: 2 of 5 in another subset: test -> none 1, test -> training 1",
    ]


def test_a_stores_settings_and_the_movement_of_its_features(old, new):
    new.about["determined_by"]["spec"]["image_frames"] = new.about["image_frames"] = 2
    new.about["device"] = "cuda"
    new.stores["one"] = {
        MIDS[0]: ("g", np.array([[0, 1], [0, 1]])),  # one row turned by 90 degrees: 0 and 1
        MIDS[1]: ("g", np.array([[3, 4], [0, 5]])),  # 0.6 and 1
        MIDS[2]: ("g", np.array([[1, 0], [0, 1]])),  # as it was
        MIDS[3]: ("g", np.array([[1, 0]])),
        "tt0000009": ("g", np.array([[1, 0]])),
    }
    assert sections(old, new)["Stores"] == [
        "one: 1 added, 1 removed, 4 changed",
        "spec.image_frames: 1 -> 2",
        "device: cpu -> cuda",
        "cosine of features before and after: median 0.800000, least 0.500000 "
        "(3 of 4 changed movies compared)",
        "equal values in 1 of 3 compared",
        "of another shape, not compared: 1",
    ]


def test_arrays_of_other_width_are_counted_and_stores_come_and_go(old, new):
    new.stores["one"] = {mid: ("g", np.ones((2, 3))) for mid in MIDS}
    old.stores["gone"] = new.stores["new"] = new.stores["one"]
    assert sections(old, new)["Stores"] == [
        "- gone: gone, had 5 movies",
        "+ new: new, 5 movies",
        *("one: 5 changed", "of another shape, not compared: 5"),
    ]


def test_of_many_changed_movies_evenly_spaced_ones_are_compared(old, new, monkeypatch):
    monkeypatch.setattr(store_comparison, "COMPARED", 2)
    new.stores["one"] = {mid: ("g", values) for mid, (_, values) in old.stores["one"].items()}
    read = []
    monkeypatch.setattr(
        store_comparison,
        "read_features",
        lambda store, mid, version: read.append(mid) or np.ones((1, 1)),
    )
    assert "(2 of 5 changed movies compared)" in sections(old, new)["Stores"][1]
    assert read == [MIDS[0], MIDS[0], MIDS[2], MIDS[2]]


def test_the_cosine_of_two_rows_of_zeros_is_one_and_of_one_such_row_zero():
    old = np.array([[0, 0], [0, 0], [1, 1]], np.float32)
    new = np.array([[0, 0], [2, 0], [2, 2]], np.float32)
    assert store_comparison.cosine(old, new) == pytest.approx((1 + 0 + 1) / 3)


def test_settings_and_results(old, new):
    new.settings = {"seed": 1, "clips": {"fps": 12}, "sample": {"movies": 40}}
    new.results["Net"] = {"uap": "72", "map": ""}
    new.results["Other"] = new.results.pop("chance")
    lines = sections(old, new)
    assert lines["Settings"] == ["clips.fps: 24 -> 12", "sample.movies: not set -> 40"]
    head, *rows = (line.split() for line in lines["Results"])
    assert " ".join(head[:5]) == "run µAP before µAP after"
    assert rows[:3] == [
        ["Net", "70.50", "72.00", "+1.50", "60.00", "-", "-"],
        ["Other", "-", "40.00", "-", "-", "30.00", "-"],
        ["chance", "40.00", "-", "-", "30.00", "-", "-"],
    ]


def test_every_metric_figure_and_file_of_the_results_is_compared(old, new):
    """Once a page said "no change" where wAP and sAP had changed."""
    for made in (old, new):
        made.results["Net"] |= {"wap": "50", "sap": "40", "drama": "30.5"}
    new.results["Net"] |= {"sap": "41"}
    table = sections(old, new)["Results"][:3]
    assert [line.split() for line in table[1:]] == [
        ["chance", *"------"],
        ["Net", "50.00", "50.00", "+0.00", "40.00", "41.00", "+1.00"],
    ]
    assert "wAP before" in table[0] and "sAP change" in table[0]
    new.results["Net"] |= {"sap": "40", "drama": "31"}
    lines = sections(old, new)["Results"]
    assert lines[:2] == ["1 other figures of the table changed", "Net: drama: 30.5 -> 31"]
    new.results["Net"] |= {"drama": "30.5"}
    assert sections(old, new)["Results"] == ["no change"]
    del new.tables["metrics.json"]
    new.tables |= {"tables/genres.csv": "a,2", "tables/more.csv": "", "figures/a.svg": ""}
    new.tables |= {"runs/Net/split0/best.pt": "x", "review/index.html": "", "predictions/a.csv": ""}
    (new.folder / "results/metrics.json").unlink()
    assert sections(old, new)["Results"] == [
        "3 tables changed, are new (+) or gone (-)",
        *("- results/metrics.json", "~ results/tables/genres.csv", "+ results/tables/more.csv"),
        "1 runs with predictions and weights that changed",
        "~ results/runs/Net: 1 of its files changed",
        "pictures and pages: 1 new",
    ]


def test_decisions_are_named_and_those_that_removed_a_movie(old, new):
    old.decisions[MIDS[1]] = {"decision": "unsure"}
    del new.movies[MIDS[0]]
    new.decisions |= {MIDS[0]: {"decision": "reject", "by": "Ada", "note": "a trailer of a game"}}
    new.decisions[MIDS[4]] = {"decision": "unsure", "by": "Bob"}
    lines = sections(old, new)
    assert lines["Movies"][1:] == [
        "1 removed",
        "- tt0000001 Film 1 (2001): reject, by Ada, a trailer of a game",
    ]
    assert lines["Decisions"] == [
        *("1 made", "+ tt0000001 Film 1 (2001): reject, by Ada, a trailer of a game"),
        *("1 withdrawn", "- tt0000002 Film 2 (2001): unsure"),
        *("1 changed", "~ tt0000005 Film 5 (2001): decision: accept -> unsure; by: Ada -> Bob"),
    ]
    assert sections(new, old)["Movies"][2].endswith(
        ", which was rejected: reject, by Ada, a trailer of a game"
    )


def test_a_file_that_a_version_lacks_is_reported_in_its_section(old, new):
    before, after = old.write(), new.write()
    for name in ("data/movies.csv", "data/one.csv", "results/config.yaml", "data/mtgc.csv"):
        (new.folder / name).unlink()
    (old.folder / "data/mtgc.csv").unlink()
    write_csv(new.folder / "data/ledger.csv", ["mid", "stage"], [])
    lines = sections(before, after)
    assert lines["Movies"] == ["not compared: data/movies.csv is not in new"]
    assert lines["Trailers"] == ["not compared: data/ledger.csv of new has no column status"]
    both = "data/mtgc.csv is not in old; data/mtgc.csv is not in new"
    assert lines["Labels and splits"] == [f"not compared: {both}"]
    assert lines["Stores"] == ["one: not compared: data/one.csv is not in new"]
    assert lines["Settings"] == ["not compared: results/config.yaml is not in new"]
    assert lines["Results"] == ["no change"]


def test_a_damaged_file_is_reported_in_its_section(old, new):
    new.stores["one"] = {mid: ("g", values) for mid, (_, values) in old.stores["one"].items()}
    before, after = old.write(), new.write()
    (new.folder / "data/one.zarr" / MIDS[0] / "0.0").write_bytes(b"junk")
    (new.folder / "results/config.yaml").write_text("a: [")
    lines = sections(before, after)
    assert lines["Stores"][1].startswith(
        f"features not compared further: data/one.zarr/{MIDS[0]} of new cannot be read ("
    )
    refused = "not compared: results/config.yaml cannot be read: while parsing"
    assert lines["Settings"][0].startswith(refused)
    (new.folder / "data/one.zarr/.zattrs").write_text("{")
    assert sections(before, after)["Stores"][0].startswith(
        "one: not compared: data/one.zarr/.zattrs, line 1, column 2: not JSON"
    )


def test_codecs_and_sizes_of_a_version_are_not_trusted(old, new):
    """numcodecs' pickle runs code, and aliases of YAML stand for any number of values."""
    new.stores["one"] = {mid: ("g", values) for mid, (_, values) in old.stores["one"].items()}
    before, after = old.write(), new.write()
    array = new.folder / "data/one.zarr" / MIDS[0]
    meta = json.loads((array / ".zarray").read_text())
    (array / ".zarray").write_text(json.dumps(meta | {"compressor": {"id": "pickle"}}))
    (array / "0.0").write_bytes(pickle.dumps(Called(str(new.folder / "called"))))
    (new.folder / "results/config.yaml").write_text(
        "a0: &a0 [1]\n" + "".join(f"a{n}: &a{n} [{f'*a{n - 1}, ' * 9}]\n" for n in range(1, 10))
    )
    (new.folder / "data/movies.csv").write_text("mid,title,year\n" + "x" * 200_000 + ",,\n")
    lines = sections(before, after)
    assert "of which not all are allowed" in lines["Stores"][1]
    assert not (new.folder / "called").exists()
    assert "has too many values" in lines["Settings"][0]
    assert "field larger than field limit" in lines["Movies"][0]
    (array / ".zarray").unlink()
    (array / ".zarray").mkdir()
    assert ".zarray is a folder" in sections(before, after)["Stores"][1]


class Called:
    """What touches a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_hostile_title_controls_no_terminal_and_adds_no_line(old, new):
    new.movies["tt0000009"] = {"title": "A\x1b[2J\nMovies\r\x07\u202e" + "x" * 500, "year": "\x1b"}
    new.results["\x1b[1mrun\n"] = {"uap": "1", "map": "1"}
    text = describe_changes(old.write(), new.write())
    assert all(line.isprintable() for line in text.split("\n"))
    (line,) = [line for line in text.split("\n") if "tt0000009" in line]
    assert line.startswith("    + tt0000009 A[2J Movies xxx") and len(line) < 100


def test_long_lists_are_cut(old, new):
    new.movies |= {f"tt{n:07d}": {"title": "T", "year": ""} for n in range(100, 125)}
    lines = sections(old, new)["Movies"]
    assert lines[:2] == ["5 -> 30 movies", "25 added"]
    assert len(lines) == 2 + 21 and lines[-1] == "... and 5 more"
