"""Weights in few bits, steps that are skipped, pictures in tiles: as diffusers by hand has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers.quantizers import PipelineQuantizationConfig

from lorakit.diagnostics import LorakitError
from lorakit.families import FAMILIES
from lorakit.models.tiles import decode_in_tiles
from lorakit.plan.engine_specs import Keeping
from lorakit.rendering.drawing import drawing_engine
from tests.unit.families.test_drawn import by_hand, draw, make_adapter, quiet, spec, task

pytestmark = pytest.mark.filterwarnings("ignore")
KIND, FAMILY = "flux-dev", FAMILIES["flux"]
BF16 = {"precision": "bf16"}
# as the documentation of diffusers has it
BY_HAND: dict[int, dict[str, Any]] = {
    8: {"load_in_8bit": True},
    4: {
        "load_in_4bit": True,
        "bnb_4bit_quant_type": "nf4",
        "bnb_4bit_use_double_quant": True,
        "bnb_4bit_compute_dtype": torch.bfloat16,
    },
}


@pytest.fixture
def flux(tiny_transformer: Callable[[str], Path]) -> Path:
    pytest.importorskip("bitsandbytes")
    return tiny_transformer(KIND)


@pytest.fixture
def on_a_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """diffusers asks for a GPU before it rounds; bitsandbytes has kernels for CPUs as well."""
    from diffusers.quantizers.bitsandbytes import bnb_quantizer

    for kind in (bnb_quantizer.BnB4BitDiffusersQuantizer, bnb_quantizer.BnB8BitDiffusersQuantizer):
        monkeypatch.setattr(kind, "validate_environment", lambda *_, **__: None)
        monkeypatch.setattr(kind, "update_device_map", lambda *_: {"": "cpu"})


def frame(folder: Path, out: Path, *adapters: tuple[Path, float], **keeping: Any) -> bytes:
    given = spec(FAMILY, folder, *adapters, **BF16, keeping=Keeping(**keeping))
    return draw(drawing_engine(given, quiet()), out, task(KIND))[0]


@pytest.mark.slow
@pytest.mark.parametrize("bits", [8, 4])
@pytest.mark.usefixtures("on_a_cpu")
def test_rounded_weights_draw_what_diffusers_draws_with_them(
    bits: int, flux: Path, tmp_path: Path
) -> None:
    found = frame(flux, tmp_path, weight_bits=bits)
    rounding = PipelineQuantizationConfig(
        quant_backend=f"bitsandbytes_{bits}bit",
        quant_kwargs=BY_HAND[bits],
        components_to_quantize=["transformer"],
    )
    pipeline = diffusers.FluxPipeline.from_pretrained(
        flux, dtype=torch.bfloat16, quantization_config=rounding
    )
    for layer in pipeline.transformer.modules():
        if hasattr(layer, "support_avx512bf16_for_cpu"):
            layer.support_avx512bf16_for_cpu = False  # a kernel for layers of 32 rows and more
    assert found == by_hand(pipeline, KIND)
    assert found != frame(flux, tmp_path / "whole")
    assert found == frame(flux, tmp_path / "apart", weight_bits=bits, offload="model")


@pytest.mark.slow
def test_adapters_are_put_on_before_weights_are_rounded(flux: Path, tmp_path: Path) -> None:
    file = make_adapter(flux, tmp_path / "adapter")
    rounded = frame(flux, tmp_path / "rounded", (file, 1.0), weight_bits=8)
    whole = frame(flux, tmp_path / "whole", (file, 1.0))
    bare = frame(flux, tmp_path / "bare", weight_bits=8)

    def apart(one: bytes, other: bytes) -> float:
        return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)

    assert apart(rounded, whole) < apart(rounded, bare) / 4


def test_steps_are_skipped_as_diffusers_skips_them(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer(KIND)
    given = spec(FAMILY, folder, keeping=Keeping(block_cache=0.5))
    engine = drawing_engine(given, quiet())
    found, _ = draw(engine, tmp_path, task(KIND, num_inference_steps=6))
    pipeline = diffusers.FluxPipeline.from_pretrained(folder)
    pipeline.transformer.enable_cache(diffusers.FirstBlockCacheConfig(threshold=0.5))
    assert found == by_hand(pipeline, KIND, num_inference_steps=6)
    # what is kept of one frame is forgotten before the next
    assert found == draw(engine, tmp_path / "again", task(KIND, num_inference_steps=6))[0]
    exact = drawing_engine(spec(FAMILY, folder), quiet())
    assert found != draw(exact, tmp_path / "exact", task(KIND, num_inference_steps=6))[0]


def test_attention_is_computed_by_the_backend_that_is_named(
    tiny_transformer: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers.models import attention_dispatch

    name = attention_dispatch.AttentionBackendName._NATIVE_MATH
    registry = attention_dispatch._AttentionBackendRegistry._backends
    used: list[int] = []
    usual = registry[name]
    monkeypatch.setitem(
        registry, name, lambda *args, **more: used.append(1) or usual(*args, **more)
    )
    folder = tiny_transformer(KIND)
    given = spec(FAMILY, folder, keeping=Keeping(attention="_native_math"))
    found, _ = draw(drawing_engine(given, quiet()), tmp_path, task(KIND))
    drawn = len(used)
    assert drawn == 4  # two blocks, two steps
    pipeline = diffusers.FluxPipeline.from_pretrained(folder)
    pipeline.transformer.set_attention_backend("_native_math")
    assert found == by_hand(pipeline, KIND)
    assert len(used) == 2 * drawn
    draw(drawing_engine(spec(FAMILY, folder), quiet()), tmp_path / "native", task(KIND))
    assert len(used) == 2 * drawn


def test_a_backend_whose_package_is_gone_is_an_error(
    tiny_transformer: Callable[[str], Path],
) -> None:
    given = spec(FAMILY, tiny_transformer(KIND), keeping=Keeping(attention="xformers"))
    with pytest.raises(LorakitError, match=r"^attention_backend: xformers: .*not usable"):
        drawing_engine(given, quiet())


def test_a_large_picture_is_decoded_in_tiles(
    tiny_transformer: Callable[[str], Path],
) -> None:
    folder = tiny_transformer(KIND) / "vae"
    vae = diffusers.AutoencoderKL.from_pretrained(folder).eval()
    factor = 2 ** (len(vae.config.block_out_channels) - 1)
    seen: list[tuple[int, ...]] = []
    vae.decoder.register_forward_hook(lambda _, given, __: seen.append(tuple(given[0].shape[2:])))
    shape = (1, vae.config.latent_channels, 576 // factor, 512 // factor)
    latents = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        whole = vae.decode(latents, return_dict=False)[0]
        decode_in_tiles(vae, tiled=True)
        tiled = vae.decode(latents, return_dict=False)[0]
        assert tiled.shape == whole.shape
        assert seen[0] == shape[2:]
        assert len(seen) > 2
        assert all(max(size) <= 512 // factor for size in seen[1:])
        decode_in_tiles(vae, tiled=False)
        assert torch.equal(vae.decode(latents, return_dict=False)[0], whole)
