"""Forms of UNet models that were distilled to few steps, and the settings that they were distilled for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.families.family import Configs

_FEW = 4  # steps


def defaults_of(configs: Configs, guidance: float) -> tuple[int, float]:
    """Steps and guidance scale of a UNet where a recipe says nothing; `guidance` is the usual one."""
    if configs.get("unet", {}).get("time_cond_proj_dim"):
        # latent consistency models are told the scale (Luo et al. 2023), 8.5 in their pipeline
        return _FEW, 8.5
    if is_turbo(configs.get("scheduler", {})):
        return _FEW, 0.0
    return 20, guidance


def is_told_the_scale(configs: Configs) -> bool:
    """Whether a UNet is told the guidance scale, as LCM's is, and is called once a step."""
    return bool(configs.get("unet", {}).get("time_cond_proj_dim"))


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
