"""A UNet's layers by the names of Stability's own code (sgm, before it ldm), as diffusers has them.

There blocks are numbered through: input_blocks.4.1 is the attention of the fourth block on the way down,
which at two layers a level is down_blocks.1.attentions.0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_RESNET: Mapping[str, str] = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_OUTSIDE: Mapping[str, str] = {
    "input_blocks.0.0": "conv_in",
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}
_ROOTS = ("input_blocks.", "middle_block.", "output_blocks.", "time_embed.", "label_emb.", "out.")
_MIDDLE = {"0": "resnets.0", "1": "attentions.0", "2": "resnets.1"}
_BLOCK = re.compile(r"(input|output)_blocks\.(\d+)\.(\d+)\.(.+)")


def is_sgm(path: str) -> bool:
    """Whether a path begins as Stability's code has it."""
    return path.startswith(_ROOTS)


def from_sgm(path: str, layers_per_block: int = 2) -> str | None:
    """Diffusers' name of a layer, for a UNet with so many layers on each level; None where there is none."""
    if path in _OUTSIDE:
        return _OUTSIDE[path]
    if path.startswith("middle_block."):
        _, part, inner = (*path.split(".", 2), "")[:3]
        return _inside(f"mid_block.{_MIDDLE[part]}", inner) if part in _MIDDLE else None
    match = _BLOCK.fullmatch(path)
    if match is None:
        return None
    way, number, inner, attends = match[1], int(match[2]), match[4], match[3] == "1"
    level, layer = divmod(number - (way == "input"), layers_per_block + 1)
    if match[3] != "0" and inner == "conv":
        last = way == "output" and layer == layers_per_block
        return f"up_blocks.{level}.upsamplers.0.conv" if last else None
    if way == "input" and layer == layers_per_block:
        return f"down_blocks.{level}.downsamplers.0.conv" if match[3] + inner == "0op" else None
    if number < (way == "input") or match[3] not in "01":
        return None
    at = f"{'down' if way == 'input' else 'up'}_blocks.{level}"
    return _inside(f"{at}.{'attentions' if attends else 'resnets'}.{layer}", inner)


def _inside(at: str, inner: str) -> str | None:
    if ".attentions." in at:
        return f"{at}.{inner}"
    return f"{at}.{_RESNET[inner]}" if inner in _RESNET else None
