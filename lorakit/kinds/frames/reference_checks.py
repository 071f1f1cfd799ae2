"""What can be wrong with the references of a board's characters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.frames.ip_adapter_checks import check_ip_adapter
from lorakit.kinds.frames.prompts import check_masks
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import Storyboard


def check_references(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """References that no frame is, and those that a family has no way to be shown."""
    counts = {scene.name: len(scene.sentences) for scene in board.scenes}
    model = settings.model
    held = {c for scene in board.scenes for s in scene.sentences if s.control for c in s.characters}
    yield from check_masks(settings, board)
    through = bool(settings.source_model.ip_adapter)
    if through and any(character.references for character in board.characters):
        yield from check_ip_adapter(settings, board)
    for character in board.characters:
        place = character.reference_scale_place
        if place is not None and not (through and character.references):
            why = "nothing shows how it looks" if through else f"{model.source} has no ip_adapter:"
            yield settings.context.finding(
                "no-effect",
                f"reference_scale has no effect: {why}",
                place,
                "write reference: art/bunny.png beside it"
                if through
                else "name one at the model, or remove it",
                warning=True,
            )
        for reference in character.references:
            place = reference.place or character.place
            if reference.file is None:
                name = reference.frame
                if name is None or not 1 <= name.number <= counts.get(name.scene, 0):
                    near = next((s for s in counts if name is not None and s == name.scene), "")
                    way = f"{near} has {counts[near]} frames" if near else _names(counts)
                    yield settings.context.finding(
                        "reference", f"{reference.source} is no frame of this board", place, way
                    )
                    continue
            if not model.traits.references and not model.traits.waves:
                yield settings.context.finding(
                    "reference",
                    f"{model.source} is {model.traits.title}, which cannot be shown how {character.id} looks",
                    place,
                    "draw with a model that reads pictures (Flux.1-Kontext, Flux.2-klein, "
                    "Qwen-Image-Edit), or with Stable Diffusion or SDXL",
                )
            elif model.traits.waves and character.id in held and not through:
                yield settings.context.finding(
                    "reference",
                    f"{character.id} is in frames that a ControlNet holds, which see no references",
                    place,
                    "remove the reference, or the control where the character is, or give the model an "
                    "ip_adapter:, through which held frames see references",
                )


def _names(counts: Mapping[str, int]) -> str:
    listed = [f"scene:{name}/1" for name in list(counts)[:3]]
    return f"frames are called by scene and number, such as {', '.join(listed)}"
