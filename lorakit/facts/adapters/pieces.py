"""An adapter whose weights stand in several files: pieces with an index, as what is large is published."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from lorakit.facts.adapters.errors import AdapterError, listed
from lorakit.facts.files.weights_header import (
    TensorInfo,
    WeightsError,
    WeightsHeader,
    weights_header,
)
from lorakit.files import read_text

_INDEX = ".safetensors.index.json"
_PIECE = re.compile(r"(.+)-([0-9]{5})-of-([0-9]{5})\.safetensors\Z", re.DOTALL)
_MOST = 16 << 20  # bytes of an index
_MOST_PIECES = 1000
_ANEW = "fetch it anew: a download may have been cut off"


def in_pieces(folder: Path, name: str) -> Path | None:
    """What stands for the pieces of a weights file of that name: their index, or the first of them."""
    stem = name.removesuffix(".safetensors")
    index = folder / f"{stem}{_INDEX}"
    if index.is_file():
        return index
    return next(
        iter(sorted(folder.glob(f"{stem}-[0-9][0-9][0-9][0-9][0-9]-of-*.safetensors"))), None
    )


def is_piece(file: Path) -> bool:
    """Whether a file is an index, or one of several pieces."""
    match = _PIECE.match(file.name)
    return file.name.endswith(_INDEX) or (match is not None and int(match[3]) > 1)


def whole_name(file: Path) -> str:
    """What the weights would be called in one file."""
    match = _PIECE.match(file.name)
    stem = match[1] if match else file.name.removesuffix(_INDEX)
    return f"{stem}.safetensors" if is_piece(file) else file.name


def header_of(file: Path) -> WeightsHeader:
    """A file's header; of an index, or of one piece, that of all pieces. Raises AdapterError, OSError."""
    if not is_piece(file):
        return _header(file)
    told = _weight_map(file) if file.name.endswith(_INDEX) else {}
    pieces = sorted(set(told.values())) if told else list(_beside(file))
    lacking = [name for name in pieces if not (file.parent / name).is_file()]
    if lacking:
        raise AdapterError(
            f"{file.parent} lacks pieces of its adapter: {listed(lacking)}", hint=_ANEW
        )
    tensors: dict[str, TensorInfo] = {}
    metadata: dict[str, str] = {}
    for name in pieces:
        piece = file.parent / name
        header = _header(piece)
        twice = sorted(tensors.keys() & header.tensors.keys())
        other = sorted(key for key in header.tensors if told and told.get(key) != name)
        if twice or other:
            raise AdapterError(
                f"{piece} has tensors that another piece has: {listed(twice)}"
                if twice
                else f"{piece} has tensors that {file.name} says nothing of: {listed(other)}",
                hint=_ANEW,
            )
        tensors |= {key: replace(info, file=piece) for key, info in header.tensors.items()}
        metadata |= header.metadata
    missing = sorted(told.keys() - tensors.keys())
    if missing:
        raise AdapterError(
            f"{file} names tensors that are in no piece: {listed(missing)}", hint=_ANEW
        )
    return WeightsHeader(tensors, metadata)


def _header(file: Path) -> WeightsHeader:
    try:
        return weights_header(file)
    except WeightsError as error:
        raise AdapterError(str(error), hint=_ANEW) from error


def _beside(file: Path) -> Iterator[str]:
    """All pieces that must be there, by one of them."""
    match = _PIECE.match(file.name)
    assert match
    count = int(match[3])
    if count > _MOST_PIECES:
        raise AdapterError(f"{file} says that it is one of {count:,} pieces", hint=_ANEW)
    for number in range(1, count + 1):
        yield f"{match[1]}-{number:05d}-of-{match[3]}.safetensors"


def _weight_map(index: Path) -> Mapping[str, str]:
    """Which piece each tensor is in. Raises AdapterError where an index is not as it must be."""
    try:
        told = json.loads(read_text(index, _MOST))
    except (ValueError, RecursionError) as error:
        raise AdapterError(f"{index} is no JSON that can be read", hint=_ANEW) from error
    found = told.get("weight_map") if isinstance(told, dict) else None
    if (
        not isinstance(found, dict)
        or not found
        or not all(isinstance(name, str) and _is_plain(name) for name in found.values())
    ):
        raise AdapterError(
            f"{index} has no weight_map that says which file a tensor is in", hint=_ANEW
        )
    return found


def _is_plain(name: str) -> bool:
    """Whether it is a file's name, and no way into another folder."""
    return name.endswith(".safetensors") and not set(name) & set("/\\\0")
