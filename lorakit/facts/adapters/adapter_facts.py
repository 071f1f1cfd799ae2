"""What a plan needs to know of an adapter made elsewhere: its layers, and a digest of its effect."""

from __future__ import annotations

from pathlib import Path

from lorakit.facts.adapters import values
from lorakit.facts.adapters.errors import AdapterError, listed
from lorakit.facts.adapters.files import PEFT_FILE, PEFT_SETTINGS, existing_file
from lorakit.facts.adapters.layout import PEFT_CONFIG, AdapterLayout, read_layout
from lorakit.facts.adapters.pieces import whole_name
from lorakit.facts.files.digests import Digests, Unread
from lorakit.records import record
from lorakit.store.canonical import digest_of


@record
class AdapterFacts:
    """An adapter as a plan sees it."""

    digest: str
    layout: AdapterLayout


def adapter_facts(path: Path, digests: Digests) -> AdapterFacts:
    """The facts of a file or a folder; its values are looked at where its digest is not known.

    Raises AdapterError with all that is wrong, OSError.
    """
    layout = read_layout(existing_file(path))
    unseen = not isinstance(digests, Unread) and not all(map(digests.knows, layout.files))
    if unseen and (strange := values.not_finite(layout.file, layout.header)):
        raise AdapterError(f"{layout.file} has values that are not finite: {listed(strange)}")
    told = [digests.file(file) for file in layout.files]
    if layout.format == "peft" and PEFT_CONFIG not in layout.header.metadata:
        told += [digests.file(file) for file in _settings(layout)]
    return AdapterFacts(told[0] if len(told) == 1 else digest_of(told), layout)


def _settings(layout: AdapterLayout) -> list[Path]:
    """The settings beside an adapter's files. Raises AdapterError where they are another's."""
    for file in layout.files:
        if whole_name(file) != PEFT_FILE and (file.parent / PEFT_FILE).is_file():
            raise AdapterError(
                f"{PEFT_SETTINGS} beside {file.name} belongs to {PEFT_FILE}: "
                "give each a folder of its own"
            )
    return sorted({file.with_name(PEFT_SETTINGS) for file in layout.files})
