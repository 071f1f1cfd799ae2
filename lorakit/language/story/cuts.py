"""Where a cut between two sentences was none (after `Ms.`, within 「…。…」, before `she asks`), or lacks.

sentencex finds the ends of sentences in many scripts; what it cuts too early is put together again here, and
what it took for short is cut: words that are words as well (`Tom loves art. Anna sings.`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lorakit.language.story.noun_phrases import word_set
from lorakit.patterns import later

# before names
_TITLES = word_set("""
adm avv brig capt cdr cmdr col cpl cpt dott dr ens fr frl ft gen gov hon hr insp lt maj messrs mio mlle mme mr
mrd mrs ms mt mx ofc prof pvt rep rev sen sgt sig sr sra srta st ste supt vs
г ул им т стр см рис гл св акад проф
""")  # noqa: RUF001
# before numbers and letters
_NUMBERED = word_set("""
act apt art avg ca cap ch chap dept ep eps eq ex exc fig figs fri incl excl lvl mon nos no nr op p par pos
pp  pt rm sc sec ser tel thu tue v ver vol vols abb bd kap tab
""")
# the same, but people are called so: max. 3 owls; He meets Max. 3 owls fly.
_NUMBERED_IF_SMALL = frozenset({"max", "min", "est"})
# never at an end
_WITHIN = word_set("e.g i.e cf viz approx z.b d.h bzw u.a т.е т.н")  # noqa: RUF001
# written small, these are words and end sentences: Tom loves art. Anna sings.
_WORDS = word_set("no art par pos sec fig figs op tab fr hon rep rev ill fri mon tue thu ed")
_ANSWERS = frozenset({"No", "Ok"})
_MONTHS = word_set("""
januar februar märz april mai juni juli august september oktober november dezember jahrhundert
""")
_HEADINGS = frozenset({"INT", "EXT", "INT/EXT", "INT./EXT", "EXT./INT", "I/E", "EST"})
_HOURS = frozenset({"a.m", "p.m"})
_SHORT = _TITLES | _NUMBERED | _NUMBERED_IF_SMALL | _WITHIN | {name.lower() for name in _HEADINGS}
_STARTERS = word_set("""
a after all an and as at before but every for from he her his i in it its my now on one our she so some
suddenly that the their then there these they this those to two under we what when where while who why with
you your
""")
# a number or a letter; but in `Fifth Ave. A car stops` an article
_NUMBER = later(
    r"[\"'\u201c(]?(?:\d|[IVXLCDM]+(?![\w])|(?!A\s+(?!is\b|was\b|has\b|and\b|or\b|of\b|in\b|to\b)[a-z])[A-Z](?!\w))"
)
_BREAK = later(r"(?<=[.\u2026])\s+(?=[\"'\u201c\u2018(]*([^\W\d_]))")
_ORDINAL = later(r"(?:\A|\s)\d{1,2}\.\Z")
_LAST_WORD = later(r"([^\"'\u201c\u2018\u00ab(\[\u300c\u300e]+)\.\Z")
_CYRILLIC = later(r"[\u0430-\u044f\u0451.]{1,4}")  # т. д., др.
_LISTED = later(r"\s*(?:\d{1,3}[.)]|[A-Z]\.|[IVX]{2,5}\.)\s*\Z")
_FIRST_WORD = later(r"[\s\"'\u201c\u2018\u00ab(]*([\w'\u2019-]+)")
_SAYS = (
    "said|says|asked|asks|cried|cries|called|calls|shouted|shouts|whispered|whispers|replied|replies|answered"
    "|answers|yelled|yells|thought|thinks|sang|sings|added|adds|murmured|murmurs|laughed|laughs"
)
_TAG = later(rf"\s*(?:(?:[\w'\u2019-]+\s+){{1,3}}(?:{_SAYS})|(?:{_SAYS})\s+\w+)\b")
_DASHED = later(r"\s*[\u2014\u2013-]\s*[^\W\d_A-Z\u0410-\u042f]")
_QUOTE_ENDS = frozenset("\"\u201d\u00bb\u300d\u300f\u2019'")
_PARTICLE = later(r"\s*(?:と|って|という|とか|とは|라고|하고)")
_TITLE_ENDS = frozenset("\u300b\u3009")
_PAIRS = {
    "\u201e": "\u201c",
    "\u201c": "\u201d",
    "\u00ab": "\u00bb",
    "\u300c": "\u300d",
    "\u300e": "\u300f",
}
_PAIRS |= {
    "\u300a": "\u300b",
    "\u3008": "\u3009",
    "\uff08": "\uff09",
    "\u3010": "\u3011",
    "(": ")",
    "[": "]",
}
_OPENS = later(f'["{re.escape("".join(_PAIRS))}]')
_MOST = 12  # pieces: what stays open for longer was forgotten


def mended(pieces: Iterable[str]) -> Iterator[str]:
    """Sentences from pieces of a line, those put together that are one."""
    left = [part for piece in pieces for part in _cut(piece)]
    at = 0
    while at < len(left):
        at, whole = _closed(left, at, "")
        while at < len(left) and not _are_two(whole, left[at]) and _is_one(whole, left[at]):
            at, whole = _closed(left, at, whole)
        yield whole


def _cut(piece: str) -> Iterator[str]:
    """A piece, cut where it holds the end of a sentence that was taken for short."""
    begin = 0
    if ". " in piece or "\u2026 " in piece:
        for match in _BREAK.finditer(piece):
            first, second = piece[begin : match.start()], piece[match.end() :]
            if (
                match[1].isupper()
                and _ends(first, second)
                and not _open(piece[begin : match.end()])
            ):
                yield piece[begin : match.end()]
                begin = match.end()
    yield piece[begin:]


def _ends(first: str, second: str) -> bool:
    """Whether a sentence ends there, where `second` begins with a capital."""
    if first.endswith("\u2026"):
        return True
    match = _LAST_WORD.search((first.rsplit(maxsplit=1) or [""])[-1])
    if match is None:
        return False
    last = match[1]
    if last.lower() in _HOURS:
        return len(first.split()) >= 4
    if second.startswith("A ") and last.lower() not in _TITLES:
        return not _NUMBER.match(second)  # Fifth Ave. A car stops
    if last in _ANSWERS and len(first.split()) == 1:
        return not _NUMBER.match(second)
    if not last.islower() or not last.isalpha() or len(last) < 2:
        return False
    if last in _WORDS:
        return not _NUMBER.match(second)
    return last not in _TITLES | _NUMBERED | _NUMBERED_IF_SMALL | _WITHIN


def _closed(pieces: list[str], at: int, whole: str) -> tuple[int, str]:
    """Add a piece, and those to the end of what opens in it; gives where the next one begins."""
    whole += pieces[at]
    opened = _until_closed(whole, pieces, at + 1)
    return at + 1 + opened, whole + "".join(pieces[at + 1 : at + 1 + opened])


def _until_closed(whole: str, pieces: list[str], at: int) -> int:
    """How many of the pieces from `at` on a quotation or bracket stands open for."""
    if not _open(whole):
        return 0
    text = whole
    for number, piece in enumerate(pieces[at : at + _MOST], 1):
        text += piece
        if not _open(text):
            return number
    return 0


def _open(text: str) -> bool:
    """Whether something opens in a text that does not close in it."""
    if _OPENS.search(text) is None:
        return False
    closing: list[str] = []
    for character in text:
        if closing and character == closing[-1]:
            closing.pop()
        elif character == '"':
            closing.append('"')
        elif character in _PAIRS:
            closing.append(_PAIRS[character])
    return bool(closing)


def _are_two(first: str, second: str) -> bool:
    """Whether two pieces are sentences as most are: several words, a full stop, and a capital."""
    words = first.rsplit(maxsplit=1)
    last = words[-1][:-1] if len(words) == 2 and words[-1][-1] == "." else ""
    ordinary = last.isalpha() and last.isascii() and last.lower() not in _SHORT
    return ordinary and second.lstrip()[:1].isupper()


def _is_one(first: str, second: str) -> bool:
    """Whether two pieces in a row are one sentence."""
    if not any(character.isalnum() for character in second):
        return True
    if _DASHED.match(second):  # « Stop ! » — said Tom
        return True
    if _LISTED.match(first):  # a number or an initial alone is no sentence
        return True
    last = (first.rsplit(maxsplit=1) or [""])[-1]
    if last[-1:] in _QUOTE_ENDS and (_PARTICLE.match(second) or _TAG.match(second)):
        return True
    if second.lstrip()[0].islower() and _TAG.match(second):
        return True
    if last[-1:] in _TITLE_ENDS:
        return True
    match = _LAST_WORD.search(last) if last.endswith(".") else None
    return match is not None and _is_short_for_more(match[1], first, second)


def _is_short_for_more(last: str, first: str, second: str) -> bool:
    """Whether a last word with a full stop is an abbreviation that the next piece goes on from."""
    plain = last.lower()
    if last.isdigit():
        return _is_ordinal(first, second)
    if last in _WORDS and not _NUMBER.match(second.lstrip()):
        return False
    if last[0].isupper() and second.lstrip()[0].islower() and plain in _NUMBERED | _TITLES:
        return True  # Mon. is cold
    if plain in _WITHIN or last in _HEADINGS:
        return True
    if plain in _NUMBERED and _NUMBER.match(second.lstrip()):
        return True
    if plain in _NUMBERED_IF_SMALL and (last.islower() or first.strip() == f"{last}."):
        return second.lstrip()[:1].isdigit()
    if plain in _HOURS:
        return len(first.split()) < 4
    following = _FIRST_WORD.match(second)
    if _CYRILLIC.fullmatch(plain) and following is not None and following[1].islower():
        return True
    starts = following is not None and following[1].lower() in _STARTERS
    return plain in _TITLES and not starts


def _is_ordinal(first: str, second: str) -> bool:
    """Am 3. Oktober: a number that a month's name goes on from."""
    following = _FIRST_WORD.match(second)
    month = following is not None and following[1].lower() in _MONTHS
    return month and _ORDINAL.search(first.rstrip()) is not None
