"""What the terminal can show: glyphs, their plain stand-ins, and the few colours we use.

Every symbol stands with a word, so nothing is lost without colours or on a narrow line.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from lorakit import terminal
from lorakit.records import record

if TYPE_CHECKING:
    from rich.console import Console

GOOD, WARN, BAD, BUSY, FAINT, STRONG = "green", "yellow", "red", "cyan", "dim", "bold"


@record
class Glyphs:
    """The drawing characters of one terminal."""

    branch: str
    last: str
    pipe: str
    space: str
    arrow: str
    ellipsis: str
    full: str
    half: str
    empty: str


FINE = Glyphs("├─ ", "└─ ", "│  ", "   ", "→", "…", "━", "╸", "━")
PLAIN = Glyphs("|- ", "`- ", "|  ", "   ", "->", "...", "#", "-", ".")


def glyphs_for(console: Console) -> Glyphs:
    """Choose line-drawing characters where terminal and locale can show them."""
    return FINE if speaks_unicode(console) else PLAIN


def speaks_unicode(console: Console) -> bool:
    """Say whether drawing characters will arrive as such."""
    if console.legacy_windows or "utf" not in console.encoding.lower():
        return False
    # the stream may have been set to UTF-8 in a terminal whose locale says otherwise
    locale = os.environ.get("LC_ALL") or os.environ.get("LC_CTYPE") or os.environ.get("LANG") or ""
    charset = locale.partition(".")[2].lower()
    return not charset or "utf" in charset


def shows_pictures(console: Console) -> bool:
    """Say whether half blocks in colour would look like a picture here."""
    return (
        console.is_terminal
        and not console.no_color
        and console.color_system in ("256", "truecolor", "windows")
        and speaks_unicode(console)
    )


def clean(text: str) -> str:
    """Make a text safe for one line of a terminal."""
    return terminal.line(text).strip()
