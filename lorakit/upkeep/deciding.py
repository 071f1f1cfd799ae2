"""Deciding on frames: their takes as they were drawn, and the file that says which was picked or approved."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.language.found import documents_below
from lorakit.language.loading import document_kind
from lorakit.language.picks import numbered, takes_of, unknown
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.decisions import Decisions, FrameName, file_of, written
from lorakit.language.story.documents import Storyboard
from lorakit.plan.decisions import frame_name
from lorakit.plan.frame_names import FRAME_TASKS
from lorakit.plan.frame_takes import FrameTakes, Take
from lorakit.plan.states import Plan, Planned, State
from lorakit.plan.tasks.gate import GateTask
from lorakit.plan.tasks.painted import PaintedTask
from lorakit.plan.tasks.pick import PickTask
from lorakit.session import Session, load
from lorakit.store import atomic
from lorakit.store.errors import why
from lorakit.store.store import Store


class UnknownFrame(LorakitError):
    """A frame, a scene or a take that is not there; the message says which are."""


class Deciding:
    """The frames of one storyboard step, planned, and the decisions on them."""

    def __init__(self, session: Session, step: StoryboardStep, plan: Plan) -> None:
        self.session, self.step, self.plan = session, step, plan
        self._store = Store(session.project.home)
        self._planned = [one for one in plan.actions if one.action.step == step.name]

    @property
    def board(self) -> Storyboard:
        """The board whose frames they are."""
        return self.step.board

    @property
    def file(self) -> Path:
        """Where decisions on it are written."""
        return file_of(self.board.path)

    def frames(self, names: Sequence[FrameName]) -> list[FrameTakes]:
        """Frames by their names, in that order."""
        by_frame: dict[str, list[Planned]] = {}
        for one in self._planned:
            if isinstance(one.action.task, FRAME_TASKS):
                name = frame_name(one.action)
                scene, _, last = name.rpartition("/")
                by_frame.setdefault(scene if last.startswith("take_") else name, []).append(one)
        return [self._frame(name, by_frame.get(str(name), [])) for name in names]

    def _frame(self, name: FrameName, planned: Sequence[Planned]) -> FrameTakes:
        sentence = next(
            scene.sentences[name.number - 1]
            for scene in self.board.scenes
            if scene.name == name.scene
        )
        drawn = [one for one in planned if not isinstance(one.action.task, PickTask)]
        held = next((one.action.held for one in drawn if one.action.held), None)
        first = held.take if held is not None else 1
        takes = tuple(self._take(number, one) for number, one in enumerate(drawn, first))
        pick = self.board.decisions.picks.get(name)
        chosen, stale = _gated(planned, takes) or first, False
        if pick is not None and held is None:
            digest = next((take.digest for take in takes if take.number == pick.take), "")
            stale = bool(digest) and digest != pick.picture
            chosen = first if stale or not digest else pick.take
        return FrameTakes(
            name,
            sentence.caption,
            takes,
            chosen,
            pick.take if pick is not None else None,
            stale,
            held is not None or any(isinstance(o.action.task, PaintedTask) for o in drawn),
            any(one.state is State.APPROVED for one in drawn),
        )

    def _take(self, number: int, one: Planned) -> Take:
        digest = (one.outputs or {}).get("picture", "")
        path = self._store.object_path(digest) if digest else None
        there = path if path is not None and path.is_file() else None
        return Take(number, there, digest if there else "", one.key or "")

    def named(self, text: str, known: Collection[FrameName] = ()) -> list[FrameName]:
        """The frames of a scene, or the one frame, that a text means. Raises UnknownFrame.

        `known` are frames of which something was decided, whether they are still there or not.
        """
        text = text.removeprefix(f"{self.step.name}/") or text
        gone = FrameName.of(text)
        if gone is not None and gone in known:
            return [gone]
        scene = next((one for one in self.board.scenes if one.name == text), None)
        if scene is not None:
            every = enumerate(scene.sentences, 1)
            return [FrameName(text, number) for number, one in every if not one.repeat]
        frame = FrameName.of(text)
        trouble = unknown(self.board, frame or FrameName(text, 1))
        if trouble is None and frame is not None:
            return [frame]
        message, hint = trouble or ("", "")
        if frame is None:
            hint = hint.replace("/1?", "?")
        raise UnknownFrame(f"{message}: {hint}" if hint else message)

    def every_frame(self) -> list[FrameName]:
        """All frames that are drawn."""
        return [frame for scene in self.board.scenes for frame in self.named(scene.name)]

    def write(self, decisions: Decisions) -> None:
        """Write the decisions on the board beside it; without any there is no file. Raises LorakitError."""
        path = self.file
        if not path.is_relative_to(self.session.project.root):
            raise LorakitError(
                f"{self.board.path} is not in your project: copy the storyboard into it to decide on it"
            )
        try:
            if decisions.picks or decisions.approved:
                text = written(decisions, self.board.path.name)
                atomic.write_bytes(path, text.encode("utf-8", "replace"))
            else:
                path.unlink(missing_ok=True)
        except OSError as error:
            raise LorakitError(f"{path} cannot be written: {why(error)}") from error

    def take(self, name: FrameName, number: int) -> Take:
        """A take that is drawn. Raises UnknownFrame, and LorakitError where it is not drawn yet."""
        most = takes_of(self.board, name)
        if not 1 <= number <= most:
            if most == 1:
                way = (
                    "write takes: 4 beside its sentence, on its scene or on the board to draw more"
                )
            else:
                way = f"did you mean --take {min(max(number, 1), most)}?"
            raise UnknownFrame(f"{name} has {numbered(most)}, and no take {number}: {way}")
        (frame,) = self.frames([name])
        found = next((one for one in frame.takes if one.number == number), None)
        if found is None:
            raise LorakitError(
                f"{name} is approved as take {frame.chosen}: release it first, with "
                f"lorakit approve {self.document} {name} --release"
            )
        if not found.digest:
            raise LorakitError(
                f"take {number} of {name} is not drawn yet: lorakit run {self.document}"
            )
        return found

    @property
    def document(self) -> str:
        """The document as a command names it."""
        path = self.session.project.recipe.path
        return Path(os.path.relpath(path)).as_posix() if path.is_absolute() else path.as_posix()


def deciding(document: Path, address: str, profile: str | None = None) -> Deciding:
    """What can be decided of the frame or scene at an address of a board, or of a recipe's step.

    A board that recipes draw is looked at as the one draws it whose pictures are there. Raises
    InvalidDocument, LorakitError.
    """
    session = load(document, profile=profile)
    steps = _steps(session, address)
    if session.project.recipe.path == steps[0].board.path:
        every = [Deciding(session, steps[0], session.plan()), *_of_recipes(session, steps[0])]
        return max(every, key=_drawn)  # the first of those that have as many
    if len(steps) > 1:
        names = ", ".join(step.name for step in steps)
        example = f"{steps[0].name}/{address}" if address else steps[0].name
        raise UnknownFrame(f"several steps draw such frames: {names}; say which, as in {example}")
    return Deciding(session, steps[0], session.plan())


def _steps(session: Session, address: str) -> list[StoryboardStep]:
    """The storyboard steps that an address may mean."""
    recipe = session.project.recipe
    steps = [one for one in recipe.steps.values() if isinstance(one, StoryboardStep)]
    if not steps:
        raise LorakitError(
            f"{recipe.path.name} has no step of kind: storyboard, so it has no frames"
        )
    named = [one for one in steps if address == one.name or address.startswith(f"{one.name}/")]
    if named:
        return named
    scenes = address.rpartition("/")[0], address
    holding = [one for one in steps if any(scene.name in scenes for scene in one.board.scenes)]
    return holding or steps[:1] if address else steps


def _of_recipes(session: Session, own: StoryboardStep) -> Iterator[Deciding]:
    """The steps of the project's recipes that draw a board."""
    for path in documents_below(session.project.home):
        if document_kind(path) != "recipe":
            continue
        try:
            other = load(path)
            if own.board.path not in other.project.files:
                continue
            plan = other.plan()
        except (InvalidDocument, LorakitError):
            continue
        for step in other.project.recipe.steps.values():
            if isinstance(step, StoryboardStep) and step.board.path == own.board.path:
                yield Deciding(other, step, plan)


def _drawn(one: Deciding) -> int:
    return sum(bool(t.digest) for frame in one.frames(one.every_frame()) for t in frame.takes)


def _gated(planned: Sequence[Planned], takes: Sequence[Take]) -> int | None:
    """The take that a frame's gate has chosen, if it has one and it is known."""
    gate = next((one for one in planned if isinstance(one.action.task, GateTask)), None)
    digest = (gate.outputs or {}).get("picture") if gate is not None else None
    return next((take.number for take in takes if digest and take.digest == digest), None)
