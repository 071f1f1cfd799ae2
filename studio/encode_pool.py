"""Encode a pool's pictures once: ``WORK/latents.npy``, (N, 16, 16, 16) float16, unscaled.

    python studio/encode_pool.py --pool POOL --work WORK

Uses the averaged weights of ``WORK/vae.pt``, or those of ``--start``, an exported model that goes on
with its own encoder.  Also writes ``WORK/latents.json`` with the standard deviation over all latents,
whose inverse is the autoencoder's ``scaling_factor``; a model that goes on keeps the one it has, for
its UNet knows no other.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from common import choose_device, load_checkpoint, open_pool, set_up_torch, to_pictures
from diffusers import AutoencoderTiny
from train_vae import VAE_CONFIG

LATENT_CHANNELS = VAE_CONFIG["latent_channels"]


def load_vae(work: Path, device: torch.device) -> AutoencoderTiny:
    """The autoencoder with the averaged weights of its checkpoint, in fp32."""
    vae = AutoencoderTiny(**VAE_CONFIG)
    vae.load_state_dict(load_checkpoint(work / "vae.pt")["ema"]["weights"])
    return vae.eval().to(device, memory_format=torch.channels_last)


def load_start(model: Path, device: torch.device) -> AutoencoderTiny:
    """An exported model's autoencoder, in fp32."""
    vae = AutoencoderTiny.from_pretrained(model / "vae", torch_dtype=torch.float32)
    return vae.eval().to(device, memory_format=torch.channels_last)


@torch.no_grad()
def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pool", type=Path, required=True, help="folder made by compose.py")
    parser.add_argument("--work", type=Path, required=True, help="folder for latents, with vae.pt")
    parser.add_argument("--start", type=Path, help="an exported model whose encoder to use instead")
    parser.add_argument("--count", type=int, help="only the first pictures of the pool")
    parser.add_argument("--batch", type=int, default=16, help="pictures at a time")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda")
    args = parser.parse_args()
    device = choose_device(args.device)
    set_up_torch(0)
    vae = load_start(args.start, device) if args.start else load_vae(args.work, device)
    pictures = open_pool(args.pool)[: args.count]
    latents = np.empty((len(pictures), LATENT_CHANNELS, 16, 16), np.float16)
    for start in range(0, len(pictures), args.batch):
        batch = to_pictures(pictures[start : start + args.batch], device)
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16):
            encoded = vae.encoder(batch)
        latents[start : start + len(batch)] = encoded.float().cpu().numpy()
    np.save(args.work / "latents.npy", latents)
    values = latents.astype(np.float32)
    facts = {
        "std": 1 / vae.config.scaling_factor if args.start else float(values.std()),
        "channel_means": values.mean((0, 2, 3)).tolist(),
        "channel_stds": values.std((0, 2, 3)).tolist(),
    }
    (args.work / "latents.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    print(json.dumps(facts))


if __name__ == "__main__":
    main()
