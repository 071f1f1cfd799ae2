"""Checks of data sets and of the steps that train on them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story.reading import spot_in
from lorakit.language.yaml import access, names
from lorakit.patterns import BadPattern, pattern

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_TRAINS = {"train-text": "texts", "train-image": "images"}
_SHIPPED = {"texts": "lorakit:movie-snippets", "images": "lorakit:hologram"}


def data_sets_have_one_source(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """Texts or pictures, and not both."""
    owner = access.child(root, "datasets")
    for name, node in access.mapping(root, "datasets").items():
        texts, images = access.child(node, "texts"), access.child(node, "images")
        if texts is not None and images is not None:
            findings.error(
                "both-given",
                "texts and images cannot stand side by side",
                node.key_spot("images"),
                "make two data sets of it",
            )
        elif texts is None and images is None and owner is not None:
            findings.error(
                "missing-key",
                f'the data set {name} needs "texts" or "images"',
                owner.key_spot(name),
                "for example: texts: lorakit:movie-snippets",
            )


def data_sets_exist(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """What a step trains on is a data set of the recipe, of the kind that the step reads."""
    known = access.mapping(root, "datasets")
    for node in access.mapping(root, "steps").values():
        wanted = _TRAINS.get(access.text(node, "kind") or "")
        link, name = access.child(node, "data"), access.text(node, "data")
        if wanted is None or link is None or not name:
            continue
        if name not in known:
            if ":" in name or "/" in name or "." in name:
                hint = (
                    f"name it first, datasets: {{mine: {{{wanted}: {name}}}}}, and write data: mine"
                )
            else:
                hint = names.did_you_mean(name, known) or (
                    f"there is {names.listed(known)}"
                    if known
                    else f"name it first, datasets: {{{name}: {{{wanted}: {_SHIPPED[wanted]}}}}}"
                )
            findings.error("unknown-data", f"the recipe has no data set {name}", link, hint)
        elif access.child(known[name], wanted) is None:
            fitting = [
                known_name
                for known_name, its in known.items()
                if access.child(its, wanted) is not None
            ]
            other = "images" if wanted == "texts" else "texts"
            if access.child(known[name], other) is not None:
                findings.error(
                    "wrong-data",
                    f"{name} holds {other}; a step of kind {access.text(node, 'kind')} "
                    f"trains on {wanted}",
                    link,
                    f"name a data set with {wanted}:"
                    + (f" {names.listed(fitting)}" if fitting else f" {_SHIPPED[wanted]}"),
                )


def what_is_scored_was_not_learnt(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """A split that is trained on says nothing of other texts."""
    for node in access.mapping(root, "datasets").values():
        link, scored = access.child(node, "test_split"), access.text(node, "test_split")
        if link is not None and scored == (access.text(node, "split") or "train"):
            findings.error(
                "wrong-value",
                f"test_split: {scored} is what is trained on: its accuracy would be of texts learnt by heart",
                link,
                "leave test_split out, and test_size holds some of them out",
            )


def trainings_end_once(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """How long a training goes is said in steps or in epochs."""
    for node in access.mapping(root, "steps").values():
        train = access.child(node, "train")
        if (
            train is not None
            and access.child(train, "max_train_steps") is not None
            and access.child(train, "num_train_epochs") is not None
        ):
            findings.error(
                "both-given",
                "max_train_steps and num_train_epochs cannot stand side by side",
                train.key_spot("num_train_epochs"),
                "keep one: the plan prints what it comes to in the other",
            )


def full_trainings_have_no_adapter(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """`lora:` beside `method: full` would be ignored."""
    for node in access.mapping(root, "steps").values():
        if access.text(node, "method") == "full" and access.child(node, "lora") is not None:
            findings.error(
                "no-effect",
                "lora has no effect beside method: full, which trains every weight",
                node.key_spot("lora"),
                "write method: lora, or remove lora",
                "to go on from trained weights, name their folder under models:, and train that model"
                if access.text(access.child(node, "lora"), "from")
                else "",
            )


def text_encoders_are_trained_where_they_have_a_rate(
    _recipe: Recipe, root: Node, findings: Findings
) -> None:
    """A learning rate of text encoders is for those that are trained."""
    key = "text_encoder_learning_rate"
    for node in access.mapping(root, "steps").values():
        train = access.child(node, "train")
        if train is None or access.child(train, key) is None:
            continue
        if access.text(node, "kind") == "train-text":
            findings.error(
                "no-effect",
                f"{key} is for pictures; a text model has one learning rate",
                train.key_spot(key),
                "write learning_rate",
            )
        elif not access.boolean(node, "train_text_encoder"):
            findings.error(
                "no-effect",
                f"{key} has no effect without train_text_encoder",
                train.key_spot(key),
                "write train_text_encoder: true beside train, or remove it",
            )


def the_best_needs_a_judge(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """The best weights are chosen by pictures that were held out."""
    data = access.mapping(root, "datasets")
    for node in access.mapping(root, "steps").values():
        train, name = access.child(node, "train"), access.text(node, "data") or ""
        if train is None or access.text(train, "keep") != "best" or name not in data:
            continue
        pictures = access.child(data[name], "images") is not None
        if pictures and access.child(data[name], "test_size") is None:
            findings.error(
                "missing-key",
                f"keep: best needs pictures that are held out, and {name} says no test_size",
                train.key_spot("keep"),
                f"write test_size: 2 into {name}, or keep: last",
            )


def adapters_are_saved_where_there_are_some(
    _recipe: Recipe, root: Node, findings: Findings
) -> None:
    """`save_every` is of adapters: a whole model's steps weigh too much."""
    for node in access.mapping(root, "steps").values():
        train = access.child(node, "train")
        if access.text(node, "method") == "full" and train and access.child(train, "save_every"):
            findings.error(
                "no-effect",
                "save_every has no effect beside method: full: it keeps adapters",
                train.key_spot("save_every"),
                "write method: lora, or remove save_every",
            )


def layers_are_named_by_expressions(_recipe: Recipe, root: Node, findings: Findings) -> None:
    """`target_modules` as one text is a regular expression, and must be one."""
    for node in access.mapping(root, "steps").values():
        lora = access.child(node, "lora")
        link, text = access.child(lora, "target_modules"), access.text(lora, "target_modules")
        if link is None or text is None:
            continue
        try:
            pattern(text)
        except BadPattern as error:
            at = min(error.at or 0, len(text) - 1)
            findings.error(
                "wrong-form",
                f"target_modules is no regular expression: {error}",
                link if not text or error.at is None else spot_in(link.spot, at, text[at]),
                "ends of layers' names stand in a list: target_modules: [to_q, to_v]",
            )
