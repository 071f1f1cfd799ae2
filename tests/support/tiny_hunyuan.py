"""Tiny untrained pipelines of HunyuanVideo and FramePack, of the real classes, in the real layout."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKLHunyuanVideo,
    FlowMatchEulerDiscreteScheduler,
    HunyuanVideoFramepackPipeline,
    HunyuanVideoFramepackTransformer3DModel,
    HunyuanVideoImageToVideoPipeline,
    HunyuanVideoPipeline,
    HunyuanVideoTransformer3DModel,
)
from diffusers.pipelines.hunyuan_video.pipeline_hunyuan_video_image2video import (
    DEFAULT_PROMPT_TEMPLATE,
)
from transformers import (
    CLIPImageProcessor,
    CLIPTextModel,
    CLIPVisionConfig,
    LlamaConfig,
    LlamaModel,
    LlamaTokenizerFast,
    LlavaConfig,
    LlavaForConditionalGeneration,
    SiglipImageProcessor,
    SiglipVisionConfig,
    SiglipVisionModel,
)

from tests.support.tiny import WORDS, clip_config, tokenizer

_MARKS = ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<image>"]
_WIDTH, _POOLED, _CHANNELS = 16, 8, 4


def _llama_words() -> LlamaTokenizerFast:
    """Llama's tokenizer, which knows the words of the pipelines' templates whole, and the rest by letters."""
    plain = re.sub(r"<[^>]*>|\{\}", " ", DEFAULT_PROMPT_TEMPLATE["template"])
    letters = [chr(code) for code in range(ord("!"), ord("~") + 1)]
    tokens = ["<unk>", "<s>", "</s>", "<pad>", "▁", "\n", "\n\n", *letters]
    merges = [("\n", "\n")]
    for word in dict.fromkeys([*re.findall("[A-Za-z]+", plain), *WORDS]):
        for parts in ([*word], ["▁", word]):
            while len(parts) > 1:
                pair = (parts[0], parts[1])
                parts[:2] = ["".join(pair)]
                if pair not in merges:
                    merges.append(pair)
                    tokens.append(parts[0])
    numbered = {token: number for number, token in enumerate(dict.fromkeys(tokens))}
    return LlamaTokenizerFast(
        vocab=numbered,
        merges=merges,
        pad_token="<pad>",
        additional_special_tokens=_MARKS,
        padding_side="right",
        model_max_length=1024,
    )


def _llama(words: int) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=words,
        hidden_size=_WIDTH,
        intermediate_size=_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=1,
        pad_token_id=3,
    )


def _parts(folder: Path) -> dict[str, Any]:
    """What all of them have."""
    torch.manual_seed(0)
    words, clip = _llama_words(), tokenizer(folder / "words")
    return {
        "text_encoder": LlamaModel(_llama(len(words))),
        "tokenizer": words,
        "text_encoder_2": CLIPTextModel(clip_config(len(clip), _POOLED)),
        "tokenizer_2": clip,
        "scheduler": FlowMatchEulerDiscreteScheduler(shift=7.0),
        "vae": AutoencoderKLHunyuanVideo(
            latent_channels=_CHANNELS,
            block_out_channels=(8, 8, 8, 8),
            layers_per_block=1,
            norm_num_groups=4,
        ),
    }


_NETWORK = {
    "out_channels": _CHANNELS,
    "num_attention_heads": 2,
    "attention_head_dim": 10,
    "num_layers": 1,
    "num_single_layers": 1,
    "num_refiner_layers": 1,
    "text_embed_dim": _WIDTH,
    "pooled_projection_dim": _POOLED,
    "rope_axes_dim": (2, 4, 4),
}


def save_hunyuan(folder: Path) -> Path:
    """hunyuanvideo-community/HunyuanVideo."""
    parts = _parts(folder)
    network = HunyuanVideoTransformer3DModel(in_channels=_CHANNELS, **_NETWORK)
    HunyuanVideoPipeline(**parts, transformer=network).save_pretrained(folder)
    return folder


def save_hunyuan_from_a_frame(folder: Path, kind: str = "latent_concat") -> Path:
    """hunyuanvideo-community/HunyuanVideo-I2V-33ch, or for `token_replace` HunyuanVideo-I2V."""
    parts = _parts(folder)
    words = parts["tokenizer"]
    seeing = CLIPVisionConfig(
        hidden_size=_WIDTH,
        intermediate_size=_WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        image_size=336,
        patch_size=14,
    )
    config = LlavaConfig(
        vision_config=seeing,
        text_config=_llama(len(words)),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        pad_token_id=3,
    )
    beside = kind == "latent_concat"
    HunyuanVideoImageToVideoPipeline(
        **{**parts, "text_encoder": LlavaForConditionalGeneration(config)},
        transformer=HunyuanVideoTransformer3DModel(
            in_channels=2 * _CHANNELS + 1 if beside else _CHANNELS,
            image_condition_type=kind,
            guidance_embeds=not beside,
            **_NETWORK,
        ),
        image_processor=CLIPImageProcessor(size=336, crop_size=336),
    ).save_pretrained(folder)
    return folder


def save_framepack(folder: Path) -> Path:
    """lllyasviel/FramePackI2V_HY in hunyuanvideo-community/HunyuanVideo, with flux_redux_bfl's encoder."""
    seeing = SiglipVisionConfig(
        hidden_size=_WIDTH,
        intermediate_size=_WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        image_size=32,
        patch_size=16,
    )
    HunyuanVideoFramepackPipeline(
        **_parts(folder),
        transformer=HunyuanVideoFramepackTransformer3DModel(
            in_channels=_CHANNELS,
            has_image_proj=True,
            image_proj_dim=_WIDTH,
            has_clean_x_embedder=True,
            **_NETWORK,
        ),
        image_encoder=SiglipVisionModel(seeing),
        feature_extractor=SiglipImageProcessor(size={"height": 32, "width": 32}),
    ).save_pretrained(folder)
    return folder
