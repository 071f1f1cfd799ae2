"""The projects of the soak: a film, and trainings on texts, on pictures, and in two processes."""

from __future__ import annotations

from pathlib import Path

from tests.support.small_projects import write_film, write_image_training, write_text_training

KINDS = ("film", "text", "image", "ranks")


def build(kind: str, home: Path, tiny: Path, bert: Path) -> None:
    """Make a project of a kind; `tiny` is a Stable Diffusion, `bert` a text model."""
    home.mkdir(parents=True)
    if kind == "film":
        write_film(home, tiny)
    elif kind == "image":
        write_image_training(home, tiny, steps=6, every=1)
    else:
        write_text_training(home, bert, steps=6, every=1, processes=2 if kind == "ranks" else 1)


def save_models(named: str) -> None:
    """The tiny models, in a folder; in a process of its own, so that the soak's never computes."""
    from tests.support.tiny import save_sd
    from tests.support.tiny_text import save_bert

    folder = Path(named)
    save_sd(folder / "sd")
    (folder / "bert").mkdir()
    save_bert(folder / "bert")
