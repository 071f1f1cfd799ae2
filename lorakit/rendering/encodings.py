"""How ffmpeg is asked for each format: encoders, their scales of quality, pixels, and containers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.film_formats import ENCODERS, FORMATS, FilmFormat, codec_of
from lorakit.plan.tasks.film import QUALITY
from lorakit.records import record

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# said in so many words, or players take small films for the colours of standard television
_TAGS = "setparams=range=tv:colorspace=bt709:color_primaries=bt709:color_trc=bt709"
# ffmpeg's own scaler rounds coarsely unless it is told not to: flat patches come out 3 of 255 apart
_EXACTLY = "flags=accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
_TO_YUV = f"scale=out_color_matrix=bt709:out_range=tv:{_EXACTLY}"
# a palette for each frame, made and used at once: one for the whole film would hold it all in memory
_PALETTES = (
    "split[a][b];[a]palettegen=stats_mode=single[p];[b][p]paletteuse=new=1:dither=sierra2_4a"
)
# some of x264's code is inexact in the CPU's own way; with AVX-512 it even weighs blocks by memory past
# its rows, and a film comes out otherwise each time
X264_ON_ANY_CPU = ("-x264-params", "cpu-independent=1")
# frames that are encoded at once change the result; its banner would be in the film
_X265 = "log-level=error:info=0:pools=2:frame-threads=1"
_PRORES = (25, 50, 75)  # below these a film is proxy, LT and standard; above, HQ
# a fixed number: x264's result depends on how many threads share the work, not on the CPU
_THREADS = 2


@record
class Encoding:
    """What a film is written as: `encoder` empty for the format's first one, `loop` 0 for ever.

    One that is `quick` is larger than it need be.
    """

    format: FilmFormat = "mp4"
    encoder: str = ""
    quality: int = QUALITY
    loop: int = 0
    quick: bool = False

    @property
    def writes_with(self) -> str:
        """The encoder by name."""
        return self.encoder or ENCODERS[codec_of(self.format, None)][0]

    @property
    def in_rgb(self) -> bool:
        """Whether it takes RGB: what halves no colours would lose by planes that have them halved."""
        return self.format in ("gif", "webp", "png") or self.writes_with.startswith("prores")

    def before(self) -> list[str]:
        """Options before the input: the device of encoders that are fed on a GPU's own memory."""
        api = _interface(self.writes_with)
        device = ["-init_hw_device", f"{api}=gpu", "-filter_hw_device", "gpu"]
        return device if api in _UPLOADED else []

    def after(self) -> list[str]:
        """Options for the output."""
        options = [*_video(self), "-threads", str(_THREADS)]
        if self.format in ("mp4", "mov"):
            options += ["-movflags", "+faststart"]
        if self.format in ("gif", "webp"):
            # GIF counts how often it is shown again
            times = (self.loop - 1 or -1) if self.format == "gif" and self.loop else self.loop
            options += ["-loop", str(times)]
        return [*options, "-f", self.format]


_UPLOADED = ("vaapi", "vulkan")


def of_file(target: Path) -> FilmFormat:
    """The format that a file's ending stands for: a folder, which has none, is of pictures."""
    return next((one for one in FORMATS if target.suffix == f".{one}"), "png")


def _interface(encoder: str) -> str:
    """The interface of a GPU that an encoder's name ends with; a software encoder's last part."""
    return encoder.rpartition("_")[2]


def _video(encoding: Encoding) -> list[str]:
    encoder, quality = encoding.writes_with, encoding.quality
    if encoding.format == "gif":
        return ["-vf", _PALETTES]
    known = _SOFTWARE.get(encoder)
    if encoding.quick and encoder == "libx264":
        known = _quick_x264
    if known is not None:
        filters, options = known(quality)
    else:
        filters, options = _hardware(encoder, quality)
    vp9_or_so = ["-vf", filters] if filters else []
    return [*vp9_or_so, "-c:v", encoder, *options]


def _scaled(quality: int, worst: float, a_step: float) -> str:
    """A quality from 0 to 100 on an encoder's own scale, where less is better."""
    return str(round(worst - a_step * quality))


def _x264(quality: int) -> tuple[str, list[str]]:
    # veryfast at a high quality: still pictures cost few bits, and a user waits for this
    crf = _scaled(quality, 51, 0.425)
    options = ["-preset", "veryfast", "-crf", crf, *X264_ON_ANY_CPU, "-pix_fmt", "yuv420p"]
    return _TAGS, options


def _quick_x264(quality: int) -> tuple[str, list[str]]:
    tags, options = _x264(quality)
    return tags, ["ultrafast" if one == "veryfast" else one for one in options]


def _x265(quality: int) -> tuple[str, list[str]]:
    crf = _scaled(quality, 51, 0.4125)
    # hvc1 is the mark that Apple's players look for
    options = ["-preset", "veryfast", "-crf", crf, "-x265-params", _X265, "-tag:v", "hvc1"]
    return _TAGS, [*options, "-pix_fmt", "yuv420p"]


def _svt(quality: int) -> tuple[str, list[str]]:
    crf = _scaled(quality, 63, 0.525)
    return _TAGS, ["-preset", "9", "-crf", crf, "-pix_fmt", "yuv420p"]


def _aom(quality: int) -> tuple[str, list[str]]:
    crf = _scaled(quality, 63, 0.525)
    return _TAGS, ["-cpu-used", "8", "-crf", crf, "-b:v", "0", "-pix_fmt", "yuv420p"]


def _vp9(quality: int) -> tuple[str, list[str]]:
    crf = _scaled(quality, 63, 0.575)
    options = ["-deadline", "good", "-cpu-used", "5", "-crf", crf, "-b:v", "0"]
    return _TAGS, [*options, "-pix_fmt", "yuv420p"]


def _prores(quality: int) -> tuple[str, list[str]]:
    profile = sum(quality >= least for least in _PRORES)
    return f"{_TO_YUV},format=yuv422p10le,{_TAGS}", ["-profile:v", str(profile)]


_SOFTWARE: dict[str, Callable[[int], tuple[str, list[str]]]] = {
    "libx264": _x264,
    "libx265": _x265,
    "libsvtav1": _svt,
    "libaom-av1": _aom,
    "librav1e": lambda q: (
        _TAGS,
        ["-qp", _scaled(q, 255, 2), "-speed", "9", "-pix_fmt", "yuv420p"],
    ),
    "libvpx-vp9": _vp9,
    "libopenh264": lambda q: (
        _TAGS,
        ["-rc_mode", "quality", "-qmin", "1", "-qmax", _scaled(q, 51, 0.425), "-b:v", "50M"],
    ),
    "libkvazaar": lambda q: (
        _TAGS,
        ["-kvazaar-params", f"qp={_scaled(q, 51, 0.4125)}", "-tag:v", "hvc1"],
    ),
    "prores_ks": _prores,
    "prores_aw": _prores,
    "libwebp_anim": lambda q: ("", ["-quality", str(q)]),
}
# a GPU's interface -> how it is told a quantizer
_QUANTIZER: dict[str, Callable[[str], list[str]]] = {
    "nvenc": lambda q: ["-rc", "vbr", "-cq", q, "-b:v", "0"],
    "qsv": lambda q: ["-global_quality", q],
    "amf": lambda q: ["-rc", "cqp", "-qp_i", q, "-qp_p", q],
    "vaapi": lambda q: ["-rc_mode", "CQP", "-qp", q],
    "vulkan": lambda q: ["-rc_mode", "cqp", "-qp", q],
}


def _hardware(encoder: str, quality: int) -> tuple[str, list[str]]:
    """Of an encoder that this file does not know by name: a GPU's, or another of ffmpeg's."""
    api = _interface(encoder)
    if api == "videotoolbox":
        options = ["-q:v", str(max(1, quality))]
    elif api in _QUANTIZER:
        options = _QUANTIZER[api](_scaled(quality, 51, 0.425))
    else:
        options = []
    if encoder.startswith("hevc"):
        options += ["-tag:v", "hvc1"]
    return f"{_TAGS},format=nv12,hwupload" if api in _UPLOADED else _TAGS, options
