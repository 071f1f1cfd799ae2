"""Labelled texts: what is counted, split and refused, and where the recipe is to blame."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

import lorakit
from lorakit.diagnostics import InvalidDocument, Place
from lorakit.facts.texts.text_data import Splits, read
from lorakit.facts.texts.text_files import folder_of
from lorakit.facts.texts.text_json import as_json, from_json
from lorakit.language.recipe.trainings import DataSource
from tests.support.complaints import complaint
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


def table(folder: Path, rows: list[tuple[str, object]], name: str = "films") -> str:
    lines = [json.dumps({"text": text, "label": label}) for text, label in rows]
    (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n")
    return f"texts: {name}.jsonl"


def test_a_limit_leaves_the_labels_of_all_texts(tmp_path: Path) -> None:
    rows: list[tuple[str, object]] = [("x", "a")] * 50 + [("y", "b")] * 7 + [("z", "c")] * 3
    path = recipe(tmp_path, f"{table(tmp_path, rows)}, limit: 8")
    planned = lorakit.load(path).facts().data["films"].labels
    drawn = [splits(path, seed) for seed in range(10)]
    assert {one.labels for one in drawn} == {planned} == {("a", "b", "c")}
    assert min(len(set(one.train.labels)) for one in drawn) < 3  # some draw no c


@pytest.mark.parametrize("given", [(0.0, 1.0), (False, True), (0, 1), ("0", "1.0"), ("no", "yes")])
def test_numbers_and_booleans_count_along_the_labels(
    tmp_path: Path, given: tuple[Any, Any]
) -> None:
    rows = [(f"film {n}", given[n % 2]) for n in range(20)]
    found = splits(recipe(tmp_path, f"{table(tmp_path, rows)}, labels: [no, yes]"))
    assert found.labels == ("no", "yes")
    told = zip(found.train.texts, found.train.labels, strict=True)
    assert all(int(text.split()[1]) % 2 == label for text, label in told)


def test_whole_numbers_are_called_so_however_a_table_keeps_them(tmp_path: Path) -> None:
    rows: list[tuple[str, object]] = [("x", float(n % 11)) for n in range(40)]
    assert splits(recipe(tmp_path, table(tmp_path, rows))).labels == tuple(map(str, range(11)))


def test_a_figure_that_is_no_number_is_an_unknown_label(tmp_path: Path) -> None:
    rows: list[tuple[str, object]] = [("x", "no"), ("y", "yes"), ("z", "²")] * 3
    text = complaint(recipe(tmp_path, f"{table(tmp_path, rows)}, labels: [no, yes]"))
    assert "error[unknown-label]: films holds the label ²" in text


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_tables_are_divided_by_semicolons_and_tabs_too(tmp_path: Path, mark: str) -> None:
    expected = splits(recipe(tmp_path, f"texts: {csv_file(tmp_path).name}"))
    csv_file(tmp_path).write_text(
        "\n".join([f"text{mark}label", *(f"{t}{mark}{label}" for t, label in ROWS)])
    )
    assert splits(recipe(tmp_path, "texts: films.csv")) == expected


def test_a_table_may_end_in_tsv_and_have_blanks_in_its_header(tmp_path: Path) -> None:
    expected = splits(recipe(tmp_path, f"texts: {csv_file(tmp_path).name}"))
    assert splits(recipe(tmp_path, f"texts: {csv_file(tmp_path, 'text , label').name}")) == expected
    lines = ["text\tlabel", *(f"{text}\t{label}" for text, label in ROWS)]
    (tmp_path / "films.tsv").write_text("\n".join(lines))
    assert splits(recipe(tmp_path, "texts: films.tsv")) == expected


def test_a_pipe_as_a_table_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "films.csv")
    assert "films.csv is neither a file nor" in complaint(recipe(tmp_path, "texts: films.csv"))


def test_where_json_is_wrong_is_told_in_one_line_and_column(tmp_path: Path) -> None:
    for text, words in (
        ('{"text": "a", "label": 1,}', "line 1, is no JSON: Expecting property name"),
        ('{"text": "a", "label": ' + "9" * 5000 + "}", "a number has too many digits"),
        ('[{"text": "a"}]', 'each line is one row: {"text": ..., "label": ...}'),
    ):
        (tmp_path / "films.jsonl").write_text(text + "\n")
        said = complaint(recipe(tmp_path, "texts: films.jsonl"))
        assert words in said
        assert "(char" not in said


def test_a_test_size_beside_a_split_for_it_has_no_effect_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    for name, labels in (("train", "aabb"), ("test", "aa")):
        rows = "".join(f"a film {n},{label}\n" for n, label in enumerate(labels))
        (tmp_path / "films" / f"{name}.csv").write_text("text,label\n" + rows)
    path = recipe(tmp_path, "texts: films, test_size: 0.5")
    path.write_text(path.read_text().replace("hub:google-bert/bert-base-uncased", "lorakit:minilm"))
    said = {d.code: d for d in lorakit.load(path).check()}
    assert "films has a split test, which is scored" in said["no-effect"].message
    assert said["labels"].hints == ("add some to test",)


def test_the_way_to_score_every_label_leads_there(tmp_path: Path) -> None:
    rows = [(f"film {n}", "abc"[n // 10]) for n in range(30)]
    csv_file(tmp_path).write_text("text,label\n" + "".join(f"{t},{one}\n" for t, one in rows))

    def said(size: int) -> list[str]:
        path = recipe(tmp_path, f"texts: films.csv, test_size: {size}")
        text = path.read_text().replace("hub:google-bert/bert-base-uncased", "lorakit:minilm")
        path.write_text(text)
        return [hint for d in lorakit.load(path).check() if d.code == "labels" for hint in d.hints]

    assert said(2) == ["hold more out: test_size: 3, or add some"]
    assert said(3) == []


def test_all_labels_that_are_nearly_one_are_told_and_the_most_usual_is_kept(tmp_path: Path) -> None:
    rows = [("a", "Pos"), ("b", "pos"), ("c", "pos"), ("d", "POS"), ("e", "neg")]
    with pytest.raises(
        InvalidDocument, match=r"'pos' .2 texts., 'POS' .1. and 'Pos' .1."
    ) as caught:
        counted(tmp_path, rows)
    assert "would be 3 classes" in str(caught.value)
    assert "write 'pos' everywhere" in str(caught.value)
    with pytest.raises(InvalidDocument, match="encoded in two ways"):
        counted(tmp_path, [("a", "caf\u00e9"), ("b", "cafe\u0301"), ("c", "tea")])


def test_a_text_may_be_longer_than_python_s_own_limit(tmp_path: Path) -> None:
    file = csv_file(tmp_path)
    long = "word " * 40_000
    file.write_text(file.read_text() + f"{long},good\n")
    found = splits(recipe(tmp_path, "texts: films.csv"))
    assert long in found.train.texts + found.test.texts


def test_one_split_alone_is_cut_by_test_size(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = csv_file(tmp_path)
    expected = splits(recipe(tmp_path, "texts: films.csv, test_size: 4"))
    for name in ("train", "whatever"):
        folder = tmp_path / f"{name}_alone"
        folder.mkdir()
        (folder / f"{name}.csv").write_bytes(file.read_bytes())
        assert splits(recipe(tmp_path, f"texts: {folder.name}, test_size: 4")) == expected
    by_label = tmp_path / "labelled" / "train"
    for label in ("good", "bad"):
        (by_label / label).mkdir(parents=True)
        for number in range(5):
            (by_label / label / f"{number}.txt").write_text(f"film {number}")
    assert len(splits(recipe(tmp_path, "texts: labelled")).test.texts) == 2
    pytest.importorskip("datasets")
    cache = caches(tmp_path, monkeypatch)
    publish(cache, "someone/films", {"train.csv": file.read_bytes()})
    assert splits(recipe(tmp_path, "texts: 'hub:someone/films', test_size: 4")) == expected


def test_test_size_cuts_where_no_split_is_for_it(tmp_path: Path) -> None:
    file = csv_file(tmp_path)
    (tmp_path / "tables").mkdir()
    for name in ("train", "validation"):
        (tmp_path / "tables" / f"{name}.csv").write_bytes(file.read_bytes())
    text = complaint(recipe(tmp_path, "texts: tables"))
    assert "no split test" in text
    assert "there is validation; or write test_size: 0.2, which cuts train" in text
    assert len(splits(recipe(tmp_path, "texts: tables, test_size: 4")).test.texts) == 4
    assert len(splits(recipe(tmp_path, "texts: tables, test_split: validation")).test.texts) == 20


def test_a_worker_cuts_what_the_plan_cut(tmp_path: Path) -> None:
    file = csv_file(tmp_path)
    (tmp_path / "tables").mkdir()
    for name in ("train", "validation"):
        (tmp_path / "tables" / f"{name}.csv").write_bytes(file.read_bytes())
    path = recipe(tmp_path, "texts: tables, test_size: 4")
    source = lorakit.load(path).project.recipe.datasets["films"]
    told = json.loads(json.dumps(as_json(source)))
    again = from_json(told, DataSource("", Place("", 0, 0)))
    assert read(again, Path(again.texts), 1) == splits(path, 1)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("films.csv", b"", "films.csv is empty"),
        ("films.csv", b"text,label\n", "films.csv is empty"),
        ("films.jsonl", b"\n", "films.jsonl is empty"),
        ("films.csv", "text,label\nfine,good\n".encode("utf-16"), "save it as UTF-8"),
        ("films.csv", b"text,label\nfine,good\n", "1 text"),
        ("films/good/a.txt", b" \n", "good/a.txt has no text"),
        ("films/good/a.txt", "schön".encode("latin-1"), "save it as UTF-8"),
    ],
)
def test_what_cannot_be_read_is_said_with_a_way_out(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_bytes(content)
    text = complaint(recipe(tmp_path, f"texts: {name.partition('/')[0]}"))
    assert words in text
    assert "recipe.yaml:3:" in text


def counted(folder: Path, rows: list[tuple[str, str]], data: str = "") -> Any:
    lines = ["text,label", *(f"{text},{label}" for text, label in rows)]
    (folder / "films.csv").write_text("\n".join(lines) + "\n")
    return lorakit.load(recipe(folder, f"texts: films.csv{data}")).facts().data["films"]


def test_a_row_with_more_fields_than_the_header_is_an_error(tmp_path: Path) -> None:
    rows = [("fine", "good"), ("dull, really", "bad"), ("slow", "bad")]
    with pytest.raises(InvalidDocument, match="line 3, has 3 fields, and the header names 2") as e:
        counted(tmp_path, rows)
    assert "put a text with commas in it between double quotes" in str(e.value)
    # what spreadsheets leave at a line's end is none
    assert counted(tmp_path, [("fine", "good,,"), ("dull", "bad")] * 5).labels == ("bad", "good")


def test_all_rows_that_cannot_be_read_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocument) as caught:
        counted(tmp_path, [("dull, really", "bad"), ("fine", "good"), ("so, so", "bad")])
    assert [f"line {n}, has 3 fields" in str(caught.value) for n in (2, 3, 4)] == [
        True,
        False,
        True,
    ]
    (tmp_path / "films.jsonl").write_text('{"text": \n[1]\n{"text": "fine", "label": "good"}\n')
    text = complaint(recipe(tmp_path, "texts: films.jsonl"))
    assert "line 1, is no JSON: " in text
    assert "line 2, is no JSON object" in text


@pytest.mark.parametrize("nothing", ["NaN", "n/a", "#N/A", "<NA>", "null"])
def test_what_spreadsheets_write_for_no_label_is_none(tmp_path: Path, nothing: str) -> None:
    with pytest.raises(InvalidDocument, match="row 3 has no label, but ") as caught:
        counted(tmp_path, [("fine", "good"), ("dull", "bad"), ("slow", nothing)])
    assert "remove the row, or fill it in" in str(caught.value)


def test_a_table_without_a_header_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text("fine,good\ndull,bad\n")
    text = complaint(recipe(tmp_path, "texts: films.csv"))
    assert "films.csv has no columns text and label" in text
    assert "if its first line is a row already, write text,label above it" in text


def test_a_quote_that_is_not_closed_is_an_error(tmp_path: Path) -> None:
    rows = [("fine", "good"), ('"dull', "bad"), ("slow", "bad"), ("bright", "good")]
    with pytest.raises(InvalidDocument, match="the quote in line 3 is not closed"):
        counted(tmp_path, rows)


def test_two_columns_of_one_name_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text("text,label,text\na,good,b\nc,bad,d\n")
    assert "two columns called text" in complaint(recipe(tmp_path, "texts: films.csv"))


@pytest.mark.parametrize(
    ("label", "words"), [("", "no label"), ("  ", "no label"), ("NaN", "no label, but NaN")]
)
def test_an_empty_label_is_an_error(tmp_path: Path, label: str, words: str) -> None:
    with pytest.raises(InvalidDocument, match=rf"\[empty-row\]: films.csv: row 2 has {words}"):
        counted(tmp_path, [("fine", "good"), ("dull", label), ("slow", "bad")])


@pytest.mark.parametrize("label", [[1], {"a": 1}, None, float("nan")])
def test_a_label_that_is_no_word_and_no_number_is_an_error(tmp_path: Path, label: object) -> None:
    rows = [{"text": "a", "label": "x"}, {"text": "b", "label": label}, {"text": "c", "label": "y"}]
    (tmp_path / "films.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert "row 2 has no label" in complaint(recipe(tmp_path, "texts: films.jsonl"))


@pytest.mark.parametrize("twin", ["Pos", " pos", "pos ", "POS", "ｐｏｓ"])
def test_labels_that_are_nearly_one_are_an_error(tmp_path: Path, twin: str) -> None:
    rows = [("fine", "pos"), ("good", "pos"), ("dull", "neg"), ("best", twin)]
    with pytest.raises(InvalidDocument, match=r"\[labels\]") as caught:
        counted(tmp_path, rows)
    assert f"the labels 'pos' (2 texts) and '{twin}' (1)" in str(caught.value)
    assert counted(tmp_path, rows, f", labels: [neg, pos, '{twin}']").train + 1 == 4


def test_the_plan_says_labels_and_their_counts(tmp_path: Path) -> None:
    found = counted(tmp_path, ROWS * 5)
    assert (found.labels, found.train_counts, found.test_counts) == (
        ("bad", "good"), (40, 40), (10, 10),
    )  # fmt: skip


def test_a_split_that_is_cut_has_each_label_s_share(tmp_path: Path) -> None:
    rows = [(f"film {n}", ("a", "b", "c")[0 if n < 80 else 1 if n < 98 else 2]) for n in range(100)]
    found = counted(tmp_path, rows)
    assert found.train_counts == (64, 15, 1)
    assert found.test_counts == (16, 3, 1)  # the rare one is on either side
    source = recipe(tmp_path, "texts: films.csv")
    one, other = splits(source, 1), splits(source, 2)
    assert one != other
    assert splits(source, 1) == one
    assert sorted(one.train.texts + one.test.texts) == sorted(text for text, _ in rows)


def test_a_label_that_one_half_lacks_is_warned_of(tmp_path: Path) -> None:
    (tmp_path / "films").mkdir()
    for name, labels in (("train", "aab"), ("test", "aac")):
        rows = "".join(f"a film {n},{label}\n" for n, label in enumerate(labels))
        (tmp_path / "films" / f"{name}.csv").write_text("text,label\n" + rows)
    path = recipe(tmp_path, "texts: films")
    text = path.read_text().replace("hub:google-bert/bert-base-uncased", "lorakit:minilm")
    path.write_text(text)
    found = [d for d in lorakit.load(path).check() if d.code == "labels"]
    assert {d.severity for d in found} == {"warning"}
    said = " ".join(d.message for d in found)
    assert "'c' of films has no text to train on" in said
    assert "'b' of films has no text to be scored by" in said


def test_folders_of_texts_pass_over_what_notebooks_leave(tmp_path: Path) -> None:
    for name in ("good", "bad", ".ipynb_checkpoints", "__MACOSX"):
        (tmp_path / "films" / name).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "films" / name / f"{number}.txt").write_text(f"{name} {number}")
    (tmp_path / "films" / "good" / "._0.txt").write_bytes(b"\0\5\26\7")
    assert splits(recipe(tmp_path, "texts: films")).labels == ("bad", "good")


def test_a_line_of_json_however_deep_is_an_error_and_no_fault(tmp_path: Path) -> None:
    rows = '{"text": "a", "label": "x"}\n{"text": ' + "[" * 100_000 + "]" * 100_000 + "}\n"
    (tmp_path / "films.jsonl").write_text(rows)
    assert "films.jsonl, line 2, is no JSON" in complaint(recipe(tmp_path, "texts: films.jsonl"))
