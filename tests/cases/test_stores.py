"""Stores of strangers: archives of any make, arrays of any type, chunks of another size."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numcodecs
import numpy as np
import pytest
import zarr

from trailers12k.classifier.dataset import TrailerDataset
from trailers12k.classifier.packed import PackedStore
from trailers12k.classifier.packing import pack
from trailers12k.classifier.snippets import common_movies
from trailers12k.common.errors import UserError
from trailers12k.common.files import read_csv, write_csv
from trailers12k.common.vocabulary import GENRES
from trailers12k.downloads import http, published
from trailers12k.features import array_files, integrity, published_store
from trailers12k.features import store as stores

MIDS = ("tt0000001", "tt0000002")
FEATURES = 5
RECORD = Path(__file__).parents[1] / "workflow" / "record"
"""Archives that zarr 2.18 wrote, with several chunks per array."""


def values(mid, rows=7):
    return (int(mid[2:]) + np.arange(rows * FEATURES).reshape(rows, FEATURES) / 8).astype("f4")


def make(path, content, features=FEATURES, **options):
    """A store as a stranger writes it. content: mid -> array. options: of zarr."""
    group = zarr.open_group(path, mode="w", zarr_format=2, attributes={"num_features": features})
    for mid, array in content.items():
        chunks = tuple(max(1, size // 2) for size in array.shape)
        made = group.create_array(
            mid, **{"shape": array.shape, "dtype": array.dtype, "chunks": chunks} | options
        )
        made[...] = array
    return path


@pytest.fixture
def theirs(tmp_path):
    return make(tmp_path / "theirs" / "s.zarr", {mid: values(mid) for mid in MIDS})


def archived(store, path):
    """A tar archive of a store; its ending says how it is compressed."""
    kind = {".tar": "", ".gz": "gz", ".bz2": "bz2", ".xz": "xz"}[path.suffix]
    with tarfile.open(path, f"w:{kind}") as tar:
        tar.add(store, store.name)
    return path


def install(archive, folder):
    """Fetch an archive whose md5 nobody knows, and read the store that was installed."""
    fetched = published.fetch_archive(str(archive), None, folder, keep=False)
    store = folder / "data" / "s.zarr"
    published_store.install(fetched.path, fetched.md5, store, store.with_suffix(".csv"))
    return store


# Archives


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz"])
def test_a_flipped_byte_never_passes_as_data(theirs, tmp_path, ending):
    archive = archived(theirs, tmp_path / f"s.tar.{ending}")
    sound = archive.read_bytes()
    refused, step = 0, len(sound) // 120
    for place in range(0, len(sound), step):
        damaged = bytearray(sound)
        damaged[place] ^= 0x10
        archive.write_bytes(damaged)
        try:
            store = install(archive, tmp_path)
        except UserError as error:
            refused += 1
            assert str(archive) in str(error)
        else:
            # In what gzip does not check: the time of its making, or bits between two blocks.
            assert all((stores.read(store, mid) == values(mid)).all() for mid in MIDS)
    assert refused > 100


@pytest.mark.parametrize("ending", ["tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_an_archive_that_was_cut_is_refused(theirs, tmp_path, ending):
    archive = archived(theirs, tmp_path / f"s.{ending}")
    sound = archive.read_bytes()
    # Without its padding: a tar of which only that is missing holds everything.
    kept = len(sound.rstrip(b"\0")) if ending == "tar" else len(sound)
    for part in (1, 0.9, 0.6, 0.3):
        archive.write_bytes(sound[: int(kept * part) - 4])
        with pytest.raises(UserError, match="is not unpacked"):
            install(archive, tmp_path)


def late_header(archive) -> int:
    """Where the third last member of a tar archive begins."""
    with tarfile.open(archive) as tar:
        return tar.getmembers()[-3].offset


def test_a_tar_archive_that_was_cut_between_two_files_is_refused(theirs, tmp_path):
    archive = archived(theirs, tmp_path / "s.tar")
    archive.write_bytes(archive.read_bytes()[: late_header(archive)])
    with pytest.raises(UserError, match="is not unpacked"):
        install(archive, tmp_path)


def test_a_tar_archive_with_a_damaged_header_is_refused(theirs, tmp_path):
    archive = archived(theirs, tmp_path / "s.tar")
    damaged = bytearray(archive.read_bytes())
    damaged[late_header(archive) + 3] ^= 1
    archive.write_bytes(damaged)
    with pytest.raises(UserError, match="is not unpacked"):
        install(archive, tmp_path)


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("garbage", b"garbage after the archive"),
        # Without the time of day, which would make the name of the test different in each process.
        ("another archive", gzip.compress(b"more" * 1000, mtime=0)),
        ("an endless tail", gzip.compress(bytes(200_000_000), 9, mtime=0)),
    ],
)
def test_data_after_the_end_of_an_archive_are_refused(theirs, tmp_path, name, more):
    archive = archived(theirs, tmp_path / "s.tar.gz")
    archive.write_bytes(archive.read_bytes() + more)
    with pytest.raises(UserError):
        install(archive, tmp_path)
    assert not list((tmp_path / "data").glob("*"))


def test_a_header_that_no_system_can_follow_is_damage(theirs, tmp_path):
    for changes in (
        {"pax_headers": {"path": "s.zarr/a\0b"}},
        {"pax_headers": {"comment": "x" * 10_000_000}},
    ):
        archive = archived(theirs, tmp_path / "s.tar")
        with tarfile.open(archive, "a", format=tarfile.PAX_FORMAT) as tar:
            member = tarfile.TarInfo("s.zarr/more")
            for key, value in changes.items():
                setattr(member, key, value)
            tar.addfile(member)
        with pytest.raises(UserError, match="is not unpacked"):
            install(archive, tmp_path)


@pytest.mark.parametrize("form", ["members", "padded", "gz", "bz2", "xz", "tar"])
def test_a_whole_archive_of_any_make_is_installed(theirs, tmp_path, form):
    data = archived(theirs, tmp_path / "s.tar").read_bytes()
    parts = [data[:3000], data[3000:20000], data[20000:]]
    made = {
        "members": lambda: b"".join(map(gzip.compress, parts)),
        "padded": lambda: gzip.compress(data) + bytes(512),
        "gz": lambda: gzip.compress(data),
        "bz2": lambda: bz2.compress(data),
        "xz": lambda: lzma.compress(data),
        "tar": lambda: data,
    }[form]()
    archive = tmp_path / "s.archive"
    archive.write_bytes(made)
    store = install(archive, tmp_path)
    for mid in MIDS:
        np.testing.assert_array_equal(stores.read(store, mid), values(mid))


# Arrays


@pytest.mark.parametrize("dtype", ["<f2", ">f2", ">f4", "<f8", ">f8"])
def test_other_floats_become_float32_at_the_fetch(tmp_path, dtype):
    theirs = make(tmp_path / "s.zarr", {mid: values(mid).astype(dtype) for mid in MIDS})
    store = install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)
    for mid in MIDS:
        assert zarr.open(store, mode="r")[mid].dtype == np.dtype("<f4")
        np.testing.assert_array_equal(stores.read(store, mid), values(mid))
    assert integrity.verify(store, store.with_suffix(".csv")) == []


@pytest.mark.parametrize("dtype", ["<f4", "<f8"])
def test_a_poster_of_one_dimension_is_one_row(tmp_path, dtype):
    content = {mid: values(mid, 1)[0].astype(dtype) for mid in MIDS}
    theirs = make(tmp_path / "s.zarr", content)
    assert integrity.verify(theirs) == []
    store = install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)
    assert {row["clips"] for row in read_csv(store.with_suffix(".csv"))} == {"1"}
    pack(store, store.with_suffix(".csv"), tmp_path / "s.npy")
    np.testing.assert_array_equal(PackedStore(tmp_path / "s.npy").rows(MIDS[0]), values(MIDS[0], 1))
    # Also where a user unpacked the archive by hand.
    rows = [{"mid": mid, "split0": 0} | dict.fromkeys(GENRES, 1) for mid in MIDS]
    write_csv(tmp_path / "mtgc.csv", ("mid", *GENRES, "split0"), rows)
    data = TrailerDataset({"poster": theirs}, tmp_path / "mtgc.csv")
    np.testing.assert_array_equal(data[0][0]["poster"], values(MIDS[0], 1))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((3, FEATURES), "<i4"), "values of type '<i4', not floats"),
        (np.ones((3, FEATURES), "<c8"), "values of type '<c8', not floats"),
        (np.ones((3, FEATURES), "S3"), "values of type '|S3', not floats"),
        (np.ones((2, 3, FEATURES), "<f4"), "not \\(rows, features\\)"),
        (np.ones((3, FEATURES + 1), "<f4"), "not \\(clips, 5\\)"),
        (np.full((3, FEATURES), np.nan, "<f4"), "NaN, infinity"),
        (np.full((3, FEATURES), 1e300, "<f8"), "beyond float32"),
    ],
)
def test_arrays_that_are_no_features_are_refused_by_name(tmp_path, array, message):
    theirs = make(tmp_path / "s.zarr", {MIDS[0]: values(MIDS[0]), MIDS[1]: array})
    with pytest.raises(UserError, match=f"{MIDS[1]}: .*{message}"):
        install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)
    assert not list((tmp_path / "data").glob("*"))


@pytest.mark.parametrize(
    "change",
    [
        {"filters": [{"id": "pickle", "protocol": 5}]},
        {"compressor": {"id": "msgpack2"}},
        {"dtype": "|O", "filters": [{"id": "pickle"}]},
        {"shape": [10**9, FEATURES]},
        {"chunks": [10**9, FEATURES]},
        {"shape": [10**6, FEATURES], "chunks": [1, 1]},
        {"shape": [0, FEATURES]},
        {"shape": "many"},
        {"filters": [{"id": ["shuffle"]}]},
        {"filters": "shuffle"},
        {"compressor": "zstd"},
        {"dtype": "f4,("},
        {"dtype": {"names": ["a"], "formats": ["<f4"]}},
        {"dtype": "(9,)<f4"},
        {"chunks": None},
        {"zarr_format": 3},
        {"order": "X"},
    ],
)
def test_hostile_metadata_is_refused_before_a_chunk_is_read(theirs, tmp_path, change):
    path = theirs / MIDS[0] / ".zarray"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(UserError, match=MIDS[0]):
        install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)
    assert [fault.mid for fault in integrity.verify(theirs)] == [MIDS[0]]


@pytest.mark.parametrize("text", ["[]", "{", "[" * 100_000, "\xff", "null"])
def test_attributes_that_are_no_object_are_named(theirs, tmp_path, text):
    (theirs / MIDS[0] / ".zattrs").write_bytes(text.encode("latin-1"))
    (fault,) = integrity.verify(theirs)
    assert fault.mid == MIDS[0] and fault.reason.startswith(".zattrs cannot be read: ")
    with pytest.raises(UserError, match=MIDS[0]):
        install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)
    (theirs / ".zattrs").write_bytes(text.encode("latin-1"))
    with pytest.raises(UserError, match="no attribute num_features"):
        install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)


def test_a_file_in_the_place_of_an_array_is_named(theirs):
    (theirs / "tt0000009").write_text("no folder")
    assert [fault.mid for fault in integrity.verify(theirs)] == ["tt0000009"]


CODECS = [
    None,
    *(numcodecs.Blosc(name) for name in ("lz4", "zstd", "zlib", "blosclz")),
    *(numcodecs.Zlib(), numcodecs.GZip(), numcodecs.BZ2(), numcodecs.LZMA(), numcodecs.Zstd()),
    numcodecs.LZ4(),
]


@pytest.mark.parametrize("codec", CODECS, ids=str)
@pytest.mark.parametrize("more", [{}, {"order": "F"}, {"filters": [numcodecs.Shuffle(4)]}], ids=str)
def test_every_common_codec_is_read_verified_and_installed(tmp_path, codec, more):
    content = {mid: values(mid) for mid in MIDS}
    theirs = make(tmp_path / "s.zarr", content, compressors=codec, fill_value=-1.0, **more)
    assert integrity.verify(theirs) == []
    store = install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)
    assert integrity.verify(store, store.with_suffix(".csv")) == []
    for mid in MIDS:
        np.testing.assert_array_equal(stores.read(store, mid), content[mid])


@pytest.mark.parametrize("codec", CODECS, ids=str)
@pytest.mark.parametrize("case", ["cut", "shorter", "longer", "missing", "outside", "empty"])
def test_a_chunk_that_is_not_as_its_array_says_is_an_error(tmp_path, codec, case):
    theirs = make(tmp_path / "s.zarr", {mid: values(mid) for mid in MIDS}, compressors=codec)
    chunk, size = theirs / MIDS[0] / "1.0", 3 * 2 * 4
    write = codec.encode if codec else bytes
    match case:
        case "cut":
            chunk.write_bytes(chunk.read_bytes()[:-3])
        case "shorter":
            chunk.write_bytes(write(bytes(size - 4)))
        case "longer":
            chunk.write_bytes(write(bytes(size + 4)))
        case "missing":
            chunk.unlink()
        case "outside":
            (theirs / MIDS[0] / "3.0").write_bytes(chunk.read_bytes())
        case "empty":
            chunk.write_bytes(b"")
    assert [fault.mid for fault in integrity.verify(theirs)] == [MIDS[0]]
    with pytest.raises(UserError, match=f"{MIDS[0]}: .*chunk"):
        install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)


def test_nested_chunks_and_old_metadata_are_installed(theirs, tmp_path):
    meta = json.loads((theirs / MIDS[0] / ".zarray").read_text())
    for path in list((theirs / MIDS[0]).glob("*.*")):
        row, _, column = path.name.partition(".")
        if row.isdigit():
            (theirs / MIDS[0] / row).mkdir(exist_ok=True)
            path.rename(theirs / MIDS[0] / row / column)
    (theirs / MIDS[0] / ".zarray").write_text(json.dumps(meta | {"dimension_separator": "/"}))
    (theirs / ".zmetadata").write_text('{"metadata": {}, "zarr_consolidated_format": 1}')
    assert integrity.verify(theirs) == []
    store = install(archived(theirs, tmp_path / "s.tar.gz"), tmp_path)
    np.testing.assert_array_equal(zarr.open(store, mode="r")[MIDS[0]][:], values(MIDS[0]))
    # A later archive replaces it.
    assert install(tmp_path / "s.tar.gz", tmp_path) == store


# Stores that zarr 2.18 wrote, as the authors'


@pytest.fixture
def record(tmp_path):
    return install(RECORD / "trailers_i_resnet_fpc24.zarr.tar.gz", tmp_path)


def test_verify_reads_arrays_of_several_chunks(record):
    assert zarr.open(record, mode="r")["tt9000056"].nchunks > 1
    assert integrity.verify(record, record.with_suffix(".csv")) == []
    chunk = record / "tt9000056" / "1.1"
    chunk.write_bytes(chunk.read_bytes()[:-1])
    (record / "tt12345678" / "0.0").unlink()
    faults = integrity.verify(record, record.with_suffix(".csv"))
    assert [fault.mid for fault in faults] == ["tt12345678", "tt9000056"]
    with pytest.raises(UserError, match="fetch or copy it again"):
        integrity.repair(record, faults)


def test_xarray_finds_the_dimensions_of_every_array_and_no_missing_values(record, tmp_path):
    own = tmp_path / "own.zarr"
    stores.create(own, {"num_features": 16})
    for mid, rows in (("tt12345678", 3), ("tt9000056", 11)):
        stores.write(own, mid, np.zeros((rows, 16), np.float32), {})
    for store in (record, own):
        named = {}
        for mid in ("tt12345678", "tt9000056"):
            array = zarr.open(store, mode="r")[mid]
            assert array.fill_value is None
            named[mid] = dict(zip(array.attrs["_ARRAY_DIMENSIONS"], array.shape, strict=True))
        # A dimension has one size in all arrays.
        one, other = named.values()
        assert all(one[name] == other[name] for name in one.keys() & other.keys())
        assert one.keys() & other.keys() == {"feature"}


def test_messages_on_published_features_tell_nobody_to_compute_them(record, tmp_path):
    (record / "tt9000056" / "0.0").unlink()
    with pytest.raises(ValueError) as damaged:
        pack(record, record.with_suffix(".csv"), tmp_path / "x.npy")
    with pytest.raises(ValueError) as different:
        common_movies({"image": {"tt1": 3}, "video": {"tt1": 4}}, ["tt1"])
    with pytest.raises(ValueError) as no_array:
        (record / "tt0000009").mkdir()
        (record / "tt0000009" / ".zgroup").write_text('{"zarr_format": 2}')
        pack(record, None, tmp_path / "x.npy")
    assert "to fetch this store again, delete" in str(damaged.value)
    for error in (damaged, different, no_array):
        assert "comput" not in str(error.value) and "features stage" not in str(error.value)


def test_messages_on_own_features_name_the_repair(tmp_path):
    store = tmp_path / "own.zarr"
    stores.create(store, {"num_features": 2, "determined_by": {}})
    stores.write(store, MIDS[0], np.ones((3, 2), np.float32), {})
    (store / MIDS[0] / "0.0").unlink()
    with pytest.raises(
        ValueError, match=f"chunk is missing; run `trailers12k stores verify {store} --rep"
    ):
        pack(store, None, tmp_path / "x.npy")


# The web


class Site(ThreadingHTTPServer):
    """One file under every path; counts requests and the bytes it sent."""

    def __init__(self, data):
        super().__init__(("127.0.0.1", 0), Handler)
        self.data, self.requests, self.sent = data, [], 0
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.requests.append(self.path)
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.data)))
        self.end_headers()
        stream = io.BytesIO(self.server.data)
        try:
            while block := stream.read(1 << 16):
                self.wfile.write(block)
                self.server.sent += len(block)
        except OSError:
            pass

    do_HEAD = do_GET

    def log_message(self, *args):
        pass


@pytest.fixture
def site():
    servers = []

    def serve(data):
        servers.append(Site(data))
        return servers[-1]

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def test_every_archive_is_requested_once(theirs, tmp_path, site):
    server = site(archived(theirs, tmp_path / "s.tar.gz").read_bytes())
    addresses = {"s": f"{server.url}/s.zarr.tar.gz"}
    sizes = published.sizes(addresses, {"s": "frames"}, 12_000)
    published.check_room(sizes, False, 10**12)
    (tmp_path / "fetched").mkdir()
    fetched = published.fetch_archive(addresses["s"], None, tmp_path / "fetched", keep=False)
    assert fetched.path.read_bytes() == server.data
    assert server.requests == ["/s.zarr.tar.gz"]


def test_a_disk_that_is_too_small_ends_a_download_before_it_begins(
    theirs, tmp_path, site, monkeypatch
):
    server = site(archived(theirs, tmp_path / "s.tar.gz").read_bytes())
    usage = type(published.shutil.disk_usage(tmp_path))(10, 9, 1)
    monkeypatch.setattr(published.shutil, "disk_usage", lambda folder: usage)
    (tmp_path / "fetched").mkdir()
    with pytest.raises(UserError, match="of disk space are needed"):
        published.fetch_archive(f"{server.url}/s.gz", None, tmp_path / "fetched", keep=False)
    assert not list((tmp_path / "fetched").iterdir())


def big_archive(path, dtype):
    """40 MB that do not compress, in arrays of 2 MB."""
    random = np.random.default_rng(0)
    content = {
        f"tt{number:07d}": random.integers(1, 2**30, (1000, 512)).astype(dtype)
        for number in range(20)
    }
    return archived(make(path / "big.zarr", content, 512), path / "big.tar.gz").read_bytes()


def test_arrays_of_another_type_end_a_download_near_its_beginning(tmp_path, site):
    server = site(big_archive(tmp_path, "<i4"))
    (tmp_path / "fetched").mkdir()
    for _ in range(2):  # The second time from what the first one left.
        before = server.sent
        with pytest.raises(UserError, match=r"big: tt\d+: values of type '<i4', not floats"):
            published.fetch_archive(
                f"{server.url}/big.tar.gz",
                None,
                tmp_path / "fetched",
                keep=False,
                check_beginning=lambda path: published_store.check_beginning(path, "big"),
            )
        assert server.sent - before < len(server.data) * 0.75


def test_a_page_instead_of_an_archive_ends_its_download_near_its_beginning(tmp_path, site):
    server = site(b"<html>" + bytes(3 * http.BEGINNING))
    (tmp_path / "fetched").mkdir()
    with pytest.raises(UserError, match="big cannot be unpacked: "):
        published.fetch_archive(
            f"{server.url}/big.tar.gz",
            None,
            tmp_path / "fetched",
            keep=False,
            check_beginning=lambda path: published_store.check_beginning(path, "big"),
        )


def test_the_beginning_of_a_sound_archive_is_no_reason_to_stop(tmp_path):
    data = big_archive(tmp_path, "<f4")
    (tmp_path / "part").write_bytes(data[: http.BEGINNING])
    published_store.check_beginning(tmp_path / "part", "big")


def test_the_record_is_estimated_at_the_forty_gigabytes_that_it_has():
    names = {store: f"http://x.example/{store}" for store in published.FEATURES}
    sizes = published.sizes(names, dict.fromkeys(names, "frames"), 12_000)
    assert sum(sizes.values()) == pytest.approx(40e9, rel=0.02)
    posters = published.sizes({"p": "http://x.example/p"}, {"p": "posters"}, 12_000)
    assert posters["p"] < 0.05e9


def test_metadata_is_bounded_whatever_a_file_says():
    meta = {"shape": [2, 3], "chunks": [2, 3], "dtype": "<f4", "compressor": None}
    assert array_files.parse(json.dumps(meta)).is_plain
    deep = "[" * 100_000
    with pytest.raises(ValueError, match=r"\.zarray cannot be read"):
        array_files.parse(f'{{"shape": {deep}')
