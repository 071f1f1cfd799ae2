"""`lorakit data` on folders, tables and recipes as people have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lorakit.facts.pictures.open_picture import rgb
from tests.support.picture_folders import SCRIPT, folder, scene, told
from tests.support.runs import lorakit


def data(home: Path, *words: str, code: int = 0) -> list[dict[str, Any]]:
    done = lorakit(home, "data", *words, "--json")
    assert done.returncode == code, done.stderr + done.stdout
    return json.loads(done.stdout)


def named(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["file"]: one for one in told["pictures"]}


def test_a_folder_as_people_have_them(home: Path) -> None:
    folder(home / "photos")
    (seen,) = data(home, "photos", code=3)
    pictures = named(seen)
    assert len(pictures) == 12
    assert seen["ready"] is False
    codes = {one["code"]: one for one in seen["findings"]}
    assert codes.keys() >= {"data", "no-caption", "duplicates"}
    # a torn picture and one that is not read are both told, and the others shown
    wrong = " ".join(one["message"] for one in seen["findings"])
    assert "torn.jpg cannot be read: image file is truncated" in wrong
    assert ".heic files are not read" in wrong
    assert len(codes["no-caption"]["hints"]) == 3
    assert "--write-captions" in codes["no-caption"]["hints"][0]
    assert seen["without_caption"] == ["IMG_2044.webp", "deep sea.png", "red_panda-02.png"]
    assert all(one["file"] is None for one in seen["findings"])  # no place in a recipe of ours
    # upright; its colours and depth told
    assert pictures["turned.jpg"]["size"] == [64, 96]
    assert pictures["turned.jpg"]["trained_at"] == [96, 160]
    assert [n for n, one in pictures.items() if one["converted"]] == ["deep sea.png", "icc.jpg"]
    assert pictures["owl.png"]["caption"] == "一只猫头鹰在树上"
    assert pictures["owl.png"]["tokens"] > 8
    assert pictures["deep sea.png"]["cut_away"] > 0
    for one in pictures.values():
        assert list(rgb(Path(one["thumbnail"])).size) == one["trained_at"]
    alike = [{one["file"]: one["how"] for one in group} for group in seen["alike"]]
    assert {"owl.png": None, "red_panda-02.png": "same bytes"} in alike
    assert {
        "fox.jpg": None,
        "fox again.jpg": "same picture",
        "fox small.png": "same picture",
        "mirror.jpg": "mirrored",
    } in alike
    assert len(alike) == 2  # two plain ones are no pair
    passed = {one["name"]: one["why"] for one in seen["passed_over"]}
    assert passed.keys() == {
        "._owl.png", ".DS_Store", "notes.md", "orphan.txt", "phone.heic", "torn.jpg",
    }  # fmt: skip


def test_it_says_so_in_the_terminal_and_names_the_page(home: Path) -> None:
    folder(home / "photos")
    done = lorakit(home, "data", "photos")
    assert done.returncode == 3
    page = home / "outputs" / "data" / "photos.html"
    assert f"page  {page}" in done.stdout
    for words in (
        "pictures  12; 12 shown an epoch",
        "9 of 12 pictures have one",
        "alike     fox.jpg: fox again.jpg (same picture), fox small.png (same picture) and mirror.jpg",
        "left out  1, no picture is called so: the caption is of nothing: orphan.txt",
        "a training would stop at this: 3 errors",
    ):
        assert words in done.stdout, done.stdout
    assert "error[no-caption]: 3 pictures have no caption" in done.stderr
    text = page.read_text("utf-8")
    assert "<script>alert(1)" not in text
    assert SCRIPT not in text
    assert "&lt;script&gt;alert(1)" in text
    assert "一只猫头鹰在树上" in text
    assert len(list((page.parent / "photos-pictures").iterdir())) == 11  # two of the same bytes


def test_captions_are_written_beside_pictures_and_over_nothing(home: Path) -> None:
    place = folder(home / "photos")
    before = {path: path.read_bytes() for path in place.iterdir()}
    refused = lorakit(home, "data", "photos", "--write-captions")
    assert refused.returncode == 1
    assert "the name of 1 picture says nothing of what it shows (IMG_2044.webp)" in refused.stderr
    assert {path: path.read_bytes() for path in place.iterdir()} == before  # all or nothing
    (place / "IMG_2044.txt").write_text("  \n")  # there, and empty: a file of the user's
    before[place / "IMG_2044.txt"] = b"  \n"
    done = lorakit(home, "data", "photos", "--write-captions")
    assert "2 captions written; 10 pictures had one" in done.stdout
    assert "left as they are, and without a word in them: photos/IMG_2044.txt" in done.stdout
    assert (place / "deep sea.txt").read_text() == "deep sea\n"
    assert (place / "red_panda-02.txt").read_text() == "red panda\n"
    assert all(path.read_bytes() == content for path, content in before.items())
    for name in ("torn.jpg", "phone.heic", "IMG_2044.txt", "._owl.png"):
        (place / name).unlink()
    done = lorakit(home, "data", "photos", "--write-captions", "--caption", "a photo, sks style")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (place / "IMG_2044.txt").read_text() == "a photo, sks style\n"
    assert "a training can begin" in done.stdout


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--caption", "a photo of {caption}"), "a photo of red fox"),
        (("--trigger-word", "sks"), "red fox"),
    ],
)
def test_the_words_that_are_written(home: Path, words: tuple[str, ...], text: str) -> None:
    told(home / "photos" / "red_fox.png", scene(1), None)
    assert lorakit(home, "data", "photos", "--write-captions", *words).returncode == 0
    assert (home / "photos" / "red_fox.txt").read_text() == f"{text}\n"


def test_where_a_name_says_nothing_the_trigger_word_does(home: Path) -> None:
    told(home / "photos" / "IMG_1.png", scene(1), None)
    done = data(home, "photos", "--write-captions", "--trigger-word", "sks")
    assert (home / "photos" / "IMG_1.txt").read_text() == "sks\n"
    assert done[0]["pictures"][0]["caption"] == "sks"


def test_what_is_not_the_user_s_is_not_written_into(home: Path) -> None:
    done = lorakit(home, "data", "lorakit:hologram", "--write-captions")
    assert done.returncode == 1
    assert "lorakit:hologram is not yours to write into" in done.stderr


def test_kohya_folders_metadata_and_options(home: Path) -> None:
    told(home / "mine" / "10_sks fox" / "a.png", scene(1), None)
    told(home / "mine" / "2_owl" / "b.png", scene(2), "an owl at night")
    (seen,) = data(home, "mine", "--caption", "{caption}, in ink", "--trigger-word", "sks")
    found = {
        name: (one["caption"], one["own_caption"], one["repeats"])
        for name, one in named(seen).items()
    }
    assert found == {
        "10_sks fox/a.png": ("sks fox, in ink", "sks fox", 10),
        "2_owl/b.png": ("sks, an owl at night, in ink", "an owl at night", 2),
    }
    told(home / "listed" / "a.png", scene(1), None)
    (home / "listed" / "metadata.csv").write_text("file_name,tags\na.png,a fox\n")
    options = ("--set", "columns.caption=tags", "--set", "center_crop=true", "--size", "256")
    (seen,) = data(home, "listed", *options)
    assert seen["pictures"][0]["caption"] == "a fox"
    assert seen["pictures"][0]["trained_at"] == [256, 256]


def test_pictures_in_tables(home: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    pytest.importorskip("datasets")
    rows = []
    for number in range(3):
        file = told(home / "source" / f"{number}.png", scene(number), None)
        rows.append({"image": {"bytes": file.read_bytes(), "path": None}, "text": f"disc {number}"})
    rows[2]["text"] = None
    (home / "mine").mkdir()
    parquet.write_table(
        pyarrow.Table.from_pylist(rows), home / "mine" / "train-00000-of-00001.parquet"
    )
    (seen,) = data(home, "mine", code=3)
    assert [one["caption"] for one in seen["pictures"]] == ["disc 0", "disc 1", ""]
    assert len(seen["findings"][0]["hints"]) == 3
    refused = lorakit(home, "data", "mine", "--write-captions", "--caption", "x")
    assert "these pictures stand in a table: fill in its column" in refused.stderr


RECIPE = """\
recipe: 1
seed: 3
models: {tiny: {from: tiny}}
datasets:
  mine: {images: photos, caption: "{caption}, in ink", trigger_word: sks, test_size: 1, limit: 3}
  unused: {images: "lorakit:hologram"}
steps:
  square: {kind: train-image, data: mine, model: tiny, center_crop: true, random_flip: true}
  wide: {kind: train-image, data: mine, model: tiny, resolution: 128}
  same: {kind: train-image, data: mine, model: tiny, resolution: 128}
"""


def test_a_recipe_s_steps_decide_what_is_seen(home: Path) -> None:
    for number in range(5):
        told(home / "photos" / f"{number}.png", scene(number), f"disc {number}")
    (home / "recipe.yaml").write_text(RECIPE)
    square, wide, unused = data(home)
    assert [one["step"] for one in (square, wide, unused)] == ["square", "wide", None]
    assert len({one["page"] for one in (square, wide, unused)}) == 3
    assert {tuple(one["trained_at"]) for one in square["pictures"]} == {(64, 64)}
    assert {tuple(one["trained_at"]) for one in wide["pictures"]} == {(160, 96)}
    assert all(
        one["caption"] == f"sks, disc {one['file'][0]}, in ink" for one in square["pictures"]
    )
    assert sum(one["held_out"] for one in square["pictures"]) == 1
    left = [one["why"] for one in square["passed_over"]]
    assert left == ["limit: 3 leaves it out"] * 2
    # the very pictures that a plan tells of
    plan = lorakit(home, "plan").stdout
    (held,) = (one["file"] for one in square["pictures"] if one["held_out"])
    assert f"1 held out: {held}" in plan
    (only,) = data(home, "--only", "unused")
    assert only["data"] == "unused"
    wrong = lorakit(home, "data", "--only", "wdie")
    assert "no data set and no training is called wdie; did you mean wide?" in wrong.stderr


def test_errors_of_a_recipe_stand_at_their_place(home: Path) -> None:
    folder(home / "photos")
    (home / "recipe.yaml").write_text(RECIPE.replace(", limit: 3", ""))
    done = lorakit(home, "data", "recipe.yaml", "--only", "wide")
    assert done.returncode == 3
    assert "recipe.yaml:5:18: error[no-caption]: 3 pictures have no caption" in done.stderr
    assert "--write-captions" in done.stderr
    assert done.stdout.count("page  ") == 1


def test_labelled_texts(home: Path) -> None:
    rows = [f"a good film number {n},good" for n in range(8)]
    rows += [f"a bad film number {n},bad" for n in range(8)]
    rows += ["A good  film number 1,bad", "a bad film number 2,bad"]
    (home / "reviews.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    (seen,) = data(home, "reviews.csv", "--size", "4", "--set", "test_size=4")
    assert seen["kind"] == "texts"
    both = [
        seen["trained_on"]["labels"][n] + seen["scored_by"]["labels"][n] for n in ("good", "bad")
    ]
    assert both == [8, 10]
    assert seen["scored_by"]["texts"] == 4
    assert seen["tokens_read"] == 4
    assert {one["text"].lower().replace("  ", " "): one["labels"] for one in seen["repeated"]} == {
        "a good film number 1": ["bad", "good"],
        "a bad film number 2": ["bad"],
    }
    assert "two-labels" in {one["code"] for one in seen["findings"]}
    text = (home / "outputs" / "data" / "reviews.csv.html").read_text("utf-8")
    assert "Labels and their texts" in text
    (home / "torn.csv").write_text("text,label\na,x\n,y\n")
    wrong = lorakit(home, "data", "torn.csv")
    assert wrong.returncode == 3
    assert wrong.stderr.startswith("error[empty-row]: torn.csv: row 2 has no text")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("nowhere",), 1, "there is no folder and no file nowhere"),
        (("phtos",), 1, "did you mean photos?"),
        (("hollow",), 1, "hollow holds no pictures"),
        (("notes.md",), 1, "notes.md is no data set: name a folder, a recipe, or a table"),
        (("photos", "--size", "3"), 3, "error[out-of-range]: resolution must be from 32 to 4096"),
        (("photos", "--set", "trigger_wrd=x"), 3, "did you mean trigger_word?"),
        (("photos", "--only", "x"), 2, "--only and --profile are for a recipe"),
        (("photos", "--model", "nothing"), 3, "error[missing-file]: there is no model at nothing"),
        (("board.yaml",), 1, "board.yaml names no data sets"),
        (("board.yaml", "--size", "64"), 2, "--size, --model, --trigger-word and --as are for a folder"),
        (("hub:owner/name",), 1, "hub:owner/name is not on this machine yet: --download fetches it"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(home: Path, words: tuple[str, ...], code: int, said: str) -> None:
    told(home / "photos" / "a.png", scene(1), "a")
    (home / "hollow").mkdir()
    (home / "notes.md").write_text("x")
    (home / "board.yaml").write_text("storyboard: 1\nscenes:\n  - text: The fox sleeps.\n")
    done = lorakit(home, "data", *words)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (home / "outputs").exists()


def test_links_that_leave_the_folder_and_pipes_are_told(home: Path, tmp_path: Path) -> None:
    outside = told(tmp_path / "outside" / "a.png", scene(1), None)
    (home / "linked").mkdir()
    try:
        (home / "linked" / "a.png").symlink_to(outside)
    except OSError:
        pytest.skip("no links here")
    for words in ((), ("--write-captions",)):
        done = lorakit(home, "data", "linked", *words)
        assert done.returncode == 1
        assert "it is a link that leaves the project" in done.stderr
    (home / "hollow").mkdir()
    (home / "hollow" / "a.png").symlink_to(home / "nowhere.png")
    done = lorakit(home, "data", "hollow")
    assert done.returncode == 3
    assert "a.png is no file: a link to nothing" in done.stderr
    assert "hollow holds no pictures" in done.stderr


def test_a_twin_that_is_held_out_and_a_crop_that_costs_much_are_warned_of(home: Path) -> None:
    wide = scene(1, (256, 64))
    for name in ("a", "b"):
        told(home / "photos" / f"{name}.png", wide, "a long one")
    options = ("--set", "test_size=1", "--set", "center_crop=true", "--model", "tiny")
    (seen,) = data(home, "photos", *options)
    assert {one["trained_at"][0] for one in seen["pictures"]} == {64}
    assert {one["cut_away"] for one in seen["pictures"]} == {0.75}
    codes = {one["code"]: one for one in seen["findings"]}
    assert "write center_crop: false" in codes["cut-away"]["hints"][0]
    assert "is held out, and" in codes["held-out-twin"]["message"]
    assert seen["ready"] is True
