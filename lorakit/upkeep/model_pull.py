"""Fetching a model from the hub before a recipe asks for it, with its card."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from pathlib import Path

from lorakit.facts.hub.cards import CARD
from lorakit.facts.hub.hub_copies import snapshot
from lorakit.facts.models.model_folders import check_folder, has_configs, is_whole
from lorakit.facts.models.model_lookup import of_pipelines, without_weights
from lorakit.facts.texts.text_models import holds_text_model, text_model_files

_CARDS = re.compile(r"(README|LICEN[CS]E|NOTICE)[^/]*\Z", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?\Z")


def named(text: str) -> tuple[str, str | None]:
    """The repository and the revision of `hub:owner/name@v1`. Raises ValueError for no such name."""
    repository, _, revision = text.removeprefix("hub:").partition("@")
    if not _NAME.match(repository) or ("@" in text and not revision):
        raise ValueError(text)
    return repository, revision or None


def pull(repository: str, revision: str | None = None) -> Path:
    """The folder of a model to draw with or to read texts with, fetched as far as it is not here.

    What was cut off goes on where it stood. Raises HubError, ModelError.
    """
    here = snapshot(repository, download=False, revision=revision, complete=whole)
    if here is None:
        drawn = of_pipelines(repository)
        kind: list[str] = []

        def small(listing: Collection[str]) -> Sequence[str]:
            if "model_index.json" not in listing and {"config.json", "model.safetensors"} <= {
                *listing
            }:
                kind.append("text")
                return [n for n in text_model_files(listing) if not n.endswith(".safetensors")]
            return without_weights(drawn)(listing)

        # what is no model of ours is known before its gigabytes are fetched
        configs = snapshot(
            repository, download=True, revision=revision, wanted=small, complete=has_configs
        )
        assert configs is not None
        text = bool(kind)
        if not text:
            check_folder(f"hub:{repository}", configs)
        here = snapshot(
            repository,
            download=True,
            revision=revision,
            wanted=text_model_files if text else drawn,
            complete=holds_text_model if text else is_whole,
        )
        assert here is not None
    if not (here / CARD).is_file():
        snapshot(
            repository,
            download=True,
            revision=revision,
            wanted=lambda listing: [name for name in listing if _CARDS.match(name)],
            complete=lambda folder: (folder / CARD).is_file(),
        )
    return here


def whole(folder: Path) -> bool:
    """Whether a folder holds all of a model that draws or reads."""
    return is_whole(folder) if (folder / "model_index.json").is_file() else holds_text_model(folder)
