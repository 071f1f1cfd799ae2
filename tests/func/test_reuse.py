"""Change one sentence, and only what it touches is made again. Real runs of a tiny model."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support.boards import board_text, sentences, write_project
from tests.support.runs import lorakit, run

SCENES = [(f"scene_{n}", sentences(n, 5)) for n in range(1, 9)]


def test_story_complaint_03_a_changed_sentence_costs_its_chain_and_nothing_else(home: Path) -> None:
    write_project(home, board_text(SCENES))
    first = run(home)
    assert first.code == 0, first.errors
    assert len(first.made("frame")) == 40
    assert len(first.made("film")) == 1
    assert len(first.pictures()) == 40

    # nothing changed: no UNet call, and a new, complete folder for who asks for one
    again = run(home, "--copy")
    assert again.code == 0, again.errors
    assert again.made() == []
    assert again.calls.get("unet", 0) == 0
    assert again.folder != first.folder
    assert again.pictures() == first.pictures()
    assert (again.folder / "film" / "film.mp4").is_file()
    assert (again.folder / "film" / "contact_sheet.png").is_file()

    # sentence 3 of one scene, in a chain of five: itself and the two behind it
    changed = [list(lines) for _, lines in SCENES]
    changed[6][2] = "a robot rides a rocket on mars"
    write_project(home, board_text([(n, c) for (n, _), c in zip(SCENES, changed, strict=True)]))
    third = run(home)
    assert third.code == 0, third.errors
    assert third.made("frame") == ["film/scene_7/3", "film/scene_7/4", "film/scene_7/5"]
    assert third.calls["rows"] == 3 * 2  # two effective steps each: int(4 * 0.5)
    before, after = first.pictures(), third.pictures()
    differ = {name for name in before if before[name] != after[name]}
    assert differ == {f"film/frames_scene_7/frame_00{n}.png" for n in (3, 4, 5)}

    # a scene put in between: only its frames
    scenes = [(n, c) for (n, _), c in zip(SCENES, changed, strict=True)]
    scenes.insert(4, ("between", sentences(99, 5)))
    write_project(home, board_text(scenes))
    fourth = run(home)
    assert fourth.code == 0, fourth.errors
    assert fourth.made("frame") == [f"film/between/{n}" for n in range(1, 6)]

    # what only the film shows: no UNet call
    for video in (
        "{fps: 6, hold: 0.5, height: 64}",
        "{fps: 6, hold: 0.5, height: 64, captions: true}",
        "{fps: 6, hold: 0.5, height: 64, captions: true, transition: {kind: crossfade, seconds: 0.2}}",
    ):
        write_project(home, board_text(scenes, video=video))
        film = run(home)
        assert film.code == 0, film.errors
        # another rate is other times of subtitles; the same frames are the same film
        assert "film/film_pictures" in film.made()
        assert set(film.made()) <= {"film/film_pictures", "film/film_subtitles", "film/film"}
        assert film.calls.get("unet", 0) == 0


@pytest.mark.parametrize(
    ("chain", "again"),
    [
        ("{from: noise}", ["film/one/2"]),
        ("{from: noise, attention: shared}", ["film/one/2"]),
        ("{from: anchor, strength: 0.5}", ["film/one/2"]),
        ("{from: previous, strength: 0.5}", ["film/one/2", "film/one/3", "film/one/4"]),
    ],
)
def test_what_a_sentence_put_in_second_touches(home: Path, chain: str, again: list[str]) -> None:
    lines = sentences(1, 3)
    write_project(home, board_text([("one", lines)], chain=chain, video=""))
    assert run(home).code == 0
    write_project(
        home, board_text([("one", [lines[0], "a fox on mars", *lines[1:]])], chain=chain, video="")
    )
    second = run(home)
    assert second.code == 0, second.errors
    assert second.made("frame") == again


@pytest.mark.slow
def test_frames_that_share_attention_are_drawn_again_with_their_scene_s_first(home: Path) -> None:
    lines = sentences(1, 3)
    scenes = [("one", lines), ("two", sentences(2, 2))]
    chain = "{from: noise, attention: shared}"
    write_project(home, board_text(scenes, chain=chain, video=""))
    first = run(home)
    assert first.code == 0, first.errors
    changed = [("one", ["a fox on mars", *lines[1:]]), scenes[1]]
    write_project(home, board_text(changed, chain=chain, video=""))
    second = run(home)
    assert second.made("frame") == ["film/one/1", "film/one/2", "film/one/3"]
    assert second.calls["rows"] == 3 * 4
    # each by itself, after others were drawn beside it: the same bytes
    write_project(home, board_text(scenes, chain=chain, video=""))
    again = run(home, "--force", "film/one/3")
    assert again.made("frame") == ["film/one/3"]
    assert again.pictures() == first.pictures()
    own = board_text(scenes, chain="{from: noise}", video="")
    write_project(home, own)
    assert run(home).made("frame") == ["film/one/2", "film/one/3", "film/two/2"]


@pytest.mark.slow
def test_objects_that_were_cleared_away_are_made_again_only_where_they_are_missed(
    home: Path,
) -> None:
    write_project(home, board_text([("one", sentences(1, 3))], video=""))
    first = run(home)
    manifest = {a["id"]: a for a in first.manifest["actions"]}
    store = home / ".lorakit" / "objects"

    def forget(digest: str) -> None:
        (store / digest[:2] / digest[2:]).unlink()

    # latents that nobody needs now
    forget(manifest["film/one/1"]["outputs"]["latents"])
    assert run(home).made() == []
    # a picture: its frame, whose start is there; not the frames behind it, whose inputs are equal
    forget(manifest["film/one/3"]["outputs"]["picture"])
    assert run(home).made() == ["film/one/3"]
    # a picture whose chain lost its latents
    forget(manifest["film/one/2"]["outputs"]["picture"])
    third = run(home)
    assert third.made() == ["film/one/1", "film/one/2"]
    assert third.pictures() == first.pictures()


@pytest.mark.slow
def test_a_damaged_object_is_noticed_and_made_again(home: Path) -> None:
    write_project(home, board_text([("one", sentences(1, 2))], video=""))
    first = run(home)
    digest = first.manifest["actions"][1]["outputs"]["picture"]
    path = home / ".lorakit" / "objects" / digest[:2] / digest[2:]
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    second = run(home)
    assert second.code == 0, second.errors
    assert second.made() == ["film/one/2"]
    assert second.pictures() == first.pictures()


def test_story_complaint_13_editing_a_picture_in_a_run_folder_cannot_harm_the_store(
    home: Path,
) -> None:
    write_project(home, board_text([("one", sentences(1, 2))], video=""))
    first = run(home)
    kept = first.pictures()
    (first.folder / "film/frames_scene_1/frame_001.png").write_bytes(b"scribbled over")
    assert run(home).pictures() == kept  # in a folder of its own: this one is as its user wants it
    assert (first.folder / "film/frames_scene_1/frame_001.png").read_bytes() == b"scribbled over"


@pytest.mark.slow
def test_a_run_in_which_nothing_is_made_names_the_folder_that_holds_everything(home: Path) -> None:
    lines = sentences(1, 3)
    write_project(home, board_text([("one", lines)]))
    first = run(home)
    assert first.finished["copied"] is True

    def folders() -> list[str]:
        return sorted(p.name for p in first.folder.parent.iterdir())

    before = folders()
    again = run(home)
    assert again.code == 0, again.errors
    assert again.folder == first.folder
    assert again.finished["made"] == 0
    assert again.finished["cached"] == 7
    assert again.finished["copied"] is False
    assert again.finished["film"] == str(first.folder / "film/film.mp4")
    assert folders() == before
    # of a part of it, too
    assert run(home, "--only", "film/one/1").folder == first.folder
    # in words: which folder, in full, and how to have another
    told = lorakit(home, "run").stdout
    assert f"folder         {first.folder.resolve()}\n" in told
    assert "nothing was made: this folder holds everything; --copy for a new one" in told
    copied = run(home, "--copy")
    assert copied.folder.name == "002"
    assert copied.pictures() == first.pictures()

    # a word there and back: the folder that holds what the documents say is the latest again
    write_project(home, board_text([("one", [*lines[:2], "a fox on mars"])]))
    other = run(home)
    assert other.folder.name == "003"
    write_project(home, board_text([("one", lines)]))
    back = run(home)
    assert back.made() == []
    assert back.folder.name == "002"
    assert (first.folder.parent / "latest.txt").read_text() == "002\n"
    assert lorakit(home, "plan", "--detailed-exitcode").returncode == 0

    # fewer frames are no longer what either folder holds: nothing is drawn, and the rest not shown
    write_project(home, board_text([("one", lines[:2])], video=""))
    fewer = run(home)
    assert fewer.made("frame") == []
    assert fewer.folder.name == "004"
    assert len(fewer.pictures()) == 2


def test_a_folder_that_was_changed_holds_everything_no_more(home: Path) -> None:
    write_project(home, board_text([("one", sentences(1, 2))], video=""))
    first = run(home)
    picture = first.folder / "film/frames_scene_1/frame_001.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[:-1] + b"x")  # as many bytes
    second = run(home)
    assert second.made() == []
    assert second.folder.name == "002"
    picture.unlink()
    (second.folder / "manifest.json").write_text("[1]")
    third = run(home)
    assert third.folder.name == "003"
    assert (
        third.pictures()["film/frames_scene_1/frame_001.png"] == hashlib.sha256(whole).hexdigest()
    )
    # a link is not what we put there
    copy = third.folder / "film/frames_scene_1/frame_001.png"
    copy.unlink()
    copy.symlink_to(second.folder / "film/frames_scene_1/frame_001.png")
    assert run(home).folder.name == "004"
