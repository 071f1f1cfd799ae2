"""Adapters of any keys, shapes and settings: read, or refused in words; what is read is worn."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters import AdapterError
from lorakit.facts.adapters.fit import fits, misfits
from lorakit.facts.adapters.layout import AdapterLayout, read_layout
from lorakit.facts.adapters.roles import _ENDS, OTHERS
from lorakit.models.adapter_deltas import adapted
from lorakit.models.adapter_formats import read, to_diffusers, to_kohya, to_peft
from tests.support.adapters import METHODS, make

STEMS = [
    "lora_unet_mid_block_attentions_0_proj_in",
    "lora_unet_input_blocks_4_1_proj_in",
    "lora_te2_text_model_encoder_layers_0_mlp_fc1",
    "unet.mid_block.attentions.0.proj_in",
    "text_encoder.encoder.layers.0.mlp.fc1",
    "base_model.model.conv_in",
    "base_model.model.bert.encoder",
    "diffusion_model.out.2",
    "mid_block",
    "",
]  # fmt: skip
ENDS = [*_ENDS, *OTHERS, "weight", "bias", ""]
SHAPES = [
    (),
    (1,),
    (4,),
    (2, 4),
    (4, 2),
    (4, 4),
    (2, 4, 3, 3),
    (4, 2, 1, 1),
    (2, 2, 3, 3),
    (0, 4),
    (2, 2, 2, 2, 2),
]
DTYPES = [torch.float32, torch.float16, torch.bfloat16, torch.float8_e5m2, torch.int64, torch.bool]
VALUES = [None, 1, 0, -1, 2.5, "x", [], {}, {"conv_in": 2}, {".*": 1}, {"(": 1}, True, 10**30]
WORDS = [
    "r",
    "lora_alpha",
    "alpha",
    "rank_pattern",
    "alpha_pattern",
    "use_dora",
    "bias",
    "peft_type",
]
WEIGHTS = [(16, 16), (16, 16, 1, 1), (16, 16, 3, 3), (4, 4), (4,)]


def some_file(rng: random.Random, folder: Path) -> Path:
    tensors: dict[str, torch.Tensor] = {}
    stems = rng.sample(STEMS[:5], rng.randint(1, 2))
    if rng.random() < 0.7:  # a sound layer, of which something may be changed
        shape = rng.choice([(16, 16), (16, 16, 3, 3)])
        method = rng.choice([m for m in METHODS if "tucker" not in m or len(shape) == 4])
        made = make(method, shape, np.random.default_rng(rng.randrange(99)), rank=2)
        tensors = {f"{rng.choice(stems[:1])}.{end}": torch.from_numpy(v) for end, v in made.items()}
        if rng.random() < 0.3:
            tensors.pop(rng.choice(list(tensors)))
    for _ in range(rng.choice([0, 0, 1, 3])):
        key = f"{rng.choice([*stems, *STEMS[5:]])}.{rng.choice(ENDS)}"
        dtype = rng.choice(DTYPES[: rng.randint(1, len(DTYPES))])
        tensors[key] = torch.ones(rng.choice(SHAPES)).to(dtype)
    told = {word: rng.choice(VALUES) for word in rng.sample(WORDS, rng.randint(0, 4))}
    metadata = {}
    if rng.random() < 0.3:
        metadata["lora_adapter_metadata"] = json.dumps({f"unet.{k}": v for k, v in told.items()})
    if rng.random() < 0.1:
        metadata["peft_config"] = rng.choice(["", "[", "{}", json.dumps(told), "[" * 5000])
    file = folder / "adapter_model.safetensors"
    save_file(tensors, file, metadata or None)
    if rng.random() < 0.9:
        (folder / "adapter_config.json").write_text(json.dumps(told))
    return file


@pytest.mark.parametrize("seed", range(4))
def test_an_adapter_of_anything_is_read_or_refused_in_words(tmp_path: Path, seed: int) -> None:
    rng, accepted = random.Random(seed), 0
    for _ in range(100):
        file = some_file(rng, tmp_path)
        try:
            layout = read_layout(file)
        except AdapterError as error:
            told = error
        else:
            accepted += 1
            held(layout)
            continue
        assert told.problems
        assert len(str(told)) < 5000
    assert accepted > 10


def held(layout: AdapterLayout) -> None:
    """What is read can be held against models, written or refused, and worn."""
    list(misfits(layout, {"unet": {}, "text_encoder": {}, "text_encoder_2": {}}, {}))
    layers = read(layout.file)
    for write in (to_kohya, to_diffusers, to_peft):
        with contextlib.suppress(LorakitError):
            write(layers)
    for layer in layout.layers:
        for shape in WEIGHTS:
            sizes = {f"{layer.name}.weight": shape, f"{layer.name}.bias": shape[:1]}
            if fits(layout.shapes(layer), layer, sizes, layer.name):
                worn = layers[f"{layer.network}.{layer.name}"]
                changed, bias = adapted(torch.ones(shape), torch.ones(shape[:1]), worn, 0.5)
                assert changed.shape == shape
                assert bias is not None
                assert bias.shape == shape[:1]
