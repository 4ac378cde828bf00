"""An estimate as text for a person: a table of the stages, and what to know about it.

Reads and writes nothing. Must not know the formulas.
"""

from collections.abc import Mapping

from trailers12k.workflow.estimate import DOWNLOADS, FEATURE_STAGE, Collection, Estimate

SLOWEST = 3
"""Stores that are named as the slowest."""


def describe(
    estimate: Estimate,
    size: Collection,
    cores: int,
    origin: str,
    free: float,
    has_gpu: bool,
    trailer_bytes: float | None = None,
) -> str:
    """Some lines.

    cores: for which walls are computed. origin: of the figures. free: bytes of free disk space.
    has_gpu: whether the configuration lets networks use a GPU. trailer_bytes: of the file of a
    trailer; None where no trailer is decoded.
    """
    disk = sum(stage.disk for stage in estimate.stages)
    network = sum(stage.network for stage in estimate.stages)
    lines = [
        f"{size.movies:,} movies on {cores} cores",
        "",
        f"{'stage':20}{'time':>12}{'CPU time':>14}{'disk':>12}{'download':>12}",
    ]
    rows = [(s.stage, s.wall, s.cpu, s.disk, s.network) for s in estimate.stages]
    cpu = sum(stage.cpu for stage in estimate.stages)
    for name, wall, seconds, kept, fetched in [*rows, ("all", estimate.wall, cpu, disk, network)]:
        lines.append(
            f"{name:20}{duration(wall):>12}{work(seconds):>14}{amount(kept):>12}"
            f"{amount(fetched):>12}"
        )
    most = estimate.bottleneck
    reason = "YouTube's limits" if most.stage == DOWNLOADS and size.youtube else ""
    reason = reason or ("the connection" if most.stage == DOWNLOADS else "the number of cores")
    lines += ["", f"What takes longest: {most.stage} ({reason} decides)."]
    if most.stage == FEATURE_STAGE and len(estimate.stores) > SLOWEST:
        lines.append(_slowest(estimate.stores))
    if trailer_bytes is not None:
        lines.append(_trailers(size, trailer_bytes))
    if free < disk:
        lines.append(f"Not enough disk: {amount(free)} are free, {amount(disk)} are needed.")
    if has_gpu:
        lines.append("These are times of CPUs; with a GPU features and training are faster.")
    if estimate.unknown:
        names = ", ".join(dict.fromkeys(estimate.unknown))
        lines.append(f"Guessed, since never measured here: {names}; use --measure.")
    lines.append(f"Figures: {origin}.")
    return "\n".join(lines)


def _slowest(stores: Mapping[str, float]) -> str:
    """The stores that take most of the time of features."""
    total = sum(stores.values())
    first = sorted(stores, key=lambda store: -stores[store])[:SLOWEST]
    shares = ", ".join(f"{store} {100 * stores[store] / total:.0f} %" for store in first)
    return f"Slowest stores: {shares} of the CPU time of features; null leaves a store out."


def _trailers(size: Collection, trailer_bytes: float) -> str:
    """The trailers on which all figures rest."""
    a_trailer = f"{size.seconds:.0f} s, {size.clips:.0f} clips and {trailer_bytes / 1e6:.1f} MB"
    if size.measured:
        origin = f"the mean of the {size.measured:,} trailers that are finished in this folder"
    else:
        origin = "assumed, until five are finished in this folder"
    return f"Each trailer counts as {a_trailer}: {origin}."


def duration(seconds: float) -> str:
    """Seconds as a person says them: `40 s`, `12 min`, `3.5 h`, `8.2 days`."""
    return work(seconds) if seconds < 48 * 3600 else f"{seconds / 86400:,.1f} days"


def work(seconds: float) -> str:
    """Seconds in at most hours, as the work of all cores together is said: `2,570 h`."""
    for limit, unit, name in ((90, 1, "s"), (90 * 60, 60, "min")):
        if seconds < limit:
            return f"{seconds / unit:.0f} {name}"
    hours = seconds / 3600
    return f"{hours:,.0f} h" if hours >= 100 else f"{hours:.1f} h"


def amount(size: float) -> str:
    """Bytes as a person says them; `-` for none."""
    if size < 1:
        return "-"
    for unit, name in ((1e12, "TB"), (1e9, "GB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{max(size / 1e6, 1):,.0f} MB"
