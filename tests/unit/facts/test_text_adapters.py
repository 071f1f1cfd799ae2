"""A training of texts that goes on from a classifier's adapter out of a file, as PEFT wrote it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lorakit
from lorakit.diagnostics import InvalidDocument
from lorakit.training import text_model
from tests.support.tiny_text import save_bert

pytestmark = pytest.mark.filterwarnings("ignore")
LORA = "rank: 2, alpha: 6, target_modules: [query, value]"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A recipe that goes on from `made/`, which PEFT wrote for the same two labels."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForSequenceClassification

    (tmp_path / ".lorakit").mkdir()
    (tmp_path / "bert").mkdir()
    save_bert(tmp_path / "bert")
    rows = "".join(f"the film was {w},{m}\n" for w, m in (("good", "pos"), ("bad", "neg")) * 5)
    (tmp_path / "films.csv").write_text("text,label\n" + rows)
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "bert")
    config = LoraConfig(
        task_type="SEQ_CLS", r=2, lora_alpha=6, target_modules=["query", "value"],
        init_lora_weights=False,
    )  # fmt: skip
    get_peft_model(model, config).save_pretrained(tmp_path / "made")
    return tmp_path


def recipe(folder: Path, lora: str = LORA, data: str = "", path: str = "made") -> Path:
    file = folder / "recipe.yaml"
    file.write_text(
        "recipe: 1\nmodels: {bert: {from: bert}}\n"
        f"datasets: {{films: {{texts: films.csv{data}}}}}\nadapters: {{before: {{from: {path}}}}}\n"
        "steps:\n  judge: {kind: train-text, model: bert, data: films, max_length: 32, "
        f"lora: {{{lora}, from: before}}, train: {{max_train_steps: 2}}}}\n"
    )
    return file


def task(path: Path) -> Any:
    plan = lorakit.load(path).plan()
    return next(p.action.task for p in plan.actions if p.action.kind == "train-text")


def test_it_begins_with_the_adapter_and_the_head_of_the_file(project: Path) -> None:
    from peft import get_peft_model_state_dict
    from safetensors.torch import load_file

    made = task(recipe(project))
    assert len(made.start) == 64
    assert made.start_path == str(project / "made" / "adapter_model.safetensors")
    model = text_model.build(made)
    text_model.start_from(model, Path(made.start_path))
    found = get_peft_model_state_dict(model, save_embedding_layers=False)
    theirs = load_file(made.start_path)
    assert found.keys() == theirs.keys()
    assert any("classifier" in name for name in theirs)
    assert all(found[name].equal(theirs[name]) for name in theirs)
    # its settings are part of what it is
    config = project / "made" / "adapter_config.json"
    config.write_text(config.read_text() + " ")
    assert task(recipe(project)).start != made.start


@pytest.mark.parametrize(
    ("lora", "data", "words"),
    [
        ("rank: 4, alpha: 6, target_modules: [query, value]", "", "has rank: 2, and this step 4"),
        ("rank: 2, target_modules: [query, value]", "", "has alpha: 6, and this step 2"),
        ("rank: 2, alpha: 6, target_modules: [query]", "", "before adapts bert.encoder"),
        ("rank: 2, alpha: 6, target_modules: [query, value, key]", "", "does not adapt bert.encoder"),
        (LORA, ", labels: [neg, pos, other]", "tells 2 labels apart, and this data has 3"),
        (f"{LORA}, use_dora: true", "", "has use_dora: false, and this step true"),
    ],
)  # fmt: skip
def test_another_shape_is_an_error_where_it_is_named(
    project: Path, lora: str, data: str, words: str
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        lorakit.load(recipe(project, lora, data)).plan()
    assert "recipe.yaml:6:" in str(caught.value)
    assert "[other-adapter]" in str(caught.value)
    assert words in str(caught.value)


def test_what_is_no_adapter_of_texts_is_an_error(project: Path) -> None:
    (project / "made" / "adapter_config.json").unlink()
    with pytest.raises(InvalidDocument, match="which has its alpha, is not beside") as caught:
        lorakit.load(recipe(project)).plan()
    assert "recipe.yaml:4:" in str(caught.value)
    with pytest.raises(InvalidDocument, match="no LoRA of a text classifier"):
        lorakit.load(recipe(project, path="bert/model.safetensors")).plan()
