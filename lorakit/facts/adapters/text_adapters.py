"""Adapters of text classifiers made elsewhere, in PEFT's layout, for trainings that go on from them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from lorakit.facts.adapters.errors import AdapterError
from lorakit.facts.adapters.files import PEFT_SETTINGS, existing_file
from lorakit.facts.adapters.peft_settings import PeftSettings, settings_from
from lorakit.facts.adapters.pieces import header_of
from lorakit.facts.files.digests import Digests
from lorakit.files import read_text
from lorakit.records import record
from lorakit.store.canonical import digest_of

_BEFORE, _A = "base_model.model.", ".lora_A.weight"
_MOST = 1_000_000  # bytes of settings


@record
class TextAdapterFacts:
    """`layers` are those with an adapter, `shapes` of all tensors by PEFT's names."""

    digest: str
    file: Path
    settings: PeftSettings
    layers: frozenset[str]
    shapes: Mapping[str, tuple[int, ...]]


def text_adapter_facts(path: Path, digests: Digests) -> TextAdapterFacts:
    """The facts of a folder, or of its weights. Raises AdapterError, OSError."""
    file = existing_file(path)
    header = header_of(file)
    shapes, files = header.shapes, sorted({info.file or file for info in header.tensors.values()})
    layers = [n.removeprefix(_BEFORE).removesuffix(_A) for n in shapes if n.endswith(_A)]
    if not layers or not all(name.startswith(_BEFORE) for name in shapes):
        raise AdapterError(f"{file} is no LoRA of a text classifier in PEFT's layout")
    config = file.with_name(PEFT_SETTINGS)
    if not config.is_file():
        raise AdapterError(f"{PEFT_SETTINGS}, which has its alpha, is not beside {file}")
    try:
        told = json.loads(read_text(config, _MOST))
    except (ValueError, RecursionError) as error:
        raise AdapterError(f"{config} is no JSON that can be read") from error
    if isinstance(told, dict):
        told.pop("modules_to_save", None)  # the head, which is read from the weights
    settings = settings_from(json.dumps(told), str(config))
    digest = digest_of([*map(digests.file, files), digests.file(config)])
    return TextAdapterFacts(digest, file, settings, frozenset(layers), shapes)
