"""`lorakit export adapter`: every format from every other, exactly, or an error by name."""

from __future__ import annotations

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from lorakit.cli.export import command
from lorakit.cli.export.adapter import _claimed
from lorakit.cli.export.adapter import command as adapter
from lorakit.models.adapter_deltas import adapted
from lorakit.models.adapter_formats import read
from tests.support.adapters import make

pytestmark = pytest.mark.filterwarnings("ignore")

SHAPES = {
    "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_k": (16, 16),
    "unet.mid_block.attentions.0.proj_in": (16, 16, 1, 1),
    "unet.up_blocks.1.resnets.0.conv1": (16, 16, 3, 3),
}
TEXTS = {
    "text_encoder.text_model.encoder.layers.0.self_attn.q_proj": (16, 16),
    "text_encoder_2.text_model.encoder.layers.31.mlp.fc1": (32, 16),
}
FLAT = {"unet": "lora_unet", "text_encoder": "lora_te1", "text_encoder_2": "lora_te2"}
HEADER = {
    "ss_network_args": '{"algo": "lokr"}',
    "ss_sd_model_name": "base.safetensors",
    "ss_tag_frequency": '{"10_fox": {"fox": 10}}',
    "modelspec.title": "Foxes",
    "modelspec.author": "Someone",
    "modelspec.hash_sha256": "0xstale",
    "sshs_model_hash": "stale",
}


def kohya_file(path: Path, method: str, shapes: dict[str, tuple[int, ...]], **more: Any) -> Path:
    """A file of sd-scripts or LyCORIS: each layer with an alpha of its own."""
    rng, tensors = np.random.default_rng(1), {}
    for number, (name, shape) in enumerate(shapes.items()):
        own = method.removesuffix("-tucker") if len(shape) == 2 else method
        network, _, layer = name.partition(".")
        stem = f"{FLAT[network]}_{layer.replace('.', '_')}"
        arrays = make(own, shape, rng, rank=1 if own.startswith("lokr") else 2)
        if more.get("dora"):
            arrays["dora_scale"] = rng.uniform(1, 2, (shape[0], *[1] * (len(shape) - 1)))
        tensors |= {f"{stem}.{n}": torch.tensor(a, dtype=torch.float32) for n, a in arrays.items()}
        if method != "diff":
            tensors[f"{stem}.alpha"] = torch.tensor([0.3, 4.0, 1.75, 2.0, 1.0][number % 5])
    save_file(tensors, path, HEADER)
    return path


def export(*words: Any) -> Result:
    # as the program itself runs it: an error of ours is told, and the exit code is not 0
    return CliRunner().invoke(command, ["adapter", *map(str, words)], standalone_mode=False)


def exported(*words: Any) -> None:
    ran = export(*words)
    assert ran.exception is None, ran.exception


def same_effect(one: Path, other: Path, *, tolerance: float = 0.0) -> None:
    """Both change every layer equally, at their whole strength."""
    first, second = read(one), read(other)
    assert set(first) == set(second)
    for name, layer in first.items():
        torch.manual_seed(0)
        weight = torch.randn(({**SHAPES, **TEXTS})[name])
        a, _ = adapted(weight, None, layer, 1.0)
        b, _ = adapted(weight, None, second[name], 1.0)
        assert (a - b).abs().max() <= tolerance, name
        assert not torch.equal(a, weight)


FORMATS = {
    "lora": ("kohya", "diffusers", "peft"),
    "loha": ("kohya", "peft"),
    "loha-tucker": ("kohya", "peft"),
    "lokr": ("kohya", "peft"),
    "lokr-whole": ("kohya", "peft"),
    "lora-tucker": ("kohya",),
    "lokr-tucker": ("kohya", "peft"),
    "lokr-both": ("kohya", "peft"),
    "diff": ("kohya",),
}
FILES = {
    "kohya": "there.safetensors",
    "diffusers": "there/pytorch_lora_weights.safetensors",
    "peft": "there/adapter_model.safetensors",
}


@pytest.mark.parametrize(
    ("method", "style", "dora"),
    [(m, f, False) for m, fs in FORMATS.items() for f in fs]
    # PEFT has DoRA of LoRA alone
    + [
        (m, f, True)
        for m, fs in FORMATS.items()
        for f in fs
        if m == "lora" or (f == "kohya" and m != "diff")
    ],
)
def test_complaint_what_is_exported_acts_as_before_there_and_back(
    tmp_path: Path, method: str, style: str, dora: bool
) -> None:
    source = kohya_file(tmp_path / "ink.safetensors", method, SHAPES, dora=dora)
    there, back = tmp_path / FILES[style], tmp_path / "back.safetensors"
    exported(source, "--format", style, "--out", there)
    same_effect(source, there, tolerance=2e-6 if dora else 0)
    exported(there, "--format", "kohya", "--out", back)
    before, after = load_file(source), load_file(back)
    assert set(before) == set(after)
    for name, tensor in before.items():
        if method == "lokr-whole" and style == "peft" and name.endswith(".alpha"):
            continue  # of two whole matrices it says nothing, and PEFT has a rank for it
        assert torch.equal(tensor.float(), after[name].float()), name


@pytest.mark.parametrize("style", ["kohya", "diffusers"])
def test_complaint_alphas_of_text_encoders_are_kept(tmp_path: Path, style: str) -> None:
    source = kohya_file(tmp_path / "ink.safetensors", "lora", {**SHAPES, **TEXTS})
    there, back = tmp_path / FILES[style], tmp_path / "back.safetensors"
    exported(source, "--format", style, "--out", there)
    exported(there, "--out", back)
    before, after = load_file(source), load_file(back)
    assert set(before) == set(after)
    assert all(torch.equal(before[name], after[name]) for name in before)


STABILITY = "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_k"
DIFFUSERS = "unet.down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_k"


@pytest.mark.parametrize("style", ["kohya", "diffusers", "peft"])
@pytest.mark.parametrize("stem", [STABILITY, DIFFUSERS, "lora_unet_output_blocks_2_1_conv"])
def test_complaint_alphas_of_stability_s_and_of_dotted_names_are_kept(
    tmp_path: Path, stem: str, style: str
) -> None:
    source, there = tmp_path / "ink.safetensors", tmp_path / FILES[style]
    down, up = torch.ones(8, 16), torch.ones(16, 8)
    tensors = {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up}
    save_file({**tensors, f"{stem}.alpha": torch.tensor(2.0)}, source)
    exported(source, "--format", style, "--out", there)
    (layer,) = read(there).values()
    assert (layer.alpha, layer.rank) == (2.0, 8.0)
    if style == "kohya" and stem != DIFFUSERS:
        assert f"{stem}.alpha" in load_file(there)  # named as it was


@pytest.mark.parametrize("style", ["kohya", "diffusers", "peft"])
def test_what_a_file_says_of_itself_is_kept_and_true(tmp_path: Path, style: str) -> None:
    source = kohya_file(tmp_path / "ink.safetensors", "lora", SHAPES)
    there, back = tmp_path / FILES[style], tmp_path / "back.safetensors"
    exported(source, "--format", style, "--out", there)
    exported(there, "--out", back)
    for file in (there, back):
        with safe_open(str(file), framework="pt") as opened:
            told = opened.metadata()
        for key in ("ss_network_args", "ss_sd_model_name", "ss_tag_frequency", "modelspec.title", "modelspec.author"):  # fmt: skip
            assert told[key] == HEADER[key]
        assert "modelspec.hash_sha256" not in told
        assert told.get("sshs_model_hash") != "stale"
    data = back.read_bytes()
    tensors = data[8 + int.from_bytes(data[:8], "little") :]
    assert told["sshs_model_hash"] == hashlib.sha256(tensors).hexdigest()
    assert (told["ss_network_dim"], told["ss_network_alpha"]) == ("2", "Dynamic")


BEYOND = {
    ("loha", "diffusers"): "diffusers' format cannot hold .*a LoHa: unet.down_blocks.1",
    ("lokr", "diffusers"): "diffusers' format cannot hold .*a LoKr",
    ("diff", "diffusers"): r"diffusers' format cannot hold .*a whole difference \(diff\)",
    ("diff", "peft"): "PEFT's format cannot hold .*a whole difference",
    ("lora-tucker", "diffusers"): r"a Tucker form \(lora_mid\): unet.*",
    ("lora-tucker", "peft"): r"a Tucker form \(lora_mid\): unet.*",
}


@pytest.mark.parametrize(("method", "style"), BEYOND)
def test_complaint_what_a_format_cannot_carry_is_an_error_and_nothing_is_written(
    tmp_path: Path, method: str, style: str
) -> None:
    source = kohya_file(tmp_path / "ink.safetensors", method, SHAPES)
    ran = export(source, "--format", style, "--out", tmp_path / "there")
    assert ran.exception is not None
    import re

    assert re.search(BEYOND[method, style], str(ran.exception))
    assert not (tmp_path / "there").exists()


def test_peft_holds_one_network_one_method_and_no_dora_but_of_lora(tmp_path: Path) -> None:
    source = kohya_file(tmp_path / "ink.safetensors", "lora", {**SHAPES, **TEXTS})
    assert "text encoders too: text_encoder.text_model" in str(
        export(source, "--format", "peft").exception
    )
    source = kohya_file(tmp_path / "ink.safetensors", "loha", SHAPES, dora=True)
    assert "DoRA" in str(export(source, "--format", "peft").exception)
    mixed = load_file(
        kohya_file(tmp_path / "a.safetensors", "loha", dict(list(SHAPES.items())[:1]))
    )
    mixed |= load_file(
        kohya_file(tmp_path / "b.safetensors", "lora", dict(list(SHAPES.items())[1:]))
    )
    save_file(mixed, source)
    assert "one method" in str(export(source, "--format", "peft").exception)


def test_peft_has_all_windows_in_tucker_s_form_or_none(tmp_path: Path) -> None:
    shapes = {f"unet.up_blocks.1.resnets.{n}.conv1": (16, 16, 3, 3) for n in range(2)}
    first, second = ({name: shape} for name, shape in shapes.items())
    tensors = load_file(kohya_file(tmp_path / "a.safetensors", "loha-tucker", first))
    tensors |= load_file(kohya_file(tmp_path / "b.safetensors", "loha", second))
    save_file(tensors, tmp_path / "ink.safetensors")
    ran = export(tmp_path / "ink.safetensors", "--format", "peft")
    assert "Tucker's form or none, and here it is not: up_blocks.1.resnets.1.conv1" in str(
        ran.exception
    )


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["LoraConfig", "LoHaConfig", "LoKrConfig"])
def test_peft_s_own_loader_reads_what_is_written_for_it(tmp_path: Path, tiny_sd: Path, kind: str) -> None:  # fmt: skip
    import peft

    from lorakit.models.loading import load_pipeline

    wrapped = peft.PeftModel(
        load_pipeline(tiny_sd, "sd", "fp32", "cpu").unet,
        getattr(peft, kind)(r=3, target_modules=r".*(attn2.to_k|conv1)", rank_pattern={"conv1": 2}),
    )
    torch.manual_seed(1)
    with torch.no_grad():
        for name, parameter in wrapped.named_parameters():
            if any(mark in name for mark in ("lora_", "hada_", "lokr_")):
                parameter.add_(torch.randn(parameter.shape) * 0.2)
    wrapped.save_pretrained(str(tmp_path / "theirs"))
    exported(tmp_path / "theirs", "--format", "kohya", "--out", tmp_path / "k.safetensors")
    exported(tmp_path / "k.safetensors", "--format", "peft", "--out", tmp_path / "ours")
    again = peft.PeftModel.from_pretrained(load_pipeline(tiny_sd, "sd", "fp32", "cpu").unet, str(tmp_path / "ours"))  # fmt: skip
    theirs = dict(wrapped.merge_and_unload().named_parameters())
    for name, weight in again.merge_and_unload().named_parameters():
        assert torch.allclose(weight, theirs[name], atol=2e-6), name


@pytest.mark.slow
@pytest.mark.parametrize("dora", [False, True], ids=["plain", "dora"])
def test_diffusers_own_loader_reads_what_is_written_for_it(tmp_path: Path, tiny_sd: Path, dora: bool) -> None:  # fmt: skip
    from diffusers import StableDiffusionPipeline

    from lorakit.models.loading import load_pipeline

    stock = StableDiffusionPipeline.from_pretrained(tiny_sd, safety_checker=None)
    ends = ("attn2.to_k", "proj_in", "conv1", *(() if dora else ("q_proj",)))
    shapes = {
        f"{part}.{name if part == 'unet' or name.startswith('text_model') else f'text_model.{name}'}": tuple(module.weight.shape)
        for part in ("unet", "text_encoder")
        for name, module in getattr(stock, part).named_modules()
        if name.endswith(ends)
    }  # fmt: skip
    source = kohya_file(tmp_path / "ink.safetensors", "lora", shapes, dora=dora)
    exported(source, "--format", "diffusers", "--out", tmp_path / "there")
    stock.load_lora_weights(tmp_path / "there", adapter_name="a")
    stock.fuse_lora(components=["unet"] if dora else ["unet", "text_encoder"], adapter_names=["a"])
    stock.unload_lora_weights()
    ours = load_pipeline(tiny_sd, "sd", "fp32", "cpu", [(source, 1.0)])
    for part in ("unet", "text_encoder"):
        theirs = dict(getattr(stock, part).named_parameters())
        for name, weight in getattr(ours, part).named_parameters():
            assert torch.allclose(weight, theirs[name], atol=5e-6), name


def test_complaint_peft_s_format_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = kohya_file(tmp_path / "ink.safetensors", "lora", SHAPES)
    ran = export(source, "--format", "peft", "--out", "folder")
    assert ran.exception is None
    assert "written: folder\n" in ran.output
    assert sorted(p.name for p in Path("folder").iterdir()) == ["adapter_config.json", "adapter_model.safetensors"]  # fmt: skip
    assert json.loads(Path("folder/adapter_config.json").read_text())["peft_type"] == "LORA"
    ran = export(source, "--format", "peft", "--out", "other.safetensors")
    assert "PEFT's format is a folder" in str(ran.exception)
    exported(source, "--format", "diffusers", "--out", "d")
    assert Path("d/pytorch_lora_weights.safetensors").is_file()
    exported(source, "--out", "k")
    assert Path("k/ink.safetensors").is_file()


@pytest.mark.parametrize("style", ["kohya", "diffusers", "peft"])
def test_complaint_two_exports_do_not_meet_in_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source = kohya_file(tmp_path / "ink.safetensors", "lora", SHAPES)
    for name in ("foxes", "owls"):  # as steps leave them: files of one name in folders of their own
        exported(source, "--format", "diffusers", "--out", name)
        exported(name, "--format", style)
    assert len(list(Path(style).rglob("*.safetensors"))) == 2
    before = {p: p.read_bytes() for p in Path(style).rglob("*") if p.is_file()}
    ran = export("owls", "--format", style)
    assert "is there already; --force overwrites it" in str(ran.exception)
    assert {p: p.read_bytes() for p in before} == before
    exported("owls", "--format", style, "--force")


def test_complaint_an_adapter_is_not_exported_onto_itself(tmp_path: Path) -> None:
    source = kohya_file(tmp_path / "ink.safetensors", "lora", SHAPES)
    whole = source.read_bytes()
    (tmp_path / "link.safetensors").hardlink_to(source)
    for out in (source, tmp_path / "link.safetensors", tmp_path / "." / "ink.safetensors"):
        ran = export(source, "--out", out, "--force")
        assert "is the adapter itself" in str(ran.exception)
    assert source.read_bytes() == whole


def test_what_cannot_be_written_or_read_is_told_in_words(tmp_path: Path) -> None:
    source = kohya_file(tmp_path / "ink.safetensors", "lora", SHAPES)
    (tmp_path / "plain").write_text("x")
    for out in (tmp_path / "plain", tmp_path / "plain/x", tmp_path / "plain/x.safetensors"):
        assert "cannot be written: " in str(export(source, "--out", out).exception)
    assert (tmp_path / "plain").read_text() == "x"
    exported(source, "--format", "peft", "--out", tmp_path / "p")
    weights = tmp_path / "p/adapter_model.safetensors"
    save_file(load_file(weights), weights)  # without the settings that lorakit puts into the header
    (tmp_path / "p/adapter_config.json").unlink()
    os.mkfifo(tmp_path / "p/adapter_config.json")  # a pipe is not waited for
    ran = export(tmp_path / "p")
    assert "the adapter_config.json beside it cannot be read" in str(ran.exception)


def test_a_folder_of_one_adapter_is_not_overwritten_in_part(tmp_path: Path) -> None:
    source = kohya_file(tmp_path / "ink.safetensors", "lora", SHAPES)
    (tmp_path / "there").mkdir()
    (tmp_path / "there/adapter_config.json").write_text("{}")
    ran = export(source, "--format", "peft", "--out", tmp_path / "there")
    assert "adapter_config.json is there already" in str(ran.exception)
    assert not (tmp_path / "there/adapter_model.safetensors").exists()


def test_of_two_exports_at_once_to_one_file_one_is_refused(tmp_path: Path) -> None:
    target = tmp_path / "new" / "out.safetensors"
    with (
        _claimed(target, force=False),
        pytest.raises(click.UsageError),
        _claimed(target, force=False),
    ):
        pass
    assert target.exists()  # the first one's, which goes on
    target.unlink()
    target.parent.rmdir()
    with pytest.raises(OSError, match="full"), _claimed(target, force=False):
        raise OSError("full")
    assert list(tmp_path.iterdir()) == []


def test_exports_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    file = kohya_file(tmp_path / "a.safetensors", "lora", SHAPES)
    target = tmp_path / "out.safetensors"
    with ThreadPoolExecutor(4) as pool:
        ran = list(pool.map(lambda _: _quiet(file, target), range(4)))
    assert sorted(ran) == [False, False, False, True]
    same_effect(file, target)


def _quiet(file: Path, target: Path) -> bool:
    try:
        assert adapter.callback is not None
        adapter.callback(file, "diffusers", target, force=False)
    except click.UsageError:
        return False
    return True
