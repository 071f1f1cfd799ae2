"""The warning of what is said about the drawing of a frame that is not drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.yaml import access

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

OF_ITS_DRAWING = (
    "prompt",
    "negative_prompt",
    "num_inference_steps",
    "guidance_scale",
    "strength",
    "seed",
    "takes",
    "control",
    "edit",
)


def told_of_no_drawing(
    item: Node, keys: Iterable[str], instead: str, why: str, findings: Findings
) -> None:
    """Warn of those keys of a sentence that have no effect beside `instead` (`image:`), and say why."""
    for key in keys:
        if access.child(item, key) is not None:
            findings.warning(
                "no-effect",
                f"{key} has no effect beside {instead}, which {why}",
                item.key_spot(key),
                "remove one of the two",
            )
