"""The layers of an adapter, as every format has them: methods, and the tensors each method is made of.

    lora       W + s · up @ down; with `mid` in Tucker's form, for windows (LyCORIS' LoCon)
    loha       W + s · (w1_a @ w1_b) * (w2_a @ w2_b)           (Hyeon-Woo 2021, https://arxiv.org/abs/2108.06098)
    lokr       W + s · kron(w1, w2)                            (Yeh 2023, https://arxiv.org/abs/2309.14859)
    embedding  W + s · (up @ down).T, of a table of embeddings
    full       W + diff, and bias + diff_b
    norm       the same of a norm

s is alpha / rank. `dora_scale` and `magnitude` are LyCORIS' and PEFT's DoRA (https://arxiv.org/abs/2402.09353).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import Literal

from lorakit.records import record

Method = Literal["lora", "loha", "lokr", "embedding", "full", "norm"]
Network = Literal["unet", "transformer", "text_encoder", "text_encoder_2"]
NETWORKS: tuple[Network, ...] = ("unet", "transformer", "text_encoder", "text_encoder_2")
Shape = tuple[int, ...]

_LOHA = frozenset(("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"))
_EITHER = (("lokr_w1",), ("lokr_w1_a", "lokr_w1_b")), (("lokr_w2",), ("lokr_w2_a", "lokr_w2_b"))
_LOKR = [frozenset((*one, *two)) for one in _EITHER[0] for two in _EITHER[1]]
# the tensors that a method cannot do without, and those it may have
_NEEDED: Mapping[Method, list[frozenset[str]]] = {
    "lora": [frozenset(("down", "up"))],
    "loha": [_LOHA, _LOHA | {"hada_t1", "hada_t2"}],
    "lokr": [*_LOKR, *(roles | {"lokr_t2"} for roles in _LOKR if "lokr_w2_a" in roles)],
    "embedding": [frozenset(("embedding_down", "embedding_up"))],
    "full": [frozenset(("diff",)), frozenset(("diff", "diff_b")), frozenset(("diff_b",))],
    "norm": [frozenset(("w_norm",)), frozenset(("w_norm", "b_norm")), frozenset(("b_norm",))],
}
_BESIDE: Mapping[Method, frozenset[str]] = {
    "lora": frozenset(("alpha", "mid", "dora_scale", "magnitude", "up_bias", "diff_b")),
    "loha": frozenset(("alpha", "dora_scale", "diff_b")),
    "lokr": frozenset(("alpha", "dora_scale", "diff_b")),
    "embedding": frozenset(("alpha",)),
    "full": frozenset(("alpha",)),  # some programs write one, which nothing reads
    "norm": frozenset(("alpha",)),
}


@record
class AdapterLayer:
    """What adapts one layer: `name` is its path inside `network`, `tensors` are keys of the file by role.

    `sgm` is the name as Stability's own code has it, where the file does: where it stands among
    diffusers' blocks depends on the model. `alpha` over `rank` is how strongly it acts. Of `up` only the
    `rows` from one to before another are this layer's, where the file has several in one.
    """

    network: Network
    name: str
    method: Method
    tensors: Mapping[str, str]
    alpha: float
    rank: float
    sgm: str = ""
    rows: tuple[int, int] | None = None


def method_of(roles: Collection[str]) -> Method | None:
    """The method that tensors of these roles are, all of them; None for none."""
    given = frozenset(roles)
    if {"dora_scale", "magnitude"} <= given:
        return None
    for method, ways in _NEEDED.items():
        for needed in ways:
            if needed <= given and given - needed <= _BESIDE[method]:
                return method
    return None


def rank_of(method: Method, shapes: Mapping[str, Shape]) -> int:
    """The rank of a layer's matrices, by their shapes; 0 where there is none (a whole LoKr, a difference)."""
    role = {"lora": "down", "loha": "hada_w1_b", "embedding": "embedding_down"}.get(method, "")
    if method == "lokr":
        role = next((r for r in ("lokr_w1_b", "lokr_w2_b") if r in shapes), "")
    return shapes[role][0] if shapes.get(role) else 0


def delta_shape(method: Method, shapes: Mapping[str, Shape]) -> tuple[int, int] | None:
    """Rows and columns that a layer's matrices make, windows flattened; None where they do not multiply."""
    try:
        return {"lora": _lora, "loha": _loha, "lokr": _lokr, "embedding": _embedding}[method](
            shapes
        )
    except (_Misfit, IndexError):
        return None


class _Misfit(Exception):
    """Matrices that cannot be multiplied."""


def _equal(*sizes: int) -> int:
    if len(set(sizes)) > 1 or not sizes[0]:
        raise _Misfit
    return sizes[0]


def _matrix(shape: Shape) -> tuple[int, int]:
    """A convolution's weight is a matrix whose columns are windows."""
    if len(shape) not in (2, 4):
        raise _Misfit
    return shape[0], math.prod(shape[1:])


def _lora(shapes: Mapping[str, Shape]) -> tuple[int, int]:
    (rows, rank), (rank_too, columns) = _matrix(shapes["up"]), _matrix(shapes["down"])
    if "mid" in shapes:
        outer, inner, *window = shapes["mid"]
        _equal(outer, rank)
        _equal(inner, rank_too)
        return rows, columns * math.prod(window)
    _equal(rank, rank_too)
    return rows, columns


def _loha(shapes: Mapping[str, Shape]) -> tuple[int, int]:
    found = []
    for number in "12":
        a, b = _matrix(shapes[f"hada_w{number}_a"]), _matrix(shapes[f"hada_w{number}_b"])
        core = shapes.get(f"hada_t{number}")
        if core is None:
            _equal(a[1], b[0])
            found.append((a[0], b[1]))
        else:
            found.append(_tucker(core, a, b))
    _equal(*(rows for rows, _ in found))
    _equal(*(columns for _, columns in found))
    return found[0]


def _tucker(core: Shape, a: tuple[int, int], b: tuple[int, int]) -> tuple[int, int]:
    outer, inner, *window = core
    _equal(outer, a[0])
    _equal(inner, b[0])
    return a[1], b[1] * math.prod(window)


def _lokr(shapes: Mapping[str, Shape]) -> tuple[int, int]:
    found = []
    for number in "12":
        if f"lokr_w{number}" in shapes:
            found.append(_matrix(shapes[f"lokr_w{number}"]))
            continue
        a, b = _matrix(shapes[f"lokr_w{number}_a"]), _matrix(shapes[f"lokr_w{number}_b"])
        core = shapes.get(f"lokr_t{number}")
        if core is None:
            _equal(a[1], b[0])
        found.append((a[0], b[1]) if core is None else _tucker(core, a, b))
    (rows, columns), (rows_too, columns_too) = found
    return rows * rows_too, columns * columns_too


def _embedding(shapes: Mapping[str, Shape]) -> tuple[int, int]:
    (width, rank), (rank_too, words) = (
        _matrix(shapes["embedding_up"]),
        _matrix(shapes["embedding_down"]),
    )
    _equal(rank, rank_too)
    return words, width
