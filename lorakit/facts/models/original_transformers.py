"""A transformer under its authors' names in one file, alone or with what belongs to it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from lorakit.facts.files.gguf_header import SUFFIX
from lorakit.facts.files.weights_header import WeightsHeader as Header
from lorakit.facts.models.model_configs import ModelError
from lorakit.families import FAMILIES, Family
from lorakit.families.layers import Shapes
from lorakit.families.original import Original

PREFIX = "model.diffusion_model."
_VAES = ("first_stage_model.", "vae.")
_TEXTS = re.compile(r"text_encoders\.(\w+)\.transformer\.")
_OTHERS = ("text_encoders.", "cond_stage_model.", "conditioner.", "model_ema.", *_VAES)
# what a file holds that multiplies numbers before they are used, in a way that diffusers does not know
_SCALED = re.compile(
    r"(^|\.)(scaled_fp8|scale_weight|weight_scale|comfy_quant|scale_input)$|\.quant_state\."
)
# kinds of GGUF that diffusers reads
READ = frozenset((
    "F32", "F16", "BF16", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_NL", "IQ4_XS",
    "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0",
))  # fmt: skip


class Transformer(NamedTuple):
    """What tensors tell: the family, its shapes by the authors' names, and the parts that the file holds."""

    family: Family
    shapes: Shapes
    held: frozenset[str]


def transformer_in(file: Path, header: Header, wanted: str) -> Transformer | None:
    """The transformer of a file, None where it has none that is known. Raises ModelError.

    `wanted` is the class of the pipeline that its other parts are of, which tells apart what has the same
    tensors.
    """
    shapes = {
        name.removeprefix(PREFIX): tensor.shape
        for name, tensor in header.tensors.items()
        if not name.startswith(_OTHERS)
    }
    found = [
        family
        for family in FAMILIES.values()
        if family.original and all(mark in shapes for mark in family.original.marks)
    ]
    if not found:
        return None
    _check(file, header)
    low = file.stem.lower()
    named = (f for f in reversed(found) if any(word in low for word in f.called))
    of_class = (f for f in found if wanted in f.classes)
    family = next(of_class, None) or next(named, found[0])
    return Transformer(family, shapes, frozenset(_held(header, family)))


def _held(header: Header, family: Family) -> Iterator[str]:
    yield family.denoiser
    if any(name.startswith(_VAES) for name in header.tensors):
        yield "vae"
    original = original_of(family)
    called = {found[1] for name in header.tensors if (found := _TEXTS.match(name))}
    yield from (part for name, part in original.texts.items() if name in called)


def original_of(family: Family) -> Original:
    """How files of a family are read."""
    assert family.original is not None
    return family.original


def _check(file: Path, header: Header) -> None:
    scaled = next(filter(_SCALED.search, header.tensors), None)
    if scaled is not None:
        raise ModelError(
            f"{file} is quantised in a way that diffusers does not read: it has {scaled}",
            "take its bf16, fp16 or plain fp8 form, or a GGUF file",
        )
    if file.suffix == SUFFIX:
        other = next((t.dtype for t in header.tensors.values() if t.dtype not in READ), None)
        if other is not None:
            raise ModelError(
                f"{file} has weights of kind {other}, which diffusers does not read",
                "it reads Q4_0 to Q8_0, Q2_K to Q6_K, IQ4_NL and IQ4_XS: Q4_K_S or Q8_0 are common",
            )


def config_of(file: Path, found: Transformer, base: Mapping[str, Any]) -> dict[str, Any]:
    """The transformer's configuration: `base` with what its tensors tell. Raises ModelError."""
    original, family = original_of(found.family), found.family
    try:
        config = {**base, **original.config(found.shapes)}
    except (LookupError, ValueError) as error:
        raise ModelError(
            f"{file} is no whole transformer of {family.title}: it lacks {error}"
        ) from error
    wanted = sum(map(math.prod, family.shapes(config).values()))
    there = count_of(found)
    if wanted and wanted != there:
        raise ModelError(
            f"the transformer of {file} is of another build than {family.title}: "
            f"it has {there:,} parameters, where {wanted:,} are expected"
        )
    return config


def count_of(found: Transformer) -> int:
    """How many parameters the transformer has."""
    buffers = original_of(found.family).buffers
    return sum(math.prod(shape) for name, shape in found.shapes.items() if name not in buffers)


def bytes_of(header: Header) -> int:
    """The bytes of its weights as they are kept."""
    return sum(tensor.end - tensor.start for tensor in header.tensors.values())
