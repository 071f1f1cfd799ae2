"""Which file an adapter is, and that all that decides its effect is in its digest."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import save_file

from lorakit.cli.export import command
from lorakit.facts.adapters import AdapterError, existing_file
from lorakit.facts.adapters.adapter_facts import adapter_facts
from lorakit.facts.files.digests import Digests
from lorakit.models.adapter_formats import lora_layer, read
from lorakit.training import adapter_files

PEFT = {
    "base_model.model.mid_block.to_k.lora_A.weight": torch.ones(2, 3),
    "base_model.model.mid_block.to_k.lora_B.weight": torch.ones(3, 2),
}


def digest(path: Path) -> str:
    return adapter_facts(path, Digests(None)).digest


def test_a_folder_is_diffusers_or_peft_s(tmp_path: Path) -> None:
    save_file(PEFT, tmp_path / "adapter_model.safetensors")
    assert existing_file(tmp_path).name == "adapter_model.safetensors"
    save_file({"x": torch.ones(1)}, tmp_path / "pytorch_lora_weights.safetensors")
    assert existing_file(tmp_path).name == "pytorch_lora_weights.safetensors"
    kohya = tmp_path / "kohya"
    kohya.mkdir()
    save_file({"x": torch.ones(1)}, kohya / "ink.safetensors")
    assert existing_file(kohya).name == "ink.safetensors"
    save_file({"x": torch.ones(1)}, kohya / "other.safetensors")
    with pytest.raises(
        AdapterError, match=r"several adapters: ink\.safetensors, other\.safetensors"
    ):
        digest(kohya)
    (tmp_path / "empty").mkdir()
    with pytest.raises(AdapterError, match="holds no adapter"):
        digest(tmp_path / "empty")


def test_peft_s_alpha_stands_beside_its_weights_and_decides(tmp_path: Path) -> None:
    save_file(PEFT, tmp_path / "adapter_model.safetensors")
    with pytest.raises(AdapterError, match=r"adapter_config\.json beside it cannot be read"):
        digest(tmp_path)
    config = tmp_path / "adapter_config.json"
    config.write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 2}))
    before = digest(tmp_path)
    config.write_text(json.dumps({"peft_type": "LORA", "r": 2, "lora_alpha": 4}))
    assert digest(tmp_path) != before


def test_a_config_is_not_taken_for_another_adapter_s(tmp_path: Path) -> None:
    save_file(PEFT, tmp_path / "adapter_model.safetensors")
    save_file(PEFT, tmp_path / "other.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"r": 2, "lora_alpha": 2}))
    with pytest.raises(AdapterError, match=r"belongs to adapter_model\.safetensors"):
        digest(tmp_path / "other.safetensors")


def test_what_lorakit_writes_for_peft_stands_alone_and_overwrites_no_other(tmp_path: Path) -> None:
    one = {"unet.mid_block.to_k": lora_layer(torch.ones(2, 3), torch.ones(3, 2), 4.0)}
    adapter_files.write(one, tmp_path / "adapter_model.safetensors", "peft")
    (tmp_path / "adapter_config.json").rename(tmp_path / "elsewhere.json")
    digest(tmp_path / "adapter_model.safetensors")  # its settings are inside as well
    (tmp_path / "elsewhere.json").rename(tmp_path / "adapter_config.json")
    from lorakit.diagnostics import LorakitError

    with pytest.raises(LorakitError, match=r"is of adapter_model\.safetensors"):
        adapter_files.write(one, tmp_path / "other.safetensors", "peft")


def test_what_is_no_safetensors_file_is_said_before_a_run(tmp_path: Path) -> None:
    (tmp_path / "ink.safetensors").write_bytes(b"not at all, but long enough")
    with pytest.raises(AdapterError, match=r"ink\.safetensors is not a safetensors file"):
        digest(tmp_path / "ink.safetensors")


def test_a_text_classifier_s_adapter_and_what_is_none_are_refused(tmp_path: Path) -> None:
    classifier = {
        "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight": torch.ones(
            2, 3
        ),
        "base_model.model.bert.encoder.layer.0.attention.self.query.lora_B.weight": torch.ones(
            3, 2
        ),
        "base_model.model.classifier.weight": torch.ones(2, 3),
    }
    save_file(classifier, tmp_path / "adapter_model.safetensors")
    (tmp_path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 2}))
    words = r"adapter of bert\.encoder\.layer\.0\.attention\.self\.query, which is no layer of a UNet, of a transformer that draws, or of CLIP"
    with pytest.raises(AdapterError, match=words):
        digest(tmp_path)
    with pytest.raises(AdapterError, match=words):
        read(tmp_path / "adapter_model.safetensors")
    whole = tmp_path / "whole.safetensors"
    save_file({"mid_block.to_k.weight": torch.ones(2)}, whole)
    for reader in (digest, read):
        with pytest.raises(
            AdapterError, match="holds no adapter: none of its tensors is of a LoRA"
        ):
            reader(whole)


def test_exporting_a_folder_without_an_adapter_says_what_is_looked_for(tmp_path: Path) -> None:
    ran = CliRunner().invoke(command, ["adapter", str(tmp_path)])
    assert isinstance(ran.exception, AdapterError)
    assert "neither pytorch_lora_weights.safetensors nor adapter_model.safetensors" in str(
        ran.exception
    )
