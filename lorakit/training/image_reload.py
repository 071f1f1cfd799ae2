"""Whether what was trained on pictures arrives in a fresh process, by public loaders.

A LoRA goes through diffusers' own loader, a LoHa or LoKr through PEFT's, a whole model is a folder. What the
denoiser then predicts is compared with what the trained one predicted, and with what it says untrained: a
small training must not be lost behind a tolerance.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lorakit.diagnostics import LorakitError
from lorakit.facts.adapters import PEFT_SETTINGS
from lorakit.facts.machine.devices import HOST
from lorakit.families import FAMILIES
from lorakit.models.processor import exact_fp32
from lorakit.plan.engine_specs import Keeping
from lorakit.training.image_task import ImageTask
from lorakit.training.reload import in_fresh_process

TOLERANCE = 1e-3  # of the greatest value predicted: other sums in another process
# the same where the model is kept in bf16: DoRA's norms came to 0.009, and of LoRA nothing differed, since
# autocast rounds what is trained as the loaders round it
_TOLERANCE_LOW = 0.02
_LOST = 0.01  # of what the training changed: so much of it may not arrive
_ROUNDING = 4  # times what the two processes differ by about the untrained model may be rounding
_LEAST = 1e-6  # of the greatest value predicted
_LOW = (torch.bfloat16, torch.float16)
Probe = Mapping[str, Any]


def probe_of(task: ImageTask) -> Probe:
    """One picture of the training as the networks are given it."""
    batch = task.batch(0)
    kept = {k: v[:1] for k, v in batch.items() if k in ("embeds", "pooled", "time_ids", "captions")}
    return {"noisy": batch["mean"][:1], "times": torch.tensor([500]), **kept}


@torch.no_grad()  # no inference mode: what modules keep of a call may be trained with later
def predicted(networks: Any, probe: Probe) -> Tensor:
    """What networks say of (1, C, h, w) latents, in fp32 on the CPU."""
    networks.eval()
    device = next(networks.parameters()).device
    given: dict[str, Any] = {
        k: v.to(device) if isinstance(v, Tensor) else v for k, v in probe.items()
    }
    # what is kept in low precision is asked in it
    low = next((p.dtype for p in networks.parameters() if p.dtype in _LOW), None)
    with exact_fp32(), torch.autocast(device.type, low, enabled=low is not None):
        said: Tensor = networks(given.pop("noisy"), given.pop("times"), **given)
    return said.float().cpu().clone()


def check(
    what: Path,
    base: Path,
    family: str,
    probe: Probe,
    expected: Tensor,
    untrained: Tensor,
    encoded: Mapping[str, int] | None = None,
    device: str = HOST,
    parts: str = "",
    kept: tuple[str, int] = ("fp32", 0),
) -> float:
    """The greatest difference, as a share of the greatest value. Raises LorakitError.

    `what` is an adapter's file, or the folder of a whole model; `untrained` is what the networks predicted
    before the training, on this `device`; `encoded` says how captions are, `parts` where `base` takes what it
    lacks from, `kept` in which precision it is, rounded to so many bits.
    """
    tensors = {name: value for name, value in probe.items() if isinstance(value, Tensor)}
    tensors |= {"expected": expected, "untrained": untrained}
    words = {"what": str(what), "base": str(base), "parts": parts, "family": family}
    words |= {"device": device, "frozen": kept[0], "bits": f"{kept[1]}"}
    request = {**words, "captions": list(probe.get("captions", [])), "encoded": dict(encoded or {})}
    found = in_fresh_process("train-image", what.parent, request, tensors)
    return judged(found, low=kept[0] != "fp32")


def judged(apart: Mapping[str, float], *, low: bool = False) -> float:
    """The difference of what `differences` found. Raises LorakitError where it is too great."""
    difference, effect = apart["difference"], apart["effect"]
    if not difference <= (_TOLERANCE_LOW if low else TOLERANCE):
        raise LorakitError(
            f"what was saved draws something else once it is loaded: {difference:.2g}"
        )
    if not difference <= max(_LOST * effect, _ROUNDING * apart["rounding"], _LEAST):
        raise LorakitError(
            "what was learnt does not arrive where it is loaded: the training changed "
            f"{effect:.2g}, and {difference:.2g} of it is missing"
        )
    return difference


def loaded(
    what: Path,
    base: Path,
    family: str,
    device: str = HOST,
    without: Sequence[str] = (),
    parts: str = "",
    kept: tuple[str, int] = ("fp32", 0),
) -> Any:
    """A pipeline with what was saved, by the loaders that other programs use, `without` some parts."""
    from lorakit.models.loading import load_pipeline

    if what.is_dir():
        return load_pipeline(what, family, "fp32", device)
    pipeline = load_pipeline(
        base, family, kept[0], device, parts=parts, without=without, keeping=Keeping(kept[1])
    )
    if what.with_name(PEFT_SETTINGS).is_file():
        from peft import PeftModel

        denoiser = FAMILIES[family].denoiser
        worn = PeftModel.from_pretrained(getattr(pipeline, denoiser), str(what.parent))
        setattr(pipeline, denoiser, worn)
    else:
        pipeline.load_lora_weights(str(what.parent), weight_name=what.name, adapter_name="a")
    return pipeline


def compared(words: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> dict[str, float]:
    """The same in a fresh process, as `check` told of it."""
    captions = {"captions": words["captions"]} if words["captions"] else {}
    probe = {**tensors, **captions}
    what, base, family = Path(words["what"]), Path(words["base"]), words["family"]
    kept = (words["frozen"], int(words["bits"]))
    more = (words["encoded"], words["device"], words["parts"], kept)
    return differences(what, base, family, probe, *more)


def differences(
    what: Path,
    base: Path,
    family: str,
    probe: Probe,
    encoded: Mapping[str, int] | None = None,
    device: str = HOST,
    parts: str = "",
    kept: tuple[str, int] = ("fp32", 0),
) -> dict[str, float]:
    """What is saved against what was trained, by a probe with `expected` and `untrained` beside it.

    Shares of the greatest value: `difference` is between the two, `effect` what the training changed,
    `rounding` how much this process differs from the one that trained about the model as it was before.
    """
    from lorakit.models.loading import load_pipeline
    from lorakit.training.networks import Networks

    asked = {k: v for k, v in probe.items() if k not in ("expected", "untrained")}
    expected, untrained = probe["expected"], probe["untrained"]

    def said(pipeline: Any) -> Tensor:
        return predicted(Networks(pipeline, family, text=False, **(encoded or {})), asked)

    def share(one: Tensor, other: Tensor) -> float:
        return float((one - other).abs().max() / expected.abs().max().clamp_min(1e-8))

    # of transformers the words' encoders may be as large
    traits = FAMILIES[family]
    spared = traits.flow is not None and "embeds" in probe
    without = ("vae", *traits.encoders) if spared else ()
    # one after the other: two whole models may not fit
    keeping = Keeping(kept[1])
    before = said(
        load_pipeline(base, family, kept[0], device, parts=parts, without=without, keeping=keeping)
    )
    gc.collect()
    after = said(loaded(what, base, family, device, without, parts, kept))
    return {
        "difference": share(after, expected),
        "effect": share(expected, untrained),
        "rounding": share(before, untrained),
    }
