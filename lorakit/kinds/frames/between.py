"""A frame between two others: the action that draws it, and what can be wrong with it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import ImageSettings
from lorakit.language.story.motions import Motion
from lorakit.plan import schedulers
from lorakit.plan.actions import Action, Input
from lorakit.plan.seeds import derive
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.frame_between import FrameBetween
from lorakit.plan.waves import batch_size_for
from lorakit.records import record

_CLOSER = 0.6  # by which those halfway are closer together than the mean
_PLACES = 6  # of a share and a strength, so that keys have short numbers


def _share(even: float) -> float:
    """How far a frame is on its way, of frames that lie closer together halfway, where most changes."""
    return round(even + _CLOSER / (2 * math.pi) * math.sin(2 * math.pi * even), _PLACES)


@record
class DrawnStill:
    """A frame as others begin from it: its look, the action that makes its latents, and one that draws it.

    `usual` makes an action that draws such a frame, whatever stands for it.
    """

    settings: RenderSettings
    look: ImageSettings
    latents: str
    usual: Callable[[], Action]
    noise: int

    def between(
        self, other: DrawnStill, motion: Motion, number: int, id_: str, step: str, group: str
    ) -> Action:
        """The frame `number` of the motion's between this one and another, from 1 on.

        At the middle it is drawn anew at the motion's strength, and less and less towards both ends, so that
        it comes to be them. All of a movement have one noise.
        """
        usual, there = self.usual(), other.usual()
        task, towards = usual.task, there.task
        assert isinstance(task, FrameTask)
        assert isinstance(towards, FrameTask)
        settings = self.settings
        share = _share(number / (motion.frames + 1))
        strength = motion.strength * math.sin(math.pi * share)
        # a step at least: without any a mix of two pictures would be seen
        strength = round(max(strength, 1.001 / task.num_inference_steps), _PLACES)
        strength = min(strength, 1.0)
        effective = settings.effective_steps(self.look, strength)
        size = (task.width, task.height)
        machine = settings.context.facts.machine
        batch_size = batch_size_for(settings.model.traits, size, machine)
        drawn_with = settings.drawn_at(size, batch_size, guided=settings.of_look(self.look).guided)
        drawn = replace(
            task.by_itself(),
            noise=derive(self.noise, "between"),
            strength=strength,
            batch_size=batch_size,
            encoded_by=task.encoded_by or towards.encoded_by,
            weight_bits=drawn_with.mode.bits,
            compiled=drawn_with.compiled,
            between=FrameBetween(share, towards.prompt),
            effective_steps=effective,
        )
        return replace(
            usual,
            id=id_,
            step=step,
            group=group,
            label=f"{number} of {motion.frames}: {usual.label}",
            place=motion.place,
            engine=drawn_with.engine,
            task=drawn,
            cost=drawn_with.cost,
            inputs=(
                *settings.worn.inputs,
                Input("start", self.latents, "latents"),
                Input("towards", other.latents, "latents"),
            ),
            files={},
            units=max(1, schedulers.calls(task.scheduler, effective, settings.model.scheduler)),
        )
