"""Tiny untrained transformers' pipelines, in the layout and with the configurations' keys that the hub has.

Each is of a few thousand parameters; only numbers are smaller than published.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
)
from tokenizers import Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import Unigram
from transformers import CLIPTextModel, T5Config, T5EncoderModel, T5TokenizerFast

from tests.support.tiny import WORDS, clip_config, tokenizer

SIDE = 64  # px that autoencoders say they were trained at


def t5_words(longest: int = 512) -> T5TokenizerFast:
    """T5's tokenizer with a few words whole and the rest by letters."""
    letters = "abcdefghijklmnopqrstuvwxyz0123456789.,!?'-"
    marks = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces = [*marks, *((letter, -5.0) for letter in letters)]
    pieces += [(f"▁{word}", -3.0) for word in WORDS if word != "a"] + [("▁a", -3.0)]
    made = Tokenizer(Unigram(pieces, unk_id=2))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.post_processor = processors.TemplateProcessing(
        single="$A </s>", special_tokens=[("</s>", 1)]
    )
    return T5TokenizerFast(
        tokenizer_object=made,
        model_max_length=longest,
        extra_ids=0,
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
    )


def t5(words: int, width: int = 16) -> T5EncoderModel:
    """T5 1.1's encoder."""
    return T5EncoderModel(
        T5Config(
            vocab_size=words,
            d_model=width,
            d_kv=8,
            d_ff=2 * width,
            num_layers=1,
            num_heads=2,
            feed_forward_proj="gated-gelu",
        )
    )


def vae(**more: object) -> AutoencoderKL:
    """The autoencoder of 16 channels that most of them share."""
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        layers_per_block=1,
        latent_channels=16,
        norm_num_groups=2,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        sample_size=SIDE,
        scaling_factor=0.3611,
        shift_factor=0.1159,
        force_upcast=True,
        use_quant_conv=False,
        use_post_quant_conv=False,
        mid_block_add_attention=True,
        **more,
    )


def scheduler(**more: object) -> FlowMatchEulerDiscreteScheduler:
    """Flux.1-dev's scheduler as published; `more` is laid over it."""
    given = {
        "num_train_timesteps": 1000,
        "shift": 3.0,
        "use_dynamic_shifting": True,
        "base_shift": 0.5,
        "max_shift": 1.15,
        "base_image_seq_len": 256,
        "max_image_seq_len": 4096,
        **more,
    }
    return FlowMatchEulerDiscreteScheduler(**given)


def flux_parts(folder: Path, *, guided: bool) -> dict[str, Any]:
    """The components of Flux.1, guided as dev is, or as schnell not."""
    words, more = tokenizer(folder / "words"), t5_words()
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        guidance_embeds=guided,
        axes_dims_rope=(2, 2, 4),
    )
    shifts = {} if guided else {"shift": 1.0, "use_dynamic_shifting": False}
    return {
        "scheduler": scheduler(**shifts),
        "vae": vae(),
        "text_encoder": CLIPTextModel(clip_config(len(words), 16)),
        "tokenizer": words,
        "text_encoder_2": t5(len(more)),
        "tokenizer_2": more,
        "transformer": transformer,
    }


def flux_dev(folder: Path) -> Any:
    """black-forest-labs/FLUX.1-dev."""
    return FluxPipeline(**flux_parts(folder, guided=True))


def flux_schnell(folder: Path) -> Any:
    """black-forest-labs/FLUX.1-schnell."""
    return FluxPipeline(**flux_parts(folder, guided=False))


KINDS: Mapping[str, Callable[[Path], Any]] = {
    "flux-dev": flux_dev,
    "flux-schnell": flux_schnell,
}


def save(kind: str, folder: Path) -> Path:
    """A pipeline of a kind, as its repository's folder."""
    torch.manual_seed(0)
    model = folder / "model"
    # large models are published in pieces
    KINDS[kind](folder).save_pretrained(model, max_shard_size="60KB")
    words = folder / "words"
    for name in ("tokenizer", "tokenizer_2"):
        if words.is_dir() and (model / name / "tokenizer.json").is_file():
            told = json.loads((model / name / "tokenizer_config.json").read_text())
            if told["tokenizer_class"].startswith("CLIP"):  # as CLIP's is published
                (model / name / "tokenizer.json").unlink()
                shutil.copytree(words, model / name, dirs_exist_ok=True)
    return model
