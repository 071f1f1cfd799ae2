"""What films are written as on this machine: formats, and the encoders that its ffmpeg has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lorakit.language.story.film_formats import ENCODERS, FORMATS, codec_of
from lorakit.plan.tasks.film import FilmForm

if TYPE_CHECKING:
    from lorakit.diagnostics import Diagnostic
    from lorakit.facts.machine.ffmpeg import Ffmpeg
    from lorakit.language.story.documents import Video
    from lorakit.language.story.film_formats import FilmFormat
    from lorakit.plan.kind import Context

_OTHER = "or let IMAGEIO_FFMPEG_EXE name an ffmpeg that has it"


def written(video: Video, ffmpeg: Ffmpeg | None) -> tuple[FilmForm, ...]:
    """Each format of a film with the encoder that writes it; an unknown `ffmpeg` has all."""
    return tuple(FilmForm(one, _encoder(one, video, ffmpeg)) for one in video.format)


def check_written(video: Video | None, context: Context) -> Iterator[Diagnostic]:
    """Whether the ffmpeg of this machine can encode what a film asks for, and who signs films can sign it."""
    if video is not None and not context.preview:
        yield from _check_signed(video, context)
    ffmpeg = context.facts.ffmpeg
    if video is None or ffmpeg is None or video.place is None:
        return
    asked = video.encoder if any(FORMATS[one].codecs for one in video.format) else None
    if asked is not None:
        codec = ffmpeg.encoders.get(asked)
        place = video.where("encoder") or video.place
        wanted = {codec_of(one, video.codec) for one in video.format if FORMATS[one].codecs}
        if codec is None:
            has = _has(ffmpeg, sorted(wanted))
            message = f"the ffmpeg here has no encoder {asked}"
            yield context.finding("encoder", message, place, has, _OTHER)
            return
        if not any(_fits(asked, one, video, ffmpeg) for one in video.format):
            forms, codecs = " and ".join(video.format), " and ".join(sorted(wanted))
            message = f"{asked} writes {codec}, and {forms} is to be {codecs}"
            yield context.finding("encoder", message, place, _has(ffmpeg, sorted(wanted)))
            return
    for one in video.format:
        codec = codec_of(one, video.codec)
        if codec and not (asked and _fits(asked, one, video, ffmpeg)) and not _have(codec, ffmpeg):
            able = _able(ffmpeg)
            yield context.finding(
                "encoder",
                f"the ffmpeg here cannot write {one} in {codec}: it has none of {', '.join(ENCODERS[codec])}",
                video.where("codec", "format") or video.place,
                f"it writes {', '.join(able)}" if able else "",
                _OTHER,
            )


def _check_signed(video: Video, context: Context) -> Iterator[Diagnostic]:
    """A format in which a signature has no place, where films are signed."""
    unsigned = [one for one in video.format if not FORMATS[one].signed_as]
    place = video.where("format")
    if context.facts.signing is None or not unsigned or place is None:
        return
    able = [name for name, form in FORMATS.items() if form.signed_as]
    yield context.finding(
        "signing",
        f"your config signs films (c2pa), and a signature has no place in {' and '.join(unsigned)}",
        place,
        f"write format: {', '.join(able[:-1])} or {able[-1]}",
        "or remove c2pa: from your config",
    )


def _encoder(one: FilmFormat, video: Video, ffmpeg: Ffmpeg | None) -> str:
    codec = codec_of(one, video.codec)
    if not codec:
        return ""
    if video.encoder and FORMATS[one].codecs and _fits(video.encoder, one, video, ffmpeg):
        found = video.encoder
    else:
        found = next(iter(_have(codec, ffmpeg)), ENCODERS[codec][0])
    return "" if found == ENCODERS[codec_of(one, None)][0] else found


def _fits(encoder: str, one: FilmFormat, video: Video, ffmpeg: Ffmpeg | None) -> bool:
    """Whether an encoder writes what a format may hold, and the codec where one is asked for."""
    codec = ffmpeg.encoders.get(encoder) if ffmpeg else None
    if codec is None:
        return ffmpeg is None
    return codec == video.codec if video.codec else codec in FORMATS[one].codecs


def _have(codec: str, ffmpeg: Ffmpeg | None) -> list[str]:
    return [name for name in ENCODERS[codec] if ffmpeg is None or name in ffmpeg.encoders]


def _able(ffmpeg: Ffmpeg) -> list[str]:
    """The formats that an ffmpeg writes, with the codecs it has of each."""
    able = []
    for name, form in FORMATS.items():
        codecs = [one for one in form.codecs if _have(one, ffmpeg)]
        if codecs:
            able.append(f"{name} ({', '.join(codecs)})")
        elif not form.codecs and (name == "png" or _have(codec_of(name, None), ffmpeg)):
            able.append(name)
    return able


def _has(ffmpeg: Ffmpeg, codecs: list[str]) -> str:
    told = [f"of {codec} {', '.join(ffmpeg.writing(codec)) or 'none'}" for codec in codecs]
    return f"it has {'; '.join(told)}"
