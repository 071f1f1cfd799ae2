"""Pictures between two others: what moved from one to the other is on its way, and what is new fades in.

Motion is found both ways by dense inverse search (Kroeger et al. 2016, https://arxiv.org/abs/1603.03590), by
OpenCV. Both pictures are warped to the moment between by flows that are put together from the two (Jiang et
al. 2018, "Super SloMo", https://arxiv.org/abs/1712.00080), and mixed by how near they are and by whether what
is there is seen in both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bytes = NDArray[np.uint8]
    Floats = NDArray[np.float32]

_SMALLEST = 32  # px of a side that the search needs
_APART = 1.5  # px by which the way there and back may differ, and a share of the way
_OF_THE_WAY = 0.05
# how much a picture counts where it does not show what the other does: halfway, and more at both ends
_FADE, _FADE_AT_ENDS = 0.02, 0.3


class Between:
    """What lies between two pictures (H, W, 3) of 8 bits."""

    def __init__(self, first: Bytes, second: Bytes) -> None:
        self._pictures = first.astype(np.float32), second.astype(np.float32)
        height, width = first.shape[:2]
        self._there, self._back = _flow(first, second), _flow(second, first)
        down, across = np.mgrid[:height, :width].astype(np.float32)
        self._grid = np.stack([across, down], axis=-1)
        self._seen = (
            _agree(self._there, self._back, self._grid),
            _agree(self._back, self._there, self._grid),
        )

    def at(self, share: float) -> Bytes:
        """The picture a `share` of the way from the first to the second, in [0, 1]."""
        to_first = -(1 - share) * share * self._there + share**2 * self._back
        to_second = (1 - share) ** 2 * self._there - share * (1 - share) * self._back
        first, second = (
            _warped(picture, self._grid + flow)
            for picture, flow in zip(self._pictures, (to_first, to_second), strict=True)
        )
        seen_first, seen_second = (
            _warped(seen, self._grid + flow)
            for seen, flow in zip(self._seen, (to_first, to_second), strict=True)
        )
        # what one picture alone shows is taken from it halfway; towards the other it fades, or it would be
        # gone at once, and so does what neither knows of
        fades = _FADE + _FADE_AT_ENDS * (2 * share - 1) ** 2
        weights = (1 - share) * (seen_first + fades), share * (seen_second + fades)
        whole = (weights[0] + weights[1])[..., None]
        mixed = (weights[0][..., None] * first + weights[1][..., None] * second) / whole
        return cast("Bytes", np.clip(np.rint(mixed), 0, 255).astype(np.uint8))


def _flow(first: Bytes, second: Bytes) -> Floats:
    """Where each pixel of the first is in the second, as steps in px, (H, W, 2)."""
    cv2 = _opencv()
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    search.setUseSpatialPropagation(True)
    height, width = first.shape[:2]
    greys = [cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY) for picture in (first, second)]
    scale = max(1, -(-_SMALLEST // min(height, width)))
    if scale > 1:
        greys = [cv2.resize(grey, (width * scale, height * scale)) for grey in greys]
    flow = search.calc(greys[0], greys[1], None)
    if scale > 1:
        flow = cv2.resize(flow, (width, height)) / scale
    return cast("Floats", flow.astype(np.float32))


def _agree(flow: Floats, back: Floats, grid: Floats) -> Floats:
    """How far a pixel's way there and back brings it home, from 1 to 0 where it is seen in one alone."""
    returned = flow + _warped(back, grid + flow)
    apart = np.linalg.norm(returned, axis=-1)
    allowed = _APART + _OF_THE_WAY * np.linalg.norm(flow, axis=-1)
    return cast("Floats", np.exp(-((apart / allowed) ** 2)).astype(np.float32))


def _warped(values: Floats, at: Floats) -> Floats:
    """The values at some places (H, W, 2) in px; past an edge that of the edge."""
    cv2 = _opencv()
    return cast("Floats", cv2.remap(values, at, None, cv2.INTER_LINEAR, None, cv2.BORDER_REPLICATE))


def _opencv() -> Any:
    import cv2

    cv2.setNumThreads(1)  # the search goes by strips, as many as there are threads
    return cv2
