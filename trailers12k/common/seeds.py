"""Seeds: every random choice descends from the one seed of the config.

Reads and writes nothing. Must not know what the random numbers are for.
"""

import hashlib
import json


def seed_for(seed: int, *names: str | int) -> int:
    """A 63-bit seed for one purpose: a stable hash of the config's seed and the purpose's names.

    The same on every machine and Python, and unrelated between purposes, so that one run of a
    rule draws the same numbers whatever else is run.
    """
    digest = hashlib.sha256(json.dumps([seed, *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
