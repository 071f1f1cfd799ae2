"""`video`: one film from the pictures of several steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.film import aspect_notes, film
from lorakit.language.recipe.documents import StoryboardStep, VideoStep
from lorakit.plan.kind import Context, StepPlan
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.gate import GateTask
from lorakit.plan.tasks.painted import PaintedTask
from lorakit.plan.tasks.pick import PickTask


class Videos:
    """Joins steps in the order they are named; a sentence keeps the hold its storyboard gave it."""

    def needs(self, step: VideoStep) -> Sequence[str]:
        """The steps it joins."""
        return step.of

    def check(self, step: VideoStep, context: Context) -> Iterator[Diagnostic]:
        """Whether what it waits for can be: what the film shows, the steps that it joins have checked."""
        steps = context.project.recipe.steps
        others = [name for name in step.of if not isinstance(steps[name], StoryboardStep)]
        if step.video.needs == "approved" and others:
            yield context.finding(
                "approval",
                f"needs: approved is for frames of storyboards, and {others[0]} has none to approve",
                step.place,
                "remove it, or join storyboards alone",
            )

    def plan(self, step: VideoStep, context: Context) -> StepPlan:
        """The film."""
        clips = tuple(clip for name in step.of for clip in context.step_plans[name].clips)
        sizes = {
            a.id: (a.task.width, a.task.height)
            for planned in context.step_plans.values()
            for a in planned.actions
            if isinstance(a.task, FrameTask | PickTask | PaintedTask | GateTask)
        }
        size = sizes[clips[0].picture] if clips else (0, 0)
        aspects = {context.step_plans[name].aspect for name in step.of}
        aspect = aspects.pop() if len(aspects) == 1 else None
        planned = film(step.name, step.name, clips, step.video, size, aspect)
        return StepPlan((planned,), clips, aspect, tuple(aspect_notes(aspect, size, planned)))
