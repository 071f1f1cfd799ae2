"""Times of film frames, as subtitles and editors write them."""

from __future__ import annotations

from fractions import Fraction


def stamp(frame: int, fps: int | Fraction, point: str) -> str:
    """When a film frame begins, as 00:00:01.500.

    Milliseconds are rounded down: a player that shows frame n at n / fps then has a text from that frame
    on, and no more at the frame where it ends; rounded up it would come a frame late.
    """
    milliseconds = int(frame * 1000 // fps)
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{point}{rest:03d}"


def timecode(frame: int, fps: int | Fraction) -> str:
    """The same as hours, minutes, seconds and frames: 00:00:01:12.

    At 29.97 frames a second it counts 30 to a second, as editors do where no frame numbers are dropped.
    """
    whole = max(1, round(fps))
    seconds, frames = divmod(frame, whole)
    minutes, seconds = divmod(seconds, 60)
    digits = len(str(whole - 1)) if whole > 100 else 2
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}:{frames:0{digits}d}"
