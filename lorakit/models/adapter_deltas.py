"""What an adapter makes of a layer's weight and bias: LoRA, LoHa, LoKr, DoRA and whole differences.

All of it is computed in fp32 and rounded once, where it is put into the weight. facts/adapters/layers.py has
the formulas; https://arxiv.org/abs/2402.09353 is DoRA's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from lorakit.models.adapter_formats import Layer

_EPS = torch.finfo(torch.float32).eps
Roles = Mapping[str, Tensor]


def adapted(
    weight: Tensor, bias: Tensor | None, layer: Layer, strength: float
) -> tuple[Tensor, Tensor | None]:
    """Weight and bias with an adapter of so much strength; both in fp32."""
    roles = {
        role: tensor.to(weight.device, torch.float32) for role, tensor in layer.tensors.items()
    }
    changed = weight
    if layer.method in ("full", "norm"):
        difference = roles.get("diff", roles.get("w_norm"))
        if difference is not None:
            changed = weight + strength * difference.reshape(weight.shape)
    else:
        delta = layer.scale * _PRODUCTS[layer.method](roles).reshape(weight.shape)
        if "dora_scale" in roles:
            changed = _lycoris_dora(weight, delta, roles["dora_scale"], strength)
        elif "magnitude" in roles:
            changed = _peft_dora(weight + strength * delta, roles["magnitude"])
        else:
            changed = weight + strength * delta
    for role, times in (("diff_b", 1.0), ("b_norm", 1.0), ("up_bias", layer.scale)):
        if role in roles and bias is not None:
            bias = bias + strength * times * roles[role]
    return changed, bias


def _lycoris_dora(weight: Tensor, delta: Tensor, scale: Tensor, strength: float) -> Tensor:
    """LyCORIS' DoRA, whose strength is how far the way to it is gone, as A1111 and ComfyUI go it."""
    whole = weight + delta
    by_input = scale.dim() > 1 and scale.shape[0] == 1 and scale.shape[1] == weight.shape[1]
    kept = 1 if by_input and weight.shape[0] != 1 else 0
    others = [d for d in range(weight.dim()) if d != kept]
    shape = [weight.shape[kept] if d == kept else 1 for d in range(weight.dim())]
    norm = torch.linalg.vector_norm(whole, dim=others, keepdim=True) + _EPS
    whole = whole * (scale.reshape(shape) / norm)
    return whole if strength == 1 else weight + strength * (whole - weight)


def _peft_dora(whole: Tensor, magnitude: Tensor) -> Tensor:
    """PEFT's DoRA, whose strength is the LoRA's inside it."""
    norm = torch.linalg.vector_norm(whole.flatten(1), dim=1).clamp_min(_EPS)
    return whole * (magnitude.flatten() / norm).reshape(-1, *[1] * (whole.dim() - 1))


def _lora(roles: Roles) -> Tensor:
    up, down = roles["up"].flatten(1), roles["down"].flatten(1)
    if "mid" in roles:
        return torch.einsum("oi,ij...,jc->oc...", up, roles["mid"], down).flatten(1)
    return up @ down


def _loha(roles: Roles) -> Tensor:
    return _half(roles, "hada", "1") * _half(roles, "hada", "2")


def _lokr(roles: Roles) -> Tensor:
    return torch.kron(_half(roles, "lokr", "1"), _half(roles, "lokr", "2"))


def _half(roles: Roles, method: str, number: str) -> Tensor:
    """One of the two factors as a matrix, whose columns are windows."""
    stem = f"{method}_w{number}"
    if stem in roles:
        return roles[stem].flatten(1)
    a, b, core = roles[f"{stem}_a"], roles[f"{stem}_b"], roles.get(f"{method}_t{number}")
    if core is None:
        return a @ b
    return torch.einsum("ij...,jc,io->oc...", core, b, a).flatten(1).contiguous()


def _embedding(roles: Roles) -> Tensor:
    return (roles["embedding_up"] @ roles["embedding_down"]).T


_PRODUCTS: Mapping[str, Callable[[Roles], Tensor]] = {
    "lora": _lora,
    "loha": _loha,
    "lokr": _lokr,
    "embedding": _embedding,
}
