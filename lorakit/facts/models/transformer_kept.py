"""What a diffusion transformer keeps of a forward pass for the way back, from its parameters. Without torch.

Of attention what comes into its norm, queries and keys before and after theirs, values and what comes out;
of a feed-forward layer what comes into its norm and its activation. What comes into a linear layer is kept
where it is trained, once where several read the same.

On a GPU autocast computes norms in fp32 (`wide_norms`): what comes into one is kept in fp32, and each
projection keeps a copy of its own of what it reads, in low precision.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from lorakit.facts.models import transformer_work
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.unet_layers import denoiser_shapes

_BLOCK = re.compile(r"((?:\w+_)?(?:blocks|layers|refiner)\.\d+)\.(.+)\.weight$")
_SAME = re.compile(r"to_[qkv]$|proj_mlp$")  # read what the norm before them gives
_SAME_WORDS = re.compile(r"add_[qkv]_proj$")
_OUT = re.compile(r"to_out|to_add_out")  # reads what attention keeps anyway
_FUSED = "to_qkv_mlp_proj"  # Flux.2's: attention and a feed-forward layer beside it in one
_NORMED, _ATTENDED = 1 + 2, 3 + 1  # of attention: what comes into norms, and what does not


def kept_elements(
    model: ModelFacts,
    positions: float,
    *,
    adapted: Callable[[str], bool],
    checkpointed: bool = False,
    wide_norms: bool = False,
) -> float:
    """Elements kept for a picture of so many latent `positions`, all blocks counted.

    `checkpointed` blocks keep what comes in, and one of them at a time is whole. With `wide_norms` an element
    of a norm's counts as two.
    """
    picture, words = transformer_work.tokens(model, positions)
    width = transformer_work.width(model.transformer)
    blocks: dict[str, dict[str, tuple[int, ...]]] = {}
    for name, shape in denoiser_shapes(model).items():
        inside = _BLOCK.match(name)
        if inside and len(shape) == 2:
            blocks.setdefault(inside[1], {})[inside[2]] = shape
    each = {
        block: sum(_of(block, layers, (picture, words), width, adapted, wide=wide_norms))
        for block, layers in blocks.items()
    }
    if checkpointed:
        return len(each) * (picture + words) * width + max(each.values(), default=0.0)
    return sum(each.values())


def _of(
    block: str,
    layers: dict[str, tuple[int, ...]],
    tokens: tuple[float, float],
    width: int,
    adapted: Callable[[str], bool],
    *,
    wide: bool,
) -> Iterator[float]:
    picture, words = tokens
    both, normed = picture + words, 2 if wide else 1
    # one stream of both, or one of each
    apart = any("add_q_proj" in layer for layer in layers)
    fused = any(layer.endswith(_FUSED) for layer in layers)
    yield (normed * _NORMED + _ATTENDED) * width * both
    read: set[str] = set()
    for layer, (out, into) in layers.items():
        of_words = bool(re.search(r"add_|_context|txt_", layer))
        here = (words if of_words else picture) if apart else both
        if layer.endswith(("net.0.proj", "proj_mlp", "img_mlp.0", "txt_mlp.0")):
            yield (out + (normed * width if "proj_mlp" not in layer else 0)) * here
        elif layer.endswith("feed_forward.w1"):  # gated, between norms of its own
            yield 3 * (out + normed * width) * here
        elif layer.endswith("linear_in"):  # both halves, and the gate's activation
            yield (1.5 * out + normed * width) * here
        elif layer.endswith(_FUSED):  # the same beside queries, keys and values, which stay for it
            yield (1.5 * (out - 3 * width) + (2 * width if wide else 0)) * here
        if not adapted(f"{block}.{layer}") or "norm" in layer:
            continue
        if wide:
            yield into * here
            continue
        if _OUT.search(layer) and not fused:
            continue
        same = "q" if _SAME.search(layer) else "aq" if _SAME_WORDS.search(layer) else layer
        if same not in read:
            read.add(same)
            yield into * here
