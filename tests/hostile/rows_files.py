"""Hostile files that users name: tables, configurations, JSON, and packed metadata."""

import gc
import gzip
import os
import socket
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.hostile.inputs import HostileInput
from trailers12k.common.bounded_files import parse_json
from trailers12k.common.user_table import read_user_table
from trailers12k.movies import curation
from trailers12k.movies.sources import imdb, table, trailers12k
from trailers12k.settings import load
from trailers12k.settings.files import read_config, read_file
from trailers12k.splits.rows import read_positions

MB = 1_000_000
HEAD = b"mid,title,year,genres,youtube_id,poster_url\n"


def _file(name: str, *parts: bytes) -> Callable[[Path], Path]:
    """Writes a file of parts, each of which may be large."""

    def make(folder: Path) -> Path:
        with (folder / name).open("wb") as file:
            file.writelines(parts)
        return folder / name

    return make


def _zeros(megabytes: int) -> Iterator[bytes]:
    return (bytes(MB) for _ in range(megabytes))


def _packed(name: str, first: bytes, megabytes: int, filling: bytes) -> Callable[[Path], Path]:
    """Writes a gzip file of some bytes and megabytes of one byte, in members of 100 MB."""

    def make(folder: Path) -> Path:
        member = gzip.compress(filling * 100 * MB, 1)
        parts = [gzip.compress(first), *[member] * (megabytes // 100)]
        return _file(name, *parts)(folder)

    return make


def _archive(name: str, size: int, members: int = 0) -> Callable[[Path], Path]:
    """Writes a tar.gz of some empty files, or of one of at most 1 GB of zeros."""

    def make(folder: Path) -> Path:
        info = tarfile.TarInfo("metadata.json")
        info.size = size
        head = info.tobuf()
        if members:
            return _file(name, gzip.compress(head * members, 1))(folder)
        zeros = gzip.compress(bytes(100 * MB), 1)
        return _file(name, gzip.compress(head), *[zeros] * min(10, size // (100 * MB)))(folder)

    return make


def _million(folder: Path) -> Path:
    path = folder / "movies.csv"
    with path.open("w") as file:
        file.write(HEAD.decode())
        for number in range(1_000_000):
            name = f"{number:011}"
            file.write(
                f"tt{number:07},Movie {name},2000,comedy|drama,{name},https://h/{name}.jpg\n"
            )
    return path


def _laughs(number: int) -> bytes:
    names = ", ".join([f"*a{number - 1}"] * 9)
    return f"a{number}: &a{number} [{names}]\n".encode()


def _metadata(path: Path) -> object:
    return trailers12k.read({"files": {"metadata": path}, "max_megabytes": 200}, {})


def _imdb(path: Path) -> object:
    files = dict.fromkeys((imdb.BASICS_FILE, imdb.RATINGS_FILE), path)
    own = {"types": ["movie"], "years": (1980, 2025), "votes": 1, "genres": None}
    return imdb.read({**own, "files": files, "max_megabytes": 10}, {})


def _movies(path: Path) -> object:
    return table.read({"path": str(path)}, {})


def _list_of_movies(path: Path) -> object:
    from trailers12k.settings import load
    from trailers12k.workflow.movie_list import MovieList

    gc.disable()  # as the Snakefile does
    movies = MovieList(load({"movies": str(path)})).movies
    assert len(movies) == 1_000_000
    return movies


def _any_table(path: Path) -> object:
    return list(read_user_table(path, ["mid"]).rows)


def _json(path: Path) -> object:
    return parse_json(path.read_bytes(), path)


def _fifo(name: str) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        os.mkfifo(folder / name)
        return folder / name

    return make


def _socket(folder: Path) -> Path:
    socket.socket(socket.AF_UNIX).bind("movies.csv")
    return folder / "movies.csv"


def _loop(folder: Path) -> Path:
    (folder / "movies.csv").symlink_to("movies.csv")
    return folder / "movies.csv"


def _device(folder: Path) -> Path:
    return Path("/dev/zero")


NOT_A_FILE = r".* is a device, a pipe or a socket; allowed: a file"
A_FILE = "a file"


def _one_movie(path: Path) -> object:
    """The table's movies after all checks of their values."""
    from trailers12k.movies.sources.collection import collect

    return collect([str(path)], {})


ROWS = [
    HostileInput(
        "movie table",
        "NUL bytes",
        _file("movies.csv", b"mid,title\n", bytes(1000)),
        _any_table,
        ".*, line 2: NUL bytes: the file is damaged",
        "no NUL byte",
    ),
    HostileInput(
        "movie table",
        "a million movies",
        _million,
        _list_of_movies,
        "",
        "1,000,000 rows, in 60 s and 1 GB",
        most_mb=1000,
        most_seconds=60,
    ),
    HostileInput(
        "movie table",
        "1 GB of zeros",
        _file("movies.csv", *_zeros(1000)),
        _movies,
        ".* has 1,000 MB; allowed: at most 500 MB",
        "500 MB",
        most_mb=20,
        most_seconds=2,
    ),
    HostileInput(
        "movie table",
        "a line of 300 MB",
        _file("movies.csv", b"mid,", *[b"a" * MB] * 300),
        _movies,
        ".*, line 1: more than 1,000,000 characters without a line end",
        "1,000,000 characters a line",
        most_mb=20,
        most_seconds=2,
    ),
    HostileInput(
        "movie table",
        "a quote that stays open for 200 MB",
        _file("movies.csv", HEAD, b'tt0000001,"', *[b"a,b\n" * (MB // 4)] * 200),
        _movies,
        ".*, line 2: not a CSV file: a quote that opens here is not closed",
        "131,072 characters in quotes",
        most_mb=20,
        most_seconds=2,
    ),
    HostileInput(
        "movie table",
        "a cell of 100,000 characters",
        _file("movies.csv", HEAD, b"tt0000001," + b"a" * 100_000 + b",2000,drama,,\n"),
        _movies,
        ".*, line 2: a cell has more than 10,000 characters",
        "10,000 characters a cell",
        most_mb=20,
    ),
    HostileInput(
        "movie table",
        "400,001 columns",
        _file("movies.csv", b"mid" + b",a" * 400_000),
        _any_table,
        ".*, line 1: 400,001 columns; allowed: at most 10,000",
        "10,000 columns",
    ),
    HostileInput(
        "movie table",
        "a title of 9,000 control characters",
        _file("movies.csv", HEAD, b'tt0000001,"' + b"\x1b" * 9000 + b'A",2000,drama,,\n'),
        _one_movie,
        r".*, line 2: title: .{120} is not allowed; allowed: printable text\Z",
        "120 characters in a message",
    ),
    HostileInput(
        "movie table",
        "a mid that ends in a line feed",
        _file("movies.csv", HEAD, b'"tt0000001\n./..",A,2000,drama,,\n'),
        _one_movie,
        ".*, line 2: mid: .* is not allowed; allowed: tt and 7 or 8 digits",
        "tt and 7 or 8 digits",
    ),
    HostileInput(
        "movie table", "a pipe", _fifo("movies.csv"), _movies, NOT_A_FILE, A_FILE, most_seconds=1
    ),
    HostileInput("movie table", "a socket", _socket, _movies, NOT_A_FILE, A_FILE, most_seconds=1),
    HostileInput("movie table", "/dev/zero", _device, _movies, NOT_A_FILE, A_FILE, most_seconds=1),
    HostileInput(
        "movie table",
        "a link to itself",
        _loop,
        _movies,
        ".* cannot be read .Too many levels of symbolic links.; allowed: a file",
        A_FILE,
        most_seconds=1,
    ),
    HostileInput("curation", "/dev/zero", _device, curation.read, NOT_A_FILE, A_FILE),
    HostileInput(
        "splits.extend", "a pipe", _fifo("splits.csv"), read_positions, NOT_A_FILE, A_FILE
    ),
    HostileInput(
        "Trailers12k's metadata",
        "4 MB of gzip that grow to 1 GB",
        _packed("m.json.gz", b'{"trailers12k": {"1": "', 1000, b"a"),
        _metadata,
        ".* unpacks to more than 200 MB; allowed: at most 200 MB",
        "200 MB; sources.trailers12k.max_megabytes",
        most_mb=500,
    ),
    HostileInput(
        "Trailers12k's metadata",
        "an archive with a member of 1 GB of zeros",
        _archive("m.tar.gz", 1000 * MB),
        _metadata,
        ".* unpacks to more than 200 MB; allowed: at most 200 MB",
        "200 MB; sources.trailers12k.max_megabytes",
        most_mb=500,
    ),
    HostileInput(
        "Trailers12k's metadata",
        "an archive that claims a member of 1 TB",
        _archive("m.tar.gz", 10**12, 1),
        _metadata,
        ".*m.tar.gz: truncated or damaged",
        "200 MB; sources.trailers12k.max_megabytes",
        most_mb=50,
    ),
    HostileInput(
        "Trailers12k's metadata",
        "an archive of 100,000 files",
        _archive("m.tar.gz", 0, 100_000),
        _metadata,
        ".*m.tar.gz: the archive has more than 100 files",
        "100 files",
        most_mb=50,
    ),
    HostileInput(
        "Trailers12k's metadata",
        "20 million values in 40 MB",
        _file("m.json", b'{"trailers12k": [', *[b"1," * MB] * 20, b"1]}"),
        _metadata,
        ".*m.json has too many values; allowed: at most 10,000,000",
        "a value per 20 bytes",
        most_mb=150,
    ),
    HostileInput(
        "IMDb's files",
        "a line of 1 GB",
        _packed("title.basics.tsv.gz", b"tconst\taverageRating\tnumVotes\n", 1000, b"a"),
        _imdb,
        ".*, line 2: 100,000 bytes without a line end",
        "100,000 bytes a line",
        most_mb=20,
        most_seconds=1,
    ),
    HostileInput(
        "IMDb's files",
        "2 MB of gzip that grow to 500 MB of empty rows",
        _packed("title.basics.tsv.gz", b"tconst\taverageRating\tnumVotes\n", 500, b"\n"),
        _imdb,
        ".*, line 2: 1 fields in 3 columns; .*10001 of 10002 rows cannot be used.",
        "10,000 rows that are none; 50,000,000 rows; 4,000 MB",
        most_mb=20,
        most_seconds=5,
    ),
    HostileInput(
        "config.yaml",
        "100,000 levels, at which PyYAML's loader crashes",
        _file("config.yaml", b"a: " + b"[" * 100_000),
        read_file,
        ".*config.yaml has too many values; allowed: 100,000 in 20 levels",
        "20 levels",
        most_seconds=1,
    ),
    HostileInput(
        "config.yaml",
        "a billion laughs",
        _file("config.yaml", b"a0: &a0 [ha]\n", *map(_laughs, range(1, 12))),
        read_file,
        ".*config.yaml has too many values; allowed: 100,000 in 20 levels",
        "100,000 values, with aliases",
        most_seconds=1,
    ),
    HostileInput(
        "config.yaml",
        "an alias that contains itself",
        _file("config.yaml", b"a: &a {b: *a}\n"),
        lambda path: read_config(),
        "config.yaml: an alias .* must not contain itself",
        "20 levels",
        most_seconds=1,
    ),
    HostileInput(
        "config.yaml",
        "a number of 100,000 digits",
        _file("config.yaml", b"seed: " + b"1" * 100_000),
        read_file,
        ".*config.yaml cannot be read: Exceeds the limit",
        "4,300 digits",
        most_seconds=1,
    ),
    HostileInput(
        "config.yaml",
        "a day that no month has",
        _file("config.yaml", b"seed: 2026-99-99"),
        read_file,
        ".*config.yaml cannot be read: month must be in 1..12",
        "days of the calendar",
        most_seconds=1,
    ),
    HostileInput(
        "config.yaml",
        "200 MB",
        _file("config.yaml", *[b"#" * MB] * 200),
        read_file,
        ".*config.yaml has 200 MB; allowed: at most 1 MB",
        "1 MB",
        most_mb=10,
        most_seconds=1,
    ),
    HostileInput(
        "config.yaml", "a pipe", _fifo("config.yaml"), read_file, NOT_A_FILE, A_FILE, most_seconds=1
    ),
    HostileInput(
        "configuration",
        "movies: /dev/zero",
        lambda folder: {"movies": "/dev/zero"},
        load,
        "config: movies: /dev/zero is a device, a pipe or a socket; allowed: a file",
        A_FILE,
    ),
    HostileInput(
        "configuration",
        "NaN as a number",
        lambda folder: {"movies": "sample", "training": {"lr": float("nan")}},
        load,
        "config: training.lr: nan is not allowed; allowed: a number, more than 0",
        "finite numbers",
    ),
    HostileInput(
        "configuration",
        "2.0 as a count",
        lambda folder: {"movies": "sample", "training": {"batch": 2.0}},
        load,
        "config: training.batch: 2.0 has the wrong type; allowed: an integer, at least 2",
        "whole numbers without a point",
    ),
    HostileInput(
        "configuration",
        "a name of a store that ends in a line feed",
        lambda folder: {"backbones": {"store\n": {"model": "timm/a", "input": "frames"}}},
        load,
        r"config: backbones: the name 'store\\n' is not allowed; allowed: 1 to 60 letters",
        "1 to 60 letters, digits and _",
    ),
    HostileInput(
        "configuration",
        "a seed of 1,000 digits",
        lambda folder: {"movies": "sample", "seed": 10**1000},
        load,
        "config: seed: a number of about 1001 digits is not allowed; allowed: at most",
        "9,223,372,036,854,775,807",
    ),
    HostileInput(
        "configuration",
        "braces in the path of a table",
        lambda folder: {"movies": "{shard}.csv"},
        load,
        "config: movies: '{shard}.csv': Snakemake takes braces for wildcards; rename",
        "no braces in paths of inputs",
    ),
    HostileInput(
        "gzip",
        "300,000 empty members",
        _file("m.json.gz", gzip.compress(b"") * 300_000),
        _metadata,
        ".* is a gzip stream of more than 200,000 members",
        "200,000 members",
    ),
    HostileInput(
        "JSON",
        "100,000 levels",
        _file("a.json", b'{"a":[' * 50_000),
        _json,
        ".*a.json is nested too deeply; allowed: at most 50 levels",
        "50 levels",
    ),
    HostileInput(
        "JSON",
        "a number of a million digits",
        _file("a.json", b"1" * MB),
        _json,
        ".*a.json is not JSON: Exceeds the limit",
        "4,300 digits",
        most_seconds=1,
    ),
    HostileInput(
        "JSON",
        "NaN and infinity",
        _file("a.json", b'{"duration": [1e999, NaN]}'),
        _json,
        ".*a.json is not JSON: '1e999' is too large",
        "finite numbers",
    ),
]
