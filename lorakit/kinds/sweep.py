"""`sweep`: a step several times over, with one table, one sheet of pictures, and the best member."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from lorakit import kinds
from lorakit.diagnostics import Diagnostic
from lorakit.kinds.image_set import held_out_count
from lorakit.kinds.letters import check_letters
from lorakit.kinds.sheet import ASSEMBLY, contact_sheet, pictures_of
from lorakit.kinds.side_by_side import side_by_side
from lorakit.kinds.training_plan import measured
from lorakit.language.recipe.documents import Member, StoryboardStep, SweepStep, TrainImageStep
from lorakit.language.yaml import names
from lorakit.plan.actions import Action, Input
from lorakit.plan.cost import assembly_cost
from lorakit.plan.kind import Clip, Context, StepPlan
from lorakit.plan.tasks.figures import (
    Choice,
    PictureFiguresTask,
    SweepBestTask,
    SweepMember,
    SweepTableTask,
)
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.sheet import ContactSheetTask

BEST = "best"
# of a training's files those that tell of it, and are not it
_ABOUT = ("log", "curve")


class SweepMembers:
    """The members' actions as their own kinds plan them, then what is told of all of them."""

    def needs(self, step: SweepStep) -> Sequence[str]:
        """What the members need."""
        every = (n for m in step.members for n in kinds.kind_of(m.step).needs(m.step))
        return list(dict.fromkeys(every))

    def check(self, step: SweepStep, context: Context) -> Iterator[Diagnostic]:
        """What the members' kinds find; each thing once, and which members have it where not all do."""
        members_of: dict[Diagnostic, list[str]] = {}
        for member in step.members:
            for diagnostic in kinds.kind_of(member.step).check(member.step, context):
                members_of.setdefault(diagnostic, []).append(member.name)
        for diagnostic, having in members_of.items():
            some = f"of the sweep {step.name}: {names.listed(having, 3)}"
            every = len(having) == len(step.members)
            yield diagnostic if every else replace(diagnostic, hints=(*diagnostic.hints, some))
        labels = ((value, step.place) for member in step.members for _, value in member.values)
        yield from check_letters(labels, "the sheet of the sweep", context)
        yield from _check_loss(step, context)

    def plan(self, step: SweepStep, context: Context) -> StepPlan:
        """All members; what fails in one leaves the others alone."""
        planned = {
            member.name: kinds.kind_of(member.step).plan(member.step, context)
            for member in step.members
        }
        actions = [
            replace(action, step=step.name, group=name, alone=True)
            for name, of_member in planned.items()
            for action in of_member.actions
            if not isinstance(action.task, ContactSheetTask)
        ]
        figures: dict[str, str] = {}
        for member in step.members:
            source = _figures(step, member, planned[member.name])
            if isinstance(source, Action):
                actions.append(source)
            figures[member.name] = source.id if isinstance(source, Action) else source
        actions.append(_table(step, figures))
        actions += _sheet(step, planned)
        actions += _best(step, planned, figures)
        notes = dict.fromkeys(note for of_member in planned.values() for note in of_member.notes)
        return StepPlan(tuple(actions), notes=tuple(notes))


def _check_loss(step: SweepStep, context: Context) -> Iterator[Diagnostic]:
    """Trainings on pictures have one of two losses, by whether any picture is held out."""
    trained = next((m.step for m in step.members if isinstance(m.step, TrainImageStep)), None)
    if step.best is None or trained is None:
        return
    source = context.project.recipe.datasets[trained.data]
    count = len(context.facts.pictures[trained.data].pictures)
    held = held_out_count(source, min(source.limit or count, count))
    there, other = ("held_out_loss", "fixed_loss") if held else ("fixed_loss", "held_out_loss")
    if step.best.metric == other:
        why = f"holds {held} out" if held else "holds no picture out"
        out = "" if held else ", or test_size: 0.2 into the data set"
        yield context.finding(
            "unknown-metric",
            f"{trained.data} {why}, so that its trainings have no {other}",
            step.best.place,
            f"write metric: {there}{out}",
        )


def _figures(step: SweepStep, member: Member, planned: StepPlan) -> Action | str:
    """Which action hands out a member's figures: its training, or one that measures its pictures."""
    trained = measured(planned.actions)
    if trained or not planned.clips:
        return trained.id if trained else ""
    roles, inputs = pictures_of(planned.clips)
    # pictures that stand in one group follow each other; a generate step has no such order
    rows: dict[str, list[str]] = {}
    for clip in planned.clips:
        rows.setdefault(clip.group, []).append(roles[clip.picture])
    return Action(
        id=f"{step.name}/{member.name}/figures",
        step=step.name,
        group=member.name,
        label="figures",
        place=None,
        engine=ASSEMBLY,
        task=PictureFiguresTask(tuple(tuple(row) for group, row in rows.items() if group)),
        cost=assembly_cost(PictureFiguresTask.kind, len(inputs)),
        inputs=inputs,
        files={"metrics": (f"{step.name}/{member.name}/metrics.json",)},
        units=len(inputs),
        alone=True,
    )


def _members(step: SweepStep, figures: Mapping[str, str]) -> tuple[SweepMember, ...]:
    return tuple(
        SweepMember(
            member.name,
            member.like,
            dict(member.values),
            f"metrics_{number}" if figures[member.name] else "",
        )
        for number, member in enumerate(step.members, 1)
    )


def _figure_inputs(step: SweepStep, figures: Mapping[str, str]) -> Iterator[Input]:
    for number, member in enumerate(step.members, 1):
        if figures[member.name]:
            role = f"metrics_{number}"
            yield Input(role, figures[member.name], "metrics", optional=True)


def _choice(step: SweepStep) -> Choice | None:
    return Choice(step.best.metric, step.best.mode) if step.best else None


def _table(step: SweepStep, figures: Mapping[str, str]) -> Action:
    return Action(
        id=f"{step.name}/table",
        step=step.name,
        group="",
        label="table",
        place=step.place,
        engine=ASSEMBLY,
        task=SweepTableTask(_members(step, figures), _choice(step)),
        cost=assembly_cost(SweepTableTask.kind, 1),
        inputs=tuple(_figure_inputs(step, figures)),
        files={"table": (f"{step.name}/table.md",), "metrics": (f"{step.name}/metrics.json",)},
    )


def _sheet(step: SweepStep, planned: Mapping[str, StepPlan]) -> Iterator[Action]:
    """The members' pictures, a row each; where they draw none, the curves of their losses."""
    clips = {
        ", ".join(f"{label} {value}" for label, value in member.values): _shown(
            planned[member.name]
        )
        for member in step.members
    }
    if any(clips.values()):
        boards = [m.step.board for m in step.members if isinstance(m.step, StoryboardStep)]
        yield side_by_side(step.name, boards[0].title if boards else step.name, clips, down=True)
        return
    curves = [
        Clip((action.id,), None, name, "")
        for name, of_member in planned.items()
        for action in of_member.actions
        if "curve" in action.files
    ]
    if curves:
        sheet = contact_sheet(step.name, step.name, curves, output="curve")
        yield replace(sheet, inputs=tuple(replace(i, optional=True) for i in sheet.inputs))


def _shown(planned: StepPlan) -> Sequence[Clip]:
    """A member's pictures: those it is made for, or the samples of a training."""
    samples = [
        Clip((a.id,), None, a.label, "") for a in planned.actions if isinstance(a.task, FrameTask)
    ]
    return planned.clips or samples


def _best(
    step: SweepStep, planned: Mapping[str, StepPlan], figures: Mapping[str, str]
) -> Iterator[Action]:
    """The best member's files once more, for steps that go on from them."""
    trainings = {name: measured(of_member.actions) for name, of_member in planned.items()}
    choice = _choice(step)
    if step.best is None or choice is None or not any(trainings.values()):
        return
    outputs = _shared(action for action in trainings.values() if action is not None)
    members = [
        replace(member, files={output: f"{output}_{number}" for output in outputs})
        for number, member in enumerate(_members(step, figures), 1)
    ]
    inputs = list(_figure_inputs(step, figures))
    for number, training in enumerate(trainings.values(), 1):
        assert training is not None
        inputs += [Input(f"{o}_{number}", training.id, o, optional=True) for o in outputs]
    yield Action(
        id=f"{step.name}/{BEST}",
        step=step.name,
        group="",
        label="best",
        place=step.best.place,
        engine=ASSEMBLY,
        task=SweepBestTask(tuple(members), choice, outputs),
        cost=assembly_cost(SweepBestTask.kind, 1),
        inputs=tuple(inputs),
        files={output: (f"{step.name}/{BEST}/{name}",) for output, name in outputs.items()},
    )


def _shared(trainings: Iterable[Action]) -> dict[str, str]:
    """The outputs that all members have, each with its file's name: `adapter` where members differ in it."""
    outputs = [
        {o: PurePosixPath(f[0]).name for o, f in training.files.items() if o not in _ABOUT}
        for training in trainings
    ]
    shared = {}
    for output, name in outputs[0].items():
        if all(output in those for those in outputs):
            # a LoRA is in diffusers' format and a LoHa in PEFT's: the name promises neither
            same = all(those[output] == name for those in outputs)
            shared[output] = name if same else f"{output}{PurePosixPath(name).suffix}"
    return shared
