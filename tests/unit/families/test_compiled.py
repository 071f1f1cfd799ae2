"""What `speed: fast` does: blocks that are skipped or compiled, by diffusers and by torch's own compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import diffusers
import pytest
import torch
from diffusers.hooks._helpers import TransformerBlockRegistry
from diffusers.models.cache_utils import CacheMixin

from lorakit.families import FAMILIES
from lorakit.plan.engine_specs import Keeping
from lorakit.plan.tasks.job import Job
from lorakit.rendering.drawing import drawing_engine
from tests.unit.families.test_drawn import by_hand, draw, loaded, quiet, spec, task

pytestmark = pytest.mark.filterwarnings("ignore")
TINY = {
    "flux": "flux-dev",
    "sd3": "sd3",
    "qwen-image": "qwen-image",
    "z-image": "z-image",
    "chroma": "chroma",
    "flux-kontext": "flux-kontext",
    "flux2-klein": "flux2-klein",
}
TRANSFORMERS = sorted(name for name, family in FAMILIES.items() if family.engine == "calls")
STEPS = {"num_inference_steps": 4}


def transformer_of(name: str) -> Any:
    """diffusers' class of a family's transformer."""
    (part,) = (part for part in FAMILIES[name].parts if part.name == FAMILIES[name].denoiser)
    return getattr(diffusers, part.classes[0])


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_blocks_are_compiled_where_diffusers_names_them(name: str) -> None:
    assert FAMILIES[name].compiles == bool(transformer_of(name)._repeated_blocks)


@pytest.mark.parametrize("name", [n for n in TRANSFORMERS if FAMILIES[n].block_cache])
def test_blocks_are_skipped_only_where_diffusers_can(name: str) -> None:
    kind = transformer_of(name)
    assert issubclass(kind, CacheMixin)
    TransformerBlockRegistry._register()
    known = {block.__name__ for block in TransformerBlockRegistry._registry}
    assert known >= set(kind._repeated_blocks)


@pytest.fixture
def compiler() -> Iterator[None]:
    """torch's compiler, with nothing that was compiled before."""
    torch.compiler.reset()
    torch._dynamo.utils.counters.clear()
    yield
    torch.compiler.reset()


@pytest.mark.slow
@pytest.mark.usefixtures("compiler")
@pytest.mark.parametrize("name", sorted(TINY))
def test_fast_frames_are_drawn_by_every_family(
    name: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    kind, family = TINY[name], FAMILIES[name]
    folder = tiny_transformer(kind)
    fast = Keeping(compiled=family.compiles, block_cache=family.block_cache)
    engine = drawing_engine(spec(family, folder, keeping=fast), quiet())
    found, _ = draw(engine, tmp_path / "fast", task(kind, **STEPS))
    assert (torch._dynamo.utils.counters["frames"]["ok"] > 0) == family.compiles
    # what is kept of one frame is forgotten before the next
    assert found == draw(engine, tmp_path / "again", task(kind, **STEPS))[0]
    skips = Keeping(block_cache=family.block_cache)
    uncompiled = drawing_engine(spec(family, folder, keeping=skips), quiet())
    usual, _ = draw(uncompiled, tmp_path / "usual", task(kind, **STEPS))
    assert max(abs(a - b) for a, b in zip(found, usual, strict=True)) <= 2  # of 255


@pytest.mark.slow
@pytest.mark.usefixtures("compiler")
def test_a_compiled_frame_is_what_diffusers_draws_with_compiled_blocks(
    tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    folder = tiny_transformer("flux-dev")
    given = spec(FAMILIES["flux"], folder, keeping=Keeping(compiled=True))
    found, _ = draw(drawing_engine(given, quiet()), tmp_path, task("flux-dev"))
    pipeline = loaded(folder)
    pipeline.transformer.compile_repeated_blocks()
    assert found == by_hand(pipeline, "flux-dev")


CACHED = sorted(name for name in TINY if FAMILIES[name].block_cache)


def draw_next(engine: Any, kind: str, out: Path, files: dict[str, str]) -> bytes:
    """The pixels of a frame that follows another, from its latents or by its picture."""
    if engine._family.references:
        return draw(
            engine, out / "next", task(kind, noise=9, **STEPS), reference_1=files["picture"]
        )[0]
    chained = task(kind, noise=9, strength=0.9, **STEPS)
    return draw(engine, out / "next", chained, start=files["latents"])[0]


@pytest.mark.parametrize("name", CACHED)
def test_frames_of_every_sort_keep_what_the_cache_kept_apart(
    name: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    """From words, from another frame or by its picture: where nothing is ever skipped, all is exact."""
    kind, family = TINY[name], FAMILIES[name]
    folder = tiny_transformer(kind)
    pictures = []
    for cache in (0.0, 1e-9, 0.9):
        out = tmp_path / f"{cache}"
        keeping = Keeping(block_cache=cache)
        engine = drawing_engine(spec(family, folder, keeping=keeping), quiet())
        first, files = draw(engine, out / "first", task(kind, **STEPS))
        pictures.append((first, draw_next(engine, kind, out, files)))
    exact, never, often = pictures
    assert never == exact
    assert all(one != other for one, other in zip(often, exact, strict=True))


@pytest.mark.parametrize("name", CACHED)
def test_a_frame_that_was_left_in_its_middle_leaves_nothing_to_the_next(
    name: str, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    kind, family = TINY[name], FAMILIES[name]
    given = spec(family, tiny_transformer(kind), keeping=Keeping(block_cache=0.9))
    goes_on = True
    engine = drawing_engine(given, lambda *_: goes_on)
    whole, _ = draw(engine, tmp_path / "whole", task(kind, **STEPS))
    goes_on = False
    engine.submit(Job("a", "k", task(kind, noise=9, **STEPS), {}, tmp_path))
    assert list(engine.step()) == []
    engine.drop()
    goes_on = True
    assert draw(engine, tmp_path / "again", task(kind, **STEPS))[0] == whole


@pytest.mark.slow
@pytest.mark.parametrize("offload", ["model", "group"])
@pytest.mark.parametrize("name", CACHED)
def test_the_cache_works_on_weights_that_wait_beside_the_device(
    name: str, offload: Any, tiny_transformer: Callable[[str], Path], tmp_path: Path
) -> None:
    kind, family = TINY[name], FAMILIES[name]
    drawn = []
    for where in ("none", offload):
        keeping = Keeping(block_cache=0.9, offload=where)
        engine = drawing_engine(spec(family, tiny_transformer(kind), keeping=keeping), quiet())
        _, files = draw(engine, tmp_path / where / "first", task(kind, **STEPS))
        drawn.append(draw_next(engine, kind, tmp_path / where, files))
    # on a CPU a product's last bits may tell where in memory a weight lies, and the hooks move some
    assert max(abs(a - b) for a, b in zip(*drawn, strict=True)) <= 1
