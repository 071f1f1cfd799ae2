"""Write the studio as a genuine ``StableDiffusionPipeline`` folder.

    python studio/export.py --work WORK --out studio/model

Takes the averaged weights of ``WORK/vae.pt`` and ``WORK/unet.pt``, writes them as float16
safetensors beside the place they belong and swaps the folders at the end, then loads the result as
a stranger would and draws one picture.  ``--untrained`` fills in fresh weights where a checkpoint
is missing: the final layout, before there is anything to see.  ``--start MODEL`` keeps the autoencoder
of an exported model, where the UNet alone has learned.
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import warnings
from pathlib import Path
from typing import Any

import torch
from captions import vocabulary
from common import load_checkpoint
from diffusers import (
    AutoencoderTiny,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from make_tokenizer import LENGTH, check_tokenizer, save_tokenizer
from safetensors.torch import save_file
from train_unet import SCHEDULE, UNET_CONFIG, Painter, text_config
from train_vae import VAE_CONFIG
from transformers import CLIPTokenizer

STEPS, GUIDANCE = 20, 2.5
TRIAL = "a fox with a golden crown finds a golden key in a green meadow"


def make_scheduler(name: str) -> DDIMScheduler | DPMSolverMultistepScheduler:
    """Deterministic ones only, on the schedule of the training."""
    if name == "ddim":
        return DDIMScheduler(**SCHEDULE)
    shared = {k: v for k, v in SCHEDULE.items() if k not in ("clip_sample", "set_alpha_to_one")}
    return DPMSolverMultistepScheduler(**shared, algorithm_type="dpmsolver++", solver_order=2)


def write_text_encoder(painter: Painter, folder: Path) -> None:
    """Write it as SD 1.x spells it: every key begins with ``text_model.``.

    transformers 5 leaves that out when it saves an encoder that was built from scratch.
    """
    config = painter.text_encoder.config
    config.architectures = ["CLIPTextModel"]
    config.dtype = "float32"  # what to load as: a plain call must not mix precisions
    config.save_pretrained(folder)
    weights = {}
    for name, value in painter.text_encoder.state_dict().items():
        if name.endswith("position_ids"):
            continue
        weights[f"text_model.{name.removeprefix('text_model.')}"] = value.half().contiguous()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})


def write_vae(vae: AutoencoderTiny, folder: Path) -> None:
    """Without ``block_out_channels``, which diffusers derives, saves, and then warns of."""
    vae.half().save_pretrained(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config.pop("block_out_channels", None)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def parameters(module: torch.nn.Module) -> int:
    """Count weights."""
    return sum(weight.numel() for weight in module.parameters())


def export(
    work: Path, out: Path, scheduler: str, guidance: float, untrained: bool, start: Path | None
) -> None:
    """Write the folder beside ``out``, check it, and swap it in."""
    tokenizer = CLIPTokenizer.from_pretrained(work / "tokenizer")
    trained: dict[str, Any] = {}
    vae = AutoencoderTiny(**VAE_CONFIG)
    if start is not None and not (work / "vae.pt").exists():
        vae = AutoencoderTiny.from_pretrained(start / "vae")
    elif (work / "vae.pt").exists() or not untrained:
        state = load_checkpoint(work / "vae.pt")
        vae.load_state_dict(state["ema"]["weights"])
        trained["autoencoder"] = {"steps": state["step"], "pictures": state["pictures"]}
    if (work / "latents.json").exists() or not untrained:
        facts = json.loads((work / "latents.json").read_text(encoding="utf-8"))
        vae.register_to_config(scaling_factor=1 / facts["std"])
    painter = Painter(tokenizer)
    if (work / "unet.pt").exists() or not untrained:
        state = load_checkpoint(work / "unet.pt")
        painter.load_state_dict(state["ema"]["weights"])
        trained["unet and text encoder"] = {
            "steps": state["step"],
            "pictures": state["pictures"],
            "seconds": round(state["seconds"]),
        }

    beside = out.with_name(out.name + ".new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    unet = UNet2DConditionModel(**UNET_CONFIG)
    unet.load_state_dict(painter.unet.state_dict())
    unet.half().save_pretrained(beside / "unet")
    write_vae(vae, beside / "vae")
    write_text_encoder(painter, beside / "text_encoder")
    save_tokenizer(tokenizer, beside / "tokenizer")
    make_scheduler(scheduler).save_pretrained(beside / "scheduler")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.42.0",
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
        "safety_checker": [None, None],
        "scheduler": ["diffusers", type(make_scheduler(scheduler)).__name__],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderTiny"],
    }
    (beside / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    counts = {
        "unet": parameters(unet),
        "text_encoder": parameters(painter.text_encoder),
        "vae": parameters(vae),
    }
    card = {
        "name": "studio",
        "version": 1,
        "native_size": [128, 128],
        "default_num_inference_steps": STEPS,
        "default_guidance_scale": guidance,
        "max_tokens": LENGTH,
        "weights": "float16",
        "parameters": {**counts, "total": sum(counts.values())},
        "trained": trained,
        "vocabulary": vocabulary(),
    }
    (beside / "studio.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    for path in beside.rglob("*"):
        if path.is_file():
            path.chmod(0o644)

    check(beside)
    behind = out.with_name(out.name + ".old")
    shutil.rmtree(behind, ignore_errors=True)
    if out.exists():
        out.rename(behind)
    beside.rename(out)
    shutil.rmtree(behind, ignore_errors=True)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(json.dumps({"folder": str(out), "bytes": size, "parameters": card["parameters"]}))
    if size > 40_000_000:
        raise RuntimeError(f"{size} bytes are more than 40 MB")


def check(folder: Path) -> None:
    """Load as a stranger would, with warnings as errors, and draw."""
    check_tokenizer(folder / "tokenizer", [TRIAL, "Students, learning under a hologram tree."])
    text_config(CLIPTokenizer.from_pretrained(folder / "tokenizer"))
    heard: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # diffusers annotates this pipeline's vae as AutoencoderKL and remarks on any other,
            # though it supports AutoencoderTiny: the one line that cannot be avoided.
            if record.levelno >= logging.WARNING and "Expected types for vae" not in record.msg:
                heard.append(record.getMessage())

    for library in ("diffusers", "transformers"):
        logging.getLogger(library).addHandler(Ear())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipeline = StableDiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(0)
    picture = pipeline(TRIAL, num_inference_steps=2, generator=generator).images[0]
    if picture.size != (128, 128):
        raise AssertionError(f"a plain call draws {picture.size}")
    if heard:
        raise AssertionError("loading was not silent: " + "; ".join(heard))


def main() -> None:
    """Run the stage."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--work", type=Path, required=True, help="folder with the checkpoints")
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("model"))
    parser.add_argument("--scheduler", choices=("ddim", "dpm"), default="ddim")
    parser.add_argument("--guidance", type=float, default=GUIDANCE, help="written as the default")
    parser.add_argument("--untrained", action="store_true", help="fresh weights where none exist")
    parser.add_argument(
        "--start", type=Path, help="a model whose autoencoder stays, without vae.pt"
    )
    args = parser.parse_args()
    export(args.work, args.out, args.scheduler, args.guidance, args.untrained, args.start)


if __name__ == "__main__":
    main()
