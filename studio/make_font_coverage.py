"""Write `fonts/coverage.txt`: the characters that every shipped font has, as hexadecimal ranges.

A plan must name the letters that captions lack within milliseconds: it reads this, not the fonts.
Run it after a font was changed: `python studio/make_font_coverage.py` (needs fontTools).
"""

from __future__ import annotations

from pathlib import Path

from fontTools.ttLib import TTFont

FONTS = Path(__file__).parent / "fonts"
HEAD = "# Characters in every font of this folder. Made by studio/make_font_coverage.py."


def coverage(folder: Path = FONTS) -> str:
    """Make the text of `coverage.txt` for the fonts in a folder."""
    maps = [set(TTFont(file).getBestCmap()) for file in sorted(folder.glob("*.otf"))]
    ranges: list[list[int]] = []
    for code in sorted(set.intersection(*maps)):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    lines = [f"{a:04X}" if a == b else f"{a:04X}-{b:04X}" for a, b in ranges]
    return "\n".join([HEAD, *lines]) + "\n"


if __name__ == "__main__":
    (FONTS / "coverage.txt").write_text(coverage(), encoding="utf-8", newline="\n")
