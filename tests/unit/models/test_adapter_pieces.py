"""Adapters in several files: cut into pieces as huggingface_hub cuts, and a folder for each network as PEFT has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from huggingface_hub import save_torch_state_dict
from safetensors.torch import load_file, save_file

import lorakit
from lorakit.cli.export import command
from lorakit.diagnostics import InvalidDocument
from lorakit.facts.adapters import AdapterError
from lorakit.facts.adapters.adapter_facts import adapter_facts
from lorakit.facts.adapters.text_adapters import text_adapter_facts
from lorakit.facts.files.digests import Digests
from lorakit.models.adapter_formats import read
from lorakit.models.loading import load_pipeline
from lorakit.models.wearing import wear

FILE = "adapter_model.safetensors"


def peft_folder(folder: Path, model: torch.nn.Module, *targets: str) -> Path:
    """A LoRA of a model that does something, as PEFT saves it."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=2, lora_alpha=6, target_modules=list(targets), init_lora_weights=False)
    get_peft_model(model, config).save_pretrained(folder)
    return folder


def cut(whole: Path, target: Path) -> list[Path]:
    """The same adapter in pieces with an index, by the library that cuts what is published."""
    tensors = load_file(whole / FILE)
    most = sum(t.numel() * 4 for t in tensors.values()) // 3
    target.mkdir(parents=True)
    save_torch_state_dict(
        tensors,
        target,
        filename_pattern="adapter_model{suffix}.safetensors",
        max_shard_size=most,
    )
    shutil.copy(whole / "adapter_config.json", target)
    pieces = sorted(target.glob("adapter_model-0*.safetensors"))
    assert len(pieces) > 2
    assert (target / f"{FILE}.index.json").is_file()
    return pieces


@pytest.fixture
def unet(tiny_sd: Path, tmp_path: Path) -> Path:
    torch.manual_seed(1)
    model = load_pipeline(tiny_sd, "sd", "fp32", "cpu").unet
    return peft_folder(tmp_path / "whole", model, "to_q", "to_v")


def same(one: Path, other: Path) -> None:
    ours, theirs = (read(adapter_facts(path, Digests(None)).layout.file) for path in (one, other))
    assert list(ours) == list(theirs)
    for name, layer in theirs.items():
        assert (ours[name].method, ours[name].scale) == (layer.method, layer.scale) == ("lora", 3.0)
        assert all(torch.equal(ours[name].tensors[role], t) for role, t in layer.tensors.items())


def test_pieces_are_the_adapter_that_was_cut(unet: Path, tmp_path: Path) -> None:
    target = tmp_path / "cut"
    pieces = cut(unet, target)
    same(target, unet)
    same(target / f"{FILE}.index.json", unet)
    same(pieces[1], unet)  # one of them means all
    (target / f"{FILE}.index.json").unlink()
    same(target, unet)  # as some are published
    # each file is part of what it is
    before = adapter_facts(target, Digests(None)).digest
    tensors = load_file(pieces[2])
    save_file({name: tensor + 1 for name, tensor in tensors.items()}, pieces[2])
    assert adapter_facts(target, Digests(None)).digest != before


def lose(folder: Path, pieces: list[Path]) -> None:
    pieces[1].unlink()


def lose_the_last_without_index(folder: Path, pieces: list[Path]) -> None:
    pieces[-1].unlink()
    (folder / f"{FILE}.index.json").unlink()


def shorten(folder: Path, pieces: list[Path]) -> None:
    pieces[1].write_bytes(pieces[1].read_bytes()[:-8])


def twice(folder: Path, pieces: list[Path]) -> None:
    shutil.copy(pieces[0], pieces[1])


def index_of(change: Callable[[dict[str, str]], object]) -> Callable[[Path, list[Path]], None]:
    def changed(folder: Path, pieces: list[Path]) -> None:
        file = folder / f"{FILE}.index.json"
        told = json.loads(file.read_text())
        told["weight_map"] = change(told["weight_map"])
        file.write_text(json.dumps(told))

    return changed


def not_finite(folder: Path, pieces: list[Path]) -> None:
    tensors = load_file(pieces[1])
    first = min(tensors)
    tensors[first][0, 0] = float("nan")
    save_file(tensors, pieces[1])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lose, "lacks pieces of its adapter: adapter_model-00002-of-"),
        (lose_the_last_without_index, "lacks pieces of its adapter: adapter_model-0000"),
        (shorten, "is damaged: it is cut short"),
        (twice, "has tensors that another piece has"),
        (index_of(lambda told: dict(list(told.items())[1:])), "says nothing of"),
        (index_of(lambda told: {**told, "x": min(told.values())}), "names tensors that are in no piece: x"),
        (index_of(lambda told: dict.fromkeys(told, "../../x.safetensors")), "no weight_map that says"),
        (index_of(list), "no weight_map that says"),
        (not_finite, "values that are not finite"),
    ],
)  # fmt: skip
def test_pieces_that_are_not_all_of_it_are_refused_by_name(
    unet: Path, tmp_path: Path, change: Callable[[Path, list[Path]], None], words: str
) -> None:
    target = tmp_path / "cut"
    change(target, cut(unet, target))
    with pytest.raises(AdapterError) as caught:
        adapter_facts(target, Digests(None))
    assert words in str(caught.value)


@pytest.mark.slow
def test_networks_in_folders_of_their_own_are_worn_as_one(tiny_sdxl: Path, tmp_path: Path) -> None:
    torch.manual_seed(1)
    parts = ("unet", "text_encoder", "text_encoder_2")
    # as PEFT's DreamBooth example leaves them; one of them cut
    plain = load_pipeline(tiny_sdxl, "sdxl", "fp32", "cpu")
    for part in parts:
        layers = ("to_q",) if part == "unet" else ("q_proj", "v_proj")
        peft_folder(tmp_path / "made" / part, getattr(plain, part), *layers)
    cut(tmp_path / "made" / "text_encoder_2", tmp_path / "cut")
    shutil.rmtree(tmp_path / "made" / "text_encoder_2")
    (tmp_path / "cut").rename(tmp_path / "made" / "text_encoder_2")
    together, one_by_one = (load_pipeline(tiny_sdxl, "sdxl", "fp32", "cpu") for _ in range(2))
    wear(together, [(adapter_facts(tmp_path / "made", Digests(None)).layout.file, 0.5)])
    wear(
        one_by_one,
        [(adapter_facts(tmp_path / "made" / p, Digests(None)).layout.file, 0.5) for p in parts],
    )
    for part in parts:
        ours, theirs = (getattr(p, part).state_dict() for p in (together, one_by_one))
        moved = getattr(load_pipeline(tiny_sdxl, "sdxl", "fp32", "cpu"), part).state_dict()
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
        assert any(not torch.equal(ours[name], moved[name]) for name in moved)


def test_pieces_are_planned_and_exported_as_one_file_is(
    unet: Path, tiny_sd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cut(unet, tmp_path / "cut")
    (tmp_path / ".lorakit").mkdir()
    shutil.copytree(tiny_sd, tmp_path / "tiny")
    for source in ("cut", f"cut/{FILE}.index.json"):
        (tmp_path / "recipe.yaml").write_text(
            f"recipe: 1\nmodels: {{tiny: {{from: tiny}}}}\nadapters: {{ink: {{from: {source}}}}}\nsteps:\n"
            "  shown: {kind: generate, model: tiny, prompts: [a fox], adapters: {ink: 0.5}}\n"
        )
        planned = lorakit.load(tmp_path / "recipe.yaml").plan()
        spec = next(p.action.engine.spec for p in planned.actions if p.action.kind == "frame")
        assert spec.adapter_paths == (str(tmp_path / "cut" / f"{FILE}.index.json"),)
    ran = CliRunner().invoke(command, ["adapter", "cut"], standalone_mode=False)
    assert ran.exception is None
    assert ran.output == "written: kohya/cut.safetensors\n"
    ours, theirs = read(tmp_path / "kohya" / "cut.safetensors"), read(unet / FILE)
    assert {name: layer.scale for name, layer in ours.items()} == dict.fromkeys(theirs, 3.0)
    for piece in sorted((tmp_path / "cut").glob("*-of-*"))[1:2]:
        piece.unlink()
    with pytest.raises(InvalidDocument, match="lacks pieces of its adapter") as caught:
        lorakit.load(tmp_path / "recipe.yaml").plan()
    assert "recipe.yaml:3:" in str(caught.value)


def test_a_classifier_s_adapter_in_pieces_is_gone_on_from(tmp_path: Path) -> None:
    from transformers import AutoModelForSequenceClassification

    from lorakit.training import text_model
    from tests.support.tiny_text import save_bert

    (tmp_path / "bert").mkdir()
    save_bert(tmp_path / "bert")
    model = AutoModelForSequenceClassification.from_pretrained(tmp_path / "bert")
    from peft import LoraConfig, get_peft_model, get_peft_model_state_dict

    config = LoraConfig(task_type="SEQ_CLS", r=2, lora_alpha=2, target_modules=["query", "value"])
    made = get_peft_model(model, config)
    torch.nn.init.ones_(
        made.base_model.model.bert.encoder.layer[0].attention.self.query.lora_B.default.weight
    )
    made.save_pretrained(tmp_path / "whole")
    cut(tmp_path / "whole", tmp_path / "cut")
    facts = text_adapter_facts(tmp_path / "cut", Digests(None))
    assert facts.shapes == text_adapter_facts(tmp_path / "whole", Digests(None)).shapes
    other = get_peft_model(
        AutoModelForSequenceClassification.from_pretrained(tmp_path / "bert"), config
    )
    text_model.start_from(other, facts.file)
    theirs = get_peft_model_state_dict(made, save_embedding_layers=False)
    found = get_peft_model_state_dict(other, save_embedding_layers=False)
    assert all(torch.equal(found[name], tensor) for name, tensor in theirs.items())
