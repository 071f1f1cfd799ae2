"""Both engines on the simulated accelerator: the CPU's pictures, and no step waits for the device."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from safetensors.torch import load_file

from lorakit.facts.models.model_configs import read_config
from lorakit.families import BY_CLASS
from lorakit.plan.schedulers import SCHEDULERS
from lorakit.rendering.drawing import drawing_engine
from tests.support import drawing
from tests.support.forked import forked
from tests.support.simulated import NAME
from tests.support.simulated_device import product_on_accelerator
from tests.support.tiny_transformers import KINDS
from tests.support.waits import asked, not_allowed
from tests.unit.families.test_drawn import FROM_LATENTS, draw, task
from tests.unit.families.test_drawn import spec as call_spec

pytestmark = pytest.mark.filterwarnings("ignore")

# what the host waits for once a frame, and why
A_FRAME = {
    "lorakit/rendering/engine.py:_finish": "its latents are a result",
    "lorakit/rendering/engine.py:_decode": "and so is its picture",
    "lorakit/rendering/wave.py:advance_trying": "whether a smaller call gives the same bits",
    "lorakit/rendering/call_engine.py:_unpacked": "its latents are a result",
    "lorakit/rendering/call_engine.py:decoded": "whether its pixels are numbers",
    "lorakit/rendering/encoded_once.py:_name_of": "whether its words were read before, while nothing is under way",
    "diffusers/image_processor.py:pt_to_numpy": "and so is its picture",
    # the pipelines' own, which a frame is to equal to the byte
    "diffusers/schedulers/scheduling_flow_match_euler_discrete.py:index_for_timestep": "the first step's place",
    "diffusers/pipelines/qwenimage/pipeline_qwenimage.py:_extract_masked_hidden": "how long prompts are",
    "diffusers/pipelines/qwenimage/pipeline_qwenimage.py:encode_prompt": "whether none is padded",
    "diffusers/pipelines/z_image/pipeline_z_image.py:_encode_prompt": "how long prompts are",
    "transformers/masking_utils.py:_ignore_causal_mask_sdpa": "whether a mask hides anything",
    "transformers/masking_utils.py:_ignore_bidirectional_mask_sdpa": "whether a mask hides anything",
}
# and at every step
A_STEP = {
    "diffusers/pipelines/z_image/pipeline_z_image.py:__call__": (
        "the pipeline asks how far it is, for its guidance's end"
    ),
}


# the others of their kinds are slow tests
QUICK = ("default", "euler_ancestral_discrete", "heun_discrete", "unipc_multistep")
FAMILIES_ONCE = ("chroma", "flux-dev", "flux2-klein", "qwen-image", "sd3", "z-image")


def one_of(name: str, quick: Sequence[str]) -> Any:
    """A parameter, slow where it is none of the quick ones."""
    lacking = "edit" in name and find_spec("torchvision") is None
    marks = [pytest.mark.skipif(lacking, reason="torchvision is not there")]
    return pytest.param(name, marks=marks if name in quick else [*marks, pytest.mark.slow])


def apart(one: Path, other: Path) -> int:
    """How far two pictures are from each other, in levels of 255."""
    with Image.open(one) as left, Image.open(other) as right:
        return max(high for _, high in ImageChops.difference(left, right).getextrema())


def drawn(engine: Any, out: Path, **frame: Any) -> Path:
    ended = drawing.draw(engine, out, **frame)
    assert "outputs" in ended, ended
    return Path(ended["outputs"]["picture"])


def wave_engine(folder: Path, device: str, **more: Any) -> Any:
    return drawing_engine(replace(drawing.spec(folder, **more), device=device), lambda *_: None)


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", [one_of(n, QUICK) for n in ("default", *SCHEDULERS)])
@forked
def test_a_wave_crosses_to_the_host_once_a_frame(
    tiny_sd: Path, tmp_path: Path, scheduler: str
) -> None:
    frame = {"scheduler": scheduler, "num_inference_steps": 5}
    here = drawn(wave_engine(tiny_sd, "cpu", batch_size=1), tmp_path / "here", **frame)
    with product_on_accelerator() as device:
        engine = wave_engine(tiny_sd, NAME, batch_size=1)
        device.waits.clear()
        there = drawn(engine, tmp_path / "there", **frame)
        found = asked(device.waits)
    assert set(found) == {
        "lorakit/rendering/engine.py:_finish",
        "lorakit/rendering/engine.py:_decode",
    }
    assert set(found.values()) == {1}
    assert apart(here, there) <= 1


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sd", "sdxl"])
@forked
def test_frames_of_a_wave_that_are_chained_and_share_calls(
    request: pytest.FixtureRequest, tmp_path: Path, family: str
) -> None:
    folder = request.getfixturevalue(f"tiny_{family}")

    def chain(device: str) -> list[Path]:
        engine = wave_engine(folder, device, family=family, batch_size=4)
        first = drawn(engine, tmp_path / device / "first", batch_size=4)
        start = first.with_suffix(".safetensors")
        pictures = [first]
        for number, scale in enumerate((5.0, 1.0)):
            out = tmp_path / device / f"{number}"
            out.mkdir(parents=True)
            told = task("sd3", width=64, height=64, guidance_scale=scale, strength=0.6, noise=9)
            told = replace(told, num_inference_steps=4, scheduler="euler_ancestral_discrete")
            shown = {"start": str(start)}
            if scale > 1:  # its self-attention sees the first frame
                told = replace(told, shared_attention=(("a fox on mars", 4),))
                shown["shared_1"] = str(start)
            _, files = draw(engine, out, told, **shown)
            pictures.append(Path(files["picture"]))
        return pictures

    here = chain("cpu")
    with product_on_accelerator() as device:
        there = chain(NAME)
        assert not not_allowed(asked(device.waits), A_FRAME)
    assert max(map(apart, here, there)) <= 1


def family_of(folder: Path) -> Any:
    return BY_CLASS[str(read_config(folder, "model_index.json")["_class_name"])]


def of_steps(engine: Any, device: Any, out: Path, kind: str, **inputs: str) -> Mapping[str, int]:
    """What more is waited for where a frame has two steps more, and what at all."""
    counts = []
    for steps in (2, 4):
        device.waits.clear()
        draw(engine, out / f"{steps}", task(kind, num_inference_steps=steps), **inputs)
        counts.append(asked(device.waits))
    assert not not_allowed(counts[0], {**A_FRAME, **A_STEP})
    return counts[1] - counts[0]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [one_of(kind, FAMILIES_ONCE) for kind in sorted(KINDS)])
@forked
def test_a_call_is_the_cpu_s_and_no_step_of_it_waits(
    tiny_transformer: Callable[[str], Path], tmp_path: Path, kind: str
) -> None:
    folder = tiny_transformer(kind)
    family = family_of(folder)
    here = drawing_engine(call_spec(family, folder), lambda *_: None)
    expected = Path(draw(here, tmp_path / "here", task(kind))[1]["picture"])
    with product_on_accelerator() as device:
        engine = drawing_engine(call_spec(family, folder, device=NAME), lambda *_: None)
        more = of_steps(engine, device, tmp_path, kind)
        assert not not_allowed(more, A_STEP)
        latents = load_file(tmp_path / "2" / "k.safetensors")["latents"]
        if kind in FROM_LATENTS:
            start = str(tmp_path / "2" / "k.safetensors")
            chained, files = draw(
                engine, tmp_path / "next", task(kind, noise=9, strength=0.5), start=start
            )
            assert chained
            assert load_file(files["latents"])["latents"].shape == latents.shape
    assert apart(expected, tmp_path / "2" / "k.png") <= 1
