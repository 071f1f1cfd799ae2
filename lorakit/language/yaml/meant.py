"""What an author probably meant by a value that may not stand where it does."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import TYPE_CHECKING

from lorakit.language.yaml import scalars
from lorakit.language.yaml.problems import inline, shown

if TYPE_CHECKING:
    from lorakit.language.yaml.problems import Problem
    from lorakit.language.yaml.schemas import Subschema

_LONGEST_SHOWN = 40
_ROUNDED = Fraction(1, 200)  # so far may a ratio of two digits be from the one that is meant
_YES = ("yes", "on", "y", "true")
_NO = ("no", "off", "n", "false")
_UNITS = re.compile(r"([0-9]+(?:[.,][0-9]+)?)\s*([a-z]+)\.?")
_MINUTES = re.compile(r"([0-9]+)\s*m(?:in(?:utes?)?)?\s*([0-9]{1,2})?\s*s?(?:ec(?:onds?)?)?")


def by_its_type(problem: Problem) -> str:
    """A hint about a value of the wrong type; maybe empty."""
    schema, value = problem.schema, problem.node.value
    if isinstance(value, dict):
        return "each item begins with a dash and a space" if "array" in schema.types else ""
    if isinstance(value, list):
        in_a_list = problem.name.startswith("an item of") and problem.node.style == ""
        return "remove one of the dashes" if in_a_list else ""
    if isinstance(value, str):
        return _by_text(problem, value)
    share = schema.raw.get("x-share")
    if share and isinstance(value, float) and 0 < value < 1:
        return f"as a share of them all it is {share}: {shown(problem.node)}"
    if "string" in schema.types and not _has_form(schema, shown(problem.node)):
        return _of_form(shown(problem.node), schema.raw["pattern"])
    if "string" in schema.types:
        return f'to make it a text, put it in quotes: "{shown(problem.node)}"'
    return f"a list of one: [{shown(problem.node)}]" if "array" in schema.types else ""


def _by_text(problem: Problem, text: str) -> str:
    """Why a text is not the number, truth value, list or mapping that was wanted."""
    schema = problem.schema
    if "boolean" in schema.types and text.casefold() in _YES:
        return "write true"
    if "boolean" in schema.types and text.casefold() in _NO:
        return "write false"
    if "integer" in schema.types or "number" in schema.types:
        return _by_number(problem, text)
    if schema.raw.get("minItems", 1) > 1:  # a frame and the words from there on
        return f"words that change stand behind their frame, [1, {inline(text)}]; others without brackets"
    if "array" in schema.types:
        return f"a list of one: [{inline(text)}]" if text.strip() else ""
    if "object" in schema.types and len(text) <= _LONGEST_SHOWN:
        key = _key_for(schema, text)
        return f"write {{{key}: {inline(text)}}}" if key else ""
    return ""


def _by_number(problem: Problem, text: str) -> str:
    schema, node = problem.schema, problem.node
    plain = text.strip().replace("_", "").replace(",", ".")
    try:
        number = scalars.resolve(plain)
    except scalars.NotFinite:
        return ""
    fits = isinstance(number, int) or (isinstance(number, float) and "number" in schema.types)
    if fits and not isinstance(number, bool):
        return f"quotes make it a text; without them: {number}" if node.style else f"write {number}"
    if re.fullmatch(r"0[0-9]+", text):
        return f"write it without the leading zero: {text.lstrip('0') or '0'}"
    if "number" in schema.types and re.fullmatch(r"[0-9]+(\.[0-9]+)?\s*%", text):
        return f"write the share: {float(text.rstrip('% ')) / 100:g}"
    with_unit = re.fullmatch(r"([0-9]+(\.[0-9]+)?)\s*[a-z]+", text)
    if with_unit:
        unit = f", in {schema.raw['x-unit']}" if "x-unit" in schema.raw else ""
        return f"write the number alone{unit}: {with_unit[1]}"
    return ""


def _key_for(schema: Subschema, text: str) -> str:
    """The key under which a lone text would have its place in the mapping that was wanted."""
    for key in schema.keys:
        sub = schema.key(key)
        if sub is not None and text in sub.raw.get("enum", ()):
            return key
    for key in (*schema.required, "style", "text"):
        sub = schema.key(key)
        if sub is not None and "string" in sub.types:
            return key
    return ""


def by_its_form(problem: Problem) -> str:
    """A text of the allowed form that is near to one that has another; maybe empty."""
    text = str(problem.node.value).strip()
    pattern = problem.raw.get("pattern", "")
    slug = re.sub(r"[^a-z0-9]+", "_", text.casefold()).strip("_")
    tries = [_duration(text), text.replace(",", "."), re.sub(r"\s*[/x\u00d7]\s*", ":", text), slug]
    tries.append(re.sub(r"[^\w-]+", "-", text).strip("-_"))
    if "previous-scene" in pattern:
        before = (
            "previous",
            "prev",
            "last",
            "before",
            "continue",
            "previous_scene",
            "scene:previous",
        )
        named = slug if slug.startswith("scene_") else ""
        tries = ["previous-scene" if slug in before else "", named.replace("_", ":", 1)]
        # the name as a setting makes it, where the text has such a one
        known = slug and slug in problem.node.source.text
        tries += [f"scene:{slug}" if known else "", f"scene:{text}", f"scene:{slug}"]
    for attempt in tries:
        if attempt and attempt != text and re.search(pattern, attempt):
            return f"write {attempt}"
    return _of_form(text, pattern)


def _has_form(schema: Subschema, text: str) -> bool:
    return re.search(schema.raw.get("pattern", ""), text) is not None


def _of_form(text: str, pattern: str) -> str:
    """A ratio in whole numbers: 2.39:1 is 239:100, 1.78 is 16:9."""
    match = re.fullmatch(r"([0-9]{1,3}(?:\.[0-9]{1,4})?)(?::([0-9]{1,3}(?:\.[0-9]{1,4})?))?", text)
    if match is None or (match[2] and not float(match[2])):
        return ""
    exact = Fraction(match[1]) / Fraction(match[2] or 1)
    usual = exact.limit_denominator(9)
    ratio = usual if abs(usual - exact) < _ROUNDED else exact
    written = f"{ratio.numerator}:{ratio.denominator}"
    return f"write {written}" if re.search(pattern, written) else ""


def _duration(text: str) -> str:
    """A length of time in words, as the format has it."""
    match = _UNITS.fullmatch(text.casefold())
    if match:
        number, unit = match[1].replace(",", "."), match[2]
        if unit in ("s", "sec", "secs", "second", "seconds"):
            return f"{number}s"
        if unit in ("ms", "msec", "milliseconds"):
            return f"{float(Fraction(number) / 1000):g}"
        if unit in ("f", "fr", "frame", "frames"):
            return f"{number}f"
    match = _MINUTES.fullmatch(text.casefold())
    return f"{match[1]}:{int(match[2] or 0):02d}" if match else ""
