"""A text encoder that reads each distinct text once: a pipeline encodes its words anew for every picture.

What it says of a text is kept and said again, so that a picture is the same to the bit; what a storyboard is
not to show is the same for all its frames.
"""

from __future__ import annotations

import functools
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

_MOST = 256 << 20  # bytes of what is kept
_PLAIN = (bool, int, float, str, type(None))


def encode_once(encoder: Any, called: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """Have a network keep what it says of its last inputs; `called` tells of those that it reads.

    What is returned has all of it forgotten, as where its weights change.
    """
    forward = encoder.forward
    kept: OrderedDict[bytes, Any] = OrderedDict()

    @functools.wraps(forward)
    def remembered(*given: Any, **named: Any) -> Any:
        name = _name_of((*given, *(part for pair in sorted(named.items()) for part in pair)))
        if name is not None and name in kept:
            kept.move_to_end(name)
            return kept[name]
        called()
        said = forward(*given, **named)
        if name is not None:
            kept[name] = said
            # of two, what is shown and what is not, neither may put out the other
            while len(kept) > 2 and sum(map(_bytes_of, kept.values())) > _MOST:
                kept.popitem(last=False)
        return said

    encoder.forward = remembered
    return kept.clear


def _name_of(values: tuple[Any, ...]) -> bytes | None:
    """What tells inputs apart; None where it cannot be told."""
    told = hashlib.sha256()
    for value in values:
        if isinstance(value, Tensor):
            plain = value.detach().cpu().contiguous()
            told.update(f"{plain.dtype} {tuple(plain.shape)} {value.device}".encode())
            told.update(plain.reshape(-1).view(torch.uint8).numpy().tobytes())
        elif isinstance(value, _PLAIN):
            told.update(repr(value).encode())
        else:
            return None
        told.update(b"\0")
    return told.digest()


def _bytes_of(said: Any) -> int:
    return sum(tensor.numel() * tensor.element_size() for tensor in _tensors(said))


def _tensors(said: Any) -> Iterator[Tensor]:
    if isinstance(said, Tensor):
        yield said
    elif isinstance(said, dict):
        for value in said.values():
            yield from _tensors(value)
    elif isinstance(said, list | tuple):
        for value in said:
            yield from _tensors(value)
