"""Equal content, equal bytes; and the safetensors library reads them."""

from __future__ import annotations

import json

import torch

from lorakit.training import canonical

TENSORS = {
    "b": torch.arange(6, dtype=torch.float32).reshape(2, 3),
    "a": torch.tensor(2.5),
    "half": torch.ones(3, dtype=torch.bfloat16),
    "flag": torch.tensor([True, False, True]),
    "long": torch.tensor([1, 2]),
    "none": torch.zeros(0, 4),
}


def test_bytes_depend_on_content_alone(tmp_path):
    canonical.write(tmp_path / "one", TENSORS, {"x": "1", "y": "ü"})
    turned = dict(reversed(TENSORS.items()))
    canonical.write(tmp_path / "two", turned, {"y": "ü", "x": "1"})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_library_reads_what_was_written(tmp_path):
    path = tmp_path / "some.safetensors"
    canonical.write(path, TENSORS, {"x": "1"})
    tensors, metadata = canonical.read(path)
    assert metadata == {"x": "1"}
    assert tensors.keys() == TENSORS.keys()
    for name, tensor in TENSORS.items():
        assert tensors[name].dtype == tensor.dtype
        assert torch.equal(tensors[name], tensor)


def test_the_header_is_sorted_and_tensors_are_aligned(tmp_path):
    path = tmp_path / "some.safetensors"
    canonical.write(path, TENSORS)
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    assert length % 8 == 0
    assert list(header) == sorted(header)
    for name, entry in header.items():
        assert entry["data_offsets"][0] % TENSORS[name].element_size() == 0
