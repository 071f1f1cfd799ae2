"""Qwen-Image-Edit: Qwen-Image that is shown a picture, and its Plus form (2509, 2511), shown several.

Wu et al. 2025, https://arxiv.org/abs/2508.02324. Where there is no picture yet they draw as Qwen-Image does,
whose components they have.
"""

from __future__ import annotations

from dataclasses import replace

from lorakit.families.family import Part, Published
from lorakit.families.qwen_image import CONFIGS, OTHERS, PARAMETERS, PARTS, QWEN_IMAGE

_PUBLISHED = Published(CONFIGS, OTHERS, PARAMETERS)

QWEN_IMAGE_EDIT = replace(
    QWEN_IMAGE,
    name="qwen-image-edit",
    title="Qwen-Image-Edit",
    pipelines={"text": "QwenImagePipeline", "reference": "QwenImageEditPipeline"},
    classes=("QwenImageEditPipeline", "QwenImageEditInpaintPipeline"),
    called=("qwen-image-edit",),
    parts=(*PARTS, Part("processor", "transformers", ("Qwen2VLProcessor",), needs="torchvision")),
    references=1,
    trained=False,
    flow=None,
    native=lambda _: (1024, 1024),
    least=0.25,
    published={"Qwen/Qwen-Image-Edit": _PUBLISHED},
)

QWEN_IMAGE_EDIT_PLUS = replace(
    QWEN_IMAGE_EDIT,
    name="qwen-image-edit-plus",
    title="Qwen-Image-Edit-Plus",
    pipelines={"text": "QwenImagePipeline", "reference": "QwenImageEditPlusPipeline"},
    classes=("QwenImageEditPlusPipeline",),
    called=("qwen-image-edit-25",),
    references=3,
    published={
        "Qwen/Qwen-Image-Edit-2509": _PUBLISHED,
        "Qwen/Qwen-Image-Edit-2511": _PUBLISHED,
    },
)
