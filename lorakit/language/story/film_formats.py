"""The formats that films are written in: which codecs each may hold, how fast it runs, whether it repeats."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal, get_args

from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

FilmFormat = Literal["mp4", "webm", "mov", "gif", "webp", "png"]
FilmCodec = Literal["h264", "h265", "av1", "vp9", "prores"]


@record
class Format:
    """What a format can: its `codecs`, the first by default; none where it has but one way.

    `fastest` is the most frames a second that players show, `loops` whether the file says how often it is
    shown, `quality` whether anything is lost that a number could weigh. `signed_as` is its media type where a
    C2PA manifest has a place in it.
    """

    codecs: tuple[FilmCodec, ...] = ()
    fastest: int = 120
    loops: bool = False
    quality: bool = True
    signed_as: str = ""


FORMATS: Mapping[FilmFormat, Format] = {
    "mp4": Format(("h264", "h265", "av1"), signed_as="video/mp4"),
    "webm": Format(("vp9", "av1")),
    "mov": Format(("prores", "h264", "h265"), signed_as="video/quicktime"),
    # players take pictures of less than 2 hundredths, or 11 ms, for ones of a tenth of a second
    "gif": Format(fastest=50, loops=True, quality=False, signed_as="image/gif"),
    "webp": Format(fastest=90, loops=True, signed_as="image/webp"),
    "png": Format(quality=False, signed_as="image/png"),
}
# a codec -> encoders of ffmpeg that write it in software, the best first
ENCODERS: Mapping[str, tuple[str, ...]] = {
    "h264": ("libx264", "libopenh264"),
    "h265": ("libx265", "libkvazaar"),
    "av1": ("libsvtav1", "libaom-av1", "librav1e"),
    "vp9": ("libvpx-vp9",),
    "prores": ("prores_ks", "prores_aw"),
    "gif": ("gif",),
    "webp": ("libwebp_anim",),
}


class Formats(tuple[FilmFormat, ...]):
    """The formats of a film, each once, in the order that they stand in above."""

    __slots__ = ()

    @classmethod
    def decoded(cls, node: Node) -> Formats | None:
        """The formats that a node names: one, or a list."""
        given = node.value if isinstance(node.value, list) else [node]
        known = get_args(FilmFormat)
        words = [one.value.strip() for one in given if isinstance(one.value, str)]
        return cls(dict.fromkeys(word for word in known if word in words)) or None


def codec_of(film_format: FilmFormat, codec: FilmCodec | None) -> str:
    """The codec that a format is written in where a film asks for `codec`; none for lone pictures."""
    if film_format in ("gif", "webp"):
        return film_format
    codecs = FORMATS[film_format].codecs
    return codec if codec in codecs else next(iter(codecs), "")
