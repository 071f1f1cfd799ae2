"""The parts that several tiny transformers' pipelines share: T5, the autoencoder, the scheduler."""

from __future__ import annotations

from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler
from transformers import T5Config, T5EncoderModel

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
