"""Numbers as a person says them: rounded, with separators and units.

Reads and writes nothing. Must not know what is counted. Tables in files keep all digits.
"""

from typing import SupportsInt

import pandas as pd

MISSING = "–"
NBSP = "\u00a0"
"""Keeps a number and its unit on one line."""


def count(value: SupportsInt) -> str:
    """A whole number with thousands separators: `12,000`."""
    return f"{int(value):,}"


def counted(value: SupportsInt, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 movie`, `12,000 movies`."""
    return f"{count(value)} {noun if int(value) == 1 else plural or noun + 's'}"


def score(percent: float) -> str:
    """A score in % with one decimal, without its unit: `84.0`; a missing one is a dash."""
    if pd.isna(percent):
        return MISSING
    return "<0.1" if 0 < percent < 0.05 else f"{percent:.1f}"


def spread(percent: float, deviation: float) -> str:
    """A score and its standard deviation: `84.0 ± 1.2`; without the latter, the score alone."""
    if pd.isna(percent) or pd.isna(deviation):
        return score(percent)
    return f"{score(percent)} ± {score(deviation) if deviation else '0'}"


def difference(points: float) -> str:
    """A difference of two scores, with its sign: `+2.4`, `−0.3`, `0.0`."""
    text = f"{abs(points):.1f}"
    sign = "" if text == "0.0" else "+" if points > 0 else "−"
    return sign + text


def share(part: float) -> str:
    """A fraction in %: `12 %`, `3.4 %`, `<0.1 %`; decimals only below 10 %."""
    if pd.isna(part):
        return MISSING
    percent = 100 * part
    if 0 < percent < 0.05:
        return f"<0.1{NBSP}%"
    return f"{quantity(percent)}{NBSP}%"


def quantity(value: float) -> str:
    """A measurement: whole from 10 on, else with at most one decimal: `135`, `4.1`, `3`."""
    if pd.isna(value):
        return MISSING
    text = f"{value:,.1f}" if abs(value) < 9.95 else f"{value:,.0f}"
    return text.removesuffix(".0")


def loudness(value: float) -> str:
    """A loudness in LUFS with one decimal, without its unit: `−14.2`."""
    return MISSING if pd.isna(value) else f"{value:.1f}".replace("-", "−")


def year(value: float) -> str:
    """A year, without a thousands separator."""
    return MISSING if pd.isna(value) else f"{value:.0f}"


def duration(seconds: float) -> str:
    """Seconds in the unit that suits their size: `4.1 s`, `41 s`, `7 min`, `3.2 h`, `2.5 days`."""
    if pd.isna(seconds):
        return MISSING
    for unit, size, limit in (("s", 1, 89.5), ("min", 60, 89.5 * 60), ("h", 3600, 48 * 3600)):
        if seconds < limit:
            return f"{quantity(seconds / size)}{NBSP}{unit}" if seconds >= 0.05 else f"<0.1{NBSP}s"
    return f"{quantity(seconds / 86400)}{NBSP}days"


def memory(megabytes: float) -> str:
    """Megabytes, of which 1024 are a gigabyte: `890 MB`, `1.2 GB`."""
    if pd.isna(megabytes):
        return MISSING
    if megabytes < 1000:
        return f"{megabytes:.0f}{NBSP}MB"
    return f"{quantity(megabytes / 1024)}{NBSP}GB"
