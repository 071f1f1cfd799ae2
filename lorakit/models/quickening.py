"""What makes a transformer quicker by doing less, or otherwise: its pictures are nearly the same."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.plan.engine_specs import Keeping


def quicken(denoiser: Any, keeping: Keeping) -> None:
    """Have diffusers skip blocks whose first one changed little since the last step, and compile blocks.

    Attention is computed by the backend that is named. Raises LorakitError where that cannot be had.
    """
    try:
        # torch's own as well: diffusers takes what was set last for all that is loaded after it
        denoiser.set_attention_backend(keeping.attention)
    except (RuntimeError, ImportError) as error:
        raise LorakitError(f"attention_backend: {keeping.attention}: {error}") from error
    if keeping.compiled:
        denoiser.compile_repeated_blocks()
    if keeping.block_cache:
        from diffusers import FirstBlockCacheConfig

        denoiser.enable_cache(FirstBlockCacheConfig(threshold=keeping.block_cache))


def in_one_context(denoiser: Any) -> AbstractContextManager[None]:
    """While this lasts, a cache takes each step for one pass, where a pipeline does not say which comes.

    diffusers' pipelines of two passes tell their cache. Of those of one, Flux.1's from pictures and Kontext's
    do not, and there the cache refuses to work.
    """
    if not getattr(denoiser, "is_cache_enabled", False):
        return nullcontext()
    context: AbstractContextManager[None] = denoiser.cache_context("frame")
    return context
