"""How a model is kept on cards of several sizes: what is rounded, what waits, what it takes."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import pytest

from lorakit.diagnostics import InvalidDocument
from lorakit.facts.facts import Facts
from lorakit.facts.files.digests import Unread
from lorakit.facts.machine.this_machine import Card, Machine
from lorakit.facts.models.model_lookup import model_facts
from lorakit.kinds import kind_of
from lorakit.language import load
from lorakit.language.recipe.documents import ModelSource
from lorakit.plan import planner
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.memory_modes import MemoryMode, Needs, chosen
from lorakit.plan.states import Plan
from lorakit.plan.tasks.frame import FrameTask
from tests.support.planning import MACHINE, Memory, facts_for

GIB = 1 << 30


def card(gigabytes: float, free: float | None = None, beside: float = 64) -> Card:
    return Card(*(int(n * GIB) for n in (gigabytes, gigabytes if free is None else free, beside)))


def machine(card: Card | None) -> Machine:
    if card is None:
        return MACHINE
    return Machine("cuda", "cuda-test", "a card", fast_bf16=True, given=card)


def plan(tmp_path: Path, model: str, there: Card | None, *, source: str = "", **more: str) -> Plan:
    repository = source or "black-forest-labs/FLUX.1-dev"
    (tmp_path / "recipe.yaml").write_text(
        f'recipe: 1\nmodels:\n  m: {{from: "hub:{repository}"{model}}}\n'
        "steps:\n  a: {kind: generate, model: m, prompts: [a fox], "
        f"width: {more.get('width', 1024)}, height: 1024}}\n"
    )
    facts = model_facts(ModelSource("m", f"hub:{repository}", "auto", None), Unread())
    here = replace(facts_for(()), models={"m": facts}, machine=machine(there))
    return planner.plan(load(tmp_path / "recipe.yaml"), here, kind_of, Memory(), {})


def frame(plan: Plan) -> tuple[FrameTask, MemoryMode]:
    action = plan.actions[0].action
    assert isinstance(action.task, FrameTask)
    assert action.cost.mode is not None
    return action.task, action.cost.mode


@pytest.mark.parametrize(
    ("there", "wish", "bits", "offload", "gigabytes"),
    [
        # Flux.1-dev's weights: 23.8 GB of the transformer, 9.9 of what reads and decodes, in bf16
        (card(80), "auto", 0, "none", 36),
        (card(40), "auto", 0, "none", 36),
        (card(24), "auto", 0, "group", 2.5),
        (card(16), "auto", 0, "group", 2.5),
        (card(8), "auto", 0, "group", 2.5),
        # with too little beside the card for 34 GB
        (card(24, beside=32), "auto", 8, "none", 19),
        (card(16, beside=32), "auto", 8, "model", 13),
        (card(24), "low", 8, "none", 19),
        (card(16), "low", 8, "model", 13),
        (card(24), "minimal", 4, "none", 10),
        (card(8), "minimal", 4, "model", 7),
        # others use most of it just now: what is rounded stays as it was
        (card(80, free=20), "auto", 0, "group", 2.5),
        (card(24, free=14), "low", 8, "model", 13),
    ],
)
def test_the_least_costly_way_that_fits_is_chosen(
    there: Card, wish: str, bits: int, offload: str, gigabytes: float, tmp_path: Path
) -> None:
    task, mode = frame(plan(tmp_path, f", memory: {wish}", there))
    assert (mode.bits, mode.offload, mode.enough) == (bits, offload, True)
    assert task.weight_bits == bits
    assert mode.card / 1e9 == pytest.approx(gigabytes, abs=1)
    assert mode.card <= min(there.free, there.memory)


def test_what_waits_is_in_no_key_and_what_is_rounded_is(tmp_path: Path) -> None:
    def key(wish: str, there: Card) -> dict[str, object]:
        return frame(plan(tmp_path, f", memory: {wish}", there))[0].key()

    assert key("auto", card(80)) == key("auto", card(8)) == key("auto", card(80, free=20))
    assert key("low", card(80)) == {**key("auto", card(80)), "weight_bits": 8}
    tiled = {**key("auto", card(80)), "weight_bits": 4, "vae_tiling": True}
    assert key("minimal", card(80)) == tiled


def test_speed_is_in_the_key_with_what_it_comes_to(tmp_path: Path) -> None:
    exact = frame(plan(tmp_path, ", speed: exact", card(80)))[0].key()
    fast = {**exact, "block_cache": 0.08}
    assert frame(plan(tmp_path, ", speed: fast", card(80)))[0].key() == {**fast, "compiled": True}
    assert frame(plan(tmp_path, ", speed: fast", card(24)))[0].key() == fast
    assert frame(plan(tmp_path, ", speed: fast, dtype: bf16", None))[0].block_cache == 0.08


@pytest.fixture
def sage(monkeypatch: pytest.MonkeyPatch) -> None:
    """SageAttention, as far as a plan looks."""
    found = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> object:
        return object() if name == "sageattention" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find)


@pytest.mark.usefixtures("sage")
@pytest.mark.parametrize(
    ("model", "there", "backend"),
    [
        (", speed: fast", card(80), "sage"),
        (", speed: exact", card(80), "native"),
        (", speed: fast", None, "native"),
        (", speed: fast, dtype: fp32", card(80), "native"),
        (", speed: fast, attention_backend: _native_cudnn", card(80), "_native_cudnn"),
        (", attention_backend: sage", card(80), "sage"),
        (", attention_backend: _native_math", None, "_native_math"),
    ],
)
def test_what_computes_attention_is_chosen_said_and_in_the_key(
    model: str, there: Card | None, backend: str, tmp_path: Path
) -> None:
    found = plan(tmp_path, model, there)
    task, _ = frame(found)
    assert task.attention_backend == backend
    assert task.key().get("attention_backend", "native") == backend
    assert found.notes["a"][0].endswith(f"attention {backend}")
    spec = found.actions[0].action.engine.spec
    assert isinstance(spec, DrawingSpec)
    assert spec.keeping.attention == backend


@pytest.mark.usefixtures("sage")
@pytest.mark.parametrize("source", ["Tongyi-MAI/Z-Image-Turbo", "lodestones/Chroma1-HD"])
def test_fast_leaves_attention_with_masks_to_torch(source: str, tmp_path: Path) -> None:
    found = plan(tmp_path, ", speed: fast", card(80), source=source)
    assert frame(found)[0].attention_backend == "native"


@pytest.mark.parametrize(
    ("model", "there", "source", "said"),
    [
        ("attention_backend: flash", None, "", "is for NVIDIA GPUs, and this computes on cpu"),
        ("attention_backend: flash, dtype: fp32", card(80), "", "the model is in fp32"),
        ("attention_backend: flash", card(80), "", "needs the package flash-attn"),
        (
            "attention_backend: _native_flash",
            card(80),
            "lodestones/Chroma1-HD",
            "takes no masks, and Chroma needs one",
        ),
    ],
)
def test_a_backend_that_cannot_be_had_is_an_error_at_the_value(
    model: str, there: Card | None, source: str, said: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidDocument) as caught:
        plan(tmp_path, f", {model}", there, source=source)
    (error,) = [d for d in caught.value.diagnostics if d.severity == "error"]
    assert said in error.message
    assert error.hints
    assert error.place is not None
    line = (tmp_path / "recipe.yaml").read_text().splitlines()[error.place.line - 1]
    assert line[error.place.column - 1 :].startswith(model.split()[1].strip(","))


def test_a_plan_says_it_with_figures(tmp_path: Path) -> None:
    (line,) = plan(tmp_path, "", card(8)).notes["a"]
    assert line.startswith("1024x1024 px: bf16, block by block on the card: ")
    assert line.endswith("of 8.6 GB, 34 GB beside it, attention native")
    (line,) = plan(tmp_path, ", memory: minimal", card(8)).notes["a"]
    assert "4 bits, one network at a time on the card" in line
    assert line.endswith("decoded in tiles of 512 px, attention native")


def test_without_a_card_nothing_waits_and_nothing_is_rounded_unasked(tmp_path: Path) -> None:
    _, mode = frame(plan(tmp_path, "", None))
    assert (mode.bits, mode.offload) == (0, "none")
    _, mode = frame(plan(tmp_path, ", memory: low", None))
    assert (mode.bits, mode.offload) == (8, "none")


def test_a_card_that_holds_nothing_of_it_is_warned_of(tmp_path: Path) -> None:
    found = plan(tmp_path, ", memory: minimal", card(4))
    _, mode = frame(found)
    assert not mode.enough
    assert found.notes["a"][0].split(", ")[-3] == "which is too little"


def test_a_picture_that_a_card_cannot_decode_whole_is_decoded_in_tiles(tmp_path: Path) -> None:
    small = plan(tmp_path, "", card(8), width=2048)
    assert not frame(small)[0].vae_tiling
    assert frame(plan(tmp_path, "", card(3), width=2048))[0].vae_tiling


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("memory: low", "memory: low has no effect"),
        ("speed: fast", "speed: fast has no effect"),
        ("attention_backend: flash", "attention_backend: flash has no effect"),
    ],
)
def test_what_has_no_effect_on_a_unet_is_said(model: str, said: str, tmp_path: Path) -> None:
    source = "CompVis/stable-diffusion-v1-4"
    warnings = plan(tmp_path, f", {model}", None, source=source).warnings
    (found,) = [w for w in warnings if w.code == "no-effect"]
    assert found.message.startswith(said)
    assert found.place is not None
    assert found.place.line == 3


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (Machine("mps", "mps", "Apple GPU", fast_bf16=False), "this computes on mps"),
        (MACHINE, "the package bitsandbytes, which is not installed"),
    ],
)
def test_what_cannot_be_rounded_here_is_an_error_at_the_value(
    there: Machine, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "bitsandbytes", None)
    path = tmp_path / "recipe.yaml"
    path.write_text(
        'recipe: 1\nmodels: {m: {from: "hub:black-forest-labs/FLUX.1-dev", memory: low}}\n'
        "steps: {a: {kind: generate, model: m, prompts: [a fox]}}\n"
    )
    source = ModelSource("m", "hub:black-forest-labs/FLUX.1-dev", "auto", None)
    here: Facts = replace(facts_for(()), models={"m": model_facts(source, Unread())}, machine=there)
    with pytest.raises(InvalidDocument) as caught:
        planner.plan(load(path), here, kind_of, Memory(), {})
    (error,) = [d for d in caught.value.diagnostics if d.severity == "error"]
    assert said in error.message
    assert error.place is not None
    assert (error.place.line, error.place.column) == (2, 64)


def test_where_nothing_fits_it_is_what_needs_least() -> None:
    needs = {(0, "none"): Needs(50), (0, "model"): Needs(40, 10), (0, "group"): Needs(30, 90)}
    assert chosen(needs, (0,), Card(20, 20, 100)) == MemoryMode(0, "group", 30, 90, enough=False)
    assert chosen(needs, (0,), Card(45, 45, 50)) == MemoryMode(0, "model", 40, 10)
    assert chosen(needs, (0,), None) == MemoryMode(0, "none", 50)
