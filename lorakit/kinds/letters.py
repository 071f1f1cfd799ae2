"""Letters that no font here has: what is drawn on sheets and into films shows boxes for them, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.fonts.fallbacks import drawable, missing_glyphs, only_with_gradients, script_of
from lorakit.plan.kind import Context

_MOST = 12  # letters that are named
_DEBIAN = {"CJK": "fonts-noto-cjk", "SYMBOL": "fonts-noto-color-emoji fonts-symbola"}


def check_letters(
    texts: Iterable[tuple[str, Place]], where: str, context: Context
) -> Iterator[Diagnostic]:
    """Warn once of all letters of these texts that no font of this machine has, and say how to get one.

    `where` says on what they are drawn.
    """
    given = list(texts)
    lacking = missing_glyphs([text for text, _ in given])
    if not lacking:
        return
    text, place = next((t, p) for t, p in given if not set(lacking).isdisjoint(drawable(t)))
    first = next(c for c in drawable(text) if c in lacking)
    shown = " ".join(lacking[:_MOST])
    more = f" and {len(lacking) - _MOST} more" if len(lacking) > _MOST else ""
    packages = " ".join(
        dict.fromkeys(_DEBIAN.get(script_of(c), "fonts-noto-core") for c in lacking)
    )
    gradients = [
        f"{family} has {' '.join(has[:_MOST])} with gradients alone (COLRv1), which are not drawn here"
        for family, has in only_with_gradients(lacking).items()
    ]
    yield context.finding(
        "no-glyph",
        f"no font here has {shown}{more} in a form that can be drawn: {where} will show a box for each"
        if gradients
        else f"no font here has {shown}{more}: {where} will show a box for each",
        context.place_of(first, place),
        *gradients,
        'pip install "lorakit[fonts]" brings fonts for most scripts, the same on every machine',
        f"or install one: on Debian and Ubuntu sudo apt install {packages}; "
        "on macOS by Font Book, on Windows under Settings, Fonts",
        warning=True,
    )
