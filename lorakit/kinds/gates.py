"""The tries of a gated frame, their scores, and the choice between them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from lorakit.facts.models.control_models import ControlModel
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.kinds.takes import Draw, take_id, take_path
from lorakit.language.story.gates import Gate, GateJudge
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.gates import Unless
from lorakit.plan.specs_beside import JudgeSpec, ModelJudgeSpec
from lorakit.plan.tasks.frame import FrameTask, ReferenceFile
from lorakit.plan.tasks.gate import Floors, GateTask, ScoreTask
from lorakit.plan.tasks.pick import PARTS
from lorakit.plan.workers import JUDGE, MODEL_JUDGE
from lorakit.store.canonical import digest_of

_SCORE = Cost(ScoreTask.kind, seconds=0.05)
_MODEL_SCORE = Cost(f"{ScoreTask.kind}|models", seconds=0.5)
_CHOICE = Cost(GateTask.kind)
_KINDS = ("character", "sentence")


class Judging(NamedTuple):
    """What scores pictures of a frame: an engine, and what it is told beside their prompt.

    `judge` is the digest of the one that ships, `character` and `sentence` those of models; `files` and the
    pictures of `frames` show who is in the frame.
    """

    engine: Engine
    judge: str | None = None
    character: str | None = None
    sentence: str | None = None
    files: tuple[ReferenceFile, ...] = ()
    frames: tuple[str, ...] = ()


def shipped_judge(path: str, digest: str) -> Judging:
    """The judge that ships, for the studio's world."""
    spec = JudgeSpec("lorakit:studio-judge", path=path, digest=digest)
    return Judging(Engine(JUDGE.name, spec, digest), digest)


def model_judges(
    judge: GateJudge,
    models: Mapping[str, ControlModel],
    files: Sequence[ReferenceFile],
    frames: Sequence[str],
) -> Judging:
    """The models of a recipe that a gate names, with what shows who is in the frame."""
    by = {kind: models[name] for kind in _KINDS if (name := getattr(judge, kind))}
    paths = {kind: str(model.path or "") for kind, model in by.items()}
    name = ", ".join(dict.fromkeys(model.source for model in by.values()))
    digests = {kind: model.digest for kind, model in by.items()}
    known = digest_of(sorted(digests.items())) if all(digests.values()) else ""
    engine = Engine(MODEL_JUDGE.name, ModelJudgeSpec(name, **paths), known)
    shown = (tuple(files), tuple(frames)) if "character" in by else ((), ())
    return Judging(engine, None, digests.get("character"), digests.get("sentence"), *shown)


def gated(
    draw: Draw, noise: Callable[[int], int], gate: Gate, judge: Judging, first: str | None
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


def _score(tried: Action, judge: Judging, first: str | None) -> Action:
    assert isinstance(tried.task, FrameTask)
    inputs = [Input("picture", tried.id, "picture")]
    shown = enumerate(judge.frames, 1)
    inputs += [Input(f"reference_{number}", frame, "picture") for number, frame in shown]
    if first is not None:
        inputs.append(Input("first", first, "picture"))
    return replace(
        tried,
        id=f"{tried.id}/score",
        label="score",
        engine=judge.engine,
        task=ScoreTask(
            plain(tried.task.prompt), judge.judge, judge.character, judge.sentence, judge.files
        ),
        cost=_SCORE if judge.judge is not None else _MODEL_SCORE,
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
