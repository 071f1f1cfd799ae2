"""Colours as they look: CIELAB of pictures in sRGB.

CIE 15:2018 under D65, with sRGB's transfer curve (IEC 61966-2-1).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
_WHITE = _TO_XYZ.sum(1)
_EDGE = 6 / 29


def to_lab(rgb: NDArray[np.floating]) -> NDArray[np.float64]:
    """CIELAB (…, 3) of sRGB in 0..1 (…, 3): L in 0..100, a and b about -128..127."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((np.maximum(rgb, 0) + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _TO_XYZ.T / _WHITE
    bent = np.where(xyz > _EDGE**3, np.cbrt(xyz), xyz / (3 * _EDGE**2) + 4 / 29)
    x, y, z = np.moveaxis(bent, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def from_lab(lab: NDArray[np.floating]) -> NDArray[np.float64]:
    """Pictures in sRGB, 0..1 (…, 3), of CIELAB (…, 3); what no screen shows is cut to what it can."""
    lightness, a, b = np.moveaxis(np.asarray(lab, np.float64), -1, 0)
    y = (lightness + 16) / 116
    bent = np.stack([y + a / 500, y, y - b / 200], axis=-1)
    xyz = np.where(bent > _EDGE, bent**3, 3 * _EDGE**2 * (bent - 4 / 29)) * _WHITE
    linear = np.clip(xyz @ np.linalg.inv(_TO_XYZ).T, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
