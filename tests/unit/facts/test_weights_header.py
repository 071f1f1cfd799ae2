"""Headers of safetensors files: believed where sound, held against the library that owns the format."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from lorakit.facts.files.weights_header import WeightsError, weights_header

ONE = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}


def written(path: Path, header: Any, data: int = 8, *, length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(
        struct.pack("<Q", len(text) if length is None else length) + text + b"\0" * data
    )
    return path


def test_a_header_is_what_the_library_reads(tmp_path: Path) -> None:
    tensors = {
        "a": torch.ones(2, 3, dtype=torch.bfloat16),
        "b.weight": torch.ones(4).to(torch.float8_e4m3fn),
        "c": torch.tensor(4.0),
        "empty": torch.ones(0, 3),
        "n": torch.arange(3),
    }
    file = tmp_path / "x.safetensors"
    save_file(tensors, file, {"format": "pt", "é": "ß"})
    header = weights_header(file)
    assert header.metadata == {"format": "pt", "é": "ß"}
    assert header.shapes == {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    with safe_open(str(file), framework="pt") as opened:
        for name, tensor in header.tensors.items():
            assert tensor.dtype == opened.get_slice(name).get_dtype()
            raw = file.read_bytes()[tensor.start : tensor.end]
            assert raw == tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes()


NESTED = b'{"a":' * 400 + b"1" + b"}" * 400
UNSOUND: dict[str, tuple[Any, int]] = {
    "not json": (b"{]", 0),
    "a list": ([1], 0),
    "a number": (b"17", 0),
    "null": (b"null", 0),
    "not utf-8": (b'{"\xff": 1}', 0),
    "half a character": (b'{"\\ud800": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}', 8),
    "deep": (b"[" * 100_000, 0),
    "less deep": (NESTED, 0),
    "deep inside a tensor": ({"x": {**ONE, "shape": json.loads("[" * 300 + "]" * 300)}}, 8),
    "twice": (b'{"x": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}, "x": 1}', 8),
    "a field twice": (
        b'{"x": {"dtype": "F32", "dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}',
        8,
    ),
    "a list for a tensor": ({"x": [1, 2]}, 8),
    "null for a tensor": ({"x": None}, 8),
    "no dtype": ({"x": {"shape": [2], "data_offsets": [0, 8]}}, 8),
    "another dtype": ({"x": {**ONE, "dtype": "F33"}}, 8),
    "a list for a dtype": ({"x": {**ONE, "dtype": ["F32"]}}, 8),
    "a text for a shape": ({"x": {**ONE, "shape": "2"}}, 8),
    "a negative shape": ({"x": {**ONE, "shape": [-2]}}, 8),
    "a shape that is no whole number": (b'{"x":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}', 8),
    "true for a shape": ({"x": {**ONE, "shape": [True, 2]}}, 8),
    "NaN for a shape": (b'{"x":{"dtype":"F32","shape":[NaN],"data_offsets":[0,8]}}', 8),
    "a huge shape": ({"x": {**ONE, "shape": [10**30, 10**30]}}, 8),
    "a number of 5000 digits": (b'{"x":{"dtype":"F32","shape":[' + b"9" * 5000 + b"]}}", 8),
    "one offset": ({"x": {**ONE, "data_offsets": [0]}}, 8),
    "negative offsets": ({"x": {**ONE, "data_offsets": [-8, 0]}}, 8),
    "backwards": ({"x": {**ONE, "data_offsets": [8, 0]}}, 8),
    "overlapping": ({"x": ONE, "y": {**ONE, "data_offsets": [4, 12]}}, 12),
    "the same bytes twice": ({"x": ONE, "y": ONE}, 8),
    "a hole": ({"x": {**ONE, "data_offsets": [4, 12]}}, 12),
    "too few bytes": ({"x": {**ONE, "shape": [3]}}, 8),
    "cut short": ({"x": ONE}, 7),
    "bytes behind": ({"x": ONE}, 9),
    "no text in metadata": ({"__metadata__": {"a": 1}, "x": ONE}, 8),
    "a list of metadata": ({"__metadata__": ["a"], "x": ONE}, 8),
}  # fmt: skip


@pytest.mark.parametrize("what", UNSOUND)
def test_a_header_that_is_not_sound_is_told_in_words(tmp_path: Path, what: str) -> None:
    header, data = UNSOUND[what]
    file = written(tmp_path / "ink.safetensors", header, data)
    with pytest.raises(
        WeightsError, match=r"ink\.safetensors is (not a safetensors file|damaged): "
    ):
        weights_header(file)
    # only in what JSON's own rules leave open is the library more lenient
    if what not in ("twice", "a field twice", "less deep", "deep inside a tensor"):
        with pytest.raises((SafetensorError, ValueError)), safe_open(str(file), framework="pt"):
            pass


@pytest.mark.parametrize("length", [0, 1, 9, 2**40, 2**63, 2**64 - 1])
def test_a_header_of_impossible_length_is_told(tmp_path: Path, length: int) -> None:
    file = written(tmp_path / "ink.safetensors", b"{}", 0, length=length)
    with pytest.raises(WeightsError, match="no whole header"):
        weights_header(file)
    for short in (b"", b"1234567"):
        file.write_bytes(short)
        with pytest.raises(WeightsError, match="no whole header"):
            weights_header(file)


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.safetensors")
    for path in (tmp_path / "fifo.safetensors", tmp_path):
        with pytest.raises(WeightsError, match="no file with weights"):
            weights_header(path)


def test_a_tensor_s_name_of_a_million_letters_is_not_printed_whole(tmp_path: Path) -> None:
    file = written(tmp_path / "ink.safetensors", {"x" * 1_000_000: {**ONE, "shape": [3]}})
    with pytest.raises(WeightsError) as found:
        weights_header(file)
    assert len(str(found.value)) < 1000
