"""Labelled texts: what is counted, split and refused, and where the recipe is to blame."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import lorakit
from lorakit.diagnostics import InvalidDocument
from lorakit.facts.text_data import Splits, read
from lorakit.facts.text_files import folder_of
from tests.support.hub import caches, publish

ROWS = [("a fine film", "good"), ("a dull film", "bad"), ("bright", "good"), ("slow", "bad")] * 5


def csv_file(folder: Path, head: str = "text,label") -> Path:
    lines = [head, *(f"{text},{label}" for text, label in ROWS)]
    (folder / "films.csv").write_text("\n".join(lines) + "\n")
    return folder / "films.csv"


def recipe(folder: Path, data: str, step: str = "") -> Path:
    (folder / ".lorakit").mkdir(exist_ok=True)
    path = folder / "recipe.yaml"
    path.write_text(
        f"recipe: 1\ndatasets:\n  films: {{{data}}}\n"
        f"models: {{bert: {{from: 'hub:google-bert/bert-base-uncased'}}}}\n"
        f"steps:\n  judge: {{kind: train-text, data: films{step}}}\n"
    )
    return path


def splits(path: Path, seed: int = 1) -> Splits:
    source = lorakit.load(path).project.recipe.datasets["films"]
    place = folder_of(source)
    assert place is not None
    return read(source, place, seed)


def complaint(path: Path) -> str:
    with pytest.raises(InvalidDocument) as caught:
        lorakit.load(path).check()
    return str(caught.value)


def test_snippets_have_a_fixed_split_of_two_thousand(tmp_path: Path) -> None:
    one = splits(recipe(tmp_path, "texts: 'lorakit:movie-snippets'"), 1)
    other = splits(recipe(tmp_path, "texts: 'lorakit:movie-snippets'"), 2)
    assert one == other
    assert (len(one.train.texts), len(one.test.texts)) == (8568, 2000)
    assert one.labels == ("negative", "positive")
    assert not set(one.train.texts) & set(one.test.texts)


def test_tables_and_folders_say_the_same(tmp_path: Path) -> None:
    file = csv_file(tmp_path)
    expected = splits(recipe(tmp_path, "texts: films.csv, test_size: 4"))
    assert (len(expected.train.texts), len(expected.test.texts)) == (16, 4)
    assert expected.labels == ("bad", "good")
    lines = [json.dumps({"text": text, "label": label}) for text, label in ROWS]
    (tmp_path / "films.jsonl").write_text("\n".join(lines))
    assert splits(recipe(tmp_path, "texts: films.jsonl, test_size: 4")) == expected
    (tmp_path / "tables").mkdir()
    for name in ("train", "test"):
        (tmp_path / "tables" / f"{name}.csv").write_bytes(file.read_bytes())
    assert len(splits(recipe(tmp_path, "texts: tables, limit: 7")).test.texts) == 7


def test_a_parquet_file_says_the_same(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    csv_file(tmp_path)
    expected = splits(recipe(tmp_path, "texts: films.csv"))
    columns = {"text": [text for text, _ in ROWS], "label": [label for _, label in ROWS]}
    parquet.write_table(arrow.table(columns), tmp_path / "films.parquet")
    assert splits(recipe(tmp_path, "texts: films.parquet")) == expected


def test_a_data_set_of_the_hub_says_the_same_and_has_revisions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("datasets")
    cache = caches(tmp_path, monkeypatch)
    (tmp_path / "tables").mkdir()
    table = csv_file(tmp_path).read_bytes()
    for name in ("train", "test"):
        (tmp_path / "tables" / f"{name}.csv").write_bytes(table)
    publish(cache, "someone/films", {"train.csv": table, "test.csv": table})
    half = b"\n".join(table.splitlines()[:11])
    publish(cache, "someone/films", {"train.csv": half, "test.csv": half}, "v1", "b" * 40)
    expected = splits(recipe(tmp_path, "texts: tables"))
    assert splits(recipe(tmp_path, "texts: 'hub:someone/films'")) == expected
    older = splits(recipe(tmp_path, "texts: 'hub:someone/films', revision: v1"))
    assert (len(older.train.texts), len(older.test.texts)) == (10, 10)
    publish(cache, "someone/none", {"README.md": b"# Nothing\n"})
    text = complaint(recipe(tmp_path, "texts: 'hub:someone/none'"))
    assert "error[data]: hub:someone/none cannot be read" in text


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ("texts: films.csv, columns: {text: review}", ["[missing-column]", "no column review"]),
        ("texts: films.csv, labels: [good, poor]", ["[unknown-label]", "the label bad"]),
        ("texts: films.csv, test_size: 500", ["[test-size]", "none to train on"]),
        ("texts: tables, split: trian", ["[unknown-split]", "did you mean split: train?"]),
    ],
)
def test_what_is_wrong_is_told_where_it_stands(tmp_path: Path, data: str, words: list[str]) -> None:
    file = csv_file(tmp_path)
    (tmp_path / "tables").mkdir()
    for name in ("train", "test"):
        (tmp_path / "tables" / f"{name}.csv").write_bytes(file.read_bytes())
    text = complaint(recipe(tmp_path, data))
    assert "recipe.yaml:3:" in text
    for word in words:
        assert word in text


def test_fp16_on_a_cpu_is_refused_where_it_is_written(tmp_path: Path) -> None:
    csv_file(tmp_path)
    text = complaint(recipe(tmp_path, "texts: films.csv", ", train: {precision: fp16}"))
    assert "recipe.yaml:6:" in text
    assert "error[precision]" in text
    assert "write precision: auto" in text


def test_layers_that_are_not_there_are_named(tmp_path: Path) -> None:
    csv_file(tmp_path)
    text = complaint(recipe(tmp_path, "texts: films.csv", ", lora: {target_modules: [to_q]}"))
    assert "error[no-layer]" in text
    assert "query, key, value" in text
