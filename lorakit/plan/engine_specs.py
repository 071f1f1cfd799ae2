"""What workers load before they can do anything: the planner fills it in, the worker reads it.

What draws stands here, what is loaded beside it in `specs_beside.py`.
"""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import Path
from typing import Any

from lorakit.plan.attention_backends import NATIVE
from lorakit.plan.memory_modes import NONE, Offload
from lorakit.plan.tasks.json_form import BESIDE, OMITTED, key_of, keyed_as, to_json
from lorakit.records import record


@record
class EngineSpec:
    """Nothing that takes time; `name` is what a user calls the model that is worked with."""

    name: str = field(default="", metadata=BESIDE)

    def key(self) -> dict[str, Any]:
        """What of it decides results, as plain JSON; where files are does not."""
        key: dict[str, Any] = key_of(self)
        return key

    def to_json(self) -> dict[str, Any]:
        """The whole of it, as plain JSON."""
        plain: dict[str, Any] = to_json(self)
        return plain


NOTHING = EngineSpec()


@record
class Keeping:
    """How a loaded pipeline is kept, and made quicker; all of it as diffusers and bitsandbytes do it.

    `weight_bits` are those that large linear layers are rounded to, 0 for none; `offload` is what waits in
    the machine's memory while it is not needed on the card. `block_cache` is the change of a step below which
    a transformer's blocks are skipped, 0 for never; its blocks may be `compiled`. `attention` is diffusers'
    name of what computes its attention.
    """

    weight_bits: int = 0
    offload: Offload = NONE
    block_cache: float = 0.0
    compiled: bool = False
    attention: str = NATIVE


AS_IT_IS = Keeping()


@record(kw_only=True)
class DrawingSpec(EngineSpec):
    """A pipeline that draws `batch_size` rows a call, with what it wears.

    `adapters` are digests, or `input:<role>`, with their weights; `adapter_paths` their files in the same
    order. `parts` is the folder that a checkpoint in one file takes what it lacks from; empty for none.
    `batch_sizes` is the file that remembers which smaller calls are equal; empty where there is none.
    `keeping` says how it is kept in memory and made quicker. Where others of a run's frames wear other
    adapters it `rewears`: what is under them is kept, so that no model is loaded for that.
    """

    path: str = field(metadata=BESIDE)
    parts: str = field(default="", metadata=BESIDE)
    digest: str | None
    family: str
    vae_factor: int
    precision: str
    device: str
    batch_size: int = field(metadata=keyed_as("wave"))
    adapters: tuple[tuple[str, float], ...] = ()
    adapter_paths: tuple[str, ...] = field(default=(), metadata=BESIDE)
    batch_sizes: str = field(default="", metadata=BESIDE)
    keeping: Keeping = field(default=Keeping(), metadata=OMITTED)
    stock: bool = field(default=False, metadata=OMITTED)
    rewears: bool = field(default=False, metadata=BESIDE)

    @property
    def changes(self) -> bool:
        """Whether it can come to wear other adapters once it is loaded.

        Weights that are rounded, are not all there, or are compiled with what works on them stay as they are.
        """
        fixed = self.keeping.weight_bits or self.keeping.offload != NONE or self.keeping.compiled
        return self.rewears and not fixed

    def bare(self) -> DrawingSpec:
        """The same without adapters."""
        return replace(self, adapters=(), adapter_paths=())

    @property
    def adapter_files(self) -> list[tuple[Path, float]]:
        """The files of what is worn, with their weights."""
        worn = zip(self.adapter_paths, self.adapters, strict=True)
        return [(Path(path), float(weight)) for path, (_, weight) in worn]
