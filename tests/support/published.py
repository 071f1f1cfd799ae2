"""Repositories as they are published on the hub: their file names, with tiny untrained weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from safetensors.torch import load_file, save_file

_STEMS = {
    "unet": "diffusion_pytorch_model",
    "vae": "diffusion_pytorch_model",
    "text_encoder": "model",
    "text_encoder_2": "model",
}


def weights(part: str) -> str:
    """The name of a part's weights where they are one file in fp32."""
    return f"{part}/{_STEMS[part]}.safetensors"


def parts(folder: Path) -> list[str]:
    """The networks of a pipeline's folder."""
    return [part for part in _STEMS if (folder / part).is_dir()]


def stable_diffusion_1(tiny: Path, folder: Path) -> Path:
    """CompVis/stable-diffusion-v1-4: every form of every weight, a safety checker, an old index.

    Pickles and what serves nobody are empty files.
    """
    shutil.copytree(tiny, folder)
    for part in parts(folder):
        stem = f"{part}/{_STEMS[part]}"
        halves(folder, part, keep=True)
        others = [f"{stem}.bin", f"{stem}.fp16.bin"]
        if part == "unet":
            others += [f"{stem}.non_ema.bin", f"{stem}.non_ema.safetensors"]
        if part == "text_encoder":
            others = [name.replace("model.", "pytorch_model.") for name in others]
        empty(folder, others)
    empty(
        folder,
        [
            "README.md",
            "v1-variants-scores.jpg",
            "safety_checker/config.json",
            "safety_checker/model.safetensors",
            "safety_checker/pytorch_model.bin",
            "feature_extractor/preprocessor_config.json",
        ],
    )
    index = folder / "model_index.json"
    told = json.loads(index.read_text())
    told |= {
        "_diffusers_version": "0.2.2",
        "feature_extractor": ["transformers", "CLIPImageProcessor"],
        "safety_checker": ["stable_diffusion", "StableDiffusionSafetyChecker"],
    }
    for newer in ("image_encoder", "requires_safety_checker"):
        told.pop(newer, None)
    index.write_text(json.dumps(told, indent=2))
    # published before diffusers wrote tokenizer.json
    (folder / "tokenizer" / "tokenizer.json").unlink(missing_ok=True)
    for file in (tiny.parent / "words").iterdir():
        shutil.copy(file, folder / "tokenizer" / file.name)
    return folder


def halves(folder: Path, part: str, *, keep: bool = False) -> None:
    """Save a part's weights in fp16 under the variant's name; those in fp32 go unless they are to `keep`."""
    whole = folder / weights(part)
    tensors = {k: v.half() if v.is_floating_point() else v for k, v in load_file(whole).items()}
    save_file(tensors, whole.with_suffix(".fp16.safetensors"), {"format": "pt"})
    if not keep:
        whole.unlink()


def fp16_only(tiny: Path, folder: Path) -> Path:
    """As `huggingface-cli download --include "*.fp16.*"` and diffusers' variant="fp16" leave a model."""
    shutil.copytree(tiny, folder)
    for part in parts(folder):
        halves(folder, part)
    return folder


def in_pieces(folder: Path, part: str, variant: str = "") -> list[str]:
    """Split a part's weights into two files with an index, as large models are published; their names."""
    dotted = f".{variant}" if variant else ""
    stem = _STEMS[part]
    whole = folder / part / f"{stem}{dotted}.safetensors"
    tensors = load_file(whole)
    names = sorted(tensors)
    half = len(names) // 2
    where, made = {}, []
    for number, chosen in enumerate((names[:half], names[half:]), 1):
        piece = f"{stem}{dotted}-0000{number}-of-00002.safetensors"
        save_file({n: tensors[n] for n in chosen}, folder / part / piece, {"format": "pt"})
        where |= dict.fromkeys(chosen, piece)
        made.append(f"{part}/{piece}")
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    index = f"{stem}.safetensors.index{dotted}.json"
    told = {"metadata": {"total_size": size}, "weight_map": where}
    (folder / part / index).write_text(json.dumps(told))
    whole.unlink()
    return [f"{part}/{index}", *made]


def empty(folder: Path, names: Iterable[str]) -> None:
    """Files without anything in them."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()


def change(file: Path, **told: object) -> None:
    """Other values in a configuration."""
    file.write_text(json.dumps({**json.loads(file.read_text()), **told}, indent=2))
