"""How one film frame gives way to the next: mixed, through a colour, or by moving over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.rendering.yuv import blend

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from lorakit.language.story.documents import TransitionKind
    from lorakit.rendering.canvases import Canvas

    Bytes = NDArray[np.uint8]


def mix(
    kind: TransitionKind, first: Bytes, second: Bytes, share: float, canvas: Canvas, out: Bytes
) -> None:
    """Put into `out` what stands at `share` (0 to 1) of a transition from one frame to another.

    Edges of what is wiped or slides stand on even px, where planes of all encoders have one.
    """
    way, _, towards = kind.partition("-")
    if way == "fade":
        plain = canvas.plain(white=towards == "white")
        if share < 0.5:
            blend(first, plain, 2 * share, out)
        else:
            blend(plain, second, 2 * share - 1, out)
    elif way in ("wipe", "slide"):
        _move(way, towards, (first, second), share, canvas, out)
    else:
        blend(first, second, share, out)


def _move(
    way: str,
    towards: str,
    frames: tuple[Bytes, Bytes],
    share: float,
    canvas: Canvas,
    out: Bytes,
) -> None:
    """The second frame comes towards a side: uncovered where it stands, or pushing the first one out."""

    def seen(plane: Bytes) -> Bytes:
        """A plane as if everything came from the left."""
        across = plane.swapaxes(0, 1) if towards in ("up", "down") else plane
        return across[:, ::-1] if towards in ("left", "up") else across

    planes = zip(*(canvas.planes(frame) for frame in (*frames, out)), strict=True)
    for (before, px), (after, _), (target, _) in planes:
        first, second, mixed = seen(before), seen(after), seen(target)
        length = mixed.shape[1]
        come = 2 * round(share * length * px / 2) // px
        mixed[:, :come] = second[:, :come] if way == "wipe" else second[:, length - come :]
        mixed[:, come:] = first[:, come:] if way == "wipe" else first[:, : length - come]
