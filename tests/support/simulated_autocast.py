"""autocast on the simulated accelerator: torch has none for a device that is registered in Python.

Which operations compute in low precision, and which in fp32, is read from the header that torch is built by.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_map_only
from torch.utils.weak import WeakIdKeyDictionary

_KEY = torch._C.DispatchKey.AutocastPrivateUse1
_WITHOUT = torch._C.DispatchKeySet(_KEY)
_libraries: list[Any] = []
_weights: Any = WeakIdKeyDictionary()  # a weight in low precision, kept until autocast ends


def register_autocast(name: str) -> None:
    """Have `torch.autocast` of a device cast as a GPU's does."""
    library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    everything: Any = torch.library.Library("_", "IMPL")  # type: ignore[no-untyped-call]
    everything.fallback(torch.library.fallthrough_kernel, "AutocastPrivateUse1")
    for operation in _listed("LOWER_PRECISION_FP"):
        library.impl(operation, _casting(operation, name, low=True), "AutocastPrivateUse1")
    for operation in _listed("FP32"):
        library.impl(operation, _casting(operation, name, low=False), "AutocastPrivateUse1")
    _libraries.extend([library, everything])
    forget = torch.clear_autocast_cache

    def cleared() -> None:
        _weights.clear()
        forget()

    torch.clear_autocast_cache = cleared


def _listed(which: str) -> list[str]:
    header = Path(torch.__file__).parent / "include" / "ATen" / "autocast_mode.h"
    (body,) = re.findall(rf"define AT_FORALL_{which}\(_\)((?:.*\\\n)*.*\n)", header.read_text())
    entries = re.findall(r"_\((\w+)(?:, (\w+))?\)", body)
    names = [f"{base}.{overload}" if overload else base for base, overload in entries]
    return [name for name in names if _exists(name)]


def _exists(name: str) -> bool:
    return bool(torch._C._dispatch_has_kernel(f"aten::{name}")) and "lstm" not in name


def _casting(operation: str, device: str, *, low: bool) -> Callable[..., Any]:
    base, _, overload = operation.partition(".")
    called = getattr(getattr(torch.ops.aten, base), overload or "default")

    def cast(*args: Any, **kwargs: Any) -> Any:
        wanted = torch.get_autocast_dtype(device) if low else torch.float32

        def one(tensor: Tensor) -> Tensor:
            fits = tensor.is_floating_point() and tensor.dtype != torch.float64
            if not fits or tensor.dtype == wanted or tensor.device.type != device:
                return tensor
            if not (low and tensor.is_leaf and tensor.requires_grad):
                return tensor.to(wanted)
            if tensor not in _weights:
                _weights[tensor] = tensor.to(wanted)
            kept: Tensor = _weights[tensor]
            return kept

        with torch._C._ExcludeDispatchKeyGuard(_WITHOUT):
            args, kwargs = tree_map_only(Tensor, one, (args, kwargs))
            return called(*args, **kwargs)

    return cast
