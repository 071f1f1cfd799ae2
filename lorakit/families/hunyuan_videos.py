"""HunyuanVideo, and FramePack, which goes on from it section by section.

Kong et al. 2024, https://arxiv.org/abs/2412.03603; Zhang and Agrawala 2025, https://arxiv.org/abs/2504.12626.
"""

from __future__ import annotations

from lorakit.families.family import Configs, Part
from lorakit.families.parts import CLIP_WORDS_2, transformer
from lorakit.families.video_family import PROCESSORS, VideoFamily, video_vae, vision

_HUNYUAN_WORDS: tuple[Part, ...] = (
    Part("tokenizer", "transformers", ("LlamaTokenizerFast", "LlamaTokenizer")),
    Part("text_encoder_2", "transformers", ("CLIPTextModel",), "model"),
    CLIP_WORDS_2,
)


def _hunyuan_asked(configs: Configs, frames: int) -> int:
    """The form whose transformer has the frame beside the noise leaves out four that it has made."""
    beside = configs.get("transformer", {}).get("image_condition_type") == "latent_concat"
    return frames + 4 if beside else frames


HUNYUAN = VideoFamily(
    name="hunyuan",
    title="HunyuanVideo",
    classes={
        "HunyuanVideoPipeline": ("words",),
        "HunyuanVideoImageToVideoPipeline": ("frame",),
    },
    pipelines={"frame": "HunyuanVideoImageToVideoPipeline", "words": "HunyuanVideoPipeline"},
    parts=(
        transformer("HunyuanVideoTransformer3DModel"),
        video_vae("AutoencoderKLHunyuanVideo"),
        Part(
            "text_encoder",
            "transformers",
            ("LlamaModel", "LlavaForConditionalGeneration"),
            "model",
        ),
        *_HUNYUAN_WORDS,
        Part("image_processor", "transformers", PROCESSORS, optional=True),
    ),
    unit=16,
    step=4,
    more=1,
    least=5,
    most=129,
    rate=24,
    frames=129,
    steps=50,
    guidance=6.0,
    asked=_hunyuan_asked,
)

# frames of a section, of which a call makes as many as it is asked for, and those that are new in each
_SECTION, _NEW = 33, 36


def _sections(frames: int) -> int:
    return max(1, (frames - 1) // _NEW)


FRAMEPACK = VideoFamily(
    name="framepack",
    title="FramePack",
    classes={"HunyuanVideoFramepackPipeline": ("frame", "both")},
    pipelines={
        "frame": "HunyuanVideoFramepackPipeline",
        "both": "HunyuanVideoFramepackPipeline",
    },
    parts=(
        transformer("HunyuanVideoFramepackTransformer3DModel"),
        video_vae("AutoencoderKLHunyuanVideo"),
        Part("text_encoder", "transformers", ("LlamaModel",), "model"),
        *_HUNYUAN_WORDS,
        vision("SiglipVisionModel"),
        Part(
            "feature_extractor",
            "transformers",
            ("SiglipImageProcessor", "SiglipImageProcessorFast", "SiglipImageProcessorPil"),
        ),
    ),
    unit=16,
    step=_NEW,
    more=1,
    least=37,
    most=973,
    rate=30,
    frames=109,
    steps=30,
    guidance=9.0,
    asked=lambda _, frames: _SECTION * _sections(frames),
    rounds=_sections,
)
