"""A model that draws pictures, as a plan sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from lorakit.facts.models.model_files import listing_of, plain_name, serving
from lorakit.facts.networks.unet_shapes import Shapes
from lorakit.families import FAMILIES, STEMS, Configs, Family
from lorakit.families.family import PromptWords
from lorakit.records import record


@record
class ModelFacts:
    """A model as a plan sees it. Sizes in px; `vae_factor` px a latent; `token_limit` with both ends.

    `path` and `digest` are None until a hub model has been downloaded, which fetches `download_bytes`;
    `configs` are configurations by part, as published where they are not there yet, and empty where
    nothing is known. `vae` and `text_encoder_digest` are the digests of what encodes pictures and words,
    `text_shapes` the text encoders' parameters by name, `denoiser_shapes` a transformer's, `parameters`
    how many each part has; empty where they are not known. `parts` is the folder that a checkpoint in one
    file takes what it lacks from, `quantised_bytes` what its denoiser is kept in where that is not the
    precision it is called in. `remarks` are what a user should know of how a
    model is read.
    """

    name: str
    source: str
    family: str
    path: Path | None
    digest: str | None
    native: tuple[int, int] = (512, 512)
    vae_factor: int = 8
    token_limit: int = 77
    tokenizer: Path | None = None
    vocabulary: frozenset[str] | None = None
    num_inference_steps: int = 20
    guidance_scale: float = 7.5
    weight_bytes: int = 0
    revision: str = ""
    parts: Path | None = None
    quantised_bytes: int = 0
    configs: Configs = field(default_factory=dict, repr=False)
    vae: str = ""
    text_encoder_digest: str = ""
    text_shapes: Shapes = field(default_factory=dict, repr=False)
    parameters: Mapping[str, int] = field(default_factory=dict, repr=False)
    denoiser_shapes: Shapes = field(default_factory=dict, repr=False)
    download_bytes: int = 0
    remarks: tuple[str, ...] = ()

    @property
    def traits(self) -> Family:
        """What its family can."""
        return FAMILIES[self.family]

    @property
    def words(self) -> PromptWords:
        """How its prompts are counted."""
        return self.traits.words(self.configs)

    @property
    def unet(self) -> Mapping[str, Any]:
        """The UNet's configuration; empty for a model that has none."""
        return self.configs.get("unet", {})

    @property
    def transformer(self) -> Mapping[str, Any]:
        """The transformer's configuration; empty for a model that has none."""
        return self.configs.get("transformer", {})

    @property
    def vae_config(self) -> Mapping[str, Any]:
        """The autoencoder's configuration."""
        return self.configs.get("vae", {})

    @property
    def scheduler(self) -> Mapping[str, Any]:
        """The configuration of its own scheduler."""
        return self.configs.get("scheduler", {})

    @property
    def unit(self) -> int:
        """What a picture's sides are multiples of, in px."""
        return self.vae_factor * self.traits.unit

    @property
    def guidance_embedded(self) -> bool:
        """Whether the denoiser is told the guidance scale, as LCM's UNet is, and is called once a step."""
        return self.traits.embedded(self.configs)


def pipeline_files(model: ModelFacts, *, trained_text: bool) -> tuple[str, ...]:
    """The files of a model in diffusers' layout once it was trained: one file for each trained network.

    That is the denoiser, and with `trained_text` the text encoders. Empty where there is no folder.
    """
    if model.path is None or not model.path.is_dir():
        return ()
    made = [
        f"{part}/{STEMS[part]}.safetensors"
        for part in _trained(model.traits, trained_text=trained_text)
        if (model.path / part).is_dir()
    ]
    copied = _copied(model, model.path, trained_text=trained_text)
    return (*map(plain_name, copied), *made)


def copied_bytes(model: ModelFacts, *, trained_text: bool) -> int | None:
    """The bytes of those of them that are not trained; None where there is no folder."""
    if model.path is None or not model.path.is_dir():
        return None
    names = _copied(model, model.path, trained_text=trained_text)
    return sum((model.path / name).stat().st_size for name in names)


def _trained(family: Family, *, trained_text: bool) -> tuple[str, ...]:
    return (family.denoiser, *(family.text_parts if trained_text else ()))


def _copied(model: ModelFacts, folder: Path, *, trained_text: bool) -> list[str]:
    trained = _trained(model.traits, trained_text=trained_text)
    return [
        name
        for name in serving(listing_of(folder))
        if name.partition("/")[0] not in trained or name.endswith("/config.json")
    ]
