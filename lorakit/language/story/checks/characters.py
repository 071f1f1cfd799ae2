"""Checks of `characters:`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.mentions import names_of
from lorakit.language.story.name_pattern import plain
from lorakit.language.story.noun_phrases import word_set
from lorakit.language.story.pronouns import PRONOUNS
from lorakit.language.story.schedules import schedule
from lorakit.language.yaml import access
from lorakit.language.yaml.problems import shortened

if TYPE_CHECKING:
    from lorakit.language.story.documents import Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Spot


_EVERYWHERE = word_set("the a an this that and or but of in on at to with from by for is are")


def _alias_spot(root: Node, character: str, alias: str) -> Spot:
    """Where a character's name or alias stands."""
    owner = access.child(root, "characters")
    assert owner is not None
    for item in access.items(access.child(owner, character), "aliases"):
        if isinstance(item.value, str) and plain(item.value) == alias:
            return item.spot
    return owner.key_spot(character)


def ids_are_words(board: Storyboard, root: Node, findings: Findings) -> None:
    """A character's id is a word of some script, so that it can stand in a sentence."""
    owner = access.child(root, "characters")
    for character in board.characters if owner is not None else ():
        if not character.id.isascii() and not character.id.isidentifier():
            assert owner is not None
            findings.error(
                "wrong-form",
                "a name in characters must be letters of some script, digits and _; "
                f"{shortened(character.id)} is not",
                owner.key_spot(character.id),
                f"call it by a word, and write aliases: [{shortened(character.id)}]",
            )


def names_mean_one_character(board: Storyboard, root: Node, findings: Findings) -> None:
    """No name or alias may mean two characters."""
    owners: dict[str, str] = {}
    for character in board.characters:
        for name in names_of(character):
            first = owners.setdefault(name, character.id)
            if first != character.id:
                findings.error(
                    "duplicate-name",
                    f"{name} means {first} already, and cannot mean {character.id} as well"
                    if name != first
                    else f"{name} is a character already, and cannot mean {character.id} as well",
                    _alias_spot(root, character.id, name),
                    f"remove it from one of the two; {{{first}}} and {{{character.id}}} tell them apart",
                )


def names_are_no_pronouns(board: Storyboard, root: Node, findings: Findings) -> None:
    """A character called `it` would be found in every second sentence."""
    for character in board.characters:
        for name in names_of(character):
            if name in PRONOUNS:
                findings.error(
                    "pronoun-as-name",
                    f"{name} is a pronoun and cannot name a character",
                    _alias_spot(root, character.id, name),
                    f"to let it stand for a character, write pronouns: {PRONOUNS[name]}",
                )
            elif name in _EVERYWHERE:
                findings.error(
                    "pronoun-as-name",
                    f"{name} stands in every second sentence and cannot name a character",
                    _alias_spot(root, character.id, name),
                    "give it a name of its own",
                )


def anchors_are_used(board: Storyboard, root: Node, findings: Findings) -> None:
    """A character that no sentence means is warned of: often its name is misspelled throughout."""
    owner = access.child(root, "characters")
    if owner is None or findings:  # with errors about, it may well be meant by one of them
        return
    met = {
        who for scene in board.scenes for sentence in scene.sentences for who in sentence.characters
    }
    for character in board.characters:
        if character.id not in met:
            findings.warning(
                "unused-character",
                f"no sentence means {character.id}",
                owner.key_spot(character.id),
                f"it is meant by {', '.join(names_of(character))} or {{{character.id}}}",
            )


def weights_go_on_in_order(_board: Storyboard, root: Node, findings: Findings) -> None:
    """What a character's adapter weighs frame by frame is told in their order."""
    for node in access.mapping(root, "characters").values():
        schedule(access.child(access.child(node, "adapter"), "weight"), findings)
