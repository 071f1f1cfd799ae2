"""Checks of what a film is written as: rates, formats, codecs, and what has no effect on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story import rates
from lorakit.language.story.film_formats import FORMATS
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.story.documents import Storyboard, Video
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def board_s_film_can_be_written(board: Storyboard, root: Node, findings: Findings) -> None:
    """Formats and rates of a storyboard's film."""
    node = access.child(root, "video")
    if board.video is not None and node is not None:
        film_can_be_written(board.video, node, findings)


def film_can_be_written(video: Video, node: Node, findings: Findings) -> None:
    """Whether a film's formats have its rate and its codec, and what is said of them does anything."""
    fps = access.child(node, "fps")
    if fps is not None and isinstance(fps.value, str) and rates.parse(fps.value) is None:
        hint = f"from {rates.SLOWEST} to {rates.FASTEST} frames a second, as in 24 or 30000/1001"
        findings.error("out-of-range", f"{fps.value} is no rate that a film can have", fps, hint)
        return
    formats = [(name, FORMATS[name]) for name in video.format]
    for name, able in formats:
        if video.fps > able.fastest:
            findings.error(
                "too-fast",
                f"{name} shows at most {able.fastest} frames a second, not {video.fps}",
                fps or access.child(node, "format") or node,
                f"write fps: {able.fastest} or less",
            )
    codec = access.child(node, "codec")
    holding = [(name, able) for name, able in formats if able.codecs]
    for name, able in holding if codec is not None and video.codec else ():
        if video.codec not in able.codecs:
            has = f"{name} is written in {', '.join(able.codecs)}"
            findings.error("codec", f"{name} is not written in {video.codec}", codec, has)
    for key, does in (
        ("codec", holding),
        ("encoder", holding),
        ("quality", [name for name, able in formats if able.quality]),
        ("loop", [name for name, able in formats if able.loops]),
    ):
        value = access.child(node, key)
        if value is not None and not does:
            message = f"{key} has no effect on {' and '.join(video.format)}"
            findings.warning("no-effect", message, value, "remove it")
