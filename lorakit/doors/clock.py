"""Times of film frames, as subtitles and editors write them."""

from __future__ import annotations


def stamp(frame: int, fps: int, point: str) -> str:
    """When a film frame begins, as 00:00:01.500.

    Milliseconds are rounded down: a player that shows frame n at n / fps then has a text from that frame
    on, and no more at the frame where it ends; rounded up it would come a frame late.
    """
    milliseconds = frame * 1000 // fps
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}{point}{rest:03d}"


def timecode(frame: int, fps: int) -> str:
    """The same as hours, minutes, seconds and frames: 00:00:01:12."""
    seconds, frames = divmod(frame, fps)
    minutes, seconds = divmod(seconds, 60)
    digits = len(str(fps - 1)) if fps > 100 else 2
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{seconds:02d}:{frames:0{digits}d}"
