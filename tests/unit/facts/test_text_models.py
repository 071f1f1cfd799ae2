"""Text models as others publish them: configurations are checked before they are counted with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lorakit.diagnostics import Place
from lorakit.facts.files.digests import Digests
from lorakit.facts.models.model_configs import ModelError
from lorakit.facts.texts.text_models import text_model_facts
from lorakit.language.recipe.documents import ModelSource

BERT = {
    "model_type": "bert",
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "vocab_size": 50,
    "max_position_embeddings": 512,
    "pad_token_id": 0,
}


def facts(folder: Path, config: object) -> None:
    text = config if isinstance(config, str) else json.dumps(config)
    (folder / "config.json").write_text(text)
    text_model_facts(ModelSource("m", str(folder), "auto", Place("a", 1, 1)), Digests(None))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("num_hidden_layers", 10**9),
        ("max_position_embeddings", "many"),
        ("max_position_embeddings", [512]),
        ("pad_token_id", {"a": 1}),
        ("hidden_size", "8"),
        ("vocab_size", -3),
        ("model_type", 7),
    ],
)
def test_a_configuration_that_is_broken_is_told_by_file_and_key(
    tmp_path: Path, key: str, value: object
) -> None:
    with pytest.raises(ModelError, match=rf"config\.json .* has {key}"):
        facts(tmp_path, {**BERT, key: value})


@pytest.mark.parametrize("text", ["", "{", "[]", "[" * 100_000, '{"hidden_size": NaN}'])
def test_what_is_no_configuration_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(ModelError, match=r"config\.json"):
        facts(tmp_path, text)


def test_a_sound_one_without_weights_is_told_by_those(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model\.safetensors"):
        facts(tmp_path, BERT)
