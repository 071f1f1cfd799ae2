"""What the storyboards of a project name beside words and pictures: models that hold frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from lorakit.language.recipe.documents import StoryboardStep, with_members

if TYPE_CHECKING:
    from lorakit.facts.files.digests import Digests
    from lorakit.facts.models.control_models import ControlModel
    from lorakit.language.recipe.project import Project
    from lorakit.language.story.controls import Control
    from lorakit.language.story.documents import Sentence, Storyboard

_Problem = Callable[..., None]


def boards_of(project: Project) -> list[Storyboard]:
    """Every storyboard that is drawn, once."""
    steps = with_members(project.recipe.steps.values())
    drawn = {id(s.board): s.board for s in steps if isinstance(s, StoryboardStep)}
    return list(drawn.values())


def _sentences(project: Project) -> Iterator[Sentence]:
    for board in boards_of(project):
        for scene in board.scenes:
            yield from (sentence for sentence in scene.sentences if not sentence.repeat)


def _controls(project: Project) -> Iterator[Control]:
    yield from {id(s.control): s.control for s in _sentences(project) if s.control}.values()


def models_beside(project: Project) -> set[str]:
    """The names of models that stand beside the one that draws."""
    names: set[str] = set()
    for control in _controls(project):
        names |= {control.controlnet, control.depth_model}
    return names - {""}


def control_models(
    project: Project, digests: Digests, problem: _Problem, *, download: bool
) -> dict[str, ControlModel]:
    """The facts of those of them that the recipe has."""
    found: dict[str, ControlModel] = {}
    for name in sorted(models_beside(project) & set(project.recipe.models)):
        from lorakit.facts.models.control_models import control_model
        from lorakit.facts.models.model_configs import ModelError

        source = project.recipe.models[name]
        try:
            found[name] = control_model(source, digests, download=download)
        except ModelError as error:
            problem("model", f"{source.source}: {error}", source.place, *error.hints)
        except OSError as error:
            problem("model", unread(error), source.place)
    return found


def unread(error: OSError) -> str:
    """Which file cannot be read, and why."""
    return f"{error.filename or 'a file'} cannot be read: {error.strerror or error}"
