"""The projects of the soak: a film, and trainings on texts, on pictures, and in two processes."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.boards import board_text, write_project

KINDS = ("film", "text", "image", "ranks")
SCENES = [("meadow", ["the fox finds a key", "an owl looks at a door", "a robot rides a rocket"])]
_TRAIN = "train: {max_train_steps: 6, batch_size: 2, checkpointing_steps: 1, precision: fp32}"
_ROWS = "text,label\n" + "".join(
    f"a fox {'finds' if n % 2 else 'holds'} key {n},{n % 2}\n" for n in range(16)
)


def build(kind: str, home: Path, tiny: Path, bert: Path) -> None:
    """Make a project of a kind; `tiny` is a Stable Diffusion, `bert` a text model."""
    home.mkdir(parents=True)
    if kind == "film":
        shutil.copytree(tiny, home / "tiny")
        write_project(home, board_text(SCENES, steps=2))
    elif kind == "image":
        from PIL import Image

        shutil.copytree(tiny, home / "tiny")
        (home / "mine").mkdir()
        for number, colour in enumerate(("navy", "red", "white")):
            Image.new("RGB", (64, 64), colour).save(home / "mine" / f"{number}.png")
        (home / "recipe.yaml").write_text(
            "recipe: 1\nmodels: {m: {from: tiny, dtype: fp32}}\n"
            "datasets: {d: {images: mine, caption: a fox}}\n"
            f"steps: {{s: {{kind: train-image, model: m, data: d, {_TRAIN}}}}}\n"
        )
    else:
        shutil.copytree(bert, home / "bert")
        (home / "t.csv").write_text(_ROWS)
        more = ", resources: {processes: 2}" if kind == "ranks" else ""
        (home / "recipe.yaml").write_text(
            "recipe: 1\nmodels: {b: {from: bert}}\ndatasets: {d: {texts: t.csv}}\n"
            f"steps: {{s: {{kind: train-text, model: b, data: d, max_length: 16, {_TRAIN}{more}}}}}\n"
        )


def save_models(named: str) -> None:
    """The tiny models, in a folder; in a process of its own, so that the soak's never computes."""
    from tests.support.tiny import save_sd
    from tests.support.tiny_text import save_bert

    folder = Path(named)
    save_sd(folder / "sd")
    (folder / "bert").mkdir()
    save_bert(folder / "bert")
