"""Networks at full size on the simulated accelerator, trained and drawn with by lorakit, and what torch counts of it.

Their numbers are not there: shapes and types alone, so that a network of any size fits. Before their first step back
torch counts devices once: in a process that went back before, there is none (`tests/support/forked.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
from torch import Tensor, nn
from torch.distributed._tools.mem_tracker import MemTracker

from lorakit.families import FAMILIES
from tests.support.simulated import DEVICE, NAME, OnDevice

WORDS = {"sd": 77, "sdxl": 77, "flux": 512}  # tokens that each is told


class Tracker(MemTracker):
    """torch's own, which sums up for each module as well, at a cost that grows with their number squared."""

    def _update_peak_stats(self, peak_state: Any) -> None:
        snapshots, self.memory_tracking = self.memory_tracking, {}  # type: ignore[assignment]
        super()._update_peak_stats(peak_state)
        self.memory_tracking = snapshots

    def _track_module_params_and_buffers(
        self, module: nn.Module, install_grad_hooks: bool = True
    ) -> tuple[int, int]:
        """Without hooks, which weights that are not trained do not take: gradients count as passing."""
        del install_grad_hooks
        return super()._track_module_params_and_buffers(module, install_grad_hooks=False)

    def peak(self) -> int:
        """Bytes of the device at its peak so far."""
        found = self.get_tracker_snapshot("peak")
        totals = [told for device, told in found.items() if device.type == NAME]
        return int(totals[0]["Total"]) if totals else 0


def network(kind: str, config: Mapping[str, Any], dtype: torch.dtype) -> Any:
    """A network of diffusers on the device."""
    import diffusers

    with torch.device("meta"):
        made = getattr(diffusers, kind).from_config(dict(config))
    return placed(made, dtype)


def placed(made: nn.Module, dtype: torch.dtype) -> nn.Module:
    """Move a network of the meta device to the simulated one, a tensor at a time."""
    assert DEVICE.fake is not None, "full-size networks have no values"

    def there(tensor: Tensor) -> Tensor:
        assert DEVICE.fake is not None
        wanted = dtype if tensor.is_floating_point() else tensor.dtype
        with DEVICE.fake:
            return OnDevice(torch.empty(tensor.shape, dtype=wanted))

    for module in made.modules():
        for name, weight in list(module._parameters.items()):
            if weight is not None:
                module._parameters[name] = nn.Parameter(there(weight), requires_grad=False)
        for name, buffer in list(module._buffers.items()):
            if buffer is not None:
                module._buffers[name] = there(buffer)
    return made.eval()


def pipeline(name: str, config: Mapping[str, Any], dtype: torch.dtype) -> Any:
    """A family's pipeline with a denoiser, a scheduler and nothing else."""
    import diffusers

    family = FAMILIES[name]
    kind = family.part(family.denoiser).classes[0]
    parts: dict[str, Any] = {part.name: None for part in family.parts}
    parts[family.denoiser] = network(kind, config, dtype)
    if family.flow is None:
        return SimpleNamespace(**parts, scheduler=diffusers.DDPMScheduler())
    made = getattr(diffusers, family.classes[0])(
        **parts, scheduler=diffusers.FlowMatchEulerDiscreteScheduler()
    )
    made.vae_scale_factor = 8
    return made


def told(name: str, config: Mapping[str, Any], rows: int) -> dict[str, Tensor]:
    """What a denoiser is told of words, on the CPU."""
    wide = int(config.get("cross_attention_dim") or config.get("joint_attention_dim", 4096))
    found = {"embeds": torch.zeros(rows, WORDS[name], wide)}
    if FAMILIES[name].pooled:
        pooled = int(config["projection_class_embeddings_input_dim"]) - 6 * 256
        found |= {"pooled": torch.zeros(rows, pooled), "time_ids": torch.zeros(rows, 6)}
    elif name == "flux":
        found["pooled"] = torch.zeros(rows, int(config.get("pooled_projection_dim", 768)))
    return found


def trained(
    name: str,
    config: Mapping[str, Any],
    side: int,
    rows: int,
    *,
    checkpointed: bool = False,
    asked: bool = False,
) -> tuple[int, int]:
    """Bytes at the peak of two steps of a LoRA of rank 16 in bf16, and of them those of the device's weights.

    `side` is in px. Where it is `asked`, what the networks say untrained counts as well. The loop, networks, adapters and losses are lorakit's own.
    """
    from lorakit.training import image_model
    from lorakit.training.flow_task import FlowTask
    from lorakit.training.image_reload import predicted
    from lorakit.training.image_task import ImageTask
    from lorakit.training.loop import Loop
    from lorakit.training.networks import Networks
    from lorakit.training.task import LoopSettings

    family = FAMILIES[name]
    made = pipeline(name, config, torch.bfloat16 if family.flow else torch.float32)
    lora = SimpleNamespace(
        peft_type="lora",
        rank=16,
        alpha=16,
        dropout=0.0,
        use_rslora=False,
        use_dora=False,
        target_modules=list(family.targets),
    )
    task: Any = SimpleNamespace(
        family=name,
        model_path="",
        model_parts="",
        frozen="bf16" if family.flow else "",
        weight_bits=0,
        device=NAME,
        precision="bf16",
        train_text_encoder=False,
        seed=1,
        lora=lora,
        train=SimpleNamespace(gradient_checkpointing=checkpointed),
    )
    with patch.object(image_model, "load_pipeline", lambda *_, **__: made):
        image_model.build(task, words=False)
    networks = Networks(made, name, text=False)
    channels = 16 if family.flow else 4
    batch = {
        "mean": torch.zeros(rows, channels, side // 8, side // 8),
        **told(name, config, rows),
    }
    kind = FlowTask if family.flow else ImageTask
    learner = kind(networks, made.scheduler, SimpleNamespace(batch=lambda _: dict(batch)))  # type: ignore[arg-type]
    tracker = Tracker()
    if asked:
        probe = {"noisy": batch["mean"][:1], "times": torch.tensor([500])}
        tracker.track_external(networks)
        with tracker:
            predicted(networks, probe | {n: t[:1] for n, t in batch.items() if n != "mean"})
        tracker.reset_mod_stats()
    before = tracker.peak()
    settings = LoopSettings(steps=2, seed=1, learning_rate=1e-4, device=NAME, precision="bf16")
    loop = Loop(learner, settings)
    weights = sum(p.numel() * p.element_size() for p in networks.parameters())
    tracker = Tracker()
    tracker.track_external(networks)
    with tracker:
        for _ in range(settings.steps):
            loop.step()
            tracker.reset_mod_stats()
    return max(before, tracker.peak()), weights


def called(name: str, config: Mapping[str, Any], side: int, rows: int) -> tuple[int, int]:
    """Bytes of a denoiser's weights in bf16, and those that a call of it takes beside them for so many `rows`."""
    family = FAMILIES[name]
    made = pipeline(name, config, torch.bfloat16)
    denoiser = getattr(made, family.denoiser)
    words = {n: t.to(NAME, torch.bfloat16) for n, t in told(name, config, rows).items()}
    channels = 16 if family.flow else 4
    noisy = torch.zeros(rows, channels, side // 8, side // 8).to(NAME, torch.bfloat16)
    from lorakit.training.networks import Networks

    weights = sum(p.numel() * p.element_size() for p in denoiser.parameters())
    networks = Networks(made, name, text=False)
    return weights, _taken(networks, denoiser, noisy, _times(rows), **words)


def decoded(config: Mapping[str, Any], side: int) -> int:
    """Bytes that decoding one picture takes beside the weights of an autoencoder in bf16."""
    vae = network("AutoencoderKL", config, torch.bfloat16)
    latents = torch.zeros(1, int(config["latent_channels"]), side // 8, side // 8)

    class Decoder(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.vae = vae

        def forward(self, latents: Tensor) -> Any:
            return self.vae.decode(latents, return_dict=False)

    return _taken(Decoder(), vae, latents.to(NAME, torch.bfloat16))


def _times(rows: int) -> Tensor:
    return torch.zeros(rows).to(NAME)


def _taken(module: nn.Module, weighed: nn.Module, *inputs: Tensor, **more: Tensor) -> int:
    tracker = Tracker()
    tracker.track_external(module, *inputs, *more.values())
    with torch.no_grad(), tracker:
        module(*inputs, **more)
    return tracker.peak() - sum(p.numel() * p.element_size() for p in weighed.parameters())
