"""What the training stages share: device, checkpoints, the moving average, pools and logs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.training_utils import EMAModel
from PIL import Image, ImageDraw
from torch import Tensor, nn

# the first scenes of a pool: the UNet is never trained on them, and they stay as they are, without crowds
UNET_HELD_OUT = 256


def choose_device(name: str) -> torch.device:
    """``auto`` takes a GPU where there is one."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(name)


def set_up_torch(seed: int) -> None:
    """Seed, and flush denormals: Adam on a CPU slows down many times on them."""
    torch.manual_seed(seed)
    torch.set_flush_denormal(True)


class Ema:
    """diffusers' moving average of a module's weights, which checkpoints hold by their names."""

    def __init__(self, module: nn.Module, decay: float) -> None:
        self.names = [name for name, _ in module.named_parameters()]
        self.average = EMAModel(module.parameters(), decay=decay, foreach=True)

    def update(self, module: nn.Module) -> None:
        """Move the averages towards the module's weights."""
        self.average.step(module.parameters())

    def state(self) -> dict[str, Any]:
        """Give what a checkpoint needs."""
        weights = dict(zip(self.names, self.average.shadow_params, strict=True))
        return {"steps": self.average.optimization_step, "weights": weights}

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's averages."""
        weights = [state["weights"][name] for name in self.names]
        self.average.load_state_dict(
            {"optimization_step": state["steps"], "shadow_params": weights}
        )

    @contextmanager
    def applied_to(self, module: nn.Module) -> Iterator[None]:
        """Within the block the module has the averaged weights."""
        self.average.store(module.parameters())
        self.average.copy_to(module.parameters())
        try:
            yield
        finally:
            self.average.restore(module.parameters())


def save_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write beside and rename: a checkpoint is whole or absent."""
    beside = path.with_suffix(".tmp")
    torch.save(state, beside)
    beside.replace(path)


def load_checkpoint(path: Path) -> dict[str, Any]:
    """Tensors and plain values only; nothing in the file is executed."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


def open_pool(folder: Path) -> np.ndarray:
    """The pictures of a pool, (N, 128, 128, 3) uint8, mapped rather than read."""
    pictures: np.ndarray = np.load(folder / "pictures.npy", mmap_mode="r")
    return pictures


def to_pictures(rows: np.ndarray, device: torch.device) -> Tensor:
    """uint8 (B, H, W, 3) -> float (B, 3, H, W) in -1..1, channels last in memory."""
    batch = torch.from_numpy(np.array(rows)).to(device)
    return batch.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def log_line(path: Path, **values: Any) -> None:
    """Append one JSON line to a log, and print it."""
    line = json.dumps(values)
    with path.open("a", encoding="utf-8") as log:
        log.write(line + "\n")
    print(line, flush=True)


def label_sheet(pictures: Sequence[Image.Image], texts: Sequence[str], columns: int) -> Image.Image:
    """Set pictures in a grid, each over its text."""
    width, height = pictures[0].width + 24, pictures[0].height + 50
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "white")
    draw = ImageDraw.Draw(sheet)
    for number, (picture, text) in enumerate(zip(pictures, texts, strict=True)):
        left, top = number % columns * width, number // columns * height
        sheet.paste(picture, (left + 12, top))
        lines = "\n".join(textwrap.wrap(text, 27)[:4])
        draw.multiline_text((left + 4, top + picture.height + 1), lines, "black", spacing=0)
    return sheet


class Pace:
    """How long steps take, without the pauses of a machine that was suspended or lent out meanwhile."""

    def __init__(self) -> None:
        self.usual = 0.0  # seconds

    def counted(self, seconds: float) -> float:
        """What of a step's ``seconds`` counts towards the schedule: five usual steps at the most."""
        if self.usual:
            seconds = min(seconds, 5 * self.usual)
        self.usual = 0.9 * self.usual + 0.1 * seconds if self.usual else seconds
        return seconds
