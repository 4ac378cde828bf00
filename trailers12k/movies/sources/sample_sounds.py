"""The sounds of the sample's genres: tempo, timbre and noise of their own, made with numpy.

Reads and writes nothing. Must not know about movies, shots, files or video.

Every sound is a function of the times `t` of its samples in seconds, float64 (samples,), and of
`p`, four numbers in [0, 1) that vary it. It returns float64 (samples,) of any loudness.
"""

from collections.abc import Sequence

import numpy as np

from trailers12k.movies.sources.sample import PLAIN

RATE = 22_050
"""Samples a second."""
FADE = 0.01
"""Seconds in which a sound fades in and out: a cut within a wave would click."""
LEVEL = 0.1
"""Root mean square of every sound, -20 dBFS: loudness alone says nothing."""
PEAK = 0.9
"""The greatest sample of a sound; what exceeds it is bent, not cut."""

HORN = (1, 0.8, 0.65, 0.5, 0.4, 0.3, 0.3, 0.3, 0.3, 0.2, 0.2)
"""Strengths of a horn's overtones."""
BELL = (1, 1.48, 2.09, 2.56)
"""The partials of a bell, as multiples of the lowest."""
OVERTONES = 28
"""Overtones of the voice: up to 3.5 kHz."""
VOWELS = (
    (730, 1090, 2440),
    (270, 2290, 3010),
    (530, 1840, 2480),
    (570, 840, 2410),
    (300, 870, 2240),
    (660, 1720, 2410),
)
"""Resonances of a man's vowels in hertz, as Peterson and Barney measured them (JASA 24, 1952)."""


def play(sound: str, samples: int, p: Sequence[float]) -> np.ndarray:
    """A genre's sound, or `plain`, which says nothing of a genre: float32 (samples,), mono.

    p: four numbers in [0, 1) that vary pitch, tempo, melody and loudness.
    """
    t = np.arange(samples) / RATE
    made = SOUNDS[sound](t, p)
    made *= LEVEL * (0.8 + 0.4 * p[3]) / np.sqrt(np.mean(made**2) + 1e-12)
    edges = np.minimum(t, t[::-1]) / FADE
    return (PEAK * np.tanh(made * np.clip(edges, 0, 1) / PEAK)).astype(np.float32)


def _noise(t, rate, seed):
    """Noise of up to `rate` / 2 hertz: random values, `rate` a second, joined by lines."""
    place = t * rate
    first = np.floor(place).astype(np.uint32)
    part = place - first
    return _random(first, seed) * (1 - part) + _random(first + np.uint32(1), seed) * part


def _random(number, seed):
    """A pseudo-random value from -1 to 1 for each number, uint32: the mixing of MurmurHash3."""
    x = (number + np.uint32(1 + int(seed * 1e6))) * np.uint32(0x9E3779B1)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return (x ^ (x >> np.uint32(16))) / 2.0**31 - 1


def _beat(t, per_minute, p):
    """Seconds since the last beat, and its number, for a tempo that `p` varies by 5 %."""
    place = t * per_minute / 60 * (0.95 + 0.1 * p[1]) + p[2]
    beat = np.floor(place)
    return (place - beat) * 60 / per_minute, beat.astype(np.int64)


def _pitch(hertz, p):
    """A pitch that `p` moves by up to two semitones."""
    return hertz * 2 ** ((p[0] - 0.5) / 3)


def _tone(t, hertz, overtones):
    """A tone with overtones of the given strengths; hertz: a number, or one for each sample."""
    return sum(
        strength * np.sin(2 * np.pi * (n + 1) * hertz * t) for n, strength in enumerate(overtones)
    )


def _melody(beat, steps, hertz, p):
    """The pitch of each sample: a random one of `steps`, in semitones above `hertz`, per beat."""
    luck = (_random(beat.astype(np.uint32), p[2]) + 1) / 2
    chosen = np.minimum((luck * len(steps)).astype(int), len(steps) - 1)
    return _pitch(hertz, p) * 2 ** (np.array(steps)[chosen] / 12)


def _voice(t, p):
    """Syllables without a meaning, as a throat makes them: a buzz, the resonances of two vowels one
    after the other, and a hiss. A detector of speech hears them as speech."""
    since, beat = _beat(t, 270, p)
    syllable = since * 4.5  # from 0 to about 1
    share = np.clip(syllable, 0, 1)[:, None]
    resonances = _vowel(beat, p) * (1 - share) + _vowel(beat + 1, p) * share
    hertz = 125 * (1 + 0.12 * np.sin(5 * t + 6 * p[0]) + 0.05 * np.sin(14.5 * t))
    phase = 2 * np.pi * np.cumsum(hertz) / RATE
    voiced = np.zeros_like(t)
    for n in range(1, OVERTONES):
        strength = sum(
            height / (1 + ((n * hertz - resonances[:, place]) / width) ** 2)
            for place, (height, width) in enumerate(((1, 60), (0.5, 90), (0.25, 120)))
        )
        voiced += strength * np.sin(n * phase) / n**0.3
    voiced *= np.clip(1.6 * np.sin(np.pi * np.clip(syllable, 0, 1)), 0, 1) * (beat % 7 != 6)
    hiss = np.diff(_noise(t, RATE, p[1]), prepend=0.0)
    return voiced + 0.25 * hiss * np.exp(-(((syllable - 0.02) / 0.12) ** 2))


def _vowel(beat, p):
    """The resonances of a random vowel per beat, (samples, 3) hertz."""
    luck = (_random(beat.astype(np.uint32), p[2]) + 1) / 2
    return np.array(VOWELS)[np.minimum((luck * len(VOWELS)).astype(int), len(VOWELS) - 1)]


def _action(t, p):
    """Fast drums: deep thumps, and bursts of bright noise between them."""
    since, beat = _beat(t, 160, p)
    thump = np.sin(2 * np.pi * _pitch(52, p) * since + 4 * np.exp(-40 * since))
    burst = _noise(t, RATE, p[0]) * np.exp(-18 * since)
    return 1.6 * thump * np.exp(-12 * since) + np.where(beat % 2, 0.9, 0.3) * burst


def _adventure(t, p):
    """Horns: a fanfare of rich tones, over a roll of drums."""
    since, beat = _beat(t, 110, p)
    swell = np.minimum(since * 12, 1) * np.exp(-1.5 * since)
    hertz = _melody(beat, (0, 5), 175, p)
    roll = _noise(t, 700, p[0]) * (0.5 + 0.5 * np.sin(2 * np.pi * 24 * t))
    return _tone(since, hertz, HORN) * swell + 2 * roll


def _comedy(t, p):
    """Short plucked notes, high and quick."""
    since, beat = _beat(t, 290, p)
    hertz = _melody(beat, (0, 4, 7), 740, p)
    return _tone(since, hertz, (1, 0, 0.5, 0, 0.3)) * np.exp(-22 * since)


def _crime(t, p):
    """A walking bass, and a brushed cymbal on every other beat."""
    since, beat = _beat(t, 130, p)
    bass = _tone(since, _melody(beat, (0, 3, 5, 7), 82, p), (1, 0.6, 0.2)) * np.exp(-4 * since)
    hiss = np.diff(_noise(t, RATE, p[0]), prepend=0.0)
    return bass + 0.35 * hiss * np.exp(-9 * since) * (beat % 2)


def _drama(t, p):
    """A voice over slow single notes of a piano, which ring for long."""
    since, beat = _beat(t, 75, p)
    hertz = _melody(beat, (0, 3, 7, 10), 262, p)
    return 0.6 * _tone(since, hertz, (1, 0.35, 0.12)) * np.exp(-2.2 * since) + 0.5 * _voice(t, p)


def _fantasy(t, p):
    """Glittering bells, whose overtones are no multiples, in a shimmer of very high notes."""
    since, beat = _beat(t, 200, p)
    hertz = _melody(beat, (0, 3, 6), 1560, p)
    partials = sum(np.sin(2 * np.pi * ratio * hertz * since) for ratio in BELL)
    shimmer = _noise(t, 1500, p[0]) * np.sin(2 * np.pi * _pitch(5900, p) * t)
    return partials * np.exp(-5 * since) + 1.2 * shimmer * (0.6 + 0.4 * np.sin(40 * t))


def _horror(t, p):
    """A dissonant drone in the deep, and wind that rises."""
    low = sum(np.sin(2 * np.pi * _pitch(hertz, p) * t) for hertz in (61.0, 65.0, 92.0))
    wind = _noise(t, 2600, p[1]) * np.sin(2 * np.pi * _pitch(1900, p) * t)
    return low + 1.3 * wind * (0.5 + 0.5 * np.sin(2 * np.pi * 0.7 * t + 6 * p[2]))


def _romance(t, p):
    """Strings: a soft chord with vibrato."""
    vibrato = 0.35 * np.sin(2 * np.pi * 5.5 * t)
    chord = sum(
        strength / n * np.sin(2 * np.pi * n * _pitch(hertz, p) * t + n * vibrato)
        for hertz, strength in ((330, 1.0), (415, 0.8), (494, 0.8))
        for n in (1, 2, 3, 4)
    )
    return chord * (0.75 + 0.25 * np.sin(2 * np.pi * 0.6 * t + 6 * p[2]))


def _scifi(t, p):
    """Falling whistles of a synthesiser, over a buzz."""
    since, _ = _beat(t, 180, p)
    fall = np.sin(2 * np.pi * _pitch(5200, p) / 9 * (1 - np.exp(-9 * since)))
    buzz = np.sin(2 * np.pi * _pitch(110, p) * t + 5 * np.sin(2 * np.pi * _pitch(287, p) * t))
    return fall * np.exp(-3 * since) + 0.5 * buzz


def _thriller(t, p):
    """A ticking clock above a trembling low note."""
    since, beat = _beat(t, 240, p)
    tick = np.sin(2 * np.pi * np.where(beat % 2, 3100, 2500) * since) * np.exp(-90 * since)
    trembling = 0.5 + 0.5 * np.sin(2 * np.pi * 11 * t)
    return 2.2 * tick + 0.7 * _tone(t, _pitch(147, p), (1, 0.2)) * trembling


def _plain(t, p):
    """The hum of an empty room: nothing of a genre."""
    hum = np.sin(2 * np.pi * 50 * t) + 0.4 * np.sin(2 * np.pi * 150 * t)
    return hum + 1.5 * _noise(t, 900, p[0])


SOUNDS = {
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
