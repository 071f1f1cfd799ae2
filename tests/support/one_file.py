"""A model in one file, what it lacks in a folder, and the pictures that pipelines of it draw."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import diffusers
import torch

from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.language.recipe.documents import ModelSource

CALL: dict[str, Any] = {
    "prompt": "a fox on mars",
    "width": 64,
    "height": 64,
    "num_inference_steps": 2,
    "output_type": "np",
}


def facts(file: Path, parts: Path | None = None) -> ModelFacts:
    source = ModelSource("m", str(file), "auto", Place("recipe.yaml", 1, 1), parts=str(parts or ""))
    return model_facts(source, Digests(None))


def whole(folder: Path) -> Any:
    return diffusers.DiffusionPipeline.from_pretrained(str(folder), local_files_only=True)


def without_weights(folder: Path, parts: Path) -> Path:
    """A copy of a folder as `hf download --exclude "transformer/*.safetensors"` leaves it."""
    shutil.copytree(folder, parts)
    for file in (parts / "transformer").glob("*.safetensors*"):
        file.unlink()
    return parts


def picture(pipeline: Any) -> Any:
    pipeline.set_progress_bar_config(disable=True)
    return pipeline(**CALL, generator=torch.Generator().manual_seed(3)).images


def same(one: Any, other: Any) -> None:
    theirs = other.state_dict()
    ours = one.state_dict()
    assert set(ours) == set(theirs)
    for name, value in ours.items():
        assert torch.equal(value, theirs[name]), name
