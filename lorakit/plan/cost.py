"""What an action costs, as its kind counts it from shapes; `estimate` turns it into seconds."""

from __future__ import annotations

from lorakit.plan.memory_modes import MemoryMode
from lorakit.records import record


@record
class Cost:
    """Of a unit of an action's work `operations` (floating-point), of all of it bytes of memory and disk.

    `timing` is the name under which seconds a unit are remembered here; `seconds` guesses them where no
    operations are counted. `memory` is the peak of one process, 0 where it is not known, and `processes` how
    many of them share a machine's memory. `passing_disk` is free again at the end. `speedup` is how much
    better than a UNet's steps this work fills matrix units. `mode` is how a model is kept in that memory.
    """

    timing: str
    operations: float = 0.0
    precision: str = "fp32"
    speedup: float = 1.0
    seconds: float = 0.01
    memory: int = 0
    processes: int = 1
    disk: int = 0
    passing_disk: int = 0
    mode: MemoryMode | None = None


def assembly_cost(kind: str, units: int, height: int | None = None) -> Cost:
    """Of a film, a sheet or a table."""
    return Cost(f"{kind}|{height}", disk=40_000 * max(1, units // 24))
