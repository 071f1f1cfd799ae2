"""A picture as a PNG that says how it was made."""

from __future__ import annotations

import io
import json

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lorakit.plan.tasks.frame import FrameTask
from lorakit.rendering.xmp import PNG_KEYWORD, packet


def a1111_text(task: FrameTask) -> str:
    """The `parameters` text as AUTOMATIC1111's web UI writes it and other tools read it."""
    settings = {
        "Steps": task.num_inference_steps,
        "Sampler": task.scheduler,
        "CFG scale": task.guidance_scale,
        "Seed": task.seed,
        "Size": f"{task.width}x{task.height}",
        "Model hash": str(task.model)[:10],
    }
    if task.strength < 1:
        settings["Denoising strength"] = task.strength
    lines = [task.prompt]
    if task.negative_prompt:
        lines.append(f"Negative prompt: {task.negative_prompt}")
    lines.append(", ".join(f"{name}: {value}" for name, value in settings.items()))
    return "\n".join(lines)


def encode(picture: Image.Image, key: str, task: FrameTask) -> bytes:
    """PNG bytes; the text chunks hold prompt, seed, parameters and key, and nothing of the run."""
    info = PngInfo()
    info.add_itxt("prompt", task.prompt)
    info.add_text("seed", str(task.seed))
    info.add_text("lorakit-key", key)
    info.add_itxt("lorakit", json.dumps(task.key(), ensure_ascii=False, sort_keys=True))
    info.add_itxt("parameters", a1111_text(task))
    info.add_itxt(PNG_KEYWORD, packet("trainedAlgorithmicMedia"))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", pnginfo=info, compress_level=4)
    return buffer.getvalue()
