"""What a sweep's members are called: their values in full for tables and sheets, and short for folders."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_LONGEST = 40  # letters of one value in the name of a folder
# letters and digits of every script: file systems take them; signs, among them those of paths, become -
_UNFIT = re.compile(r"[^\w.+-]+")
_DASHES = re.compile(r"-{2,}")


def shown(value: Node) -> str:
    """A value as tables and sheets show it, in one line."""
    plain = value.value
    if plain is None:
        text = "default"
    elif isinstance(plain, bool):
        text = str(plain).lower()
    elif isinstance(plain, float):
        text = f"{plain:g}" if float(f"{plain:g}") == plain else repr(plain)
    elif isinstance(plain, list):
        text = ", ".join(map(shown, plain)) or "none"
    elif isinstance(plain, dict):
        text = ", ".join(f"{key} {shown(item)}" for key, item in plain.items()) or "none"
    else:
        text = " ".join(str(plain).split()) if isinstance(plain, str | int) else ""
    return text


def in_a_name(value: Node, number: int) -> str:
    """The same as part of a folder's name on every system; `number` where it has no letter fit for one."""
    plain = value.value
    if isinstance(plain, list):
        text = "+".join(in_a_name(item, number) for item in plain) or "none"
    else:
        text = shown(value)
    text = _UNFIT.sub("-", unicodedata.normalize("NFC", text))
    sign = "-" if isinstance(plain, int | float) and text.startswith("-") else ""
    text = _DASHES.sub("-", text).strip("-._")[:_LONGEST].rstrip("-._+")
    return f"{sign}{text}" if text else f"no{number}"
