"""From HDR (PQ, HLG) and wide gamuts to the picture of an SDR display.

Reads and writes nothing. Must not know how frames are decoded.

The curve: light is measured in units of reference white, 203 cd/m2 (ITU-R BT.2408). Up to `KNEE`
it is kept; above, it approaches the display's white, which 1000 cd/m2 reaches, by the extended
Reinhard operator. Gamuts are converted to BT.709's by their primaries, per channel, without
desaturation, and the result is encoded for a display of gamma 2.4 (BT.1886).
"""

from functools import cache

import numpy as np
from av.video.reformatter import ColorPrimaries, ColorTrc

WHITE = 203.0
"""Luminance of reference white in cd/m2, BT.2408."""

PEAK = 1000 / WHITE
"""Light that is shown as the display's white, in units of reference white."""

KNEE = 0.8
"""Light, in units of reference white, above which the curve bends."""

GAMMA = 2.4
"""Exponent of the display, BT.1886."""

COLOURS: dict[int, np.ndarray] = {
    ColorPrimaries.BT2020: np.array(
        [
            [1.660491, -0.587641, -0.072850],
            [-0.124550, 1.132900, -0.008349],
            [-0.018151, -0.100579, 1.118730],
        ],
        np.float32,
    ),
    ColorPrimaries.SMPTE432: np.array(
        [
            [1.224940, -0.224940, 0.0],
            [-0.042057, 1.042057, 0.0],
            [-0.019638, -0.078636, 1.098274],
        ],
        np.float32,
    ),
}
"""Primaries -> matrix of their linear light to that of BT.709 (BT.2087; Display P3's computed in
the same way)."""

LUMINANCE = np.array([0.2627, 0.6780, 0.0593], np.float32)
"""Weights of BT.2020's red, green and blue in luminance."""


def to_sdr(codes: np.ndarray, transfer: int, primaries: int) -> np.ndarray:
    """Convert R'G'B' of full range, uint16 (H, W, 3), to what an SDR display shows, uint8.

    transfer, primaries: FFmpeg's numbers. Another transfer than PQ and HLG is taken for gamma 2.4.
    PQ and HLG without primaries have those of BT.2020.
    """
    is_hdr = transfer in (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
    light = _linear(transfer)[codes]
    if transfer == ColorTrc.ARIB_STD_B67:
        # The display's share of HLG: a system gamma of 1.2 at 1000 cd/m2 (BT.2100).
        light *= PEAK * (light @ LUMINANCE)[..., None] ** 0.2
    if is_hdr and primaries == ColorPrimaries.UNSPECIFIED:
        primaries = ColorPrimaries.BT2020
    if primaries in COLOURS:
        light = light @ COLOURS[primaries].T
    # The tables of the curve are even in the fourth root, which resolves the dark.
    root = np.sqrt(np.sqrt(np.clip(light / np.float32(PEAK), 0, 1)))
    return _encoded(is_hdr)[(root * 65535 + 0.5).astype(np.uint16)]


@cache
def _linear(transfer: int) -> np.ndarray:
    """Code -> light in units of reference white, scene light from 0 to 1 for HLG; float32."""
    code = np.arange(65536) / 65535
    if transfer == ColorTrc.SMPTE2084:
        m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
        power = code ** (1 / m2)
        light = 10000 / WHITE * (np.maximum(power - c1, 0) / (c2 - c3 * power)) ** (1 / m1)
    elif transfer == ColorTrc.ARIB_STD_B67:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(code <= 0.5, code**2 / 3, (np.exp((code - c) / a) + b) / 12)
    else:
        light = code**GAMMA
    return light.astype(np.float32)


@cache
def _encoded(is_hdr: bool) -> np.ndarray:
    """The fourth root of light over `PEAK`, in 65535ths, -> the display's code, uint8."""
    light = PEAK * (np.arange(65536) / 65535) ** 4
    if is_hdr:
        over, most = (np.maximum(light, KNEE) - KNEE) / (1 - KNEE), (PEAK - KNEE) / (1 - KNEE)
        light = np.where(
            light <= KNEE, light, KNEE + (1 - KNEE) * over * (1 + over / most**2) / (1 + over)
        )
    return np.round(255 * np.clip(light, 0, 1) ** (1 / GAMMA)).astype(np.uint8)
