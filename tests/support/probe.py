"""What a film's file says of itself, read by PyAV: FFmpeg's libraries, in a build that no film was written by.

These are the figures that ffprobe shows; where it is installed, a test holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av


@dataclass(frozen=True)
class Probe:
    """Of the only stream of pictures; `stamps` are the times of its frames in seconds, in order."""

    container: str
    streams: tuple[str, ...]
    codec: str
    tag: str
    size: tuple[int, int]
    pixels: str
    rate: Fraction | None
    frames: int
    duration: Fraction
    stamps: tuple[Fraction, ...]
    # as ITU-T H.273 numbers them: 1 is BT.709; of ranges 1 is limited, 2 full
    colours: tuple[int, int, int]
    range: int
    tags: dict[str, str]


def probe(path: Path) -> Probe:
    """Read a film, without decoding it."""
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        context = stream.codec_context
        packets = [p for p in file.demux(stream) if p.pts is not None]
        base = stream.time_base
        assert base is not None
        stamps = sorted(Fraction(p.pts) * base for p in packets)
        return Probe(
            file.format.name,
            tuple(one.type for one in file.streams),
            {"libdav1d": "av1", "libvpx-vp9": "vp9"}.get(context.name, context.name),
            stream.codec_tag.strip(" \0"),
            (context.width, context.height),
            str(context.pix_fmt),
            stream.average_rate,
            len(packets),
            Fraction(file.duration or 0, av.time_base),
            tuple(stamps),
            (int(context.colorspace), int(context.color_primaries), int(context.color_trc)),
            int(context.color_range),
            {**file.metadata},
        )
