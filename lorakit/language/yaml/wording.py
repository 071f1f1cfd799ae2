"""What each keyword of a schema says when it is not met: always our own words, and a way out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lorakit.language.yaml import meant, names, schemas
from lorakit.language.yaml.problems import example, inline, shown

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node
    from lorakit.language.yaml.problems import Problem
    from lorakit.language.yaml.schemas import Subschema

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
_LARGEST_TOLD = 2**63


def wrong_type(problem: Problem, findings: Findings) -> None:
    """`type`: what was wanted, what was given, and often why it is not what the author meant."""
    schema, node, name = problem.schema, problem.node, problem.name
    wanted = names.listed(_TYPE_WORDS[kind] for kind in schema.types)
    value = node.value
    if value is None:
        hint = problem.example or ("remove it, or write it out" if " " in name else "")
        findings.error("wrong-type", f"{name} has no value; it must be {wanted}", node, hint)
        return
    if schema.prose and isinstance(value, (dict, list)) and node.style == "{":
        _wrong_type_of_prose(problem, wanted, findings)
        return
    message = f"{name} must be {wanted}"
    if isinstance(value, (dict, list)):
        message += f", not {shown(node)}"
    elif isinstance(value, float) and "integer" in schema.types:
        message += f"; {shown(node)} is not whole"
    else:
        message += f"; {shown(node) or chr(34) * 2} is {_VALUE_WORDS[type(value)]}"
    findings.error("wrong-type", message, node, meant.by_its_type(problem) or problem.example)


def _wrong_type_of_prose(problem: Problem, wanted: str, findings: Findings) -> None:
    """A text in brackets, which YAML reads as a collection."""
    from lorakit.language.yaml import prose, traps

    node = problem.node
    if isinstance(node.value, dict) and all(child.value is None for child in node.value.values()):
        prose.report_brace(node, findings)
        return
    text = node.source.text[node.start : node.end]
    hint = f"if it is a text, put it in quotes: {traps.quoted(text)}" if len(text) < 100 else ""
    items = node.value if isinstance(node.value, list) else []
    if items and all(isinstance(item.value, str) and item.value for item in items):
        key = "" if " " in problem.name else f"{problem.name}: "
        whole = ", ".join(str(item.value) for item in items)
        hint = f"without brackets: {key}{inline(whole)}" if len(whole) < 100 else ""
    several = "sentences stand in a list under sentences:" if problem.name == "text" else ""
    message = f"{problem.name} must be {wanted}, not {shown(node)}"
    findings.error("wrong-type", message, node, hint, several if len(items) > 1 else "")


def empty_text(problem: Problem, findings: Findings) -> None:
    """`minLength`."""
    hint = problem.example or ("remove it, or write it out" if " " in problem.name else "")
    findings.error("empty", f"{problem.name} is empty", problem.node, hint)


def too_long(problem: Problem, findings: Findings) -> None:
    """`maxLength`."""
    count, most = len(str(problem.node.value)), problem.raw["maxLength"]
    message = f"{problem.name} has {count:,} letters, and may have {most:,}"
    findings.error("too-long", message, problem.node, "shorten it")


def not_one_of(problem: Problem, findings: Findings) -> None:
    """`enum`: the choices, and the one that was probably meant."""
    node, choices = problem.node, [str(choice) for choice in problem.raw["enum"]]
    text = str(node.value) if not isinstance(node.value, (dict, list)) else ""
    elsewhere = names.foreign(text, choices)
    hint = (
        f'{text} is called "{elsewhere}" here' if elsewhere else names.did_you_mean(text, choices)
    )
    if elsewhere and text.casefold().endswith("karras"):
        hint += "; beside it, use_karras_sigmas: true"
    hint = names.VALUES.get((problem.name, text.casefold()), hint)
    only = node.value[0].value if isinstance(node.value, list) and len(node.value) == 1 else None
    if only in choices:
        hint = f"write {only}, which is no list"
    message = f"{problem.name} must be {names.listed(choices)}"
    message += "; it has no value" if node.value is None else f", not {shown(node)}"
    findings.error("wrong-value", message, node, hint)


def not_the_version(problem: Problem, findings: Findings) -> None:
    """`const`: a version of the format that this lorakit does not read."""
    node, name, version = problem.node, problem.name, problem.raw["const"]
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
    below = raw.get("exclusiveMaximum")
    if high is not None and high > _LARGEST_TOLD:
        return f"at least {low}, and fit into 64 bits"
    if below is not None:
        least = f"above {above} and " if above is not None else ""
        least = f"at least {low} and " if low is not None else least
        words = f"{least}below {below}"
    elif above is not None:
        words = f"above {above}" + (f" and at most {high}" if high is not None else "")
    elif low is not None and high is not None:
        words = f"from {low} to {high}"
    elif low is not None:
        words = f"at least {low}"
    else:
        words = f"at most {high}"
    return words + unit


def out_of_range(problem: Problem, findings: Findings) -> None:
    """`minimum`, `maximum`, `exclusiveMinimum`."""
    raw, node = problem.raw, problem.node
    value = node.value
    assert isinstance(value, (int, float))
    hints: tuple[str, ...]
    if raw.get("maximum") == 1 and 2 <= value <= 100:
        hints = (f"{shown(node)} percent is {value / 100:g}",)
    elif raw.get("maximum", 0) > _LARGEST_TOLD and value < 0:
        hints = ("a seed is chosen, never drawn, so that a picture can be made again: seed: 7",)
    else:
        what = raw.get("description", "")
        hints = (problem.example, "" if what.startswith("This ") else what)
    findings.error(
        "out-of-range",
        f"{problem.name} must be {range_words(raw)}; {shown(node)} is not",
        node,
        *hints,
    )


def not_a_multiple(problem: Problem, findings: Findings) -> None:
    """`multipleOf`."""
    step, node = problem.raw["multipleOf"], problem.node
    value = node.value
    assert isinstance(value, (int, float))
    word = "even" if step == 2 else f"a multiple of {step}"
    below = int(value // step * step)
    findings.error(
        "out-of-range",
        f"{problem.name} must be {word}; {shown(node)} is not",
        node,
        f"write {below} or {below + step}",
    )


def has_form(schema: Subschema, text: str) -> bool:
    """Whether a text has the form that a schema's `pattern` asks for."""
    return re.search(schema.raw.get("pattern", ""), text) is not None


def wrong_form(problem: Problem, findings: Findings) -> None:
    """`pattern`, told by the schema's own `x-form`."""
    form = problem.raw.get("x-form", "of another form")
    findings.error(
        "wrong-form",
        f"{problem.name} must be {form}; {shown(problem.node) or 'an empty text'} is not",
        problem.node,
        meant.by_its_form(problem) or problem.example,
    )


def empty_collection(problem: Problem, findings: Findings) -> None:
    """`minItems`, `minProperties`."""
    count = len(problem.node.value) if isinstance(problem.node.value, list | dict) else 0
    least = problem.raw.get("minItems", 1)
    message = f"{problem.name} is empty" if not count else f"{problem.name} needs {least} items"
    findings.error("empty", message, problem.node, problem.example)


def too_many(problem: Problem, findings: Findings) -> None:
    """`maxItems`, `maxProperties`."""
    assert isinstance(problem.node.value, list | dict)
    most = problem.raw.get("maxItems") or problem.raw.get("maxProperties")
    message = f"{problem.name} has {len(problem.node.value):,} entries, and may have {most:,}"
    findings.error("too-many", message, problem.node, "leave out those that are not needed")


def excluded(owner: Node, key: str, findings: Findings) -> None:
    """A key that another one rules out."""
    other = "text" if key == "sentences" else "another key"
    findings.error(
        "both-given",
        f"{key} and {other} cannot stand side by side",
        owner.key_spot(key),
        f"keep one: {other} is a paragraph that is split, {key} are split already"
        if key == "sentences"
        else "keep one of them",
    )


def missing_key(problem: Problem, key: str, findings: Findings) -> None:
    """`required`."""
    schema, node = problem.schema, problem.node
    message: str = schema.raw.get("x-when-missing", {}).get(key) or f'{problem.name} needs "{key}"'
    sub = schema.key(key) or schemas.any_key(key)
    hint = example(sub, key) if sub is not None else ""
    if key == "kind":
        hint = _kind_hint(schema, node) or hint
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


def _kind_hint(schema: Subschema, node: Node) -> str:
    """The kind whose keys a step has already."""
    assert isinstance(node.value, dict)
    best, most = "", 0
    for kind, branch in schema.branches():
        count = sum(key in branch.keys for key in node.value)
        count += 2 * all(key in node.value for key in branch.required)
        if count > most:
            best, most = kind, count
    return f"by its other keys: kind: {best}" if best else ""


def is_a_sentence_that_yaml_split(schema: Subschema, node: Node, findings: Findings) -> bool:
    """Whether a mapping was meant to be a sentence: `- The bunny says: hello`, or `- {bunny}`."""
    from lorakit.language.yaml import prose

    value = node.value
    assert isinstance(value, dict)
    keys = list(value)
    if not keys or any(key in schema.keys for key in keys):
        return False
    if node.style == "{" and all(child.value is None for child in value.values()):
        prose.report_brace(node, findings)
        return True
    if (
        node.style == ""
        and len(keys) == 1
        and (" " in keys[0] or not isinstance(value[keys[0]].value, (dict, list)))
    ):
        if names.foreign(keys[0], schema.keys) or names.nearest(keys[0], schema.keys):
            return False
        prose.report_colon(node, findings)
        return True
    return False


def of_the_library(problem: Problem, message: str, findings: Findings) -> None:
    """What no other words are for: the library's own."""
    findings.error("invalid", f"{problem.name} does not meet the schema: {message}", problem.node)
