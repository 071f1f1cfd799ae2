"""What stands for a character: its anchor in the prompt, its name in the caption."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from lorakit.language.story.noun_phrases import ARTICLES, NOT_ADJECTIVES, a_or_an, with_article
from lorakit.language.story.reading import Figure
from lorakit.language.story.word_names import is_called
from lorakit.patterns import later

if TYPE_CHECKING:
    from lorakit.language.story.documents import Character
    from lorakit.language.story.noun_phrases import Phrase


def figure(character: Character) -> Figure:
    """Cut a character's anchor into its article, and the words before its first `with` or verb."""
    words = character.anchor.split()
    article = words[0] if words and words[0].lower() in ARTICLES else ""
    body = character.anchor[len(article) :].lstrip() if article else character.anchor
    head = []
    for word in body.split():
        if word.lower().strip(",") in NOT_ADJECTIVES:
            break
        head.append(word.lower().strip(","))
    return Figure(character, article, body, frozenset(head))


def usual_name(name: str, anchor: str, story: str) -> str:
    """What captions call a character without a name of its own: Tom, if it is told so, or else the bunny."""
    if not name.isascii():
        return name
    word = rf"(?<![\w-]){re.escape(name)}(?![\w-])"
    if re.search(word, anchor):
        return f"the {name}"
    written: list[str] = re.findall(word, story, re.IGNORECASE)
    with_an_article = re.search(
        rf"\b(?:the|an?|this|that)\s+(?:\w+\s+)?{word}", story, re.IGNORECASE
    )
    kind = re.search(word, anchor, re.IGNORECASE) is not None or with_an_article is not None
    if is_called(name.casefold(), written, story):
        return name.capitalize()
    if written and not kind and all(spelling[0].isupper() for spelling in written):
        return written[0]
    return f"the {name}"


def is_proper(character: Character) -> bool:
    """Whether a name is one like Tom, which takes no article, rather than one like the bunny."""
    name = character.name.split()
    return not name or name[0].lower() not in ARTICLES


def is_person(character: Character) -> bool:
    """Whether a name is proper and not what its anchor draws: Rose, a girl; not Robin, a robin."""
    word = rf"(?<![\w-]){re.escape(character.name.lower())}(?![\w-])"
    return is_proper(character) and re.search(word, character.anchor) is None


def in_prompt(figure: Figure, phrase: Phrase) -> str:
    """The anchor with the author's own words in it; without its article where somebody owns it."""
    own = " ".join(
        w for w in phrase.words if w.lower().rstrip(",") not in figure.head_words
    ).rstrip(",")
    if phrase.owned:
        return f"{own} {figure.body}".strip()
    if not own:
        return figure.character.anchor
    return f"{with_article(figure.article, own)} {own} {figure.body}".strip()


def in_caption(figure: Figure, phrase: Phrase, written: str) -> str:
    """The character's name, with the author's article and words before it."""
    words = " ".join(phrase.words)
    first, _, rest = figure.character.name.partition(" ")
    common = bool(rest) and first.lower() in ARTICLES
    if phrase.title:
        name = written if common else figure.character.name
        return " ".join(f"{phrase.article} {words} {phrase.title} {name}".split())
    if phrase.owned:
        return f"{words} {rest if common else written}".strip()
    if common:
        following = f"{words} {rest}".strip()
        return f"{a_or_an(phrase.article, following) or first} {following}"
    if phrase.article.lower() in ("", "the", "a", "an"):
        # the fox is Foxy, the angry fox is the angry Foxy
        return f"{phrase.article if words else ''} {words} {figure.character.name}".strip()
    return f"{phrase.article} {words} {written}".replace("  ", " ")


def of(whose: str) -> str:
    """The possessive form."""
    return f"{whose}'" if whose.endswith("s") else f"{whose}'s"


_OWNS = later(r"['\u2019]s(?![\w-])", re.IGNORECASE)
_PLURAL_S = later(r"['\u2019](?=\s+\w)")
_OPENING = later(r"(?:^|[\s(])['\u2018]")


def possessive(text: str, end: int) -> tuple[bool, int]:
    """Whether a name that ends at `end` owns something, as in Tom's and James', and where that ends."""
    if text[end : end + 1] not in ("'", "\u2019"):
        return False, end
    if _OWNS.match(text, end):
        return True, end + 2
    if text[end - 1 : end] in ("s", "S") and _PLURAL_S.match(text, end):
        return (False, end) if _OPENING.search(text, 0, end) else (True, end + 1)
    return False, end


def tail(figure: Figure, name: str, text: str, end: int) -> str:
    """What follows a character's name at `end` and its anchor says anyway: ` with a magic hat`.

    Or all of the anchor, set apart: `, a boy in a red cap,`.
    """
    if text[end : end + 1] not in (" ", ",", "("):
        return ""
    match = _tail(figure.character.anchor, name).match(text, end)
    return match[0] if match else ""


def apposition(figure: Figure, text: str, done: int, begin: int, end: int) -> tuple[int, int]:
    """Where an anchor begins that a name between commas follows, as in `a boy in a red cap, Tom, sings`.

    Returns that place, and where the second comma ends; `begin` and 0 where there is none.
    """
    anchor = figure.character.anchor
    at = begin - len(anchor) - 2
    if at < done or text[end : end + 2] != ", " or text[at:begin].lower() != f"{anchor}, ".lower():
        return begin, 0
    return at, end + 1


@lru_cache(maxsize=4096)
def _tail(anchor: str, name: str) -> re.Pattern[str]:
    whole = re.escape(anchor)
    apart = rf"\s*,\s+{whole}(?:,|(?=[.;:!?]|\Z))|\s+\({whole}\)"
    spelled = " ".join(name.split())
    own = re.search(rf"(?<![\w-]){re.escape(spelled)}(?![\w-])", anchor, re.IGNORECASE)
    rest = re.escape(anchor[own.end() :] if own else _said_of_it(anchor))
    return re.compile(f"{apart}|{rest}" if rest else apart, re.IGNORECASE)


def _said_of_it(anchor: str) -> str:
    """What an anchor says behind what it is: ` in a red cap` of `a boy in a red cap`."""
    for word in re.finditer(r"\s+([\w'-]+)", anchor):
        if word[1].lower() in NOT_ADJECTIVES:
            return anchor[word.start() :]
    return ""
