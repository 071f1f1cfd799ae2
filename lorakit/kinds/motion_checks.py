"""What can be wrong with how a board's frames move."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from itertools import pairwise

from lorakit.diagnostics import Diagnostic
from lorakit.families import FAMILIES
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import Sentence, Storyboard


def _shown(settings: RenderSettings, sentence: Sentence) -> tuple[int, int]:
    """The width and height in px that a frame is shown at."""
    size = settings.size(sentence.look)
    return size if sentence.upscale is None or settings.draft else sentence.upscale.size(size)


def check_motion(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """Frames that cannot become the next one, each motion told of once."""
    drawn = [s for scene in board.scenes for s in scene.sentences if not s.repeat]
    told: set[object] = set()
    for sentence, behind in pairwise(drawn):
        motion = sentence.motion
        if not motion.passes or motion.place in told:
            continue
        place = motion.where("kind") or sentence.place
        sizes = [_shown(settings, one) for one in (sentence, behind)]
        found = None
        if importlib.util.find_spec("cv2") is None:
            found = settings.context.finding(
                "motion",
                f"what moves in {motion.kind} is found by OpenCV, which is not here",
                place,
                "pip install opencv-python-headless",
            )
        elif motion.kind == "morph" and not settings.model.traits.draws_between:
            able = ", ".join(one.title for one in FAMILIES.values() if one.draws_between)
            found = settings.context.finding(
                "motion",
                f"{settings.model.source} is {settings.model.traits.title}, which begins from no latents: it "
                "draws no frames between two",
                place,
                f"write motion: interpolate, or draw with one that does: {able}",
            )
        elif sizes[0] != sizes[1]:
            first, second = (f"{width}x{height}" for width, height in sizes)
            found = settings.context.finding(
                "motion",
                f"a frame of {first} px cannot become one of {second} px",
                place,
                "give both one size, or write motion: kenburns or none for this one",
            )
        if found is not None:
            told.add(motion.place)
            yield found
