"""Clips: what a film shows of a sentence, one frame or many; and the chains that schemas name."""

from __future__ import annotations

import json

import pytest

from lorakit import resources
from lorakit.diagnostics import Place
from lorakit.kinds.chains import CHAINS
from lorakit.kinds.film import films
from lorakit.kinds.sheet import contact_sheet
from lorakit.language.story.documents import Captions, Video
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.sheet import ContactSheetTask

VIDEO = Video(captions=Captions(show=True), place=Place("board.yaml", 1, 1))


@pytest.mark.parametrize("many", [1, 2, 5, 7, 500])
def test_the_frames_of_a_clip_share_its_time(many: int) -> None:
    one = Clip(tuple(f"a/{n}" for n in range(many)), None, "a fox", "")
    still = Clip(("b/1",), None, "an owl", "")
    task = films("film", "", [one, still], VIDEO, (128, 128))[0].task
    assert isinstance(task, FilmTask)
    total = VIDEO.hold.in_frames(VIDEO.fps)
    counts = [shot.frames for shot in task.shots]
    assert sum(counts[:many]) == max(total, many)
    assert max(counts[:many]) - min(counts[:many]) <= 1
    assert counts[many] == total
    assert {shot.caption for shot in task.shots[:many]} == {"a fox"}


def test_a_sheet_shows_a_clip_once() -> None:
    task = contact_sheet("film", "", [Clip(("a/1", "a/2"), None, "a fox", "")]).task
    assert isinstance(task, ContactSheetTask)
    assert [len(group.pictures) for group in task.groups] == [1]


def test_every_chain_of_the_schema_is_one_row() -> None:
    text = (resources.path("schemas") / "storyboard.schema.json").read_text("utf-8")
    chain = json.loads(text)["definitions"]["chain"]
    assert set(chain["properties"]["from"]["enum"]) == set(CHAINS)
