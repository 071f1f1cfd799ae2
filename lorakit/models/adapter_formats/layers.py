"""An adapter's layers with their weights, the same for every format."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters.layers import Method
from lorakit.facts.adapters.layout import AdapterLayout, read_layout
from lorakit.facts.adapters.roles import split
from lorakit.facts.files.weights_header import WeightsHeader
from lorakit.records import record

File = tuple[dict[str, Tensor], dict[str, str]]  # tensors and header of a safetensors file


@record
class Layer:
    """One layer's tensors by role, and how strongly it acts: `alpha` / `rank`.

    facts/adapters/layers.py says what the roles of each method are. `stem` is how the layer's keys began in a
    file of kohya's.
    """

    method: Method
    tensors: Mapping[str, Tensor]
    alpha: float
    rank: float
    stem: str = ""

    @property
    def scale(self) -> float:
        """What the matrices' product is multiplied with."""
        return self.alpha / self.rank


Adapter = Mapping[str, Layer]  # `unet.PATH`, `text_encoder.PATH`, `text_encoder_2.PATH`


def lora_layer(down: Tensor, up: Tensor, alpha: float, magnitude: Tensor | None = None) -> Layer:
    """A LoRA of `down` (rank, in, ...) and `up` (out, rank, ...); DoRA's `magnitude` has `out` values."""
    tensors = {"down": down, "up": up}
    if magnitude is not None:
        tensors["magnitude"] = magnitude
    return Layer("lora", tensors, alpha, float(down.shape[0]))


def read(path: Path) -> Adapter:
    """An adapter in any of the formats. Raises LorakitError with what is not understood of it, OSError."""
    return weights_of(read_layout(path))


def weights_of(layout: AdapterLayout) -> Adapter:
    """The tensors of what has been read. Raises LorakitError, OSError."""
    layers: dict[str, Layer] = {}
    with opened(layout.file, layout.header) as tensor:
        for layer in layout.layers:
            tensors = {role: tensor(key) for role, key in layer.tensors.items() if role != "alpha"}
            if layer.rows is not None:
                tensors["up"] = tensors["up"][slice(*layer.rows)].contiguous()
            stem, _ = split(next(iter(layer.tensors.values()))) or ("", "")
            layers[f"{layer.network}.{layer.name}"] = Layer(
                layer.method,
                tensors,
                layer.alpha,
                layer.rank,
                stem if stem.startswith("lora_") and layer.network != "transformer" else "",
            )
    return layers


@contextmanager
def opened(file: Path, header: WeightsHeader) -> Iterator[Callable[[str], Tensor]]:
    """Read tensors by name, from whichever file each is in. Raises LorakitError, OSError."""
    from safetensors import SafetensorError, safe_open

    with ExitStack() as stack:
        handles: dict[Path, Any] = {}

        def tensor(key: str) -> Tensor:
            told = header.tensors[key]
            place = told.file or file
            if place not in handles:
                handles[place] = stack.enter_context(safe_open(str(place), framework="pt"))
            found: Tensor = handles[place].get_tensor(told.key or key)
            return found

        try:
            yield tensor
        except SafetensorError as error:
            raise LorakitError(f"{file} cannot be read: {error}") from error
