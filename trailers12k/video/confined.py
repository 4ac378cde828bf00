"""Reads a foreign video or picture in a process of its own, whose memory and time are limited.

Calls `probe`, `joining` and `image_file`. Must not know what the files are for.

Decoders are written in C. A hostile file makes them take gigabytes, compute for days, or crash:
then only this process ends, and the file has failed. It serves one file after the other.
"""

import atexit
import json
import os
import signal
import subprocess  # nosec B404  # Python itself, no shell
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from trailers12k.common.errors import Failure, Stop, disk_failure
from trailers12k.video import joining
from trailers12k.video import probe as probing
from trailers12k.video.probe import Probe, VideoLimits
from trailers12k.video.sound import Sound

SPARE_BYTES = 400_000_000
"""Memory beyond what the process has when it starts: for packets, indexes and metadata."""
FRAME_BYTES, PICTURE_BYTES = 50, 25
"""Memory for each pixel of the largest frame or picture. A decoder of HEVC holds 17 frames of at
most three bytes a pixel; a transparent picture and its conversions take 20 bytes."""

SECONDS_PER_MINUTE = 30
"""Seconds of a core for each minute that a video may last: for an hour, the time of 18,000 frames
of 8K, or of all 86,400 at 1080p."""
TRAILER_KEYS, POSTER_KEY = "trailers.max_megapixels or max_minutes", "posters.max_megapixels"
"""Of the configuration, which move the limits."""

PICTURE_SECONDS = 60.0
"""Seconds of a core for a picture. One of 25 megapixels takes two."""

WALL = 10
"""Seconds of the clock per second of a core, since other processes take turns."""

OUT_OF_TIME = (signal.SIGPROF, signal.SIGALRM)
IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""A signal to all processes of a job is for the job, whose end ends this process."""

START = "import sys; sys.path.insert(0, sys.argv[1]); from {0} import serve; serve()"
ROOT = Path(__file__).parents[2]

Answer = Mapping[str, Any]


def probe(path: str | Path, limits: VideoLimits | None = None) -> Probe:
    """`video.probe.probe` in another process.

    Raises `Failure` as that does, and for a file that takes too much memory or time (`too_large`)
    or crashes a decoder (`corrupt`).
    """
    limits = limits or VideoLimits()
    found = _call(_bounds(limits), "probe", str(Path(path).absolute()), asdict(limits))
    sound = found["sound"] and Sound(**found["sound"])
    return Probe(**{**found, "flags": tuple(found["flags"]), "sound": sound})


def jumps(path: Path) -> bool:
    """`joining.jumps` in another process. Raises `Failure`."""
    return bool(_call(_bounds(VideoLimits()), "jumps", str(path.absolute())))


def join(parts: Sequence[Path], target: Path) -> None:
    """`joining.join` in another process. Raises `Failure`."""
    names = [str(part.absolute()) for part in parts]
    _call(_bounds(VideoLimits()), "join", names, str(target.absolute()))


def save_as_jpeg(source: Path, target: Path, megapixels: float) -> tuple[int, int]:
    """Write the picture of an image file as a JPEG file; its height and width.

    megapixels: of the largest picture. Raises `Failure` as `image_file.read_image` does, and for a
    file that takes too much memory or time (`too_large`).
    """
    memory = SPARE_BYTES + int(PICTURE_BYTES * megapixels * 1e6)
    bounds = _Bounds(memory, PICTURE_SECONDS, POSTER_KEY)
    files = str(source.absolute()), str(target.absolute())
    height, width = _call(bounds, "save_as_jpeg", *files, megapixels)
    return height, width


@dataclass(frozen=True)
class _Bounds:
    """Of one call. memory: bytes beyond those of an idle process. seconds: of a core. key: of the
    configuration that moves them."""

    memory: int
    seconds: float
    key: str


def _bounds(limits: VideoLimits) -> _Bounds:
    memory = SPARE_BYTES + FRAME_BYTES * limits.pixels
    return _Bounds(memory, SECONDS_PER_MINUTE * limits.minutes, TRAILER_KEYS)


class _Reader:
    """The process, as its parent sees it. Serves one thread at a time."""

    def __init__(self) -> None:
        # One thread is enough, and each takes addresses for a heap and a stack of its own.
        few = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        self._process = subprocess.Popen(  # nosec B603  # Python itself
            [sys.executable, "-c", START.format(__name__), str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | few,
            text=True,
        )

    def ask(self, request: object) -> Answer | None:
        """The answer to a request; None when the process has ended."""
        assert self._process.stdin and self._process.stdout  # nosec B101  # for mypy
        try:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer: Answer = json.loads(self._process.stdout.readline() or "null")
            return answer
        except BrokenPipeError:
            return None

    def end(self) -> int:
        """End the process. Returns its exit status, or the negated signal that ended it."""
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                assert pipe  # nosec B101  # for mypy
                pipe.close()
        return self._process.wait()


_idle: list[_Reader] = []
_lock = threading.Lock()
os.register_at_fork(after_in_child=_idle.clear)


@atexit.register
def close() -> None:
    """End the processes that wait for a file."""
    with _lock:
        readers, _idle[:] = [*_idle], []
    for reader in readers:
        reader.end()


def _call(bounds: _Bounds, name: str, *arguments: object) -> Any:
    """The result of one of `CALLS` in another process. Raises `Failure`."""
    request = {"bounds": asdict(bounds), "call": name, "arguments": arguments}
    for is_last in (False, True):
        with _lock:
            reader = _idle.pop() if _idle else None
        reader = reader or _Reader()
        answer = reader.ask(request)
        if answer is not None:
            if "failure" in answer:
                reader.end()  # its memory may be in pieces
                raise (Stop if answer["stops"] else Failure)(*answer["failure"])
            with _lock:
                _idle.append(reader)
            return answer["result"]
        status = reader.end()
        if -status in OUT_OF_TIME:
            raise Failure(
                "too_large",
                f"more than {bounds.seconds:.0f} seconds of a core are needed to read it; "
                f"{bounds.key} moves this limit",
            )
        # The system ends a process when memory is short, for which the file may not be the cause.
        if -status != signal.SIGKILL or is_last:
            break
    if status > 0:
        raise RuntimeError(f"the process that reads videos cannot run: exit status {status}")
    raise Failure("corrupt", f"its decoder crashed ({signal.Signals(-status).name})")


def serve() -> None:
    """Answer requests, one a line, until the parent ends."""
    for number in IGNORED:
        signal.signal(number, signal.SIG_IGN)
    # Libraries in C may print.
    answers = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nothing, stream)
    probing.decord_module()  # its libraries take addresses, which do not count
    lines: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_listen, args=(lines,), daemon=True).start()
    own = _addresses()
    while True:
        request = json.loads(lines.get())
        bounds = _Bounds(**request["bounds"])
        _limit(own + bounds.memory, bounds.seconds)
        answers.write(json.dumps(_answer(request, bounds)) + "\n")
        answers.flush()


def _listen(lines: SimpleQueue[str]) -> None:
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)  # also while a file is being read


def _answer(request: Mapping[str, Any], bounds: _Bounds) -> Answer:
    try:
        return {"result": CALLS[request["call"]](*request["arguments"])}
    except Failure as failure:
        if not isinstance(failure.__cause__, MemoryError):
            stops = isinstance(failure, Stop)
            return {"failure": [failure.reason, failure.detail], "stops": stops}
    except MemoryError:
        pass
    except Exception as error:  # a file of which nobody knew that a library stumbles over it
        text = f"{type(error).__name__}: {error}"[:200]
        return {"failure": ["corrupt", text], "stops": False}
    most = f"more than {bounds.memory / 1e9:.1f} GB of memory are needed to read it"
    return {"failure": ["too_large", f"{most}; {bounds.key} moves this limit"], "stops": False}


def _probe(path: str, limits: Mapping[str, float]) -> dict[str, Any]:
    return asdict(probing.probe(path, VideoLimits(**limits)))


def _jumps(path: str) -> bool:
    return joining.jumps(Path(path))


def _join(parts: Sequence[str], target: str) -> None:
    joining.join([*map(Path, parts)], Path(target))


def _save_as_jpeg(source: str, target: str, megapixels: float) -> tuple[int, int]:
    from PIL import Image

    from trailers12k.video.image_file import read_image

    Image.MAX_IMAGE_PIXELS = None  # `megapixels` takes its place
    picture = read_image(Path(source).read_bytes(), megapixels)
    if max(picture.size) > JPEG_SIDE:
        size = f"{picture.width}x{picture.height} pixels"
        raise Failure("too_large", f"{size}; a JPEG file has at most {JPEG_SIDE:,} a side")
    try:
        picture.save(target, format="JPEG", quality=95)
    except OSError as error:
        raise disk_failure(error) from error
    return picture.height, picture.width


JPEG_SIDE = 65_500
"""Pixels; the most that libjpeg writes."""

CALLS: Mapping[str, Callable[..., object]] = {
    "probe": _probe,
    "jumps": _jumps,
    "join": _join,
    "save_as_jpeg": _save_as_jpeg,
}


def _addresses() -> int:
    """Bytes of addresses that this process uses; 0 where the system does not tell."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[0]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _limit(most_bytes: int, seconds: float) -> None:
    """Limit the addresses of this process, and its time from now on."""
    import resource

    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, WALL * seconds)
    # Only Linux counts addresses; a limit of the user's may be lower.
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = most_bytes if hard == resource.RLIM_INFINITY else min(most_bytes, hard)
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (most, hard))
