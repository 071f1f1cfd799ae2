"""Where the simulated accelerator is registered with torch, and made known to lorakit and accelerate."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode

from tests.support.simulated import DEVICE, NAME, Accelerator, Factories, OnDevice
from tests.support.simulated_attention import register_attention
from tests.support.simulated_autocast import register_autocast


class _Module:
    """What `torch.simulated` is."""

    def is_initialized(self) -> bool:
        return True

    def is_available(self) -> bool:
        return DEVICE.there

    def current_device(self) -> int:
        return 0

    def set_device(self, _: Any) -> None:
        pass

    def _is_in_bad_fork(self) -> bool:
        return False

    def manual_seed_all(self, seed: int) -> None:
        pass

    manual_seed = manual_seed_all

    def device_count(self) -> int:
        return 1

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]

    def max_memory_allocated(self, _: Any = None) -> int:
        return 1 << 20

    def get_device_name(self, _: Any = None) -> str:
        return "Simulated"

    def empty_cache(self) -> None:
        pass

    def synchronize(self, _: Any = None) -> None:
        DEVICE.wait("synchronize")


def _empty(size: Any, stride: Any, **options: Any) -> OnDevice:
    """What torch makes behind the back of every mode, as for `torch.tensor` of a list."""
    with DEVICE.fake or contextlib.nullcontext():
        return OnDevice(torch.empty_strided(size, stride, **{**options, "device": "cpu"}))


def _filled(source: Tensor, target: OnDevice, _: bool = False) -> OnDevice:
    if DEVICE.fake is None:
        target.held.copy_(source.held if isinstance(source, OnDevice) else source)
    return target


_libraries: list[Any] = []


def register() -> None:
    from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

    if hasattr(torch, NAME):
        return
    _setup_privateuseone_for_python_backend(NAME, backend_module=_Module())
    register_autocast(NAME)
    register_attention()
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    library.impl("empty_strided", _empty, "PrivateUse1")
    library.impl("_copy_from", _filled, "PrivateUse1")
    _libraries.append(library)


@contextlib.contextmanager
def accelerator(*, values: bool = True) -> Iterator[Accelerator]:
    """The device, as long as it is there: `torch.device("simulated")`."""
    register()
    DEVICE.there, DEVICE.waits = True, []
    DEVICE.fake = None if values else FakeTensorMode()
    try:
        with Factories():
            yield DEVICE
    finally:
        DEVICE.there, DEVICE.fake = False, None


@contextlib.contextmanager
def product_on_accelerator(*, values: bool = True) -> Iterator[Accelerator]:
    """The same, known to lorakit as a device that can what CUDA's can, and to accelerate as the one there is."""
    from unittest.mock import PropertyMock, patch

    from accelerate.state import AcceleratorState, PartialState

    from lorakit.facts.machine.devices import CUDA, DEVICES

    register()
    known = {NAME: DEVICES[CUDA]._replace(name=NAME)}
    one = PropertyMock(return_value=torch.device(NAME, 0))
    AcceleratorState._reset_state(reset_partial_state=True)
    try:
        with (
            patch.dict(DEVICES, known),
            patch.object(PartialState, "default_device", one),
            accelerator(values=values) as device,
        ):
            yield device
    finally:
        AcceleratorState._reset_state(reset_partial_state=True)
