"""The weights whose measured loss was lowest, kept beside the checkpoints until a training is through.

    <keep>/best-00000200.safetensors    what was measured after step 200

Whichever checkpoint a killed training goes on from, the best until there is on the disk: what a later one
replaces goes only when no checkpoint before it is left.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from lorakit.store import atomic
from lorakit.store.canonical import file_digest
from lorakit.store.journal import checked, read_checked
from lorakit.training import canonical
from lorakit.training.checkpoints import Checkpoints
from lorakit.training.evaluation_log import EvaluationLog, losses_in, lowest
from lorakit.training.loop import Loop

_NAME = re.compile(r"best-([0-9]+)\.safetensors\Z")


class BestWeights:
    """The best of one training so far, in `keep`; `wanted` False keeps nothing."""

    def __init__(self, keep: Path, *, wanted: bool) -> None:
        self._keep, self._wanted = keep, wanted

    def _file(self, step: int) -> Path:
        return self._keep / f"best-{step:08d}.safetensors"

    def forget_what_cannot_be_made(self, log: Path) -> None:
        """Go on from where the best until there can be had again, or is there.

        `log` is the evaluations' file. Several processes do this at once.
        """
        if not self._wanted:
            return
        losses = losses_in(log)
        checkpoints = Checkpoints(self._keep)
        for step in checkpoints.steps():
            best = lowest(losses, step)
            # a checkpoint's own step has the weights in it
            if best is not None and best != step and not self._whole(best):
                checkpoints.path(step).unlink(missing_ok=True)

    def keep_of(self, loop: Loop, log: EvaluationLog) -> None:
        """Write the weights as they were just measured, if none before were better."""
        step = loop.step_number
        if not (self._wanted and loop.leads):
            return
        if log.best_until(step) == step and not self._whole(step):
            file = self._file(step)
            canonical.write(file, loop.measured_weights())
            record = checked({"sha256": file_digest(file)})
            atomic.write_bytes(file.with_suffix(".json"), record.encode())
        points = [step, *Checkpoints(self._keep).steps()]
        needed = {log.best_until(at) for at in points}
        for old in self._steps() - needed:
            for suffix in (".safetensors", ".json"):
                with contextlib.suppress(OSError):
                    self._file(old).with_suffix(suffix).unlink()

    def put_into(self, loop: Loop, log: EvaluationLog) -> int | None:
        """Have the loop's weights be the best ones; returns their step, None where nothing is chosen."""
        best = log.best_until(loop.step_number)
        if not self._wanted or best is None:
            return None
        if best != loop.step_number:
            loop.save()  # before the last weights are gone: a stop goes on from these
            tensors, _ = canonical.read(self._file(best))
            loop.use({n: t.to(loop.accelerator.device) for n, t in tensors.items()})
        return best

    def _steps(self) -> set[int]:
        names = (_NAME.match(path.name) for path in self._keep.glob("best-*"))
        return {int(match[1]) for match in names if match}

    def _whole(self, step: int) -> bool:
        records = list(read_checked(self._file(step).with_suffix(".json")))
        try:
            return bool(records) and records[0].get("sha256") == file_digest(self._file(step))
        except OSError:
            return False
