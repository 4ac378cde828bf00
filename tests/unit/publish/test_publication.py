"""A publication as a whole: its bytes, its place, and what is refused."""

import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import zarr

from trailers12k.common.errors import UserError
from trailers12k.common.files import partial_of, read_csv
from trailers12k.features import published_store
from trailers12k.publish import publication
from trailers12k.publish.packing.records import Limits

from . import finished
from .finished import CLIPS, MIDS, POSTERS, ROWS

PRIVATE = re.compile(
    rb"/home|file:|192\.168|cookies|my note|Signature|videos/a|no such file|"
    + finished.CREDITED.encode(),
)


def files_of(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(Path(folder).rglob("*"))
        if path.is_file()
    }


def write(run, to="publication", **more):
    publication.write(run, Path(to), say=lambda line: None, **more)
    return files_of(to)


def test_the_same_run_gives_the_same_bytes(run, tmp_path):
    first = write(run)
    for path in Path("data").rglob("*"):
        os.utime(path, (1, 1))
    os.umask(os.umask(0o077) | 0o007)
    assert write(run, tmp_path / "elsewhere" / "other") == first
    assert {"mtgc.csv", "metadata.tar.gz", f"{CLIPS}.zarr.tar.gz", "SHA256SUMS"} <= first.keys()


def test_sums_are_those_of_coreutils(run):
    files = write(run)
    for name in ("sha256sum", "md5sum"):
        sums = f"{name.removesuffix('sum').upper()}SUMS"
        done = subprocess.run([name, "--check", "--strict", sums], cwd="publication")
        assert done.returncode == 0
        assert len(files[sums].splitlines()) == len(files) - 2


def test_nothing_private_is_in_any_file(run):
    def content(name, data):
        if not name.endswith(".gz"):
            return data
        data = gzip.decompress(data)
        return data if b"\x28\xb5\x2f\xfd" not in data else data.replace(b"\0", b"")

    found = {name: PRIVATE.findall(content(name, data)) for name, data in write(run).items()}
    assert {name: each for name, each in found.items() if each} == {}


def test_the_sound_of_each_trailer_is_published(run):
    lines = gzip.decompress(write(run)["sound.csv.gz"]).decode().splitlines()
    assert lines == [
        "mid,sound,loudness,silence,speech",
        f"{MIDS[0]},ok,-14.2,0.031,",
        f"{MIDS[1]},no_track,,,",
    ]
    table = Path("results/tables/trailers.csv")
    heard = table.read_text()
    for value in ("ok", "-14.2"):
        table.write_text(heard.replace(value, "/home/ann/x"))
        with pytest.raises(UserError, match="trailers.csv"):
            write(run)
    table.write_text("mid\n")
    assert "sound.csv.gz" not in write(run)


def test_an_archive_is_read_by_the_workflow_and_by_zarr(run, tmp_path):
    write(run)
    archive = Path("publication", f"{CLIPS}.zarr.tar.gz")
    with tarfile.open(archive) as tar:
        members = tar.getmembers()
        tar.extractall(tmp_path)
    assert [each.name for each in members] == sorted(each.name for each in members)
    assert {(e.mtime, e.uid, e.gid, e.uname, e.gname) for e in members} == {(0, 0, 0, "", "")}
    assert {each.mode for each in members} == {0o644, 0o755}
    group = zarr.open(str(tmp_path / f"{CLIPS}.zarr"), mode="r")
    assert group.attrs["num_features"] == finished.FEATURES
    assert group.attrs["weights_source"] == "own.pth"
    for mid, rows in ROWS.items():
        np.testing.assert_array_equal(group[mid][:], finished.values(CLIPS, mid, rows))
    manifest = tmp_path / "installed.csv"
    published_store.install(archive, "0" * 32, tmp_path / "installed.zarr", manifest)
    assert {row["mid"]: int(row["clips"]) for row in read_csv(manifest)} == ROWS


def test_parquet_has_a_row_for_each_clip_by_subset(run):
    pq = pytest.importorskip("pyarrow.parquet")
    write(run)
    train = pq.read_table(f"publication/features/{CLIPS}/train-00000-of-00001.parquet")
    assert train.column("mid").to_pylist() == [m for m in MIDS[:3] for _ in range(ROWS[m])]
    assert train.column("clip").to_pylist() == [0, 0, 1, 0, 1, 2]
    assert train.column("end").to_pylist() == [1, 1, 2, 1, 2, 3]
    expected = np.concatenate([finished.values(CLIPS, mid, ROWS[mid]) for mid in MIDS[:3]])
    features = train.column("features").combine_chunks()
    assert features.type.list_size == finished.FEATURES
    np.testing.assert_array_equal(features.flatten().to_numpy().reshape(expected.shape), expected)
    posters = pq.read_table(f"publication/features/{POSTERS}/test-00000-of-00001.parquet")
    assert posters.column("mid").to_pylist() == MIDS[4:]
    assert posters.column("start").null_count == 2


def test_movies_of_no_subset_are_unassigned(run):
    labels = Path("data/mtgc.csv")
    labels.write_text("".join(labels.read_text().splitlines(keepends=True)[:-1]))
    assert f"features/{POSTERS}/unassigned-00000-of-00001.parquet" in write(run)


def test_an_earlier_publication_is_replaced_whole(run):
    write(run)
    Path("data/movies.csv").write_text(Path("data/movies.csv").read_text().replace("2001", "2002"))
    second = write(run)
    assert b"2002" in gzip.decompress(second["movies.csv.gz"])
    assert not [*Path().glob("*.partial")]


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("data", "is in data/, which runs write"),
        ("results/report/x", "is in results/"),
        ("link/x", "is in build/"),
        (".", "contains this collection"),
        ("..", "contains this collection"),
        ("movies", "holds mine.txt"),
        ("file", "is a file"),
        ("mixed", "holds more.txt"),
        ("summed", "holds SHA256SUMS"),
    ],
)
def test_other_places_are_refused_and_keep_their_files(run, to, message):
    write(run, "mixed")
    for name in ("movies/mine.txt", "mixed/more.txt", "file", "build/x"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("mine")
    Path("link").symlink_to("build")
    Path("summed").mkdir()
    Path("summed/a.txt").write_text("mine")
    Path("summed/SHA256SUMS").write_text(f"{'0' * 64}  a.txt\n")
    before = files_of(".")
    with pytest.raises(UserError, match=re.escape(message)):
        write(run, to)
    assert files_of(".") == before


def damage_values(array):
    (array / "0.0").write_bytes((array / "0.0").read_bytes()[:-2])


def damage_attributes(array):
    text = (array / ".zattrs").read_text()
    (array / ".zattrs").write_text(re.sub('values_sha256": "..', 'values_sha256": "00', text))


def link_out(array):
    target = Path("secret")
    shutil.copy(array / "0.0", target)
    (array / "0.0").unlink()
    (array / "0.0").symlink_to(target.absolute())


def link_folder(array):
    array.rename("outside")
    array.symlink_to(Path("outside").absolute())


@pytest.mark.parametrize(
    "damage",
    [
        *(damage_values, damage_attributes, link_out, link_folder, shutil.rmtree),
        lambda array: (array / ".zarray").write_text("[]"),
        lambda array: (array / ".zarray").write_text("[" * 10**5),
    ],
)
def test_a_damaged_array_ends_it_in_one_line_and_keeps_the_earlier_one(run, damage):
    before = write(run)
    damage(Path("data", f"{CLIPS}.zarr", MIDS[2]))
    with pytest.raises(UserError) as error:
        write(run)
    assert MIDS[2] in str(error.value) and "\n" not in str(error.value)
    assert files_of("publication") == before
    assert not [*Path().glob("*.partial")]


def test_other_files_in_a_store_are_not_published(run):
    store = Path("data", f"{CLIPS}.zarr")
    before = write(run)
    (store / "notes.txt").write_text("private")
    (store / MIDS[0] / "notes.txt").write_text("private")
    (store / "tt0000099").mkdir()
    assert write(run) == before


def test_other_clips_than_the_rows_are_refused(run):
    lines = Path("data/clips.csv").read_text().splitlines(keepends=True)
    Path("data/clips.csv").write_text("".join(lines[:-1]))
    with pytest.raises(UserError, match="has 5 rows, and data/clips.csv has 4 clips"):
        write(run)


def test_a_full_disk_is_reported_before_anything_is_written(run, monkeypatch):
    usage = shutil.disk_usage(".")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(UserError, match="needs up to .* MB of disk space, and 0 MB are free"):
        write(run)
    assert not Path("publication").exists() and not [*Path().glob("*.partial")]


def test_a_publication_of_several_records_lists_the_files_of_each(run):
    lines = []
    limits = Limits(files=8, bytes=10**6, reserved_files=0, reserved_bytes=0)
    publication.write(run, Path("publication"), limits=limits, say=lines.append)
    rows = read_csv("publication/RECORDS.csv")
    assert {row["record"] for row in rows} == {"1", "2"}
    of_first = [row["file"] for row in rows if row["file"].startswith(("features", CLIPS))]
    assert len(of_first) == 7
    assert any("2 records" in line for line in lines)


def test_a_file_that_no_record_takes_is_named(run):
    lines = []
    limits = Limits(files=100, bytes=1000, reserved_files=0, reserved_bytes=0)
    publication.write(run, Path("publication"), limits=limits, say=lines.append)
    assert any(f"{POSTERS}.zarr.tar.gz has" in line and "quota" in line for line in lines)


def dead_partial(target):
    """A path as a process that has ended would have written to."""
    return Path(str(partial_of(target)).replace(f"-{os.getpid()}-", "-4194305-"))


def test_what_a_killed_command_left_is_removed(run):
    half = dead_partial(Path("publication").absolute())
    half.mkdir()
    (half / "mtgc.csv").write_text("half")
    write(run)
    assert not half.exists()


def test_a_replacement_that_was_cut_between_its_renames_is_completed(run):
    first = write(run)
    old, new = (dead_partial(Path("publication").absolute()) for _ in range(2))
    Path("publication").rename(old)
    shutil.copytree(old, new)
    os.utime(old / "SHA256SUMS", (1, 1))
    shutil.rmtree("data")
    lines = []
    with pytest.raises((UserError, OSError)):
        publication.write(run, Path("publication"), say=lines.append)
    assert files_of("publication") == first and "took up" in lines[0]
    assert not [*Path().glob("*.partial")]


KILLED = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from trailers12k.publish import assembly, publication
from trailers12k.publish.packing import sums
from trailers12k.settings import load
from unit.publish.examples import facts
assembly.write_words = lambda *_: []
publication.collect_facts = lambda _: facts()
settings = load({config!r})
left = int(sys.argv[1])
original = sums.Summed.close
def close(file):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    original(file)
sums.Summed.close = close
publication.write(settings, Path("publication"))
"""


@pytest.mark.parametrize("place", [1, 12, 20])
def test_a_kill_leaves_the_earlier_publication_and_the_next_call_sweeps(run, place):
    before = write(run)
    config = run.model_dump(mode="json", exclude_unset=True)
    code = KILLED.format(tests=str(Path(__file__).parents[2]), config=config)
    done = subprocess.run([sys.executable, "-c", code, str(place)], capture_output=True)
    assert done.returncode == -9, done.stderr
    assert files_of("publication") == before
    assert len([*Path().glob("*.partial")]) == 1
    assert write(run) == before
    assert not [*Path().glob("*.partial")]


def test_the_authors_own_features_are_refused(run):
    published = run.model_copy(update={"movies": ("published",)})
    assert published.is_published
    with pytest.raises(UserError, match="published"):
        publication.check_collection(published)


def test_hashes_are_those_of_the_files(run):
    publication.write(run, Path("publication"))
    for line in Path("publication/SHA256SUMS").read_text().splitlines():
        digest, _, name = line.partition("  ")
        assert hashlib.sha256(Path("publication", name).read_bytes()).hexdigest() == digest
