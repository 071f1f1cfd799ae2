"""What is read stays within the project and the roots that its user named: links, tables, READMEs."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from lorakit import files
from tests.attack.commands import Said, lorakit

IMAGES = "recipe: 1\ndatasets: {mine: {images: mine}}\nsteps:\n  style: {kind: train-image, data: mine}\n"
TEXTS = (
    "recipe: 1\ndatasets: {mine: {texts: %s}}\nsteps:\n  judge: {kind: train-text, data: mine}\n"
)
ROWS = "text,label\n" + "".join(f"film {n},{n % 2}\n" for n in range(20))


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder outside of the project, which is the current one."""
    (tmp_path / "home" / ".lorakit").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "home")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "elsewhere"


def picture(path: Path) -> Path:
    from PIL import Image

    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (64, 64), "navy").save(path)
    return path


def plan(recipe: str) -> Said:
    Path("r.yaml").write_text(recipe)
    said = lorakit("plan", "r.yaml")
    assert "a fault inside" not in said.text
    return said


def name_root(folder: Path) -> None:
    config = folder.parent / "config" / "lorakit" / "config.yaml"
    config.parent.mkdir(parents=True)
    config.write_text(f"roots: {{far: {folder}}}\n")


def linked(inside: str, target: Path) -> None:
    path = Path(inside)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)


@pytest.mark.parametrize("what", ["caption", "picture", "mask", "table", "metadata"])
def test_a_link_out_of_the_project_is_followed_into_named_roots_only(
    elsewhere: Path, what: str
) -> None:
    picture(Path("mine/a.png"))
    Path("mine/a.txt").write_text("a fox")
    recipe = IMAGES
    match what:
        case "caption":
            (elsewhere / "secret").write_text("a secret")
            Path("mine/a.txt").unlink()
            linked("mine/a.txt", elsewhere / "secret")
        case "picture":
            linked("mine/b.png", picture(elsewhere / "b.png"))
            Path("mine/b.txt").write_text("an owl")
        case "mask":
            linked("mine/a-masklabel.png", picture(elsewhere / "b.png"))
        case "metadata":
            (elsewhere / "m.csv").write_text("file_name,text\na.png,a secret\n")
            Path("mine/a.txt").unlink()
            linked("mine/metadata.csv", elsewhere / "m.csv")
        case _:
            (elsewhere / "t.csv").write_text(ROWS)
            linked("t/all.csv", elsewhere / "t.csv")
            recipe = TEXTS % "t"
    said = plan(recipe)
    assert said.code == 3
    assert "it is a link that leaves the project" in said.text
    assert "a secret" not in said.text
    name_root(elsewhere)
    assert plan(recipe).code == 0


def test_a_linked_folder_of_a_model_is_held_against_the_roots(elsewhere: Path) -> None:
    import shutil

    from lorakit import resources

    shutil.copytree(resources.path("studio"), "m")
    shutil.move("m/unet", elsewhere / "unet")
    linked("m/unet", elsewhere / "unet")
    recipe = "recipe: 1\nmodels: {m: {from: m}}\nsteps: {d: {kind: generate, model: m, prompts: [a fox]}}\n"
    said = plan(recipe)
    assert said.code == 3
    assert "it is a link that leaves the project" in said.text
    name_root(elsewhere)
    assert plan(recipe).code == 0


@pytest.mark.parametrize("way", ["absolute", "relative", "address", "chained address", "archive"])
def test_a_row_names_no_picture_outside_of_its_data_set(elsewhere: Path, way: str) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = picture(elsewhere / "b.png")
    with zipfile.ZipFile(elsewhere / "b.zip", "w") as archive:
        archive.write(file, "b.png")
    path = {
        "absolute": str(file),
        "relative": "../../elsewhere/b.png",
        "address": "http://localhost:1/b.png",
        "chained address": f"http://localhost:1/b.png::{file}",
        "archive": f"zip://b.png::{elsewhere / 'b.zip'}",
    }[way]
    Path("mine").mkdir()
    table = pa.table({"image": [{"bytes": None, "path": path}], "text": ["a fox"]})
    pq.write_table(table, "mine/train.parquet")
    said = plan(IMAGES)
    assert said.code == 3
    assert "there is no picture in row 1" in said.text


def test_a_row_may_name_a_picture_of_its_own_data_set() -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = picture(Path("b.png"))
    Path("mine").mkdir()
    with zipfile.ZipFile("mine/b.zip", "w") as archive:
        archive.write(file, "b.png")
    rows = [{"bytes": None, "path": f"zip://b.png::{Path('mine/b.zip').absolute()}"}]
    table = pa.table({"image": rows, "text": ["a fox"]})
    pq.write_table(table, "mine/train.parquet")
    assert plan(IMAGES).code == 0


@pytest.mark.parametrize(
    "name", ["/etc/*.csv", "../../elsewhere/t.parquet", "https://example.com/t.parquet", "~/t.csv"]
)
def test_a_readme_brings_in_no_file_from_elsewhere(name: str) -> None:
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    file = picture(Path("b.png"))
    Path("mine").mkdir()
    table = pa.table({"image": [{"bytes": file.read_bytes(), "path": None}], "text": ["a fox"]})
    pq.write_table(table, "mine/train.parquet")
    Path("mine/README.md").write_text(
        f"---\nconfigs:\n- config_name: default\n  data_files:\n  - split: train\n    path: '{name}'\n---\n"
    )
    said = plan(IMAGES)
    assert said.code == 3
    assert f"names {name} in its README.md, which is not in its folder" in said.text


def test_a_plan_writes_nothing_into_the_hubs_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.support.hub import caches, parquet, publish

    cache = caches(tmp_path, monkeypatch)
    publish(cache, "a/texts", {"train.csv": ROWS.encode(), "test.csv": ROWS.encode()})
    pixels = picture(Path("b.png")).read_bytes()
    rows = parquet({"image": [{"bytes": pixels, "path": None}], "text": ["a fox"]})
    publish(cache, "a/pictures", {"train.parquet": rows})

    def files() -> list[tuple[str, int]]:
        every = [*cache.rglob("*"), *(tmp_path / "datasets").rglob("*")]
        return sorted((str(path), path.lstat().st_mtime_ns) for path in every)

    before = files()
    assert plan(TEXTS % "'hub:a/texts'").code == 0
    assert plan(IMAGES.replace("images: mine", "images: 'hub:a/pictures'")).code == 0
    assert files() == before


@pytest.mark.slow
def test_store_and_outputs_may_be_links_and_what_is_in_them_may_not(elsewhere: Path) -> None:
    """As SECURITY.md has it."""
    Path(".lorakit").rmdir()
    (elsewhere / "store").mkdir()
    (elsewhere / "made").mkdir()
    linked(".lorakit", elsewhere / "store")
    linked("outputs", elsewhere / "made")
    Path("b.yaml").write_text(
        "storyboard: 1\nlook: {num_inference_steps: 1}\nscenes:\n  - text: A fox.\n"
    )
    said = lorakit("run", "b.yaml", "--plain")
    assert said.code == 0, said.text
    assert (elsewhere / "store" / "objects").is_dir()
    assert (elsewhere / "made" / "b" / "001" / "manifest.json").is_file()
    (elsewhere / "made" / "b").rename(elsewhere / "b")
    linked("outputs/b", elsewhere / "b")
    said = lorakit("run", "b.yaml", "--plain")
    assert said.code == 1
    assert "outputs/b is a link: remove it" in said.text


def test_a_hint_uses_a_root_that_the_user_has(elsewhere: Path) -> None:
    name_root(elsewhere)
    (elsewhere / "loras").mkdir()
    (elsewhere / "loras" / "a.safetensors").touch()
    linked("a.safetensors", elsewhere / "loras" / "a.safetensors")
    for path in ("a.safetensors", str(elsewhere / "loras" / "a.safetensors")):
        said = plan(
            f"recipe: 1\nadapters: {{a: {{from: {path}}}}}\n"
            "steps: {d: {kind: generate, prompts: [a fox], adapters: {a: 1}}}\n"
        )
        assert said.code == 3
        assert "write far:loras/a.safetensors" in said.text
        assert "roots: {" not in said.text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
@pytest.mark.parametrize("kind", ["models", "datasets"])
@pytest.mark.parametrize(
    "revision", ["{}/pipe", "/dev/zero", "../../../../elsewhere/pipe", "refs/../../x", "--x", "a b", "a\nb", "x" * 5000]
)  # fmt: skip
def test_a_revision_opens_no_file(
    elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, revision: str
) -> None:
    """The hub's library joins it to its cache's folder, and opens what is there."""
    from tests.support.hub import caches, publish

    publish(caches(tmp_path, monkeypatch), "a/b", {"train.csv": ROWS.encode()})
    os.mkfifo(elsewhere / "pipe")
    told = json.dumps(revision.format(elsewhere))
    said = plan(
        f"recipe: 1\nmodels: {{m: {{from: 'hub:a/b', revision: {told}}}}}\n"
        "steps: {d: {kind: generate, model: m, prompts: [a fox]}}\n"
        if kind == "models"
        else f"recipe: 1\ndatasets: {{d: {{texts: 'hub:a/b', revision: {told}}}}}\n"
        "steps: {s: {kind: train-text, data: d}}\n"
    )
    assert said.code == 3
    assert "revision must be the name of a commit, a branch or a tag" in said.text


def test_the_top_of_a_disk_holds_all_that_is_on_it(elsewhere: Path) -> None:
    """A command that is called there, with a document that no project holds, has it for its project."""
    file = picture(elsewhere / "a.png")
    with files.within([Path(file.anchor)], list):
        files.check_root(file)
    with files.within([file.parent.parent / "else"], list), pytest.raises(PermissionError):
        files.check_root(file)
