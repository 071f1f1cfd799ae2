"""Draw what a model still makes of its scenes in mid-noise: melted pictures, to learn "nothing" from.

    python studio/make_melted.py --pool JUDGES2 --model studio/model --count 6000

The first scenes of a pool are encoded, noise is laid on, and the model says in one step what it
believes is below: the mean of all that it holds possible, which is how an unfinished model fails.
An eye names nobody there, and a judge should not.  Writes ``POOL/melted.npy`` (N, 128, 128, 3)
uint8, row for row with the pool.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import numpy as np
import torch
from captions import caption
from common import open_pool, set_up_torch, to_pictures
from diffusers import StableDiffusionPipeline
from drawing import believed, quiet_libraries
from judge_data import read_scenes
from numpy.lib.format import open_memmap
from scenes import Scene
from torch import Tensor

NOISY = (850, 960)  # timesteps: below, things can still be told apart; above, there are none
BATCH = 16


@torch.no_grad()
def melted(
    pipeline: StableDiffusionPipeline,
    pictures: Tensor,
    texts: list[str],
    seed: int,
    noisy_between: tuple[int, int] = NOISY,
) -> Tensor:
    """(B, 3, 128, 128) in -1..1 -> the same, as the model guesses them from noise."""
    generator = torch.Generator().manual_seed(seed)
    scale = pipeline.vae.config.scaling_factor
    latents = pipeline.vae.encode(pictures).latents * scale
    noise = torch.randn(latents.shape, generator=generator)
    timesteps = torch.randint(*noisy_between, (len(latents),), generator=generator)
    guessed = believed(pipeline, latents, noise, timesteps, texts)
    made: Tensor = pipeline.vae.decode(guessed / scale).sample.clamp(-1, 1)
    return made


def melt_pool(
    pipeline: StableDiffusionPipeline,
    pool: Path,
    count: int,
    noisy_between: tuple[int, int] = NOISY,
) -> None:
    """Write ``melted.npy`` beside a pool's pictures."""
    pictures, scenes = open_pool(pool), read_scenes(pool)[:count]
    shape = (len(scenes), *pictures.shape[1:])
    beside = pool / "melted.tmp.npy"
    rows = open_memmap(beside, mode="w+", dtype=np.uint8, shape=shape)
    for start in range(0, len(scenes), BATCH):
        some: list[Scene] = scenes[start : start + BATCH]
        texts = [caption(one, random.Random(f"melted/{start + n}")) for n, one in enumerate(some)]
        plain = to_pictures(pictures[start : start + len(some)], torch.device("cpu"))
        made = melted(pipeline, plain, texts, start, noisy_between)
        rows[start : start + len(some)] = ((made + 1) * 127.5).round().byte().permute(0, 2, 3, 1)
    rows.flush()
    beside.rename(pool / "melted.npy")


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pool", type=Path, required=True, help="folder made by compose.py")
    parser.add_argument("--model", type=Path, default=Path(__file__).with_name("model"))
    parser.add_argument("--count", type=int, default=6000, help="of so many of its scenes")
    parser.add_argument(
        "--noisy",
        type=int,
        nargs=2,
        default=NOISY,
        metavar=("FROM", "TO"),
        help="timesteps of the noise: the lower, the stricter a judge that learns from them",
    )
    args = parser.parse_args()
    set_up_torch(0)
    quiet_libraries()
    pipeline = StableDiffusionPipeline.from_pretrained(args.model, local_files_only=True)
    melt_pool(pipeline, args.pool, args.count, tuple(args.noisy))


if __name__ == "__main__":
    main()
