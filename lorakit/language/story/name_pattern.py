"""How names are found in a text: whole words, where the script that they are written in has words.

Chinese, Japanese, Thai and their like stand without blanks, and Korean hangs its particles on to nouns.
"""

from __future__ import annotations

import re
import unicodedata

# scripts without blanks between words: Thai, Lao, Myanmar, Khmer, kana, Han
_HAN_AND_HIRAGANA = (
    r"\u3005-\u3007\u3040-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_KATAKANA = r"\u30a0-\u30ff\u31f0-\u31ff\uff66-\uff9f"
_SOUTH = r"\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
_HANGUL = r"\u1100-\u11ff\u3130-\u318f\uac00-\ud7af"
_UNSPACED = _HAN_AND_HIRAGANA + _KATAKANA + _SOUTH
_JOINED = re.compile(f"[{_UNSPACED}{_HANGUL}]")
_OTHERWISE = {"ss": "\u00df", "i\u0307": "\u0130"}
_LETTERS = re.compile(r"ss|i\u0307|.", re.DOTALL)
# a word of letters with blanks between words ends at a letter of a script without, too: Tom在森林里
_WORD_BEGINS = rf"(?:(?<![\w-])|(?<=[{_UNSPACED}]))"
_WORD_ENDS = rf"(?:(?![\w\u0300-\u036f-])|(?=[{_UNSPACED}{_HANGUL}]))"
_LOOSE = re.compile(f"[{_HAN_AND_HIRAGANA}{_SOUTH}]")


def name_pattern(names: list[str]) -> str:
    """A regular expression that finds any of these names, the longest that there is."""
    longest_first = sorted(names, key=lambda name: (-len(name), name))
    return "|".join(map(_spelled, longest_first)) or r"(?!)"


def joins_words(character: str) -> bool:
    """Whether a character is of a script in which a name may touch the word beside it."""
    return _JOINED.match(character) is not None


def plain(name: str) -> str:
    """A name as it is compared: composed, single blanks, and so that STRASSE and straße are one."""
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def _spelled(name: str) -> str:
    words = r"\s+".join(map(_each_way, name.split()))
    return f"{_begins(name[0])}{words}{_ends(name[-1])}"


def _each_way(word: str) -> str:
    """A word in all its spellings that mean the same: ß and ss, and letters with their marks in two ways."""
    return "".join(map(_either, _LETTERS.findall(word)))


def _either(letters: str) -> str:
    other = _OTHERWISE.get(letters) or unicodedata.normalize("NFD", letters)
    spelled = re.escape(letters)
    return spelled if other == letters else f"(?:{spelled}|{re.escape(other)})"


def _begins(letter: str) -> str:
    if _LOOSE.match(letter):
        return ""
    if re.match(f"[{_KATAKANA}]", letter):
        return f"(?<![{_KATAKANA}])"
    return _WORD_BEGINS


def _ends(letter: str) -> str:
    if _LOOSE.match(letter) or re.match(f"[{_HANGUL}]", letter):
        return ""
    if re.match(f"[{_KATAKANA}]", letter):
        return f"(?![{_KATAKANA}])"
    return _WORD_ENDS
