"""What the storyboards of a project name beside words and pictures: models that hold frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple, TypeVar

if TYPE_CHECKING:
    from lorakit.facts.files.digests import Digests
    from lorakit.facts.models.control_models import ControlModel
    from lorakit.facts.models.ip_adapters import IpAdapter
    from lorakit.facts.models.model_facts import ModelFacts
    from lorakit.facts.models.upscale_models import UpscaleModel
    from lorakit.facts.models.video_models import VideoModel
    from lorakit.language.recipe.documents import ModelSource
    from lorakit.language.recipe.project import Project
    from lorakit.language.story.controls import Control
    from lorakit.language.story.documents import Sentence

_Problem = Callable[..., None]
_T = TypeVar("_T")


def _sentences(project: Project) -> Iterator[Sentence]:
    for board in project.recipe.boards:
        for scene in board.scenes:
            yield from (sentence for sentence in scene.sentences if not sentence.repeat)


def _controls(project: Project) -> Iterator[Control]:
    yield from {id(s.control): s.control for s in _sentences(project) if s.control}.values()


def models_beside(project: Project) -> set[str]:
    """The names of models that stand beside the one that draws."""
    worn = {source.ip_adapter for source in project.recipe.models.values()}
    return (_holding(project) | upscale_names(project) | worn) - {""}


def _holding(project: Project) -> set[str]:
    """The names of ControlNets, of what makes their maps, and of what judges frames."""
    names = {n for one in _controls(project) for n in (one.controlnet, one.depth_model)}
    judges = {scene.gate.judge for board in project.recipe.boards for scene in board.scenes}
    return (names | {n for one in judges for n in (one.character, one.sentence)}) - {""}


def clip_models(project: Project) -> set[str]:
    """The names of models that make clips."""
    motions = {id(s.motion): s.motion for s in _sentences(project)}.values()
    return {one.video_model for one in motions if one.kind == "clip" and one.video_model}


def video_models(
    project: Project, digests: Digests, problem: _Problem, *, download: bool
) -> dict[str, VideoModel]:
    """The facts of those of them that the recipe has."""
    names = sorted(clip_models(project) & set(project.recipe.models))
    if not names:
        return {}
    from lorakit.facts.models.video_models import video_model

    def read(source: ModelSource) -> VideoModel:
        return video_model(source, digests, download=download)

    return _facts_of(names, project, read, problem)


def upscale_names(project: Project) -> set[str]:
    """The names of models that make frames larger."""
    told = {id(s.upscale): s.upscale for s in _sentences(project) if s.upscale}.values()
    return {one.model for one in told} - {""}


def upscale_models(
    project: Project, digests: Digests, problem: _Problem, *, download: bool
) -> dict[str, UpscaleModel]:
    """The facts of those of them that the recipe has."""
    names = sorted(upscale_names(project) & set(project.recipe.models))
    if not names:
        return {}
    from lorakit.facts.models.upscale_models import upscale_model

    def read(source: ModelSource) -> UpscaleModel:
        return upscale_model(source, digests, download=download)

    return _facts_of(names, project, read, problem)


def control_models(
    project: Project, digests: Digests, problem: _Problem, *, download: bool
) -> dict[str, ControlModel]:
    """The facts of those of them that the recipe has."""
    names = sorted(_holding(project) & set(project.recipe.models))
    if not names:
        return {}
    from lorakit.facts.models.control_models import control_model

    def read(source: ModelSource) -> ControlModel:
        return control_model(source, digests, download=download)

    return _facts_of(names, project, read, problem)


class BoardModels(NamedTuple):
    """The facts of models that boards name, by their names: what holds frames, moves and enlarges them."""

    control: Mapping[str, ControlModel]
    video: Mapping[str, VideoModel]
    upscale: Mapping[str, UpscaleModel]


def board_models(
    project: Project, digests: Digests, problem: _Problem, *, download: bool
) -> BoardModels:
    """All of them."""
    asked = (project, digests, problem)
    return BoardModels(
        control_models(*asked, download=download),
        video_models(*asked, download=download),
        upscale_models(*asked, download=download),
    )


def _facts_of(
    names: Iterable[str], project: Project, read: Callable[[ModelSource], _T], problem: _Problem
) -> dict[str, _T]:
    """What is read of models of the recipe, by their names; what is wrong with one is told."""
    from lorakit.facts.models.model_configs import ModelError

    found: dict[str, _T] = {}
    for name in names:
        source = project.recipe.models[name]
        try:
            found[name] = read(source)
        except ModelError as error:
            problem("model", f"{source.source}: {error}", source.place, *error.hints)
        except OSError as error:
            problem("model", unread(error), source.place)
    return found


def ip_adapters(
    project: Project,
    models: Mapping[str, ModelFacts],
    digests: Digests,
    problem: _Problem,
    *,
    download: bool,
) -> dict[str, IpAdapter]:
    """The facts of the IP-Adapters that models wear, by those models' names."""
    found: dict[str, IpAdapter] = {}
    for name, model in models.items():
        worn = project.recipe.models[name].ip_adapter
        if not model.traits.ip_adapters or worn not in project.recipe.models:
            continue  # told where it stands, in the checks
        from lorakit.facts.models.ip_adapters import WeightNameError, ip_adapter
        from lorakit.facts.models.model_configs import ModelError

        source = project.recipe.models[worn]
        try:
            found[name] = ip_adapter(source, model.traits, digests, download=download)
        except ModelError as error:
            place = source.weight_name_place if isinstance(error, WeightNameError) else None
            problem("model", f"{source.source}: {error}", place or source.place, *error.hints)
        except OSError as error:
            problem("model", unread(error), source.place)
    return found


def unread(error: OSError) -> str:
    """Which file cannot be read, and why."""
    return f"{error.filename or 'a file'} cannot be read: {error.strerror or error}"
