"""`lorakit export workflow`: a scene as another tool's workflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lorakit.cli import outcome
from lorakit.cli.export import target as targets

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import GenerateStep, StoryboardStep
    from lorakit.plan.actions import Action
    from lorakit.session import Session


@click.command("workflow", short_help="A scene as a workflow of ComfyUI.")
@targets.document_options
@click.option(
    "--format",
    "style",
    type=click.Choice(["comfyui"]),
    default="comfyui",
    show_default=True,
    help="ComfyUI's API form, which its page opens as well.",
)
@click.option("--scene", metavar="NAME", help="This scene; all of a storyboard by default.")
@click.option(
    "--checkpoint", metavar="FILE", help="Draw with this of ComfyUI's models/checkpoints instead."
)
def command(
    session: Session,
    step: str | None,
    style: str,
    scene: str | None,
    checkpoint: str | None,
    out: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Write how a scene is drawn as a workflow: models, adapters, prompts, seeds, samplers, chains.

    What the other tool has no word for is said, and stands in the file beside the node that it is of.
    """
    import json

    from lorakit.diagnostics import LorakitError
    from lorakit.doors.comfy_models import loader_of, loras_of, own_sampling
    from lorakit.doors.cut import named
    from lorakit.doors.drawn_frames import check_plain, check_starts, drawn_frames
    from lorakit.doors.workflow import workflow

    project = session.project
    chosen = _step(session, step)
    name = named(project, chosen) + (f"-{scene}" if scene else "")
    target = targets.target_of(out, name.replace("/", "-"), "json", force=force)
    facts = session.facts(keys=False)
    actions = session.expanded(facts).step_plans[chosen.name].actions
    frames = drawn_frames(actions)
    saved = _of_scene(chosen, scene, frames)
    model = facts.models[chosen.model]
    if not model.traits.waves:
        raise LorakitError(
            f"{model.source} is {model.traits.title}: a workflow is written for families of UNets alone"
        )
    needed = _with_starts(frames, saved)
    check_starts(needed)
    check_plain(needed, actions)
    made = workflow(
        needed,
        saved,
        loader_of(project.recipe.models[chosen.model], model, checkpoint),
        list(loras_of(chosen.adapters, project.recipe)),
        own_sampling(model, checkpoint),
    )
    text = json.dumps(made.nodes, indent=2, ensure_ascii=False)
    targets.write(target, f"{text}\n".encode())
    told = {"format": style, "pictures": len(saved), "nodes": len(made.nodes)}
    targets.tell(target, told, made.said, as_json_=as_json)
    return outcome.DONE


def _step(session: Session, name: str | None) -> StoryboardStep | GenerateStep:
    """The step of that name, else the only storyboard, or else what alone draws. Raises LorakitError."""
    from lorakit.diagnostics import LorakitError
    from lorakit.language.recipe.documents import GenerateStep, StoryboardStep

    steps = session.project.recipe.steps
    able = {n: s for n, s in steps.items() if isinstance(s, StoryboardStep | GenerateStep)}
    boards = [n for n, s in able.items() if isinstance(s, StoryboardStep)]
    known = ", ".join(able) or "none"
    if name is None:
        chosen = boards if len(boards) == 1 else list(able)
        if len(chosen) != 1:
            raise LorakitError(
                f"which step? {session.project.recipe.path.name}:STEP; those that draw: {known}"
            )
        return able[chosen[0]]
    if name not in able:
        raise LorakitError(f"there is no step {name} that draws pictures; there are: {known}")
    return able[name]


def _of_scene(
    step: StoryboardStep | GenerateStep, scene: str | None, frames: Sequence[Action]
) -> list[str]:
    """The addresses of a scene's frames, or of all. Raises LorakitError with the scenes there are."""
    from lorakit.diagnostics import LorakitError
    from lorakit.language.recipe.documents import StoryboardStep
    from lorakit.plan.frame_names import frame_address

    if scene is None:
        return [action.id for action in frames]
    if not isinstance(step, StoryboardStep):
        raise LorakitError(f"step {step.name} has prompts and no scenes: leave out --scene")
    there = [one.name for one in step.board.scenes]
    if scene not in there:
        raise LorakitError(f"there is no scene {scene}; there are: {', '.join(there)}")
    return [a.id for a in frames if frame_address(a).scene == f"{step.name}/{scene}"]


def _with_starts(frames: Sequence[Action], saved: Sequence[str]) -> list[Action]:
    """Those frames and all that they begin from, in the order in which they are drawn."""
    by_id = {action.id: action for action in frames}
    needed: set[str] = set()
    todo = list(saved)
    while todo:
        one = todo.pop()
        if one in by_id and one not in needed:
            needed.add(one)
            todo += [given.action for given in by_id[one].inputs]
    return [action for action in frames if action.id in needed]
