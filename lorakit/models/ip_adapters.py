"""IP-Adapters, put on a pipeline's UNet and taken off again by diffusers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.facts.machine.devices import HOST

_PARTS = ("image_proj", "ip_adapter")


class WornIpAdapter:
    """What one pipeline's UNet sees pictures through: nothing at first."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._file = ""

    def wear(self, file: str, scales: Sequence[float]) -> None:
        """Put the IP-Adapter of a file on; each picture weighs its scale. Raises LorakitError."""
        if file != self._file:
            self.take_off()
            self._file = file
            self._load(Path(file))
        alike = len(set(scales)) == 1
        # pictures that weigh differently are looked at one by one
        self._pipeline.set_ip_adapter_scale(scales[0] if alike else [list(scales)])

    def _load(self, file: Path) -> None:
        try:
            self._pipeline.load_ip_adapter(
                weights_of(file),
                subfolder="",
                weight_name="",
                image_encoder_folder=None,
                low_cpu_mem_usage=False,  # which would leave out what a file lacks
            )
        except (ValueError, RuntimeError, LookupError, TypeError) as error:
            self.take_off()
            raise LorakitError(f"the IP-Adapter in {file} cannot be loaded: {error}") from error

    def take_off(self) -> None:
        """Leave the UNet as it was."""
        if self._file:
            self._pipeline.unload_ip_adapter()
            self._file = ""


def weights_of(file: Path) -> dict[str, dict[str, Tensor]]:
    """The tensors of a file by part, as diffusers takes them. Raises LorakitError."""
    parts: dict[str, dict[str, Tensor]] = {part: {} for part in _PARTS}
    try:
        with safe_open(file, framework="pt", device=HOST) as opened:
            for key in opened.keys():  # noqa: SIM118 - no mapping
                part, _, name = key.partition(".")
                if part in parts:
                    parts[part][name] = opened.get_tensor(key)
    except (OSError, SafetensorError) as error:
        raise LorakitError(f"the IP-Adapter in {file} cannot be loaded: {error}") from error
    return parts


def seen_by(pipeline: Any, embeds: Sequence[tuple[Tensor, Tensor]], *, guided: bool) -> Tensor:
    """What a call is given of pictures, (embeds, those of none) each, for frames of its precision.

    (1, pictures, numbers) or (1, pictures, places, numbers); where a step is two passes, those of none before
    them.
    """
    pictures = torch.cat([one for one, _ in embeds], dim=1)
    none = torch.cat([one for _, one in embeds], dim=1)
    both = torch.cat([none, pictures]) if guided else pictures
    return both.to(dtype=pipeline.unet.dtype)
