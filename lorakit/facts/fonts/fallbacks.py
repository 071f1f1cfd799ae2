"""The font that ships, which characters it lacks, and which fonts of this machine draw those instead.

What it lacks is asked at plan time, without opening it; fonts are opened only where it lacks something.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from lorakit import resources
from lorakit.facts.fonts.font_files import Face, characters, digest, faces, font_files

Weight = Literal["Regular", "SemiBold"]


def font_file(weight: Weight) -> Path:
    """Find the font of a weight: SemiBold for films' captions and titles, Regular for the rest."""
    return resources.path("fonts") / f"Inter-{weight}.otf"


def drawable(text: str) -> str:
    """Bring a text into the form it is drawn in: composed letters, single spaces, all visible.

    Controls, joiners and variation selectors vanish; marks are composed with their letters where
    Unicode knows the pair. Line breaks become spaces: where lines end is the captions' business.
    """
    spaced = (" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))
    return " ".join("".join(c for c in spaced if not _invisible(c)).split())


@dataclass(frozen=True, slots=True)
class Fallback:
    """A font that draws `characters`, which the shipped one lacks, and those `beside` them that it has too.

    `digest` and `index` say which font it is, and belong to keys; `path` is where it lies here. `strike` is
    the only size it has, in px, 0 if it has all; `colour` says whether its letters have their own colours.
    """

    digest: str
    index: int
    characters: str
    beside: str
    path: str = field(default="", metadata={"keyed": False})
    strike: int = field(default=0, metadata={"keyed": False})
    colour: bool = field(default=False, metadata={"keyed": False})


def fallbacks(texts: Iterable[str]) -> tuple[Fallback, ...]:
    """Find fonts of this machine for what the shipped one lacks; what no font has is left out."""
    needed, around = _needed(texts)
    return _found(needed, around, font_files()) if needed else ()


def missing_glyphs(texts: Iterable[str] | str) -> str:
    """Find the characters that no font here has, each once, in the order they are met."""
    needed, around = _needed([texts] if isinstance(texts, str) else texts)
    if not needed:
        return ""
    there = {c for one in _found(needed, around, font_files()) for c in one.characters}
    return "".join(c for c in needed if c not in there)


def only_with_gradients(characters_lacking: str) -> Mapping[str, str]:
    """Which of these the fonts here have with gradients alone (COLRv1), by the family that has them."""
    found: dict[str, str] = {}
    left = characters_lacking
    for path in font_files():
        for face in faces(path):
            has = "".join(c for c in left if face.gradients and ord(c) in characters(face))
            if has:
                found[face.family] = found.get(face.family, "") + has
                left = "".join(c for c in left if c not in has)
        if not left:
            break
    return found


def script_of(character: str) -> str:
    """The script of a character, as fonts group them: `CJK` for all of East Asia, `SYMBOL` for emoji."""
    if unicodedata.category(character) in ("So", "Sk", "Sm", "Cn", "Co"):
        return "SYMBOL"
    script = unicodedata.name(character, "UNKNOWN").partition(" ")[0].partition("-")[0]
    return "CJK" if script in _EAST_ASIA.split() else script


_EAST_ASIA = """
CJK HIRAGANA KATAKANA HANGUL IDEOGRAPHIC FULLWIDTH HALFWIDTH BOPOMOFO LEFT RIGHT
"""
# scripts whose letters change with their neighbours, or run from right to left
_SHAPED = """
ARABIC HEBREW SYRIAC THAANA NKO DEVANAGARI BENGALI GURMUKHI GUJARATI ORIYA TAMIL TELUGU KANNADA MALAYALAM
SINHALA KHMER MYANMAR TIBETAN MONGOLIAN BALINESE JAVANESE
"""


def _needed(texts: Iterable[str]) -> tuple[str, str]:
    """What the shipped font lacks in these texts, and what else stands in the texts that have any of it."""
    lacking: dict[str, None] = {}
    around: set[str] = set()
    for text in texts:
        if text.isascii():
            continue
        shown = drawable(text)
        found = [c for c in shown if not _covered(c)]
        if found:
            lacking |= dict.fromkeys(found)
            around |= set(shown)
    return "".join(lacking), "".join(sorted(around - lacking.keys()))


@lru_cache(maxsize=64)
def _found(needed: str, around: str, files: tuple[str, ...]) -> tuple[Fallback, ...]:
    left: dict[str, list[str]] = {}
    for character in needed:
        script = script_of(character)
        if script not in _SHAPED.split() or _shapes():
            left.setdefault(script, []).append(character)
    chosen: dict[tuple[str, int], tuple[Face, list[str]]] = {}
    for script, characters_of_it in left.items():
        rest = characters_of_it
        while rest:
            face = _best(rest, files, script)
            if face is None:
                break
            has = characters(face)
            taken = chosen.setdefault((face.path, face.index), (face, []))[1]
            taken += [c for c in rest if ord(c) in has]
            rest = [c for c in rest if ord(c) not in has]
    return tuple(
        Fallback(
            *(digest(face.path), face.index, "".join(sorted(drawn))),
            "" if face.strike else "".join(c for c in around if ord(c) in characters(face)),
            *(face.path, face.strike, face.colour),
        )
        for face, drawn in chosen.values()
    )


def _best(wanted: list[str], files: tuple[str, ...], script: str) -> Face | None:
    """The first face that has all of these characters, or else the one that has most of them."""
    best, most = None, 0
    codes = {ord(c) for c in wanted}
    likely = {"SYMBOL": "emoji", "CJK": "cjk"}.get(script, script.lower())
    for path in sorted(files, key=lambda one: likely not in Path(one).name.lower()):
        # of East Asia's, each has all letters in the forms of one country
        for face in sorted(faces(path), key=lambda one: not one.family.endswith(_country(wanted))):
            many = 0 if face.gradients else len(codes & characters(face))
            if many > most:
                best, most = face, many
            if most == len(codes):
                return best
    return best


def _country(wanted: list[str]) -> str:
    """How families of East Asia end whose forms suit a text: Japan's with kana, Korea's with hangul."""
    scripts = {unicodedata.name(c, "").partition(" ")[0] for c in wanted}
    return " KR" if "HANGUL" in scripts else " JP" if scripts & {"HIRAGANA", "KATAKANA"} else " SC"


@lru_cache(maxsize=1)
def _shapes() -> bool:
    """Whether the library that draws letters was built with one that shapes them."""
    from PIL import features

    return bool(features.check("raqm"))


def _invisible(character: str) -> bool:
    return unicodedata.category(character) in ("Cc", "Cf") or _is_variation_selector(character)


def _is_variation_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _covered(character: str) -> bool:
    edges = _edges()
    return bisect_right(edges, ord(character)) % 2 == 1


@lru_cache(maxsize=1)
def _edges() -> tuple[int, ...]:
    """First covered, first uncovered, first covered, ...: an even place in it is outside."""
    text = (resources.path("fonts") / "coverage.txt").read_text(encoding="utf-8")
    return tuple(_parse(text))


def _parse(text: str) -> Iterator[int]:
    for line in text.splitlines():
        if line and not line.startswith("#"):
            first, _, last = line.partition("-")
            yield int(first, 16)
            yield int(last or first, 16) + 1
