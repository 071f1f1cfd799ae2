"""The layers of a text classifier, and what a training of it trains: counted without torch.

Names and shapes are those of the weights' own header; of a model that is not here yet, what its
configuration tells, for BERT and DistilBERT.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from lorakit.facts.networks.layer_targets import hit
from lorakit.facts.texts.text_families import TextFamily, family_of, figure, head_sizes
from lorakit.facts.texts.text_models import TextModelFacts
from lorakit.language.recipe.trainings import LoraSettings
from lorakit.records import record

Modules = dict[str, tuple[int, tuple[int, int] | None]]  # parameters, (outputs, inputs) by name


@record
class Counts:
    """Parameters, of the whole and of what is trained; `hit` are the layers with an adapter.

    Below layer `lowest` nothing is trained. `inputs` is how wide what comes into the trained layers of all
    blocks is, together: it is kept of each token until its gradient is done.
    """

    total: int
    trainable: int
    hit: tuple[str, ...]
    lowest: int = 0
    inputs: int = 0


def counts(facts: TextModelFacts, labels: int, lora: LoraSettings | None) -> Counts | None:
    """Count what is there; None for a family that is not known. `lora` None trains everything."""
    family, modules = family_of(facts.config), _classifier(facts, labels)
    if family is None or not modules or not labels:
        return None
    total = sum(size for size, _ in modules.values())
    if lora is None:
        return Counts(total, total, (), inputs=sum(map(_input, modules, modules.values())))
    whole = (*family.heads, *lora.modules_to_save)
    targets = lora.target_modules or family.targets
    extra, kept, inputs, chosen, lowest = 0, 0, 0, [], []
    depth = figure(facts.config, "num_hidden_layers", "n_layers")
    for name, (size, shape) in modules.items():
        if _saved(name, whole):
            kept += size
        elif shape is not None and hit(name, targets, linear=not name.endswith("embeddings")):
            extra += lora.rank * sum(shape) + (shape[0] if lora.use_dora else 0)
            chosen.append(name)
        else:
            continue
        inputs += _input(name, (size, shape))
        lowest.append(_number(name, depth, family))
    return Counts(total + extra, extra + kept, tuple(chosen), min(lowest, default=0), inputs)


def _input(name: str, module: tuple[int, tuple[int, int] | None]) -> int:
    """How wide what comes into a block's layer is; nothing of a token comes into the head."""
    _, shape = module
    return shape[1] if shape is not None and re.search(r"\.\d+\.", name) else 0


def layer_sizes(facts: TextModelFacts) -> dict[str, tuple[int, int]]:
    """The layers that can have an adapter, the head's left out; of an unknown family as its weights say."""
    heads = set(head_layers(facts))
    modules = _classifier(facts, 2) or _modules(facts.weights)
    return {n: shape for n, (_, shape) in modules.items() if shape is not None and n not in heads}


def head_layers(facts: TextModelFacts) -> tuple[str, ...]:
    """The layers of the classifier's head."""
    heads = head_names(facts)
    return tuple(name for name in _classifier(facts, 2) or heads if _saved(name, heads))


def module_names(facts: TextModelFacts) -> tuple[str, ...]:
    """All that can be trained whole: layers, and what they stand in."""
    found: dict[str, None] = {}
    for name in _classifier(facts, 2) or (*_modules(facts.weights), *head_names(facts)):
        parts = name.split(".")
        found |= dict.fromkeys(".".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    return tuple(found)


def head_names(facts: TextModelFacts) -> tuple[str, ...]:
    """The parts of the classifier's head."""
    family = family_of(facts.config)
    return family.heads if family else ("classifier", "score")


def _saved(name: str, whole: tuple[str, ...]) -> bool:
    """Whether a module is trained whole, itself or within another; PEFT compares the ends of names."""
    parts = name.split(".")
    return any(".".join(parts[:depth]).endswith(whole) for depth in range(1, len(parts) + 1))


def _number(name: str, depth: int, family: TextFamily) -> int:
    """Which layer of so many a module is in: what comes after all of them counts as one more."""
    found = re.search(r"\.(\d+)\.", name)
    if found:
        return int(found[1])
    after = _saved(name, family.heads) or re.search(r"\.(pooler|final_norm)\b", name)
    return depth if after else 0


def _classifier(facts: TextModelFacts, labels: int) -> Modules:
    """All modules of the classifier that transformers makes; none for a family that is not known."""
    family, config = family_of(facts.config), facts.config
    hidden = figure(config, "hidden_size", "dim")
    if family is None or not hidden:
        return {}
    at = f"{family.prefix}."
    pretrained = _modules(facts.weights) or _told(family, config, hidden)
    if any(name.startswith(at) for name in pretrained):
        pretrained = {n.removeprefix(at): m for n, m in pretrained.items() if n.startswith(at)}
    if not pretrained:
        return {}
    found = {at + n: m for n, m in pretrained.items() if n.partition(".")[0] not in family.unused}
    return found | head_sizes(family, config, hidden, labels)


def _modules(weights: Mapping[str, tuple[int, ...]]) -> Modules:
    found: Modules = {}
    for name, shape in weights.items():
        module, _, kind = name.rpartition(".")
        size, seen = found.get(module, (0, None))
        if kind == "weight" and len(shape) == 2:
            seen = (shape[0], shape[1])
            if module.endswith("embeddings"):  # a table of so many rows, which gives one of them
                seen = (shape[1], shape[0])
        found[module] = (size + math.prod(shape), seen)
    return found


def _told(family: TextFamily, config: Mapping[str, Any], hidden: int) -> Modules:
    """The pretrained part as a configuration tells it."""
    depth = figure(config, "num_hidden_layers", "n_layers")
    inner = figure(config, "intermediate_size", "hidden_dim")
    if family.prefix not in ("bert", "distilbert") or not depth or not inner:
        return {}
    found: Modules = {}
    for table, key in (
        ("word", "vocab_size"),
        ("position", "max_position_embeddings"),
        ("token_type", "type_vocab_size"),
    ):
        if key in config:
            rows = figure(config, key)
            found[f"embeddings.{table}_embeddings"] = (rows * hidden, (hidden, rows))
    found["embeddings.LayerNorm"] = (2 * hidden, None)
    at = "encoder" if family.prefix == "bert" else "transformer"
    for number in range(depth):
        for name, shape in _layer(family.prefix, hidden, inner):
            size = 2 * hidden if shape is None else shape[0] * shape[1] + shape[0]
            found[f"{at}.layer.{number}.{name}"] = (size, shape)
    return found


def _layer(family: str, hidden: int, inner: int) -> Iterator[tuple[str, tuple[int, int] | None]]:
    """What one layer holds, as (outputs, inputs); None for a norm."""
    square = (hidden, hidden)
    if family == "bert":
        for name in ("query", "key", "value"):
            yield f"attention.self.{name}", square
        yield "attention.output.dense", square
        yield "attention.output.LayerNorm", None
        yield "intermediate.dense", (inner, hidden)
        yield "output.dense", (hidden, inner)
        yield "output.LayerNorm", None
        return
    for name in ("q_lin", "k_lin", "v_lin", "out_lin"):
        yield f"attention.{name}", square
    yield "sa_layer_norm", None
    yield "ffn.lin1", (inner, hidden)
    yield "ffn.lin2", (hidden, inner)
    yield "output_layer_norm", None
