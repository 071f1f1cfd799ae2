"""What a page is made of: plain frozen data, every text as its author wrote it.

Nothing here is HTML. Texts are escaped where they are rendered, paths become links there (`links.py`), and
who fills these in cannot get it wrong. Paths are relative to the page, with forward slashes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from lorakit.records import record

# how something came to be, or stands: a word and a mark beside it
Tone = Literal["", "made", "cached", "failed", "skipped", "changed"]


@record
class Fact:
    """A name and its value; `link` is where the value leads: an id on this page, or empty."""

    name: str
    value: str
    link: str = ""
    tone: Tone = ""


@record
class PagePicture:
    """One picture of a strip, with what is told of it.

    `src` is empty where there is none: then `note` says why. `alt` names it for who does not see it, `text`
    is the sentence it shows. `summary` is its line of facts, `facts` all of them; `size` in px, where known.
    """

    alt: str
    src: str = ""
    text: str = ""
    prompt: str = ""
    summary: str = ""
    facts: Sequence[Fact] = ()
    size: tuple[int, int] = (0, 0)
    tone: Tone = ""
    note: str = ""
    id: str = ""


@record
class PictureStrip:
    """Pictures in a row that breaks where the page ends: a scene's, a step's, a data set's.

    `number` stands large beside the title; `note` is a line beneath it.
    """

    template: ClassVar[str] = "strip"

    pictures: Sequence[PagePicture]
    title: str = ""
    number: str = ""
    note: str = ""
    id: str = ""


@record
class Film:
    """A film; `poster` is a picture shown before it plays. A `.gif` moves by itself."""

    template: ClassVar[str] = "film"

    src: str
    title: str
    poster: str = ""
    note: str = ""
    size: tuple[int, int] = (0, 0)


@record
class Single:
    """One large picture with a line beneath it: a sheet, a comparison."""

    template: ClassVar[str] = "single"

    src: str
    alt: str
    note: str = ""
    size: tuple[int, int] = (0, 0)


@record
class PageTable:
    """A table; `numeric` are the columns whose cells are numbers, `strong` the rows that matter most."""

    template: ClassVar[str] = "table"

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numeric: frozenset[int] = frozenset()
    strong: frozenset[int] = frozenset()
    note: str = ""


@record
class Series:
    """Points (x, y) of a curve in order: a `line`, a `faint` one behind it, or `dots` on a line.

    The last value stands beside the name, unless `ends` is false: what it comes to is not the point.
    """

    name: str
    points: Sequence[tuple[float, float]]
    role: Literal["line", "faint", "dots"] = "line"
    ends: bool = True


@record
class Curve:
    """One or more series over the same axis; `x` and `y` name the axes, `facts` stand beside it."""

    template: ClassVar[str] = "curve"

    title: str
    series: Sequence[Series]
    x: str = ""
    y: str = ""
    facts: Sequence[Fact] = ()


@record
class Measure:
    """What was expected of something, and what came, as numbers and in words."""

    name: str
    expected: float
    came: float
    said_expected: str
    said_came: str


@record
class Measures:
    """Expected against come, as pairs of bars."""

    template: ClassVar[str] = "measures"

    items: Sequence[Measure]
    note: str = ""


@record
class Finding:
    """An error or a warning with its place, its line of text, and the ways out.

    `column` counts from 1; `length` is in characters. Without a line of text `excerpt` is empty.
    """

    template: ClassVar[str] = "finding"

    severity: Literal["error", "warning"]
    code: str
    message: str
    place: str = ""
    excerpt: str = ""
    line: int = 0
    column: int = 1
    length: int = 1
    hints: Sequence[str] = ()


@record
class FactList:
    """Names and values, one beneath the other."""

    template: ClassVar[str] = "facts"

    items: Sequence[Fact]
    title: str = ""


@record
class Reason:
    """Why some things were made or kept: the words, how many, and what they are."""

    text: str
    count: str
    tone: Tone = ""
    link: str = ""
    items: Sequence[str] = ()


@record
class Reasons:
    """Of one step, what became of its things, and why."""

    template: ClassVar[str] = "reasons"

    title: str
    note: str
    items: Sequence[Reason]


@record
class Document:
    """A text as it was, folded away; its lines can be linked to as `<id>-<line>`."""

    template: ClassVar[str] = "document"

    name: str
    lines: Sequence[str]
    id: str
    note: str = ""


@record
class Paragraph:
    """A paragraph of ours."""

    template: ClassVar[str] = "note"

    text: str
    tone: Tone = ""


@record
class Other:
    """Another run and its pictures, in the order of `Compare.frames`.

    `folder` leads to it from the page, `pictures` are paths in there, empty where it has none; `same` tells
    of each whether it is the same, byte for byte.
    """

    name: str
    folder: str
    pictures: Sequence[str]
    same: Sequence[bool]


@record
class Compare:
    """A slider that lays the frames of two runs over each other: `frames` are this run's, as (name, src)."""

    template: ClassVar[str] = "compare"

    name: str
    frames: Sequence[tuple[str, str]]
    others: Sequence[Other]


Part = (
    PictureStrip
    | Film
    | Single
    | PageTable
    | Curve
    | Measures
    | Finding
    | FactList
    | Reasons
    | Document
    | Paragraph
    | Compare
)


@record
class Section:
    """A part of a page with a heading of its own; `id` is what links to it, `nav` its short name."""

    id: str
    title: str
    parts: Sequence[Part]
    nav: str = ""
    note: str = ""


@record
class Page:
    """A whole page.

    `title` is the window's, `heading` the page's, `kicker` a line above it and `lead` one beneath, with a
    mark of its `tone`. `facts` are the few figures that matter most; `hero` stands beside them. `scripts` are
    more of ours (names in `assets/`), `connect` lets them ask the server that the page is from.
    """

    title: str
    heading: str
    sections: Sequence[Section]
    kicker: str = ""
    lead: str = ""
    tone: Tone = ""
    facts: Sequence[Fact] = ()
    hero: Film | Single | None = None
    foot: str = ""
    scripts: Sequence[str] = ()
    connect: bool = False
