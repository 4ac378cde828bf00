"""Seeds of all random choices, derived from the configuration's seed.

Reads and writes nothing. Must not know what the random numbers are for.
"""

import hashlib
import json


def seed_for(seed: int, *names: str | int) -> int:
    """A 63-bit seed for one purpose: a stable hash of the configuration's seed and the purpose.

    It does not depend on the machine, the Python version, or other purposes.
    names: identify the purpose.
    """
    digest = hashlib.sha256(json.dumps([seed, *names]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
