"""Models that stand beside the one that draws: ControlNets, and what tells the depths of a picture.

ControlNets: Zhang et al. 2023, https://arxiv.org/abs/2302.05543.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_configs import ModelError, read_config
from lorakit.facts.models.model_lookup import hub_folder
from lorakit.families import FAMILIES
from lorakit.language.recipe.documents import ModelSource

_CONFIGS = ("config.json", "preprocessor_config.json")
# in the order in which they are taken, as of the parts of a pipeline
VARIANTS = ("", "fp16", "bf16")
_STEMS = ("diffusion_pytorch_model", "model")


@dataclass(frozen=True, slots=True)
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
        named = self.config.get("architectures") or [self.config.get("_class_name")]
        return str(named[0] or "") if isinstance(named, list) else ""

    @property
    def family(self) -> str:
        """The family that it controls; empty for none that is known."""
        pooled = self.config.get("addition_embed_type") == "text_time"
        found = (
            family.name
            for family in FAMILIES.values()
            if family.controlnet == self.kind and (family.pooled == pooled or not family.waves)
        )
        return next(found, "")

    @property
    def tells_depth(self) -> bool:
        """Whether it tells the depths of a picture."""
        return self.kind.endswith("ForDepthEstimation")


def control_model(source: ModelSource, digests: Digests, *, download: bool) -> ControlModel:
    """The facts of one. Raises ModelError where there is none that is opened, OSError."""
    if source.source.startswith("hub:"):
        repository = source.source.removeprefix("hub:")
        folder = hub_folder(
            repository, _served, _is_whole, revision=source.revision, download=download
        )
        if folder is None:
            return ControlModel(source.name, source.source)
    else:
        folder = Path(source.source)
        if not folder.is_dir():
            raise ModelError(
                f"{source.source} is no folder with a config.json: no ControlNet in diffusers' layout, "
                "and no model of transformers"
            )
    names = _served({file.name for file in folder.iterdir()})
    config = read_config(folder, "config.json")
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
    return found.tells_depth or "ControlNet" in found.kind


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
