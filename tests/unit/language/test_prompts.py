from __future__ import annotations

import pytest

from lorakit.language.story.prompts import derive


@pytest.mark.parametrize(
    ("parts", "prompt"),
    [
        (("soft", "a fox finds a key.", "in a forest"), "soft, a fox finds a key, in a forest"),
        (("", "a fox", ""), "a fox"),
        (("style,", " a fox... ", "in a forest."), "style, a fox, in a forest"),
        (("", "Who is it?", "at night"), "Who is it?, at night"),
        (("style", "", ""), "style"),
    ],
)  # fmt: skip
def test_parts_are_joined_and_empty_ones_left_out(parts: tuple[str, str, str], prompt: str) -> None:
    assert derive(*parts) == prompt
