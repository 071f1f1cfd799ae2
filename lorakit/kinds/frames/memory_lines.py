"""How a model is kept in memory while a step draws, in words and with figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import ImageSettings
from lorakit.plan import mode_words
from lorakit.plan.drawing_memory import TILE
from lorakit.plan.waves import batch_size_for


def memory_lines(settings: RenderSettings, looks: Iterable[ImageSettings]) -> Iterator[str]:
    """A line for each way that pictures of a step need; none for a small model that is simply loaded."""
    machine = settings.context.facts.machine
    sizes = dict.fromkeys((settings.size(look), settings.guided(look)) for look in looks)
    for (width, height), guided in sizes:
        rows = batch_size_for(settings.model.traits, (width, height), machine)
        mode = settings.mode(width, height, rows, guided=guided)
        tiled = settings.tiled(width, height)
        usual = settings.model.traits.waves and not (mode.bits or mode.offload != "none" or tiled)
        if usual or not mode.card:
            continue
        words = [mode_words.drawing(mode, settings.precision, machine.card)]
        if tiled:
            words.append(f"decoded in tiles of {TILE} px")
        if settings.block_cache:
            words.append(f"blocks skipped where a step changes less than {settings.block_cache:g}")
        if settings.compiled(mode):
            words.append("blocks compiled")
        if settings.model.traits.attention:
            words.append(f"attention {settings.attention_backend}")
        yield f"{width}x{height} px: {', '.join(words)}"
