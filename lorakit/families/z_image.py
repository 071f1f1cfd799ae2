"""Z-Image and Z-Image-Turbo: a flow-matching transformer in one stream, which reads through Qwen 3.

Cai et al. 2025, https://arxiv.org/abs/2511.22699. The Turbo form's schedule is shifted half as far.
"""

from __future__ import annotations

from lorakit.families.family import Configs, Family, Part, PromptWords, Published
from lorakit.families.flow import FlowTraining
from lorakit.families.parts import KL_VAE, picture_size, qwen_words, transformer
from lorakit.families.z_image_shapes import z_image_shapes

_OTHERS = 83_819_683 + 4_022_468_096
_PARAMETERS = 6_154_908_736
_CONFIG = {"dim": 3840, "n_layers": 30}
_BASE = 6.0  # the shift of the form that is no Turbo
_LIMIT = 512


def _defaults(configs: Configs, _: str) -> tuple[int, float]:
    shift = configs.get("scheduler", {}).get("shift")
    return (50, 4.0) if isinstance(shift, int | float) and shift >= _BASE else (9, 0.0)


Z_IMAGE = Family(
    name="z-image",
    title="Z-Image",
    pipelines={
        "text": "ZImagePipeline",
        "image": "ZImageImg2ImgPipeline",
        "inpaint": "ZImageInpaintPipeline",
    },
    classes=("ZImagePipeline", "ZImageImg2ImgPipeline", "ZImageInpaintPipeline"),
    called=("z-image",),
    parts=(
        transformer("ZImageTransformer2DModel"),
        KL_VAE,
        Part("text_encoder", "transformers", ("Qwen3Model", "Qwen3ForCausalLM"), "model"),
        qwen_words(),
    ),
    roots=(
        "layers.",
        "noise_refiner.",
        "context_refiner.",
        "all_x_embedder.",
        "all_final_layer.",
        "cap_embedder.",
        "t_embedder.",
    ),
    text_parts=(),
    # a turn of a conversation
    words=lambda _: PromptWords("tokenizer", "qwen", marks=8, padded=False),
    token_limit=lambda _: _LIMIT,
    defaults=_defaults,
    trained=True,
    flow=FlowTraining(
        script="train_dreambooth_lora_z_image.py",
        call="z_image:ZImageCall",
        spread=False,
        distilled=lambda configs, _: _defaults(configs, "")[1] == 0.0,
    ),
    native=picture_size,
    shapes=z_image_shapes,
    unit=2,
    least=0.25,
    attention="masked",
    encoded=("prompt_embeds",),
    guided_above=0.0,
    call=lambda _configs, _size: {"max_sequence_length": _LIMIT},
    published={
        "Tongyi-MAI/Z-Image-Turbo": Published({"transformer": _CONFIG}, _OTHERS, _PARAMETERS),
        "Tongyi-MAI/Z-Image": Published(
            {"transformer": _CONFIG, "scheduler": {"shift": _BASE}}, _OTHERS, _PARAMETERS
        ),
    },
)
