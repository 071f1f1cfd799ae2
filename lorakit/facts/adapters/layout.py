"""What an adapter's file is made of: every tensor of it in a layer, or refused by its name. Without torch."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field, replace
from pathlib import Path

from lorakit.facts.adapters import peft_settings, values
from lorakit.facts.adapters.authors_names import taken_apart
from lorakit.facts.adapters.errors import AdapterError, listed
from lorakit.facts.adapters.files import PEFT_SETTINGS, part_of, parts_of
from lorakit.facts.adapters.layers import (
    NETWORKS,
    AdapterLayer,
    Method,
    Network,
    delta_shape,
    method_of,
    rank_of,
)
from lorakit.facts.adapters.peft_settings import PeftSettings
from lorakit.facts.adapters.pieces import header_of
from lorakit.facts.adapters.places import Format, LayerPlace, foreign_family, spot_of
from lorakit.facts.adapters.roles import other_method, split
from lorakit.facts.adapters.sgm import from_sgm
from lorakit.facts.files.weights_header import TensorInfo, WeightsHeader, tensor_name
from lorakit.files import read_text
from lorakit.records import record

METADATA = "lora_adapter_metadata"  # in the header: diffusers' word for PEFT's settings
PEFT_CONFIG = "peft_config"  # in the header: a PEFT adapter's settings, where the file stands alone
_PLAIN: tuple[Method, ...] = ("full", "norm")  # of no rank
_MOST = 16 << 20  # bytes of PEFT's settings
_LAYERS_PER_BLOCK = (2, 1, 3, 4)  # of published UNets first


@record
class AdapterLayout:
    """An adapter by its layers; `header` has the tensors that they name.

    `file` is what it is read from: one file, the index of its pieces, or a folder of networks.
    """

    file: Path
    format: Format
    layers: tuple[AdapterLayer, ...]
    header: WeightsHeader = field(repr=False)

    def shapes(self, layer: AdapterLayer) -> dict[str, tuple[int, ...]]:
        """The shapes of a layer's tensors, by role."""
        found = {role: self.header.tensors[key].shape for role, key in layer.tensors.items()}
        if layer.rows is not None:
            found["up"] = (layer.rows[1] - layer.rows[0], *found["up"][1:])
        return found

    @property
    def files(self) -> list[Path]:
        """The files that its tensors stand in."""
        found = {tensor.file or self.file for tensor in self.header.tensors.values()}
        return sorted(found)


def read_layout(file: Path) -> AdapterLayout:
    """Account for every tensor of a file. Raises AdapterError with all that is wrong, OSError."""
    if file.is_dir():
        return _together(file)
    header = header_of(file)
    groups, problems = _grouped(file, header)
    formats = sorted({spot.format for spot in groups})
    if not problems and len(formats) > 1:
        problems.append(
            f"{file} mixes the names of {' and '.join(formats)}, and what it means is not clear"
        )
    if problems:
        raise AdapterError(*problems)
    reader = _Reader(file, header, _settings(file, header, formats[0]))
    layers = [one for spot, tensors in groups.items() for one in reader.layers(spot, tensors)]
    if reader.problems:
        raise AdapterError(*reader.problems)
    return AdapterLayout(file, formats[0], tuple(layers), header)


def _together(folder: Path) -> AdapterLayout:
    """The networks that stand one by one in a folder, as one adapter."""
    layers: list[AdapterLayer] = []
    tensors: dict[str, TensorInfo] = {}
    problems: list[str] = []
    for file in parts_of(folder):
        try:
            layout = read_layout(file)
        except AdapterError as error:
            problems += error.problems
            continue
        # two networks may have layers of one name
        part = file.parent.name
        for key, info in layout.header.tensors.items():
            there = info.file or file
            tensors[f"{part}/{key}"] = replace(info, file=there, key=info.key or key)
        layers += [
            replace(one, tensors={role: f"{part}/{key}" for role, key in one.tensors.items()})
            for one in layout.layers
        ]
    if problems:
        raise AdapterError(*problems)
    return AdapterLayout(folder, "peft", tuple(layers), WeightsHeader(tensors))


def _grouped(
    file: Path, header: WeightsHeader
) -> tuple[dict[LayerPlace, dict[str, str]], list[str]]:
    """Keys by layer and role, and what is wrong with the keys."""
    groups: dict[LayerPlace, dict[str, str]] = {}
    unknown: list[str] = []
    twice: list[str] = []
    for key in sorted(header.tensors):
        name, role = split(key) or ("", "")
        spot = spot_of(name) if role else None
        if spot is None:
            unknown.append(key)
        elif role in groups.setdefault(spot, {}):
            twice.append(key)
        else:
            groups[spot][role] = key
    groups = {placed: groups[spot] for spot, placed in _placed(groups).items()}
    if part_of(file) == "text_encoder_2":  # whose keys are the first one's
        groups = {replace(spot, network="text_encoder_2"): found for spot, found in groups.items()}
    # a layer under two names, one of them Stability's
    places = Counter((spot.network, spot.path) for spot in groups)
    twice += [min(groups[s].values()) for s in groups if places[s.network, s.path] > 1]
    problems = list(_unknown(file, unknown, whole=not groups))
    if twice:
        problems.append(f"{file} has two tensors for one part of a layer: {listed(twice)}")
    return groups, problems


def _placed(spots: Collection[LayerPlace]) -> dict[LayerPlace, LayerPlace]:
    """Layers by Stability's names, where they stand in a UNet that has them all."""
    sgm = [spot.sgm for spot in spots if spot.sgm]
    fitting = (n for n in _LAYERS_PER_BLOCK if all(from_sgm(name, n) for name in sgm))
    layers = next(fitting, _LAYERS_PER_BLOCK[0])
    return {
        spot: replace(spot, path=from_sgm(spot.sgm, layers) or spot.sgm) if spot.sgm else spot
        for spot in spots
    }


def _unknown(file: Path, keys: list[str], *, whole: bool) -> Iterator[str]:
    if not keys and whole:
        yield f"{file} holds no adapter: it has no tensors"
    if not keys:
        return
    methods = sorted({method for key in keys if (method := other_method(key))})
    marked = [key for key in keys if split(key)]
    family = foreign_family(marked or keys)
    if methods:
        of = [key for key in keys if other_method(key)]
        yield f"{file} holds {' and '.join(methods)}, which lorakit does not read: {listed(of)}"
        return
    if whole and not marked:
        yield f"{file} holds no adapter: none of its tensors is of a LoRA, LoHa or LoKr, but {listed(keys)}"
    elif family:
        yield f"{file} is an adapter of {family}, which lorakit does not read: {listed(keys)}"
    elif whole:
        layer = tensor_name((split(marked[0]) or ("", ""))[0].removeprefix("base_model.model."))
        yield (
            f"{file} is an adapter of {layer}, which is no layer of a UNet, of a transformer that draws, "
            "or of CLIP"
        )
    else:
        yield f"{file} holds tensors of which it is not known what they do: {listed(keys)}"


def _settings(file: Path, header: WeightsHeader, written: Format) -> Mapping[Network, PeftSettings]:
    """What PEFT's settings say of each network; none where the format has no such words."""
    if written == "peft":
        text = header.metadata.get(PEFT_CONFIG)
        where = (
            f"{PEFT_CONFIG} in {file}" if text is not None else f"{file.with_name(PEFT_SETTINGS)}"
        )
        if text is None:
            try:
                text = read_text(file.with_name(PEFT_SETTINGS), _MOST)
            except (OSError, ValueError) as error:
                raise AdapterError(
                    f"{file} is PEFT's, and the {PEFT_SETTINGS} beside it cannot be read"
                ) from error
        return dict.fromkeys(NETWORKS, peft_settings.settings_from(text, where))
    if written == "diffusers" and METADATA in header.metadata:
        text, where = header.metadata[METADATA], f"{METADATA} in {file}"
        return {name: peft_settings.settings_from(text, where, name) for name in NETWORKS}
    return {}


class _Reader:
    """Layers from groups of tensors, and all that is wrong with them."""

    def __init__(
        self, file: Path, header: WeightsHeader, settings: Mapping[Network, PeftSettings]
    ) -> None:
        self._file = file
        self._header = header
        self._settings = settings
        self.problems: list[str] = []

    def layers(self, spot: LayerPlace, tensors: Mapping[str, str]) -> Iterator[AdapterLayer]:
        """The layer, or those that it is made of; none with a problem told."""
        whole = self._layer(spot, tensors)
        if whole is None or not spot.pieces:
            yield from [whole] if whole is not None else []
            return
        shapes = {role: self._header.tensors[key].shape for role, key in tensors.items()}
        apart = taken_apart(whole, spot.pieces, shapes)
        if isinstance(apart, str):
            self._refuse(apart, sorted(tensors.values()))
        else:
            yield from apart

    def _layer(self, spot: LayerPlace, tensors: Mapping[str, str]) -> AdapterLayer | None:
        method = method_of(tensors)
        if method is None:
            self._refuse("not all that a layer is made of, or too much", sorted(tensors.values()))
            return None
        strange = [key for key in tensors.values() if self._dtype(key) not in values.FLOATS]
        strange = [key for key in strange if key != tensors.get("alpha")]
        if strange:
            self._refuse(f"{self._dtype(strange[0])} is no type that weights are read in", strange)
            return None
        shapes = {role: self._header.tensors[key].shape for role, key in tensors.items()}
        if method not in _PLAIN and delta_shape(method, shapes) is None:
            self._refuse("shapes that cannot be multiplied", sorted(tensors.values()))
            return None
        rank = rank_of(method, shapes)
        strength = self._strength(spot, method, tensors, rank)
        if strength is None:
            return None
        return AdapterLayer(spot.network, spot.path, method, tensors, *strength, spot.sgm)

    def _strength(
        self, spot: LayerPlace, method: Method, tensors: Mapping[str, str], rank: int
    ) -> tuple[float, float] | None:
        """Alpha and rank, by the rules of the format."""
        told = self._settings.get(spot.network)
        if method in _PLAIN:
            return 1.0, 1.0
        if (
            told is not None
            and told.rank
            and method == "lora"
            and told.use_dora != ("magnitude" in tensors)
        ):
            says = (
                "DoRA, and there is no magnitude" if told.use_dora else "no DoRA, and this is one"
            )
            self._refuse(f"its settings say {says}", sorted(tensors.values()))
            return None
        if spot.format == "peft" and told is not None:
            if told.kind != ("lora" if method == "embedding" else method):
                self._refuse(
                    f"its settings say {told.kind}, and this is of {method}",
                    sorted(tensors.values()),
                )
                return None
            return self._as_told(told, spot.path, rank, tensors)
        if "alpha" in tensors:
            alpha = values.number(self._file, self._header.tensors[tensors["alpha"]])
            if alpha is None or not math.isfinite(alpha) or alpha == 0:
                self._refuse("an alpha is one number, finite and not 0", [tensors["alpha"]])
                return None
            # a LoKr of two whole matrices has no rank, and LyCORIS no scale for it
            return alpha, float(rank or alpha)
        if told is not None and told.rank:
            return self._as_told(told, spot.path, rank, tensors)
        return float(rank or 1), float(rank or 1)

    def _as_told(
        self, told: PeftSettings, path: str, rank: int, tensors: Mapping[str, str]
    ) -> tuple[float, float] | None:
        """A layer's alpha and rank by its settings, which must not contradict the tensors.

        Of a LoKr whose matrices are whole (`rank` 0) the settings alone have the rank.
        """
        given = told.rank_of(path)
        if rank and given != rank:
            self._refuse(
                f"its settings say rank {given}, and this is of rank {rank}",
                sorted(tensors.values()),
            )
            return None
        return told.alpha_of(path, given), float(given)

    def _dtype(self, key: str) -> str:
        return self._header.tensors[key].dtype

    def _refuse(self, why: str, keys: list[str]) -> None:
        self.problems.append(f"{self._file}: {why}: {listed(keys)}")
