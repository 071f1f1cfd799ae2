"""Small fonts of the forms that machines have them in: plain, several in a file, with colours, with shaping."""

from __future__ import annotations

from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection

_EM = 1000


def _box(left: int, bottom: int, right: int, top: int):
    pen = TTGlyphPen(None)
    pen.moveTo((left, bottom))
    for point in ((left, top), (right, top), (right, bottom)):
        pen.lineTo(point)
    pen.closePath()
    return pen.glyph()


def builder(family: str, characters: str) -> FontBuilder:
    """A font whose letters are low bars, 800 units wide and 200 high: no other font's look like it."""
    names = {ord(c): f"u{ord(c):04X}" for c in characters}
    order = [".notdef", *names.values()]
    made = FontBuilder(_EM, isTTF=True)
    made.setupGlyphOrder(order)
    made.setupCharacterMap(names)
    blank = TTGlyphPen(None).glyph()
    made.setupGlyf(
        {name: blank if name in (".notdef", "u0020") else _box(50, 0, 850, 200) for name in order}
    )
    made.setupHorizontalMetrics(dict.fromkeys(order, (900, 50)))
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": family, "styleName": "Regular"})
    made.setupOS2(sTypoAscender=800, sTypoDescender=-200)
    made.setupPost()
    return made


def save_font(path: Path, family: str, characters: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    builder(family, characters).save(path)
    return path


def save_collection(path: Path, families: dict[str, str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = TTCollection()
    made.fonts = [builder(family, characters).font for family, characters in families.items()]
    made.save(path)
    return path


def save_colour_font(path: Path, family: str, character: str) -> Path:
    """A font with one letter, which is red, in the table that Windows' emoji have."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = builder(family, character)
    name = f"u{ord(character):04X}"
    made.setupCOLR({name: [(name, 0)]}, version=0)
    made.setupCPAL([[(1.0, 0.0, 0.0, 1.0)]])
    made.save(path)
    return path


def save_gradient_font(path: Path, family: str, characters: str) -> Path:
    """A font whose letters are painted with gradients and have no outlines, as Noto-COLRv1 is published."""
    from fontTools.ttLib.tables.otTables import PaintFormat

    path.parent.mkdir(parents=True, exist_ok=True)
    made = builder(family, characters)
    line = {"ColorStop": [{"StopOffset": n, "PaletteIndex": n, "Alpha": 1.0} for n in (0, 1)]}
    paint = {
        "Format": PaintFormat.PaintLinearGradient,
        "ColorLine": line,
        **dict.fromkeys(("x0", "y0", "y1", "x2"), 0),
        **dict.fromkeys(("x1", "y2"), 800),
    }
    made.setupCOLR(
        {
            f"u{ord(c):04X}": {
                "Format": PaintFormat.PaintGlyph,
                "Paint": paint,
                "Glyph": f"u{ord(c):04X}",
            }
            for c in characters
        }
    )
    made.setupCPAL([[(1.0, 0.0, 0.0, 1.0), (0.0, 0.0, 1.0, 1.0)]])
    made.save(path)
    return path
