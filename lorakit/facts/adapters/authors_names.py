"""Layers of transformers by their authors' names, with dots or with underscores, as diffusers calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import accumulate

from lorakit.facts.adapters.layers import AdapterLayer, Shape
from lorakit.families import FAMILIES, Family
from lorakit.records import record


@record
class Piece:
    """A layer of diffusers' in one of its authors', whose rows are `times` as many as it reads columns."""

    path: str
    times: int


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str, Family], ...]:
    found = []
    for family in FAMILIES.values():
        for theirs in family.theirs:
            spelt = re.escape(theirs).replace(r"\{\}", r"(\d+)").replace(r"\.", "[._]")
            found.append((re.compile(spelt), theirs, family))
    return tuple(found)


def pieces_of(path: str) -> tuple[Piece, ...]:
    """The layers of diffusers that an authors' one is made of, in order; none for another name."""
    for pattern, theirs, family in _patterns():
        found = pattern.fullmatch(path)
        if found:
            number = found[1] if found.groups() else ""
            return tuple(Piece(p.format(number), times) for p, times in family.theirs[theirs])
    return ()


def made_by(path: str) -> str:
    """The family that an authors' name is of; empty for another name."""
    return next((f.title for pattern, _, f in _patterns() if pattern.fullmatch(path)), "")


def family_of(base: str, paths: Iterable[str]) -> Family | None:
    """The family of layers by diffusers' names: its base model in kohya's words tells, or they do.

    None where its authors' names are not known, or may be of several.
    """
    known = [family for family in FAMILIES.values() if family.theirs]
    told = [family for family in known if base and base.startswith(family.kohya)]
    if told or base:
        return told[0] if told else None
    own = {family.name: {p for ps in family.theirs.values() for p, _ in ps} for family in known}
    general = {re.sub(r"\.\d+\.", ".{}.", path, count=1) for path in paths}
    fitting = [family for family in known if general <= own[family.name]]
    only = any(path.startswith("single_transformer_blocks.") for path in general)
    return fitting[0] if len(fitting) == 1 and only else None


def taken_apart(
    whole: AdapterLayer, pieces: Sequence[Piece], shapes: Mapping[str, Shape]
) -> list[AdapterLayer] | str:
    """The layers of diffusers that an authors' one has, each with its rows; or why there are none."""
    if len(pieces) == 1:
        return [replace(whole, name=pieces[0].path)]
    if whole.method != "lora" or set(shapes) - {"down", "up", "alpha"}:
        return "of layers in one no more than a LoRA is read"
    ends = list(accumulate(piece.times * shapes["down"][1] for piece in pieces))
    if ends[-1] != shapes["up"][0]:
        return f"{shapes['up'][0]} rows, where {ends[-1]} are of its layers"
    return [
        replace(whole, name=piece.path, rows=(start, end))
        for piece, start, end in zip(pieces, [0, *ends], ends, strict=False)
    ]
