"""What is wrong with an adapter, in words."""

from __future__ import annotations

from collections.abc import Sequence

from lorakit.diagnostics import LorakitError
from lorakit.facts.files.weights_header import tensor_name

_SHOWN = 3  # names in a message
_READ = "docs/training.md, Elsewhere, says what is read of adapters"


class AdapterError(LorakitError):
    """An adapter cannot be used; each of `problems` says why, `hint` what would help."""

    def __init__(self, *problems: str, hint: str = _READ) -> None:
        self.problems = problems
        self.hint = hint
        super().__init__("; ".join(problems))


def listed(keys: Sequence[str]) -> str:
    """Some tensors' names, and how many there are beside them."""
    shown = ", ".join(tensor_name(key) for key in keys[:_SHOWN])
    return f"{shown} and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else shown
