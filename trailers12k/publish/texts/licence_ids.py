"""Licences of datasets: their identifiers at SPDX, at the hub, and their addresses.

Reads and writes nothing. Must not know whether a licence fits a dataset.
"""

HUB = {
    **{"ODC-By-1.0": "odc-by", "ODbL-1.0": "odbl", "PDDL-1.0": "pddl", "C-UDA-1.0": "c-uda"},
    **{
        spdx: spdx.lower()
        for spdx in (
            *("Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "etalab-2.0", "MIT"),
            *("CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0"),
            *("CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-3.0"),
            *("CC-BY-NC-ND-4.0", "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0"),
            *("CDLA-Permissive-1.0", "CDLA-Sharing-1.0", "Unlicense"),
        )
    },
}
"""SPDX identifier -> the hub's. CITATION.cff knows all of them, too."""
BY_LOWER = {spdx.lower(): spdx for spdx in HUB}
LIST = "https://spdx.org/licenses/"


def is_address(licence: str) -> bool:
    """Whether a licence of the configuration is a URL; else it is an SPDX identifier."""
    return "://" in licence


def known(licence: str) -> str:
    """The identifier as SPDX spells it, where it is in `HUB`; empty elsewhere."""
    return BY_LOWER.get(licence.lower(), "")


def address(licence: str) -> str:
    """The address of a licence's text."""
    return licence if is_address(licence) else f"{LIST}{known(licence) or licence}"
