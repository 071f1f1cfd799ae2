"""The families of models that lorakit draws with: one file each, one line in the table. Data alone, no torch.

CONTRIBUTING says how one is added, docs/models.md what each can (made by docs/make_models.py).
"""

from __future__ import annotations

from collections.abc import Mapping

from lorakit.families.chroma import CHROMA
from lorakit.families.family import Configs, Family, Part, Published, Task
from lorakit.families.flux import FLUX
from lorakit.families.flux2_klein import FLUX2_KLEIN
from lorakit.families.flux_kontext import FLUX_KONTEXT
from lorakit.families.qwen_image import QWEN_IMAGE
from lorakit.families.qwen_image_edit import QWEN_IMAGE_EDIT, QWEN_IMAGE_EDIT_PLUS
from lorakit.families.stable_diffusion import STABLE_DIFFUSION
from lorakit.families.stable_diffusion_3 import STABLE_DIFFUSION_3
from lorakit.families.stable_diffusion_xl import STABLE_DIFFUSION_XL
from lorakit.families.z_image import Z_IMAGE

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        STABLE_DIFFUSION,
        STABLE_DIFFUSION_XL,
        FLUX,
        STABLE_DIFFUSION_3,
        QWEN_IMAGE,
        Z_IMAGE,
        CHROMA,
        FLUX_KONTEXT,
        QWEN_IMAGE_EDIT,
        QWEN_IMAGE_EDIT_PLUS,
        FLUX2_KLEIN,
    )
}
# what a model_index.json names
BY_CLASS: Mapping[str, Family] = {
    kind: family for family in FAMILIES.values() for kind in family.classes
}
# every component that any of them has, each once
PARTS: tuple[str, ...] = tuple(
    dict.fromkeys(part.name for family in FAMILIES.values() for part in family.parts)
)
STEMS: Mapping[str, str] = {
    part.name: part.stem for family in FAMILIES.values() for part in family.parts if part.stem
}


# repositories of the hub that can be counted before they are here
PUBLISHED: Mapping[str, Published] = {
    name: told for family in FAMILIES.values() for name, told in family.published.items()
}


def guessed(repository: str) -> Family:
    """The family of a repository that is not here yet, by its name; Stable Diffusion for any other."""
    owner = next((f for f in FAMILIES.values() if repository in f.published), None)
    low = repository.lower()
    named = (f for f in reversed(tuple(FAMILIES.values())) if any(word in low for word in f.called))
    return owner or next(named, STABLE_DIFFUSION)


def trained() -> str:
    """The families that are trained, as a user calls them, for a message."""
    return ", ".join(family.title for family in FAMILIES.values() if family.trained)


def titles() -> str:
    """The families as a user calls them, for a message."""
    return ", ".join(family.title for family in FAMILIES.values())


def drawn_with() -> str:
    """The families by the classes that draw from words, for a message."""
    return ", ".join(family.classes[0] for family in FAMILIES.values())


__all__ = [
    "BY_CLASS",
    "FAMILIES",
    "PARTS",
    "PUBLISHED",
    "STEMS",
    "Configs",
    "Family",
    "Part",
    "Published",
    "Task",
    "drawn_with",
    "guessed",
    "titles",
    "trained",
]
