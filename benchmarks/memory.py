"""A plan's bytes for a GPU beside torch's count of the same work: drawing at native size, and LoRA trainings.

    python -m benchmarks.memory [sd sdxl flux] [--drawing] [--training]

No GPU is needed: the networks stand at full size on the simulated accelerator (tests/support/simulated.py),
where tensors have shapes and no values, and lorakit's own loop trains them there. Tracked: torch's
MemTracker, with attention as flash and efficient kernels take it. Planned: what `lorakit plan` says for a
card, without what a process weighs by itself. A training takes one to five minutes of CPU.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import lorakit
from lorakit import resources
from lorakit.facts.machine.this_machine import Card, Machine
from lorakit.families import FAMILIES, PUBLISHED
from lorakit.kinds.image_cost import _TORCH_BYTES
from lorakit.plan.actions import Action
from lorakit.plan.drawing_memory import PROCESS
from tests.support.forked import alone
from tests.support.image_training import paint

REPOSITORIES = {
    "sd": "stable-diffusion-v1-5/stable-diffusion-v1-5",
    "sdxl": "stabilityai/stable-diffusion-xl-base-1.0",
    "flux": "black-forest-labs/FLUX.1-dev",
}
VAES = {"sd": "sd-v1", "sdxl": "sdxl", "flux": "flux"}  # in data/base-models
_GIB = 2**30
_LARGE = 640 * _GIB  # so that no card's memory decides anything
CARD = Machine(
    "cuda", "cuda-benchmark", "a card", fast_bf16=True, given=Card(_LARGE, _LARGE, _LARGE)
)


class Row(NamedTuple):
    """A line of the table, in bytes."""

    what: str
    planned: float
    tracked: float


def planned(model: str, step: str, folder: Path, data: str = "") -> Action:
    """The action that costs most of a step's, as it is planned for a card."""
    from unittest.mock import patch

    recipe = folder / "recipe.yaml"
    recipe.write_text(
        f'recipe: 1\nseed: 1\nmodels: {{m: {{from: "hub:{model}", dtype: bf16}}}}\n{data}'
        f"steps:\n  a: {{{step}}}\n"
    )
    with patch("lorakit.facts.gather.this_machine", lambda: CARD):
        plan = lorakit.load(recipe).plan()
    return max((p.action for p in plan.actions), key=lambda action: action.cost.memory)


def drawing(name: str, folder: Path) -> Row:
    """A guided picture at the native size."""
    from tests.support import full_size
    from tests.support.simulated_device import product_on_accelerator

    repository = REPOSITORIES[name]
    family, published = FAMILIES[name], PUBLISHED[repository]
    action = planned(repository, "kind: generate, prompts: [a fox]", folder)
    side, rows = action.task.width, action.task.batch_size  # type: ignore[attr-defined]
    rows *= 2 if family.waves else 1  # guided frames are in a wave's call twice
    config = dict(published.configs[family.denoiser])
    vae = json.loads(
        (resources.path("data") / "base-models" / VAES[name] / "vae" / "config.json").read_text()
    )

    def tracked() -> tuple[int, int, int]:
        with product_on_accelerator(values=False):
            weights, call = full_size.called(name, config, side, rows)
            return weights, call, full_size.decoded(vae, side)

    weights, call, decoding = alone(tracked)
    held = weights + 2 * published.others
    print(f"{name}: a call of {rows} {call / _GIB:.2f}, decoding {decoding / _GIB:.2f} GiB")
    what = f"{family.title}, drawing at {side} px"
    return Row(what, action.cost.memory - PROCESS, held + max(call, decoding))


def trainings(
    name: str, folder: Path, sides: Sequence[int] = (512, 1024), batches: Sequence[int] = (1, 4)
) -> Iterator[Row]:
    """LoRAs of rank 16 in bf16, at `sides` in px and in `batches` of so many."""
    from tests.support import full_size
    from tests.support.simulated_device import product_on_accelerator

    repository = REPOSITORIES[name]
    family = FAMILIES[name]
    config = dict(PUBLISHED[repository].configs[family.denoiser])
    for side in sides:
        paint(folder / f"{side}", [(side, side)])
        for rows in batches:
            keys = f"max_train_steps: 9, batch_size: {rows}, precision: bf16"
            action = planned(
                repository,
                f"kind: train-image, data: d, method: lora, lora: {{rank: 16}}, resolution: {side}, "
                f"train: {{{keys}}}",
                folder,
                f'datasets: {{d: {{images: "{side}"}}}}\n',
            )

            def tracked(side: int = side, rows: int = rows) -> int:
                with product_on_accelerator(values=False):
                    return full_size.trained(name, config, side, rows, asked=family.flow is None)[0]

            what = f"{family.title}, LoRA at {side} px, batch {rows}"
            yield Row(what, action.cost.memory - _TORCH_BYTES, alone(tracked))


def main(names: list[str], *, draws: bool, trains: bool) -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    print(f"{'':42} {'planned':>9} {'tracked':>9}   ratio")
    for name in names:
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            (folder / ".lorakit").mkdir()
            rows = [drawing(name, folder)] if draws else []
            for row in (*rows, *(trainings(name, folder) if trains else ())):
                figures = f"{row.planned / _GIB:9.2f} {row.tracked / _GIB:9.2f}"
                print(f"{row.what:42} {figures} {row.planned / row.tracked:7.3f}", flush=True)


if __name__ == "__main__":
    told = sys.argv[1:]
    both = not {"--drawing", "--training"} & set(told)
    main(
        [word for word in told if not word.startswith("-")] or list(REPOSITORIES),
        draws=both or "--drawing" in told,
        trains=both or "--training" in told,
    )
