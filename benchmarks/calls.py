"""A transformer that is drawn with call by call: what `rendering.py` compares of it.

It is Flux.1-schnell with random weights, its transformer narrowed to 23 million parameters, so that a step
takes a CPU some tenths of a second; its autoencoder and text encoders are the tests' tiny ones.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

TITLE = "calls of a transformer"
COUNT, STEPS, SIDE = 6, 6, 256
PROMPTS = [f"a fox finds {n} golden keys" for n in range(COUNT)]
NOISE = 1000


def save(folder: Path) -> Path:
    """Write the model; its folder."""
    import diffusers
    import torch

    from tests.support import tiny_transformers

    def narrow(words: Path) -> diffusers.FluxPipeline:
        parts = tiny_transformers.flux_parts(words, guided=False)
        config = {
            **parts["transformer"].config,
            "num_layers": 2,
            "num_single_layers": 4,
            "attention_head_dim": 64,
            "num_attention_heads": 8,
            "axes_dims_rope": (8, 28, 28),
        }
        parts["transformer"] = diffusers.FluxTransformer2DModel.from_config(config)
        return diffusers.FluxPipeline(**parts)

    torch.manual_seed(0)
    tiny_transformers.KINDS["narrow"] = narrow  # type: ignore[index]
    return tiny_transformers.save("narrow", folder)


def recipe(model: Path) -> str:
    """The same pictures as `plain` draws."""
    return (
        "recipe: 1\nname: bench\nseed: 1\n"
        f"models: {{m: {{from: '{model}', dtype: fp32}}}}\n"
        f"steps:\n  film: {{kind: generate, model: m, width: {SIDE}, height: {SIDE}, "
        f"num_inference_steps: {STEPS}, guidance_scale: 0, prompts: {json.dumps(PROMPTS)}}}\n"
    )


def plain(model: Path) -> None:
    """The loop of diffusers' documentation; prints its seconds and calls as JSON."""
    import torch
    from diffusers import FluxPipeline

    torch.set_flush_denormal(True)
    pipeline = FluxPipeline.from_pretrained(model, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    with tempfile.TemporaryDirectory() as out:
        began = time.perf_counter()
        for number, prompt in enumerate(PROMPTS):
            picture = pipeline(
                prompt,
                width=SIDE,
                height=SIDE,
                num_inference_steps=STEPS,
                guidance_scale=0.0,
                max_sequence_length=256,
                generator=torch.Generator("cpu").manual_seed(NOISE + number),
            ).images[0]
            picture.save(f"{out}/{number}.png")
        seconds = time.perf_counter() - began
    print(json.dumps({"seconds": seconds, "calls": {"unet": COUNT * STEPS}, "frames": COUNT}))
