"""Models that were distilled to few steps, and the settings that they were distilled for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.facts.models.model_facts import Family

_FEW = 4  # steps


def defaults_of(
    family: Family, unet: Mapping[str, Any], scheduler: Mapping[str, Any]
) -> tuple[int, float]:
    """Steps and guidance scale that a model is drawn with if a recipe says nothing."""
    if unet.get("time_cond_proj_dim"):
        # latent consistency models are told the scale (Luo et al. 2023), 8.5 in their pipeline
        return _FEW, 8.5
    if is_turbo(scheduler):
        return _FEW, 0.0
    return 20, 5.0 if family == "sdxl" else 7.5


def is_turbo(scheduler: Mapping[str, Any]) -> bool:
    """Whether a scheduler's configuration is that of the Turbo and Lightning forms.

    They begin at the last timestep (trailing) and predict noise. Models of a zero terminal SNR begin there
    too, but predict v, or rescale their betas, and want guidance.
    """
    return (
        scheduler.get("timestep_spacing") == "trailing"
        and scheduler.get("prediction_type", "epsilon") == "epsilon"
        and not scheduler.get("rescale_betas_zero_snr")
    )
