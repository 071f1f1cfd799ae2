"""What scenes are called that say it not themselves: after their setting, or their number."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from typing import TYPE_CHECKING

from lorakit.language.story.over_frames import first_setting
from lorakit.language.story.weights import plain
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_LONGEST_NAME = 80  # letters of a scene's name that is made from its setting


def scene_names(nodes: list[Node]) -> list[str]:
    """Name each scene: its own name, or its setting's with the setting's occurrence, or its number's."""
    own = [access.name(node, "name") for node in nodes]
    taken = {name for name in own if name}
    names: list[str] = []
    counts: dict[str, int] = {}
    for number, (node, name) in enumerate(zip(nodes, own, strict=True), start=1):
        if name:
            names.append(name)
            continue
        slug = _slug(plain(first_setting(node)))
        if slug:
            counts[slug] = counts.get(slug, 0) + 1
            candidate = slug if counts[slug] == 1 else f"{slug}_{counts[slug]}"
        else:
            candidate = f"scene_{number}"
        while candidate in taken:
            candidate += "_"
        taken.add(candidate)
        names.append(candidate)
    return names


def _slug(setting: str) -> str:
    """A setting as a scene's name; in letters without accents where it has no others than Latin ones."""
    parts = unicodedata.normalize("NFKD", setting)
    bare = "".join(char for char in parts if not unicodedata.combining(char))
    if any(char.isalnum() and not char.isascii() for char in bare):
        text = unicodedata.normalize("NFC", setting).casefold()
        return _shortened("_".join(re.findall(r"[^\W_]+", text)))
    ascii_ = parts.encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^a-z0-9]+", "_", ascii_.casefold()).strip("_")
    if not slug:
        return _shortened(" ".join(setting.split()))  # signs alone, such as emoji
    return slug if not slug[:1].isdigit() else f"scene_{slug}"


def _shortened(name: str) -> str:
    """A name of few letters, which differs wherever the whole differs."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[:_LONGEST_NAME]}_{digest}"
