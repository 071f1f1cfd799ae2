"""Adapters of every method with random weights, and what they change worked out by hand in numpy."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Arrays = dict[str, np.ndarray]
METHODS = (
    "lora",
    "lora-tucker",
    "loha",
    "loha-tucker",
    "lokr",
    "lokr-both",
    "lokr-whole",
    "lokr-tucker",
    "diff",
)


def make(method: str, shape: tuple[int, ...], rng: np.random.Generator, rank: int = 3) -> Arrays:
    """Tensors of a method under LyCORIS' names for a weight of this shape."""
    out, into, *window = shape
    area, dims = int(np.prod(window)), len(window)

    def some(*sizes: int) -> np.ndarray:
        return rng.normal(size=sizes).astype(np.float32) * 0.3

    if method == "diff":
        return {"diff": some(*shape), "diff_b": some(out)}
    if method == "lora":
        return {
            "lora_down.weight": some(rank, into, *window),
            "lora_up.weight": some(out, rank, *[1] * dims),
        }
    if method == "lora-tucker":
        return {
            "lora_down.weight": some(rank, into, 1, 1),
            "lora_mid.weight": some(rank, rank, *window),
            "lora_up.weight": some(out, rank, 1, 1),
        }
    if method == "loha":
        return {
            f"hada_w{n}_{side}": some(*((out, rank) if side == "a" else (rank, into * area)))
            for n in "12"
            for side in "ab"
        }
    if method == "loha-tucker":
        found = {f"hada_t{n}": some(rank, rank, *window) for n in "12"}
        return found | {
            f"hada_w{n}_{side}": some(rank, out if side == "a" else into)
            for n in "12"
            for side in "ab"
        }
    few_out, few_in = 4, 4  # how LoKr splits both sides
    large_out, large_in = out // few_out, into // few_in
    small = {"lokr_w1": some(few_out, few_in)}
    if method == "lokr-both":
        small = {"lokr_w1_a": some(few_out, rank), "lokr_w1_b": some(rank, few_in)}
    if method == "lokr-whole":
        return small | {"lokr_w2": some(large_out, large_in, *window)}
    if method == "lokr-tucker":
        return small | {
            "lokr_t2": some(rank, rank, *window),
            "lokr_w2_a": some(rank, large_out),
            "lokr_w2_b": some(rank, large_in),
        }
    return small | {"lokr_w2_a": some(large_out, rank), "lokr_w2_b": some(rank, large_in * area)}


def by_hand(tensors: Mapping[str, np.ndarray], shape: tuple[int, ...], alpha: float | None, rank: int = 3) -> np.ndarray:  # fmt: skip
    """What these tensors add to a weight, in fp64, from the papers' formulas."""
    t = {name: value.astype(np.float64) for name, value in tensors.items()}
    scale = 1.0 if alpha is None else alpha / rank
    if "diff" in t:
        return t["diff"]
    if "lora_mid.weight" in t:
        up, down = t["lora_up.weight"][:, :, 0, 0], t["lora_down.weight"][:, :, 0, 0]
        delta = np.zeros(shape)
        for y in range(shape[2]):
            for x in range(shape[3]):
                delta[:, :, y, x] = up @ t["lora_mid.weight"][:, :, y, x] @ down
        return scale * delta
    if "lora_up.weight" in t:
        up, down = t["lora_up.weight"], t["lora_down.weight"]
        return scale * (up.reshape(len(up), -1) @ down.reshape(len(down), -1)).reshape(shape)
    if "hada_t1" in t:
        halves = [_tucker(t[f"hada_t{n}"], t[f"hada_w{n}_a"], t[f"hada_w{n}_b"]) for n in "12"]
        return scale * halves[0] * halves[1]
    if "hada_w1_a" in t:
        halves = [(t[f"hada_w{n}_a"] @ t[f"hada_w{n}_b"]).reshape(shape) for n in "12"]
        return scale * halves[0] * halves[1]
    small = t["lokr_w1"] if "lokr_w1" in t else t["lokr_w1_a"] @ t["lokr_w1_b"]
    large_shape = (shape[0] // len(small), shape[1] // small.shape[1], *shape[2:])
    if "lokr_w2" in t:
        large = t["lokr_w2"]
        scale = 1.0 if "lokr_w1" in t else scale
    elif "lokr_t2" in t:
        large = _tucker(t["lokr_t2"], t["lokr_w2_a"], t["lokr_w2_b"])
    else:
        large = t["lokr_w2_a"] @ t["lokr_w2_b"]
    large = large.reshape(large_shape)
    delta = np.zeros(shape)
    rows, columns = large_shape[:2]
    for i in range(len(small)):
        for j in range(small.shape[1]):
            delta[i * rows : (i + 1) * rows, j * columns : (j + 1) * columns] = small[i, j] * large
    return scale * delta


def _tucker(core: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    found = np.zeros((a.shape[1], b.shape[1], *core.shape[2:]))
    for y in range(core.shape[2]):
        for x in range(core.shape[3]):
            found[:, :, y, x] = a.T @ core[:, :, y, x] @ b
    return found
