"""ComfyUI's nodes as it documents them, and what it asks of a workflow before it runs one.

Names, inputs and bounds are those of nodes.py and comfy/samplers.py of github.com/comfyanonymous/ComfyUI
(commit e60e19b; CLIPLoader's list of types is longer in later ones), as facts; none of its code is here.
"""

from __future__ import annotations

from typing import Any

SAMPLERS = [
    "euler",
    "euler_cfg_pp",
    "euler_ancestral",
    "euler_ancestral_cfg_pp",
    "heun",
    "heunpp2",
    "dpm_2",
    "dpm_2_ancestral",
    "lms",
    "dpm_fast",
    "dpm_adaptive",
    "dpmpp_2s_ancestral",
    "dpmpp_sde",
    "dpmpp_2m",
    "dpmpp_2m_sde",
    "dpmpp_3m_sde",
    "ddpm",
    "lcm",
    "ipndm",
    "ipndm_v",
    "deis",
    "ddim",
    "uni_pc",
    "uni_pc_bh2",
]
SCHEDULERS = ["normal", "karras", "exponential", "sgm_uniform", "simple", "ddim_uniform", "beta"]
FILE = "a file's name"
# a type that comes by a link, a list of choices, or (type, least, most)
INPUTS: dict[str, dict[str, Any]] = {
    "CheckpointLoaderSimple": {"ckpt_name": FILE},
    "UNETLoader": {"unet_name": FILE, "weight_dtype": ["default", "fp8_e4m3fn", "fp8_e5m2"]},
    "CLIPLoader": {
        "clip_name": FILE,
        "type": ["stable_diffusion", "stable_cascade", "sd3", "stable_audio"],
    },
    "DualCLIPLoader": {"clip_name1": FILE, "clip_name2": FILE, "type": ["sdxl", "sd3", "flux"]},
    "VAELoader": {"vae_name": FILE},
    "LoraLoader": {
        "model": "MODEL",
        "clip": "CLIP",
        "lora_name": FILE,
        "strength_model": (float, -100, 100),
        "strength_clip": (float, -100, 100),
    },
    "ModelSamplingDiscrete": {
        "model": "MODEL",
        "sampling": ["eps", "v_prediction", "lcm", "x0"],
        "zsnr": bool,
    },
    "CLIPSetLastLayer": {"clip": "CLIP", "stop_at_clip_layer": (int, -24, -1)},
    "CLIPTextEncode": {"text": str, "clip": "CLIP"},
    "EmptyLatentImage": {
        "width": (int, 16, 16384),
        "height": (int, 16, 16384),
        "batch_size": (int, 1, 4096),
    },
    "LatentBlend": {"samples1": "LATENT", "samples2": "LATENT", "blend_factor": (float, 0, 1)},
    "KSampler": {
        "model": "MODEL",
        "seed": (int, 0, 0xFFFFFFFFFFFFFFFF),
        "steps": (int, 1, 10000),
        "cfg": (float, 0, 100),
        "sampler_name": SAMPLERS,
        "scheduler": SCHEDULERS,
        "positive": "CONDITIONING",
        "negative": "CONDITIONING",
        "latent_image": "LATENT",
        "denoise": (float, 0, 1),
    },
    "VAEDecode": {"samples": "LATENT", "vae": "VAE"},
    "SaveImage": {"images": "IMAGE", "filename_prefix": str},
}
OUTPUTS = {
    "CheckpointLoaderSimple": ["MODEL", "CLIP", "VAE"],
    "UNETLoader": ["MODEL"],
    "CLIPLoader": ["CLIP"],
    "DualCLIPLoader": ["CLIP"],
    "VAELoader": ["VAE"],
    "LoraLoader": ["MODEL", "CLIP"],
    "ModelSamplingDiscrete": ["MODEL"],
    "CLIPSetLastLayer": ["CLIP"],
    "CLIPTextEncode": ["CONDITIONING"],
    "EmptyLatentImage": ["LATENT"],
    "LatentBlend": ["LATENT"],
    "KSampler": ["LATENT"],
    "VAEDecode": ["IMAGE"],
    "SaveImage": [],
}


def complaints(prompt: dict[str, Any]) -> list[str]:
    """What ComfyUI would refuse: unknown nodes, inputs that lack or are not there, types, bounds, circles."""
    found = []
    for number, node in prompt.items():
        if node.get("class_type") not in INPUTS:
            found.append(f"{number}: no node {node.get('class_type')}")
            continue
        asked, given = INPUTS[node["class_type"]], node["inputs"]
        if set(asked) != set(given):
            found.append(f"{number}: inputs {sorted(given)}")
        found += [
            f"{number}.{name}: {given[name]!r}"
            for name in asked
            if not _fits(asked[name], given.get(name), prompt)
        ]
    if not any(node["class_type"] == "SaveImage" for node in prompt.values()):
        found.append("nothing is put out")
    return found + _circles(prompt)


def _fits(asked: Any, value: Any, prompt: dict[str, Any]) -> bool:
    if asked is FILE:
        return isinstance(value, str) and value.endswith(".safetensors")
    if asked is bool:
        return isinstance(value, bool)
    if asked is str:
        return isinstance(value, str)
    if isinstance(asked, list):
        return value in asked
    if isinstance(asked, tuple):
        kind, least, most = asked
        whole = isinstance(value, int) and not isinstance(value, bool)
        return (whole or (kind is float and isinstance(value, float))) and least <= value <= most
    if not isinstance(value, list) or len(value) != 2 or value[0] not in prompt:
        return False
    outputs = OUTPUTS[prompt[value[0]]["class_type"]]
    return value[1] < len(outputs) and outputs[value[1]] == asked


def _circles(prompt: dict[str, Any]) -> list[str]:
    from graphlib import CycleError, TopologicalSorter

    links = {
        number: {value[0] for value in node["inputs"].values() if isinstance(value, list)}
        for number, node in prompt.items()
    }
    try:
        list(TopologicalSorter(links).static_order())
    except CycleError as error:
        return [str(error)]
    return []
