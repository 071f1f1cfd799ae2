"""A frame that moves in a film: the actions that make its clip, by its kind of motion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.kinds.sheet import ASSEMBLY
from lorakit.language.story.documents import Video
from lorakit.plan.actions import Action, Input
from lorakit.plan.cost import Cost
from lorakit.plan.kind import Clip, ClipMotion
from lorakit.plan.tasks.clip import (
    ClipPicturesTask,
    ClipTask,
    JoinedClipTask,
    KenBurnsTask,
    PassingTask,
)
from lorakit.plan.tasks.film import ClipPart
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.kinds.video_clips import VideoClip

# to make a pixel of a film's frame and keep it, about
_SECONDS = {KenBurnsTask.kind: 3e-8, PassingTask.kind: 2e-7}
_SECONDS |= {ClipPicturesTask.kind: 3e-8, JoinedClipTask.kind: 3e-8}
_BYTES = 1.5  # of a pixel that is kept without loss, about


@record
class MovedFrame:
    """A frame that moves for so many `frames` of a step's film."""

    step: str
    clip: Clip
    moves: ClipMotion
    frames: int
    video: Video

    @property
    def address(self) -> str:
        """What its actions are called after."""
        own = self.moves.address.startswith(f"{self.step}/")
        return self.moves.address if own else f"{self.step}/{self.moves.address}"

    def actions(self, behind: Clip | None) -> list[Action]:
        """What makes its clip, that last; none where it stands. `behind` is what the film shows next."""
        motion, (width, height) = self.moves.motion, self.moves.shown
        if motion.kind == "clip":
            clip = self._by_model(behind)
            return [clip, *self._enlarged(clip)]
        if not motion.passes:
            view = KenBurnsTask(
                self.frames, width, height, zoom=motion.zoom, start=motion.start, end=motion.end
            )
            return [self._clip(view, [self.clip.picture], ["picture"])]
        if behind is None or behind.motion is None or not self._may_become(behind.motion):
            return []
        drawn = self._between(behind.motion) if motion.kind == "morph" else []
        shown = [one.id for one in drawn]
        if self.moves.upscale is not None:
            larger = [self._larger(one) for one in drawn]
            shown, drawn = [one.id for one in larger], [*drawn, *larger]
        pictures = [self.clip.picture, *shown, behind.picture]
        passing = PassingTask(self.frames, width, height, pictures=len(pictures))
        roles = [f"picture_{number}" for number in range(len(pictures))]
        return [*drawn, self._clip(passing, pictures, roles)]

    @property
    def part(self) -> ClipPart:
        """What its shots show of its clip."""
        if self.moves.clip is not None and self.moves.motion.kind == "clip":
            size = self.moves.shown if self._is_enlarged else self.moves.size
            return self._model.part(size, self.frames, self.video.fps)
        return ClipPart(self.frames, *self.moves.shown)

    @property
    def _model(self) -> VideoClip:
        clip: VideoClip = self.moves.clip
        return clip

    def _by_model(self, behind: Clip | None) -> Action:
        """What a video model makes of a frame, and of the next where it uses both."""
        pictures = [] if self._model.uses == "words" else [self.clip.as_drawn.picture]
        if self._model.uses == "both" and behind is not None and behind.motion is not None:
            next_one = behind.as_drawn.picture
            pictures += [next_one] if self._may_become(behind.motion, drawn=True) else []
        place = self._clip(PassingTask(self.frames, *self.moves.size, pictures=0), [], [])
        return self._model.action(self.moves.size, self.frames, pictures, place)

    @property
    def _is_enlarged(self) -> bool:
        """Whether what a video model makes is drawn larger picture by picture, and not scaled by the film."""
        return self.moves.upscale is not None and self.moves.upscale.draws

    def _enlarged(self, clip: Action) -> list[Action]:
        """What makes each picture of a video model's clip larger, as its still is, and the clip of those."""
        if not self._is_enlarged:
            return []
        made = clip.task
        assert isinstance(made, ClipTask)
        apart = ClipPicturesTask(made.frames, made.width, made.height)
        roles = apart.pictures
        pictures = self._clip(apart, [clip.id], ["clip"], "clip", called="pictures")
        larger: list[Action] = [
            self._waiting(
                self.moves.upscale.of(
                    *(pictures.id, f"{pictures.id}_{number}", self.step, pictures.group),
                    output=role,
                )
            )
            for number, role in enumerate(roles, 1)
        ]
        joined = JoinedClipTask(made.frames, *self.moves.shown)
        whole = self._clip(joined, [one.id for one in larger], roles, called="pictures")
        return [pictures, *larger, replace(whole, id=f"{self.address}/motion_upscaled")]

    def _may_become(self, other: ClipMotion, *, drawn: bool = False) -> bool:
        """Whether a frame is of the same story and size, as it is shown or as it was `drawn`."""
        stories = [one.address.partition("/")[0] for one in (self.moves, other)]
        sizes = [one.size if drawn else one.shown for one in (self.moves, other)]
        return stories[0] == stories[1] and sizes[0] == sizes[1]

    def _larger(self, frame: Action) -> Action:
        """What makes a frame on the way as large as the two that it lies between."""
        group = f"between_{self.moves.scene}"
        made: Action = self.moves.upscale.of(frame.id, f"{frame.id}_upscaled", self.step, group)
        return self._waiting(made)

    def _between(self, other: ClipMotion) -> list[Action]:
        first, last, motion = self.moves.still, other.still, self.moves.motion
        assert first is not None
        assert last is not None
        return [
            self._waiting(
                first.between(
                    last,
                    motion,
                    number,
                    f"{self.address}/between_{number}",
                    self.step,
                    f"between_{self.moves.scene}",
                )
            )
            for number in range(1, motion.frames + 1)
        ]

    def _clip(
        self,
        task: ClipTask,
        inputs: Sequence[str],
        roles: Sequence[str],
        output: str = "picture",
        called: str = "motion",
    ) -> Action:
        pixels = task.width * task.height
        return self._waiting(
            Action(
                id=f"{self.address}/{called}",
                step=self.step,
                group=f"{called}_{self.moves.scene}",
                label=self.moves.motion.kind,
                place=self.moves.motion.place,
                engine=ASSEMBLY,
                task=task,
                cost=Cost(
                    f"{task.kind}|{task.width}|{task.height}",
                    seconds=pixels * _SECONDS[task.kind],
                    disk=int(pixels * task.frames * _BYTES),
                ),
                inputs=tuple(
                    Input(role, one, output) for role, one in zip(roles, inputs, strict=True)
                ),
                units=task.frames,
            )
        )

    def _waiting(self, action: Action) -> Action:
        """An action that waits for approval where the film does."""
        return replace(action, needs_approval=self.video.needs == "approved")
