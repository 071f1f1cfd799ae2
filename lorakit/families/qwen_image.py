"""Qwen-Image: a flow-matching transformer that reads through Qwen 2.5 VL.

Wu et al. 2025, https://arxiv.org/abs/2508.02324.
"""

from __future__ import annotations

from lorakit.families.family import Family, Part, PromptWords, Published
from lorakit.families.flow import FlowTraining
from lorakit.families.parts import FIRST_BLOCK, qwen_words, transformer
from lorakit.families.qwen_image_shapes import qwen_image_shapes

OTHERS = 126_892_531 + 8_292_166_656
PARAMETERS = 20_430_401_088
PARTS: tuple[Part, ...] = (
    transformer("QwenImageTransformer2DModel"),
    Part("vae", "diffusers", ("AutoencoderKLQwenImage",), "diffusion_pytorch_model"),
    Part("text_encoder", "transformers", ("Qwen2_5_VLForConditionalGeneration",), "model"),
    qwen_words(),
)
ROOTS = (
    "transformer_blocks.",
    "img_in",
    "txt_in",
    "txt_norm",
    "time_text_embed.",
    "norm_out.",
    "proj_out",
)
CONFIG = {"num_layers": 60, "num_attention_heads": 24, "attention_head_dim": 128}
CONFIGS = {"transformer": CONFIG, "vae": {"base_dim": 96}}
LIMIT = 512
# what its template puts behind a prompt; what stands before is not counted
WORDS = PromptWords("tokenizer", "qwen", marks=5, padded=False)

QWEN_IMAGE = Family(
    name="qwen-image",
    title="Qwen-Image",
    pipelines={
        "text": "QwenImagePipeline",
        "image": "QwenImageImg2ImgPipeline",
        "inpaint": "QwenImageInpaintPipeline",
        "control": "QwenImageControlNetPipeline",
    },
    controlnet="QwenImageControlNetModel",
    classes=("QwenImagePipeline", "QwenImageImg2ImgPipeline", "QwenImageInpaintPipeline"),
    called=("qwen-image",),
    parts=PARTS,
    roots=ROOTS,
    packs=4,
    text_parts=(),
    words=lambda _: WORDS,
    token_limit=lambda _: LIMIT,
    defaults=lambda _configs, _name: (50, 4.0),
    native=lambda _: (1328, 1328),
    unit=2,
    least=0.19,
    attention="plain",
    encoded=("prompt_embeds", "prompt_embeds_mask"),
    shapes=qwen_image_shapes,
    trained=True,
    flow=FlowTraining(
        script="train_dreambooth_lora_qwen_image.py", call="qwen_image:QwenImageCall"
    ),
    guidance="true_cfg_scale",
    block_cache=FIRST_BLOCK,
    least_steps=2,  # its schedule is stretched to end a little above nothing, and one step cannot be
    published={"Qwen/Qwen-Image": Published(CONFIGS, OTHERS, PARAMETERS)},
)
