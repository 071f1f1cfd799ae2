"""Which files of a diffusers repository serve: one form of each network's weights, and what describes it.

A repository holds the same weights several times over: in fp32 and fp16, with and without their moving
average, as safetensors and as pickles, whole and in pieces. One form is enough.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import NamedTuple

from lorakit.facts.models.model_configs import ModelError
from lorakit.families import PARTS, STEMS

_INDEX = "model_index.json"
_FOLDERS = (*PARTS, "scheduler")
# in the order in which they are taken: what names no variant is in fp32, as a rule
_VARIANTS = ("", "fp16", "bf16")
_PIECE = r"-\d{5}-of-\d{5}"


class Weights(NamedTuple):
    """The files of one network's weights, and the variant that diffusers knows them by; "" for none."""

    files: tuple[str, ...]
    variant: str = ""


def weights_of(part: str, listing: Collection[str]) -> Weights | None:
    """The weights of a part such as `unet` among the paths of a repository; None for none that serve."""
    return named_weights(part, STEMS[part], listing)


def named_weights(part: str, file: str, listing: Collection[str]) -> Weights | None:
    """The same of a part whose weights' file has the stem `file`; an empty part is the folder itself."""
    stem = f"{part}/{file}" if part else file
    for variant in _VARIANTS:
        dotted = f".{variant}" if variant else ""
        whole = f"{stem}{dotted}.safetensors"
        if whole in listing:
            return Weights((whole,), variant)
        index = f"{stem}.safetensors.index{dotted}.json"
        if index not in listing:
            continue
        # diffusers has called pieces of a variant in two ways
        pieces = re.compile(
            rf"{re.escape(stem)}({re.escape(dotted)}{_PIECE}|{_PIECE}{re.escape(dotted)})\.safetensors"
        )
        found = sorted(name for name in listing if pieces.fullmatch(name))
        if found:
            return Weights((index, *found), variant)
    return None


def serving(listing: Collection[str]) -> tuple[str, ...]:
    """Those paths of a repository that drawing and training need, and no others."""
    chosen = [_INDEX] if _INDEX in listing else []
    for part in _FOLDERS:
        found = weights_of(part, listing) if part in STEMS else None
        chosen += sorted(name for name in listing if _describes(name, part))
        chosen += found.files if found else ()
    return tuple(dict.fromkeys(chosen))


def _describes(name: str, part: str) -> bool:
    folder, _, file = name.rpartition("/")
    return (
        folder == part
        and file.endswith((".json", ".txt", ".model", ".jinja"))
        and ".safetensors.index" not in file
        and ".bin.index" not in file
    )


def listing_of(folder: Path) -> frozenset[str]:
    """The paths of a folder on this machine, as far as parts of a pipeline have any."""
    inside = (f"{part}/{file.name}" for part in _FOLDERS for file in _files(folder / part))
    top = (file.name for file in _files(folder))
    return frozenset((*inside, *top))


def _files(folder: Path) -> Iterable[Path]:
    try:
        return [file for file in folder.iterdir() if file.is_file()]
    except OSError:
        return []


def check_weights(folder: Path, part: str, listing: Collection[str], stem: str = "") -> Weights:
    """The weights of a part, all pieces of them; their file has the part's usual stem, or another.

    Raises ModelError where there are none that are opened.
    """
    stem = stem or STEMS[part]
    found = named_weights(part, stem, listing)
    if found is None:
        others = sorted(
            name.rpartition("/")[2]
            for name in listing
            if name.rpartition("/")[0] == part
            and name.endswith((".bin", ".ckpt", ".pt", ".msgpack", ".onnx", ".safetensors"))
        )
        held = f"; it holds {', '.join(others[:3])}" if others else ""
        raise ModelError(
            f"{folder / part} has no {stem}.safetensors{held}",
            "weights are read from .safetensors files alone: other formats can hold programs",
        )
    missing = _missing_pieces(folder, found)
    if missing:
        raise ModelError(
            f"{folder / part} lacks {missing[0].rpartition('/')[2]}, a piece of its weights",
            "fetch the model anew: a download was cut off",
        )
    return found


def _missing_pieces(folder: Path, weights: Weights) -> list[str]:
    index = weights.files[0]
    if not index.endswith(".json"):
        return []
    part = index.rpartition("/")[0]
    try:
        pieces = set(json.loads((folder / index).read_text("utf-8"))["weight_map"].values())
        named = sorted(f"{part}/{piece}" if part else piece for piece in pieces)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{folder / index} cannot be read: {error}") from error
    return [name for name in named if name not in weights.files]


def source_of(folder: Path, name: str) -> str:
    """The file of a folder that has this plain name, or would have it without its variant."""
    return next(found for found in serving(listing_of(folder)) if plain_name(found) == name)


def plain_name(name: str) -> str:
    """What a whole file of weights is called where it is the only one: without its variant."""
    for variant in _VARIANTS[1:]:
        name = name.replace(f".{variant}.safetensors", ".safetensors")
    return name
