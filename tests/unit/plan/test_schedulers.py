"""Schedulers: one table, which the schema and diffusers agree with."""

from __future__ import annotations

import inspect
import json

import diffusers
import pytest

from lorakit import resources
from lorakit.plan.schedulers import LEAST_TO_WARM_UP, SCHEDULERS, calls, warms_up


def test_the_schema_names_the_schedulers_of_the_table() -> None:
    text = (resources.path("schemas") / "storyboard.schema.json").read_text("utf-8")
    assert json.loads(text)["definitions"]["scheduler"]["enum"] == list(SCHEDULERS)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # diffusers' KDPM2 with NumPy 2
@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_row_is_what_diffusers_has(name: str) -> None:
    row = SCHEDULERS[name]
    kind = getattr(diffusers, row.diffusers)
    known = inspect.signature(kind.__init__).parameters
    assert row.karras == ("use_karras_sigmas" in known)
    assert row.order == getattr(kind, "order", 1)
    assert set(row.options) <= set(known)
    for steps in (4, 5, 10, 50):
        scheduler = kind()
        scheduler.set_timesteps(steps)
        assert calls(name, steps) == len(scheduler.timesteps)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize("steps", [1, 2, 3, 4, 5, 20, 50])
def test_pndm_takes_the_calls_that_diffusers_makes(skip: bool, steps: int) -> None:
    """SD 1.x and 2.x are published with PNDM, which takes one call more than steps, or nine."""
    scheduler = diffusers.PNDMScheduler(skip_prk_steps=skip)
    own = {**scheduler.config, "_class_name": "PNDMScheduler"}  # as a model's folder has it
    for name in ("default", "pndm"):
        assert warms_up(name, own) is not skip
        if skip or steps >= LEAST_TO_WARM_UP:
            scheduler.set_timesteps(steps)
            assert calls(name, steps, own) == len(scheduler.timesteps)
        else:
            with pytest.raises(ValueError, match="broadcast"):
                scheduler.set_timesteps(steps)


def test_a_model_s_own_scheduler_counts_as_its_class_does() -> None:
    assert calls("default", 10, {"_class_name": "HeunDiscreteScheduler"}) == 19
    assert calls("default", 10, {"_class_name": "SomebodysScheduler"}) == 10
    assert calls("default", 10) == 10
