"""What changed in the stores of features between two versions.

Reads manifests, attributes and arrays of versions. Must not know how features are computed.
"""

from collections.abc import Iterator, Sequence
from statistics import median

import numpy as np

from trailers12k.common.bounded_files import parse_json
from trailers12k.common.text import one_line
from trailers12k.versions.version_files import Missing, Version
from trailers12k.versions.version_tables import (
    common_keys,
    differences,
    first_lines,
    in_both,
    read,
    table,
    tables,
)

COMPARED = 50
"""Movies of a store whose features are compared."""
MANIFEST = ("mid", "clips", "fingerprint")


def store_changes(before: Version, after: Version) -> Iterator[str]:
    """The lines on stores: new, gone, unchanged, or what changed in settings and features."""
    old, new = (
        {name.removesuffix(".zarr") for name in version.names("data") if name.endswith(".zarr")}
        for version in (before, after)
    )
    for store in sorted(old | new):
        try:
            if store not in old:
                yield f"+ {store}: new, {_number_of_movies(store, after):,} movies"
            elif store not in new:
                yield f"- {store}: gone, had {_number_of_movies(store, before):,} movies"
            else:
                yield from _store(store, before, after)
        except (Missing, ValueError) as error:
            yield f"{store}: not compared: {one_line(str(error))}"


def _number_of_movies(store: str, version: Version) -> int:
    return len(table(f"data/{store}.csv", version, MANIFEST))


def _store(store: str, before: Version, after: Version) -> Iterator[str]:
    old, new = tables(f"data/{store}.csv", before, after, MANIFEST)
    settings = _settings_of_store(store, before, after)
    if old == new and not settings:
        yield f"{store}: unchanged: {len(new):,} movies"
        return
    both = common_keys(old, new)
    changed = [mid for mid in both if old[mid]["fingerprint"] != new[mid]["fingerprint"]]
    counts = {
        "added": len(new.keys() - old.keys()),
        "removed": len(old.keys() - new.keys()),
        "changed": len(changed),
        "unchanged": len(both) - len(changed),
    }
    numbers = ", ".join(f"{number:,} {what}" for what, number in counts.items() if number)
    yield f"{store}: {numbers or 'no movies'}"
    yield from (f"  {line}" for line in first_lines(settings))
    if changed:
        same = [mid for mid in changed if old[mid]["clips"] == new[mid]["clips"]]
        yield from _moved(store, same, len(changed), before, after)


def _settings_of_store(store: str, before: Version, after: Version) -> list[str]:
    """The differences in what determines the features, then in other attributes of the store."""
    both = []
    path = f"data/{store}.zarr/.zattrs"
    for data in in_both(path, before, after, read):
        attributes = parse_json(data, path, not_finite=True)
        if not isinstance(attributes, dict):
            raise Missing(f"{path} holds no attributes")
        determined_by = attributes.pop("determined_by", None)
        both.append((determined_by if isinstance(determined_by, dict) else {}, attributes))
    (old, old_more), (new, new_more) = both
    lines = differences(old, new)
    # Both may hold the same setting.
    names = {_leaf(line) for line in lines} | {"fingerprint"}
    return lines + [line for line in differences(old_more, new_more) if _leaf(line) not in names]


def _leaf(line: str) -> str:
    return line.split(": ")[0].split(".")[-1]


def _moved(
    store: str, same: Sequence[str], changed: int, before: Version, after: Version
) -> Iterator[str]:
    """By how much the features of changed movies moved.

    same: the changed movies that have as many clips as before. changed: the number of all changed.
    """
    number = min(COMPARED, len(same))
    cosines, identical, other = [], 0, changed - len(same)
    for mid in (same[place * len(same) // number] for place in range(number)):
        try:
            old, new = (read_features(store, mid, version) for version in (before, after))
        except Missing as error:
            yield f"  features not compared further: {error}"
            break
        if old.shape == new.shape:
            cosines.append(cosine(old, new))
            identical += np.array_equal(old, new)
        else:
            other += 1
    if cosines:
        yield (
            f"  cosine of features before and after: median {median(cosines):.6f}, "
            f"least {min(cosines):.6f} ({len(cosines):,} of {changed:,} changed movies compared)"
        )
    if identical:
        yield f"  equal values in {identical:,} of {len(cosines):,} compared"
    if other:
        yield f"  of another shape, not compared: {other:,}"


def read_features(store: str, mid: str, version: Version) -> np.ndarray:
    """A movie's features, (rows, features) float32. Raises `Missing`."""
    folder = f"data/{store}.zarr/{mid}"
    array, chunk = (version.read(f"{folder}/{name}") for name in (".zarray", "0.0"))
    try:
        # Here, since Snakemake and DVC do not bring what it imports; without it the other sections
        # are printed.
        from trailers12k.features import array_files

        meta = array_files.parse(array)
        if not meta.is_plain or meta.chunks != meta.shape:
            raise ValueError("not one chunk of float32")
        return array_files.decoded(chunk, meta)
    except Exception as error:  # decoders raise many types for a damaged chunk
        why = one_line(str(error))
        raise Missing(f"{folder} of {version.name} cannot be read ({why})") from error


def cosine(before: np.ndarray, after: np.ndarray) -> float:
    """The mean cosine of corresponding rows of two (rows, features) arrays.

    Of two rows of zeros it is 1, of one such row and another 0.
    """
    old, new = before.astype(np.float64), after.astype(np.float64)
    lengths = np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
    of_zeros = ~old.any(axis=1) & ~new.any(axis=1)
    dots = (old * new).sum(axis=1)
    return float(np.divide(dots, lengths, out=of_zeros.astype(float), where=lengths > 0).mean())
