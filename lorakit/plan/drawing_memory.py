"""Memory that drawing needs: weights in the precision they are kept in, and the greatest of its passes."""

from __future__ import annotations

from lorakit.facts.models import transformer_work
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.networks.inference_memory import unet_elements, vae_elements

BYTES = {"fp32": 4, "bf16": 2, "fp16": 2}
_PROCESS = 450 << 20  # what a process with torch and diffusers weighs before any weights
_SCRATCH = 1.15  # of a pass, with what a device's kernels take beside its tensors


def drawing_bytes(
    model: ModelFacts,
    precision: str,
    size: tuple[int, int],
    rows: int,
    *,
    guided: bool,
    references: int = 0,
) -> int:
    """Bytes at the peak of drawing at `size` (width, height) px, `rows` frames in a call of the denoiser.

    Frames that are guided are in it twice, and so many `references` of each beside it. One
    picture is decoded at a time.
    """
    each = BYTES[precision]
    pixels = size[0] * size[1]
    twice = 2 if guided and not model.guidance_embedded else 1
    positions = pixels / model.vae_factor**2
    if model.traits.denoiser == "unet":
        denoiser = rows * (twice + references) * unet_elements(model.unet) * positions * each
    else:  # a pipeline calls it once for each of the two
        denoiser = transformer_work.elements(model, positions) * each
    # fp16 is too narrow for what an autoencoder computes: it is kept in fp32
    own = BYTES["fp32"] if precision == "fp16" else each
    vae = vae_elements(model.vae_config) * pixels * own
    return int(_PROCESS + weights_bytes(model, precision) + _SCRATCH * max(denoiser, vae))


def weights_bytes(model: ModelFacts, precision: str) -> int:
    """Bytes of all networks' weights in a precision; what their files weigh where they cannot be counted."""
    each = BYTES[precision]
    if not model.parameters:
        return model.weight_bytes
    more = model.parameters.get("vae", 0) * (2 if precision == "fp16" else 0)
    whole = sum(model.parameters.values()) * each + more
    if model.quantised_bytes:  # kept as they are in the file
        whole += model.quantised_bytes - model.parameters[model.traits.denoiser] * each
    return whole
