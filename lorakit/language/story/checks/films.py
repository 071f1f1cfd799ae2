"""Checks of `video:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.documents import Video
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.story.documents import Storyboard
    from lorakit.language.story.durations import Duration
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def _own_holds(board: Storyboard, root: Node) -> Iterator[tuple[Duration, Node]]:
    """The holds of sentences that have their own, and where they stand."""
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        if access.child(node, "text") is not None:
            continue
        for sentence, item in zip(scene.sentences, access.items(node, "sentences"), strict=True):
            hold = access.child(item, "hold")
            if sentence.hold is not None and hold is not None:
                yield sentence.hold, hold


def lasts_a_frame(hold: Duration, fps: int, at: Node, findings: Findings) -> None:
    """A hold is a film frame at least."""
    if isinstance(at.value, (int, float)) and at.value <= 0:
        return  # the schema has said so
    if hold.in_frames(fps) < 1:
        findings.error(
            "too-short",
            f"a hold of less than one film frame shows nothing: at {fps} fps a frame is {1 / fps:.3g} s",
            at,
            "one frame is 1f",
        )


def holds_last_a_frame(board: Storyboard, root: Node, findings: Findings) -> None:
    """Every picture is in the film for a frame at least."""
    fps = (board.video or Video()).fps
    long_enough: set[int] = set()  # most sentences share a few holds
    for hold, node in _own_holds(board, root):
        if id(hold) in long_enough:
            continue
        if hold.in_frames(fps) < 1:
            lasts_a_frame(hold, fps, node, findings)
        else:
            long_enough.add(id(hold))
    video = access.child(root, "video")
    own = access.child(video, "hold")
    if board.video and own is not None:
        lasts_a_frame(board.video.hold, fps, own, findings)


def crossfades_fit_their_holds(board: Storyboard, root: Node, findings: Findings) -> None:
    """A crossfade is centred on its cut, so that it may be no longer than the shortest hold."""
    video = board.video
    if video is None or video.transition.kind != "crossfade":
        return
    fade = video.transition.seconds.in_frames(video.fps)
    node = access.child(access.child(root, "video"), "transition")
    assert node is not None
    fade_at = access.child(node, "seconds") or node
    seconds = f"{video.transition.seconds.in_seconds(video.fps):g} s"
    if fade > video.hold.in_frames(video.fps):
        findings.error(
            "crossfade-too-long",
            f"a crossfade of {seconds} is longer than the hold of {video.hold.in_seconds(video.fps):g} s",
            fade_at,
            "a crossfade is centred on the cut, and may take up the whole hold at most",
        )
        return
    for hold, at in _own_holds(board, root):
        if 0 < hold.in_frames(video.fps) < fade:
            findings.error(
                "crossfade-too-long",
                f"this hold of {hold.in_seconds(video.fps):g} s is shorter than the crossfade of {seconds}",
                at,
                "hold it longer, or shorten the film's transition",
            )
