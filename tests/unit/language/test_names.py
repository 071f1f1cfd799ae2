from __future__ import annotations

from typing import Any

import pytest

from lorakit.language.yaml import names, schemas


def everything_ours() -> set[str]:
    found: set[str] = set()

    def walk(raw: Any) -> None:
        if isinstance(raw, dict):
            found.update(raw.get("properties", {}))
            found.update(str(one) for one in raw.get("enum", ()))
            for child in raw.values():
                walk(child)
        elif isinstance(raw, list):
            for child in raw:
                walk(child)

    walk(schemas.load("recipe.schema.json"))
    walk(schemas.load("storyboard.schema.json"))
    return found


def test_each_foreign_name_leads_to_something_of_ours() -> None:
    ours = everything_ours()
    for foreign, candidates in names.FOREIGN.items():
        assert set(candidates) & ours, foreign
        assert foreign not in candidates


def test_what_comes_later_is_not_here_yet() -> None:
    assert not set(names.LATER) & everything_ours()


@pytest.mark.parametrize(
    ("word", "ours", "found"),
    [
        ("cfg", ["guidance_scale"], "guidance_scale"),
        ("CFG Scale", ["guidance_scale"], "guidance_scale"),
        ("sampler-name", ["scheduler"], "scheduler"),
        ("Euler a", ["euler_ancestral_discrete"], "euler_ancestral_discrete"),
        ("cfg", ["style"], None),
        ("wibble", ["style"], None),
    ],
)
def test_foreign_names(word: str, ours: list[str], found: str | None) -> None:
    assert names.foreign(word, ours) == found


@pytest.mark.parametrize(
    ("word", "ours", "found"),
    [
        ("tittle", ["title", "seed"], "title"),
        ("Title", ["title", "seed"], "title"),
        ("negative-prompt", ["negative_prompt"], "negative_prompt"),
        ("dpmsolver", ["ddim", "dpm_solver_multistep"], "dpm_solver_multistep"),
        ("wibble", ["title", "seed"], None),
        ("x" * 1000, ["title"], None),
        ("", ["title"], None),
    ],
)
def test_nearest(word: str, ours: list[str], found: str | None) -> None:
    assert names.nearest(word, ours) == found


def test_listed() -> None:
    assert names.listed([]) == ""
    assert names.listed(["a"]) == "a"
    assert names.listed(["a", "b", "c"]) == "a, b or c"
    assert names.listed("abcde", most=2) == "a, b and 3 more"
