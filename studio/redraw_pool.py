"""Let a model draw a pool's scenes again from mid-noise: ``WORK/redrawn.npy``, (N, 16, 16, 16) float16.

    python studio/redraw_pool.py --work WORK --pool POOL --model studio/model --count 6000

A decoder that only ever met an encoder's latents has never seen what a diffusion model hands it:
latents a little too smooth.  These are such latents, of pictures that are known: noise is laid on
the first scenes' latents (``WORK/latents.npy``), and the model takes it off again, with guidance,
in few steps.  What stands where stays as it was; how it is drawn is the model's.  Unscaled, row for
row with the pool.  ``train_vae.py --redrawn`` learns from them.
"""

from __future__ import annotations

import argparse
import random
import time
from pathlib import Path

import numpy as np
import torch
from captions import caption
from common import set_up_torch
from diffusers import DDIMScheduler
from drawing import Painter, quiet_libraries
from judge_data import read_scenes
from torch import Tensor

STEPS = 8  # of the whole schedule; from a third to three quarters of them are taken
FIRST = (2, 6)  # the first step taken, from and below
BATCH = 32


@torch.no_grad()
def redraw(
    painter: Painter, latents: Tensor, texts: list[str], first: int, seed: int, bf16: bool
) -> Tensor:
    """Scaled latents (B, 16, 16, 16) -> the same scenes from step ``first`` of ``STEPS`` on."""
    pipeline = painter.pipeline
    scheduler = DDIMScheduler.from_config(pipeline.scheduler.config)
    scheduler.set_timesteps(STEPS)
    timesteps = scheduler.timesteps[first:]
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(seed))
    rows = scheduler.add_noise(latents, noise, timesteps[:1].expand(len(latents)))
    ids = pipeline.tokenizer(
        [""] * len(texts) + texts, padding="max_length", truncation=True, return_tensors="pt"
    ).input_ids
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        states = pipeline.text_encoder(ids)[0]
        for timestep in timesteps:
            pair = scheduler.scale_model_input(torch.cat([rows, rows]), timestep)
            without, with_ = pipeline.unet(pair, timestep, states, return_dict=False)[0].chunk(2)
            v = without.float() + painter.guidance * (with_.float() - without.float())
            rows = scheduler.step(v, timestep, rows, return_dict=False)[0]
    return rows


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pool", type=Path, required=True, help="folder made by compose.py")
    parser.add_argument("--work", type=Path, required=True, help="folder with latents.npy")
    parser.add_argument("--model", type=Path, default=Path(__file__).with_name("model"))
    parser.add_argument("--count", type=int, default=6000, help="of so many of its scenes")
    parser.add_argument(
        "--first", type=int, nargs=2, default=FIRST, help="first step of 8 taken, from and below"
    )
    parser.add_argument(
        "--float32", action="store_true", help="not in bf16: faster on CPUs without AMX"
    )
    args = parser.parse_args()
    set_up_torch(0)
    quiet_libraries()
    painter = Painter(args.model)
    scale = painter.pipeline.vae.config.scaling_factor
    latents = np.load(args.work / "latents.npy", mmap_mode="r")[: args.count]
    scenes = read_scenes(args.pool)[: len(latents)]
    made = np.empty(latents.shape, np.float16)
    started = time.monotonic()
    for start in range(0, len(scenes), BATCH):
        rows = slice(start, min(start + BATCH, len(scenes)))
        chance = random.Random(f"redrawn/{start}")
        texts = [caption(scene, chance) for scene in scenes[rows]]
        plain = torch.from_numpy(np.array(latents[rows], np.float32)) * scale
        first = chance.randrange(*args.first)
        made[rows] = (redraw(painter, plain, texts, first, start, not args.float32) / scale).numpy()
        if start % (10 * BATCH) == 0:
            pace = (time.monotonic() - started) / rows.stop
            left = pace * (len(scenes) - rows.stop)
            print(f"{rows.stop} of {len(scenes)}, {left:.0f} s left", flush=True)
    np.save(args.work / "redrawn.npy", made)


if __name__ == "__main__":
    main()
