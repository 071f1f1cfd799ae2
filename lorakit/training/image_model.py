"""A UNet that wears a new adapter, and the adapter taken off it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lorakit.models.adapter_formats import Adapter, Layer
from lorakit.models.loading import load_pipeline
from lorakit.training.task import seeded


def build(params: Mapping[str, Any], extra: Mapping[str, Any]) -> Any:
    """A pipeline in fp32 whose UNet has an adapter; the same weights for the same seed."""
    from peft import LoraConfig

    pipeline = load_pipeline(Path(extra["model_path"]), extra["family"], "fp32", extra["device"])
    lora = params["lora"]
    config = LoraConfig(
        r=lora["rank"],
        lora_alpha=lora["alpha"],
        lora_dropout=lora["dropout"],
        target_modules=lora["target_modules"],
        use_rslora=lora["use_rslora"],
        use_dora=lora["use_dora"],
    )
    seeded(params["seed"], "adapter")
    pipeline.unet.add_adapter(config)
    if params["train"]["gradient_checkpointing"]:
        pipeline.unet.enable_gradient_checkpointing()
    return pipeline


def adapter_of(unet: Any) -> Adapter:
    """What was trained, in the form that all formats are written from."""
    found: dict[str, Layer] = {}
    for name, module in unet.named_modules():
        if not hasattr(module, "lora_A") or "default" not in module.lora_A:
            continue
        down, up = module.lora_A["default"].weight, module.lora_B["default"].weight
        magnitude = None
        if getattr(module, "lora_magnitude_vector", None):
            magnitude = module.lora_magnitude_vector["default"].weight.detach().cpu().clone()
        found[f"unet.{name}"] = Layer(
            down.detach().cpu().clone(),
            up.detach().cpu().clone(),
            # rank-stabilised or not: what it acts with is in its scaling
            float(module.scaling["default"]) * down.shape[0],
            magnitude,
        )
    return found
