"""The table of mentions: sentences with their prompts and captions, in a file that people can read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from lorakit.diagnostics import Place
from lorakit.language.story.documents import Character
from lorakit.language.story.mentions import Cast
from lorakit.language.story.reading import SceneMemory
from lorakit.language.yaml.findings import Findings
from lorakit.language.yaml.nodes import Source

TABLE = Path(__file__).with_name("mentions.txt")
PLACE = Place("x", 1, 1)
CAST = tuple(
    Character(name, anchor, called, tuple(aliases), pronouns, PLACE)
    for name, anchor, called, pronouns, *aliases in (
        ("tom", "a boy in a red cap", "Tom", "he", "Tommy", "Том", "小汤"),
        ("jack", "an old sailor", "Jack", "he"),
        ("anna", "a girl with long braids", "Anna", "she", "小红", "Анна", "ミナ", "안나"),
        ("james", "a pirate with gold teeth", "James", "he"),
        ("owl", "an old owl", "the owl", "it"),
        ("fox", "a red fox", "Foxy", "she"),
        ("bunny", "a white bunny with a magic hat", "the bunny", "he", "rabbit"),
        ("robot", "Max the robot", "Max", "it", "Max"),
        ("will", "a knight in blue", "Will", "he"),
        ("twins", "two small twins", "the twins", "they"),
        ("rose", "a girl with red hair", "Rose", "she"),
        ("mark", "a tall smith", "Mark", "he"),
        ("may", "a nurse in white", "May", "she"),
        ("strasse", "a grey cat", "Kater", "he", "Straße"),
    )
)


class Row(NamedTuple):
    line: int
    scene: list[str]
    prompt: str
    caption: str
    says: list[str]


def rows() -> Iterator[Row]:
    scene: list[str] = []
    told: dict[str, str] = {}
    first = 0
    for number, line in enumerate([*TABLE.read_text("utf-8").splitlines(), ""], 1):
        if line.startswith("#"):
            continue
        if line.startswith("  "):
            key, _, value = line.strip().partition(":")
            told[key] = value.strip()
        elif line:
            first = first or number
            scene.append(line)
        elif scene:
            caption = told.get("caption", scene[-1])
            yield Row(first, scene, told["prompt"], caption, told.get("says", "").split())
            scene, told, first = [], {}, 0


@pytest.mark.parametrize("row", list(rows()), ids=lambda row: f"{row.line}-{row.scene[-1]}")
def test_the_table_of_mentions(row: Row) -> None:
    findings, memory = Findings(), SceneMemory()
    source = Source(Path("x"), "x", "\n".join(row.scene))
    cast = Cast(CAST)
    read = [
        cast.read(text, source.spot(line, 1), memory, findings)
        for line, text in enumerate(row.scene, 1)
    ]
    assert (read[-1].prompt, read[-1].caption) == (row.prompt, row.caption)
    assert [one.code for one in findings.all] == row.says


def test_the_table_is_long_enough() -> None:
    assert len(list(rows())) >= 60
