"""What determines a result, as one hash: sources, settings, weights, the version of the code.

Reads and writes nothing. Must not know what any stage does.
"""

import hashlib
import json


def fingerprint(**parts: object) -> str:
    """A hash of named JSON values: 16 hex digits, the same for the same values in any order."""
    text = json.dumps(parts, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
