"""The film of a step's pictures."""

from __future__ import annotations

from collections.abc import Sequence

from lorakit.kinds.sheet import ASSEMBLY, pictures_of
from lorakit.language.story.documents import Video
from lorakit.plan.actions import Action
from lorakit.plan.kind import Shot

FILM_VERSION = 1


def film(step: str, title: str, shots: Sequence[Shot], video: Video, height: int) -> Action:
    """One film: each picture for its hold, `height` px high unless the video says otherwise."""
    roles, inputs = pictures_of(shots)
    captions = video.captions
    fades = video.transition.kind == "crossfade"
    shown = [
        {
            "picture": roles[shot.action],
            "frames": max(1, (shot.hold or video.hold).in_frames(video.fps)),
            "caption": shot.caption if captions.show else "",
        }
        for shot in shots
    ]
    params: dict[str, object] = {
        "fps": video.fps,
        "height": video.height or height,
        "transition_frames": video.transition.seconds.in_frames(video.fps) if fades else 0,
        "captions": {"position": captions.position, "size": captions.size}
        if captions.show
        else None,
        "shots": shown,
    }
    return Action(
        id=f"{step}/film",
        step=step,
        group="",
        kind="film",
        version=FILM_VERSION,
        label=title,
        place=video.place,
        engine=ASSEMBLY,
        params=params,
        inputs=inputs,
        files={"film": (f"{step}/film.mp4",)},
        units=sum(int(str(shot["frames"])) for shot in shown),
    )
