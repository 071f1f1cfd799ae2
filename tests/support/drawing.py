"""Drawing in this process: the render engine on one frame, without a store or a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.job import Job
from lorakit.rendering.engine import RenderEngine


def spec(folder: Path, **other: Any) -> DrawingSpec:
    """What a worker is told of a tiny model without adapters."""
    given: dict[str, Any] = {"family": "sd", "precision": "fp32", "batch_size": 2, **other}
    return DrawingSpec(
        name="tiny", path=str(folder), digest="tiny", device="cpu", vae_factor=8, **given
    )


def submit(engine: RenderEngine, out: Path, id_: str = "a", **other: Any) -> None:
    """Ask the engine for a frame of 64 px."""
    out.mkdir(parents=True, exist_ok=True)
    told: dict[str, Any] = {
        "prompt": "a fox on mars",
        "negative_prompt": "",
        "noise": 4,
        "strength": 1.0,
        "num_inference_steps": 3,
        "guidance_scale": 5.0,
        "scheduler": "default",
        "width": 64,
        "height": 64,
        "model": "tiny",
        "adapters": (),
        "precision": "fp32",
        "device_class": "cpu",
        "batch_size": 2,
        **other,
    }
    engine.submit(Job(id_, f"k{id_}", FrameTask(**told), {}, out))


def draw(engine: RenderEngine, out: Path, **other: Any) -> dict[str, Any]:
    """How the engine ends a frame of 64 px."""
    submit(engine, out, **other)
    done: list[Any] = []
    while engine.busy:
        done += engine.step()
    (ended,) = done
    return dict(ended)
