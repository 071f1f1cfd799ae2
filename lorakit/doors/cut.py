"""The cut of a film: which picture stands from which frame on, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from lorakit.diagnostics import Diagnostic, LorakitError, Place
from lorakit.facts.fonts.font_files import Face
from lorakit.kinds.film import held, joins, pictures_of_film
from lorakit.kinds.letters import font_face
from lorakit.language.recipe.documents import Step, StoryboardStep, VideoStep
from lorakit.language.recipe.project import Project
from lorakit.language.story.documents import Video
from lorakit.language.story.durations import Duration
from lorakit.language.story.rates import Rate
from lorakit.plan.actions import Action
from lorakit.plan.expand import Expanded
from lorakit.plan.film_times import FilmTimes
from lorakit.plan.kind import Clip, StepPlan
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.speech import TimingTask
from lorakit.plan.timeline import fades
from lorakit.records import record


@record
class CutShot:
    """One picture in the film: from film frame `first` on, for `frames` frames.

    `fade` is how many frames of crossfade are centred on the cut that ends it. `picture` is its file in the
    last run, None where there is none; `task` says how it is drawn, None where it is no drawn frame.
    """

    address: str
    scene: str
    caption: str
    first: int
    frames: int
    fade: int
    task: FrameTask | None
    place: Place | None
    picture: Path | None = None

    @property
    def end(self) -> int:
        """The film frame after its last one."""
        return self.first + self.frames


@record
class Cut:
    """A film as an editor sees it: `fps` frames a second, its shots in order, lettered in `face` if given."""

    title: str
    fps: Rate
    captions_on_top: bool
    shots: tuple[CutShot, ...]
    face: Face | None = None

    @property
    def frames(self) -> int:
        """The length of the film, in frames."""
        return self.shots[-1].end if self.shots else 0


def step_with_film(project: Project, name: str | None) -> StoryboardStep | VideoStep:
    """The step of that name, or the only one that tells a story. Raises LorakitError with what there is."""
    steps = project.recipe.steps
    able = {n: s for n, s in steps.items() if isinstance(s, StoryboardStep | VideoStep)}
    known = ", ".join(able)
    if name is not None and name not in able:
        what = f"{name} is of another kind" if name in steps else f"there is no step {name}"
        there = f"there are: {known}" if able else "the recipe has none"
        raise LorakitError(f"{what}; a storyboard or video step is wanted, and {there}")
    if not able:
        raise LorakitError(
            f"{project.recipe.path} has no step of kind: storyboard or video, so there is no story to write"
        )
    if name is None and len(able) > 1:
        first = next(iter(able))
        raise LorakitError(
            f"{project.recipe.path} tells several stories: {known}; "
            f"say which, as in {project.recipe.path.name}:{first}"
        )
    return able[name or known]


def cut_of(
    step: StoryboardStep | VideoStep,
    expanded: Expanded,
    pictures: Mapping[str, Path],
    times: FilmTimes | None = None,
) -> tuple[Cut, tuple[Diagnostic, ...]]:
    """The film of a step, and what is to be said of it; `pictures` are files of the last run by address.

    `times` are those of that run, where what is said decides how long pictures stand.
    """
    video, said = _video(step)
    actions = {action.id: action for action in expanded.actions}
    clips, more = _timed(step.name, _film(expanded.step_plans[step.name]), actions, times)
    said += more
    shown = [(clip, *one) for clip in clips for one in held(clip, video)]
    # what other tools know of transitions is crossfades: the others stand as cuts, at the same frames
    longest = [one.frames if one.kind == "crossfade" else 0 for one in joins(clips, video)]
    between = [*fades([frames for _, _, frames in shown], longest), 0]
    shots: list[CutShot] = []
    for (clip, address, frames), fade in zip(shown, between, strict=bool(shown)):
        shots.append(
            CutShot(
                address,
                clip.group,
                clip.caption,
                shots[-1].end if shots else 0,
                frames,
                fade,
                _drawn(actions[address]),
                actions[address].place,
                pictures.get(address),
            )
        )
    title = step.board.title if isinstance(step, StoryboardStep) else step.name
    told = (title, video.fps, video.captions.position == "top", tuple(shots))
    return Cut(*told, font_face(video)), said


def _film(planned: StepPlan) -> Sequence[Clip]:
    """What a step's film shows, or would."""
    return planned.film or planned.clips


def _timed(
    step: str, clips: Sequence[Clip], actions: Mapping[str, Action], times: FilmTimes | None
) -> tuple[list[Clip], tuple[Diagnostic, ...]]:
    """The clips as long as they are in the film, and a warning where that is foreseen only."""
    film, timing = pictures_of_film(step, actions), actions.get(f"{step}/film_timing")
    found: tuple[Diagnostic, ...] = ()
    if timing is not None and isinstance(timing.task, TimingTask):
        lengths = [clip.hold for clip in timing.task.clips]
        if times is not None and len(times.clips) == len(clips):
            lengths = list(times.clips)
        else:
            message = "nothing was spoken yet, so times are about those of the film"
            hints = ("lorakit run settles them",)
            found = (
                Diagnostic(
                    "no-times", message, film.place if film else None, hints=hints
                ).as_warning(),
            )
    elif film is not None and isinstance(film.task, FilmTask):
        shots = iter(film.task.shots)
        lengths = [sum(next(shots).frames for _ in clip.frames) for clip in clips]
    else:
        return list(clips), ()
    holds = zip(clips, lengths, strict=True)
    return [clip._replace(hold=Duration(frames=frames)) for clip, frames in holds], found


def _video(step: StoryboardStep | VideoStep) -> tuple[Video, tuple[Diagnostic, ...]]:
    if isinstance(step, VideoStep):
        return step.video, ()
    if step.board.video is not None:
        return step.board.video, ()
    video = Video()
    hold = video.hold.in_seconds(video.fps)
    found = Diagnostic(
        "no-film",
        f"the board has no video:, so times are of {video.fps} frames a second and {hold:g} s a picture",
        step.board.place,
        hints=("write video: {fps: 24, hold: 1.5} with those that are meant",),
    )
    return video, (found.as_warning(),)


def _drawn(action: Action) -> FrameTask | None:
    return action.task if isinstance(action.task, FrameTask) else None


def named(project: Project, step: Step) -> str:
    """What files of a step's story are called by default, without ending."""
    return (
        project.recipe.name
        if len(project.recipe.steps) == 1
        else f"{project.recipe.name}-{step.name}"
    )
