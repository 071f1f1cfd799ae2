"""Folders of pictures as people have them: what is read, what is said, what is passed over."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import lorakit
from lorakit.diagnostics import InvalidDocument
from lorakit.facts.pictures import open_picture
from lorakit.facts.pictures.picture import PictureFacts
from lorakit.store import sealed
from tests.support.image_training import paint


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".lorakit").mkdir()
    monkeypatch.chdir(tmp_path)  # in a checkout of lorakit's, its own store would be taken
    paint(tmp_path / "foxes", [(64, 64), (64, 96)])
    return tmp_path


def recipe(folder: Path, data: str = "") -> Path:
    path = folder / "recipe.yaml"
    path.write_text(
        f"recipe: 1\ndatasets: {{foxes: {{images: foxes{data}}}}}\n"
        "steps: {style: {kind: train-image, data: foxes, train: {max_train_steps: 9, batch_size: 2}}}\n"
    )
    return path


def facts(folder: Path, data: str = "") -> PictureFacts:
    return lorakit.load(recipe(folder, data)).facts().pictures["foxes"]


def complaint(folder: Path, data: str = "") -> str:
    with pytest.raises(InvalidDocument) as caught:
        lorakit.load(recipe(folder, data)).facts()
    return str(caught.value)


def lines(folder: Path, data: str = "") -> list[str]:
    plan = lorakit.load(recipe(folder, data)).plan()
    return next(p.action.notes for p in plan.actions if p.action.kind == "train-image")


def test_what_systems_and_notebooks_leave_in_folders_is_passed_over(project: Path) -> None:
    expected = facts(project)
    foxes = project / "foxes"
    for path in ("._0.png", "__MACOSX/._0.png", ".ipynb_checkpoints/0-checkpoint.png",
                 "Thumbs.db", ".DS_Store", "@eaDir/0.png", "desktop.ini", ".hidden/x.parquet"):  # fmt: skip
        (foxes / path).parent.mkdir(exist_ok=True)
        (foxes / path).write_bytes(b"\0\5\26\7")
    assert facts(project) == expected


@pytest.mark.parametrize("ending", ["jfif", "jpe", "JPG"])
def test_a_jpeg_is_read_whatever_its_ending(project: Path, ending: str) -> None:
    Image.new("RGB", (64, 64), "red").save(project / "foxes" / f"x.{ending}", "JPEG")
    (project / "foxes" / "x.txt").write_text("a red fox")
    assert [p.caption for p in facts(project).pictures][-1] == "a red fox"


@pytest.mark.parametrize("ending", ["avif", "heic", "tga", "NEF"])
def test_pictures_that_are_not_read_are_said(project: Path, ending: str) -> None:
    (project / "foxes" / f"x.{ending}").write_bytes(b"x")
    said = complaint(project)
    assert "recipe.yaml:2:" in said
    assert f"x.{ending} would not be trained on" in said


def test_a_truncated_picture_fails_the_plan_by_its_name_with_all_others(project: Path) -> None:
    values = np.random.default_rng(1).integers(0, 255, (128, 128, 3), np.uint8)
    for name in ("x", "y"):
        file = project / "foxes" / f"{name}.jpg"
        Image.fromarray(values).save(file)
        file.write_bytes(file.read_bytes()[:-3000])
        file.with_suffix(".txt").write_text("a fox")
    said = complaint(project)
    assert "error[data]" in said
    for name in ("x.jpg", "y.jpg"):
        assert f"{name} cannot be read: image file is truncated" in said
    # what was found whole is remembered: another plan decodes nothing
    for name in ("x", "y"):
        Image.fromarray(values).save(project / "foxes" / f"{name}.jpg")
    expected = facts(project)
    kept = sealed.read(project / ".lorakit" / "pictures.json")
    assert isinstance(kept, dict)
    assert len(kept) == 3  # two of them are one
    assert facts(project) == expected
    (project / ".lorakit" / "pictures.json").write_text('{"a": 3}')
    assert facts(project) == expected


def test_a_link_to_nothing_is_said(project: Path) -> None:
    (project / "foxes" / "x.png").symlink_to(project / "gone.png")
    assert "x.png is no file" in complaint(project)


def kohya(project: Path) -> Path:
    for path in (project / "foxes").iterdir():
        path.unlink()
    for name, count in (("10_sks fox", 2), ("3_fox in snow", 1)):
        paint(project / "foxes" / name, [(64, 64)] * count)
    for path in (project / "foxes").rglob("*.txt"):
        path.unlink()
    (project / "foxes" / "10_sks fox" / "1.txt").write_text("sks fox, asleep")
    return project / "foxes"


def test_kohya_s_folders_repeat_their_pictures_and_name_them(project: Path) -> None:
    folder = kohya(project)
    found = facts(project).pictures
    assert [(p.caption, p.repeats) for p in found] == [
        ("sks fox", 10), ("sks fox, asleep", 10), ("fox in snow", 3),
    ]  # fmt: skip
    said = lines(project)
    assert any("of 23 pictures" in line for line in said)
    assert "10_sks fox: 2 pictures, each 10 times an epoch" in said
    assert "3_fox in snow: 1 picture, each 3 times an epoch" in said
    plan = lorakit.load(recipe(project)).plan()
    action = next(p.action for p in plan.actions if p.action.kind == "train-image")
    assert action.task.key()["folder_repeats"] == [10, 10, 3]
    # what the recipe says goes first
    assert any("of 6 pictures" in line for line in lines(project, ", repeats: 2"))
    # years are no repeats, and neither is a number in a folder beside others
    (folder / "3_fox in snow").rename(folder / "2024_snow")
    assert "error[no-caption]" in complaint(project)


def test_captions_stand_in_files_of_the_usual_endings_or_the_one_that_is_asked_for(
    project: Path,
) -> None:
    foxes = project / "foxes"
    (foxes / "0.txt").rename(foxes / "0.caption")
    assert [p.caption for p in facts(project).pictures] == ["a fox at 0", "a fox at 1"]
    (foxes / "1.caption").write_text("another fox")
    said = complaint(project)
    assert "1.txt and 1.caption say different things of 1.png" in said
    assert "caption_extension: .txt" in said
    found = facts(project, ", caption_extension: .caption").pictures
    assert [p.caption for p in found] == ["a fox at 0", "another fox"]
    said = complaint(project, ", caption_extension: .wd14")
    assert "no picture of" in said
    assert "there are .caption or .txt files" in said


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_metadata_may_be_divided_as_spreadsheets_do(project: Path, mark: str) -> None:
    foxes = project / "foxes"
    for path in foxes.glob("*.txt"):
        path.unlink()
    rows = [("file_name", "text"), ("0.png", '"a fox, asleep; or not"'), ("1.png", "a fox")]
    (foxes / "metadata.csv").write_text("".join(mark.join(row) + "\n" for row in rows))
    assert [p.caption for p in facts(project).pictures] == ["a fox, asleep; or not", "a fox"]


def test_a_file_and_a_row_that_say_different_things_are_told(project: Path) -> None:
    foxes = project / "foxes"
    (foxes / "metadata.jsonl").write_text('{"file_name": "0.png", "text": "another"}\n')
    said = complaint(project)
    assert "0.txt and a row of metadata say different things of 0.png" in said
    found = facts(project, ", caption_extension: .txt").pictures
    assert [p.caption for p in found] == ["a fox at 0", "a fox at 1"]
    (foxes / "metadata.jsonl").write_text('{"file_name": "0.png", "text": "a fox  at 0"}\n')
    assert facts(project).pictures[0].caption == "a fox at 0"


def test_a_caption_that_is_nan_is_none(project: Path) -> None:
    foxes = project / "foxes"
    (foxes / "0.txt").unlink()
    (foxes / "metadata.csv").write_text("file_name,text\n0.png,NaN\n")
    assert "0.png has no caption" in complaint(project)


def test_captions_in_other_encodings_and_a_file_for_a_folder_are_told(project: Path) -> None:
    (project / "foxes" / "0.txt").write_bytes("caf\u00e9".encode("latin-1"))
    assert "0.txt is not written in UTF-8" in complaint(project)
    assert "is no folder" in complaint(project, "/1.png")


def test_metadata_whose_rows_have_more_fields_than_its_header_is_an_error(project: Path) -> None:
    foxes = project / "foxes"
    (foxes / "metadata.csv").write_text("file_name,text\n0.png,a fox, asleep\n1.png,a fox\n")
    assert "metadata.csv, line 2, has 3 fields, and the header names 2" in complaint(project)


def test_pictures_whose_colours_are_turned_have_latents_of_their_own(project: Path) -> None:
    ramp = np.linspace(0, 65535, 4096).astype(np.uint16).reshape(64, 64)
    Image.fromarray(ramp).save(project / "foxes" / "0.png")
    plan = lorakit.load(recipe(project)).plan()
    latents = [p.action.task.key() for p in plan.actions if p.action.kind == "latents"]
    assert [one.get("colours") for one in latents] == ["srgb", None]


def test_rows_of_metadata_are_met_however_they_spell_their_picture(project: Path) -> None:
    foxes = project / "foxes"
    for file in foxes.glob("*.txt"):
        file.unlink()
    first, second = sorted(foxes.glob("*.png"))
    (foxes / "sub").mkdir()
    rows = [(f"sub/../{first.name}", "a fox"), (str(second), "an owl")]
    (foxes / "metadata.jsonl").write_text(
        "".join(json.dumps({"file_name": name, "text": text}) + "\n" for name, text in rows)
    )
    assert [p.caption for p in facts(project).pictures] == ["a fox", "an owl"]


@pytest.mark.parametrize("ending", ["gif", "webp", "png", "tiff"])
def test_animated_pictures_are_said_to_be_read_in_part(project: Path, ending: str) -> None:
    frames = [Image.new("RGB", (128, 128), colour) for colour in ("red", "blue")]
    file = project / "foxes" / f"x.{ending}"
    frames[0].save(file, save_all=True, append_images=frames[1:])
    still = project / "foxes" / f"y.{ending}"
    frames[0].save(still)
    for one in (file, still):
        one.with_suffix(".txt").write_text("a red fox")
    for _ in range(2):  # decoded, and from memory
        assert [p.name for p in facts(project).pictures if p.several] == [file.name]
    (told,) = [one for one in lorakit.load(recipe(project)).check() if one.code == "first-frame"]
    assert f"{file.name}: the first frame or page alone" in told.message
    with Image.open(file) as picture:
        assert open_picture.rgb(file).getpixel((9, 9)) == picture.convert("RGB").getpixel((9, 9))
