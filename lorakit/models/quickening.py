"""What makes a transformer quicker by doing less, or otherwise: its pictures are nearly the same."""

from __future__ import annotations

from typing import Any

from lorakit.plan.engine_specs import Keeping


def quicken(denoiser: Any, keeping: Keeping) -> None:
    """Have diffusers skip blocks whose first one changed little since the last step, and compile blocks."""
    if keeping.compiled:
        denoiser.compile_repeated_blocks()
    if keeping.block_cache:
        from diffusers import FirstBlockCacheConfig

        denoiser.enable_cache(FirstBlockCacheConfig(threshold=keeping.block_cache))
