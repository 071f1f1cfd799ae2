"""Who else is told of a training: TensorBoard, Weights & Biases, MLflow, through accelerate."""

from __future__ import annotations

import os
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

PROJECT = "lorakit"


class Trackers:
    """Trackers by accelerate's names, whose files go into `folder`; one that fails ends no training."""

    def __init__(
        self, accelerator: Any, folder: Path | None, config: Mapping[str, Any], title: str
    ) -> None:
        self._accelerator = accelerator
        self._on = bool(accelerator.log_with) and folder is not None
        if not self._on or folder is None or not accelerator.is_main_process:
            return
        folder.mkdir(parents=True, exist_ok=True)
        # nothing leaves this machine unless the user's own environment says so
        os.environ.setdefault("WANDB_MODE", "offline")
        os.environ.setdefault("WANDB_SILENT", "true")
        os.environ.setdefault("WANDB_DIR", str(folder))
        # a folder, since a run folder is copied and looked into; it wants to be allowed
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        os.environ.setdefault("MLFLOW_TRACKING_URI", (folder / "mlruns").as_uri())
        flat = {k: v for k, v in config.items() if isinstance(v, int | float | str | bool)}
        own = {"wandb": {"name": title}, "mlflow": {"run_name": title}}
        self._try(accelerator.init_trackers, PROJECT, flat, own)

    def tell(self, values: Mapping[str, float], step: int) -> None:
        """Figures of an optimizer step, counted from 1."""
        self._try(self._accelerator.log, dict(values), step)

    def close(self) -> None:
        """Write out what is held back."""
        for tracker in self._accelerator.trackers if self._on else ():
            self._try(tracker.finish)

    def _try(self, what: Any, *values: Any) -> None:
        if not self._on:
            return
        try:
            what(*values)
        except Exception:  # noqa: BLE001 - libraries of others, and hours of work to lose
            traceback.print_exc()
            self._on = False
