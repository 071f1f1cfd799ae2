"""What belongs to a name: the article, possessive or determiner before it, and adjectives between.

    the happy bunny   ->   determiner `the`, words `happy`
    the king's owl    ->   `the king's` stays and stands for the anchor's article

A comma, a verb or another noun between them ends the phrase: in `In the forest, Tom sleeps` nothing of the
forest is Tom's.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from lorakit.patterns import later


def word_set(text: str) -> frozenset[str]:
    """The words of a text, to look others up in."""
    return frozenset(text.split())


# these go: the anchor has an article of its own; "that" joins clauses more often: the key that bunny holds
ARTICLES = frozenset({"the", "a", "an", "this"})
# these stay, and the anchor's article goes
_DETERMINERS = word_set(
    "my your our his her its their whose every each another no some any which what one neither either"
)
NOT_ADJECTIVES = word_set("""
and or nor but of with without in on at to from by for into onto over under near beside behind above
below across after before around through between towards toward as than like is are was were has have had
finds holds rides looks meets sees shows gives says takes flies runs walks who which when while where that
then so if because until since
""")
# these end a phrase as well; some are names: Will, May
_AUXILIARIES = word_set("do does did can could will would shall should may might must")
# after these, "her" is an object: she meets her in a forest
AFTER_OBJECT = NOT_ADJECTIVES | _DETERMINERS | ARTICLES
AFTER_OBJECT |= {"again", "away", "back", "here", "now", "there", "too"}
# before these "that" points: this fox and that owl
_BEFORE_THAT = word_set(
    "and or nor but of with without at to from by for near beside behind above below around between like"
)
_ENDS = NOT_ADJECTIVES | _AUXILIARIES
_PLACES = word_set("in on at under by through after before during near behind inside outside")
_ADJECTIVES = word_set("""
afraid aged ancient angry awake bald beautiful big black blond blonde blue bold bored brave bright brown busy
calm careful careless charming cheeky cheerful clever cold confused cool cosy crazy cruel curious cute dark
dear dirty dizzy drunk dull dusty eager elderly elegant empty evil exhausted faithful famous fast fat fearless
fierce fluffy fond foolish free friendly frightened funny furious furry gentle giant glad glum golden good
graceful grand grateful great greedy green grey gray grumpy happy hairy handsome healthy heavy helpful honest
huge humble hungry hurt ill injured invisible jealous jolly joyful kind lazy little lively lonely long lost
loud lovely loyal lucky mad magic magical mean merry mighty miserable muddy mysterious naughty neat nervous
new nice noble noisy old orange pale patient patterned peaceful pink playful polite poor pretty proud purple
quick quiet red rich sad scared scary serious shabby sharp short shy sick silent silly silver skinny sleepy
slim slow sly small smart smelly smiling sleeping soft sorry spotted stout strange striped strong stubborn
stupid surprised sweet tall tame tame tender terrible thin thirsty thoughtful tiny tired tremendous ugly
unhappy very warm wary weak weary wet white wicked wild wise wonderful wooden worried wounded yellow young
""")
_ADVERBS = word_set("very really quite rather so too extremely truly utterly most")
_NOT_POSSESSIVES = word_set(
    "it's that's what's he's she's there's here's who's let's where's how's"
)
_MOST_WORDS = 6
_PAIRS = frozenset({"neither", "either"})
_JOINS = frozenset({"and", "but", "yet"})  # between adjectives
# forms of address, which belong to a name and to no anchor
_TITLE_BEFORE = later(
    r"(?<![\w-])(?:Mr|Mrs|Ms|Mx|Dr|Prof|St|Capt|Sgt)\.?\s+\Z|(?<![\w-])(?:Miss|Mister|Sir|Madam|Lady|Lord|King"
    r"|Queen|Prince|Princess|Captain|Doctor|Professor|Uncle|Aunt|Auntie|Saint|Granny|Grandpa|Grandma)\s+\Z"
)
# before these "a" would mean another one: the first owl, the other bunny
_ONE_OF_SEVERAL = word_set("first second third last next other same only second-to-last")
_WORD_BEFORE = later(r"([\w'\u2019-]+)(,?)\s+\Z")


class Phrase(NamedTuple):
    """A mention from `begin` on: the article that goes, if any, and the author's words before the name.

    `owned` means that a possessive or a determiner before `begin` stands for the anchor's article. `title` is
    a form of address, as in Mr. Tom.
    """

    begin: int
    article: str = ""
    words: tuple[str, ...] = ()
    owned: bool = False
    title: str = ""


def before(
    text: str, done: int, start: int, own: frozenset[str], *, proper: bool, possessive: bool
) -> Phrase:
    """Find what belongs to the name at `start`, not before `done`.

    `own` are the words that its anchor begins with, `proper` says whether it is a proper name, which
    takes an article only with an adjective (the brave Tom), `possessive` whether a possessive ends at `done`.
    """
    if start == done:
        return Phrase(start, owned=possessive)
    called = proper or text[start].isupper()  # Dr. Bunny, of a bunny
    title = _TITLE_BEFORE.search(text, max(done, start - 20), start) if called else None
    if title is not None:
        rest = before(text, done, title.start(), own, proper=proper, possessive=possessive)
        return rest._replace(title=" ".join(f"{rest.title} {title[0]}".split()))
    words: list[str] = []
    begins: list[int] = []
    at = start
    article, article_at, owned = "", -1, False
    while len(words) < _MOST_WORDS:
        found = _word_before(text, max(done, at - 60), at)
        if found is None:
            owned = possessive and not text[done:at].strip()
            break
        written, comma, begin = found
        word = written.lower().replace("\u2019", "'")
        if comma and not (words and _known(words[-1].rstrip(","), own) and _known(word, own)):
            break
        if word in ARTICLES or (word == "that" and _points(text, max(done, begin - 20), begin)):
            article, article_at = written, begin
            break
        if word in _DETERMINERS or _is_possessive(word):
            owned = not (proper and word in _PAIRS)  # neither Tom nor Anna
            break
        if word in _ENDS and not (
            word in _JOINS and words and _joins(text, max(done, begin - 60), begin, words[-1], own)
        ):
            break
        words.append(written + comma)
        begins.append(begin)
        at = begin
    if article or owned:
        place = bool(article and words) and _after_place(text, article_at)
        if _fits(words, own, proper=proper, place=place):
            return Phrase(article_at if article else at, article, tuple(reversed(words)), owned)
    return _bare(words, begins, start, own, noun=bool(article or owned), text=text)


def _points(text: str, begin: int, at: int) -> bool:
    """Whether a `that` at `at` points at somebody, where most begin a clause."""
    earlier = _word_before(text, begin, at)
    return opens(text, at) or (earlier is not None and earlier[0].lower() in _BEFORE_THAT)


def _joins(text: str, begin: int, at: int, following: str, own: frozenset[str]) -> bool:
    """Whether an `and` at `at` stands between two adjectives: the brave and clever bunny."""
    earlier = _word_before(text, begin, at)
    return earlier is not None and _known(following, own) and _known(earlier[0], own)


def _word_before(text: str, begin: int, at: int) -> tuple[str, str, int] | None:
    """The last word between `begin` and `at`, the comma that may follow it, and where it begins.

    Blanks have to follow both.
    """
    if at - begin > 1 and text[at - 1] == " ":  # as most words stand: alone, and one blank behind
        blank = max(begin, text.rfind(" ", begin, at - 1) + 1)
        word = text[blank : at - 1]
        if word.isalnum():
            return word, "", blank
    blank = text.rfind(" ", begin, len(text[:at].rstrip()))
    match = _WORD_BEFORE.search(text, max(begin, blank + 1), at)
    return None if match is None else (match[1], match[2], match.start())


def a_or_an(article: str, following: str) -> str:
    """`a` or `an` as it sounds before what follows, in the case of `article`; other words as they are."""
    if article.lower() not in ("a", "an"):
        return article
    right = "an" if _VOWEL.match(following) else "a"
    return right.capitalize() if article[0].isupper() else right


def with_article(article: str, following: str) -> str:
    """The same, but `the` before what there is one of, such as the first."""
    if article.lower() in ("a", "an") and following.partition(" ")[0].lower() in _ONE_OF_SEVERAL:
        return "The" if article[0].isupper() else "the"
    return a_or_an(article, following)


_VOWEL = later(
    r"(?!uni[^nm]|use|eu|one\b|once\b|u[bckrst][aeiu])[aeiou]|hour|honest|honou?r|heir",
    re.IGNORECASE,
)


def is_adjective(word: str) -> bool:
    """Whether a word describes and hardly ever does or is something."""
    plain = word.lower()
    return plain in _ADJECTIVES or plain.endswith(("ful", "ous", "less"))


def _known(word: str, own: frozenset[str]) -> bool:
    plain = word.lower().rstrip(",")
    return plain in own or plain in _ADVERBS or is_adjective(plain)


def _fits(words: list[str], own: frozenset[str], *, proper: bool, place: bool) -> bool:
    """Whether words, nearest first, can stand between an article and the name."""
    strange = [
        number
        for number, word in enumerate(words)
        if word.lower() not in _JOINS and not _known(word, own)
    ]
    if proper and place and words:
        return False  # in the dark Tom sleeps
    return not strange or (strange == [0] and not proper and not place)


def _bare(
    words: list[str], begins: list[int], start: int, own: frozenset[str], *, noun: bool, text: str
) -> Phrase:
    """A name without an article: little Tom; but not what is a noun to an article: in the dark Tom."""
    many = 0
    while many < len(words) and _known(words[many], own):
        many += 1
    joined = [word.lower() not in _JOINS and not _known(word, own) for word in words]
    if many < len(words) and not any(joined) and opens(text, begins[-1]):
        many = len(words)  # brave and clever Tom
    if many == len(words) and noun:
        many = 0
        while many < len(words) and words[many].lower().rstrip(",") in own:
            many += 1
    if not many:
        return Phrase(start)
    begin = begins[many - 1]
    described = words[many - 1 :: -1]
    if opens(text, begin):  # its capital is the sentence's
        described[0] = described[0][0].lower() + described[0][1:]
    return Phrase(begin, "", tuple(described))


def _is_possessive(word: str) -> bool:
    return word.endswith(("'s", "s'")) and word not in _NOT_POSSESSIVES


def opens(text: str, at: int) -> bool:
    """Whether a word at `at` begins its sentence or its part of one."""
    return not text[:at].strip() or text[:at].rstrip()[-1] in ',;:.!?"\u201c\u201e\u00ab('


def _after_place(text: str, at: int) -> bool:
    """Whether an article at `at` is of a place or a time that opens the sentence: in the morning Tom..."""
    found = _word_before(text, max(0, at - 20), at)
    return found is not None and found[0].lower() in _PLACES and opens(text, found[2])
