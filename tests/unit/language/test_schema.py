"""What is said of a tree against the jsonschema library, which is the judge: the same places are wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from referencing import Registry, Resource

from lorakit import resources
from lorakit.language.yaml import schemas, validation
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Node, Source
from lorakit.language.yaml.source import compose

FILES = ("recipe.schema.json", "storyboard.schema.json")
NOWHERE = Source(Path("x"), "x", "x")
REGISTRY: Registry[Any] = Registry().with_resources(
    (schemas.load(file)["$id"], Resource.from_contents(schemas.load(file))) for file in FILES
)
GOOD: dict[str, Any] = {
    "recipe.schema.json": {
        "recipe": 1,
        "seed": 3,
        "models": {"studio": {"from": "lorakit:studio", "dtype": "auto"}},
        "adapters": {"ink": {"from": "ink.safetensors"}},
        "steps": {
            "a": {
                "kind": "generate",
                "prompts": ["x", {"text": "y", "seed": 1}],
                "width": 64,
                "adapters": {"ink": 1},
            },
            "b": {"kind": "storyboard", "storyboard": "b.yaml"},
            "c": {
                "kind": "video",
                "of": ["a"],
                "hold": "36f",
                "transition": {"kind": "cut"},
                "captions": True,
            },
        },
        "profiles": {"gpu": {"seed": 4}},
    },
    "storyboard.schema.json": {
        "storyboard": 1,
        "look": {"style": "s", "num_inference_steps": 20, "guidance_scale": 5, "aspect": "16:9"},
        "characters": {"bunny": {"anchor": "a bunny", "aliases": ["rabbit"], "pronouns": "he"}},
        "chain": {"from": "anchor", "strength": 0.5},
        "scenes": [
            {"name": "m", "sentences": ["x", {"text": "y", "hold": 2, "repeat": False}]},
            {"text": "One. Two.", "start": "scene:m", "x-mine": 1, "notes": None},
        ],
        "video": {"fps": 24, "hold": "1:23.5", "captions": {"size": 0.05}},
    },
}
ODD = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 2**65), st.floats(-5, 5, allow_nan=False), st.text(max_size=4),
    st.sampled_from(["", "16:9", "36f", "a b", "bunny", "generate", "video", 1.0, 20.0, 0, 1]),
    st.sampled_from([[], {}, ["x"], {"text": "z"}]),
)  # fmt: skip
KEYS = st.sampled_from(
    ["text", "kind", "prompts", "seed", "hold", "x-y", "notes", "Bad Key", "of", "storyboard"]
)


def node(value: Any) -> Node:
    if isinstance(value, dict):
        made = Node({key: node(child) for key, child in value.items()}, NOWHERE, 0, 1, 1, 1, '"')
        made.keys = {key: Node(key, NOWHERE, 0, 1, 1, 1, '"') for key in value}
        return made
    if isinstance(value, list):
        return Node([node(child) for child in value], NOWHERE, 0, 1, 1, 1, '"')
    return Node(value, NOWHERE, 0, 1, 1, 1, '"')


def ours(file: str, value: Any) -> bool:
    findings = Findings()
    validation.check(node(value), file, findings, "the document")
    return not findings


def judge(file: str) -> jsonschema.Draft201909Validator:
    return jsonschema.Draft201909Validator(schemas.load(file), registry=REGISTRY)


def theirs(file: str, value: Any) -> bool:
    return judge(file).is_valid(value)


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [at]
    entries = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, child in entries:
        found += places(child, (*at, key))
    return found


def stripped(value: Any) -> Any:
    """The document as it is read: without the blanks around texts."""
    if isinstance(value, dict):
        return {key: stripped(child) for key, child in value.items()}
    if isinstance(value, list):
        return [stripped(child) for child in value]
    return value.strip() if isinstance(value, str) else value


@pytest.mark.parametrize("file", FILES)
def test_a_full_document_is_good(file: str) -> None:
    assert theirs(file, GOOD[file])
    assert ours(file, GOOD[file])


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES)
@settings(max_examples=300)
@given(data=st.data())
def test_any_change_gets_the_library_s_verdict(file: str, data: st.DataObject) -> None:
    document = copy.deepcopy(GOOD[file])
    path = data.draw(st.sampled_from(places(document)[1:]))
    target = document
    for key in path[:-1]:
        target = target[key]
    what = data.draw(st.sampled_from(["replace", "delete", "add"]))
    if what == "replace":
        target[path[-1]] = data.draw(ODD)
    elif what == "delete":
        del target[path[-1]]
    elif isinstance(target, dict):
        target[data.draw(KEYS)] = data.draw(ODD)
    assert ours(file, document) == theirs(file, stripped(document)), document


@pytest.mark.parametrize("folder", ["recipes", "storyboards"])
def test_shipped_documents_satisfy_both(folder: str) -> None:
    found = sorted(resources.path(folder).glob("*.yaml"))
    assert len(found) >= 3
    for path in found:
        # our loader: YAML 1.1's takes 1e-4 for a string
        source = Source(path, path.name, path.read_text(encoding="utf-8"))
        value = validation.plain(compose(source, Findings()), [])
        assert theirs(f"{folder[:-1]}.schema.json", value), path
        assert ours(f"{folder[:-1]}.schema.json", value), path


@pytest.mark.parametrize("file", FILES)
def test_the_schemas_are_schemas(file: str) -> None:
    jsonschema.Draft201909Validator.check_schema(schemas.load(file))


def test_each_keyword_has_words_of_ours() -> None:
    """What `wording` does not know would be told in the library's terms, in JSON's names."""
    annotations = {
        "$schema",
        "$id",
        "$ref",
        "$comment",
        "title",
        "description",
        "default",
        "examples",
        "definitions",
    }
    structure = {"properties", "patternProperties", "items", "allOf", "if", "then", "else"}
    worded = {*validation._WORDS, *validation._CLOSED, "required", "propertyNames"}

    def walk(raw: Any) -> None:
        if not isinstance(raw, dict):
            return
        unknown = (
            {key for key in raw if not key.startswith("x-")} - annotations - structure - worded
        )
        assert not unknown
        for key in ("properties", "patternProperties", "definitions"):
            for sub in raw.get(key, {}).values():
                walk(sub)
        for key in ("items", "additionalProperties", "propertyNames", "then", "else"):
            walk(raw.get(key))
        for sub in raw.get("allOf", ()):
            walk(sub)

    for file in FILES:
        walk(schemas.load(file))


def test_what_no_words_are_for_is_told_in_the_library_s(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = {"$id": "https://lorakit.dev/odd", "properties": {"a": {"uniqueItems": True}}}
    monkeypatch.setattr(schemas, "load", lambda _: odd)
    monkeypatch.setattr(validation, "_validator", validation._validator.__wrapped__)
    findings = Findings()
    validation.check(node({"a": [1, 1]}), "recipe.schema.json", findings, "a recipe")
    (found,) = findings.all
    assert found.code == "invalid"
    assert "a does not meet the schema: [1,1] has non-unique elements" in found.message


@pytest.mark.parametrize(
    "file",
    [*FILES, "lock.schema.json", "picks.schema.json", "project.schema.json", "config.schema.json"],
)
def test_each_key_is_described_and_its_example_and_default_are_valid(file: str) -> None:
    def walk(raw: Any, at: str) -> None:
        if not isinstance(raw, dict):
            return
        for key, sub in raw.get("properties", {}).items():
            if sub in ({}, False) or "if" in at:
                continue
            resolved = schemas.resolve(sub["$ref"], file)[0] if "$ref" in sub else sub
            assert sub.get("description") or resolved.get("description"), f"{at}/{key}"
            assert sub.get("x-affects") or resolved.get("x-affects") or "properties" in resolved, (
                f"{at}/{key}"
            )
            validator = judge(file).evolve(schema=sub)
            examples = [*sub.get("examples", ()), *resolved.get("examples", ())]
            if "default" in sub:
                examples.append(sub["default"])
            # an editor completes with these; notes and what is a mapping of keys need none
            offered = examples or "const" in sub or "enum" in resolved or "properties" in resolved
            assert offered or key == "notes", f"{at}/{key}"
            for one in examples:
                assert validator.is_valid(one), f"{at}/{key}: {json.dumps(one)}"
        for key, sub in raw.items():
            if isinstance(sub, dict) and key not in ("examples", "default", "if", "then", "else"):
                walk(sub, f"{at}/{key}")

    walk(schemas.load(file), file)
