"""How names are found in a text: whole words, where the script that they are written in has words.

Chinese, Japanese, Thai and their like stand without blanks, and Korean hangs its particles on to nouns.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from itertools import groupby

# scripts without blanks between words: Thai, Lao, Myanmar, Khmer, kana, Han
_HAN_AND_HIRAGANA = (
    "\u3005-\u3007\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_KATAKANA = "\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_SOUTH = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_HANGUL = "\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_LOOSE = _HAN_AND_HIRAGANA + _SOUTH
_UNSPACED = _LOOSE + _KATAKANA
_OTHERWISE = {"ss": "\u00df", "i\u0307": "\u0130"}
_LETTERS = re.compile(r"ss|i\u0307|.", re.DOTALL)
# a word of letters with blanks between words ends at a letter of a script without, too: Tom在森林里
# (these scripts have no capitals: to look for some would take longer than all else)
_WORD_BEGINS = rf"(?:(?<![\w-])|(?-i:(?<=[{_UNSPACED}])))"
_WORD_ENDS = rf"(?:(?![\w\u0300-\u036f-])|(?-i:(?=[{_UNSPACED}{_HANGUL}])))"
_WORD_IN_ASCII = (r"(?<![\w-])", r"(?![\w-])")


def name_pattern(names: list[str], *, for_ascii: bool = False) -> str:
    """A regular expression that finds any of these names, the longest that there is.

    One `for_ascii` finds the same in texts of ASCII alone, where no such script can stand beside a name.
    """
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    alike = groupby(longest_first, lambda name: _WORD_IN_ASCII if for_ascii else _bounds(name))
    parts = ((*bounds, "|".join(map(_spelled, group))) for bounds, group in alike)
    return "|".join(f"{begin}(?:{spelled}){end}" for begin, end, spelled in parts) or r"(?!)"


def joins_words(character: str) -> bool:
    """Whether a character is of a script in which a name may touch the word beside it."""
    return _is_of(_UNSPACED + _HANGUL, character)


def _is_of(scripts: str, character: str) -> bool:
    ranges = zip(scripts[::3], scripts[2::3], strict=True)
    return any(first <= character <= last for first, last in ranges)


@lru_cache(maxsize=4096)
def plain(name: str) -> str:
    """A name as it is compared: composed, single blanks, and so that STRASSE and straße are one."""
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def _spelled(name: str) -> str:
    return r"\s+".join(map(_each_way, name.split()))


def _each_way(word: str) -> str:
    """A word in all its spellings that mean the same: ß and ss, and letters with their marks in two ways."""
    return "".join(map(_either, _LETTERS.findall(word)))


def _either(letters: str) -> str:
    other = _OTHERWISE.get(letters) or unicodedata.normalize("NFD", letters)
    spelled = re.escape(letters)
    return spelled if other == letters else f"(?:{spelled}|{re.escape(other)})"


def _bounds(name: str) -> tuple[str, str]:
    """What must stand before a name and after it."""
    return _begins(name[0]), _ends(name[-1])


def _begins(letter: str) -> str:
    if _is_of(_LOOSE, letter):
        return ""
    return f"(?<![{_KATAKANA}])" if _is_of(_KATAKANA, letter) else _WORD_BEGINS


def _ends(letter: str) -> str:
    if _is_of(_LOOSE + _HANGUL, letter):
        return ""
    return f"(?![{_KATAKANA}])" if _is_of(_KATAKANA, letter) else _WORD_ENDS
