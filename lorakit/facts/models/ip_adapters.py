"""IP-Adapters: which file of weights is meant, which image encoder it was trained with, and what they are.

Ye et al. 2023, https://arxiv.org/abs/2308.06721. The layout is that of https://huggingface.co/h94/IP-Adapter:
weights in `models/` and `sdxl_models/`, image encoders in folders called image_encoder beside them.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from lorakit.facts.files.digests import Digests
from lorakit.facts.files.weights_header import WeightsError, weights_header
from lorakit.facts.models.model_configs import ModelError, read_config
from lorakit.facts.models.model_lookup import folder_beside
from lorakit.families import Family
from lorakit.language.recipe.documents import ModelSource
from lorakit.records import record

_FOLDERS = ("", "models/", "sdxl_models/")  # where weights are looked for by their name alone
_ENCODER = "image_encoder"
_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_SHARED = f"models/{_ENCODER}"  # of ViT-H, which most of them were trained with, those of SDXL too
_PICKLES = (".bin", ".pt", ".pth", ".ckpt")
_SAFE = "weights are read from .safetensors files alone: other formats can hold programs"
_KIND, _LARGEST = "CLIPVisionModelWithProjection", "sdxl_models/ip-adapter_sdxl.safetensors"


class WeightNameError(ModelError):
    """A weight_name that is no file of weights."""


@record
class IpAdapter:
    """An IP-Adapter; what is None has not been downloaded yet.

    `weights` is its file, `encoder` the folder of its image encoder; each has a digest. With `hidden_states`
    it reads what stands before the encoder's last layer. `cross_attention_dim` is the UNet's that it is for,
    `layers` the shapes of its keys' weights. `parameters` are its own, `encoder_parameters` the
    encoder's.
    """

    name: str
    source: str
    weights: Path | None = None
    digest: str | None = None
    encoder: Path | None = None
    encoder_digest: str | None = None
    hidden_states: bool = False
    cross_attention_dim: int = 0
    layers: tuple[tuple[int, ...], ...] = ()
    parameters: int = 0
    encoder_parameters: int = 0


def ip_adapter(
    source: ModelSource, family: Family, digests: Digests, *, download: bool
) -> IpAdapter:
    """The facts of one. Raises ModelError where there is none that is opened, OSError."""

    def wanted(listing: Collection[str]) -> Sequence[str]:
        weights = _weights(listing, source.weight_name, family)
        return [weights, *_encoder_files(_usual_encoder(weights, listing))]

    def complete(folder: Path) -> bool:
        try:
            weights, encoder = _found(folder, source.weight_name, family)
        except (ModelError, OSError):
            return False
        return all((encoder / name).is_file() for name in (_CONFIG, _WEIGHTS)) and weights.is_file()

    absent = ModelError(
        "it is no folder: an IP-Adapter is a folder with its weights and their image_encoder",
        f"lay it out as hub:h94/IP-Adapter is: {family.ip_adapters[0]}, {_SHARED}/",
    )
    root = folder_beside(source, wanted, complete, absent, download=download)
    if root is None:
        return IpAdapter(source.name, source.source)
    weights, encoder = _found(root, source.weight_name, family)
    return _read(source, weights, encoder, digests)


def used_files(folder: Path) -> Sequence[str]:
    """Those files of a repository's folder that are read of it.

    Which weights they are is not asked: what is here was fetched because it is read.
    """
    return [name for name in _listing(folder) if _is_adapter(name) or _is_encoder(name)]


def _is_adapter(name: str) -> bool:
    return _ENCODER not in name.split("/") and name.endswith(".safetensors")


def _is_encoder(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parent.name == _ENCODER and path.name in (_CONFIG, _WEIGHTS)


def _listing(folder: Path, weight_name: str = "") -> list[str]:
    """The files that stand where those of an IP-Adapter do, and beside one that is named."""
    named = PurePosixPath(weight_name).parent
    places = dict.fromkeys(folder / place for place in (*_FOLDERS, str(named)))
    inside = (each for place in places for each in (place, place / _ENCODER) if each.is_dir())
    files = {path for place in inside for path in place.iterdir() if path.is_file()}
    return sorted(path.relative_to(folder).as_posix() for path in files)


def _found(root: Path, weight_name: str, family: Family) -> tuple[Path, Path]:
    """The file of weights and the folder of the image encoder that it was trained with."""
    listing = _listing(root, weight_name)
    name = _weights(listing, weight_name, family)
    shapes = _shapes(root / name)
    tried: list[str] = []
    for folder in _encoders(name, listing):
        config = read_config(root / folder, _CONFIG)
        if _width(config, hidden=_hidden(shapes)) == _reads(shapes):
            if f"{folder}/{_WEIGHTS}" not in listing:
                raise ModelError(f"{folder} has no {_WEIGHTS}", _SAFE)
            return root / name, root / folder
        tried.append(f"{folder} gives {_width(config, hidden=_hidden(shapes))}")
    what = "hidden states" if _hidden(shapes) else "embeds"
    told = f"; {', '.join(tried)}" if tried else f", and there is no {_ENCODER}/ with a {_CONFIG}"
    raise ModelError(
        f"{name} reads {what} of {_reads(shapes)} numbers{told}",
        f"put the image encoder that it was trained with at {_usual_encoder(name, listing)}/",
    )


def _weights(listing: Collection[str], weight_name: str, family: Family) -> str:
    """Which file of a listing is meant. Raises ModelError."""
    if weight_name:
        return _named(listing, weight_name)
    for usual in family.ip_adapters:
        bare = PurePosixPath(usual).name
        for name in (usual, bare, *(folder + bare for folder in _FOLDERS)):
            if name in listing:
                return name
    others = sorted(filter(_is_adapter, listing))
    if len(others) == 1:
        return others[0]
    usual = family.ip_adapters[0]
    if others:
        names = [PurePosixPath(name).name for name in others]
        raise ModelError(
            f"it has no {usual}, but {len(others)} others: {', '.join(names[:4])}",
            f"say which is for {family.title}: weight_name: {names[0]}",
        )
    pickles = sorted(name for name in listing if name.endswith(_PICKLES))
    held = f"; it holds {', '.join(pickles[:3])}" if pickles else ""
    raise ModelError(f"it has no {usual}{held}", _SAFE, f"hf download h94/IP-Adapter {usual}")


def _named(listing: Collection[str], weight_name: str) -> str:
    if weight_name.casefold().endswith(_PICKLES):
        safe = str(PurePosixPath(weight_name).with_suffix(".safetensors"))
        raise WeightNameError(
            f"{weight_name} is a pickle, which can run code when it is read",
            f"write weight_name: {safe}; hub:h94/IP-Adapter has each of its files in both forms",
        )
    for folder in _FOLDERS:
        if folder + weight_name in listing:
            return folder + weight_name
    others = [PurePosixPath(name).name for name in sorted(filter(_is_adapter, listing))]
    raise WeightNameError(
        f"it has no {weight_name}",
        f"it has {', '.join(others[:6])}" if others else f"it has no weights; {_SAFE}",
    )


def _encoders(name: str, listing: Collection[str]) -> Iterator[str]:
    """The folders of image encoders that there are, those nearest to the weights first."""
    beside = str(PurePosixPath(name).parent / _ENCODER)
    for folder in dict.fromkeys((beside, _SHARED, _ENCODER)):
        if f"{folder}/{_CONFIG}" in listing:
            yield folder


def _usual_encoder(name: str, listing: Collection[str]) -> str:
    """Where the image encoder stands that weights of this name were trained with."""
    if name != _LARGEST and f"{_SHARED}/{_CONFIG}" in listing:
        return _SHARED
    return str(PurePosixPath(name).parent / _ENCODER)


def _encoder_files(folder: str) -> list[str]:
    return [f"{folder}/{_CONFIG}", f"{folder}/{_WEIGHTS}"]


def _shapes(file: Path) -> Mapping[str, tuple[int, ...]]:
    """The shapes of an IP-Adapter's weights by name. Raises ModelError for what is none that is worn."""
    shapes = _header(file)
    keys = {name for name in shapes if name.endswith(".to_k_ip.weight")}
    if not keys or not any(name.startswith("image_proj.") for name in shapes):
        raise ModelError(
            f"{file.name} is no IP-Adapter: it has no image_proj and no ip_adapter in it",
            "name another file: weight_name: ip-adapter_sd15.safetensors",
        )
    if _reads(shapes) == 0:
        raise ModelError(
            f"{file.name} reads faces that insightface has measured (FaceID), which is not done here",
            "name one that reads pictures: weight_name: ip-adapter-plus-face_sd15.safetensors",
        )
    return shapes


def _header(file: Path) -> Mapping[str, tuple[int, ...]]:
    try:
        return weights_header(file).shapes
    except WeightsError as error:
        raise ModelError(str(error), "fetch it anew") from error


def _hidden(shapes: Mapping[str, tuple[int, ...]]) -> bool:
    return "image_proj.proj.weight" not in shapes


def _reads(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """How many numbers it reads of each place: the width of embeds or hidden states; 0 for neither."""
    if any("perceiver_resampler" in name or "lora" in name for name in shapes):
        return 0
    for name in ("proj.weight", "proj.0.weight", "proj_in.weight"):
        shape = shapes.get(f"image_proj.{name}", ())
        # what measures of a face go through has a third layer, and no norm of hidden states
        if len(shape) == 2 and not (
            name == "proj.0.weight" and "image_proj.proj.3.weight" not in shapes
        ):
            return shape[1]
    return 0


def _width(config: Mapping[str, Any], *, hidden: bool) -> int:
    told = config.get("hidden_size" if hidden else "projection_dim", 0)
    return told if isinstance(told, int) else 0


def _read(source: ModelSource, weights: Path, encoder: Path, digests: Digests) -> IpAdapter:
    config = read_config(encoder, _CONFIG)
    if _KIND not in (config.get("architectures") or [_KIND]):
        raise ModelError(f"{encoder} is no {_KIND}")
    shapes = _shapes(weights)
    keys = [name for name in shapes if name.endswith(".to_k_ip.weight")]
    layers = tuple(sorted(shapes[name] for name in keys))
    return IpAdapter(
        source.name,
        source.source,
        weights,
        digests.file(weights),
        encoder,
        digests.files(encoder, (_CONFIG, _WEIGHTS)),
        hidden_states=_hidden(shapes),
        cross_attention_dim=layers[0][-1],
        layers=layers,
        parameters=sum(math.prod(shape) for shape in shapes.values()),
        encoder_parameters=sum(map(math.prod, _header(encoder / _WEIGHTS).values())),
    )


def is_ip_adapter(folder: Path) -> bool:
    """Whether a folder is laid out as IP-Adapters are, and is no model that draws."""
    if (folder / "model_index.json").exists():
        return False
    return any((folder / place / _ENCODER / _CONFIG).is_file() for place in _FOLDERS)
