import gzip
import subprocess
import tarfile

from trailers12k.publish.packing import archives, parquet
from trailers12k.publish.packing.stores import Store


def test_the_header_has_no_time_and_no_name(tmp_path):
    archives.of_files(tmp_path / "a.tar.gz", {"metadata.json": b"{}"})
    data = (tmp_path / "a.tar.gz").read_bytes()
    assert data[3:8] == bytes(5)
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        [member] = tar.getmembers()
    assert (member.name, member.mtime, member.uid, member.uname) == ("metadata.json", 0, 0, "")


def test_tar_reads_it(tmp_path):
    written = archives.of_files(tmp_path / "a.tar.gz", {"b": b"2", "a": b"1" * 10**6})
    subprocess.run(["tar", "-xzf", "a.tar.gz"], cwd=tmp_path, check=True)
    assert (tmp_path / "a").stat().st_size == 10**6 and (tmp_path / "b").read_bytes() == b"2"
    assert written["bytes"] == (tmp_path / "a.tar.gz").stat().st_size


def test_members_do_not_stay_in_memory(tmp_path):
    archive = archives.Archive(tmp_path / "a.tar.gz")
    for number in range(100):
        archive.file(f"{number:03}", b"x")
    assert archive._tar.members == []
    archive.close()
    with tarfile.open(tmp_path / "a.tar.gz") as tar:
        assert len(tar.getmembers()) == 100


def places(rows, subsets, most):
    store = Store("s", None, {"num_features": 1}, rows, {})
    return dict(parquet._places(store, subsets, most))


def test_movies_are_divided_by_the_sizes_of_their_arrays():
    rows = {f"m{number}": 10 for number in range(10)}
    found = places(rows, dict.fromkeys(rows, "train"), 200)
    files = [found[mid][0] for mid in rows]
    assert [files.count(path) for path in dict.fromkeys(files)] == [5, 5]
    assert files[0] == "features/s/train-00000-of-00002.parquet"
    assert [mid for mid in rows if found[mid][1]] == ["m4", "m9"]


def test_a_movie_larger_than_a_file_leaves_no_number_out():
    rows = {"a": 1, "b": 1000, "c": 1, "d": 1}
    files = [path for path, _ in places(rows, dict.fromkeys(rows, "test"), 100).values()]
    names = sorted({*files})
    count = len(names)
    assert names == [f"features/s/test-{n:05}-of-{count:05}.parquet" for n in range(count)]


def test_large_tables_are_packed_in_blocks(tmp_path):
    from trailers12k.publish.packing import tables

    rows = ({"mid": f"tt{number}", "clip": "x" * 1000} for number in range(3000))
    tables._write_packed(tmp_path / "a.csv.gz", ["mid", "clip"], rows)
    assert len(gzip.decompress((tmp_path / "a.csv.gz").read_bytes()).splitlines()) == 3001
