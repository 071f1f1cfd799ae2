"""What is well and what is amiss, on this machine and in a project: findings with their ways out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.upkeep import machine_checks, project_checks
from lorakit.upkeep.condition import Condition, Examination


def examine(home: Path, tell: Callable[[str], None]) -> Iterator[Condition]:
    """Everything that can be looked at without making anything; `tell` is called with what is looked at."""
    every: dict[str, Examination] = {
        **machine_checks.EXAMINATIONS,
        **project_checks.examinations(home),
    }
    for area, look in every.items():
        tell(area)
        try:
            yield from look()
        except InvalidDocument as error:
            first = error.diagnostics[0]
            yield Condition(area, "error", first.message, first.hints)
        except LorakitError as error:
            yield Condition(area, "error", str(error), getattr(error, "hints", ()))
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            where = f"{error.filename}: " if error.filename else ""
            yield Condition(area, "error", f"{where}{reason}")
