"""Renders the sample's trailers and posters.

Writes FOLDER/trailers, FOLDER/posters, FOLDER/truth and a table of the true shots. Genres are
visible and audible: each has its own look and sound, and each shot is of one genre of its movie.
Must not know what the pipeline does with the files.
"""

import logging
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

from trailers12k.common.errors import UserError
from trailers12k.common.files import (
    inside,
    read_json,
    reading,
    replacing,
    write_csv,
    write_json,
    write_text,
)
from trailers12k.common.fingerprint import fingerprint
from trailers12k.common.movie import Movie
from trailers12k.movies.sources.sample import (
    BROKEN,
    NO_SOUND,
    PLAIN,
    SHORT,
    plain_parts,
    random_for,
)
from trailers12k.movies.sources.sample_looks import grid, paint
from trailers12k.movies.sources.sample_sounds import RATE, play

log = logging.getLogger(__name__)

FPS = 24
SIZE = (640, 360)
BIT_RATE = 64_000
"""Bits of sound per second."""
PAINTED = (320, 180)
"""Frames are painted at half the size and scaled up by the encoder, which saves time."""
POSTER = (400, 600)
TITLE = 150
"""Height in pixels of the dark band with the title, at the bottom of a poster."""
DISSOLVE = 8
"""Frames of a dissolve. The next shot starts in its middle."""
DISSOLVES = 1 / 6
"""Share of dissolves among the transitions."""
SHORTEST = 14
"""Frames of the shortest shot."""

SHOTS = {
    "action": 6,
    "adventure": 4,
    "comedy": 3,
    "crime": 4,
    "drama": 3,
    "fantasy": 3,
    "horror": 5,
    "romance": 3,
    "sci-fi": 4,
    "thriller": 5,
}
"""Genre -> shots in a trailer. A movie has the mean of its genres. Most shots give one clip, so
most trailers have more clips than a snippet of config.yaml, and a padded last window."""
FRAMES = {2: 26, 3: 31, 4: 26, 5: 22, 6: 20}
"""Shots in a trailer -> mean frames of a shot: all trailers but one are about equally long."""


@dataclass(frozen=True)
class Shot:
    """A true shot: `start` and `end` in seconds; `transition` is start, cut or dissolve."""

    start: float
    end: float
    transition: str


@dataclass(frozen=True)
class _Take:
    """How a shot is painted: frames `first` to before `end` of the trailer, then the camera.

    look, sound: those of the genre, or `PLAIN`.
    """

    genre: str
    look: str
    sound: str
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
    """The true shots of a movie's trailer; renders nothing."""
    return [
        Shot(round(take.first / FPS, 6), round(take.end / FPS, 6), take.transition)
        for take in _takes(movie, seed)
    ]


def _takes(movie: Movie, seed: int) -> list[_Take]:
    """The shots of a trailer. Genres alternate, so that each appears at least once."""
    rng = random_for(seed, movie.mid, "script")
    rhythm = sum(SHOTS[genre] for genre in movie.genres) / len(movie.genres)
    shots = max(len(movie.genres), 2 if movie.mid == SHORT else round(rhythm))
    turn, close = rng.randrange(len(movie.genres)), rng.randrange(2)
    plain_look, plain_sound = plain_parts(movie.mid)
    takes, first = [], 0
    for i in range(shots):
        end = first + max(SHORTEST, FRAMES[shots] + rng.randint(-5, 5))
        transition = "dissolve" if rng.random() < DISSOLVES else "cut"
        # Near and far alternate and, for movies with one look, dark and bright: otherwise some
        # cuts would be invisible.
        near = (i + close) % 2
        dark = near and (plain_look or len(movie.genres) == 1)
        genre = movie.genres[(i + turn) % len(movie.genres)]
        takes.append(
            _Take(
                genre=genre,
                look=PLAIN if plain_look else genre,
                sound=PLAIN if plain_sound else genre,
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
    """Write a movie's trailer and poster; returns the true shots of what can be decoded.

    The files of a movie of `BROKEN` have its fault.
    """
    folder = Path(folder)
    trailer = inside(folder / "trailers", f"{movie.mid}.mp4")
    if movie.mid != BROKEN["missing_poster"]:
        _write_poster(movie, inside(folder / "posters", f"{movie.mid}.jpg"), seed)
    if movie.mid == BROKEN["missing_trailer"]:
        return []
    if movie.mid == BROKEN["text_trailer"]:
        write_text(trailer, "<!DOCTYPE html>\n<title>This video is not available</title>\n")
        return []
    with replacing(trailer) as partial:
        damaged = NO_SOUND.get(movie.mid) == "damaged"
        _encode(_frames(movie, seed), _sound(movie, seed), partial, damaged)
        if movie.mid == BROKEN["truncated_trailer"]:
            # The index is at the front, so the file opens and claims its full length.
            with partial.open("r+b") as file:
                file.truncate(partial.stat().st_size * 6 // 10)
    return [] if movie.mid == BROKEN["truncated_trailer"] else script_of(movie, seed)


def render_shard(movies: Sequence[Movie], folder: Path, seed: int, code: str, truth: Path) -> int:
    """Render missing and outdated movies; write the true shots of all.

    code: the code version of this module's closure. truth: path of the CSV file
        `mid,shot,start,end,transition` (seconds), sorted by mid and shot.
    Returns the number of movies that were rendered.
    """
    folder, rendered = Path(folder), 0
    rows: list[dict[str, Any]] = []
    for movie in tqdm(sorted(movies, key=lambda movie: movie.mid), "sample", disable=None):
        record = inside(folder / "truth", f"{movie.mid}.json")
        mark = fingerprint(
            code=code, seed=seed, look=[movie.mid, movie.title, movie.year, movie.genres]
        )
        shots = _kept(movie, folder, record, mark)
        if shots is None:
            shots = render(movie, folder, seed)
            rendered += 1
            write_json(record, {"fingerprint": mark, "shots": [astuple(s) for s in shots]})
        rows += [{"mid": movie.mid, "shot": i, **asdict(shot)} for i, shot in enumerate(shots)]
    write_csv(truth, ("mid", "shot", "start", "end", "transition"), rows)
    log.info("rendered %d movies, kept %d", rendered, len(movies) - rendered)
    return rendered


def _kept(movie: Movie, folder: Path, record: Path, mark: str) -> list[Shot] | None:
    """The true shots of a movie whose files are up to date, else None."""
    files = {"trailer": f"trailers/{movie.mid}.mp4", "poster": f"posters/{movie.mid}.jpg"}
    wanted = [f for kind, f in files.items() if BROKEN[f"missing_{kind}"] != movie.mid]
    if not record.exists() or not all((folder / file).exists() for file in wanted):
        return None
    try:
        with reading(record):
            rendered = read_json(record)
            if rendered["fingerprint"] != mark:
                return None
            shots = [Shot(*shot) for shot in rendered["shots"]]
            # Of numbers, as of a record that this module wrote.
            return shots if all(shot.end > shot.start >= 0 for shot in shots) else None
    except (UserError, FileNotFoundError):  # a damaged record counts as none
        return None


def _frames(movie: Movie, seed: int) -> Iterator[np.ndarray]:
    """The frames of a trailer, RGB uint8 (180, 320, 3)."""
    takes = _takes(movie, seed)
    starts = [take.first for take in takes]
    for frame in range(takes[-1].end):
        shot = bisect_right(starts, frame) - 1
        picture = _picture(takes[shot], frame, PAINTED)
        # A dissolve extends half its frames into each of the two shots.
        for other, into in ((shot - 1, shot), (shot + 1, shot + 1)):
            if not 0 < into < len(takes) or takes[into].transition != "dissolve":
                continue
            away = abs(frame + 0.5 - takes[into].first)
            if away < DISSOLVE / 2:
                share = 0.5 - away / DISSOLVE
                picture = (1 - share) * picture + share * _picture(takes[other], frame, PAINTED)
        yield _to_uint8(picture)


def _sound(movie: Movie, seed: int) -> np.ndarray | None:
    """The sound of a trailer, float32 (samples,), mono, at `RATE`; None where it has no track."""
    fault = NO_SOUND.get(movie.mid)
    if fault == "no_track":
        return None
    parts = []
    for take in _takes(movie, seed):
        samples = round(take.end / FPS * RATE) - round(take.first / FPS * RATE)
        parts.append(play(take.sound, samples, take.layout))
    return np.concatenate(parts) * np.float32(fault != "silent")


def _picture(take: _Take, frame: int, size: tuple[int, int]) -> np.ndarray:
    """A take at a frame of the trailer: RGB float32 (3, height, width), about 0 to 1."""
    seconds = (frame - take.first) / FPS
    x, y = grid(*size)
    x = take.mirror * x * take.zoom + take.shift[0] + take.pan * seconds
    y = y * take.zoom + take.shift[1]
    return paint(take.look, x, y, seconds, take.layout) * take.exposure


def _to_uint8(picture: np.ndarray) -> np.ndarray:
    """A painted picture as uint8 (height, width, 3)."""
    pixels = (np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return np.ascontiguousarray(pixels.transpose(1, 2, 0))


def _encode(
    frames: Iterator[np.ndarray], sound: np.ndarray | None, path: Path, damaged: bool = False
) -> None:
    """Write frames as H.264 and sound as AAC in MP4; the same ones give the same bytes.

    sound: float32 (samples,), mono, at `RATE`; None: no track. damaged: whether none of its packets
        can be decoded.
    """
    # PyAV would choose the container by the file's suffix. One thread and "bitexact" (no name of
    # the writing library) make the bytes a function of the frames.
    flags = {"movflags": "faststart", "fflags": "bitexact"}
    with av.open(str(path), "w", format="mp4", options=flags) as container:
        options = {"preset": "superfast", "crf": "26", "threads": "1"}
        stream = container.add_stream("libx264", rate=FPS, options=options)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        track = None if sound is None else _add_track(container)
        for pixels in frames:
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            container.mux(stream.encode(frame.reformat(*SIZE, "yuv420p")))
        container.mux(stream.encode(None))
        if track is not None and sound is not None:
            for packet in _coded(track, sound):
                container.mux(_damaged(packet) if damaged else packet)


def _add_track(container: Any) -> Any:
    """A sound track that is added to an open file."""
    options = {"threads": "1", "flags": "+bitexact"}
    track = container.add_stream("aac", rate=RATE, options=options)
    track.layout, track.bit_rate = "mono", BIT_RATE
    return track


def _coded(track: Any, sound: np.ndarray) -> Iterator[Any]:
    """The packets of a sound track."""
    for first in range(0, len(sound), 1024):
        block = av.AudioFrame.from_ndarray(sound[None, first : first + 1024], "fltp", "mono")
        block.sample_rate, block.pts = RATE, first
        yield from track.encode(block)
    yield from track.encode(None)


def _damaged(packet: Any) -> Any:
    """A packet at the same time, with a content that no decoder of AAC accepts."""
    made = av.Packet(b"\x55" * packet.size)
    made.pts, made.dts, made.time_base = packet.pts, packet.dts, packet.time_base
    made.stream, made.is_keyframe = packet.stream, packet.is_keyframe
    return made


def _write_poster(movie: Movie, path: Path, seed: int) -> None:
    """Write a poster as JPEG: one band per genre, the title below."""
    width, height = POSTER[0], POSTER[1] - TITLE
    # A poster shows its movie's genres, even where the trailer's look is plain.
    takes = {take.genre: replace(take, look=take.genre) for take in _takes(movie, seed)}
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
