"""`chain: {color: anchor}`: starts with the colours of a scene's first frame."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from lorakit.plan.states import Plan
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.tasks.job import Job
from lorakit.rendering.frame_files import start_of, with_colors_of
from tests.support.planning import plan_of

BOARD = """storyboard: 1
chain: {from: previous, strength: 0.5, CHAIN}
scenes:
  - name: meadow
    sentences: [a fox, an owl, a robot, {text: an alien, strength: 1}, a bear]
"""


def latents(seed: int, spread: float = 1.0, mean: float = 0.0) -> torch.Tensor:
    noise = torch.randn((1, 4, 8, 8), generator=torch.Generator().manual_seed(seed))
    return noise * spread + mean


def test_each_channel_has_the_anchor_s_mean_and_deviation() -> None:
    anchor, drifted = latents(1, 1.2, 0.3), latents(2, 0.9, -0.8)
    found = np.asarray(with_colors_of(anchor, drifted)[0])
    for channel, wanted in zip(found, np.asarray(anchor[0]), strict=True):
        assert channel.mean() == pytest.approx(wanted.mean(), abs=1e-5)
        assert channel.std() == pytest.approx(wanted.std(), rel=1e-4)


def test_story_complaint_07_no_values_are_merged_or_change_places() -> None:
    """What histograms of few colours do to gradients: steps (posterising)."""
    ramp = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8).repeat(1, 4, 1, 1)
    two_colors = torch.ones(1, 4, 8, 8)
    two_colors[..., :4] = -1
    found = with_colors_of(two_colors, ramp)
    steps = found.flatten(2).diff()
    assert steps.min() > 0
    assert steps.max() == pytest.approx(float(steps.min()), rel=1e-3)


def test_what_has_the_anchor_s_colours_stays_as_it_is() -> None:
    anchor = latents(1, 1.2, 0.3)
    assert torch.allclose(with_colors_of(anchor, anchor), anchor, atol=1e-6)


@pytest.mark.parametrize(("spread", "allowed"), [(1e-4, 2e-4), (100.0, 50.0), (0.0, 0.0)])
def test_a_channel_is_stretched_at_most_twice(spread: float, allowed: float) -> None:
    """One that is almost flat is little but noise, which would be all there is to see."""
    found = with_colors_of(latents(1), latents(2, spread))
    assert torch.isfinite(found).all()
    assert float(found.std((2, 3)).mean()) == pytest.approx(
        allowed * float(latents(2).std((2, 3)).mean()), rel=0.05, abs=1e-6
    )


def frames(tmp_path: Path, chain: str) -> tuple[Plan, dict[str, Any]]:
    path = tmp_path / "board.yaml"
    path.write_text(BOARD.replace("CHAIN", chain))
    plan = plan_of(path)
    drawn = [one.action for one in plan.actions if isinstance(one.action.task, FrameTask)]
    return plan, {one.id.rsplit("/", 1)[1]: one for one in drawn}


def test_it_is_told_to_frames_that_start_from_another_than_the_first(tmp_path: Path) -> None:
    _, own = frames(tmp_path, "color: own")
    _, anchored = frames(tmp_path, "color: anchor")
    assert {n: one.task.anchor_color for n, one in anchored.items()} == {
        "1": False, "2": False, "3": True, "4": False, "5": True,
    }  # fmt: skip
    for number, action in anchored.items():
        roles = [(one.role, one.action.rsplit("/", 1)[1]) for one in action.inputs]
        if action.task.anchor_color:
            assert ("anchor", "1") in roles
            assert action.task.anchor_weight is None
        else:  # and so its key is as it was
            assert action.task.key() == own[number].task.key()
            assert action.inputs == own[number].inputs
    assert "anchor_color" not in own["3"].task.key()


def test_it_goes_with_anchor_weight_and_comes_last(tmp_path: Path) -> None:
    _, drawn = frames(tmp_path, "color: anchor, anchor_weight: 0.3")
    start, anchor = latents(2, 0.9, -0.8), latents(1, 1.2, 0.3)
    files = {}
    for name, tensor in (("start", start), ("anchor", anchor)):
        files[name] = str(tmp_path / f"{name}.safetensors")
        save_file({"latents": tensor}, files[name])
    task = drawn["3"].task

    def begun(task: FrameTask) -> torch.Tensor:
        found = start_of(Job("3", "key", task, files, tmp_path))
        assert found is not None
        return found

    assert torch.equal(begun(task), with_colors_of(anchor, torch.lerp(start, anchor, 0.3)))
    alone = replace(task, anchor_weight=None)
    assert torch.equal(begun(alone), with_colors_of(anchor, start))
    assert torch.equal(begun(replace(task, anchor_color=False)), torch.lerp(start, anchor, 0.3))
