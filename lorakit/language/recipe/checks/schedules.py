"""Checks of how the learning rate goes: what a scheduler would pass over without a word."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_RESTARTS = "cosine_with_restarts"


def schedules_use_their_keys(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """The `constant` of transformers takes no warm-up, and only `cosine_with_restarts` has cycles."""
    for node in access.mapping(root, "steps").values():
        train = access.child(node, "train")
        if train is None:
            continue
        name = access.text(train, "lr_scheduler")
        if name == "constant" and access.integer(train, "lr_warmup_steps"):
            findings.error(
                "no-effect",
                "lr_warmup_steps has no effect beside lr_scheduler: constant, which has no warm-up",
                train.key_spot("lr_warmup_steps"),
                "write lr_scheduler: constant_with_warmup",
            )
        ratio = access.child(train, "warmup_ratio")
        if ratio is not None and access.child(train, "lr_warmup_steps") is not None:
            findings.error(
                "both-given",
                "lr_warmup_steps and warmup_ratio cannot stand side by side",
                train.key_spot("warmup_ratio"),
                "keep one: the ratio is of all optimizer steps",
            )
        elif ratio is not None and name == "constant":
            findings.error(
                "no-effect",
                "warmup_ratio has no effect beside lr_scheduler: constant, which has no warm-up",
                train.key_spot("warmup_ratio"),
                "write lr_scheduler: constant_with_warmup",
            )
        cycles = access.child(train, "lr_num_cycles")
        if cycles is None and name == _RESTARTS:
            findings.error(
                "missing-key",
                f"lr_scheduler: {_RESTARTS} needs lr_num_cycles: with one cycle nothing restarts",
                train.key_spot("lr_scheduler"),
                "write lr_num_cycles: 3 beside it, or lr_scheduler: cosine",
            )
        elif cycles is not None and name != _RESTARTS:
            findings.error(
                "no-effect",
                f"lr_num_cycles has no effect without lr_scheduler: {_RESTARTS}",
                train.key_spot("lr_num_cycles"),
                f"write lr_scheduler: {_RESTARTS}, or remove it",
            )
