"""Small projects with one thing to make: a film, a board with any model, a training on texts, a training on pictures."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.support.boards import board_text, write_project
from tests.support.tiny_text import save_bert

SCENES = [("meadow", ["the fox finds a key", "an owl looks at a door", "a robot rides a rocket"])]
_ROWS = "text,label\n" + "".join(
    f"a fox {'finds' if n % 2 else 'holds'} key {n},{n % 2}\n" for n in range(16)
)


ONE_FILM = """recipe: 1
seed: 5
models: {m: {from: model, dtype: fp32}}
steps:
  film: {kind: storyboard, storyboard: board.yaml}
"""


def write_one_film(home: Path, model: Path, board: str) -> Path:
    """A board that the model of a folder draws, and nothing beside it; the project's folder."""
    shutil.copytree(model, home / "model")
    (home / "recipe.yaml").write_text(ONE_FILM)
    (home / "board.yaml").write_text(board)
    return home


def write_film(home: Path, tiny: Path) -> None:
    """Three frames, each drawn from the one before; `tiny` is a Stable Diffusion."""
    shutil.copytree(tiny, home / "tiny")
    write_project(home, board_text(SCENES, steps=2))


def write_image_training(home: Path, tiny: Path, *, steps: int, every: int) -> None:
    """So many steps on three pictures, with a checkpoint every so many; `tiny` is a Stable Diffusion."""
    from PIL import Image

    shutil.copytree(tiny, home / "tiny")
    (home / "mine").mkdir()
    for number, colour in enumerate(("navy", "red", "white")):
        Image.new("RGB", (64, 64), colour).save(home / "mine" / f"{number}.png")
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {m: {from: tiny, dtype: fp32}}\n"
        "datasets: {d: {images: mine, caption: a fox}}\n"
        f"steps: {{s: {{kind: train-image, model: m, data: d, {_train(steps, every)}}}}}\n"
    )


def write_text_training(
    home: Path, bert: Path | None = None, *, steps: int, every: int, processes: int = 1
) -> None:
    """So many steps on sixteen texts, with a checkpoint every so many; a BERT is copied, or made."""
    if bert is None:
        (home / "bert").mkdir()
        save_bert(home / "bert")
    else:
        shutil.copytree(bert, home / "bert")
    (home / "t.csv").write_text(_ROWS)
    more = f", resources: {{processes: {processes}}}" if processes > 1 else ""
    (home / "recipe.yaml").write_text(
        "recipe: 1\nmodels: {b: {from: bert}}\ndatasets: {d: {texts: t.csv}}\n"
        "steps: {s: {kind: train-text, model: b, data: d, max_length: 16, "
        f"{_train(steps, every)}{more}}}}}\n"
    )


def _train(steps: int, every: int) -> str:
    return f"train: {{max_train_steps: {steps}, batch_size: 2, checkpointing_steps: {every}, precision: fp32}}"
