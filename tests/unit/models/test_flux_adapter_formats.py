"""LoRAs of Flux.1 under its authors' names: written as sd-scripts has them, read by diffusers and by us."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers.loaders.lora_conversion_utils import _convert_kohya_flux_lora_to_diffusers
from safetensors.torch import load_file

from lorakit.diagnostics import LorakitError
from lorakit.families.flux import TARGETS
from lorakit.families.flux_shapes import flux_shapes
from lorakit.models.adapter_formats import Adapter, lora_layer, read
from lorakit.training import adapter_files

WIDE = {"num_layers": 1, "num_single_layers": 1}  # of the published width


def adapter(ranks: dict[str, int], *ends: str) -> Adapter:
    """A LoRA on the layers whose names end so, of rank 1 but for those of `ranks`, alpha 3."""
    rng = torch.Generator().manual_seed(1)
    made = {}
    for name, shape in flux_shapes(WIDE).items():
        path = name.removesuffix(".weight")
        if name.endswith(".weight") and len(shape) == 2 and path.endswith(ends):
            rank = next((r for end, r in ranks.items() if path.endswith(end)), 1)
            down = torch.randn(rank, shape[1], generator=rng)
            made[f"transformer.{path}"] = lora_layer(
                down, torch.randn(shape[0], rank, generator=rng), 3.0
            )
    return made


def deltas(found: Adapter) -> dict[str, torch.Tensor]:
    """What each layer adds to its weight, as a product with ones that is quickly compared."""
    return {
        name: layer.scale * (layer.tensors["up"] @ layer.tensors["down"].sum(1))
        for name, layer in found.items()
    }


EVERY = (
    *(t for t in TARGETS),
    "proj_mlp",
    "single_transformer_blocks.0.proj_out",
    "norm1.linear",
    "norm1_context.linear",
    "norm.linear",
    "x_embedder",
    "context_embedder",
    "timestep_embedder.linear_1",
    "text_embedder.linear_2",
)


@pytest.mark.parametrize(
    ("ranks", "ends"),
    [({}, TARGETS), ({}, EVERY), ({"to_q": 2, "proj_mlp": 3}, EVERY), ({}, ("attn.to_k",))],
    ids=["as the script trains", "all layers", "of several ranks", "one of three"],
)
def test_kohya_s_form_reads_back_the_same_here_and_in_diffusers(
    ranks: dict[str, int], ends: tuple[str, ...], tmp_path: Path
) -> None:
    made = adapter(ranks, *ends)
    expected = deltas(made)
    file = tmp_path / "ink.safetensors"
    adapter_files.write(made, file, "kohya", "flux1")
    tensors = load_file(file)
    assert all(key.startswith(("lora_unet_double_blocks_0_", "lora_unet_single_blocks_0_"))
               or ends is EVERY for key in tensors)  # fmt: skip
    assert "lora_unet_double_blocks_0_img_attn_qkv.alpha" in tensors
    found = deltas(read(file))
    assert {n for n in found if n not in expected and found[n].any()} == set()
    for name, delta in expected.items():
        assert torch.allclose(found[name], delta, rtol=1e-5, atol=1e-4), name
    theirs = _convert_kohya_flux_lora_to_diffusers(dict(tensors))
    for name, delta in expected.items():
        key = name if f"{name}.lora_A.weight" in theirs else name.removeprefix("transformer.")
        up, down = theirs[f"{key}.lora_B.weight"], theirs[f"{key}.lora_A.weight"]
        assert torch.allclose(up @ down.sum(1), delta, rtol=1e-5, atol=1e-3), name


def test_files_of_comfyui_with_dots_are_read(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    down, up = torch.randn(2, 8), torch.randn(24, 2)
    stem = "diffusion_model.double_blocks.3.txt_attn.qkv"
    save_file({f"{stem}.lora_A.weight": down, f"{stem}.lora_B.weight": up}, tmp_path / "a")
    found = read(tmp_path / "a")
    assert list(found) == [
        f"transformer.transformer_blocks.3.attn.add_{part}_proj" for part in "qkv"
    ]
    assert torch.equal(
        found["transformer.transformer_blocks.3.attn.add_k_proj"].tensors["up"], up[8:16]
    )


def test_what_kohya_s_form_cannot_hold_is_told(tmp_path: Path) -> None:
    made = {**adapter({}, "attn.to_k"), **adapter({}, "norm_out.linear")}
    with pytest.raises(LorakitError, match=r"has no name for a layer of Flux.1: norm_out.linear"):
        adapter_files.write(made, tmp_path / "a", "kohya", "flux1")
    double = {n: v for n, v in adapter({}, "attn.to_k").items() if "single" not in n}
    with pytest.raises(LorakitError, match="of which model these are is not known"):
        adapter_files.write(double, tmp_path / "a", "kohya")
    magnitudes = {
        n: lora_layer(v.tensors["down"], v.tensors["up"], 1.0, torch.ones(3072))
        for n, v in double.items()
    }
    with pytest.raises(
        LorakitError, match="no more than a plain LoRA of layers that it has in one"
    ):
        adapter_files.write(magnitudes, tmp_path / "a", "kohya", "flux1")


def test_rows_that_are_no_layers_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    stem = "lora_unet_single_blocks_0_linear1"
    save_file(
        {f"{stem}.lora_down.weight": torch.ones(1, 8), f"{stem}.lora_up.weight": torch.ones(24, 1)},
        tmp_path / "a",
    )
    with pytest.raises(LorakitError, match="24 rows, where 56 are of its layers"):
        read(tmp_path / "a")
