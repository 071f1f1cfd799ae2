"""Letters that no font here has: what is drawn on sheets and into films shows boxes for them, and says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts.fonts.chosen_font import face_in, face_of, families
from lorakit.facts.fonts.fallbacks import drawable, missing_glyphs, only_with_gradients, script_of
from lorakit.facts.fonts.font_files import Face
from lorakit.language.story.documents import Video
from lorakit.language.yaml import names
from lorakit.plan.kind import Context

_MOST = 12  # letters that are named
_DEBIAN = {"CJK": "fonts-noto-cjk", "SYMBOL": "fonts-noto-color-emoji fonts-symbola"}


def font_face(video: Video | None) -> Face | None:
    """The font that a film asks for; None where it asks for none, or for one that is not here."""
    if video is None or video.font is None:
        return None
    font = video.font
    return face_in(font.path) if font.path is not None else face_of(font.name)


def check_font(video: Video | None, context: Context) -> Iterator[Diagnostic]:
    """Whether the font that a film asks for is here."""
    if video is None or video.font is None or font_face(video) is not None:
        return
    font = video.font
    if font.path is not None:
        message = f"{font.name} cannot be read as a font that is drawn with here"
        way = "name a file of outlines, ttf or otf, or a font of this machine by its family"
        yield context.finding("font", message, font.place, way)
        return
    near = names.did_you_mean(font.name, families())
    message = f"no font here is called {font.name}"
    yield context.finding(
        "font", message, font.place, *filter(None, [near]), "or name its file: font: fonts/mine.ttf"
    )


def check_letters(
    texts: Iterable[tuple[str, Place]], where: str, context: Context, face: Face | None = None
) -> Iterator[Diagnostic]:
    """Warn once of all letters of these texts that no font of this machine has, and say how to get one.

    `where` says on what they are drawn, `face` which font was chosen for them.
    """
    given = list(texts)
    lacking = missing_glyphs([text for text, _ in given], face)
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
