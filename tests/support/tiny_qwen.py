"""Tiny untrained pipelines whose prompts a Qwen model reads: Z-Image, FLUX.2-klein, Qwen-Image."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
from transformers import (
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
)

from tests.support.tiny_parts import SIDE, scheduler, vae
from tests.support.tiny_words import qwen_words


def z_image(_: Path) -> Any:
    """Tongyi-MAI/Z-Image-Turbo."""
    words = qwen_words()
    transformer = diffusers.ZImageTransformer2DModel(
        all_patch_size=(2,),
        all_f_patch_size=(1,),
        in_channels=16,
        dim=16,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[2, 2, 4],
        axes_lens=[1024, 64, 64],
    )
    return diffusers.ZImagePipeline(
        scheduler=scheduler(use_dynamic_shifting=False),
        vae=vae(),
        text_encoder=Qwen3Model(qwen3(len(words))),
        tokenizer=words,
        transformer=transformer,
    )


def qwen3(words: int, layers: int = 2) -> Qwen3Config:
    """Qwen 3's language model."""
    return Qwen3Config(
        vocab_size=words,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        tie_word_embeddings=True,
    )


def flux2_klein(_: Path) -> Any:
    """black-forest-labs/FLUX.2-klein-4B."""
    words = qwen_words(512)
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=128,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=48,
        timestep_guidance_channels=8,
        axes_dims_rope=(2, 2, 2, 2),
        guidance_embeds=False,
    )
    autoencoder = diffusers.AutoencoderKLFlux2(
        block_out_channels=(4, 4, 4, 4),
        layers_per_block=1,
        norm_num_groups=2,
        sample_size=SIDE,
    )
    return diffusers.Flux2KleinPipeline(
        scheduler=scheduler(),
        vae=autoencoder,
        text_encoder=Qwen3ForCausalLM(qwen3(len(words), 28)),
        tokenizer=words,
        transformer=transformer,
        is_distilled=True,
    )


def qwen_parts() -> dict[str, Any]:
    """The components of Qwen-Image."""
    words = qwen_words()
    numbers = {mark: words.convert_tokens_to_ids(mark) for mark in words.get_added_vocab()}
    config = Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(words),
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default"},
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 16,
            "fullatt_block_indexes": [0],
        },
        image_token_id=numbers["<|image_pad|>"],
        video_token_id=numbers["<|video_pad|>"],
        vision_start_token_id=numbers["<|vision_start|>"],
        vision_end_token_id=numbers["<|vision_end|>"],
    )
    transformer = diffusers.QwenImageTransformer2DModel(
        patch_size=2,
        in_channels=64,
        out_channels=16,
        num_layers=2,
        attention_head_dim=16,
        num_attention_heads=1,
        joint_attention_dim=16,
        axes_dims_rope=(8, 4, 4),
    )
    shifts = {"base_shift": 0.5, "max_shift": 0.9, "max_image_seq_len": 8192, "shift": 1.0}
    return {
        "scheduler": scheduler(**shifts, shift_terminal=0.02, time_shift_type="exponential"),
        "vae": diffusers.AutoencoderKLQwenImage(base_dim=4, z_dim=16, num_res_blocks=1),
        "text_encoder": Qwen2_5_VLForConditionalGeneration(config),
        "tokenizer": words,
        "transformer": transformer,
    }


def qwen_image(_: Path) -> Any:
    """Qwen/Qwen-Image."""
    return diffusers.QwenImagePipeline(**qwen_parts())


def qwen_image_edit(_: Path, kind: Any = diffusers.QwenImageEditPipeline) -> Any:
    """Qwen/Qwen-Image-Edit."""
    parts = qwen_parts()
    words = parts["tokenizer"]
    processor = Qwen2VLProcessor(
        Qwen2VLImageProcessor(), words, Qwen2VLVideoProcessor(), chat_template=words.chat_template
    )
    return kind(**parts, processor=processor)


def qwen_image_edit_plus(folder: Path) -> Any:
    """Qwen/Qwen-Image-Edit-2509."""
    return qwen_image_edit(folder, diffusers.QwenImageEditPlusPipeline)
