"""Data sets of pictures: the hub's, in tables and in folders, and where the recipe is to blame."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

import lorakit
from lorakit.diagnostics import InvalidDocument
from lorakit.facts.pictures.picture import PictureFacts
from lorakit.plan.states import State
from tests.support.complaints import complaint
from tests.support.hub import caches, parquet, picture, publish

pytest.importorskip("datasets")
RED, BLUE, TALL = picture("red"), picture("blue"), picture("green", (32, 96), turned=True)
WORDS = ["a red fox", "a blue fox", "a tall fox"]
TABLE = "data/train-00000-of-00001.parquet"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return caches(tmp_path, monkeypatch)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / ".lorakit").mkdir(parents=True)
    return folder


def recipe(folder: Path, data: str, step: str = "") -> Path:
    path = folder / "recipe.yaml"
    path.write_text(
        f"recipe: 1\ndatasets:\n  foxes: {{{data}}}\n"
        f"steps:\n  style: {{kind: train-image, data: foxes{step}}}\n"
    )
    return path


def facts(path: Path) -> PictureFacts:
    return lorakit.load(path).facts().pictures["foxes"]


def table(caption: str = "text", **more: list[object]) -> bytes:
    return parquet({"image": [RED, BLUE, TALL], caption: list(WORDS), **more})


@pytest.mark.slow
def test_tables_and_folders_of_the_hub_are_what_a_folder_of_one_s_own_is(
    cache: Path, project: Path
) -> None:
    own = project / "mine"
    own.mkdir()
    for number, (data, words) in enumerate(zip((RED, BLUE, TALL), WORDS, strict=True)):
        (own / f"{number}.png").write_bytes(data)
        (own / f"{number}.txt").write_text(words)
    files = {f"{number}.png": data for number, data in enumerate((RED, BLUE, TALL))}
    listed = "\n".join(
        json.dumps({"file_name": f"{number}.png", "text": words})
        for number, words in enumerate(WORDS)
    )
    beside = {f"{number}.txt": words.encode() for number, words in enumerate(WORDS)}
    csv = "file_name,caption\n" + "\n".join(f"{n}.png,{w}" for n, w in enumerate(WORDS))
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in {**files, "metadata.jsonl": listed.encode()}.items():
            archive.writestr(name, content)
    publish(cache, "someone/table", {"README.md": b"# Foxes\n", TABLE: table()})
    publish(cache, "someone/listed", {**files, "metadata.jsonl": listed.encode()})
    publish(
        cache,
        "someone/split",
        {
            **{f"train/{name}": data for name, data in files.items()},
            "train/metadata.csv": csv.encode(),
            "test/other.png": RED,
        },
    )
    publish(cache, "someone/beside", {**files, **beside})
    publish(cache, "someone/packed", {"train.zip": packed.getvalue()})
    expected = facts(recipe(project, "images: mine"))
    assert [p.size for p in expected.pictures] == [(64, 64), (64, 64), (32, 96)]  # as it is seen
    for name in ("table", "listed", "split", "beside", "packed"):
        found = facts(recipe(project, f"images: 'hub:someone/{name}'"))
        assert found.digest == expected.digest, name
        assert [p.caption for p in found.pictures] == WORDS
        assert [p.size for p in found.pictures] == [p.size for p in expected.pictures]
        assert [p.file.read_bytes() for p in found.pictures] == [RED, BLUE, TALL]
    copy = project / "copy"
    (copy / "data").mkdir(parents=True)
    (copy / TABLE).write_bytes(table())
    assert facts(recipe(project, "images: copy")).digest == expected.digest


def test_columns_splits_limits_and_revisions_are_chosen(cache: Path, project: Path) -> None:
    odd = parquet(
        {"picture": [RED, BLUE], "text": ["no", "no"], "alt": ["a", "b"]}, images=("picture",)
    )
    publish(cache, "someone/odd", {"data/other-00000-of-00001.parquet": odd})
    chosen = "images: 'hub:someone/odd', split: other, columns: {image: picture, caption: alt}"
    found = facts(recipe(project, f"{chosen}, caption: '{{caption}}, soft', trigger_word: ink"))
    assert [p.caption for p in found.pictures] == ["ink, a, soft", "ink, b, soft"]
    publish(cache, "someone/odd", {TABLE: parquet({"image": [BLUE]})}, "v1", "b" * 40)
    older = "images: 'hub:someone/odd', revision: v1, caption: a fox"
    assert [p.caption for p in facts(recipe(project, older)).pictures] == ["a fox"]
    publish(cache, "someone/foxes", {TABLE: table()})
    shown = lorakit.load(recipe(project, "images: 'hub:someone/foxes', limit: 2")).plan()
    (training,) = [p.action for p in shown.actions if p.action.kind == "train-image"]
    assert training.label == "lora training of lorakit:studio on 2 pictures"


def test_a_table_whose_header_tells_no_types_is_read(cache: Path, project: Path) -> None:
    from pyarrow import Table
    from pyarrow import parquet as files

    target = BytesIO()
    rows = {"image": [{"bytes": RED, "path": "a.png"}], "prompt": ["a fox"]}
    files.write_table(Table.from_pydict(rows), target)
    publish(cache, "someone/plain", {"train.parquet": target.getvalue()})
    (only,) = facts(recipe(project, "images: 'hub:someone/plain'")).pictures
    assert only.caption == "a fox"


def test_a_transparent_picture_in_a_table_is_its_own_mask(cache: Path, project: Path) -> None:
    clear = BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(clear, "PNG")
    publish(cache, "someone/clear", {TABLE: parquet({"image": [clear.getvalue()], "text": ["x"]})})
    (only,) = facts(recipe(project, "images: 'hub:someone/clear'")).pictures
    assert only.mask == only.file
    assert only.mask_digest == only.digest


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (
            "columns: {image: picture}",
            ["3:57", "[missing-column]", "write columns: {image: image}"],
        ),
        ("columns: {caption: txt}", ["[missing-column]", "write columns: {caption: text}"]),
        ("columns: {image: text}", ["[data]", "column text holds no pictures: str in row 1"]),
        ("columns: {caption: label}", ["[data]", "the column label of hub:someone/foxes holds no"]),
        ("split: trian", ["[unknown-split]", "did you mean split: train?"]),
        ("split: bare", ["[no-caption]", "has no column called text, caption or prompt", "alt"]),
        ("split: gaps", ["[no-caption]", "gaps/000002 has no caption", "without {caption}"]),
        ("split: holes", ["[empty-row]", "no picture in row 1 of hub:someone/foxes's split holes"]),
        ("split: noise", ["[data]", "the picture in row 1 of", "cannot be read"]),
    ],
)
def test_what_is_wrong_with_a_table_is_told_where_it_stands(
    cache: Path, project: Path, data: str, words: list[str]
) -> None:
    columns = {"label": [1, 2, 3], "alt": ["x"] * 3}
    tables = {
        "train": {"image": [RED, BLUE, TALL], "text": list(WORDS)},
        "bare": {"image": [RED] * 3},
        "gaps": {"image": [RED, BLUE, TALL], "text": ["a fox", " ", "a fox"]},
        "holes": {"image": [None, RED, RED], "text": list(WORDS)},
        "noise": {"image": [b"no picture", RED, RED], "text": list(WORDS)},
    }
    (split,) = [name for name in tables if data.endswith(name)] or ["train"]
    files = {f"data/{split}-00000-of-00001.parquet": parquet({**columns, **tables[split]})}
    publish(cache, "someone/foxes", files)
    text = complaint(recipe(project, f"images: 'hub:someone/foxes', {data}"))
    assert "recipe.yaml:3:" in text
    for word in words:
        assert word in text
    assert not any((project / ".lorakit").iterdir())  # checking writes nothing


def test_a_folder_of_the_hub_without_captions_prints_its_ways_out(
    cache: Path, project: Path
) -> None:
    publish(cache, "someone/bare", {"a.png": RED})
    text = complaint(recipe(project, "images: 'hub:someone/bare'"))
    assert "error[no-caption]: a.png has no caption" in text
    assert "put its files in a folder, write images: that folder" in text
    whole = recipe(project, "images: 'hub:someone/bare', caption: in my style")
    assert len(facts(whole).pictures) == 1


def test_what_is_not_here_is_unknown_until_a_run_and_then_said(cache: Path, project: Path) -> None:
    path = recipe(
        project, "images: 'hub:someone/far', test_size: 2", ", samples: {prompts: [a fox]}"
    )
    assert lorakit.load(path).check() == ()
    session = lorakit.load(path)
    (training,) = [p for p in session.plan().actions if p.action.kind == "train-image"]
    assert training.state is State.WAITS
    assert training.reason == "until what it needs is downloaded"
    assert training.action.label == "lora training of lorakit:studio on hub:someone/far"
    lines = training.action.notes
    assert lines[0] == "optimizer steps: unknown until its data is downloaded"
    with pytest.raises(
        InvalidDocument, match="hub:someone/far is not on this machine, and HF_HUB_OFFLINE forbids"
    ):
        session.plan(download=True)  # the tests' environment forbids the hub


@pytest.mark.parametrize(
    "steps",
    [
        "style: {kind: train-image, data: foxes, method: full, masked_loss: true}",
        "style: {kind: train-image, data: ours, prior_data: owls, train: {max_train_steps: 9}}",
        "style: {kind: train-image, data: foxes, prior_data: ours, shuffle_tags: true}",
        "many: {kind: sweep, of: {kind: train-image, data: foxes}, over: {lora.rank: [2, 4]}}",
        "many: {kind: sweep, of: {kind: train-image, data: foxes}, over: {lora.rank: [2, 4]}, SAY}",
    ],
)
def test_whatever_needs_what_is_not_here_waits(cache: Path, project: Path, steps: str) -> None:
    path = project / "recipe.yaml"
    path.write_text(
        "recipe: 1\ndatasets:\n  foxes: {images: 'hub:someone/far', test_size: 0.2}\n"
        "  owls: {images: 'hub:someone/far'}\n  ours: {images: 'lorakit:hologram'}\nsteps:\n  "
        + steps.replace("SAY", "best: {metric: held_out_loss, mode: min}")
        + "\n"
        "  worn: {kind: generate, prompts: [a fox]}\n"
    )
    planned = lorakit.load(path).plan().actions
    trainings = [p for p in planned if p.action.kind == "train-image"]
    assert trainings
    assert {p.state for p in trainings} == {State.WAITS}
    assert {p.key for p in trainings} == {None}


@pytest.mark.slow
def test_tables_are_read_once_and_never_by_torch(cache: Path, project: Path) -> None:
    publish(cache, "someone/foxes", {TABLE: table()})
    recipe(project, "images: 'hub:someone/foxes'")
    program = (
        "import sys\nfrom lorakit.cli import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\n"
        "print(code, *sorted({'torch', 'datasets'} & set(sys.modules)), file=sys.stderr)"
    )

    def imported(word: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program, word, "recipe.yaml"],
            cwd=project, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stderr.strip()  # nothing else: the libraries keep quiet

    assert imported("validate") == "0 datasets"
    assert not any((project / ".lorakit").iterdir())
    assert imported("plan") == "0 datasets"
    assert imported("plan") == "0"
    assert imported("validate") == "0"
    (first, *_) = facts(project / "recipe.yaml").pictures
    first.file.unlink()  # what was cleared away comes again
    assert facts(project / "recipe.yaml").pictures[0].file.read_bytes() == RED


# -- folders ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("columns: {image: picture}", ["[no-effect]", "its pictures are files"]),
        ("columns: {caption: txt}", ["[missing-column]", "write columns: {caption: text}"]),
        ("columns: {text: alt}", ["[no-effect]", "read by columns: {caption: ...}"]),
        ("revision: main", ["[no-effect]", "it is of what the hub holds"]),
        ("split: trian", ["[unknown-split]", "did you mean split: train?"]),
    ],
)
def test_what_would_be_ignored_of_a_folder_is_an_error(
    project: Path, data: str, words: list[str]
) -> None:
    (project / "mine" / "train").mkdir(parents=True)
    (project / "mine" / "train" / "a.png").write_bytes(RED)
    told = {"file_name": "train/a.png", "text": "a fox", "alt": "a red fox"}
    (project / "mine" / "metadata.jsonl").write_text(json.dumps(told))
    text = complaint(recipe(project, f"images: mine, {data}"))
    assert "recipe.yaml:3:" in text
    for word in words:
        assert word in text
    other = facts(recipe(project, "images: mine, columns: {caption: alt}, split: train"))
    assert [p.caption for p in other.pictures] == ["a red fox"]


def test_a_trigger_word_is_found_as_a_word(project: Path) -> None:
    (project / "mine").mkdir()
    told = {"a": "a fox, red", "b": "an Ox, red", "c": "an ox's tail", "d": "oxen"}
    for name, caption in told.items():
        (project / "mine" / f"{name}.png").write_bytes(RED)
        (project / "mine" / f"{name}.txt").write_text(caption)
    found = facts(recipe(project, "images: mine, trigger_word: ox"))
    assert [p.caption for p in found.pictures] == [
        "ox, a fox, red", "an Ox, red", "an ox's tail", "ox, oxen",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"file_name": "foxx.png", "text": "a fox"}, "names foxx.png, which is not there"),
        ({"filename": "fox.png", "text": "a fox"}, "it has no file_name"),
    ],
)
def test_a_row_that_names_no_picture_is_an_error(
    project: Path, row: dict[str, str], words: str
) -> None:
    (project / "mine").mkdir()
    (project / "mine" / "fox.png").write_bytes(RED)
    (project / "mine" / "metadata.jsonl").write_text(json.dumps(row))
    text = complaint(recipe(project, "images: mine, caption: a fox"))
    assert f"metadata.jsonl of {project / 'mine'}" in text
    assert words in text
    assert ("did you mean fox.png?" in text) or ("did you mean file_name by filename?" in text)


def written_as(form: str, rows: dict[str, list[str]], folder: Path) -> None:
    """A table of pictures by their names, beside them or in their place."""
    names, texts = rows["file_name"], rows["text"]
    if form == "csv":
        lines = [f"{name},{text}\n" for name, text in zip(names, texts, strict=True)]
        (folder / "metadata.csv").write_text("file_name,text\n" + "".join(lines))
    elif form == "jsonl":
        pairs = zip(names, texts, strict=True)
        lines = [json.dumps({"file_name": name, "text": text}) + "\n" for name, text in pairs]
        (folder / "metadata.jsonl").write_text("".join(lines))
    else:
        from pyarrow import Table
        from pyarrow import parquet as files

        pictures = [{"bytes": RED if name == "fox.png" else None, "path": name} for name in names]
        (folder / "fox.png").unlink()
        files.write_table(
            Table.from_pydict({"image": pictures, "text": texts}), folder / "a.parquet"
        )


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("many", [2, 9])
def test_all_rows_that_name_no_picture_are_told_at_once(
    project: Path, form: str, many: int
) -> None:
    (project / "mine").mkdir()
    (project / "mine" / "fox.png").write_bytes(RED)
    lost = [f"lost_{number}.png" for number in range(many)]
    names = [lost[0], "fox.png", *lost[1:]]
    written_as(form, {"file_name": names, "text": ["a fox"] * len(names)}, project / "mine")
    text = complaint(recipe(project, "images: mine"))
    assert [name in text for name in lost] == [number < 6 for number in range(many)]
    assert ("and 3 more like these" in text) == (many == 9)
    assert text.count("recipe.yaml:") == min(many, 7)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (['{"file_name": "fox.png", "text": 5}'], "says of fox.png what is no text: 5"),
        (['{"file_name": "fox.png", "text": ["a"]}'], "says of fox.png what is no text: ['a']"),
        (
            ['{"file_name": "fox.png", "text": "a"}', '{"file_name": "fox.png", "text": "b"}'],
            "has two rows of fox.png, which say different things",
        ),
        (['{"file_name": "fox.png", "text": "a"}', '{"file_name": "fox.png", "text": "a "}'], ""),
        (['{"file_name": "fox.png", "text": "a"}', '{"file_name": "fox.png", "text": NaN}'], ""),
    ],
)
def test_a_row_that_says_nothing_clear_of_its_picture_is_an_error(
    project: Path, rows: list[str], words: str
) -> None:
    (project / "mine").mkdir()
    (project / "mine" / "fox.png").write_bytes(RED)
    (project / "mine" / "metadata.jsonl").write_text("\n".join(rows))
    path = recipe(project, "images: mine")
    if words:
        assert words in complaint(path)
    else:
        assert facts(path).pictures[0].caption == "a"


def test_folders_called_as_splits_are_not_trained_on_alike_in_silence(project: Path) -> None:
    for split in ("train", "validation"):
        (project / "mine" / split).mkdir(parents=True)
        (project / "mine" / split / "fox.png").write_bytes(RED)
    said = lorakit.load(recipe(project, "images: mine, caption: a fox")).plan().warnings
    (mixed,) = [w for w in said if w.code == "splits-mixed"]
    assert mixed.message == "train and validation are trained on alike"
    plan = lorakit.load(recipe(project, "images: mine, split: train, caption: a fox")).plan()
    assert not [w for w in plan.warnings if w.code == "splits-mixed"]
    (training,) = [p.action for p in plan.actions if p.action.kind == "train-image"]
    assert training.label == "lora training of lorakit:studio on 1 picture"


def test_a_kohya_folder_beside_other_pictures_is_told_of_where_captions_lack(project: Path) -> None:
    (project / "mine" / "10_sks fox").mkdir(parents=True)
    for name in ("x.png", "10_sks fox/a.png"):
        (project / "mine" / name).write_bytes(RED)
    text = complaint(recipe(project, "images: mine"))
    assert "put every picture into a folder called as 10_sks fox is" in text


def test_a_folder_with_pictures_and_a_table_is_not_guessed_at(project: Path) -> None:
    own = project / "mine"
    own.mkdir()
    (own / "0.png").write_bytes(RED)
    (own / "0.txt").write_text("a fox")
    (own / "sales.parquet").write_bytes(table())
    said = complaint(recipe(project, "images: mine"))
    assert "mine holds pictures and a table, sales.parquet" in said
    (own / "0.png").unlink()
    assert len(facts(recipe(project, "images: mine")).pictures) == 3
