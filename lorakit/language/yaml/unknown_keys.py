"""Keys that a mapping may not have: a slip, another tool's word, or a key of another place."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lorakit.language.yaml import names, schemas

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.schema import Schema

_LONGEST_SHOWN = 40


def report(schema: Schema, node: Node, key: str, findings: Findings) -> str:
    """Say what an unknown key is called here, or where it belongs; returns the key that was meant."""
    allowed = [name for name in schema.properties if name != "notes"]
    spot = node.key_spot(key)
    short = key if len(key) <= _LONGEST_SHOWN else key[: _LONGEST_SHOWN - 1] + "…"
    assert isinstance(node.value, dict)
    if (
        node.style == "{"
        and node.value[key].value is None
        and node.keys
        and node.keys[key].style == ""
    ):
        message = f"a comma inside {{ }} ends the text before {short}"
        findings.error("yaml-comma", message, spot, "put the text that holds the comma in quotes")
        return ""
    ours = names.foreign(key, allowed)
    if ours:
        aside = 'or "width" and "height", in px' if ours == "aspect" and "ratio" not in key else ""
        findings.error("unknown-key", f'{short} is called "{ours}" here', spot, aside)
        return ours
    near = names.nearest(key, allowed)
    if near:
        findings.error("unknown-key", f"unknown key {short}", spot, f"did you mean {near}?")
        return near
    home = _home(key)
    if home:
        findings.error("unknown-key", f"{short} cannot stand here", spot, home)
        return ""
    later = names.LATER.get(key.casefold())
    if later:
        findings.error(
            "unknown-key", f"{short} belongs to {later}, which this version does not have yet", spot
        )
        return ""
    findings.error(
        "unknown-key",
        f"unknown key {short}",
        spot,
        f"what may stand here: {names.listed(allowed, 20)}",
    )
    return ""


def _home(key: str) -> str:
    """Where a key that is wrong here belongs, be it ours or another tool's."""
    homes = _homes()
    if key in homes:
        return f"it belongs {names.listed(homes[key], 4)}"
    ours = names.foreign(key, homes)
    return f'it is called "{ours}" and belongs {names.listed(homes[ours], 4)}' if ours else ""


@cache
def _homes() -> dict[str, tuple[str, ...]]:
    """Each key of both formats -> the places where it may stand, in words."""
    homes: dict[str, dict[str, None]] = {}

    def walk(raw: Any, file: str, where: str) -> None:
        if not isinstance(raw, dict):
            return
        if "$ref" in raw:
            raw, file = schemas.resolve(raw["$ref"], file)
        for key, sub in raw.get("properties", {}).items():
            if key not in ("notes", "kind", "from"):
                homes.setdefault(key, {})[where] = None
            walk(sub, file, f"under {key}:")
        if "items" in raw:
            walk(raw["items"], file, where.replace("under ", "in an item of ").rstrip(":"))
        if isinstance(raw.get("additionalProperties"), dict):
            walk(
                raw["additionalProperties"],
                file,
                where.replace("under ", "in one of the ").rstrip(":"),
            )
        for sub in raw.get("allOf", ()):
            kind = sub["if"]["properties"]["kind"]["const"]
            walk(sub["then"], file, f"in a step of kind {kind}")

    walk(
        schemas.load("storyboard.schema.json"),
        "storyboard.schema.json",
        "at the top of a storyboard",
    )
    walk(schemas.load("recipe.schema.json"), "recipe.schema.json", "at the top of a recipe")
    return {key: tuple(places) for key, places in homes.items()}
