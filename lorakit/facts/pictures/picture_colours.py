"""Colours of pictures as others store them, 16 bits, floats, profiles, CMYK: as 8 bits of sRGB."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from PIL.Image import Image

CLEAR = ("RGBA", "LA", "PA", "RGBa", "La")  # modes that are transparent in parts
_SPACES = {
    "RGB": "RGB ",
    "L": "GRAY",
    "CMYK": "CMYK",
    "LAB": "Lab ",
}  # modes by profiles' names of them


def in_8_bits(picture: Image) -> Image:
    """Grey of 16 bits, of whole numbers or of floats as L, or LA where one grey is clear; others as they are.

    Raises ValueError where it cannot be known what is white.
    """
    import numpy as np
    from PIL import Image

    if picture.mode not in ("I", "F") and not picture.mode.startswith("I;16"):
        return picture
    values = np.asarray(picture).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it holds values that are not finite")
    low, high = float(values.min()), float(values.max())
    white = _white(picture.mode, high)
    if low < 0 or white is None:
        raise ValueError(
            f"its values go from {low:g} to {high:g}, and what is white is not said: "
            "save it with 8 or 16 bits, or as floats from 0 to 1"
        )
    made = Image.fromarray(np.rint(values / white * 255).astype(np.uint8))
    clear = picture.info.get("transparency")
    if isinstance(clear, int):
        made.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    profile = picture.info.get("icc_profile")
    made.info = {"icc_profile": profile} if profile else {}
    return made


def _white(mode: str, high: float) -> float | None:
    if mode == "F":
        return 1 if high <= 1 else 255 if high <= 255 else None
    return 65535 if high <= 65535 else None


def colours_of(mode: str) -> str:
    """The mode in which a picture's colours are turned into sRGB, transparency aside."""
    if mode in ("CMYK", "LAB"):
        return mode
    return "L" if mode in ("1", "L", "LA", "La", "I", "F") or mode.startswith("I;16") else "RGB"


def profile_of(info: Any, colours: str) -> Any:
    """The colour profile that a picture has and that matters; None for sRGB, or one that cannot be used."""
    from PIL import ImageCms

    if colours == "LAB":
        return ImageCms.createProfile("LAB")
    data = info.get("icc_profile")
    if not isinstance(data, bytes):
        return None
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        space = profile.profile.xcolor_space
        name = ImageCms.getProfileDescription(profile).strip()
    except Exception:  # noqa: BLE001 - a torn profile is ignored, as browsers do
        return None
    # grey may be told in a profile of colours: sRGB's is common
    fits = space == _SPACES[colours] or (colours == "L" and space == "RGB ")
    return profile if fits and not name.startswith("sRGB") else None


def in_srgb(picture: Image) -> Image:
    """A picture of another profile in sRGB, RGB or RGBA; others as they are."""
    from PIL import ImageCms

    colours = colours_of(picture.mode)
    profile = profile_of(picture.info, colours)
    if profile is None:
        return picture
    if colours == "L" and profile.profile.xcolor_space == "RGB ":
        colours = "RGB"
    clear = picture.mode in CLEAR or "transparency" in picture.info
    alpha = picture.convert("RGBA").getchannel("A") if clear else None
    whole = picture if picture.mode == colours else picture.convert(colours)
    try:
        made = ImageCms.profileToProfile(
            whole, profile, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except ImageCms.PyCMSError:
        return picture  # as without a profile
    assert made is not None
    made.info = {}
    if alpha is not None:
        made.putalpha(alpha)
    return made
