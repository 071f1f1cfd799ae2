"""A picture as a PNG that says how it was made."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping

from PIL import Image
from PIL.PngImagePlugin import PngInfo


def a1111_text(params: Mapping[str, object], seed: int) -> str:
    """The `parameters` text as AUTOMATIC1111's web UI writes it and other tools read it."""
    settings = {
        "Steps": params["num_inference_steps"],
        "Sampler": params["scheduler"],
        "CFG scale": params["guidance_scale"],
        "Seed": seed,
        "Size": f"{params['width']}x{params['height']}",
        "Model hash": str(params["model"])[:10],
    }
    strength = params["strength"]
    if isinstance(strength, int | float) and strength < 1:
        settings["Denoising strength"] = strength
    lines = [str(params["prompt"])]
    if params["negative_prompt"]:
        lines.append(f"Negative prompt: {params['negative_prompt']}")
    lines.append(", ".join(f"{name}: {value}" for name, value in settings.items()))
    return "\n".join(lines)


def encode(picture: Image.Image, key: str, params: Mapping[str, object], seed: int) -> bytes:
    """PNG bytes; the text chunks hold prompt, seed, parameters and key, and nothing of the run."""
    info = PngInfo()
    info.add_itxt("prompt", str(params["prompt"]))
    info.add_text("seed", str(seed))
    info.add_text("lorakit-key", key)
    info.add_itxt("lorakit", json.dumps(params, ensure_ascii=False, sort_keys=True))
    info.add_itxt("parameters", a1111_text(params, seed))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=info, compress_level=4)
    return buffer.getvalue()
