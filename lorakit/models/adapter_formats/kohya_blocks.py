"""Layers of a transformer under its authors' names, several of diffusers' in one where they have them so.

Rows of the one are those of the several, one after the other; its rank is all of theirs together:

    down = [down_q; down_k; down_v],  up = diag(up_q, up_k, up_v)

so that diffusers' and sd-scripts' converters find each again. One that is not adapted has zeros.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.families import Family
from lorakit.models.adapter_formats.layers import Adapter, Layer, lora_layer


def in_blocks(adapter: Adapter, family: Family) -> Iterator[tuple[str, Layer]]:
    """Layers by their authors' names. Raises LorakitError with what has none."""
    left = {name.partition(".")[2]: layer for name, layer in adapter.items()}
    numbers = sorted({int(n) for path in left for n in re.findall(r"blocks\.(\d+)\.", path)})
    for theirs, ours in family.theirs.items():
        for number in numbers if "{}" in theirs else [0]:
            paths = [path.format(number) for path, _ in ours]
            found = {path: left.pop(path) for path in paths if path in left}
            if not found:
                continue
            if len(paths) == 1:
                yield theirs.format(number), found[paths[0]]
            else:
                heights = {path.format(number): times for path, times in ours}
                yield theirs.format(number), _together(found, heights)
    if left:
        raise LorakitError(f"kohya's format has no name for a layer of {family.title}: {min(left)}")


def _together(found: Mapping[str, Layer], heights: Mapping[str, int]) -> Layer:
    for path, layer in found.items():
        if layer.method != "lora" or set(layer.tensors) - {"down", "up"}:
            raise LorakitError(
                f"kohya's format holds no more than a plain LoRA of layers that it has in one: {path}"
            )
    rank = max(int(layer.rank) for layer in found.values())
    first = next(iter(found.values()))
    width = first.tensors["down"].shape[1]
    alike = all(layer.scale == first.scale for layer in found.values())
    downs: list[Tensor] = []
    ups: list[Tensor] = []
    for path, times in heights.items():
        down = first.tensors["down"].new_zeros(rank, width)
        up = first.tensors["up"].new_zeros(times * width, rank)
        if path in found:
            layer = found[path]
            own, scale = int(layer.rank), 1.0 if alike else layer.scale
            down[:own] = layer.tensors["down"]
            up[:, :own] = layer.tensors["up"] * scale
        downs.append(down)
        ups.append(up)
    whole = rank * len(heights)
    scale = first.scale if alike else 1.0
    return lora_layer(torch.cat(downs), torch.block_diag(*ups), whole * scale)
