"""The looks of the sample's genres: a small moving picture each, painted with numpy.

Reads and writes nothing. Must not know about movies, shots, files or video.

Every look is a function of the coordinates `x` (1, width) and `y` (height, 1), where y runs from -1
(top) to 1 and x keeps the proportions, of the time `t` in seconds, and of `p`, four numbers in
[0, 1) that vary its layout. It returns RGB (3, height, width), about 0 to 1:
channels first, which numpy paints three times as fast.
"""

import math
from collections.abc import Sequence

import numpy as np

from trailers12k.movies.sources.sample import PLAIN


def paint(genre: str, x: np.ndarray, y: np.ndarray, t: float, p: Sequence[float]) -> np.ndarray:
    """The look of a genre, RGB float32 (3, height, width), not clipped; `p`: four numbers."""
    return LOOKS[genre](x, y, t, p)


def grid(width: int, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The coordinates of a picture's pixels: x (1, width) and y (height, 1)."""
    x = (np.arange(width, dtype=np.float32) + 0.5) * 2 - width
    y = (np.arange(height, dtype=np.float32) + 0.5) * 2 - height
    return x[None, :] / height, y[:, None] / height


def _mix(below, above, mask):
    """`above` painted over `below` where `mask` (height, width) is 1; both colours or pictures."""
    below, above = _picture(below), _picture(above)
    return below + (above - below) * mask


def _picture(value):
    """A picture unchanged; a colour (r, g, b) as a picture of one pixel, which broadcasts."""
    if isinstance(value, tuple):
        return np.array(value, np.float32).reshape(3, 1, 1)
    return value


def _step(value, edge, softness=0.03):
    """0 below `edge`, 1 above it, with a soft rise between."""
    return np.clip((value - edge) / softness + 0.5, 0, 1)


def _part(value):
    """The fractional part of a value. np.mod takes thirty times as long."""
    return value - np.floor(value)


def _far(u, v):
    """The distance of (u, v) from the origin. np.hypot takes five times as long."""
    return np.sqrt(u * u + v * v)


def _noise(u, v):
    """A pseudo-random number in [0, 1) for every point: the usual hash function of shaders."""
    return _part(np.sin(u * 12.9898 + v * 78.233) * 43758.547)


def _sparks(x, y, size, twinkle):
    """Small bright points, one at a random position in every cell of a grid."""
    u, v = x * size, y * size
    column, row = np.floor(u), np.floor(v)
    luck = _noise(column, row)
    distance = _far(u - column - 0.2 - 0.6 * luck, v - row - 0.2 - 0.6 * _part(luck * 7))
    return np.clip(1 - distance * 5, 0, 1) * (0.6 + 0.4 * np.sin(twinkle + luck * 40)) * 1.5


def _action(x, y, t, p):
    """A shaking explosion: orange rays out of a white core, on teal."""
    x = x - (p[0] - 0.5) + 0.04 * math.sin(31 * t + 6 * p[1])
    y = y - 0.5 * (p[2] - 0.5) + 0.04 * math.sin(43 * t)
    r, angle = _far(x, y), np.arctan2(y, x)
    rays = 0.5 + 0.5 * np.sin(13 * angle + 4 * np.sin(2 * angle + 6 * p[3]) - 5 * t)
    heat = np.exp(-(1.5 - 0.4 * t) * r) * (0.7 + 0.75 * rays)
    picture = _mix((0.0, 0.2, 0.27), (1.0, 0.42, 0.02), np.clip(heat * 1.7, 0, 1))
    return _mix(picture, (1.0, 0.95, 0.7), _step(heat, 0.85, 0.5))


def _adventure(x, y, t, p):
    """A ride along green ridges under a low sun."""
    sky = np.broadcast_to(np.clip(0.5 + y * 0.8, 0, 1), (y.size, x.size))
    picture = _mix((0.2, 0.6, 0.85), (1.0, 0.85, 0.5), sky)
    sun = _far(x - 1.6 * (p[0] - 0.5), y + 0.25)
    picture = _mix(picture, (1.0, 0.97, 0.75), _step(-sun, -0.22) + 0.4 * np.exp(-4 * sun))
    ridges = ((0.45, 0.66, 0.52), (0.2, 0.5, 0.27), (0.06, 0.28, 0.12))
    for depth, colour in enumerate(ridges, start=1):
        u = x + 0.28 * depth * t + 5 * p[depth]
        ridge = 0.22 * np.sin(2.1 * u) + 0.1 * np.abs(np.sin(4.7 * u)) - 0.04 * np.sin(17 * u)
        picture = _mix(picture, colour, _step(y, 0.36 * depth - 0.35 - ridge))
    return picture


def _comedy(x, y, t, p):
    """Bouncing dots on bright yellow."""
    u = x * 1.7 + p[0]
    v = (y + 0.22 * abs(math.sin(5 * t + 3 * p[1]))) * 1.7 + p[2]
    column, row = np.floor(u), np.floor(v)
    dot = _step(-_far(u - column - 0.5, v - row - 0.5), -0.34, 0.05)
    pink = np.mod(column + row, 2)
    dots = _mix((0.1, 0.72, 0.85), (1.0, 0.3, 0.5), pink)
    picture = _mix((1.0, 0.86, 0.15), (1.0, 0.93, 0.45), _step(np.sin(6 * (x + y) + 3 * t), 0))
    return _mix(picture, dots, dot)


def _crime(x, y, t, p):
    """A skyline at night: lit windows, a searchlight."""
    u = x * 2.6 + 0.5 * t + 9 * p[0]
    block = np.floor(u)
    roof = -0.5 + 0.9 * _noise(block, 40 * p[1])
    beam = np.abs(np.arctan2(x - 1.2 * (p[2] - 0.5), 1.3 - y) - 0.5 * math.sin(1.5 * t + 6 * p[3]))
    sky = _mix((0.03, 0.05, 0.16), (0.12, 0.16, 0.36), np.clip(y + 0.6, 0, 1) + 0 * x)
    sky = _mix(sky, (0.65, 0.65, 0.5), np.exp(-14 * beam) * 0.7)
    w, v = u * 6, y * 9
    pane = (np.abs(_part(w) - 0.5) < 0.3) & (np.abs(_part(v) - 0.5) < 0.3)
    lit = pane & (_noise(np.floor(w), np.floor(v)) > 0.55) & (np.mod(w, 6) > 1)
    walls = _mix((0.02, 0.02, 0.05), (1.0, 0.68, 0.2), lit)
    return _mix(sky, walls, _step(y, roof, 0.01))


def _drama(x, y, t, p):
    """A head and shoulders, still, before the muted light of a window."""
    light = np.exp(-0.7 * _far(x - 1.6 * (p[0] - 0.5), y + 0.2))
    picture = _mix((0.36, 0.31, 0.27), (0.84, 0.78, 0.68), light)
    bars = np.maximum(_step(-np.abs(np.mod(x + p[1], 1.3) - 0.65), -0.04, 0.06),
                      _step(-np.abs(y + 0.35), -0.04, 0.06) + 0 * x)  # fmt: skip
    picture = _mix(picture, (0.42, 0.38, 0.34), bars * 0.6)
    zoom = 1 - 0.06 * t
    u, v = (x - 1.3 * (p[2] - 0.5)) * zoom, y * zoom
    head = _step(-_far(u / 0.32, (v + 0.1) / 0.42), -1, 0.12)
    body = _step(v, 0.42 + 0.75 * u * u, 0.06)
    return _mix(picture, (0.2, 0.17, 0.16), np.maximum(head, body))


def _fantasy(x, y, t, p):
    """Violet aurora, sparks and a moon."""
    picture = _mix((0.14, 0.03, 0.34), (0.42, 0.1, 0.6), np.clip(y * 0.5 + 0.5, 0, 1) + 0 * x)
    u = x + 0.3 * np.sin(2 * y + t + 6 * p[0])
    curtain = 0.5 + 0.5 * np.sin(3.2 * u + 1.4 * np.sin(1.7 * u + 1.2 * t) + 6 * p[1])
    glow = curtain**3 * np.exp(-1.3 * (y + 0.35) ** 2)
    picture = _mix(picture, (0.8, 0.3, 0.95), glow * 0.85)
    picture = _mix(picture, (0.35, 0.95, 0.75), curtain**8 * np.exp(-6 * (y + 0.1) ** 2) * 0.7)
    cx = 2 * (p[2] - 0.5)
    moon = _step(-_far(x - cx, y + 0.45), -0.26) * _step(_far(x - cx - 0.12, y + 0.52), 0.24)
    picture = _mix(picture, (1.0, 0.93, 0.75), moon)
    return picture + _sparks(x + 0.1 * t, y + 0.15 * t, 4.5, 6 * t)


def _horror(x, y, t, p):
    """A red eye in the dark, under heavy grain."""
    x, y = x - 0.8 * (p[0] - 0.5), y - 0.3 * (p[1] - 0.5)
    r = _far(x, y)
    beat = 0.85 + 0.15 * math.sin(5 * t + 6 * p[2])
    picture = _mix((0.01, 0.0, 0.01), (0.42, 0.0, 0.02), np.exp(-1.1 * r) * beat)
    open_eye = _step(0.5 * (1 - (x / 0.95) ** 2) - np.abs(y), 0, 0.05)
    iris = _mix((0.95, 0.25, 0.02), (0.4, 0.0, 0.0), np.clip(r / 0.42, 0, 1))
    eye = _mix((0.5, 0.36, 0.3), iris, _step(-r, -0.42))
    look = x - 0.07 * math.sin(2.3 * t)
    eye = _mix(eye, (0.0, 0.0, 0.0), _step(-_far(look / 0.09, y / 0.34), -1, 0.1))
    picture = _mix(picture, eye, open_eye * beat)
    grain = _noise(x * 91 + 3.7 * t, y * 57 + 1.3 * t) - 0.5
    return picture + 0.3 * grain


def _romance(x, y, t, p):
    """Hearts that rise in a rosy blur."""
    picture = _mix((1.0, 0.8, 0.76), (0.95, 0.45, 0.58), np.clip(y * 0.5 + 0.5, 0, 1) + 0 * x)
    picture = _mix(picture, (1.0, 0.93, 0.85), np.exp(-2.5 * _far(x - 2 * (p[0] - 0.5), y + 1)))
    for size, colour, speed in ((1.9, (1.0, 0.68, 0.72), 0.25), (1.0, (0.86, 0.1, 0.3), 0.4)):
        u = x * size + p[1] * 3 + 0.1 * math.sin(2 * t)
        column = np.floor(u)
        v = (y + speed * t) * size + p[2] * 3 + 0.5 * _part(column / 2)
        row = np.floor(v)
        scale = 2.7 + 1.5 * _noise(column, row)
        a, b = (u - column - 0.5) * scale, (v - row - 0.57) * scale
        heart = _far(a, b + 0.7 * np.sqrt(np.abs(a)))
        picture = _mix(picture, colour, _step(-heart, -1, 0.15) * 0.9)
    return picture


def _scifi(x, y, t, p):
    """A flight over a neon grid towards a ringed planet."""
    horizon = 0.05
    below = np.maximum(y - horizon, 0.012)
    z = 0.5 / below
    across = np.abs(_part((x + 0.6 * (p[0] - 0.5)) * z + 0.5) - 0.5)
    along = np.abs(_part(z + 2.2 * t) - 0.5)
    lines = np.maximum(_step(-across, -0.05 - 0.01 * z, 0.06), _step(along, 0.43, 0.08))
    fade = np.clip(below * 4, 0, 1)
    ground = _mix((0.0, 0.06, 0.12), (0.1, 1.0, 0.95), lines * fade)
    sky = _mix((0.0, 0.03, 0.08), (0.0, 0.4, 0.5), np.exp(-5 * np.abs(y - horizon)) + 0 * x)
    sky = sky + 0.8 * _sparks(x + p[1], y, 6, 3 * t)
    u, v = x - 1.6 * (p[2] - 0.5), y + 0.45
    r = _far(u, v)
    planet = _mix((0.02, 0.2, 0.3), (0.55, 0.95, 0.9), np.clip(0.5 - 1.4 * u - v, 0, 1))
    sky = _mix(sky, planet * (0.8 + 0.2 * np.sin(60 * y + 5 * t)), _step(-r, -0.32))
    ring = _step(-np.abs(_far(u, 4 * (v + 0.2 * u)) - 0.6), -0.03, 0.03)
    sky = _mix(sky, (0.7, 1.0, 0.95), ring * np.maximum(_step(r, 0.33), _step(v, -0.2 * u)))
    return _mix(sky, ground, _step(y, horizon, 0.01) + 0 * x)


def _thriller(x, y, t, p):
    """A turning spiral in cold greys."""
    x, y = x - (p[0] - 0.5), y - 0.5 * (p[1] - 0.5)
    r, angle = _far(x, y), np.arctan2(y, x)
    turn = 1 if p[2] < 0.5 else -1
    arms = np.sin(2 * turn * angle + 9 * np.sqrt(r + 0.02) * (1 + 0.3 * p[3]) - 4 * t)
    picture = _mix((0.12, 0.16, 0.19), (0.62, 0.7, 0.71), _step(arms, 0, 0.5))
    return picture * np.clip(1.15 - 0.4 * r, 0.2, 1)


def _plain(x, y, t, p):
    """Grey mist that drifts: nothing of a genre."""
    drift = x + 0.2 * t + 7 * p[0]
    mist = np.sin(2.1 * drift + 3 * p[1]) * np.sin(1.7 * y + 5 * p[2] + 0.6 * np.sin(1.3 * drift))
    return np.broadcast_to(0.55 + 0.2 * mist, (3, *mist.shape))


LOOKS = {
    "action": _action,
    "adventure": _adventure,
    "comedy": _comedy,
    "crime": _crime,
    "drama": _drama,
    "fantasy": _fantasy,
    "horror": _horror,
    "romance": _romance,
    "sci-fi": _scifi,
    "thriller": _thriller,
    PLAIN: _plain,
}
