"""From nodes to what a recipe says of data sets and trainings."""

from __future__ import annotations

import re
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from lorakit.language.recipe import prompt_lists
from lorakit.language.recipe.documents import Samples, TrainImageStep
from lorakit.language.recipe.trainings import (
    Columns,
    DataSource,
    LoraSettings,
    Resources,
    TrainSettings,
)
from lorakit.language.story import board_settings
from lorakit.language.story.documents import ImageSettings
from lorakit.language.yaml import access, names

if TYPE_CHECKING:
    from lorakit.diagnostics import Place
    from lorakit.language.recipe.paths import Paths
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

SHIPPED_TEXTS = ("movie-snippets",)
SHIPPED_IMAGES = ("hologram",)
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")
_TABLES = (".csv", ".jsonl", ".parquet")


def dataset(name: str, node: Node, place: Place, paths: Paths, findings: Findings) -> DataSource:
    """One data set; `place` is where its name stands."""
    columns = access.child(node, "columns")
    placed = (*spots(node), *((f"columns.{key}", place) for key, place in spots(columns)))
    return DataSource(
        name=name,
        place=place,
        texts=_source(node, "texts", paths, findings),
        images=_source(node, "images", paths, findings),
        labels=_names(node, "labels"),
        columns=Columns(
            **_given(columns, dict.fromkeys(("text", "label", "image", "caption"), access.text)),
        ),
        places=placed,
        **_given(
            node,
            {
                "revision": access.text,
                "caption": access.text,
                "split": access.text,
                "test_split": access.text,
                "test_size": access.number,
                "limit": access.integer,
                "repeats": access.integer,
                "trigger_word": access.text,
                "caption_extension": access.text,
            },
        ),
    )


def _source(node: Node, key: str, paths: Paths, findings: Findings) -> str:
    link = access.child(node, key)
    if link is None or not isinstance(link.value, str) or not link.value.strip():
        return ""
    text = link.value
    if text.startswith("lorakit:"):
        shipped = text.removeprefix("lorakit:")
        known = SHIPPED_TEXTS if key == "texts" else SHIPPED_IMAGES
        if shipped not in known:
            findings.error(
                "unknown-data",
                f"lorakit ships no {key} called {shipped or 'nothing'}",
                link,
                names.did_you_mean(shipped, known, "lorakit:{}")
                or (f"it ships lorakit:{names.listed(known)}" if known else ""),
            )
        return text
    if text.startswith("hub:"):
        if not _HUB_NAME.match(text.removeprefix("hub:")):
            findings.error(
                "wrong-form",
                "a data set on the Hugging Face hub is hub:owner/name",
                link,
                "for example: hub:stanfordnlp/imdb"
                if key == "texts"
                else "for example: hub:lambdalabs/naruto-blip-captions",
            )
        return text
    if "://" in text:
        findings.error(
            "wrong-form",
            "a data set is not fetched from an address",
            link,
            "write hub:owner/name, or download it and give its path",
        )
        return text
    path = paths.file(link, "data set", findings, folder_too=True)
    if path is None:
        return text
    if key == "texts" and paths.reader.is_file(path) and path.suffix.lower() not in _TABLES:
        findings.error(
            "wrong-form",
            f"texts are read from {names.listed(_TABLES)} files or a folder, not from {path.name}",
            link,
            "a table of texts and labels with named columns is the plainest: data.csv",
        )
    return str(path)


def lora(step: Node) -> LoraSettings:
    """The `lora:` block of a step."""
    node = access.child(step, "lora")
    targets: tuple[str, ...] | str = access.text(node, "target_modules") or _names(
        node, "target_modules"
    )
    lists = [
        (f"{key}.{number}", item.place)
        for key in ("target_modules", "modules_to_save")
        for number, item in enumerate(access.items(node, key))
    ]
    return LoraSettings(
        places=(*spots(node), *lists),
        target_modules=targets,
        modules_to_save=_names(node, "modules_to_save"),
        start=access.text(node, "from") or "",
        **_given(
            node,
            {
                "rank": access.integer,
                "alpha": access.number,
                "dropout": access.number,
                "use_rslora": access.boolean,
                "use_dora": access.boolean,
                "peft_type": access.text,
            },
        ),
    )


def image_step(name: str, node: Node, place: Place, model: str) -> TrainImageStep:
    """A step that trains on pictures."""
    return TrainImageStep(
        name,
        place,
        places=spots(node),
        model=model,
        data=access.text(node, "data") or "",
        seed=access.integer(node, "seed"),
        lora=lora(node),
        train=train(node, place),
        samples=_samples(access.child(node, "samples")),
        **_given(
            node,
            {
                "method": access.text,
                "resolution": access.integer,
                "center_crop": access.boolean,
                "random_crops": access.integer,
                "random_flip": access.boolean,
                "caption_dropout": access.number,
                "shuffle_tags": access.boolean,
                "keep_tags": access.integer,
                "snr_gamma": access.number,
                "noise_offset": access.number,
                "prediction_type": access.text,
                "masked_loss": access.boolean,
                "prior_data": access.text,
                "prior_loss_weight": access.number,
                "clip_skip": access.integer,
                "max_token_length": access.integer,
                "truncate_captions": access.boolean,
                "train_text_encoder": access.boolean,
            },
        ),
    )


def _samples(node: Node | None) -> Samples:
    return Samples(
        prompt_lists.prompts(node),
        access.integer(node, "every"),
        board_settings.image_settings(node, ImageSettings()),
        access.integer(node, "seed"),
    )


_NUMBERS = (
    "learning_rate",
    "text_encoder_learning_rate",
    "warmup_ratio",
    "weight_decay",
    "max_grad_norm",
    "ema_decay",
)
_TEXTS = ("lr_scheduler", "optimizer", "precision", "keep")
_SWITCHES = ("gradient_checkpointing", "torch_compile")
_DERIVED = ("place", "places", "resources", "trackers")


def train(step: Node, place: Place) -> TrainSettings:
    """The `train:` and `resources:` blocks of a step; `place` is the step's."""
    node, resources = access.child(step, "train"), access.child(step, "resources")
    readers: dict[str, Any] = {}
    for one in fields(TrainSettings):
        if one.name in _NUMBERS:
            readers[one.name] = access.number
        elif one.name in _TEXTS:
            readers[one.name] = access.text
        elif one.name in _SWITCHES:
            readers[one.name] = access.boolean
        elif one.name not in _DERIVED:
            readers[one.name] = access.integer
    precision = access.child(node, "precision")
    return TrainSettings(
        place=place if precision is None else precision.place,
        places=(*spots(node), *spots(resources)),
        trackers=_names(node, "trackers"),
        resources=Resources(
            access.integer(resources, "gpus"), access.integer(resources, "processes")
        ),
        **_given(node, readers),
    )


def spots(node: Node | None) -> tuple[tuple[str, Place], ...]:
    """Where the values of a mapping's keys stand."""
    if node is None or not isinstance(node.value, dict):
        return ()
    return tuple((k, v.place) for k, v in node.value.items() if v.value is not None)


def _given(node: Node | None, readers: dict[str, Any]) -> dict[str, Any]:
    """What a mapping gives; what it leaves out has its default in the document's class."""
    values = {key: read(node, key) for key, read in readers.items()}
    return {key: value for key, value in values.items() if value is not None}


def _names(node: Node | None, key: str) -> tuple[str, ...]:
    return tuple(one.value for one in access.items(node, key) if isinstance(one.value, str))
