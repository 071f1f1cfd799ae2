"""Checks of signs that other tools read in prompts, wherever a board has words that are drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.prompt_syntax import check, may_have_signs
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.story.documents import Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node


_OF_A_SENTENCE = ("text", "prompt", "negative_prompt")
PLAIN = "write what is meant, without the brackets"


def signs_of_others_are_told(_board: Storyboard, root: Node, findings: Findings) -> None:
    """What is drawn as words, and was meant as a sign, is warned of where it stands."""
    _look(root, findings)
    for node in access.mapping(root, "characters").values():
        check(access.child(node, "anchor"), findings)
    for scene in access.items(root, "scenes"):
        _look(scene, findings)
        check(access.child(scene, "setting"), findings)
        _by_frame(scene, "setting", findings)
        check(access.child(scene, "text"), findings, braces=False)
        for item in _worth_a_look(access.items(scene, "sentences")):
            if isinstance(item.value, str):
                check(item, findings, braces=False)
                continue
            own = access.child(item, "prompt")
            # braces name characters in both, and what names none is an error already
            check(own or access.child(item, "text") or item, findings, braces=False)
            check(access.child(item, "negative_prompt"), findings, brackets=PLAIN)


def _worth_a_look(items: list[Node]) -> list[Node]:
    """A scene's sentences, or none if no word of them can be a sign: one look instead of many."""
    texts = []
    for item in items:
        if isinstance(item.value, str):
            texts.append(item.value)
        elif isinstance(item.value, dict):
            own = (item.value[key].value for key in _OF_A_SENTENCE if key in item.value)
            texts += [text for text in own if isinstance(text, str)]
    return items if may_have_signs("\n".join(texts)) else []


def _look(owner: Node, findings: Findings) -> None:
    look = access.child(owner, "look")
    for key in ("style", "negative_prompt"):
        check(access.child(look, key), findings, brackets=PLAIN)
        _by_frame(look, key, findings)


def _by_frame(owner: Node | None, key: str, findings: Findings) -> None:
    """Words that change over a scene's frames."""
    for pair in access.items(owner, key):
        for words in pair.value if isinstance(pair.value, list) else ():
            check(words, findings, brackets=PLAIN)
