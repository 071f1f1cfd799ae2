"""What each keyword of a schema says when it is not met: always our own words, and a way out."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from lorakit.language.yaml import names, scalars, unknown_keys

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.schema import Schema

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
    bool: "a truth value",
    dict: "a mapping",
    list: "a list",
}
_LONGEST_SHOWN = 40
_LARGEST_TOLD = 2**63


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
        hint = example(schema, name) or ("remove it, or write it out" if " " in name else "")
        findings.error("wrong-type", f"{name} has no value; it must be {wanted}", node, hint)
        return
    if schema.prose and isinstance(value, (dict, list)) and node.style == "{":
        from lorakit.language.yaml import traps

        if isinstance(value, dict) and all(child.value is None for child in value.values()):
            traps.report_brace(node, findings)
            return
        text = node.source.text[node.start : node.end]
        hint = f"if it is a text, put it in quotes: {traps.quoted(text)}" if len(text) < 100 else ""
        findings.error("wrong-type", f"{name} must be {wanted}, not {shown(node)}", node, hint)
        return
    message = f"{name} must be {wanted}"
    if isinstance(value, (dict, list)):
        message += f", not {shown(node)}"
    elif isinstance(value, float) and "integer" in schema.type_names:
        message += f"; {shown(node)} is not whole"
    else:
        message += f"; {shown(node)} is {_VALUE_WORDS[type(value)]}"
    findings.error("wrong-type", message, node, _meant(schema, node) or example(schema, name))


def _meant(schema: Schema, node: Node) -> str:
    """What the author probably meant by a value of the wrong type."""
    value = node.value
    if isinstance(value, dict):
        return "each item begins with a dash and a space" if list in schema.types else ""
    if isinstance(value, list):
        return ""
    if isinstance(value, str):
        return _meant_by_text(schema, node, value)
    if str in schema.types:
        return f'to make it a text, put it in quotes: "{shown(node)}"'
    return f"a list of one: [{shown(node)}]" if list in schema.types else ""


def _meant_by_text(schema: Schema, node: Node, text: str) -> str:
    """Why a text is not the number, truth value, list or mapping that was wanted."""
    if bool in schema.types and text.casefold() in ("yes", "on", "y", "true"):
        return "write true"
    if bool in schema.types and text.casefold() in ("no", "off", "n", "false"):
        return "write false"
    if int in schema.types:
        return _meant_by_number(schema, node, text)
    if list in schema.types:
        return f"a list of one: [{inline(text)}]"
    if dict in schema.types and len(text) <= _LONGEST_SHOWN:
        key = _key_for(schema, text)
        return f"write {{{key}: {inline(text)}}}" if key else ""
    return ""


def _meant_by_number(schema: Schema, node: Node, text: str) -> str:
    plain = text.strip().replace("_", "").replace(",", ".")
    try:
        meant = scalars.resolve(plain)
    except scalars.NotFinite:
        return ""
    if type(meant) in schema.types:
        return f"quotes make it a text; without them: {meant}" if node.style else f"write {meant}"
    if re.fullmatch(r"0[0-9]+", text):
        return f"write it without the leading zero: {text.lstrip('0') or '0'}"
    if float in schema.types and re.fullmatch(r"[0-9]+(\.[0-9]+)?\s*%", text):
        return f"write the share: {float(text.rstrip('% ')) / 100:g}"
    with_unit = re.fullmatch(r"([0-9]+(\.[0-9]+)?)\s*[a-z]+", text)
    if with_unit:
        unit = f", in {schema.raw['x-unit']}" if "x-unit" in schema.raw else ""
        return f"write the number alone{unit}: {with_unit[1]}"
    return ""


def _key_for(schema: Schema, text: str) -> str:
    """The key under which a lone text would have its place in the mapping that was wanted."""
    for key, sub in schema.properties.items():
        if text in sub.raw.get("enum", ()):
            return key
    for key in (*schema.required, "style", "text"):
        if key in schema.properties and str in schema.properties[key].types:
            return key
    return ""


def not_one_of(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`enum`: the choices, and the one that was probably meant."""
    choices = [str(one) for one in schema.raw["enum"]]
    text = str(node.value) if not isinstance(node.value, (dict, list)) else ""
    elsewhere = names.foreign(text, choices)
    hint = (
        f'{text} is called "{elsewhere}" here' if elsewhere else names.did_you_mean(text, choices)
    )
    message = f"{name} must be {names.listed(choices)}"
    message += "; it has no value" if node.value is None else f", not {shown(node)}"
    findings.error("wrong-value", message, node, hint)


def not_the_version(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`const`: a version of the format that this lorakit does not read."""
    version = schema.raw["const"]
    newer = type(node.value) is int and isinstance(version, int) and node.value > version
    findings.error(
        "wrong-version",
        f"{name} is the version of the format, and must be {version}; {shown(node)} is not known",
        node,
        "a newer lorakit may know it" if newer else f"write {name}: {version}",
    )


def range_words(raw: dict[str, Any]) -> str:
    """A range as a sentence has it: above 0 and at most 1."""
    unit = f" {raw['x-unit']}" if "x-unit" in raw and "," not in raw["x-unit"] else ""
    words: str
    low, above, high = raw.get("minimum"), raw.get("exclusiveMinimum"), raw.get("maximum")
    if high is not None and high > _LARGEST_TOLD:
        return f"at least {low}, and fit into 64 bits"
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
    if raw.get("maximum") == 1 and 2 <= value <= 100:
        hint = f"{shown(node)} percent is {value / 100:g}"
    else:
        hint = raw.get("description", "")
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
    for meant in (slug, f"scene:{slug}"):
        if slug and meant != text and not hint and schema.pattern and schema.pattern.search(meant):
            hint = f"write {meant}"
    findings.error(
        "wrong-form",
        f"{name} must be {form}; {shown(node)} is not",
        node,
        hint or example(schema, name),
    )


def empty_collection(schema: Schema, node: Node, name: str, findings: Findings) -> None:
    """`minItems`, `minProperties`."""
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
    message: str = schema.raw.get("x-when-missing", {}).get(key) or f'{name} needs "{key}"'
    sub = schema.properties.get(key)
    hint = example(sub, key) if sub is not None else ""
    if key == "kind":
        hint = _kind_hint(schema, node) or hint
    assert isinstance(node.value, dict)
    for given in () if schema.closed else node.value:
        # a closed mapping has told of its unknown keys already
        if names.foreign(given, [key]) or names.nearest(given, [key]):
            unknown_keys.report(schema, node, given, findings)
            return
    deleted = (node.deleted or {}).get(key)
    if deleted is not None:
        findings.error("missing-key", f"{message}, which is deleted here", deleted, hint)
        return
    findings.error("missing-key", message, _head(node), hint)


def _head(node: Node) -> Node:
    """The first key of a mapping, which says better than its whole line where it begins."""
    if isinstance(node.value, dict) and node.keys:
        return next(iter(node.keys.values()))
    return node


def _kind_hint(schema: Schema, node: Node) -> str:
    """The kind whose keys a step has already."""
    assert isinstance(node.value, dict)
    best, most = "", 0
    for branch in schema.all_of:
        if branch.condition is None or branch.then is None:
            continue
        kind = str(branch.condition.constants["kind"])
        count = sum(key in branch.then.properties for key in node.value) + (
            2 * all(key in node.value for key in branch.then.required)
        )
        if count > most:
            best, most = kind, count
    return f"by its other keys: kind: {best}" if best else ""


def is_a_sentence_that_yaml_split(schema: Schema, node: Node, findings: Findings) -> bool:
    """Whether a mapping was meant to be a sentence: `- The bunny says: hello`, or `- {bunny}`."""
    value = node.value
    assert isinstance(value, dict)
    from lorakit.language.yaml import traps

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
