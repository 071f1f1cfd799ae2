"""The kinds of worker processes, and what each needs: one row each."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import NamedTuple

from lorakit.facts.machine.environment import OF_GPUS
from lorakit.plan import memory
from lorakit.plan.engine_specs import EngineSpec

_BESIDE = "lorakit.plan.specs_beside"


class WorkerKind(NamedTuple):
    """One kind of worker.

    `engine` is the class that works in it, or what chooses one, imported there only, and `spec` the class
    of what that is told. `packages` are those whose version can change the bits of what it makes, or the
    GPU. With `torch` it computes with torch, and takes the lock that keeps two runs from doing so at once.
    It holds so many `jobs`; a `fresh` one does a single job and makes way, and one that `leaves` ends when
    nothing waits, since its memory is needed elsewhere. One that `drops` lets go of jobs that it has begun,
    where a run is stopped, and keeps its engine. `patience` is how many seconds it may take to stop.
    `loading` guesses the seconds that an engine takes to load, `begin` those that each job takes before and
    after its units. `steps` says that its units are steps whose speed is worth telling, `way_out` what to
    change where its memory is short.
    """

    name: str
    engine: str
    packages: tuple[str, ...]
    spec: str = "lorakit.plan.engine_specs:EngineSpec"
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

    def told(self) -> type[EngineSpec]:
        """The class of what its engine is told."""
        module, _, name = self.spec.partition(":")
        found: type[EngineSpec] = getattr(importlib.import_module(module), name)
        return found


RENDER = WorkerKind(
    "render",
    "lorakit.rendering.drawing:drawing_engine",
    ("torch", "diffusers", "transformers", "peft", *OF_GPUS),
    spec="lorakit.plan.engine_specs:DrawingSpec",
    drops=True,
    loading=6.0,
)
ENCODE = WorkerKind(
    "encode",
    "lorakit.training.encode_engine:EncodeEngine",
    ("torch", "diffusers", "transformers", *OF_GPUS),
    spec=f"{_BESIDE}:EncodingSpec",
    leaves=True,
)
DEPTH = WorkerKind(
    "depths",
    "lorakit.rendering.depth_engine:DepthEngine",
    ("torch", "transformers"),
    spec=f"{_BESIDE}:DepthSpec",
    drops=True,
    leaves=True,
    steps=False,
)
SEE = WorkerKind(
    "see",
    "lorakit.rendering.image_embeds_engine:ImageEmbedsEngine",
    ("torch", "transformers", "pillow", "numpy"),
    spec=f"{_BESIDE}:ImageEncoderSpec",
    drops=True,
    leaves=True,
    steps=False,
)
VIDEO = WorkerKind(
    "video",
    "lorakit.rendering.video_engine:VideoEngine",
    ("torch", "diffusers", "transformers", *OF_GPUS),
    spec=f"{_BESIDE}:VideoSpec",
    drops=True,
    leaves=True,
    loading=20.0,
)
UPSCALE = WorkerKind(
    "upscaler",
    "lorakit.rendering.upscale_engine:UpscaleEngine",
    ("torch", "diffusers", "transformers", *OF_GPUS),
    spec=f"{_BESIDE}:UpscaleSpec",
    drops=True,
    leaves=True,
    loading=10.0,
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
    spec=f"{_BESIDE}:JudgeSpec",
    torch=False,
    drops=True,
    steps=False,
)
# on the CPU as well: it scores one picture while the next is drawn
MODEL_JUDGE = WorkerKind(
    "model-judge",
    "lorakit.rendering.model_judge_engine:ModelJudgeEngine",
    ("torch", "transformers", "pillow", "numpy"),
    spec=f"{_BESIDE}:ModelJudgeSpec",
    torch=False,
    drops=True,
    steps=False,
)
WORKERS: Mapping[str, WorkerKind] = {
    kind.name: kind
    for kind in (RENDER, ENCODE, DEPTH, SEE, VIDEO, UPSCALE, TRAIN, ASSEMBLE, JUDGE, MODEL_JUDGE)
}
