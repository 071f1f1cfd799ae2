"""The one door by which pictures come in: what they are, and their pixels, upright, in 8 bits of sRGB.

Files of others may be anything. Only formats that are decoded in this process are opened (an EPS called x.png
would start ghostscript), and whatever PIL raises becomes a PictureError that names the file.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

from lorakit.diagnostics import LorakitError
from lorakit.facts.pictures.picture_colours import (
    CLEAR,
    colours_of,
    in_8_bits,
    in_srgb,
    profile_of,
)
from lorakit.files import open_regular
from lorakit.records import record

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF", "GIF")
ENDINGS = (".png", ".jpg", ".jpeg", ".jfif", ".jpe", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_ORIENTATION = 274  # EXIF's tag; 5 to 8 stand on their side
_EXIF, _USER_COMMENT = 0x8769, 0x9286
_ON_ITS_SIDE = (5, 6, 7, 8)


class PictureError(LorakitError):
    """A picture cannot be read; the message names it and says why."""


@record
class Header:
    """What is known of a picture without its pixels: (width, height) in px as it is seen.

    `clear` is whether it may be transparent in parts; `converted` whether its colours are not 8 bits of sRGB
    as they stand, but 16 bits, floats, or of another profile; `several` whether it is animated, or has more
    pages than the first, which alone is read.
    """

    size: tuple[int, int]
    clear: bool
    converted: bool
    several: bool = False


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Without PIL's warnings of odd files; not to be entered by several threads at once."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def header(file: Path | IO[bytes], name: str, *, whole: bool = False) -> Header:
    """What a picture is; `whole` decodes it to its end, so that a torn one is found.

    To be called within `quietly`, which several threads share. Raises PictureError.
    """
    with _opened(file, name) as picture:
        width, height = picture.size
        # PIL turns a TIFF by itself, and says its size as it will be
        turned = picture.format != "TIFF" and _orientation(picture) in _ON_ITS_SIDE
        clear = picture.mode in CLEAR or "transparency" in picture.info
        deep = picture.mode in ("I", "F", "LAB") or picture.mode.startswith("I;16")
        found = Header(
            (height, width) if turned else (width, height),
            clear,
            deep or profile_of(picture.info, colours_of(picture.mode)) is not None,
            bool(getattr(picture, "is_animated", False)),
        )
        if whole:
            picture.draft(None, (1, 1))  # a JPEG in an eighth of its size: quicker
            picture.load()
            if deep:
                in_8_bits(picture)
        return found


def rgb(file: Path | IO[bytes], name: str = "", ground: str = "white") -> Image:
    """A picture as it is seen, on `ground` where it is clear: RGB of sRGB. Raises PictureError."""
    with quietly():
        return seen(file, name, ground)


def seen(
    file: Path | IO[bytes],
    name: str = "",
    ground: str = "white",
    enough: Callable[[tuple[int, int]], tuple[int, int]] | None = None,
) -> Image:
    """The same, to be called within `quietly`, which several threads share.

    `enough` says of its (width, height) as it is seen how many px will do: a JPEG may then be decoded in a
    half, a quarter or an eighth of its size.
    """
    from PIL import Image

    with _opened(file, name) as picture:
        if enough is not None:
            turned = _orientation(picture) in _ON_ITS_SIDE
            width, height = picture.size
            wanted = enough((height, width) if turned else (width, height))
            picture.draft(None, wanted[::-1] if turned else wanted)
        picture.load()
        made = in_srgb(in_8_bits(_upright(picture)))
        if made.mode not in CLEAR and "transparency" not in made.info:
            return made.convert("RGB")
        made = made.convert("RGBA")
        under = Image.new("RGBA", made.size, ground)
        return Image.alpha_composite(under, made).convert("RGB")


def levels(file: Path | IO[bytes], name: str = "", *, alpha: bool = False) -> Image:
    """A picture as a mask, L: how bright it is, or with `alpha` how opaque. Raises PictureError."""
    with quietly(), _opened(file, name) as picture:
        picture.load()
        seen = in_8_bits(_upright(picture))
        return seen.convert("RGBA").getchannel("A") if alpha else seen.convert("L")


def words(file: Path | IO[bytes], name: str = "") -> dict[str, str]:
    """The texts that stand in a picture beside its pixels: PNG's, and EXIF's. Raises PictureError.

    EXIF's user comment is called `UserComment`; what other tags of EXIF hold as `name:text` has that name.
    Pixels are decoded only where a PNG has no text before them.
    """
    with quietly(), _opened(file, name) as picture:
        found = {str(k): v for k, v in picture.info.items() if isinstance(v, str)}
        if picture.format == "PNG" and not found:
            picture.load()
            found = {str(k): v for k, v in picture.info.items() if isinstance(v, str)}
        return {**_of_exif(picture), **found}


def _of_exif(picture: Image) -> dict[str, str]:
    try:
        exif = picture.getexif()
        tags = [one for one in exif.values() if isinstance(one, str)]
        comment = exif.get_ifd(_EXIF).get(_USER_COMMENT)
    except Exception:  # noqa: BLE001 - EXIF is another file in the file, and as foreign
        return {}
    named = (one.partition(":") for one in tags)
    found = {head: rest for head, colon, rest in named if colon and head.isidentifier()}
    if isinstance(comment, bytes):
        found["UserComment"] = _comment(comment)
    elif isinstance(comment, str):
        found["UserComment"] = comment
    return found


def _comment(told: bytes) -> str:
    """A user comment after its eight bytes of encoding; UTF-16 in the order that most of it suits."""
    code, rest = told[:8], told[8:]
    if code.startswith(b"UNICODE"):
        little = rest[1::2].count(0) > rest[::2].count(0)
        return rest.decode("utf-16-le" if little else "utf-16-be", "replace")
    return (rest if code[:5] in (b"ASCII", b"\0\0\0\0\0") else told).decode("utf-8", "replace")


@contextlib.contextmanager
def _opened(file: Path | IO[bytes], name: str) -> Iterator[Image]:
    from PIL import Image

    try:
        with contextlib.ExitStack() as stack:
            handle = stack.enter_context(open_regular(file)) if isinstance(file, Path) else file
            yield stack.enter_context(Image.open(handle, formats=FORMATS))
    except LorakitError:
        raise
    except Exception as error:
        raise PictureError(f"{name or file} cannot be read: {_why(error)}") from error


def _why(error: Exception) -> str:
    from PIL import Image, UnidentifiedImageError

    if isinstance(error, UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}"
    if isinstance(error, Image.DecompressionBombError):
        return f"it has more than {2 * (Image.MAX_IMAGE_PIXELS or 0):,} pixels"
    if isinstance(error, MemoryError):
        return "its pixels need more memory than there is"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _orientation(picture: Image) -> int:
    """EXIF's orientation; 1 where there is none, or none that can be read."""
    try:
        found = picture.getexif().get(_ORIENTATION)
    except Exception:  # noqa: BLE001 - EXIF is another file in the file, and as foreign
        return 1
    return found if isinstance(found, int) and 1 <= found <= 8 else 1


def _upright(picture: Image) -> Image:
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    turn = turns.get(_orientation(picture))
    return picture if turn is None else picture.transpose(turn)
