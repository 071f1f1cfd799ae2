"""The kinds of worker processes, and what each needs: one row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from lorakit.facts.machine.environment import OF_GPUS
from lorakit.plan import memory
from lorakit.plan.engine_specs import (
    DepthSpec,
    DrawingSpec,
    EncodingSpec,
    EngineSpec,
    JudgeSpec,
)


class WorkerKind(NamedTuple):
    """One kind of worker.

    `engine` is the class that works in it, or what chooses one, imported there only, and `spec` what that
    is told. `packages` are those whose version can change the bits of what it makes, or the GPU. With `torch`
    it computes with torch, and takes the lock that keeps two runs from doing so at once. It holds so many
    `jobs`; a `fresh` one does a single job and makes way, and one that `leaves` ends when nothing waits,
    since its memory is needed elsewhere. One that `drops` lets go of jobs that it has begun, where a run is
    stopped, and keeps its engine. `patience` is how many seconds it may take to stop. `loading` guesses the
    seconds that an engine takes to load, `begin` those that each job takes before and after its units.
    `steps` says that its units are steps whose speed is worth telling, `way_out` what to change where its
    memory is short.
    """

    name: str
    engine: str
    packages: tuple[str, ...]
    spec: type[EngineSpec] = EngineSpec
    torch: bool = True
    jobs: int = 64  # enough to fill its waves, few enough to stop quickly
    fresh: bool = False
    leaves: bool = False
    drops: bool = False
    patience: float = 5.0
    loading: float = 0.0
    begin: float = 0.0
    steps: bool = True
    way_out: str = memory.DRAWING


RENDER = WorkerKind(
    "render",
    "lorakit.rendering.drawing:drawing_engine",
    ("torch", "diffusers", "transformers", "peft", *OF_GPUS),
    spec=DrawingSpec,
    drops=True,
    loading=6.0,
)
ENCODE = WorkerKind(
    "encode",
    "lorakit.training.encode_engine:EncodeEngine",
    ("torch", "diffusers", "transformers", *OF_GPUS),
    spec=EncodingSpec,
    leaves=True,
)
DEPTH = WorkerKind(
    "depths",
    "lorakit.rendering.depth_engine:DepthEngine",
    ("torch", "transformers"),
    spec=DepthSpec,
    drops=True,
    leaves=True,
    steps=False,
)
TRAIN = WorkerKind(
    "train",
    "lorakit.training.engine:TrainEngine",
    ("torch", "diffusers", "transformers", "peft", "accelerate", *OF_GPUS),
    jobs=1,
    fresh=True,
    patience=60.0,  # a checkpoint of a whole model takes its time
    begin=20.0,  # a process with torch to begin, another to load the result again
    way_out=memory.TRAINING,
)
ASSEMBLE = WorkerKind(
    "assemble",
    "lorakit.rendering.assemble:AssemblyEngine",
    ("pillow", "numpy", "imageio-ffmpeg"),
    torch=False,
    steps=False,
)
# on the CPU, wherever pictures are drawn: it is small, and takes no turns with them
JUDGE = WorkerKind(
    "judge",
    "lorakit.rendering.judge_engine:JudgeEngine",
    ("torch", "pillow", "numpy"),
    spec=JudgeSpec,
    torch=False,
    drops=True,
    steps=False,
)
WORKERS: Mapping[str, WorkerKind] = {
    kind.name: kind for kind in (RENDER, ENCODE, DEPTH, TRAIN, ASSEMBLE, JUDGE)
}
