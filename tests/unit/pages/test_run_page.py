"""A run's page: what it says, of whole runs and of others."""

from __future__ import annotations

import json
from pathlib import Path

from lorakit.pages.parts import Compare, Curve, PageTable, PictureStrip, Reasons
from lorakit.pages.run_figures import classification, table, training
from lorakit.pages.run_report import page_of_folder
from lorakit.rendering.comparison import aligned
from tests.support import past_runs


def parts(folder: Path, kind: type):
    return [
        part
        for section in page_of_folder(folder).sections
        for part in section.parts
        if isinstance(part, kind)
    ]


def test_each_scene_is_a_strip_with_its_sentences_and_what_they_were_drawn_with(
    tmp_path: Path,
) -> None:
    first, second = parts(past_runs.film(tmp_path / "fox" / "001", 2, 3), PictureStrip)
    assert (first.number, first.title) == ("1", "in room 1")
    picture = second.pictures[2]
    assert picture.text == "The fox finds key number 3 of room 2 and wonders who left it there"
    assert picture.prompt == f"a picture of {picture.text}"
    assert picture.summary == "seed 7, from 1 at 0.7"
    facts = {fact.name: fact for fact in picture.facts}
    assert facts["Steps"].value == "14 of 20"
    assert (facts["Starts from"].value, facts["Written at"].link) == ("film/room-2/1", "doc-1-3")
    assert facts["Starts from"].link == second.pictures[0].id


def test_a_picture_that_failed_or_went_away_says_so_in_its_place(tmp_path: Path) -> None:
    folder = past_runs.film(tmp_path / "fox" / "001", 1, 2)
    (folder / "film/frames_scene_1/frame_001.png").unlink()
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["actions"][1]["outcome"] = "failed"
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "film/frames_scene_1/frame_002.png").unlink()
    events = (folder / "events.jsonl").read_text().splitlines()
    events[1] = json.dumps({**json.loads(events[1]), "detail": "out of memory"})
    (folder / "events.jsonl").write_text("\n".join(events))
    (strip,) = parts(folder, PictureStrip)
    assert [p.src for p in strip.pictures] == ["", ""]
    assert [p.note for p in strip.pictures] == [
        "the picture is not in the folder any more",
        "failed: out of memory",
    ]
    assert page_of_folder(folder).sections[0].title == "What failed"


def test_other_runs_are_compared_by_address_the_nearest_earlier_one_first(tmp_path: Path) -> None:
    for number in (1, 2, 3, 4):
        past_runs.film(tmp_path / "fox" / f"{number:03d}", 1, 4)
    (tmp_path / "fox" / "\u00b2").mkdir()  # a digit, and no number
    (compare,) = parts(tmp_path / "fox" / "003", Compare)
    assert [other.name for other in compare.others] == ["002", "001", "004"]
    assert list(compare.others[0].same) == [False, True, True, False]
    assert [name for name, _ in compare.frames] == [f"film/room-1/{n}" for n in (1, 2, 3, 4)]


def test_what_is_alike_is_told_together(tmp_path: Path) -> None:
    (reasons,) = parts(past_runs.film(tmp_path / "fox" / "001", 2, 3), Reasons)
    assert [(r.text, r.count) for r in reasons.items] == [
        ("not made before", "6 frames, 1 contact sheet")
    ]


def test_a_long_log_becomes_a_curve_with_its_held_out_losses() -> None:
    log = [
        {"step": n, "loss": 1 / n, **({"held_out_loss": 2 / n} if n % 10 == 0 else {})}
        for n in range(1, 41)
    ]
    log.append({"step": "x", "loss": None})
    (curve,) = training("Loss", log, {"accuracy": 0.5, "peak_memory": 10**9})
    assert isinstance(curve, Curve)
    assert [(s.name, s.role, len(s.points)) for s in curve.series] == [
        ("each step", "faint", 40),
        ("running mean", "line", 40),
        ("held out", "dots", 4),
    ]
    assert [(f.name, f.value) for f in curve.facts] == [
        ("Held-out accuracy", "50.0 %"),
        ("Memory at the peak", "1.0 GB"),
    ]


def test_a_table_reads_back_what_was_written() -> None:
    rows = [["", "rank|r", "loss"], ["best", "2 | 3", "0.1"], ["", "8", "0.2"]]
    read = table("The members", aligned(rows))
    assert isinstance(read, PageTable)
    assert [list(read.head), *map(list, read.rows)] == rows
    assert read.numeric == {1, 2}
    assert read.strong == {0}
    assert table("x", "no table") is None


def test_a_classifier_s_matrix_says_the_share_named_right() -> None:
    read = classification("t", {"labels": ["bad", "good"], "confusion_matrix": [[3, 1], [0, 0]]})
    assert read is not None
    assert [list(row) for row in read.rows] == [["bad", "3", "1", "75.0 %"], ["good", "0", "0", ""]]
    assert classification("t", {"labels": ["bad"], "confusion_matrix": [["x"]]}) is None
    assert classification("t", {"labels": ["bad"], "confusion_matrix": [[]]}) is None
