"""Devices: what each kind can stands in one table, and no other file asks for one by name."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import lorakit
from lorakit.facts.machine.devices import DEVICES, HOST

PACKAGE = Path(lorakit.__file__).parent
NAMING = {PACKAGE / "facts" / "machine" / "devices.py"}


@pytest.mark.slow
def test_no_file_but_the_table_names_a_device() -> None:
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        if path not in NAMING
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in DEVICES
    ]
    assert not found


@pytest.mark.parametrize("name", DEVICES)
def test_a_device_can_what_torch_says_it_can(name: str) -> None:
    from torch.utils._foreach_utils import _get_fused_kernels_supported_devices

    device = DEVICES[name]
    assert device.name == name
    if name != "mps":  # there since torch 2.6, and slower than the plain loop on small tensors
        assert device.fused_adamw == (name in _get_fused_kernels_supported_devices())
    assert device.operations_a_second("bf16", 4, fast_bf16=True) >= device.operations["fp32"]
    assert device.gpu == (name != HOST)
