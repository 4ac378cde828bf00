"""The sample: a made-up collection of movies whose trailers and posters are painted by code.

It lets the whole pipeline run offline. `movies` makes the table (pure, fast, called while Snakemake
parses); `render_shard` writes FOLDER/trailers, FOLDER/posters, FOLDER/truth and a table of the true
shots. Genres are visible: each has its own look, and a trailer shows one of its movie's genres a
shot. Must not know what the pipeline does with the files.
"""

import json
import logging
import random
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from trailers12k.common.files import replacing, write_csv, write_json, write_text
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import Movie
from trailers12k.common.vocabulary import GENRES
from trailers12k.movies.sources.records import Record

if TYPE_CHECKING:
    import numpy as np

log = logging.getLogger(__name__)

FPS = 24
SIZE = (640, 360)
PAINTED = (320, 180)
"""Frames are painted at half the size and scaled up when encoded: a quarter of the pixels."""
POSTER = (400, 600)
TITLE = 150
"""Lines of the poster's dark foot, where the title stands."""
DISSOLVE = 8
"""Frames of a dissolve. The shot after it starts in its middle."""
DISSOLVES = 1 / 6
"""How many of the transitions are dissolves."""
SHORTEST = 14
"""Frames of the shortest shot."""

SHOTS = {
    "action": 5,
    "adventure": 4,
    "comedy": 3,
    "crime": 4,
    "drama": 3,
    "fantasy": 3,
    "horror": 4,
    "romance": 3,
    "sci-fi": 4,
    "thriller": 5,
}
"""The cutting rhythm of a genre: shots in a trailer. A movie takes the mean of its genres."""
FRAMES = {3: 31, 4: 26, 5: 22}
"""Mean frames of a shot in a trailer of so many shots: all trailers last about as long."""

# Made up. IMDb may give the same numbers to something else: the sample never asks it.
FIRST_ID = 9_000_001
BROKEN = {
    "missing_trailer": "tt9999901",
    "truncated_trailer": "tt9999902",
    "text_trailer": "tt9999903",
    "missing_poster": "tt9999904",
}
"""Movies with something wrong, in every sample: each run shows how such movies are handled."""

# Measured on the labels of Trailers12k (mtgc.csv of Zenodo 5716410, Montalvo-Lezama et al.): the
# share of its 12,000 movies that have a genre, and the 64 commonest of its 442 sets of genres.
SHARES = {
    "action": 0.260,
    "adventure": 0.163,
    "comedy": 0.349,
    "crime": 0.207,
    "drama": 0.497,
    "fantasy": 0.131,
    "horror": 0.214,
    "romance": 0.183,
    "sci-fi": 0.128,
    "thriller": 0.371,
}
GENRE_SETS = """
comedy|drama 615, horror|thriller 606, comedy 597, comedy|drama|romance 496,
crime|drama|thriller 481, drama 472, drama|romance 434, horror 387, comedy|romance 359,
drama|thriller 356, crime|drama 284, action|crime|drama|thriller 235, action|crime|thriller 219,
action|thriller 194, drama|horror|thriller 189, action|drama 186, thriller 143,
adventure|comedy 140, comedy|horror 131, comedy|crime 123, action|drama|thriller 122,
crime|thriller 122, adventure|comedy|fantasy 118, adventure|drama 106, horror|sci-fi|thriller 102,
comedy|fantasy 95, action|adventure|fantasy 92, action|crime|drama 91, action|adventure|sci-fi 85,
adventure 85, comedy|crime|drama 83, drama|sci-fi|thriller 83, adventure|fantasy 80,
action|sci-fi|thriller 79, drama|fantasy 77, action|comedy 77, action 76,
drama|romance|thriller 69, drama|horror 66, action|comedy|crime 64, action|adventure|drama 61,
drama|sci-fi 58, action|sci-fi 58, action|adventure 58, adventure|comedy|drama 55,
sci-fi|thriller 52, comedy|fantasy|romance 51, crime|drama|horror|thriller 50, horror|sci-fi 49,
crime|horror|thriller 49, crime|drama|romance 49, drama|fantasy|romance 48,
action|adventure|sci-fi|thriller 48, action|adventure|comedy 47, comedy|drama|fantasy 47,
crime|drama|romance|thriller 46, action|adventure|thriller 45, action|horror|thriller 42,
fantasy|horror|thriller 42, action|adventure|fantasy|sci-fi 41, comedy|drama|fantasy|romance 41,
fantasy 39, action|horror|sci-fi|thriller 37, action|comedy|crime|thriller 36
"""

_ADJECTIVES = (
    "Amber Borrowed Broken Crooked Distant Electric Empty Endless Forgotten Golden Hidden Hollow "
    "Last Little Lonely Lost Midnight Quiet Reckless Scarlet Second Silent Stolen Velvet"
)
_NOUNS = {
    "action": "Bullet Convoy Detonator Pursuit Strike Vendetta",
    "adventure": "Caravan Compass Expedition Island River Summit",
    "comedy": "Cousins Holiday Landlord Reunion Waiter Wedding",
    "crime": "Alibi Burglar Ledger Precinct Ransom Witness",
    "drama": "Daughter Harvest House Letters Silence Winter",
    "fantasy": "Crown Dragon Lantern Oracle Spell Unicorn",
    "horror": "Attic Cellar Doll Hunger Lullaby Scream",
    "romance": "Embrace Heart Kiss Promise Serenade Waltz",
    "sci-fi": "Android Colony Galaxy Orbit Signal Transmission",
    "thriller": "Corridor Hostage Labyrinth Paranoia Stranger Vertigo",
}


def _genre_sets() -> tuple[list[tuple[str, ...]], list[int]]:
    """The sets of genres and how many movies have each."""
    rows = [entry.rsplit(" ", 1) for entry in " ".join(GENRE_SETS.split()).split(", ")]
    return [tuple(genres.split("|")) for genres, _ in rows], [int(count) for _, count in rows]


def _random(*key: object) -> random.Random:
    """Random numbers that depend on the key and on nothing else."""
    return random.Random(" ".join(map(str, key)))


def read(settings: Mapping, known: Mapping[str, Record]) -> tuple[list[Record], list[dict]]:
    """`movies` as records, and no ledger. settings: `movies`, how many, and `seed`."""
    records = [
        Record(
            movie.mid,
            movie.title,
            movie.year,
            movie.genres,
            ({"url": movie.trailer_url},),
            movie.poster_url,
            where=f"the sample, {movie.mid}",
        )
        for movie in movies(settings["movies"], settings["seed"])
    ]
    return records, []


def movies(count: int, seed: int, folder: str = "build/sample") -> list[Movie]:
    """`count` good movies and the four of BROKEN, sorted by mid; no file is touched.

    A larger count adds movies and changes none. The addresses are paths below `folder`.
    """
    if not 0 <= count < 900_000:
        raise ValueError(f"the sample has 0 to 899,999 movies, not {count}: change sample.movies")
    sets, weights = _genre_sets()
    titles: Counter[str] = Counter()
    made = []
    # The broken ones first, so that no title of theirs depends on the count.
    for mid in BROKEN.values():
        rng = _random(seed, mid)
        genres = rng.choices(sets, weights)[0]
        made.append(_movie(mid, genres, rng, titles, folder))
    have = dict.fromkeys(GENRES, 0)
    for i in range(count):
        rng = _random(seed, mid := f"tt{FIRST_ID + i}")
        # Of eight sets drawn as often as they occur, the one that keeps the genres' shares nearest
        # to the published ones: plain chance leaves some genre out of 40 movies.
        drawn = rng.choices(sets, weights, k=8)
        genres = min(drawn, key=lambda genres: _imbalance(have, genres, i + 1))
        for genre in genres:
            have[genre] += 1
        made.append(_movie(mid, genres, rng, titles, folder))
    return sorted(made, key=lambda movie: movie.mid)


def _imbalance(have: dict[str, int], genres: tuple[str, ...], count: int) -> float:
    """How far the genres of `count` movies are from their shares, once `genres` is added."""
    return sum((have[g] + (g in genres) - SHARES[g] * count) ** 2 for g in GENRES)


def _movie(
    mid: str, genres: tuple[str, ...], rng: random.Random, titles: Counter[str], folder: str
) -> Movie:
    """A movie with an invented title; a title that was had already becomes a sequel."""
    noun = rng.choice(_NOUNS[rng.choice(genres)].split())
    title = f"{rng.choice(('The ', ''))}{rng.choice(_ADJECTIVES.split())} {noun}"
    titles[title] += 1
    return Movie(
        mid=mid,
        title=title if titles[title] == 1 else f"{title} {titles[title]}",
        year=str(rng.randint(1990, 2024)),
        genres=genres,
        trailer_url=f"{folder}/trailers/{mid}.mp4",
        poster_url=f"{folder}/posters/{mid}.jpg",
    )


@dataclass(frozen=True)
class Shot:
    """A true shot: `start` and `end` in seconds, and how it begins: start, cut or dissolve."""

    start: float
    end: float
    transition: str


@dataclass(frozen=True)
class _Take:
    """A shot as it is painted. `first` and `end` count frames; the camera is all the rest."""

    genre: str
    first: int
    end: int
    transition: str
    zoom: float
    shift: tuple[float, float]
    pan: float
    mirror: int
    exposure: float
    layout: tuple[float, ...]


def script_of(movie: Movie, seed: int) -> list[Shot]:
    """The true shots of a movie's trailer, without rendering it."""
    return [
        Shot(round(take.first / FPS, 6), round(take.end / FPS, 6), take.transition)
        for take in _takes(movie, seed)
    ]


def _takes(movie: Movie, seed: int) -> list[_Take]:
    """The shots of a trailer: the genres take turns, so that each is seen at least once."""
    rng = _random(seed, movie.mid, "script")
    rhythm = sum(SHOTS[genre] for genre in movie.genres) / len(movie.genres)
    shots = max(len(movie.genres), round(rhythm))
    turn, close = rng.randrange(len(movie.genres)), rng.randrange(2)
    takes, first = [], 0
    for i in range(shots):
        end = first + max(SHORTEST, FRAMES[shots] + rng.randint(-5, 5))
        transition = "dissolve" if rng.random() < DISSOLVES else "cut"
        # Near and far take turns and, where there is but one genre, dark and bright: a cut that
        # cannot be seen is none.
        near = (i + close) % 2
        dark = near and len(movie.genres) == 1
        takes.append(
            _Take(
                genre=movie.genres[(i + turn) % len(movie.genres)],
                first=first,
                end=end,
                transition=transition if i else "start",
                zoom=rng.uniform(0.6, 0.7) if near else rng.uniform(1.1, 1.3),
                shift=(rng.uniform(-0.3, 0.3), rng.uniform(-0.1, 0.1)),
                pan=rng.uniform(-0.15, 0.15),
                mirror=rng.choice((-1, 1)),
                exposure=rng.uniform(0.55, 0.62) if dark else rng.uniform(0.95, 1.1),
                layout=tuple(rng.random() for _ in range(4)),
            )
        )
        first = end
    return takes


def render(movie: Movie, folder: Path, seed: int) -> list[Shot]:
    """Write a movie's trailer and poster; return the true shots of what can be watched.

    What is wrong with a movie of BROKEN is wrong with what is written for it.
    """
    folder = Path(folder)
    trailer = folder / "trailers" / f"{movie.mid}.mp4"
    if movie.mid != BROKEN["missing_poster"]:
        _write_poster(movie, folder / "posters" / f"{movie.mid}.jpg", seed)
    if movie.mid == BROKEN["missing_trailer"]:
        return []
    if movie.mid == BROKEN["text_trailer"]:
        write_text(trailer, "<!DOCTYPE html>\n<title>This video is not available</title>\n")
        return []
    with replacing(trailer) as partial:
        _encode(_frames(movie, seed), partial)
        if movie.mid == BROKEN["truncated_trailer"]:
            # The index stands in front, so the file opens and claims its whole length.
            with partial.open("r+b") as file:
                file.truncate(partial.stat().st_size * 6 // 10)
    return [] if movie.mid == BROKEN["truncated_trailer"] else script_of(movie, seed)


def render_shard(movies: Sequence[Movie], folder: Path, seed: int, code: str, truth: Path) -> int:
    """Render what is missing or out of date, write the true shots of all; return how many it made.

    code: version of the code that renders. `truth` becomes a CSV file
    `mid,shot,start,end,transition` (seconds), sorted by mid and shot.
    """
    from tqdm import tqdm

    folder, rendered, rows = Path(folder), 0, []
    for movie in tqdm(sorted(movies, key=lambda movie: movie.mid), "sample", disable=None):
        record = folder / "truth" / f"{movie.mid}.json"
        mark = _mark(movie, seed, code)
        shots = _kept(movie, folder, record, mark)
        if shots is None:
            shots = render(movie, folder, seed)
            rendered += 1
            write_json(record, {"fingerprint": mark, "shots": [astuple(s) for s in shots]})
        rows += [{"mid": movie.mid, "shot": i, **asdict(shot)} for i, shot in enumerate(shots)]
    write_csv(truth, ("mid", "shot", "start", "end", "transition"), rows)
    log.info("rendered %d movies, kept %d", rendered, len(movies) - rendered)
    return rendered


def _mark(movie: Movie, seed: int, code: str) -> str:
    """The hash of all that decides what a movie's files look like."""
    look = [movie.mid, movie.title, movie.year, movie.genres]
    return fingerprint(code=code, seed=seed, look=look)


def _kept(movie: Movie, folder: Path, record: Path, mark: str) -> list[Shot] | None:
    """The true shots of a movie that was rendered already and need not be again, or None."""
    files = {"trailer": f"trailers/{movie.mid}.mp4", "poster": f"posters/{movie.mid}.jpg"}
    wanted = [f for kind, f in files.items() if BROKEN[f"missing_{kind}"] != movie.mid]
    if not record.exists() or not all((folder / file).exists() for file in wanted):
        return None
    known = json.loads(record.read_text(encoding="utf-8"))
    return [Shot(*shot) for shot in known["shots"]] if known["fingerprint"] == mark else None


def _frames(movie: Movie, seed: int) -> Iterator["np.ndarray"]:
    """The frames of a trailer, RGB uint8 (180, 320, 3)."""
    takes = _takes(movie, seed)
    starts = [take.first for take in takes]
    for frame in range(takes[-1].end):
        shot = bisect_right(starts, frame) - 1
        picture = _picture(takes[shot], frame, PAINTED)
        # A dissolve takes half its frames from each of the two shots.
        for other, into in ((shot - 1, shot), (shot + 1, shot + 1)):
            if not 0 < into < len(takes) or takes[into].transition != "dissolve":
                continue
            away = abs(frame + 0.5 - takes[into].first)
            if away < DISSOLVE / 2:
                share = 0.5 - away / DISSOLVE
                picture = (1 - share) * picture + share * _picture(takes[other], frame, PAINTED)
        yield _to_uint8(picture)


def _picture(take: _Take, frame: int, size: tuple[int, int]) -> "np.ndarray":
    """What a take shows at a frame of the trailer: RGB float32 (3, height, width), about 0 to 1."""
    from trailers12k.movies.sources.sample_looks import grid, paint

    seconds = (frame - take.first) / FPS
    x, y = grid(*size)
    x = take.mirror * x * take.zoom + take.shift[0] + take.pan * seconds
    y = y * take.zoom + take.shift[1]
    return paint(take.genre, x, y, seconds, take.layout) * take.exposure


def _to_uint8(picture: "np.ndarray") -> "np.ndarray":
    """A painted picture as uint8 (height, width, 3)."""
    import numpy as np

    pixels = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def _encode(frames: Iterator["np.ndarray"], path: Path) -> None:
    """Write frames as H.264 in MP4, without sound; the same frames give the same bytes."""
    import av

    # The container is named since PyAV would choose it by the ending. One thread and "bitexact" (no
    # name of the writing library) make the bytes a function of the frames.
    flags = {"movflags": "faststart", "fflags": "bitexact"}
    with av.open(str(path), "w", format="mp4", options=flags) as container:
        options = {"preset": "superfast", "crf": "26", "threads": "1"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        for pixels in frames:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame.reformat(*SIZE, "yuv420p")))
        container.mux(stream.encode(None))


def _write_poster(movie: Movie, path: Path, seed: int) -> None:
    """Write a poster, JPEG: a band for each genre, the title below."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    width, height = POSTER[0], POSTER[1] - TITLE
    takes = {take.genre: take for take in _takes(movie, seed)}
    edges = [height * i // len(takes) for i in range(len(takes) + 1)]
    bands = [
        _picture(take, take.first + 12, (width, below - above))
        for take, (above, below) in zip(takes.values(), pairwise(edges), strict=True)
    ]
    picture = np.concatenate([*bands, np.full((3, TITLE, width), 0.05)], axis=1)
    image = Image.fromarray(_to_uint8(picture))
    draw = ImageDraw.Draw(image)
    for text, size, line in ((movie.title, 28, 58), (movie.year, 22, 100)):
        font = ImageFont.load_default(size)
        draw.text((width / 2, height + line), text, "white", font, anchor="mm")
    with replacing(path) as partial:
        image.save(partial, format="JPEG", quality=90)
