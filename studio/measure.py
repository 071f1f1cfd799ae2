"""Measure what the card says: size, the autoencoder's loss of detail, seconds a picture.

    python studio/measure.py --art CACHE

Composes pictures with a seed that no pool was made with, sends them through the exported
autoencoder, and times the pipeline.  Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from common import to_pictures
from compose import fetch_art, scene_number
from diffusers import StableDiffusionPipeline
from painting import Art, paint
from train_vae import psnr

FRESH_SEED = 777
TRIAL = "a fox with a golden crown finds a golden key in a green meadow"


@torch.no_grad()
def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", type=Path, default=Path(__file__).with_name("model"))
    parser.add_argument("--art", type=Path, required=True, help="folder with the npm package")
    parser.add_argument("--pictures", type=int, default=256, help="composed for the round trip")
    args = parser.parse_args()
    files = [path for path in args.model.rglob("*") if path.is_file()]
    facts: dict[str, float] = {"megabytes": sum(path.stat().st_size for path in files) / 1e6}
    pipeline = StableDiffusionPipeline.from_pretrained(args.model)
    pipeline.set_progress_bar_config(disable=True)
    for part in ("unet", "text_encoder", "vae"):
        module = getattr(pipeline, part)
        facts[f"parameters_{part}"] = sum(weight.numel() for weight in module.parameters())
    art = Art(fetch_art(args.art))
    rows = [np.asarray(paint(scene_number(FRESH_SEED, n), art)) for n in range(args.pictures)]
    pictures = to_pictures(np.stack(rows), torch.device("cpu"))
    facts["round_trip_psnr"] = psnr(pipeline.vae, pictures)
    card = json.loads((args.model / "studio.json").read_text(encoding="utf-8"))
    for batch in (1, 8):
        pipeline([TRIAL] * batch, num_inference_steps=2)  # warm-up
        started = time.monotonic()
        pipeline(
            [TRIAL] * batch,
            num_inference_steps=card["default_num_inference_steps"],
            guidance_scale=card["default_guidance_scale"],
        )
        facts[f"seconds_a_picture_batch_{batch}"] = (time.monotonic() - started) / batch
    facts["threads"] = torch.get_num_threads()
    print(json.dumps({name: round(value, 3) for name, value in facts.items()}, indent=1))


if __name__ == "__main__":
    main()
