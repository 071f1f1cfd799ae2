"""An accelerator that nobody needs to own: a device of torch's own kind, registered in Python alone.

Its tensors hold what they stand for on the CPU, either values (what is computed then equals the CPU's) or, with
`values=False`, torch's fake tensors: shapes and types without a number, of which the largest networks fit
anywhere. As on a GPU, an operation that mixes devices is an error, but for single numbers of the CPU's; and
whatever has the host wait for the device is noted with the line that asked.
"""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing

from tests.support.simulated_attention import (
    FUSED,
    FUSED_BACKWARD,
    attention,
    backward,
    forward,
)

NAME = "simulated"
_ATEN = torch.ops.aten
# what a GPU must finish before the host knows how much memory its result takes
_OF_UNKNOWN_SIZE = {
    _ATEN.nonzero.default,
    _ATEN.masked_select.default,
    _ATEN._unique2.default,
    _ATEN.unique_consecutive.default,
    _ATEN.repeat_interleave.Tensor,
    _ATEN.equal.default,
}
_MASKS = (torch.bool, torch.uint8)
_LARGE = 1 << 16  # elements, of which a copy without values is no memory of its own


class Wait(NamedTuple):
    """The host waited for the device: for `what`, asked for at `places`, innermost first ("file.py:function")."""

    what: str
    places: tuple[str, ...]


class Accelerator:
    """The one device; `waits` are those since they were last cleared."""

    def __init__(self) -> None:
        self.there = False
        self.fake: FakeTensorMode | None = None
        self.waits: list[Wait] = []

    def wait(self, what: str) -> None:
        """Note a wait."""
        frames = traceback.extract_stack(limit=60)
        places = [f"{_short(frame.filename)}:{frame.name}" for frame in reversed(frames)]
        self.waits.append(Wait(what, tuple(p for p in places if not p.startswith("torch/"))))


DEVICE = Accelerator()


def _short(file: str) -> str:
    for part in ("site-packages/", "/tests/", "/lorakit/"):
        _, found, rest = file.rpartition(part)
        if found:
            return rest if part == "site-packages/" else part.strip("/") + "/" + rest
    return file


class OnDevice(Tensor):
    """A tensor on the device; `held` is what it stands for, on the CPU."""

    held: Tensor
    __torch_function__ = torch._C._disabled_torch_function_impl

    @staticmethod
    def __new__(cls, held: Tensor) -> Self:
        # a view of a weight is none of inference mode's tensors, even there
        with torch.inference_mode(mode=False), torch.no_grad():
            made = Tensor._make_wrapper_subclass(
                cls,
                held.shape,
                strides=held.stride(),
                storage_offset=held.storage_offset(),
                dtype=held.dtype,
                layout=held.layout,
                device=torch.device(NAME, 0),
            )
        made.held = held
        return made

    def __repr__(self) -> str:
        return f"OnDevice({tuple(self.shape)}, {self.dtype})"

    def __tensor_flatten__(self) -> tuple[list[str], None]:
        return ["held"], None

    @staticmethod
    def __tensor_unflatten__(inner: dict[str, Tensor], _: Any, __: Any, ___: Any) -> OnDevice:
        return OnDevice(inner["held"])

    def tolist(self) -> Any:
        """As any tensor's: a copy to the CPU."""
        return self.cpu().tolist()

    @property
    def data(self) -> Tensor:
        """As any tensor's."""
        return Tensor.data.__get__(self)

    @data.setter
    def data(self, other: Tensor) -> None:
        assert isinstance(other, OnDevice), "a tensor of the device becomes one of the CPU"
        Tensor.data.__set__(self, other)
        self.held = other.held

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class Factories(TorchDispatchMode):
    """Sees what is made on the device, or sent there, from nothing that is there yet."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        there = any(issubclass(kind, OnDevice) for kind in types) or _is_device(
            kwargs.get("device")
        )
        if not there:
            return func(*args, **kwargs)
        if func is _ATEN.scaled_dot_product_attention.default:
            return attention(*args, **kwargs)
        if func._can_decompose():  # in inference mode, where nothing else takes it apart
            with self:
                return func.decompose(*args, **kwargs)
        return _run(func, args, kwargs)


def _is_device(told: Any) -> bool:
    return told is not None and torch.device(told).type == NAME


def _run(func: Any, args: Any, kwargs: Any) -> Any:
    """An operation that something of the device is in."""
    tensors = list(_tensors((args, kwargs)))
    there = [t for t in tensors if isinstance(t, OnDevice)]
    device = kwargs.get("device")
    if func is _ATEN._to_copy.default and device is not None and not _is_device(device):
        return _fetched(args[0], kwargs)
    if func is _ATEN.copy_.default and not isinstance(args[0], OnDevice):
        DEVICE.wait("copy to the CPU")
        return args[0].copy_(_values(args[1].held))
    sent = func in (_ATEN._to_copy.default, _ATEN.copy_.default)
    strays = [t for t in tensors if not isinstance(t, OnDevice) and t.dim()]
    if there and strays and not sent and func not in _INDEXED:
        raise RuntimeError(
            f"Expected all tensors to be on the same device, but found {NAME}:0 and cpu in {func}: "
            f"{[tuple(t.shape) for t in strays]}"
        )
    if func is _ATEN._local_scalar_dense.default:
        DEVICE.wait("a number")
        return _values(args[0].held).item()
    _note_unknown_sizes(func, args)
    given, named = _mapped(_inner, args), _mapped(_inner, kwargs)
    if _is_device(device):
        named["device"] = torch.device("cpu")
    computed = {FUSED: forward, FUSED_BACKWARD: backward}.get(func, func)
    with DEVICE.fake or contextlib.nullcontext():
        result = computed(*given, **named)
    if computed is not func:
        return _mapped(_wrapped, result)
    wrapped = _mapped(_wrapped, result)
    return return_and_correct_aliasing(func, args, kwargs, wrapped)


# a GPU takes indices from the CPU too
_INDEXED = {_ATEN.index.Tensor, _ATEN.index_put_.default, _ATEN._index_put_impl_.default}


def _note_unknown_sizes(func: Any, args: Any) -> None:
    if func in _OF_UNKNOWN_SIZE:
        DEVICE.wait(str(func))
    elif func in _INDEXED and any(t is not None and t.dtype in _MASKS for t in args[1]):
        DEVICE.wait("places of a mask")


def _tensors(value: Any) -> Iterator[Tensor]:
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, list | tuple | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _tensors(each)


def _mapped(function: Callable[[Any], Any], value: Any) -> Any:
    """torch's own tree_map takes a third of the time here."""
    if isinstance(value, list | tuple):
        return type(value)([_mapped(function, each) for each in value])
    if isinstance(value, dict):
        return {name: _mapped(function, each) for name, each in value.items()}
    return function(value)


def _wrapped(value: Any) -> Any:
    return OnDevice(value) if isinstance(value, Tensor) else value


def _inner(value: Any) -> Any:
    if isinstance(value, OnDevice):
        return value.held
    if isinstance(value, Tensor) and DEVICE.fake is not None:
        return DEVICE.fake.from_tensor(value.detach())
    return value


def _fetched(tensor: Tensor, kwargs: Any) -> Tensor:
    DEVICE.wait("copy to the CPU")
    held = tensor.held
    if DEVICE.fake is not None and held.numel() > _LARGE:
        # one number seen everywhere: weights that wait on the host would fill it otherwise
        return torch.ones((), dtype=kwargs.get("dtype") or held.dtype).expand(held.shape)
    fetched: Tensor = _ATEN._to_copy.default(_values(held), **kwargs)
    return fetched


def _values(held: Tensor) -> Tensor:
    """Ones, where there are none."""
    return torch.ones(held.shape, dtype=held.dtype) if DEVICE.fake is not None else held
