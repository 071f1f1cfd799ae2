"""Measure how well a UNet knows each character, hat and thing: ``WORK/known.json``, an error for each.

    python studio/rate_codes.py --art CACHE --pool POOL --work WORK --model OUT

Noise is laid on the first crowds of a pool, at timesteps where what stands where can still be seen and what
it is cannot be copied; the error of what the model believes to be below, inside each sprite as far as it is
seen, over what the latents are there.  0 is known by heart, 1 is nothing.  ``train_unet.py --hard`` shows
more often what is known least.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from captions import caption
from common import set_up_torch
from compose import CELL, fetch_art
from diffusers import StableDiffusionPipeline
from drawing import believed, quiet_libraries
from judge_data import read_scenes
from looks import LOOKS, Look
from painting import Art, set_stage
from scenes import CROWD, Scene, load_world
from torch import Tensor

NOISY = (300, 500, 700)  # timesteps
BATCH = 32


def seen_places(scene: Scene, art: Art, look: Look) -> list[tuple[str, Tensor]]:
    """Each sprite of a scene: its code, and (16, 16) how much of each place shows it, 0..1."""
    stage = set_stage(scene, art, look=look)
    owner = stage.owners()
    masks = torch.from_numpy(np.stack([owner == n for n in range(len(stage.figures))])).float()
    shares = F.avg_pool2d(masks[:, None], CELL)[:, 0]
    return [(figure.code, share) for figure, share in zip(stage.figures, shares, strict=True)]


def guess(pipeline: StableDiffusionPipeline, latents: Tensor, texts: list[str]) -> Tensor:
    """(B, 16, 16, 16) -> (T, B, 16, 16, 16): what is believed to be below noise, for each of NOISY."""
    noise = torch.randn(latents.shape, generator=torch.Generator().manual_seed(0))
    every = (torch.full((len(latents),), timestep) for timestep in NOISY)
    return torch.stack([believed(pipeline, latents, noise, some, texts) for some in every])


def rate(
    pipeline: StableDiffusionPipeline,
    latents: Tensor,
    scenes: list[Scene],
    art: Art,
    look: Look,
) -> dict[str, float]:
    """The relative squared error of each code; (N, 16, 16, 16) latents as the UNet knows them."""
    wrong: dict[str, float] = defaultdict(float)
    whole: dict[str, float] = defaultdict(float)
    for start in range(0, len(scenes), BATCH):
        some, true = scenes[start : start + BATCH], latents[start : start + BATCH]
        texts = [caption(scene, random.Random(f"rate/{start + n}")) for n, scene in enumerate(some)]
        errors = (guess(pipeline, true, texts) - true).pow(2).mean((0, 2))
        power = true.pow(2).mean(1)
        for row, scene in enumerate(some):
            for code, share in seen_places(scene, art, look):
                wrong[code] += float((errors[row] * share).sum())
                whole[code] += float((power[row] * share).sum())
    return {code: round(wrong[code] / whole[code], 4) for code in wrong if whole[code] > 0}


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--art", type=Path, required=True, help="folder with the npm package")
    parser.add_argument("--pool", type=Path, required=True, help="a pool with crowds, of one look")
    parser.add_argument("--work", type=Path, required=True, help="folder with the pool's latents")
    parser.add_argument("--model", type=Path, required=True, help="an exported model")
    parser.add_argument("--look", choices=tuple(LOOKS), default="grid", help="the pool's")
    parser.add_argument("--count", type=int, default=800, help="crowds to ask of")
    args = parser.parse_args()
    set_up_torch(0)
    quiet_libraries()
    pipeline = StableDiffusionPipeline.from_pretrained(args.model, local_files_only=True)
    scenes = read_scenes(args.pool)
    rows = [row for row, scene in enumerate(scenes) if scene.relation == CROWD][: args.count]
    std = json.loads((args.work / "latents.json").read_text(encoding="utf-8"))["std"]
    stored = np.load(args.work / "latents.npy", mmap_mode="r")[rows]
    latents = torch.from_numpy(stored.astype(np.float32) / std)
    found = rate(
        pipeline, latents, [scenes[row] for row in rows], Art(fetch_art(args.art)), LOOKS[args.look]
    )
    (args.work / "known.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    world = load_world()
    for code, error in sorted(found.items(), key=lambda one: -one[1]):
        print(f"{error:.3f} {world.names(code)[0]}")


if __name__ == "__main__":
    main()
