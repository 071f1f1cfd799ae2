"""The loss of a flow, held against the steps of diffusers' published scripts on the same weights and draws.

Which script is a family's own stands in `families/` (examples/dreambooth/ of diffusers, as of its 0.40; the pieces
called here are those of the diffusers that is installed). Each is written out below with diffusers' own parts:
its pipeline encodes the words, its VAE the picture, its scheduler's copy has the timesteps and sigmas, its
training_utils draw the timesteps and weigh the loss.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers.training_utils import (
    compute_density_for_timestep_sampling,
    compute_loss_weighting_for_sd3,
)
from torch import Tensor

from lorakit.families import FAMILIES
from lorakit.training.rank_shard import WHOLE
from tests.support.image_training import encoded, fox_recipe
from tests.support.tiny_transformers import SIDES

pytestmark = pytest.mark.filterwarnings("ignore")

Said = Callable[[Any, Tensor, Tensor, list[str]], Tensor]


def flux(pipeline: Any, noisy: Tensor, timesteps: Tensor, prompts: list[str]) -> Tensor:
    """train_dreambooth_lora_flux.py: --guidance_scale 3.5."""
    kind, model = diffusers.FluxPipeline, pipeline.transformer
    longest = 512 if model.config.guidance_embeds else 256
    embeds, pooled, text_ids = pipeline.encode_prompt(prompts, prompts, max_sequence_length=longest)
    rows, channels, height, width = noisy.shape
    said = model(
        hidden_states=kind._pack_latents(noisy, rows, channels, height, width),
        timestep=timesteps / 1000,
        guidance=torch.tensor([3.5]).expand(rows) if model.config.guidance_embeds else None,
        pooled_projections=pooled,
        encoder_hidden_states=embeds,
        txt_ids=text_ids,
        img_ids=kind._prepare_latent_image_ids(rows, height // 2, width // 2, "cpu", torch.float32),
        return_dict=False,
    )[0]
    return kind._unpack_latents(said, height=height * 8, width=width * 8, vae_scale_factor=8)


def sd3(pipeline: Any, noisy: Tensor, timesteps: Tensor, prompts: list[str]) -> Tensor:
    """train_dreambooth_lora_sd3.py: --precondition_outputs 1, which is below."""
    embeds, _, pooled, _ = pipeline.encode_prompt(
        prompts, prompts, prompts, do_classifier_free_guidance=False, max_sequence_length=256
    )
    return pipeline.transformer(
        hidden_states=noisy,
        timestep=timesteps,
        encoder_hidden_states=embeds,
        pooled_projections=pooled,
        return_dict=False,
    )[0]


def z_image(pipeline: Any, noisy: Tensor, timesteps: Tensor, prompts: list[str]) -> Tensor:
    """train_dreambooth_lora_z_image.py: latents are the mode, prompts of their own lengths, minus what is said."""
    embeds, _ = pipeline.encode_prompt(prompts, do_classifier_free_guidance=False)
    said = pipeline.transformer(
        list(noisy.unsqueeze(2).unbind(dim=0)),
        (1000 - timesteps) / 1000,
        embeds,
        return_dict=False,
    )[0]
    return -torch.stack(said, dim=0).squeeze(2)


def qwen_image(pipeline: Any, noisy: Tensor, timesteps: Tensor, prompts: list[str]) -> Tensor:
    """train_dreambooth_lora_qwen_image.py: a film of one picture, prompts of their own lengths and a mask."""
    kind = diffusers.QwenImagePipeline
    embeds, mask = pipeline.encode_prompt(prompts, max_sequence_length=512)
    rows, channels, height, width = noisy.shape
    film = noisy.unsqueeze(2).permute(0, 2, 1, 3, 4)
    said = pipeline.transformer(
        hidden_states=kind._pack_latents(film, rows, channels, height, width),
        encoder_hidden_states=embeds,
        encoder_hidden_states_mask=mask,
        timestep=timesteps / 1000,
        img_shapes=[(1, height // 2, width // 2)] * rows,
        return_dict=False,
    )[0]
    return kind._unpack_latents(said, height * 8, width * 8, 8)[:, :, 0]


def flux2_klein(pipeline: Any, noisy: Tensor, timesteps: Tensor, prompts: list[str]) -> Tensor:
    """train_dreambooth_lora_flux2_klein.py: the mode, two by two and normed; words of the pipeline's layers."""
    kind, model = diffusers.Flux2KleinPipeline, pipeline.transformer
    embeds, text_ids = pipeline.encode_prompt(prompts, max_sequence_length=512)
    places = kind._prepare_latent_ids(noisy)
    said = model(
        hidden_states=kind._pack_latents(noisy),
        timestep=timesteps / 1000,
        guidance=None,
        encoder_hidden_states=embeds,
        txt_ids=text_ids,
        img_ids=places,
        return_dict=False,
    )[0]
    return kind._unpack_latents_with_ids(said, places)


# kind -> how its script calls the transformer, its weighting scheme, whether it samples latents
SCRIPTS: Mapping[str, tuple[Said, str, bool]] = {
    "flux-dev": (flux, "none", True),
    "flux-schnell": (flux, "none", True),
    "sd3": (sd3, "logit_normal", True),
    "z-image": (z_image, "none", False),
    "qwen-image": (qwen_image, "none", True),
    "flux2-klein": (flux2_klein, "none", False),
}


def latents_of(pipeline: Any, pixels: Tensor, drawn: Tensor | None) -> Tensor:
    """A picture's latents, scaled, as the scripts that sample them do it, or those that take the mode."""
    vae, told = pipeline.vae, pipeline.vae.config
    if isinstance(vae, diffusers.AutoencoderKLQwenImage):
        film = vae.encode(pixels[:, :, None]).latent_dist
        mean = torch.tensor(told.latents_mean).view(1, told.z_dim, 1, 1, 1)
        std = 1.0 / torch.tensor(told.latents_std).view(1, told.z_dim, 1, 1, 1)
        assert drawn is not None
        return ((film.mean + film.std * drawn[:, :, None] - mean) * std)[:, :, 0]
    dist = vae.encode(pixels).latent_dist
    if isinstance(vae, diffusers.AutoencoderKLFlux2):
        patches = diffusers.Flux2KleinPipeline._patchify_latents(dist.mode())
        norm = torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1) + told.batch_norm_eps)
        return (patches - vae.bn.running_mean.view(1, -1, 1, 1)) / norm
    found = dist.mode() if drawn is None else dist.mean + dist.std * drawn
    return (found - told.shift_factor) * told.scaling_factor


@pytest.mark.slow
@pytest.mark.parametrize("kind", SCRIPTS)
def test_the_loss_is_the_published_script_s(
    kind: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    from lorakit.training.image_data import pixels
    from lorakit.training.image_trainer import ImageTrainer

    said, weighting, sampled = SCRIPTS[kind]
    side = SIDES[kind]
    step = f"resolution: {side}, lora: {{rank: 2}}, train: {{max_train_steps: 1, batch_size: 3, precision: fp32}}"
    recipe = fox_recipe(tmp_path, tiny_transformer(kind), step)
    # of several lengths
    (tmp_path / "foxes" / "1.txt").write_text(
        "a fox at 1 on mars beside a wooden door in the forest"
    )
    _, job, _ = encoded(recipe, tmp_path / "scratch")
    learner = ImageTrainer(job).prepare()
    model = learner.model
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in learner.parameters().values():
            parameter.copy_(torch.randn(parameter.shape, generator=rng) * 0.3)
    batch = learner.batch(0)
    found = learner.loss(model, batch, torch.Generator().manual_seed(3), WHOLE)

    # the script's, with the same adapter in a pipeline of its own
    pipeline = diffusers.DiffusionPipeline.from_pretrained(tmp_path / "model")
    pipeline.transformer = model.denoiser
    drawn = torch.Generator().manual_seed(3)
    shape = batch["mean"].shape
    spread = torch.randn(shape, generator=drawn) if sampled else [None] * len(batch["mean"])
    names = learner.names(0)
    with torch.no_grad():
        latents = torch.cat([
            latents_of(pipeline, pixels(tmp_path / "foxes" / name, (side, side)), one if one is None else one[None])
            for name, one in zip(names, spread, strict=True)
        ])  # fmt: skip
    noise = torch.randn(latents.shape, generator=drawn)
    copied = copy.deepcopy(pipeline.scheduler)
    u = compute_density_for_timestep_sampling(
        weighting_scheme=weighting,
        batch_size=3,
        logit_mean=0.0,
        logit_std=1.0,
        mode_scale=1.29,
        generator=drawn,
    )
    timesteps = copied.timesteps[(u * copied.config.num_train_timesteps).long()]
    at = [(copied.timesteps == t).nonzero().item() for t in timesteps]
    sigmas = copied.sigmas[at].reshape(-1, 1, 1, 1)
    noisy = (1.0 - sigmas) * latents + sigmas * noise
    prompts = [
        (tmp_path / "foxes" / name).with_suffix(".txt").read_text().strip() for name in names
    ]
    weights = compute_loss_weighting_for_sd3(weighting_scheme=weighting, sigmas=sigmas)
    found_there, target = said(pipeline, noisy, timesteps, prompts).float(), noise - latents
    if said is sd3:
        found_there, target = found_there * (-sigmas) + noisy, latents
    errors = weights * (found_there - target) ** 2
    expected = errors.reshape(3, -1).mean(1).mean()
    assert float(found) == pytest.approx(float(expected), rel=1e-6)
    # and the timesteps are not one
    assert len(set(timesteps.tolist())) == 3


def test_the_scripts_are_those_that_families_name() -> None:
    told = {FAMILIES[family_of(kind)].flow: said for kind, (said, *_) in SCRIPTS.items()}
    for flow, said in told.items():
        assert flow is not None
        assert (said.__doc__ or "").startswith(flow.script)


def family_of(kind: str) -> str:
    return kind if kind in FAMILIES else kind.partition("-")[0]
