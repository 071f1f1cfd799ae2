"""The font that ships, which characters it lacks, and which fonts of this machine draw those instead.

What it lacks is asked at plan time, without opening it; fonts are opened only where it lacks something.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from lorakit import resources
from lorakit.facts.fonts.font_files import Face, characters, digest, faces, font_files
from lorakit.records import record

Weight = Literal["Regular", "SemiBold"]
# zero-width non-joiner and joiner: Persian and Indic words are written with them, and emoji of several parts
JOINER = "\u200d"
JOINERS = f"\u200c{JOINER}"


def font_file(weight: Weight) -> Path:
    """Find the font of a weight: SemiBold for films' captions and titles, Regular for the rest."""
    return resources.path("fonts") / f"Inter-{weight}.otf"


def drawable(text: str) -> str:
    """Bring a text into the form it is drawn in: composed letters, single spaces, all visible.

    Controls and variation selectors vanish, and joiners but beside letters that the shipped font lacks, to
    which it means nothing; marks are composed with their letters where Unicode knows the pair. Line breaks
    become spaces: where lines end is the captions' business.
    """
    spaced = (" " if c.isspace() else c for c in unicodedata.normalize("NFC", text))
    shown = "".join(c for c in spaced if c in JOINERS or not _invisible(c))
    if not set(shown).isdisjoint(JOINERS):
        shown = re.sub(f"[{JOINERS}]+", _meant, shown)
    return " ".join(shown.split())


def _meant(joiners: re.Match[str]) -> str:
    """The joiners between two letters, if they mean anything to either."""
    text = joiners.string
    beside = text[max(0, joiners.start() - 1) : joiners.start()], text[joiners.end() :][:1]
    return joiners[0] if all(beside) and not all(map(_covered, beside)) else ""


@record
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


def fallbacks(texts: Iterable[str], chosen: Face | None = None) -> tuple[Fallback, ...]:
    """Find fonts of this machine for what the shipped one lacks; what no font has is left out.

    A font that is `chosen` stands first, and draws all that it has.
    """
    given = list(texts)
    first = _drawn_by(chosen, given) if chosen is not None else None
    needed, around = _needed(given)
    if first is not None:
        needed = "".join(c for c in needed if c not in first.characters)
    found = _found(needed, around, font_files()) if needed else ()
    return found if first is None else (first, *found)


def missing_glyphs(texts: Iterable[str] | str, chosen: Face | None = None) -> str:
    """Find the characters that no font here has, each once, in the order they are met."""
    given = [texts] if isinstance(texts, str) else list(texts)
    needed, _ = _needed(given)
    if not needed:
        return ""
    there = {c for one in fallbacks(given, chosen) for c in one.characters}
    return "".join(c for c in needed if c not in there)


def _drawn_by(face: Face, texts: Iterable[str]) -> Fallback:
    """What a font draws of these texts."""
    has = characters(face)
    shown = {c for text in texts for c in drawable(text)}
    drawn = "".join(sorted(c for c in shown - set(JOINERS) if ord(c) in has))
    told = (digest(face.path), face.index, drawn, "".join(sorted(shown & set(JOINERS))))
    return Fallback(*told, face.path, face.strike, face.colour)


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


def runs_backwards(text: str) -> bool:
    """Whether any of a text is read from the right."""
    return not text.isascii() and any(unicodedata.bidirectional(c) in ("R", "AL") for c in text)


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
        found = [c for c in shown if not _covered(c) and c not in JOINERS]
        if found:
            lacking |= dict.fromkeys(found)
            around |= set(shown)
    return "".join(lacking), "".join(sorted(around - lacking.keys()))


@lru_cache(maxsize=64)
def _found(needed: str, around: str, files: tuple[str, ...]) -> tuple[Fallback, ...]:
    left: dict[str, list[str]] = {}
    for character in needed:
        script = script_of(character)
        if script not in _SHAPED.split() or shapes():
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
            "".join(c for c in around if _beside(c, face, joined=JOINER in around)),
            *(face.path, face.strike, face.colour),
        )
        for face, drawn in chosen.values()
    )


def _beside(character: str, face: Face, *, joined: bool) -> bool:
    """Whether a font may draw a letter of ours between its own; of pictures, what may be `joined` alone."""
    if character in JOINERS:
        return True
    mine = not face.strike or (joined and unicodedata.category(character) == "So")
    return mine and ord(character) in characters(face)


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
def shapes() -> bool:
    """Whether the library that draws letters was built with one that shapes them, and so knows of joiners."""
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
