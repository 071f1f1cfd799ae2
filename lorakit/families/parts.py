"""Components that several families have, and what is read off their configurations in the same way."""

from __future__ import annotations

from lorakit.families.family import Configs, Part

_CLIP_WORDS = ("CLIPTokenizer", "CLIPTokenizerFast")
_NETWORK = "diffusion_pytorch_model"

UNET = Part("unet", "diffusers", ("UNet2DConditionModel",), _NETWORK)
VAE = Part("vae", "diffusers", ("AutoencoderKL", "AutoencoderTiny"), _NETWORK)
CLIP = Part("text_encoder", "transformers", ("CLIPTextModel",), "model")
CLIP_WORDS = Part("tokenizer", "transformers", _CLIP_WORDS)
CLIP_WORDS_2 = Part("tokenizer_2", "transformers", _CLIP_WORDS)

# how much the first block may change where the others are skipped: ParaAttention's, where the cache is from
FIRST_BLOCK = 0.08

KL_VAE = Part("vae", "diffusers", ("AutoencoderKL",), _NETWORK)


def transformer(kind: str) -> Part:
    """A denoiser of diffusers' class `kind`."""
    return Part("transformer", "diffusers", (kind,), _NETWORK)


def t5(name: str, *, optional: bool = False) -> Part:
    """T5's encoder."""
    return Part(name, "transformers", ("T5EncoderModel",), "model", optional)


def t5_words(name: str, *, optional: bool = False) -> Part:
    """T5's tokenizer."""
    kinds = ("T5TokenizerFast", "T5Tokenizer")
    return Part(name, "transformers", kinds, optional=optional)


def qwen_words(name: str = "tokenizer") -> Part:
    """Qwen's tokenizer."""
    return Part(name, "transformers", ("Qwen2Tokenizer", "Qwen2TokenizerFast"))


def projected(name: str) -> Part:
    """CLIP's text encoder with the projection that pools its words."""
    return Part(name, "transformers", ("CLIPTextModelWithProjection",), "model")


def unet_size(configs: Configs, latents: int) -> tuple[int, int]:
    """The width and height in px that a UNet was trained at; `latents` wide where it does not say."""
    size = configs.get("unet", {}).get("sample_size") or latents
    height, width = size if isinstance(size, list | tuple) else (size, size)
    factor = latent_factor(configs)
    return int(width) * factor, int(height) * factor


def picture_size(configs: Configs) -> tuple[int, int]:
    """The width and height in px that an autoencoder says it was trained at, 1024 where it does not."""
    size = configs.get("vae", {}).get("sample_size") or 1024
    height, width = size if isinstance(size, list | tuple) else (size, size)
    return int(width), int(height)


def latent_factor(configs: Configs) -> int:
    """How many px a latent is wide."""
    vae = configs.get("vae", {})
    blocks = vae.get("block_out_channels") or vae.get("decoder_block_out_channels") or [0] * 4
    return int(2 ** (len(blocks) - 1))


def clip_limit(configs: Configs) -> int:
    """The most tokens that all text encoders of CLIP read."""
    encoders = [part for name, part in configs.items() if name.startswith("text_encoder")]
    return min((int(part.get("max_position_embeddings", 77)) for part in encoders), default=77)
