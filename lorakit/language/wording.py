"""What each keyword of a schema says when it is not met: always our own words, and a way out."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from lorakit.language import names, scalars, schemas, traps

if TYPE_CHECKING:
    from lorakit.language.findings import Findings
    from lorakit.language.nodes import Node
    from lorakit.language.schema import Schema

_TYPE_WORDS = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "a mapping (key: value)",
    "array": "a list",
    "null": "nothing",
}
_VALUE_WORDS: dict[type, str] = {
    str: "a text",
    int: "a number",
    float: "a number",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
}
_LONGEST_SHOWN = 40


def shown(node: Node) -> str:
    """A value as the author wrote it, cut short."""
    if isinstance(node.value, dict):
        return "a mapping"
    if isinstance(node.value, list):
        return "a list"
    if isinstance(node.value, str):
        text = " ".join(node.value.split())
    else:
        text = node.source.text[node.start : node.end] or "nothing"
    return text if len(text) <= _LONGEST_SHOWN else text[: _LONGEST_SHOWN - 1] + "…"


def inline(value: Any) -> str:
    """A value as it would stand on one line of YAML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {inline(sub)}" for key, sub in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(sub) for sub in value) + "]"
    if isinstance(value, str) and re.fullmatch(r"[\w./:-]*[\w./-]", value):
        return value
    return json.dumps(value, ensure_ascii=False)


def example(schema: Schema, name: str) -> str:
    """A hint that shows how a key is written, if its schema has an example."""
    examples = schema.raw.get("examples")
    if not examples:
        return ""
    value = inline(examples[0])
    return f"for example: {value}" if " " in name else f"for example: {name}: {value}"


def wrong_type(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`type`: what was wanted, what was given, and often why it is not what the author meant."""
    wanted = names.listed(_TYPE_WORDS[kind] for kind in schema.type_names)
    value = node.value
    if value is None:
        findings.error(
            "wrong-type",
            f"{name} has no value; it must be {wanted}",
            node,
            example(schema, name),
            "or remove the line" if " " not in name else "",
        )
        return
    if schema.prose and isinstance(value, (dict, list)) and node.style == "{":
        text = node.source.text[node.start : node.end]
        if isinstance(value, dict) and all(child.value is None for child in value.values()):
            traps.report_brace(node, findings)
            return
        hint = f"if it is a text, put it in quotes: {traps.quoted(text)}" if len(text) < 100 else ""
        findings.error("wrong-type", f"{name} must be {wanted}, not {shown(node)}", node, hint)
        return
    hint = ""
    if isinstance(value, str):
        hint = _meant_by_text(schema, node, value)
    elif str in schema.types and not isinstance(value, (dict, list)):
        hint = f'to make it a text, put it in quotes: "{shown(node)}"'
    elif list in schema.types and not isinstance(value, (dict, list)):
        hint = f"a list of one: [{shown(node)}]"
    what = _VALUE_WORDS[type(value)]
    if isinstance(value, float) and "integer" in schema.type_names:
        what = "not whole"
    message = f"{name} must be {wanted}"
    message += f", not {what}" if isinstance(value, (dict, list)) else f"; {shown(node)} is {what}"
    findings.error("wrong-type", message, node, hint, example(schema, name) if not hint else "")


def _meant_by_text(schema: Schema, node: Node, text: str) -> str:
    """Why a text is not the number, truth value or list that was wanted."""
    if bool in schema.types and text.casefold() in ("yes", "on", "y", "true"):
        return "write true"
    if bool in schema.types and text.casefold() in ("no", "off", "n", "false"):
        return "write false"
    if int in schema.types:
        try:
            meant = scalars.resolve(text.strip().replace("_", "").replace(",", "."))
        except scalars.NotFinite:
            return ""
        if type(meant) in schema.types and node.style:
            return f"quotes make it a text; without them: {meant}"
        if type(meant) in schema.types:
            return f"write {meant}"
        if re.fullmatch(r"0[0-9]+", text):
            return f"write it without the leading zero: {text.lstrip('0') or '0'}"
        if re.fullmatch(r"[0-9.]+\s*%", text):
            return (
                f"write the share: {float(text.rstrip('% ')) / 100:g}"
                if text.count(".") < 2
                else ""
            )
    if list in schema.types:
        return f"a list of one: [{inline(text)}]"
    return ""


def not_one_of(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`enum`: the choices, and the one that was probably meant."""
    choices = [str(one) for one in schema.raw["enum"]]
    text = str(node.value) if not isinstance(node.value, (dict, list)) else ""
    elsewhere = names.foreign(text, choices)
    hint = f"{text} is called {elsewhere} here" if elsewhere else names.did_you_mean(text, choices)
    message = f"{name} must be {names.listed(choices)}"
    message += "; it has no value" if node.value is None else f", not {shown(node)}"
    findings.error("wrong-value", message, node, hint)


def not_the_version(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`const`: a version of the format that this lorakit does not read."""
    version = schema.raw["const"]
    newer = isinstance(node.value, (int, float)) and node.value > version
    findings.error(
        "wrong-version",
        f"{name} is the version of the format, and must be {version}; {shown(node)} is not known",
        node,
        "a newer lorakit may know it" if newer else f"write {name}: {version}",
    )


def range_words(raw: dict[str, Any]) -> str:
    """A range as a sentence has it: above 0 and at most 1."""
    unit = f" {raw['x-unit']}" if "x-unit" in raw and "," not in raw["x-unit"] else ""
    low, above, high = raw.get("minimum"), raw.get("exclusiveMinimum"), raw.get("maximum")
    if above is not None:
        words = f"above {above}" + (f" and at most {high}" if high is not None else "")
    elif low is not None and high is not None:
        words = f"from {low} to {high}"
    elif low is not None:
        words = f"at least {low}"
    else:
        words = f"at most {high}"
    return words + unit


def out_of_range(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`minimum`, `maximum`, `exclusiveMinimum`."""
    raw = schema.raw
    value = node.value
    assert isinstance(value, (int, float))
    hint = ""
    if raw.get("maximum") == 1 and 1 < value <= 100:
        hint = f"{shown(node)} percent is {value / 100:g}"
    findings.error(
        "out-of-range", f"{name} must be {range_words(raw)}; {shown(node)} is not", node, hint
    )


def not_a_multiple(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`multipleOf`."""
    step = schema.raw["multipleOf"]
    value = node.value
    assert isinstance(value, (int, float))
    word = "even" if step == 2 else f"a multiple of {step}"
    below = int(value // step * step)
    findings.error(
        "out-of-range",
        f"{name} must be {word}; {shown(node)} is not",
        node,
        f"write {below} or {below + step}",
    )


def wrong_form(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`pattern`, told by the schema's own `x-form`."""
    form = schema.raw.get("x-form", "of another form")
    text = str(node.value)
    slug = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")
    hint = ""
    if slug and slug != text and schema.pattern and schema.pattern.search(slug):
        hint = f"for example: {slug}"
    what = "a name" if name == "a name" else name
    findings.error(
        "wrong-form",
        f"{what} must be {form}; {shown(node)} is not",
        node,
        hint or example(schema, name),
    )


def empty_collection(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`minItems` and `minProperties`."""
    findings.error("empty", f"{name} is empty", node, example(schema, name))


def excluded(node: Node, key: str, findings: Findings) -> None:
    """A key that another one rules out."""
    other = "text" if key == "sentences" else "another key"
    findings.error(
        "both-given",
        f"{key} and {other} cannot stand side by side",
        node.key_spot(key),
        f"keep one: {other} is a paragraph that is split, {key} are split already"
        if key == "sentences"
        else "keep one of them",
    )


def missing_key(schema: Schema, node: Node, name: str, key: str, findings: Findings) -> None:
    """`required`."""
    message = schema.raw.get("x-when-missing", {}).get(key) or f"{_called(name)} needs {key}:"
    sub = schema.properties.get(key)
    hint = example(sub, key) if sub is not None else ""
    if key == "kind":
        hint = _kind_hint(schema, node) or hint
    if not hint and "const" in (sub.raw if sub else {}):
        hint = f"begin the file with {key}: 1"
    findings.error("missing-key", message, _head(node), hint)


def _head(node: Node) -> Any:
    """The first key of a mapping, which says better than its whole line where it begins."""
    if isinstance(node.value, dict) and node.keys:
        return next(iter(node.keys.values()))
    return node


def _called(name: str) -> str:
    return name[:1].lower() + name[1:] if name else "this"


def _kind_hint(schema: Schema, node: Node) -> str:
    """The kind whose keys a step has already."""
    assert isinstance(node.value, dict)
    best, most = "", 0
    for branch in schema.all_of:
        if branch.condition is None or branch.then is None:
            continue
        kind = branch.condition.properties["kind"].raw["const"]
        count = sum(key in branch.then.properties for key in node.value) + (
            2 * all(key in node.value for key in branch.then.required)
        )
        if count > most:
            best, most = kind, count
    return f"by its other keys: kind: {best}" if best else ""


def unknown_key(schema: Schema, node: Node, key: str, findings: Findings) -> str:
    """`additionalProperties: false`: what the key is called, or where it belongs; returns what was meant."""
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
        findings.error("unknown-key", f"{short} is called {ours} here", spot)
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
    return f"it is called {ours} and belongs {names.listed(homes[ours], 4)}" if ours else ""


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


def is_a_sentence_that_yaml_split(schema: Schema, node: Node, findings: Findings) -> bool:
    """Whether a mapping was meant to be a sentence: `- The bunny says: hello`, or `- {bunny}`."""
    value = node.value
    assert isinstance(value, dict)
    keys = list(value)
    if not keys or any(key in schema.properties for key in keys):
        return False
    if node.style == "{" and all(child.value is None for child in value.values()):
        traps.report_brace(node, findings)
        return True
    if (
        node.style == ""
        and len(keys) == 1
        and (" " in keys[0] or not isinstance(value[keys[0]].value, (dict, list)))
    ):
        if names.foreign(keys[0], schema.properties) or names.nearest(keys[0], schema.properties):
            return False
        traps.report_colon(node, findings)
        return True
    return False
