"""Workers take turns on a GPU: each would put a model into its memory, and two are slower than one by one."""

from __future__ import annotations

from collections.abc import Iterable

from lorakit.execute.slots import Slot


def may_begin(slot: Slot, slots: Iterable[Slot]) -> bool:
    """Whether a slot's worker may be given work, with no other of `slots` on the GPU.

    One that has nothing more to do there makes way.
    """
    if not slot.kind.torch or slot.on_device:
        return True
    for other in slots:
        if other is slot or not other.on_device:
            continue
        if other.busy or other.waits:
            return False
        other.make_way()
    return True
