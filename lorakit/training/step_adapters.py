"""Adapters of steps along a training: written as the step ends, handed out when all is done.

<keep>/adapter-00000200/    what a kind of training writes of an adapter
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lorakit.diagnostics import LorakitError
from lorakit.store import atomic
from lorakit.store.canonical import file_digest
from lorakit.training.checkpoints import Checkpoints
from lorakit.training.loop import Loop

_WEIGHTS = ".safetensors"
_DIGESTS = "digests.json"  # written last: without it an adapter counts as torn off


class StepAdapters:
    """The adapters of the optimizer steps `at`, kept beside the checkpoints in `keep`."""

    def __init__(
        self, keep: Path, at: Sequence[int], save: Callable[[Any, Path], Mapping[str, str]]
    ) -> None:
        """`save` writes a model's adapter into a folder, the weights last."""
        self._keep, self._at, self._save = keep, sorted(at), save

    def folder(self, step: int) -> Path:
        """Where the adapter of a step is kept."""
        return self._keep / f"adapter-{step:08d}"

    def forget_what_cannot_be_made(self) -> None:
        """Go on from before the first step whose adapter is not there: no other makes it again.

        The adapter of a checkpoint's own step is made from its weights. Several processes do this at once.
        """
        checkpoints = Checkpoints(self._keep)
        missing = [at for at in self._at if not self._whole(at)]
        for step in checkpoints.steps():
            if missing and step > missing[0]:
                checkpoints.path(step).unlink(missing_ok=True)

    def keep_of(self, loop: Loop) -> None:
        """Write the adapter of the step that has just ended, if it is one of ours."""
        if loop.leads and loop.step_number in self._at:
            with loop.averaged():
                self._save(loop.single, self.folder(loop.step_number))
            names = self._files(loop.step_number)
            digests = {file.name: file_digest(file) for file in names}
            atomic.write_json(self.folder(loop.step_number) / _DIGESTS, digests)

    def _files(self, step: int) -> list[Path]:
        """What a kind of training wrote, without torn-off writes."""
        return [f for f in sorted(self.folder(step).glob("[!.]*")) if f.name != _DIGESTS]

    def _whole(self, step: int) -> bool:
        """Whether the adapter of a step is there as it was written."""
        try:
            digests = json.loads((self.folder(step) / _DIGESTS).read_bytes())
            return bool(digests) and digests == {f.name: file_digest(f) for f in self._files(step)}
        except (OSError, ValueError):
            return False

    def handed_out(self, out: Path) -> dict[str, str]:
        """Copies as outputs, `adapter_200`: the others are kept until all is done."""
        files = {}
        for step in self._at:
            if not self._whole(step):
                raise LorakitError(
                    f"the adapter of step {step} was damaged since it was kept: run again to make it anew"
                )
            for file in self._files(step):
                target = out / f"step_{step:06d}" / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(file, target)
                name = "adapter" if file.suffix == _WEIGHTS else "config"
                files[f"{name}_{step}"] = str(target)
        return files
