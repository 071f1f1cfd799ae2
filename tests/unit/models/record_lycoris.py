"""Write lycoris.safetensors: small layers, adapters of LyCORIS on them, and the weights these act as.

Run by hand where lycoris-lora is installed; lorakit itself does not need it:

    python tests/unit/models/record_lycoris.py tests/unit/models/lycoris.safetensors
"""

from __future__ import annotations

import importlib.metadata
import sys
from typing import Any

import torch
from safetensors.torch import save_file
from torch import nn

INTO, OUT = 8, 12
LAYERS = {
    "linear": lambda: nn.Linear(INTO, OUT),
    "conv1x1": lambda: nn.Conv2d(INTO, OUT, 1),
    "conv3x3": lambda: nn.Conv2d(INTO, OUT, 3, padding=1),
}
WAYS: dict[str, tuple[str, int, dict[str, Any]]] = {
    "locon": ("LoConModule", 3, {}),
    "locon-tucker": ("LoConModule", 3, {"use_tucker": True}),
    "dora": ("LoConModule", 3, {"weight_decompose": True}),
    "dora-inputs": ("LoConModule", 3, {"weight_decompose": True, "wd_on_out": False}),
    "rs": ("LoConModule", 3, {"rs_lora": True}),
    "loha": ("LohaModule", 3, {}),
    "loha-tucker": ("LohaModule", 3, {"use_tucker": True}),
    "loha-dora": ("LohaModule", 3, {"weight_decompose": True}),
    "lokr": ("LokrModule", 1, {"factor": 4}),
    "lokr-tucker": ("LokrModule", 1, {"factor": 4, "use_tucker": True}),
    "lokr-both": ("LokrModule", 1, {"factor": 4, "decompose_both": True}),
    "lokr-whole": ("LokrModule", 64, {"factor": 4, "full_matrix": True}),
    "lokr-dora": ("LokrModule", 1, {"factor": 4, "weight_decompose": True}),
}


def random(name: str, value: torch.Tensor) -> torch.Tensor:
    if name == "alpha":
        return value
    return value.clone() * 1.5 if name == "dora_scale" else torch.randn_like(value) * 0.3


def acts_as(module: Any, layer: Any) -> torch.Tensor:
    """The weight that a module's forward pass has, from what it makes of one input at a time."""
    if isinstance(layer, nn.Linear):
        return (module(torch.eye(INTO)) - layer.bias).T
    size = layer.kernel_size[0]
    inputs = torch.zeros(INTO, INTO, 2 * size - 1, 2 * size - 1)
    for channel in range(INTO):
        inputs[channel, channel, size - 1, size - 1] = 1
    made = module(inputs) - layer.bias.view(1, -1, 1, 1)
    around = layer.padding[0]
    middle = made[..., size - 1 - around : size + around, size - 1 - around : size + around]
    return middle.flip(2, 3).permute(1, 0, 2, 3)


def main() -> None:
    from lycoris import modules

    torch.manual_seed(0)
    found: dict[str, torch.Tensor] = {}
    for name, make in LAYERS.items():
        for way, (kind, rank, options) in WAYS.items():
            if "tucker" in way and name != "conv3x3":
                continue
            layer = make()
            module = getattr(modules, kind)("lora_unet_x", layer, 1.0, rank, 2.0, **options).eval()
            state = {
                k: random(k, v.detach()) for k, v in module.state_dict().items() if k != "scalar"
            }
            module.load_state_dict(state, strict=False)
            with torch.no_grad():
                saved = {
                    **module.custom_state_dict(),
                    "before": layer.weight,
                    "after": acts_as(module, layer),
                }
            found |= {
                f"{name}/{way}/{k}": v.detach().clone().contiguous() for k, v in saved.items()
            }
    version = importlib.metadata.version("lycoris-lora")
    save_file(
        found, sys.argv[1], {"made_with": f"lycoris-lora {version}, torch {torch.__version__}"}
    )


if __name__ == "__main__":
    main()
