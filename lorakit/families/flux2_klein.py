"""Flux.2-klein: a small flow-matching transformer that reads through Qwen 3, and is shown pictures beside.

https://bfl.ai/models/flux-2-klein. Its distilled form draws in four steps without guidance.
"""

from __future__ import annotations

from lorakit.families.family import Configs, Family, Part, PromptWords, Published
from lorakit.families.flow import FlowTraining
from lorakit.families.flux2_klein_shapes import flux2_klein_shapes
from lorakit.families.parts import picture_size, qwen_words, transformer

_VAE = 84_046_115
_SMALL = {"num_layers": 5, "num_single_layers": 20, "num_attention_heads": 24}
_LARGE = {
    "num_layers": 8,
    "num_single_layers": 24,
    "num_attention_heads": 32,
    "joint_attention_dim": 12_288,
}
_DISTILLED = {"is_distilled": True}
_LIMIT = 512


def _is_guided(configs: Configs) -> bool:
    return not configs.get("", {}).get("is_distilled")


def _published(
    config: dict[str, int], parameters: int, texts: int, *, distilled: bool
) -> Published:
    index = {"": _DISTILLED} if distilled else {}
    configs: Configs = {"transformer": {**config, "attention_head_dim": 128}, **index}
    return Published(configs, _VAE + texts, parameters)


FLUX2_KLEIN = Family(
    name="flux2-klein",
    title="Flux.2-klein",
    pipelines={"text": "Flux2KleinPipeline", "reference": "Flux2KleinPipeline"},
    classes=("Flux2KleinPipeline", "Flux2KleinInpaintPipeline"),
    called=("klein",),
    parts=(
        transformer("Flux2Transformer2DModel"),
        Part("vae", "diffusers", ("AutoencoderKLFlux2",), "diffusion_pytorch_model"),
        Part("text_encoder", "transformers", ("Qwen3ForCausalLM",), "model"),
        qwen_words(),
    ),
    roots=(
        "transformer_blocks.",
        "single_transformer_blocks.",
        "x_embedder",
        "context_embedder",
        "time_guidance_embed.",
        "double_stream_modulation_img.",
        "double_stream_modulation_txt.",
        "single_stream_modulation.",
        "norm_out.",
        "proj_out",
    ),
    packs=4,
    elements=23,  # its feed-forward layers have gates
    text_parts=(),
    # a turn of a conversation, with an empty thought
    words=lambda _: PromptWords("tokenizer", "qwen", marks=12),
    token_limit=lambda _: _LIMIT,
    defaults=lambda configs, _: (50, 4.0) if _is_guided(configs) else (4, 1.0),
    native=picture_size,
    unit=2,
    least=0.25,
    attention="plain",
    negative=False,
    guidable=_is_guided,
    references=4,
    shapes=flux2_klein_shapes,
    trained=True,
    flow=FlowTraining(
        script="train_dreambooth_lora_flux2_klein.py",
        call="flux2_klein:Flux2KleinCall",
        spread=False,
        distilled=lambda configs, _: not _is_guided(configs),
    ),
    targets=(
        "to_k",
        "to_q",
        "to_v",
        "to_out.0",
        "to_qkv_mlp_proj",
        # the ends of their names are those of lists in the other blocks
        *(f"single_transformer_blocks.{number}.attn.to_out" for number in range(24)),
    ),
    options=lambda index: {"is_distilled": bool(index.get("is_distilled"))},
    call=lambda _configs, _size: {"max_sequence_length": _LIMIT},
    published={
        "black-forest-labs/FLUX.2-klein-4B": _published(
            _SMALL, 3_875_544_576, 4_022_468_096, distilled=True
        ),
        "black-forest-labs/FLUX.2-klein-9B": _published(
            _LARGE, 9_078_581_248, 8_190_735_360, distilled=True
        ),
        "black-forest-labs/FLUX.2-klein-base-4B": _published(
            _SMALL, 3_875_544_576, 4_022_468_096, distilled=False
        ),
    },
)
