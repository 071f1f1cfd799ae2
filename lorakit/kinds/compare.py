"""`compare`: the figures of several trainings side by side, or the pictures of several steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.kinds.side_by_side import side_by_side
from lorakit.kinds.training_plan import measured
from lorakit.language.recipe.documents import CompareStep
from lorakit.plan.actions import Action, Input
from lorakit.plan.cost import assembly_cost
from lorakit.plan.kind import Context, StepPlan
from lorakit.plan.tasks.figures import ComparedRun, CompareTask


class Comparisons:
    """One table in which trainings are held against the first, or one sheet with a column for each step."""

    def needs(self, step: CompareStep) -> Sequence[str]:
        """What is compared."""
        return step.of

    def check(self, step: CompareStep, context: Context) -> Iterator[Diagnostic]:  # noqa: ARG002
        """Nothing that the language has not checked."""
        return iter(())

    def plan(self, step: CompareStep, context: Context) -> StepPlan:
        """The table in Markdown and JSON, or the sheet."""
        clips = {name: context.step_plans[name].clips for name in step.of}
        if all(clips.values()):
            return StepPlan((side_by_side(step.name, step.name, clips),))
        inputs = {
            f"metrics_{number}": (name, measured(context.step_plans[name].actions))
            for number, name in enumerate(step.of, 1)
        }
        runs = tuple(ComparedRun(name, role) for role, (name, _) in inputs.items())
        action = Action(
            id=f"{step.name}/table",
            step=step.name,
            group="",
            label="table",
            place=step.place,
            engine=ASSEMBLY,
            task=CompareTask(runs),
            cost=assembly_cost(CompareTask.kind, 1),
            inputs=tuple(
                Input(role, told.id, "metrics") for role, (_, told) in inputs.items() if told
            ),
            files={"table": (f"{step.name}/table.md",), "metrics": (f"{step.name}/metrics.json",)},
        )
        return StepPlan((action,))
