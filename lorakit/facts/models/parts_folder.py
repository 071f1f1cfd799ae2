"""The folder in diffusers' layout that a checkpoint in one file takes what it lacks from."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from lorakit.facts.models.loadable import check_scheduler
from lorakit.facts.models.model_configs import ModelError, read_config
from lorakit.facts.models.model_files import Weights, check_weights, listing_of, serving
from lorakit.facts.models.model_folders import header_of
from lorakit.facts.models.tokenizer_files import check_words
from lorakit.families import Family, Part


class PartsError(ModelError):
    """What a checkpoint lacks is not in the folder that is named for it."""


class PartsFolder:
    """What of a pipeline stands in a folder. Whoever asks for a part that does not gets a PartsError."""

    def __init__(self, folder: Path) -> None:
        if not (folder / "model_index.json").is_file():
            raise PartsError(f"{folder} has no model_index.json: not a model in diffusers' layout")
        self.folder = folder
        self.index = read_config(folder, "model_index.json")
        self.listing = listing_of(folder)

    @property
    def kind(self) -> str:
        """The class of the pipeline that it is of."""
        return str(self.index["_class_name"])

    def has(self, part: Part) -> bool:
        """Whether a part is here with all that it needs, but for its weights."""
        if not self._named(part):
            return False
        if part.stem:
            return f"{part.name}/config.json" in self.listing
        return any(name.startswith(f"{part.name}/") for name in self.listing)

    def _named(self, part: Part) -> str:
        told = self.index.get(part.name) or (None, None)
        return str(told[1] or "")

    def config(self, name: str) -> dict[str, Any] | None:
        """A configuration such as `vae/config.json`; None where there is none."""
        return read_config(self.folder, name) if name in self.listing else None

    def scheduler(self) -> dict[str, Any] | None:
        """Its scheduler's configuration."""
        config = self.config("scheduler/scheduler_config.json")
        if config is not None:
            check_scheduler(str(self.folder), config)
        return config

    def check(self, part: Part, family: Family) -> None:
        """Raise ModelError where a part that is here cannot be taken."""
        kind = self._named(part)
        if kind not in part.classes:
            raise PartsError(
                f"{part.name} of {self.folder} is a {kind}; {family.title} takes {part.classes[0]}"
            )
        if part.stem:
            self.weights(part)
        elif part.name.startswith("tokenizer"):
            check_words(self.folder, self.listing, part.name)

    def weights(self, part: Part) -> Weights:
        """The files of a part's weights. Raises ModelError."""
        return check_weights(self.folder, part.name, self.listing)

    def files(self, part: Part) -> tuple[str, ...]:
        """All files of a part that are read."""
        of_part = f"{part.name}/"
        return tuple(name for name in serving(self.listing) if name.startswith(of_part))

    def count(self, part: Part) -> int:
        """The parameters of a part."""
        names = (name for name in self.weights(part).files if name.endswith(".safetensors"))
        return sum(
            math.prod(shape)
            for name in names
            for shape in header_of(self.folder / name).shapes.values()
        )
