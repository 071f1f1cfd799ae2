"""Actions made by hand, where a test is about what is done with them and not about what they make."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.tasks.training import LoraArguments, TrainArguments, TrainTextTask

FRAME = FrameTask(
    prompt="a fox",
    negative_prompt="",
    noise=1,
    strength=1.0,
    num_inference_steps=20,
    guidance_scale=5.0,
    scheduler="default",
    width=128,
    height=128,
    model="digest of the model",
    adapters=(),
    precision="fp32",
    device_class="cpu-test",
    batch_size=8,
    seed=7,
    effective_steps=20,
)
LORA = LoraArguments(
    rank=2,
    alpha=2,
    dropout=0.0,
    target_modules=("query", "value"),
    use_rslora=False,
    use_dora=False,
    modules_to_save=(),
)
TRAIN = TrainArguments(
    steps=20,
    batch_size=4,
    gradient_accumulation_steps=1,
    learning_rate=1e-2,
    lr_scheduler="cosine",
    lr_warmup_steps=0,
    optimizer="adamw",
    weight_decay=0.01,
    max_grad_norm=1.0,
    ema_decay=0.0,
    gradient_checkpointing=False,
    torch_compile=False,
    processes=1,
)
TEXTS = TrainTextTask(
    model="digest of the model",
    data="digest of the data",
    reading={},
    method="lora",
    max_length=32,
    seed=3,
    precision="fp32",
    device_class="cpu-test",
    train=TRAIN,
    lora=LORA,
    source="tiny",
)


def frame_action(
    id_: str, inputs: tuple[Input, ...] = (), *, engine: str = "e", units: int = 1, **task: Any
) -> Action:
    """A frame at an address; `task` are fields of its task that matter."""
    return action_of(
        replace(FRAME, **task), id_, Engine("render", id=engine), inputs=inputs, units=units
    )


def action_of(task: WorkerTask, id_: str, engine: Engine, **more: Any) -> Action:
    """An action of a step called `step`."""
    told = {"step": "step", "group": "", "label": "", "place": None, "cost": Cost("test"), **more}
    return Action(id=id_, engine=engine, task=task, **told)
