"""An engine that comes to wear other adapters draws what one does that was loaded with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers.utils import convert_state_dict_to_diffusers
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from lorakit.plan.engine_specs import DrawingSpec, Keeping
from lorakit.rendering.drawing import drawing_engine
from tests.unit.families.test_drawn import draw, make_adapter, task

pytestmark = pytest.mark.filterwarnings("ignore")
Worn = tuple[Path, float]


def make_lora(model: Path, folder: Path, kind: str, seed: int) -> Path:
    """A LoRA on a UNet's cross-attention and on what reads its words, as diffusers saves one."""
    pipeline = getattr(diffusers, kind).from_pretrained(model)
    torch.manual_seed(seed)
    layers = {}
    for part, targets in (("unet", ["attn2.to_k", "attn2.to_v"]), ("text_encoder", ["q_proj"])):
        network = getattr(pipeline, part)
        network.add_adapter(LoraConfig(r=2, target_modules=targets))
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=2.0)
        found = convert_state_dict_to_diffusers(get_peft_model_state_dict(network))
        layers[f"{part}_lora_layers"] = found
    type(pipeline).save_lora_weights(folder, **layers)
    return folder / "pytorch_lora_weights.safetensors"


def spec(model: Path, family: str, *adapters: Worn, **more: Any) -> DrawingSpec:
    given: dict[str, Any] = {"precision": "fp32", "rewears": True, "batch_size": 2, **more}
    return DrawingSpec(
        name="tiny",
        path=str(model),
        digest="tiny",
        family=family,
        vae_factor=8,
        device="cpu",
        adapters=tuple((str(file), weight) for file, weight in adapters),
        adapter_paths=tuple(str(file) for file, _ in adapters),
        **given,
    )


def quiet(*_: object) -> bool:
    return True


@pytest.mark.slow
@pytest.mark.parametrize(
    ("family", "precision", "stock"),
    [
        ("sd", "fp32", False),
        ("sdxl", "fp32", True),
        pytest.param("sd", "bf16", False, marks=pytest.mark.slow),
        pytest.param("sdxl", "fp32", False, marks=pytest.mark.slow),
    ],
)
def test_adapters_that_change_leave_nothing_behind(
    family: str, precision: str, stock: bool, tiny_sd: Path, tiny_sdxl: Path, tmp_path: Path
) -> None:
    model = {"sd": tiny_sd, "sdxl": tiny_sdxl}[family]
    kind = {"sd": "StableDiffusionPipeline", "sdxl": "StableDiffusionXLPipeline"}[family]
    one, other = (make_lora(model, tmp_path / f"{n}", kind, n) for n in (1, 2))
    told = task("sd3", width=64, height=64, precision=precision, batch_size=2)
    worn: list[tuple[Worn, ...]] = [
        ((one, 0.3),),
        ((one, 0.8),),
        (),
        ((one, 0.3), (other, 1.0)),
        ((one, 0.3),),
    ]
    more = {"precision": precision, "stock": stock}
    engine = drawing_engine(spec(model, family, *worn[0], **more), quiet)
    found = []
    for number, these in enumerate(worn):
        if number:
            assert engine.becomes(spec(model, family, *these, **more))
        found.append(draw(engine, tmp_path / f"out{number}", told)[0])
        loaded = drawing_engine(spec(model, family, *these, **more, rewears=False), quiet)
        assert draw(loaded, tmp_path / f"loaded{number}", told)[0] == found[-1]
    assert found[4] == found[0]
    assert len(set(found)) == 4


def test_a_transformer_comes_to_wear_others_as_well(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    model = tiny_transformer("flux-dev")
    file = make_adapter(model, tmp_path / "adapter")
    told = task("flux-dev")
    engine = drawing_engine(spec(model, "flux", (file, 0.5), batch_size=1), quiet)
    first, _ = draw(engine, tmp_path / "first", told)
    assert engine.becomes(spec(model, "flux", batch_size=1))
    bare, _ = draw(engine, tmp_path / "bare", told)
    assert engine.becomes(spec(model, "flux", (file, 0.5), batch_size=1))
    assert draw(engine, tmp_path / "again", told)[0] == first != bare


def test_another_model_is_another_engine(tiny_sd: Path, tmp_path: Path) -> None:
    own = spec(tiny_sd, "sd")
    engine = drawing_engine(own, quiet)
    for other in (
        replace(own, digest="other"),
        replace(own, precision="bf16"),
        replace(own, batch_size=1),
        replace(own, rewears=False),
        replace(own, keeping=Keeping(offload="model")),
    ):
        assert not engine.becomes(other)
