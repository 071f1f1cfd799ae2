"""What waits beside the device until it is needed: not one byte of a frame tells of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from lorakit.families import FAMILIES
from lorakit.plan.engine_specs import Keeping
from lorakit.rendering.call_engine import CallEngine
from lorakit.rendering.drawing import drawing_engine
from tests.support import drawing
from tests.unit.families.test_drawn import draw, quiet, spec, task

pytestmark = pytest.mark.filterwarnings("ignore")
KINDS = {"flux-dev": "flux", "sd3": "sd3"}


def family_of(kind: str) -> Any:
    return FAMILIES[KINDS[kind]]


def both(engine: Any, kind: str, out: Path) -> list[bytes]:
    """A frame from words, one that begins from it, and one from words once more."""
    first, files = draw(engine, out / "first", task(kind))
    chained = task(kind, noise=9, strength=0.6)
    return [
        first,
        draw(engine, out / "next", chained, start=files["latents"])[0],
        draw(engine, out / "again", task(kind, noise=11))[0],
    ]


@pytest.mark.slow
@pytest.mark.parametrize("offload", ["model", "group"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_frames_are_the_same_whatever_waits_beside_the_device(
    kind: str, offload: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder, family = tiny_transformer(kind), family_of(kind)
    whole = both(drawing_engine(spec(family, folder), quiet()), kind, tmp_path / "whole")
    engine = drawing_engine(spec(family, folder, keeping=Keeping(offload=offload)), quiet())
    assert isinstance(engine, CallEngine)
    assert both(engine, kind, tmp_path / offload) == whole
    # it was diffusers' own hooks that did it
    denoiser = engine._components.transformer
    if offload == "group":
        hooks = [m._diffusers_hook for m in denoiser.modules() if hasattr(m, "_diffusers_hook")]
        assert any(hook.get_hook("group_offloading") for hook in hooks)
    else:
        assert denoiser._hf_hook.execution_device == torch.device("cpu:0")


@pytest.mark.slow
@pytest.mark.parametrize("offload", ["model", "group"])
def test_waves_are_the_same_whatever_waits(offload: str, tiny_sd: Path, tmp_path: Path) -> None:
    found = {}
    for how in ("none", offload):
        engine = drawing_engine(drawing.spec(tiny_sd, keeping=Keeping(offload=how)), quiet())
        ended = drawing.draw(engine, tmp_path / how)
        latents = load_file(ended["outputs"]["latents"])["latents"]
        found[how] = (Path(ended["outputs"]["picture"]).read_bytes(), latents)
    assert found["none"][0] == found[offload][0]
    assert torch.equal(found["none"][1], found[offload][1])
