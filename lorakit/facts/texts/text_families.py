"""What transformers' classifiers of a family have beside the pretrained weights, and how they are called."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lorakit.records import record


@record
class TextFamily:
    """How transformers makes a classifier of a pretrained model.

    `prefix` is what the pretrained part is called in it. `square` are layers of (hidden, hidden) that the
    classifier has even if the weights lack them, `unused` parts of the weights that it leaves out.
    `targets` are the layers that an adapter goes to by default: the attention's query and value.
    `padded` is whether positions are counted from behind the padding token's number.
    """

    prefix: str
    targets: tuple[str, ...]
    square: tuple[str, ...] = ()
    labelled: str = "classifier"
    unused: tuple[str, ...] = ()
    padded: bool = False

    @property
    def heads(self) -> tuple[str, ...]:
        """The parts that are new, and trained whole beside an adapter."""
        parts = (name.partition(".")[0] for name in (*self.square, self.labelled))
        return tuple(dict.fromkeys(part for part in parts if part != self.prefix))


_QUERY = ("query", "value")
_TWO = {"square": ("classifier.dense",), "labelled": "classifier.out_proj", "unused": ("pooler",)}


def _roberta(prefix: str = "roberta", targets: tuple[str, ...] = _QUERY) -> TextFamily:
    return TextFamily(prefix, targets, padded=True, **_TWO)  # type: ignore[arg-type]


FAMILIES: Mapping[str, TextFamily] = {
    "albert": TextFamily("albert", _QUERY, ("albert.pooler",)),
    "bert": TextFamily("bert", _QUERY, ("bert.pooler.dense",)),
    "camembert": _roberta(),
    "deberta": TextFamily("deberta", ("in_proj",), ("pooler.dense",)),
    "deberta-v2": TextFamily("deberta", ("query_proj", "value_proj"), ("pooler.dense",)),
    "distilbert": TextFamily("distilbert", ("q_lin", "v_lin"), ("pre_classifier",)),
    "electra": TextFamily("electra", _QUERY, **_TWO),  # type: ignore[arg-type]
    "ernie": TextFamily("ernie", _QUERY, ("ernie.pooler.dense",)),
    "modernbert": TextFamily("model", ("Wqkv",), ("head.dense",)),
    "mpnet": _roberta("mpnet", ("q", "v")),
    "roberta": _roberta(),
    "xlm-roberta": _roberta(),
}
# PEFT's own defaults for families whose parameters are not counted
_OTHER_TARGETS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("t5", "mt5"), ("q", "v")),
    **dict.fromkeys(
        ("bart", "gemma", "gemma2", "gpt_neo", "llama", "mistral", "opt", "qwen2", "qwen3"),
        ("q_proj", "v_proj"),
    ),
    **dict.fromkeys(("bloom", "falcon", "gpt_neox"), ("query_key_value",)),
    "gpt2": ("c_attn",),
    "layoutlm": _QUERY,
}


def family_of(config: Mapping[str, Any]) -> TextFamily | None:
    """The family of a model by its configuration; None for one that is not known."""
    return FAMILIES.get(str(config.get("model_type")))


def targets_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The layers that an adapter goes to if a recipe says nothing; none for a family that is not known."""
    family = family_of(config)
    return family.targets if family else _OTHER_TARGETS.get(str(config.get("model_type")), ())


def figure(config: Mapping[str, Any], *keys: str) -> int:
    """A number of a configuration, under the first of the names that families have for it; 0 for none."""
    return next((int(config[key]) for key in keys if isinstance(config.get(key), int)), 0)


def words_table(config: Mapping[str, Any]) -> int:
    """Parameters of the table of words, which is looked up in and not multiplied by."""
    width = figure(config, "embedding_size", "hidden_size", "dim")
    return figure(config, "vocab_size") * width


def passes_of_a_layer(config: Mapping[str, Any]) -> int:
    """How often a text goes through each layer: ALBERT's are one, passed many times."""
    shared = "num_hidden_groups" in config
    return (figure(config, "num_hidden_layers") or 1) if shared else 1


def longest_of(config: Mapping[str, Any]) -> int:
    """Tokens that a model can read at most; 0 where nothing is said."""
    positions = int(config.get("max_position_embeddings") or 0)
    family = family_of(config)
    if positions and family and family.padded:
        padding = config.get("pad_token_id")
        return positions - (1 if padding is None else int(padding)) - 1
    return positions


def head_sizes(
    family: TextFamily, config: Mapping[str, Any], hidden: int, labels: int
) -> dict[str, tuple[int, tuple[int, int] | None]]:
    """Parameters and (outputs, inputs) of what a classifier has beside the weights, by name."""
    square, bias = (hidden, hidden), hidden
    sizes: dict[str, tuple[int, tuple[int, int] | None]] = {}
    if (
        family.prefix == "model"
    ):  # ModernBERT, whose head has a norm and, unless it is asked for, no bias
        bias = hidden if config.get("classifier_bias") else 0
        sizes["head.norm"] = (hidden * (2 if config.get("norm_bias") else 1), None)
    sizes |= dict.fromkeys(family.square, (hidden * hidden + bias, square))
    return sizes | {family.labelled: (labels * (hidden + 1), (labels, hidden))}
