"""Where models, adapters and data come from: what `from`, `texts` and `images` mean."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit.language.recipe.adapters import AdapterSource
from lorakit.language.recipe.documents import ModelSource
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import access, decode, names, schemas

if TYPE_CHECKING:
    from lorakit.language.recipe.paths import Paths
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_MODEL = schemas.defaults(schemas.RECIPE, "model")
SHIPPED_MODELS = ("studio", "minilm")
SHIPPED_TEXTS = ("movie-snippets",)
SHIPPED_IMAGES = ("hologram",)
_TABLES = (".csv", ".tsv", ".jsonl", ".parquet")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")
_PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")
_HUB_ADDRESS = re.compile(
    r"(?:hf|huggingface|hf\.co|(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)[:/]*",
    re.IGNORECASE,
)


def models(root: Node, paths: Paths, findings: Findings) -> dict[str, ModelSource]:
    """The recipe's models by name."""
    sources = {}
    for name, node in access.mapping(root, "models").items():
        link = access.child(node, "from")
        source = _model_source(link, paths, findings)
        place = (link or node).place
        own = {"dtype": _MODEL["dtype"], **decode.values_of(ModelSource, node)}
        own["parts"] = _parts(access.child(node, "parts"), paths, findings)
        sources[name] = ModelSource(name=name, source=source, place=place, **own)
    return sources


def adapters(root: Node, paths: Paths, findings: Findings) -> dict[str, AdapterSource]:
    """The recipe's adapters by name."""
    sources = {}
    for name, node in access.mapping(root, "adapters").items():
        link = access.child(node, "from")
        path = _adapter_path(link, paths, findings)
        sources[name] = AdapterSource(name, path, (link or node).place)
    return sources


def datasets(root: Node, paths: Paths, findings: Findings) -> dict[str, DataSource]:
    """The recipe's data sets by name."""
    sources = {}
    for name, node in access.mapping(root, "datasets").items():
        link = access.child(node, "texts") or access.child(node, "images") or node
        sources[name] = decode.decode(
            DataSource,
            node,
            name=name,
            place=link.place,
            texts=_data_source(node, "texts", paths, findings),
            images=_data_source(node, "images", paths, findings),
        )
    return sources


def _model_source(node: Node | None, paths: Paths, findings: Findings) -> str:
    if node is None or not isinstance(node.value, str) or not node.value.strip():
        return "lorakit:studio"
    text = node.value
    if text.startswith("lorakit:"):
        shipped = text.removeprefix("lorakit:")
        if shipped not in SHIPPED_MODELS:
            findings.error(
                "unknown-model",
                f"lorakit ships no model called {shipped}"
                if shipped
                else "lorakit: names no model: what is it called?",
                node,
                names.did_you_mean(shipped, SHIPPED_MODELS, "lorakit:{}")
                or "it ships lorakit:studio, which draws, and lorakit:minilm, which reads",
            )
        return text
    if _is_of_hub(node, text, findings):
        return text
    if _is_pickle(node, "model", findings):
        return text
    path = paths.file(node, "model", findings, folder_too=True)
    return str(path) if path is not None else text


def _parts(node: Node | None, paths: Paths, findings: Findings) -> str:
    """The folder or the hub's model that a checkpoint in one file takes what it lacks from."""
    if node is None or not isinstance(node.value, str) or not node.value.strip():
        return ""
    if _is_of_hub(node, node.value, findings):
        return node.value
    path = paths.file(node, "folder of parts", findings, folder_too=True)
    if path is not None and paths.reader.is_file(path):
        findings.error(
            "wrong-form",
            f"parts: is a folder in diffusers' layout, and {path.name} is a file",
            node,
            "name the folder that model_index.json stands in, or hub:owner/name",
        )
    return str(path) if path is not None else node.value


def _is_of_hub(node: Node, text: str, findings: Findings) -> bool:
    """Whether a text names a model of the hub, or meant to; what is wrong with it is found."""
    address = _HUB_ADDRESS.match(text)
    if text.startswith("hub:") or address:
        owner_and_name = text[address.end() :] if address else text.removeprefix("hub:")
        if address or not _HUB_NAME.match(owner_and_name):
            findings.error(
                "wrong-form",
                "a model on the Hugging Face hub is hub:owner/name",
                node,
                f"write hub:{owner_and_name}"
                if _HUB_NAME.match(owner_and_name)
                else "for example: hub:CompVis/stable-diffusion-v1-4",
            )
        return True
    if "://" in text:
        findings.error(
            "wrong-form",
            "a model is not fetched from an address",
            node,
            "write hub:owner/name, or download it and give its path",
        )
        return True
    return False


def _adapter_path(link: Node | None, paths: Paths, findings: Findings) -> Path:
    if link is None or not isinstance(link.value, str) or not link.value.strip():
        return Path()
    if link.value.startswith("hub:") or "://" in link.value:
        findings.error(
            "wrong-form",
            "an adapter is the path of a file",
            link,
            "download it and give its path",
        )
        return Path()
    if _is_pickle(link, "adapter", findings):
        return Path()
    return paths.file(link, "adapter", findings, folder_too=True) or Path()


def _is_pickle(node: Node, what: str, findings: Findings) -> bool:
    text = str(node.value)
    if not text.casefold().endswith(_PICKLES):
        return False
    findings.error(
        "unsafe-weights",
        f"this {what} is a pickle, which can run code when it is read; lorakit reads safetensors only",
        node,
        "many models are published in both forms; else convert it once, where you trust it",
    )
    return True


def _data_source(node: Node, key: str, paths: Paths, findings: Findings) -> str:
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
                f"lorakit ships no {key} called {shipped}"
                if shipped
                else f"lorakit: names no {key}: what are they called?",
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
