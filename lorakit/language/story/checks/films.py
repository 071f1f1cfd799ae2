"""Checks of `video:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.documents import Video
from lorakit.language.story.own_keys import with_own_keys
from lorakit.language.story.sound import SPOKEN, WITH_SOUND
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.story.documents import Storyboard
    from lorakit.language.story.durations import Duration
    from lorakit.language.story.rates import Rate
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


def _own_holds(board: Storyboard, root: Node) -> Iterator[tuple[Duration, Node]]:
    """The holds of sentences that have their own, and where they stand."""
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        for sentence, item in with_own_keys(scene, node):
            hold = access.child(item, "hold")
            if sentence.hold is not None and hold is not None:
                yield sentence.hold, hold


def lasts_a_frame(hold: Duration, fps: Rate, at: Node, findings: Findings) -> None:
    """A hold is a film frame at least."""
    if isinstance(at.value, (int, float)) and at.value <= 0:
        return  # the schema has said so
    if hold.in_frames(fps) < 1:
        findings.error(
            "too-short",
            "a hold of less than one film frame shows nothing: "
            f"at {fps} fps a frame is {float(1 / fps):.3g} s",
            at,
            "one frame is 1f",
        )


def films_can_be_heard(video: Video | None, node: Node | None, findings: Findings) -> None:
    """A film that is heard is of a format that has sound, and has what its times are about."""
    if video is None:
        return
    music, spoken = access.child(node, "audio"), access.child(node, "narration")
    for heard, key in ((music, "audio"), (spoken if video.narration else None, "narration")):
        if heard is not None and set(WITH_SOUND).isdisjoint(video.format):
            findings.error(
                "no-sound",
                f"a film of format: {' or '.join(video.format)} has no sound",
                heard,
                f"write format: mp4, or remove {key}:",
            )
    fit, hold = access.child(node, "fit"), access.child(node, "hold")
    if fit is not None and music is None:
        message = "the film is to last as long as its music, and has none"
        findings.error("no-music", message, fit, "write audio: {music: song.ogg} beside it")
    beats = access.child(node, "beats")
    if beats is not None and video.beats and music is None:
        message = "the film is to be cut on the beats of its music, and has none"
        findings.error("no-music", message, beats, "write audio: {music: song.ogg} beside it")
    if hold is not None and hold.value == SPOKEN and video.narration is None:
        _nothing_said(hold, findings)


def _nothing_said(hold: Node, findings: Findings) -> None:
    findings.error(
        "no-narration",
        "hold: audio is as long as its words, and nobody speaks them",
        hold,
        "write narration: true in video:, or name a recording: audio: voices/12.wav",
    )


def words_and_pins_go_together(board: Storyboard, root: Node, findings: Findings) -> None:
    """A frame held as long as its words has some, and pins follow one another."""
    spoken = board.video is not None and board.video.narration is not None
    fps = (board.video or Video()).fps
    before: Duration | None = None
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        for sentence, item in with_own_keys(scene, node):
            hold, at = access.child(item, "hold"), access.child(item, "at")
            silent = not spoken and access.child(item, "audio") is None
            if sentence.by_words and hold is not None and silent:
                _nothing_said(hold, findings)
            if sentence.at is None or at is None:
                continue
            if before is not None and sentence.at.in_frames(fps) <= before.in_frames(fps):
                message = (
                    f"this frame begins at {sentence.at.in_seconds(fps):g} s, "
                    f"and one before it at {before.in_seconds(fps):g} s"
                )
                findings.error("out-of-order", message, at, "frames follow as they are written")
            before = sentence.at


def board_can_be_heard(board: Storyboard, root: Node, findings: Findings) -> None:
    """A board's film with music is of a format that has sound."""
    films_can_be_heard(board.video, access.child(root, "video"), findings)


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


def transitions_fit_their_holds(board: Storyboard, root: Node, findings: Findings) -> None:
    """A transition is centred on its cut, so that it may be no longer than what it stands between."""
    video = board.video
    if video is None:
        return
    _own_transitions_fit(board, video, root, findings)
    fade = video.transition.frames(video.fps)
    node = access.child(access.child(root, "video"), "transition")
    if not fade or node is None:
        return
    fade_at = access.child(node, "seconds") or node
    kind, seconds = video.transition.kind, f"{video.transition.seconds.in_seconds(video.fps):g} s"
    if fade > video.hold.in_frames(video.fps):
        findings.error(
            "crossfade-too-long",
            f"a {kind} of {seconds} is longer than the hold of {video.hold.in_seconds(video.fps):g} s",
            fade_at,
            f"a {kind} is centred on the cut, and may take up the whole hold at most",
        )
        return
    for card in (video.title, video.end):
        if card is not None and card.place is not None and card.seconds.in_frames(video.fps) < fade:
            findings.error(
                "crossfade-too-long",
                f"this card of {card.seconds.in_seconds(video.fps):g} s is shorter than the {kind} "
                f"of {seconds}",
                access.child(access.child(root, "video"), "title" if card is video.title else "end")
                or fade_at,
                "hold it longer, or shorten the film's transition",
            )
    for hold, at in _own_holds(board, root):
        if 0 < hold.in_frames(video.fps) < fade:
            findings.error(
                "crossfade-too-long",
                f"this hold of {hold.in_seconds(video.fps):g} s is shorter than the {kind} of {seconds}",
                at,
                "hold it longer, or shorten the film's transition",
            )


def _own_transitions_fit(board: Storyboard, video: Video, root: Node, findings: Findings) -> None:
    """Those that scenes and sentences have of their own."""
    before = video.title.seconds if video.title is not None else None
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        items = access.items(node, "sentences") if access.child(node, "text") is None else []
        for number, sentence in enumerate(scene.sentences):
            hold = sentence.hold or video.hold
            at = access.child(items[number], "transition") if items else None
            at = at or (access.child(node, "transition") if number == 0 else None)
            own = sentence.transition
            if own is not None and at is not None and before is not None:
                room = min(hold.in_frames(video.fps), before.in_frames(video.fps))
                if own.frames(video.fps) > room:
                    shorter = min(hold, before, key=lambda one: one.in_frames(video.fps))
                    findings.error(
                        "crossfade-too-long",
                        f"a {own.kind} of {own.seconds.in_seconds(video.fps):g} s is longer than a hold "
                        f"beside it, of {shorter.in_seconds(video.fps):g} s",
                        access.child(at, "seconds") or at,
                        f"a {own.kind} is centred on the cut, and may take up the whole hold at most",
                    )
            elif own is not None and at is not None:
                message = "transition has no effect here: nothing stands before it"
                findings.warning("no-effect", message, at, "remove it")
            before = hold
