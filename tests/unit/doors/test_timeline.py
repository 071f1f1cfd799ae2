"""Editors' timelines, read back by OpenTimelineIO and its adapter; pages, read back by pypdf."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import opentimelineio as otio
import pytest
from PIL import Image
from pypdf import PdfReader

from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.frame import FrameTask
from lorakit.session import load
from tests.support.doors import CAPTIONS, exported, pretended_run, program, story


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Worked with from its own folder: there are its outputs."""
    monkeypatch.chdir(tmp_path)


def planned(board: Path) -> tuple[list[Any], FilmTask]:
    actions = load(board).expanded().actions
    (task,) = (a.task for a in actions if isinstance(a.task, FilmTask))
    return [a for a in actions if isinstance(a.task, FrameTask)], task


def with_run(board: Path) -> Path:
    frames, _ = planned(board)
    return pretended_run(
        board.parent,
        "board",
        {a.id: a.task.prompt for a in frames},
        {a.id: a.files["picture"][0] for a in frames},
    )


def pictures_by_frame(items: list[Any]) -> list[str]:
    """What stands in each film frame, cuts only."""
    found: list[str] = []
    for item in items:
        if isinstance(item, otio.schema.Transition):
            continue
        span = item.range_in_parent()
        assert span.start_time.value == len(found)
        target = getattr(getattr(item, "media_reference", None), "target_url", "")
        found += [unquote(urlparse(target).path)] * int(span.duration.value)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("fps", [24, 25, 30, 50, 60])
@pytest.mark.parametrize("ran", [True, False], ids=["run", "no-run"])
def test_holds_and_cuts_are_the_films(tmp_path: Path, fps: int, ran: bool) -> None:
    board = story(tmp_path, fps, "{kind: crossfade, seconds: 5f}")
    frames, task = planned(board)
    folder = with_run(board) if ran else None
    names = {f"picture_{n:05d}": a.files["picture"][0] for n, a in enumerate(frames, 1)}
    wanted = [
        str(folder / names[shot.picture]) if folder else shot.picture
        for shot in task.shots
        for _ in range(shot.frames)
    ]
    for style, adapter in (("otio", "otio_json"), ("fcpxml", "fcpx_xml")):
        exported("board", board, "--format", style, "--out", tmp_path)
        file = str(tmp_path / f"board.{style}")
        timeline = otio.adapters.read_from_file(file, adapter_name=adapter)
        assert timeline.name == "Doors & <windows>"
        (track,) = timeline.tracks
        found = pictures_by_frame(list(track))
        if folder is None:  # the paths say that there is nothing, and what should be there
            missing = {f"/missing/{a.id}.png": f"picture_{n:05d}" for n, a in enumerate(frames, 1)}
            assert style == "fcpxml" or set(found) == {""}
            found = [missing[path] for path in found] if style == "fcpxml" else wanted
        assert found == wanted
        assert timeline.duration() == otio.opentime.RationalTime(len(wanted), fps)
        markers = [m.name for item in track for m in getattr(item, "markers", ())]
        assert markers == CAPTIONS


@pytest.mark.parametrize("seconds", ["5f", "4f"])
def test_crossfades_lie_on_their_cuts(tmp_path: Path, seconds: str) -> None:
    board = story(tmp_path, 24, f"{{kind: crossfade, seconds: {seconds}}}")
    with_run(board)
    text = exported("board", board, "--format", "otio", "-o", "-")
    (track,) = otio.adapters.read_from_string(text, "otio_json").tracks
    fades = [item for item in track if isinstance(item, otio.schema.Transition)]
    clips = [item for item in track if isinstance(item, otio.schema.Clip)]
    assert len(fades) == len(clips) - 1
    for fade in fades:
        assert fade.in_offset.value + fade.out_offset.value == int(seconds[0])
        assert fade.in_offset.value == int(seconds[0]) // 2
    for clip in clips:  # there is enough of each picture on both sides
        assert clip.available_range().contains(clip.trimmed_range())
        before = clip.trimmed_range().start_time - clip.available_range().start_time
        assert before.value >= int(seconds[0])
    # the library itself lets the fades overlap their neighbours so far and no further
    assert otio.algorithms.track_with_expanded_transitions(track)


@pytest.mark.slow
def test_final_cut_is_told_what_it_does_not_get(tmp_path: Path) -> None:
    story(tmp_path)
    ran = program(tmp_path, "export", "board", "board.yaml", "--format", "fcpxml")
    assert ran.returncode == 0
    assert "warning[not-carried]" in ran.stderr
    assert "6 crossfades stand as cuts" in ran.stderr
    story(tmp_path, 12)
    ran = program(tmp_path, "export", "board", "board.yaml", "--format", "fcpxml", "--force")
    assert ran.returncode == 1
    assert "write video: fps: as one of 24, 25, 30, 50, 60" in ran.stderr


@pytest.mark.slow
def test_pictures_of_other_words_are_left_out(tmp_path: Path) -> None:
    board = story(tmp_path)
    folder = with_run(board)
    board.write_text(board.read_text("utf-8").replace("holds a golden key", "holds a red apple"))
    ran = program(tmp_path, "export", "board", "board.yaml", "--format", "otio")
    words = "1 of 7 shots has no picture; the last run drew other words for film/meadow/2"
    assert f"board.yaml:10:16: warning[no-picture]: {words}" in ran.stderr
    timeline = otio.adapters.read_from_file(str(tmp_path / "board.otio"))
    missing = [c.media_reference.is_missing_reference for c in timeline.find_clips()]
    assert missing == [False, True, False, False, False, False, False]
    (folder / "manifest.json").write_text('{"actions": [[]]}')
    ran = program(tmp_path, "export", "board", "board.yaml", "--format", "otio", "--force")
    assert ran.returncode == 1
    assert "manifest.json is no manifest of a run" in ran.stderr


def test_a_board_to_print(tmp_path: Path) -> None:
    board = story(tmp_path)
    folder = with_run(board)
    first = next(iter(sorted(folder.rglob("*.png"))))
    first.write_bytes(b"torn")
    exported("board", board, "--format", "pdf", "--out", tmp_path)
    data = (tmp_path / "board.pdf").read_bytes()
    read = PdfReader(io.BytesIO(data), strict=True)
    assert len(read.pages) == 2
    assert read.metadata is not None
    assert read.metadata.title == "Doors & <windows>"
    page = read.pages[0]
    # A4 in points
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
    (drawn,) = page.images
    picture = Image.open(io.BytesIO(drawn.data)).convert("RGB")
    colours = {colour for _, colour in picture.reduce(4).getcolors(1 << 20)}
    for number in (1, 2, 3):  # the pictures are there, the torn one is not
        wanted = (40 * number % 256, 90, 200)
        assert any(max(abs(a - b) for a, b in zip(c, wanted, strict=True)) < 12 for c in colours)
    assert not any(
        max(abs(a - b) for a, b in zip(c, (0, 90, 200), strict=True)) < 12 for c in colours
    )
    again = exported("board", board, "--format", "pdf", "--out", tmp_path, "--force")
    assert "7 shots" in again
    assert (tmp_path / "board.pdf").read_bytes() == data


@pytest.mark.slow
def test_a_long_board_is_written_in_parts(tmp_path: Path) -> None:
    lines = "".join(f"      - A fox finds key {n}\n" for n in range(130))
    (tmp_path / "board.yaml").write_text(f"storyboard: 1\nscenes:\n  - sentences:\n{lines}")
    exported("board", tmp_path / "board.yaml", "--format", "pdf", "--out", tmp_path / "x.pdf")
    read = PdfReader(tmp_path / "x.pdf", strict=True)
    assert len(read.pages) == 22
    assert all(len(page.images) == 1 for page in read.pages)
