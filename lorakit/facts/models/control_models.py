"""Models that stand beside the one that draws: ControlNets, what tells depths, and what judges pictures.

ControlNets: Zhang et al. 2023, https://arxiv.org/abs/2302.05543.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from lorakit.facts.files.digests import Digests
from lorakit.facts.files.weights_header import WeightsError, weights_header
from lorakit.facts.models.model_configs import ModelError, read_config
from lorakit.facts.models.model_lookup import folder_beside
from lorakit.families import FAMILIES, Family
from lorakit.language.recipe.documents import ModelSource
from lorakit.records import record

_CONFIGS = (
    *("config.json", "preprocessor_config.json", "processor_config.json"),
    # of models that read words
    *("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"),
    *("vocab.json", "merges.txt", "spiece.model"),
)
# in the order in which they are taken, as of the parts of a pipeline
VARIANTS = ("", "fp16", "bf16")
_STEMS = ("diffusion_pytorch_model", "model")
_UNION, _COUNTED = "ControlNetUnionModel", "num_control_type"
_USUAL = 6  # of them, where its configuration does not say
_OF_MASKS = ("extra_conditioning_channels", "extra_condition_channels")


@record
class ControlModel:
    """A model beside the one that draws; `path` and `digest` are None until it has been downloaded."""

    name: str
    source: str
    path: Path | None = None
    digest: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict, repr=False)
    weight_bytes: int = 0

    @property
    def kind(self) -> str:
        """The class that it is loaded as; empty where it is not here yet."""
        return class_named(self.config)

    @property
    def modes(self) -> int:
        """How many kinds of pictures a union tells apart by number; 0 for what is none."""
        union = FAMILIES[self.family].union if self.family else None
        if union is None or union.kind != self.kind:
            return 0
        told = self.config.get(union.counted, _USUAL if self.kind == _UNION else 0)
        return told if isinstance(told, int) else 0

    @property
    def paints(self) -> bool:
        """Whether it is shown a mask beside its map."""
        return any(self.config.get(key) for key in _OF_MASKS)

    @property
    def family(self) -> str:
        """The family that it controls; empty for none that is known."""
        pooled = self.config.get("addition_embed_type") == "text_time"
        found = (
            family.name
            for family in FAMILIES.values()
            if self.kind in controlled_by(family) and (family.pooled == pooled or not family.waves)
        )
        return next(found, "")

    @property
    def sees(self) -> bool:
        """Whether it gives embeds of pictures, as models of transformers do."""
        told = {"vision_config", "image_size", "num_channels"}.intersection(self.config)
        return bool(told) and "model_type" in self.config and not self.tells_depth

    @property
    def reads_words(self) -> bool:
        """Whether it gives embeds of words beside those of pictures."""
        return self.sees and {"vision_config", "text_config"} <= set(self.config)

    @property
    def tells_depth(self) -> bool:
        """Whether it tells the depths of a picture."""
        return self.kind.endswith("ForDepthEstimation")


def class_named(config: Mapping[str, Any]) -> str:
    """Diffusers' or transformers' class of a configuration; empty where it names none.

    Unions of SDXL were published before diffusers had their class, as one of their authors' own.
    """
    named = config.get("architectures") or [config.get("_class_name")]
    name = str(named[0] or "") if isinstance(named, list) else ""
    return _UNION if name.startswith("ControlNetModel") and _COUNTED in config else name


def controlled_by(family: Family) -> set[str]:
    """Diffusers' classes of what holds a family's frames."""
    return {family.controlnet, family.union.kind if family.union else ""} - {""}


def control_model(source: ModelSource, digests: Digests, *, download: bool) -> ControlModel:
    """The facts of one. Raises ModelError where there is none that is opened, OSError."""
    absent = ModelError(
        f"{source.source} is no folder with a config.json: no ControlNet in diffusers' layout, "
        "and no model of transformers"
    )
    folder = folder_beside(source, _served, _is_whole, absent, download=download)
    if folder is None:
        return ControlModel(source.name, source.source)
    names = _served({file.name for file in folder.iterdir()})
    config = read_config(folder, "config.json")
    try:
        weights_header(folder / names[-1])
    except WeightsError as error:
        raise ModelError(str(error), "fetch it anew") from error
    size = sum((folder / name).stat().st_size for name in names)
    digest = digests.files(folder, names)
    return ControlModel(source.name, source.source, folder, digest, config, size)


def weights_name(listing: Collection[str]) -> tuple[str, str]:
    """The file of weights among a folder's names, and its variant. Raises ModelError."""
    for variant in VARIANTS:
        for stem in _STEMS:
            name = f"{stem}{f'.{variant}' if variant else ''}.safetensors"
            if name in listing:
                return name, variant
    others = sorted(name for name in listing if name.endswith((".bin", ".pth", ".pt", ".ckpt")))
    raise ModelError(
        "it has no diffusion_pytorch_model.safetensors and no model.safetensors"
        + (f"; it holds {', '.join(others[:3])}" if others else ""),
        "weights are read from .safetensors files alone: other formats can hold programs",
    )


def stands_beside(source: str) -> bool:
    """Whether a folder holds such a model, and none that draws."""
    folder = Path(source)
    if (folder / "model_index.json").exists() or not (folder / "config.json").is_file():
        return False
    try:
        found = ControlModel("", source, config=read_config(folder, "config.json"))
    except ModelError:
        return False
    return found.tells_depth or found.sees or "ControlNet" in found.kind


def used_files(folder: Path) -> Sequence[str]:
    """Those files of such a model's folder that are read of it. Raises ModelError where some are missing."""
    return _served({file.name for file in folder.iterdir()})


def _served(listing: Collection[str]) -> Sequence[str]:
    if "config.json" not in listing:
        raise ModelError(
            "it has no config.json: no ControlNet in diffusers' layout, and no model of transformers"
        )
    return [*(name for name in _CONFIGS if name in listing), weights_name(listing)[0]]


def _is_whole(folder: Path) -> bool:
    try:
        _served({file.name for file in folder.iterdir()})
    except (OSError, ModelError):
        return False
    return True
