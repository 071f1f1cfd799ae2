"""Checks of trainings on pictures: keys that would do nothing, and names that lead nowhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lorakit.language.story.reading import spot_in
from lorakit.language.yaml import access, names

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_OF_TEXTS = ("test_split", "labels", "columns.text", "columns.label")
_OF_PICTURES = (
    "caption",
    "repeats",
    "trigger_word",
    "caption_extension",
    "columns.image",
    "columns.caption",
)
# what a column of the one kind is called in the other
_INSTEAD = {"text": "caption", "label": "caption", "image": "text", "caption": "text"}
_PLACEHOLDER = "{caption}"
_NO_OTHERS = "write a second data set with images: of what the model could draw before"
_BRACES = re.compile(r"\{[^{}]*\}|[{}]")
# what a data set says of an epoch, and why it says nothing of prior_data
_OF_AN_EPOCH = {
    "repeats": "as many of them are shown as of the others",
    "test_size": "none of them is held out",
}
# a key that needs another one, and what the other must be
_NEEDS = (
    ("keep_tags", "shuffle_tags", "shuffle_tags: true"),
    ("prior_loss_weight", "prior_data", "prior_data: a data set"),
)


def data_sets_have_keys_of_their_kind(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """Labels mean nothing of pictures, nor captions of texts: what would be ignored is an error."""
    for node in access.mapping(root, "datasets").values():
        texts, images = access.child(node, "texts"), access.child(node, "images")
        if (texts is None) == (images is None):
            continue
        what, others = ("pictures", _OF_TEXTS) if texts is None else ("texts", _OF_PICTURES)
        for key in others:
            owner, _, name = key.rpartition(".")
            holder = access.child(node, owner) if owner else node
            if holder is not None and access.child(holder, name) is not None:
                findings.error(
                    "no-effect",
                    f"{key} has no effect on a data set of {what}",
                    holder.key_spot(name),
                    f"{what} are read by columns: {{{_INSTEAD[name]}: ...}}" if owner else "",
                )


def revisions_are_of_the_hub(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """A file has no revision."""
    for node in [n for key in ("datasets", "models") for n in access.mapping(root, key).values()]:
        named = (access.text(node, key) for key in ("texts", "images", "from"))
        told = next(filter(None, named), "hub:")
        if access.child(node, "revision") is not None and not told.startswith("hub:"):
            findings.error(
                "no-effect",
                f"revision has no effect on {told}: it is of what the hub holds",
                node.key_spot("revision"),
                "remove it, or write hub:owner/name",
            )


def captions_have_one_placeholder(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """What stands in braces and is not filled in would be told to the model, in place of each caption."""
    for node in access.mapping(root, "datasets").values():
        link, text = access.child(node, "caption"), access.text(node, "caption")
        if link is None or text is None:
            continue
        for match in _BRACES.finditer(text):
            if match[0] != _PLACEHOLDER:
                meant = names.nearest(match[0].strip("{} "), ("caption",))
                findings.error(
                    "stray-brace",
                    f"{match[0]} would be told to the model as it stands: "
                    f"only {_PLACEHOLDER} is filled in",
                    spot_in(link.spot, match.start(), match[0]),
                    f"did you mean {_PLACEHOLDER}?" if meant else "write it without braces",
                )


def keys_have_what_they_need(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """A key that acts only together with another one."""
    for node in access.mapping(root, "steps").values():
        if access.text(node, "kind") != "train-image":
            continue
        for key, other, wanted in _NEEDS:
            given = access.child(node, other)
            if access.child(node, key) is not None and (given is None or given.value is False):
                findings.error(
                    "no-effect",
                    f"{key} has no effect without {other}",
                    node.key_spot(key),
                    f"write {wanted} beside it",
                )


def prior_data_is_pictures(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """What shall not be forgotten is another data set of pictures."""
    known = access.mapping(root, "datasets")
    pictures = [n for n, node in known.items() if access.child(node, "images") is not None]
    for node in access.mapping(root, "steps").values():
        link, name = access.child(node, "prior_data"), access.text(node, "prior_data")
        if link is None or not name:
            continue
        others = [one for one in pictures if one != access.text(node, "data")]
        if name in pictures:
            if name == access.text(node, "data"):
                findings.error(
                    "wrong-data",
                    f"prior_data is what the model could draw before, and {name} is what it learns",
                    link,
                    "name another data set, or remove prior_data",
                )
            continue
        if name in known:
            there = f"there is {names.listed(others)}" if others else _NO_OTHERS
            message = f"{name} holds texts; prior_data is of pictures"
            findings.error("wrong-data", message, link, there)
        else:
            findings.error(
                "unknown-data",
                f"the recipe has no data set {name}",
                link,
                names.did_you_mean(name, others)
                or (f"there is {names.listed(others)}" if others else _NO_OTHERS),
            )


def prior_data_has_no_epoch(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """What is held out and how often a picture is shown is said of what is learnt alone."""
    steps = access.mapping(root, "steps").values()
    prior = {access.text(node, "prior_data") for node in steps}
    for name, node in access.mapping(root, "datasets").items():
        for key, why in _OF_AN_EPOCH.items() if name in prior else ():
            if access.child(node, key) is not None:
                findings.error(
                    "no-effect",
                    f"{key} has no effect on prior_data: {why}",
                    node.key_spot(key),
                    f"remove it; for a training on {name}, write a second data set with it",
                )


def texts_are_trained_with_loras(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """LoHa and LoKr are for pictures."""
    for node in access.mapping(root, "steps").values():
        lora = access.child(node, "lora")
        chosen = access.text(lora, "peft_type")
        if access.text(node, "kind") == "train-text" and lora and chosen not in (None, "lora"):
            findings.error(
                "no-effect",
                f"peft_type: {chosen} is for pictures; texts are trained with a LoRA",
                lora.key_spot("peft_type"),
                "write peft_type: lora, or leave it out",
            )


def whole_models_are_not_worn(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """A step that trains every weight makes no adapter."""
    steps = access.mapping(root, "steps")
    whole = [
        name
        for name, node in steps.items()
        if (access.text(node, "kind"), access.text(node, "method")) == ("train-image", "full")
    ]
    for node in steps.values():
        owner = access.child(node, "adapters")
        for name in access.mapping(node, "adapters"):
            if name in whole and owner is not None:
                findings.error(
                    "unknown-adapter",
                    f"{name} trains every weight, and makes no adapter",
                    owner.key_spot(name),
                    "write method: lora there, or name its folder under models:, in a recipe that draws",
                )
                continue
            sweep = name.removesuffix(".best")
            members = [one for one in whole if sweep != name and one.startswith(f"{sweep}/")]
            if members and owner is not None:
                findings.error(
                    "unknown-adapter",
                    f"the best of {sweep} may be no adapter: {names.listed(members, 3)} "
                    f"{'trains' if len(members) == 1 else 'train'} every weight",
                    owner.key_spot(name),
                    f"leave method: full out of {sweep}, and write a step and a compare step for it",
                )
