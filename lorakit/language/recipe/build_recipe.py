"""From the nodes of a merged recipe to its documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lorakit.language.recipe import sources
from lorakit.language.recipe.adapters import AdapterUse
from lorakit.language.recipe.board_adapters import board_adapters
from lorakit.language.recipe.documents import (
    Best,
    CompareStep,
    GenerateStep,
    Member,
    ModelSource,
    Recipe,
    Step,
    StoryboardStep,
    SweepStep,
    TrainImageStep,
    TrainTextStep,
    VideoStep,
)
from lorakit.language.recipe.folders import folder_name
from lorakit.language.recipe.trainings import Resources, TrainSettings
from lorakit.language.story import board_settings
from lorakit.language.story.documents import ImageSettings
from lorakit.language.story.schedules import schedule
from lorakit.language.yaml import access, schemas
from lorakit.language.yaml.decode import decode, places

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lorakit.diagnostics import Place
    from lorakit.language.recipe.paths import Paths
    from lorakit.language.recipe.sweeps import Draft, Sweeps
    from lorakit.language.story.controls import Find
    from lorakit.language.story.documents import Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

STUDIO = "studio"
MINILM = "minilm"


def recipe(
    swept: Sweeps,
    path: Path,
    paths: Paths,
    boards: Mapping[str, Storyboard],
    findings: Findings,
) -> Recipe:
    """The recipe that a tree describes; `boards` are the storyboards of its steps, by the steps' names."""
    root = swept.root
    models = sources.models(root, paths, findings)
    only = next(iter(models)) if len(models) == 1 else STUDIO

    def find(node: Node, what: str) -> Path | None:
        return paths.file(node, what, findings)

    steps = _steps(root, only, boards, find)
    seed = access.integer(root, "seed")
    return Recipe(
        path=path,
        name=folder_name(access.text(root, "name") or path.stem),
        seed=default_seed() if seed is None else seed,
        models={**models, **_shipped(models, steps, root)},
        datasets=sources.datasets(root, paths, findings),
        adapters={**sources.adapters(root, paths, findings), **board_adapters(boards.values())},
        steps=_with_sweeps(steps, root, swept.drafts),
        place=root.place,
    )


def default_seed() -> int:
    """The seed of a recipe that gives none."""
    return int(schemas.defaults(schemas.RECIPE)["seed"])


def shipped_model(name: str, place: Place) -> ModelSource:
    """A model that ships with lorakit; `place` is where it is asked for."""
    return ModelSource(name, f"lorakit:{name}", "auto", place)


def _shipped(
    models: Mapping[str, ModelSource], steps: Mapping[str, Step], root: Node
) -> dict[str, ModelSource]:
    """The models that steps use and the recipe does not name, since they are always there."""
    nodes = access.mapping(root, "steps")
    asked: dict[str, Place] = {}
    for name, step in steps.items():
        model = getattr(step, "model", "")
        if model in (STUDIO, MINILM) and model not in models:
            link = access.child(nodes.get(name), "model")
            asked.setdefault(model, link.place if link is not None else step.place)
    if not asked and not models and not any(isinstance(s, TrainTextStep) for s in steps.values()):
        asked[STUDIO] = root.place
    return {name: shipped_model(name, place) for name, place in asked.items()}


def _steps(root: Node, only: str, boards: Mapping[str, Storyboard], find: Find) -> dict[str, Step]:
    """The steps that are whole enough to be ones; `only` is the model of those that name none."""
    owner = access.child(root, "steps")
    adapters = access.mapping(root, "adapters")
    steps: dict[str, Step] = {}
    for name, node in access.mapping(root, "steps").items():
        assert owner is not None
        step = _step(name, node, owner.key_spot(name).place, only, boards.get(name), adapters, find)
        if step is not None:
            steps[name] = step
    return steps


def _step(
    name: str,
    node: Node,
    place: Place,
    only: str,
    board: Storyboard | None,
    adapters: Mapping[str, Node],
    find: Find,
) -> Step | None:
    kind = access.text(node, "kind")
    own: dict[str, Any] = {"name": name, "place": place}
    drawn = {**own, "model": access.text(node, "model") or only}
    worn = {**drawn, "adapters": _adapters_used(node, adapters)}
    if kind == "generate":
        return decode(
            GenerateStep, node, **worn, look=board_settings.image_settings(node, ImageSettings())
        )
    if kind == "storyboard":
        return decode(StoryboardStep, node, **worn, board=board) if board is not None else None
    if kind == "video":
        return decode(VideoStep, node, **own, video=board_settings.video(node, find))
    if kind == "compare":
        return decode(CompareStep, node, **own)
    if kind == "train-image":
        return decode(TrainImageStep, node, **drawn, train=_train(node, place))
    if kind == "train-text":
        reader = MINILM if drawn["model"] == STUDIO and not access.text(node, "model") else None
        drawn["model"] = reader or drawn["model"]
        return decode(TrainTextStep, node, **drawn, train=_train(node, place))
    # its members stand beside it among the steps
    return SweepStep(name, place, ()) if kind == "sweep" else None


def _train(step: Node, place: Place) -> TrainSettings:
    """The `train:` and `resources:` blocks of a step; `place` is the step's."""
    node, resources = access.child(step, "train"), access.child(step, "resources")
    precision = access.child(node, "precision")
    return decode(
        TrainSettings,
        node,
        place=place if precision is None else precision.place,
        places=(*places(node), *places(resources)),
        resources=decode(Resources, resources),
    )


def _adapters_used(node: Node, files: Mapping[str, Node]) -> tuple[AdapterUse, ...]:
    owner = access.child(node, "adapters")
    used = []
    for name in access.mapping(node, "adapters"):
        over = schedule(access.child(owner, name))
        weight = access.number(owner, name) if over is None else over.first()
        assert owner is not None
        if weight is not None:
            place = owner.key_spot(name).place
            used.append(AdapterUse(name, weight, place, name in files, over))
    return tuple(used)


def _with_sweeps(
    steps: dict[str, Step], root: Node, drafts: Mapping[str, list[Draft]]
) -> dict[str, Step]:
    """The steps with the members of sweeps where they belong."""
    found: dict[str, Step] = {}
    for name, node in access.mapping(root, "steps").items():
        if name in drafts:
            members = tuple(
                Member(
                    draft.name,
                    draft.like,
                    tuple((change.label, change.shown) for change in draft.changes),
                    steps[f"{name}/{draft.name}"],
                )
                for draft in drafts[name]
                if f"{name}/{draft.name}" in steps
            )
            place = steps[name].place
            found[name] = SweepStep(name, place, members, _best(access.child(node, "best")))
        elif name in steps and "/" not in name:
            found[name] = steps[name]
    return found


def _best(node: Node | None) -> Best | None:
    metric, mode = access.child(node, "metric"), access.choice(node, "mode", ("max", "min"))
    if metric is None or mode is None or not isinstance(metric.value, str):
        return None
    return decode(Best, node, place=metric.place)
