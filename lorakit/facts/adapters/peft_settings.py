"""What PEFT's adapter_config.json says, held against what is read of it here.

diffusers writes the same words into a file's header, each network's with its name before them.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

import jsonschema_rs

from lorakit.facts.adapters.errors import AdapterError
from lorakit.files import parse_json
from lorakit.patterns import BadPattern, Pattern, pattern
from lorakit.records import record

KINDS = {"LORA": "lora", "LOHA": "loha", "LOKR": "lokr"}
_POSITIVE = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_NUMBER = {"type": "number", "minimum": -1e30, "maximum": 1e30}
_FLAG = {"type": ["boolean", "null"]}
_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "peft_type": {"type": "string"},
        "r": _POSITIVE,
        "lora_alpha": _NUMBER,
        "alpha": _NUMBER,
        "rank_pattern": {"type": ["object", "null"], "additionalProperties": _POSITIVE},
        "alpha_pattern": {"type": ["object", "null"], "additionalProperties": _NUMBER},
        "use_rslora": _FLAG,
        "use_dora": _FLAG,
        "lora_bias": _FLAG,
        "bias": {"type": ["string", "null"]},
        "init_lora_weights": {"type": ["boolean", "string", "null"]},
    },
}
# what changes a model beside the matrices, or its own weights before: the values without effect
_HARMLESS: Mapping[str, tuple[Any, ...]] = {
    "bias": (None, "none"),
    "init_lora_weights": (None, True, False, "gaussian", "eva", "orthogonal"),
    "modules_to_save": (None, []),
    "trainable_token_indices": (None, [], {}),
    "layer_replication": (None, []),
    "target_parameters": (None, []),
    "use_qalora": (None, False),
    "use_bdlora": (None, False),
    "alora_invocation_tokens": (None, []),
    "arrow_config": (None, {}),
    "velora_config": (None, {}),
    "monteclora_config": (None, {}),
    "kasa_config": (None, {}),
}
_NAME = re.compile(r"[\w.]*")  # whose dots are dots: no layers differ by another sign there
_MOST = 64  # expressions, each held against each layer


@record
class Patterns:
    """Values by expressions for ends of layers' names; the first that fits counts, as PEFT has it."""

    names: Mapping[str, tuple[int, float]]  # by plain names: place among the expressions, and value
    expressions: tuple[tuple[int, Pattern, float], ...]

    @classmethod
    def of(cls, told: Mapping[str, float]) -> Patterns:
        """From a configuration's `rank_pattern` or `alpha_pattern`, each an expression. Raises BadPattern."""
        names: dict[str, tuple[int, float]] = {}
        expressions = []
        if sum(not _NAME.fullmatch(name) for name in told) > _MOST:
            raise BadPattern(f"there are more than {_MOST}")
        for place, (name, value) in enumerate(told.items()):
            if _NAME.fullmatch(name):
                names[name] = place, value
            else:
                expressions.append((place, pattern(rf"(.*\.)?({name})"), value))
        return cls(names, tuple(expressions))

    def get(self, layer: str) -> float | None:
        """The value for a layer by its path; None for none."""
        parts = layer.split(".")
        ends = (".".join(parts[at:]) for at in range(len(parts)))
        found = [self.names[end] for end in ends if end in self.names]
        found += [(place, value) for place, e, value in self.expressions if e.matches(layer)]
        return min(found)[1] if found else None


_NONE = Patterns({}, ())


@record
class PeftSettings:
    """How strongly layers act, in PEFT's words; `rank` is 0 where nothing is said."""

    kind: str = "lora"
    rank: int = 0
    alpha: float | None = None
    ranks: Patterns = _NONE
    alphas: Patterns = _NONE
    use_rslora: bool = False
    use_dora: bool = False

    def rank_of(self, layer: str) -> int:
        """The rank of a layer by its path, as PEFT finds it."""
        return int(self.ranks.get(layer) or self.rank)

    def alpha_of(self, layer: str, rank: int) -> float:
        """What divided by the rank is a layer's scale."""
        found = self.alphas.get(layer)
        alpha = self.alpha if found is None else found
        if alpha is None:
            return float(rank)
        return alpha * math.sqrt(rank) if self.use_rslora else float(alpha)


def settings_from(text: str, where: str, network: str = "") -> PeftSettings:
    """Read PEFT's JSON; with `network`, what diffusers' header says of that. Raises AdapterError."""
    try:
        told = parse_json(text)
        if network and isinstance(told, dict):
            told = {
                key.removeprefix(f"{network}."): value
                for key, value in told.items()
                if key.startswith(f"{network}.")
            }
        problem = next(_validator().iter_errors(told), None)
    except (ValueError, RecursionError, OverflowError) as error:
        raise AdapterError(f"{where} is no JSON that can be read") from error
    if problem is not None:
        at = ".".join(str(part) for part in problem.instance_path)
        raise AdapterError(
            f"{where} says of {at or 'its settings'} what PEFT does not: {problem.message[:120]}"
        )
    return _settings(told, where)


def _settings(told: Mapping[str, Any], where: str) -> PeftSettings:
    problems = []
    kind = KINDS.get(str(told.get("peft_type", "LORA")).upper())
    if kind is None:
        problems.append(
            f"{where} is of {told['peft_type']}; lorakit reads PEFT's LoRA, LoHa and LoKr"
        )
    for name, harmless in _HARMLESS.items():
        if name in told and told[name] not in harmless:
            problems.append(
                f"{where} has {name}: {json.dumps(told[name])[:80]}, which changes more of a model "
                "than an adapter's matrices, and is not read"
            )
    found = {}
    for key in ("rank_pattern", "alpha_pattern"):
        try:
            found[key] = Patterns.of(told.get(key) or {})
        except BadPattern as error:
            problems.append(f"{where} has an expression in its {key} that is not read: {error}")
    if problems:
        raise AdapterError(*problems)
    alpha = told.get("lora_alpha" if kind == "lora" else "alpha", 8 if told else None)
    return PeftSettings(
        kind or "lora",
        int(told.get("r", 8 if told else 0)),
        None if alpha is None else float(alpha),
        found["rank_pattern"],
        found["alpha_pattern"],
        bool(told.get("use_rslora")),
        bool(told.get("use_dora")),
    )


@cache
def _validator() -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for(dict(_SCHEMA))
