"""Names that are words as well: `Will will see`, `Rose holds a rose`, `Mark the spot, Mark`.

Small words (`will`, `may`, `an`) are names with a capital only, and where they open a sentence what follows
decides. Names of people that are things or doings as well (`Rose`, `Mark`) need a capital,
unless the sentence has none.
"""

from __future__ import annotations

import re

from lorakit.language.story.noun_phrases import ARTICLES, opens, word_set
from lorakit.patterns import later

_ASKS = word_set("will may can might must do")
_SMALL_WORDS = _ASKS | word_set("so no am an art")
_PERSONS = word_set("""
amber april ash aspen august autumn basil bill blaze brook bud buck carol chance charity chase cherry chip
chuck clay cliff clover constance coral crystal daisy dale dawn dean destiny dot drew duke earl eve faith
fern flora frank garnet gene ginger glen grace grant guy harmony harper hazel heath heather holly honey hope
hunter iris ivy jack jade jasmine jasper jean jewel joy june lance lark laurel lily lotus luna mark marina
mason max melody mercy merry mike miles misty myrtle nick nova olive opal pansy pat patience peace pearl peg
penny pepper piper poppy prudence ray rich river rob robin rock rod rose ruby rusty sage sandy saffron scout
sky skip sonny sophia star sterling storm sue summer sunny terry tony topaz verity violet wade ward willow
winter
""")
NAMES_AND_WORDS = _SMALL_WORDS | _PERSONS
_MONTHS = word_set("april may june august")
_BEFORE_MONTHS = later(
    r"(?<![\w-])(?:in|since|until|till|during|early|late|mid|last|next|every)\s+\Z", re.IGNORECASE
)
_DOERS = "he she it they we you i there that this these those someone everyone anyone nobody no all"
_OWNERS = "the a an my your his her its their our some any every each another"
_A_SUBJECT = later(rf"\s+(?:{'|'.join((_DOERS + ' ' + _OWNERS).split())})\b", re.IGNORECASE)
_AN_OBJECT = later(rf"\s+(?:{'|'.join(_OWNERS.split())}|it|this|that)\b", re.IGNORECASE)
_NAME_GOES_ON = later(
    r"\s*(?:[^\w\s]|$)|\s+(?:and|or|is|was|has|had|will|can|[^\W\d_]+s|with|in|at|on)\b",
    re.IGNORECASE,
)
_GOES_ON = later(r"\s*(?:[^\w\s]|$)|\s+(?:and|or|is|was|has|had)\b", re.IGNORECASE)
_ENDS = later(r"[.!?\u2026]")
_OWNED = later(
    rf"(?<![\w-])(?:{'|'.join([*_OWNERS.split(), 'no', 'this', 'that'])})\s+\Z", re.IGNORECASE
)


def is_the_word(text: str, start: int, end: int, names_at: frozenset[int], *, person: bool) -> bool:
    """Whether what stands there is the word, and no name.

    `names_at` are the places where other names may stand; `person`: whether the name is one like Rose, which
    takes no article and is not what its anchor draws.
    """
    written = text[start:end]
    plain = written.casefold()
    if plain in _MONTHS and written[0].isupper() and _is_month(text, start, end):
        return True
    if plain in _SMALL_WORDS:
        return _is_small_word(text, start, end, plain, names_at)
    if not person or plain not in _PERSONS:
        return False
    if written[0].isupper():
        # Mark the spot: nobody, since a name has no article after it
        return opens(text, start) and _AN_OBJECT.match(text, end) is not None
    first = next(letter for letter in text if letter.isalpha())
    return first.isupper() or _OWNED.search(text, max(0, start - 20), start) is not None


def is_called(name: str, written: list[str], text: str) -> bool:
    """Whether a story tells of someone called by a name that is a word, as `written` in its text."""
    if name not in NAMES_AND_WORDS:
        return False
    if name in _SMALL_WORDS:
        return any(spelling[0].isupper() for spelling in written)
    within = re.compile(rf"(?<=[\w,;] ){re.escape(name.capitalize())}(?![\w-])")
    return any(
        not re.search(rf"(?:{'|'.join(ARTICLES)}) \Z", text[: match.start()], re.IGNORECASE)
        for match in within.finditer(text)
    )


def _is_small_word(text: str, start: int, end: int, plain: str, names_at: frozenset[int]) -> bool:
    written = text[start:end]
    if written.islower():
        return True
    first = opens(text, start)
    if not first:
        return len(written) > 1 and text.isupper() and not _NAME_GOES_ON.match(text, end)
    if plain not in _ASKS:
        return not _NAME_GOES_ON.match(text, end)
    following = len(text) - len(text[end:].lstrip())
    if following > end and (following in names_at or _A_SUBJECT.match(text, end)):
        return True
    closing = _ENDS.search(text, end)
    return closing is not None and closing[0] == "?" and not _GOES_ON.match(text, end)


def _is_month(text: str, start: int, end: int) -> bool:
    before = _BEFORE_MONTHS.search(text, max(0, start - 20), start)
    return before is not None or re.match(r"\s+\d", text[end : end + 4]) is not None
