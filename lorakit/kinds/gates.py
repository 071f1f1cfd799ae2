"""The tries of a gated frame, their scores, and the choice between them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from lorakit.kinds.sheet import ASSEMBLY
from lorakit.kinds.takes import Draw, take_id, take_path
from lorakit.language.story.documents import Gate
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.engine_specs import JudgeSpec
from lorakit.plan.gates import Unless
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.gate import Floors, GateTask, ScoreTask
from lorakit.plan.tasks.pick import PARTS
from lorakit.plan.workers import JUDGE

_SCORE = Cost(ScoreTask.kind, seconds=0.05)
_CHOICE = Cost(GateTask.kind)


def judge_engine(path: str, digest: str) -> Engine:
    """What scores pictures: the judge that ships, for the studio's world."""
    return Engine(JUDGE.name, JudgeSpec("lorakit:studio-judge", path=path, digest=digest), digest)


def gated(
    draw: Draw, noise: Callable[[int], int], gate: Gate, judge: Engine, first: str | None
) -> tuple[Action, list[Action]]:
    """The actions of one frame, with the choice that stands for it in chain, sheet and film.

    `first` is the address of the scene's first frame, from whose colours a frame may drift.
    """
    floors = Floors(gate.character, gate.sentence, gate.drift if first else None)
    usual = draw(noise=noise(1))
    (path,) = usual.files["picture"]
    tries: list[Action] = []
    scores: list[Action] = []
    for take in range(1, gate.tries + 1):
        unless = Unless(tuple(score.id for score in scores), floors) if scores else None
        tries.append(
            replace(
                draw(noise=noise(take)),
                id=take_id(usual.id, take),
                files={"picture": (take_path(path, take),)},
                unless=unless,
            )
        )
        scores.append(_score(tries[-1], judge, first if floors.drift else None))
    choice = _choice(usual, floors, tries, scores)
    return choice, [*(each for pair in zip(tries, scores, strict=True) for each in pair), choice]


def _score(tried: Action, judge: Engine, first: str | None) -> Action:
    assert isinstance(tried.task, FrameTask)
    inputs = [Input("picture", tried.id, "picture")]
    if first is not None:
        inputs.append(Input("first", first, "picture"))
    spec = judge.spec
    assert isinstance(spec, JudgeSpec)
    return replace(
        tried,
        id=f"{tried.id}/score",
        label="score",
        engine=judge,
        task=ScoreTask(plain(tried.task.prompt), spec.digest),
        cost=_SCORE,
        inputs=tuple(inputs),
        files={},
        units=1,
        places={},
        unless=None,
    )


def _choice(usual: Action, floors: Floors, tries: list[Action], scores: list[Action]) -> Action:
    inputs = []
    for number, (tried, score) in enumerate(zip(tries, scores, strict=True), 1):
        later = number > 1
        inputs += [Input(f"{part}_{number}", tried.id, part, optional=later) for part in PARTS]
        inputs.append(Input(f"score_{number}", score.id, "score", optional=later))
    (path,) = usual.files["picture"]
    assert isinstance(usual.task, FrameTask)
    size = usual.task.width, usual.task.height
    return replace(
        usual,
        id=f"{usual.id}/choice",
        label="choice",
        engine=ASSEMBLY,
        task=GateTask(floors, len(tries), usual.id.removeprefix(f"{usual.step}/"), *size),
        cost=_CHOICE,
        inputs=tuple(inputs),
        files={"picture": (path,), "choice": (f"{path.removesuffix('.png')}_choice.json",)},
        units=1,
        places={},
    )
