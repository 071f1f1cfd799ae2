"""What films are written as, by what the ffmpeg at hand can."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from pathlib import Path

import imageio_ffmpeg
import pytest

from lorakit.diagnostics import InvalidDocument
from lorakit.diff.report import noun_of
from lorakit.facts.gather import gather
from lorakit.facts.machine.ffmpeg import Ffmpeg, encoders_in, this_ffmpeg
from lorakit.kinds import kind_of
from lorakit.language import load
from lorakit.plan import planner
from lorakit.plan.selection import Selection
from lorakit.plan.states import Plan
from lorakit.plan.tasks.film import FilmTask
from lorakit.ui.progress import Progress
from tests.support.planning import Memory, facts_for, plan_of

SMALL = Ffmpeg("/x", {"libx264": "h264", "h264_nvenc": "h264", "libvpx-vp9": "vp9", "gif": "gif"})


def planned(folder: Path, video: str, ffmpeg: Ffmpeg | None = SMALL) -> Plan:
    (folder / "board.yaml").write_text(
        f"storyboard: 1\nscenes: [{{sentences: [a fox, an owl]}}]\nvideo: {video}\n"
    )
    facts = replace(facts_for(), ffmpeg=ffmpeg)
    return planner.plan(load(folder / "board.yaml"), facts, kind_of, Memory(), {}, Selection())


def films(folder: Path, video: str, ffmpeg: Ffmpeg | None = SMALL) -> dict[str, FilmTask]:
    plan = planned(folder, video, ffmpeg)
    return {a.id: a.task for a in (p.action for p in plan.actions) if isinstance(a.task, FilmTask)}


@pytest.mark.parametrize(
    ("video", "board", "told"),
    [
        ("{format: [mp4, png]}", "an owl", False),
        ("{format: [mp4, png]}", "{text: an owl, at: 4}", True),
        ("{format: mp4}", "{text: an owl, at: 4}", False),
        ("{format: [mp4, png], narration: true}", "an owl", True),
        ("{format: [png, mp4], audio: {music: song.wav}, fit: audio}", "an owl", True),
        ("{format: [png, mp4], audio: {music: song.wav}, beats: true}", "an owl", True),
        ("{format: [png, mp4], audio: {music: song.wav}}", "an owl", False),
    ],
)
def test_pictures_that_nobody_can_count_before_the_run_are_told(
    tmp_path: Path, video: str, board: str, told: bool
) -> None:
    (tmp_path / "song.wav").touch()
    path = tmp_path / "board.yaml"
    path.write_text(f"storyboard: 1\nscenes: [{{sentences: [a fox, {board}]}}]\nvideo: {video}\n")
    if not told:
        plan_of(path)
        return
    plan_of(path, selection=Selection(preview=True))  # of mp4 alone
    with pytest.raises(InvalidDocument) as caught:
        plan_of(path)
    text = str(caught.value)
    assert (
        f"board.yaml:3:{16 + video.index('format')}: error[format]: format: png has a file" in text
    )
    assert "write format: mp4" in text


def test_what_ffmpeg_lists_is_read() -> None:
    listed = subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-encoders"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    names = re.findall(r"^ [VA][A-Z.]{5} ([a-z0-9_-]+)", listed, re.MULTILINE)
    found = encoders_in(listed)
    assert sorted(found) == sorted(set(names))
    assert found["libx264"] == "h264"
    assert found["gif"] == "gif"


def test_a_binary_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    this_ffmpeg()
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("asked again"))
    assert this_ffmpeg() is this_ffmpeg()


@pytest.mark.skipif(os.name == "nt", reason="a script that stands for a program")
def test_what_a_binary_told_is_kept_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, asked = tmp_path / "ffmpeg", tmp_path / "asked"
    script = f'#!/bin/sh\necho x >> {asked}\nexec {imageio_ffmpeg.get_ffmpeg_exe()} "$@"\n'
    one.write_text(script)
    one.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(one))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def in_a_new_process() -> Ffmpeg:
        monkeypatch.setattr("lorakit.facts.machine.ffmpeg._met", {})
        return this_ffmpeg()

    def times() -> int:
        return asked.read_text().count("x")

    first = in_a_new_process()
    assert "libx264" in first.encoders
    assert in_a_new_process() == first
    assert times() == 1
    one.write_text(script + "# newer\n")
    assert in_a_new_process() == first
    assert times() == 2
    kept = tmp_path / "cache" / "lorakit" / "ffmpeg.json"
    kept.write_bytes(kept.read_bytes().replace(b"libx264", b"libx265"))  # not what was sealed
    assert in_a_new_process() == first
    assert times() == 3
    monkeypatch.delenv("IMAGEIO_FFMPEG_EXE")
    assert in_a_new_process().path != str(one)


def test_each_format_is_an_action_and_the_first_is_the_film(tmp_path: Path) -> None:
    found = films(tmp_path, "{format: [gif, mp4]}")
    assert {id_: task.file for id_, task in found.items()} == {
        "film/film_pictures": "film.mp4",
        "film/film.gif_pictures": "film.gif",
    }
    (alone,) = films(tmp_path, "{}").values()
    assert found["film/film_pictures"].key() == alone.key(), (
        "a second format leaves the first as it was"
    )
    assert {"format", "encoder", "quality", "loop"}.isdisjoint(alone.key())


def test_a_film_and_its_pictures_have_names_of_their_own(tmp_path: Path) -> None:
    plan = planned(tmp_path, "{format: [gif, mp4]}")
    rest = ["contact sheet", "subtitles", "film's pictures", "film", "film's pictures", "film"]
    assert [row.title for row in Progress(plan).rows if row.single] == rest
    counted = [noun_of(planned.action) for planned in plan.actions]
    assert counted == ["frame", "frame", *rest]


def test_pictures_of_a_sequence_are_the_film(tmp_path: Path) -> None:
    plan = planned(tmp_path, "{format: png}")
    (film,) = [one.action for one in plan.actions if isinstance(one.action.task, FilmTask)]
    assert film.name == "film"


def test_pictures_are_an_output_a_stretch_with_a_file_a_frame(tmp_path: Path) -> None:
    (task,) = films(tmp_path, "{format: png, hold: 3f}").values()
    assert task.outputs() == {
        "frame_000001": tuple(f"frames/00000{n}.png" for n in (1, 2, 3)),
        "frame_000004": tuple(f"frames/00000{n}.png" for n in (4, 5, 6)),
    }


@pytest.mark.parametrize(
    ("video", "encoder"),
    [
        ("{}", ""),
        ("{codec: h264}", ""),
        ("{format: webm}", ""),
        ("{encoder: h264_nvenc}", "h264_nvenc"),
        ("{encoder: libx264}", ""),
    ],
)
def test_an_encoder_is_in_the_key_where_it_is_not_the_usual_one(
    tmp_path: Path, video: str, encoder: str
) -> None:
    (task,) = films(tmp_path, video).values()
    assert task.encoder == encoder


def test_the_next_best_encoder_is_taken(tmp_path: Path) -> None:
    other = Ffmpeg("/x", {"libopenh264": "h264", "librav1e": "av1", "libaom-av1": "av1"})
    (task,) = films(tmp_path, "{}", other).values()
    assert task.encoder == "libopenh264"
    (task,) = films(tmp_path, "{codec: av1}", other).values()
    assert task.encoder == "libaom-av1"


@pytest.mark.parametrize(
    ("video", "column", "message", "hint"),
    [
        (
            "{codec: h265}",
            16,
            "cannot write mp4 in h265: it has none of libx265",
            "it writes mp4 (h264), webm (vp9), mov (h264), gif, png",
        ),
        ("{format: mov}", 17, "cannot write mov in prores", "it writes mp4 (h264), webm (vp9)"),
        ("{encoder: hevc_nvenc}", 18, "no encoder hevc_nvenc", "of h264 h264_nvenc, libx264"),
        (
            "{format: webm, encoder: libx264}",
            32,
            "libx264 writes h264, and webm is to be vp9",
            "of vp9 libvpx-vp9",
        ),
        ("{codec: h265, encoder: libx264}", 31, "libx264 writes h264", "of h265 none"),
    ],
)
def test_what_the_ffmpeg_lacks_is_told_at_its_place(
    tmp_path: Path, video: str, column: int, message: str, hint: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        films(tmp_path, video)
    (found,) = caught.value.diagnostics
    assert found.place is not None
    assert (found.place.line, found.place.column) == (3, column)
    assert message in found.message
    assert any(hint in each for each in found.hints)


def test_a_preview_is_small_and_draws_the_same_pictures(tmp_path: Path) -> None:
    (tmp_path / "board.yaml").write_text(
        "storyboard: 1\nscenes: [{sentences: [a fox, an owl]}]\n"
        "video: {format: [mp4, gif], height: 720, codec: h265, hold: 2}\n"
    )
    plans = []
    for selection in (Selection(), Selection(preview=True)):
        project = load(tmp_path / "board.yaml")
        plans.append(planner.plan(project, facts_for(), kind_of, Memory(), {}, selection))
    whole, preview = ({p.action.id: p.action.task for p in plan.actions} for plan in plans)
    frames = [id_ for id_, task in whole.items() if task.kind == "frame"]
    assert [whole[id_].key() for id_ in frames] == [preview[id_].key() for id_ in frames]
    films = [task for task in preview.values() if isinstance(task, FilmTask)]
    ((film),) = films
    assert (film.height, film.format, film.encoder, film.quick) == (240, "mp4", "", True)
    before = whole["film/film_pictures"]
    assert isinstance(before, FilmTask)
    assert [shot.frames for shot in film.shots] == [shot.frames for shot in before.shots]
    assert "quick" not in before.key()


def test_no_ffmpeg_is_told_before_anything_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(tmp_path / "absent"))
    board = tmp_path / "board.yaml"
    board.write_text("storyboard: 1\nscenes: [{sentences: [a fox]}]\nvideo: {height: 64}\n")
    with pytest.raises(InvalidDocument) as caught:
        gather(load(board), keys=False)
    (found,) = caught.value.diagnostics
    assert found.code == "ffmpeg"
    assert found.place is not None
    assert (found.place.line, found.place.column) == (3, 8)
