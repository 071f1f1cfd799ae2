"""Tiny untrained transformers' pipelines, in the layout and with the configurations' keys that the hub has.

Each is of a few thousand parameters; only numbers are smaller than published.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler
from transformers import (
    CLIPTextModel,
    CLIPTextModelWithProjection,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3Config,
    Qwen3ForCausalLM,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
)

from tests.support.tiny import clip_config, tokenizer
from tests.support.tiny_words import qwen_words, t5_words

SIDE = 64  # px that autoencoders say they were trained at


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
    transformer = diffusers.FluxTransformer2DModel(
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
    return diffusers.FluxPipeline(**flux_parts(folder, guided=True))


def flux_schnell(folder: Path) -> Any:
    """black-forest-labs/FLUX.1-schnell."""
    return diffusers.FluxPipeline(**flux_parts(folder, guided=False))


def flux_kontext(folder: Path) -> Any:
    """black-forest-labs/FLUX.1-Kontext-dev."""
    return diffusers.FluxKontextPipeline(**flux_parts(folder, guided=True))


def chroma(folder: Path) -> Any:
    """lodestones/Chroma1-HD."""
    words = t5_words()
    transformer = diffusers.ChromaTransformer2DModel(
        patch_size=1,
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(2, 2, 4),
        approximator_num_channels=8,
        approximator_hidden_dim=16,
        approximator_layers=1,
    )
    return diffusers.ChromaPipeline(
        scheduler=scheduler(shift=1.0, use_dynamic_shifting=False),
        vae=vae(),
        text_encoder=t5(len(words)),
        tokenizer=words,
        transformer=transformer,
    )


def stable_diffusion_3(folder: Path, *, words_of_t5: bool = True) -> Any:
    """stabilityai/stable-diffusion-3.5-medium; T5 may be left out."""
    words, more = tokenizer(folder / "words"), t5_words(256)
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=SIDE // 8,
        patch_size=2,
        in_channels=16,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=32,
        caption_projection_dim=16,
        pooled_projection_dim=32,
        out_channels=16,
        pos_embed_max_size=16,
        dual_attention_layers=(0,),
        qk_norm="rms_norm",
    )
    clips = [
        CLIPTextModelWithProjection(clip_config(len(words), 16, projection_dim=16)) for _ in "12"
    ]
    return diffusers.StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=scheduler(use_dynamic_shifting=False),
        vae=vae(),
        text_encoder=clips[0],
        tokenizer=words,
        text_encoder_2=clips[1],
        tokenizer_2=words,
        text_encoder_3=t5(len(more), 32) if words_of_t5 else None,
        tokenizer_3=more if words_of_t5 else None,
    )


def stable_diffusion_3_without_t5(folder: Path) -> Any:
    """The same without T5, as its documentation has it for small cards."""
    return stable_diffusion_3(folder, words_of_t5=False)


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
        num_layers=1,
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


KINDS: Mapping[str, Callable[[Path], Any]] = {
    "chroma": chroma,
    "flux-dev": flux_dev,
    "flux-kontext": flux_kontext,
    "flux-schnell": flux_schnell,
    "flux2-klein": flux2_klein,
    "qwen-image": qwen_image,
    "qwen-image-edit": qwen_image_edit,
    "qwen-image-edit-plus": qwen_image_edit_plus,
    "sd3": stable_diffusion_3,
    "sd3-without-t5": stable_diffusion_3_without_t5,
    "z-image": z_image,
}
# the smallest side that each draws, in px
SIDES = {kind: 256 if kind.startswith("qwen") else SIDE for kind in KINDS}


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
