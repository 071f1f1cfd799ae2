"""Keys that a mapping may not have: a slip, another tool's word, or a key of another place."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from lorakit.language.yaml import names, schemas
from lorakit.language.yaml.nodes import BROKEN
from lorakit.language.yaml.problems import shortened

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.problems import Problem

_KIND = "in a step of kind "
_FORMATS = {schemas.RECIPE: "a recipe", schemas.STORYBOARD: "a storyboard"}
# a word that means something in one place alone, and would be explained wrongly by where else it stands
_IN_PLACE = {
    **{
        (kind, "network_weights"): 'it is called "from" and belongs under lora:'
        for kind in ("train-image", "train-text")
    },
}


def report(problem: Problem, key: str, findings: Findings) -> str:
    """Say what an unknown key is called here, or where it belongs; returns the key that was meant."""
    node = problem.node
    allowed = [name for name in problem.schema.keys if name != "notes"]
    spot = node.key_spot(key)
    short = shortened(key)
    if _is_text_that_a_comma_ended(node, key):
        number = _decimal_comma(node, key)
        message = f"a comma inside {{ }} ends the {'number' if number else 'text'} before {short}"
        hint = f"write {number}" if number else "put the text that holds the comma in quotes"
        if number:
            _before(node, key).value = BROKEN  # half a number: nothing else is said of it
        findings.error("yaml-comma", message, spot, hint)
        return ""
    here = _IN_PLACE.get((_name_of(problem), key))
    if here:
        findings.error("unknown-key", f"{short} cannot stand here", spot, here)
        return ""
    inside = node.value[key].value if isinstance(node.value, dict) else None
    if isinstance(inside, dict) and inside and set(inside) <= set(allowed):
        hint = f"what is in it stands here by itself: {', '.join(inside)}"
        findings.error("unknown-key", f"{short} cannot stand here", spot, hint)
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
    home = _home(key, problem.file)
    if home:
        findings.error("unknown-key", f"{short} cannot stand here", spot, home)
        return ""
    later = names.LATER.get(key.casefold())
    if later:
        message = f"{short} belongs to {later}, which this version does not have yet"
        findings.error("unknown-key", message, spot)
        return ""
    hint = f"what may stand here: {names.listed(allowed, 20)}"
    findings.error("unknown-key", f"unknown key {short}", spot, hint)
    return ""


def means(given: str, key: str) -> bool:
    """Whether a key that is there was probably meant to be another one, which is not."""
    return bool(names.foreign(given, [key]) or names.nearest(given, [key]))


def _name_of(problem: Problem) -> str:
    """The name of the definition that a mapping is held against."""
    definitions = schemas.load(problem.schema.file).get("definitions", {})
    properties = problem.raw.get("properties")
    return next(
        (name for name, raw in definitions.items() if raw.get("properties") is properties), ""
    )


def _is_text_that_a_comma_ended(node: Node, key: str) -> bool:
    assert isinstance(node.value, dict)
    written = (node.keys or {}).get(key)
    return (
        node.style == "{"
        and node.value[key].value is None
        and written is not None
        and written.style == ""
    )


def _decimal_comma(node: Node, key: str) -> str:
    """`hold: 1.5`, where `hold: 1,5` is a key with the number 1 and the key 5."""
    assert isinstance(node.value, dict)
    if not key.isdecimal() or next(iter(node.value)) == key:
        return ""
    before = _before(node, key)
    number = before.value
    name = next(name for name, value in node.value.items() if value is before)
    whole = isinstance(number, int) and not isinstance(number, bool)
    return f"{name}: {number}.{key}" if whole else ""


def _before(node: Node, key: str) -> Node:
    """The value that stands before a mapping's key, which is not its first."""
    assert isinstance(node.value, dict)
    keys = list(node.value)
    return node.value[keys[keys.index(key) - 1]]


def _home(key: str, file: str) -> str:
    """Where a key that is wrong here belongs, be it ours or another tool's."""
    called = ""
    places = _homes().get(key)
    if places is None:
        ours = names.foreign(key, _homes())
        if ours is None:
            return ""
        called, places = f'is called "{ours}" and ', _homes()[ours]
    here = [place for place, home in places if home == file]
    if here:
        return f"it {called}belongs {_places(here)}"
    other = next(home for _, home in places)
    elsewhere = _places([place for place, _ in places])
    into = "" if elsewhere.startswith("at the top") else f"into {_FORMATS[other]}, "
    return f"it {called}belongs {into}{elsewhere}"


def _places(places: list[str]) -> str:
    """Places in a row, kinds of steps together."""
    kinds = [place.removeprefix(_KIND) for place in places if place.startswith(_KIND)]
    inner = [place for place in places if not place.startswith(_KIND)]
    return names.listed([*inner, *([_KIND + names.listed(kinds)] if kinds else [])], 4)


@cache
def _homes() -> dict[str, tuple[tuple[str, str], ...]]:
    """Each key of both formats -> the places where it may stand, in words, and in which format."""
    homes: dict[str, dict[tuple[str, str], None]] = {}

    def walk(raw: Any, file: str, where: str, home: str) -> None:
        sub = schemas.subschema(raw, file)
        for key, value in sub.keys.items():
            if key not in ("notes", "kind", "from"):
                homes.setdefault(key, {})[where, home] = None
            walk(value, sub.file, f"under {key}:", home)
        if "items" in sub.raw:
            inside = where.replace("under ", "in an item of ").rstrip(":")
            walk(sub.raw["items"], sub.file, inside, home)
        rest = sub.raw.get("additionalProperties")
        if isinstance(rest, dict):
            walk(rest, sub.file, where.replace("under ", "in one of the ").rstrip(":"), home)
        for branch in (part for part in sub.raw.get("allOf", ()) if "if" in part):
            kind = branch["if"]["properties"]["kind"]["const"]
            walk(branch["then"], sub.file, f"{_KIND}{kind}", home)

    for file, noun in _FORMATS.items():
        walk(schemas.load(file), file, f"at the top of {noun}", file)
    return {key: tuple(places) for key, places in homes.items()}
