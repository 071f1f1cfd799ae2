"""Pronouns: whom they may stand for, and where they stand for nobody."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from lorakit.language.story.noun_phrases import AFTER_OBJECT, is_adjective, word_set
from lorakit.patterns import later

if TYPE_CHECKING:
    from collections.abc import Sequence

_SUBJECT_AND_OBJECT = {
    "he": "he", "him": "he", "she": "she", "it": "it", "they": "they", "them": "they",
}  # fmt: skip
POSSESSIVE = {"his": "he", "its": "it", "their": "they"}
PRONOUNS = {**_SUBJECT_AND_OBJECT, **POSSESSIVE, "her": "she"}

# what "it" is said of where it means nothing: the hour, the season, the weather
_TIMES = """
night midnight nighttime day daytime morning noon midday afternoon evening dawn dusk sunset sunrise twilight
spring summer autumn fall winter christmas easter halloween time bedtime dinnertime lunchtime teatime monday
tuesday wednesday thursday friday saturday sunday january february march april may june july august september
october november december weekend holiday birthday week month year century summertime wintertime springtime
daybreak nightfall midsummer midwinter
"""
_WEATHER = """
dark late early cold hot warm cool chilly freezing foggy misty windy sunny cloudy stormy rainy snowy icy humid
raining snowing pouring drizzling hailing thundering storming light daylight
rain snow thunder
"""
_OPINIONS = """
possible impossible important clear true nice good bad hard easy fun best better worse wonderful strange sad
difficult dangerous safe forbidden allowed time known said certain likely
"""
_AMBIENCE = "quiet silent peaceful noisy busy crowded deserted lively"  # it is quiet in the forest
_NOT = r"(?:n['\u2019]t|\s+not)"
_ADVERB = (
    r"(?:\s+(?:not|never|already|just|only|always|still|often|soon|suddenly|now|then|also|even))*"
)
# is, has been, 'd been, won't be; and so for what comes to be
_HELPS = (
    r"(?:['\u2019](?:s|ll|d|ve)|\s+(?:is|was|will|would|shall|should|may|might|must|can|could|does|did|has|had)"
    rf"{_NOT}?|\s+(?:won|can)['\u2019]t)"
)
_BE = rf"(?:['\u2019]s(?:{_ADVERB}\s+been)?|\s+(?:is|was){_NOT}?|{_HELPS}{_ADVERB}\s+(?:been|be))"
_STILL = (
    r"(?:\s+(?:not|now|already|still|yet|almost|nearly|only|just|very|so|too|quite|rather|really|getting|growing"
    r"|becoming|about|half|past|well|again|always|never))*"
)
_COMES = (
    rf"(?:{_HELPS}{_ADVERB})?"
    r"\s+(?:gets?|got|gotten|grows?|grew|grown|becomes?|became|turns?|turned"
    r"|(?:feels|looks|smells|felt|looked|smelled) like)"
)


def _any(words: str) -> str:
    return f"(?:{'|'.join(words.split())})" + r"(?![\w-])"


_A_TIME = (
    r"\s+(?:(?:early|late|deep|mid)\s+|(?:an?|the|such an?|his|her|their|my|our)\s+"
    r"(?:(?!(?:who|that|which|of|in|by|with|from|for|at)\b)[\w-]+,?\s+){0,4}?)?" + _any(_TIMES)
)
_IMPERSONAL = (
    rf"{_BE}{_STILL}{_A_TIME}|(?:{_BE}|{_COMES}){_STILL}\s+{_any(_WEATHER)}|{_COMES}{_STILL}\s+{_any(_TIMES)}"
    rf"|{_BE}{_STILL}\s+(?:\d|\w+\s+o['\u2019]clock\b|\w+\s+outside\b|(?:far|long|up)\s+(?:to|from|until|ago|before)\b)"
    rf"|(?:{_BE}|{_COMES}){_STILL}\s+(?:no|clear|true|known|said|likely|over)(?:\s+(?:that|longer|wonder|use|secret)\b"
    r"|(?=\s*(?:[.,;!?]|$)))"
    rf"|{_BE}{_STILL}\s+{_any(_AMBIENCE)}\s+(?:(?:in|on|at|around|all)\s+(?!its\b)|everywhere|here|there|tonight|today)"
    rf"|{_BE}{_STILL}\s+(?:[\w-]+\s+time|(?:a\s+)?full\s+moon|(?:high|low)\s+tide)\b"
    rf"|{_BE}{_STILL}\s+(?:an?\s+)?(?:(?:long|short|hard)\s+(?:way|walk|journey|climb)|pity|shame|relief|miracle|mystery)\b"
    rf"|(?:{_HELPS})?\s+matter(?:s|ed)?\b"
    rf"|{_BE}{_STILL}\s+(?:an?\s+)?{_any(_OPINIONS)}\s+(?:that|to|for|when|how)\b"
    rf"|(?:{_HELPS}|\s+(?:never|often|suddenly|still|soon|always|already|just|also|even|now|then"
    r"|begins?|began|begun|starts?|started|stops?|stopped|keeps?|kept|continues?|continued|to|not|be|been|about|going))*"
    r"\s+(?:(?:rain|snow|drizzle|hail|thunder)(?:s|ed|ing)?|freezes|dawns|(?:pours|storms)(?=\s*(?:[.,;!?]|$|outside|and)))"
    r"(?![\w-])"
    rf"|(?:{_HELPS})?{_ADVERB}"
    r"\s+(?:seems?|seemed|appears?|appeared|happens?|happened|turns out|turned out)\s+(?:that|as if|like)\b"
    rf"|(?:{_HELPS})?{_ADVERB}"
    r"\s+(?:takes?|took|taken)\s+(?:\w+\s+){0,3}?(?:hours?|minutes?|days?|weeks?|months?|years?|time|while|long|ages|forever)\b"
)
_CLEFT = later(rf"{_BE}(?:\s+(?:not|only|just|really))?\s+(?:the\s+|an?\s+)?", re.IGNORECASE)
_THING = later(r"(?<![\w-])(?:an?|some|another|his|her|their|my|your|our)\s+(?=\w)", re.IGNORECASE)
# makes it to the top, likes it here, call it a day
_IDIOM = later(
    r"\b(?:mak(?:e|es|ing)|made)\s+it\s+(?:to|home|back|through|in time|out|across|up|over|safely)\b"
    r"|\b(?:lov|lik|hat|enjoy)(?:e?s|e|ed)?\s+it\s+(?:here|there|at|in|at home|outside)\b"
    r"|\b(?:call(?:s|ed)?\s+it\s+a|give(?:s)?\s+it\s+a|gave\s+it\s+a|take(?:s)?\s+it\s+easy)\b",
    re.IGNORECASE,
)
# what time is it; who is it; how dark it is
_ASKED = later(
    r"(?:\bwhat\s+(?:time|day|year|month)\s+(?:is|was)|\bwho\s+(?:is|was)"
    rf"|\bhow\s+(?:{'|'.join(_WEATHER.split())}))\s+\Z",
    re.IGNORECASE,
)
_INVERTED = later(r"(?<![\w'\u2019])(?:is|was|isn['\u2019]t|wasn['\u2019]t)\s+\Z", re.IGNORECASE)
_LIKED = later(r"\b(?:lov|lik|hat|enjoy|prefer)(?:e?s|e|ed)?\s+\Z", re.IGNORECASE)
_WHEN = later(r"\s+(?:when|that)\b", re.IGNORECASE)
_FOLLOWING = later(r"\s+([\w'\u2019-]+)")
_BEFORE = later(r"(\w+)\s+\Z")
_OBJECTS = word_set("him her them")
# with these between, a name and a pronoun may be one: Jack smiles and Tom sees him, Jack shuts it behind him
_CLAUSES = word_set("""
and or but that who which when while as because if so until before after than what where how why says said
thinks thought knows knew hopes hoped behind beside near around above below under over before after with
without about on upon against from inside outside between past along within across through off by
""")
# Jack, tired and cold, helps him
_SET_APART = later(
    r"\A\s*(?:,[^,;]*,|\([^()]*\)|[\u2013\u2014-][^\u2013\u2014]*?[\u2013\u2014-](?=\s))"
)
_HOWS = later(r"\b\w+ly,? (?:and|but|yet) (?:\w+ly\b)")  # quickly and quietly
_LETS = word_set("let lets letting")
_MAKES = word_set("make makes made making keep keeps kept find finds found")

_HAS = word_set("been got gotten had become found seen taken made done gone")
# after 'd these are of the past: he'd gone; but he'd sing, and he'd run
_HAD = word_set("""
been got gotten found seen taken made done gone left lost heard known met eaten fallen forgotten hidden
broken brought bought caught begun flown grown had held kept said slept spent stood sung told
thought thrown woken won written better
""")
_NOT_PAST = word_set("shed wed shred embed bed")
_SHORT = {"s": "is", "ll": "will", "re": "are", "ve": "have", "d": "would"}


@cache
def _impersonal() -> re.Pattern[str]:
    """What makes an `it` nobody by what follows it; compiled once a board has an `it`."""
    return re.compile(_IMPERSONAL, re.IGNORECASE)


def nobody(text: str, start: int, end: int, names_at: frozenset[int]) -> bool:
    """Whether the `it` at `start` is no one: the weather, the hour, `it is Tom who`, a thing just met.

    `names_at` are the places where characters are named.
    """
    if _impersonal().match(text, end):
        return True
    before = text[max(0, start - 40) : start]
    if _WHEN.match(text, end) and _LIKED.search(before):
        return True  # Tom likes it when Anna sings
    if _IDIOM.search(f"{before}it{text[end : end + 20]}") or _ASKED.search(before):
        return True
    if _INVERTED.search(before) and _impersonal().match(f" is{text[end:]}"):
        return True  # is it late
    cleft = _CLEFT.match(text, end)
    if cleft is not None and cleft.end() in names_at:
        return True
    following = _FOLLOWING.match(text, end)
    acts = following is not None and following[1].lower() not in AFTER_OBJECT
    if acts and text[start:end].lower() == "it":
        return False
    # the bunny finds a key and holds it: the thing is nearer than whom another sentence named
    return has_thing(text[max(0, start - 200) : start], names_at, max(0, start - 200))


def has_thing(text: str, names_at: frozenset[int], offset: int = 0) -> bool:
    """Whether a text tells of something that is no character: a boat, his kite.

    `names_at` are the places where characters are named, in a text of which this one begins at `offset`.
    """
    return any(offset + thing.end() not in names_at for thing in _THING.finditer(text))


def first_thing(text: str, names_at: frozenset[int]) -> int:
    """Where the first such thing stands in a text; behind its end where there is none."""
    ends = (thing.end() for thing in _THING.finditer(text))
    return next((end for end in ends if end not in names_at), len(text))


def is_possessive(text: str, start: int, end: int) -> bool:
    """Whether the pronoun there says whose something is; for `her`, what follows decides."""
    word = text[start:end].lower()
    if word != "her":
        return word in POSSESSIVE
    following = _FOLLOWING.match(text, end)
    if following is None or following[1].lower() in AFTER_OBJECT:
        return False
    verb = _BEFORE.search(text, max(0, start - 20), start)
    doing = verb[1].lower() if verb else ""
    return not (doing in _LETS or (doing in _MAKES and is_adjective(following[1])))


def is_someone_else(text: str, done: int, start: int, end: int) -> bool:
    """Whether the pronoun at `start` cannot be whom the name that ends at `done` means: Jack gives him a key.

    Nothing but a verb stands between, or a verb and what it aims at; `Jack looks behind him` may be himself.
    """
    between = text[done:start].lower().strip()
    if between in ("and", "or"):
        return not is_possessive(text, start, end)  # Jack and he laugh
    if text[start:end].lower() not in _OBJECTS or is_possessive(text, start, end):
        return False
    words = _HOWS.sub(" ", _SET_APART.sub(" ", between, count=1)).split()
    return bool(words) and words[0].isalpha() and _CLAUSES.isdisjoint(words)


def may_be_named_at(text: str, end: int, at: int, *, possessive: bool) -> bool:
    """Whether a pronoun that ends at `end` may be who is named at `at`: not in `he waves at Tom`."""
    return possessive or re.search(r"[,;:\u2014]", text[end:at]) is not None


def without_those_named(
    text: str,
    end: int,
    rivals: Sequence[int],
    following: Sequence[tuple[int, int]],
    *,
    possessive: bool,
) -> tuple[int | None, list[int]]:
    """Whom a pronoun means of several, where its sentence goes on to name some of them.

    `When he wakes, Tom smiles` is about Tom; in `He waves at Tom` somebody else waves.
    """
    at, named = next((at, index) for at, index in following if index in rivals)
    if may_be_named_at(text, end, at, possessive=possessive):
        return named, []
    left = [index for index in rivals if all(index != other for _, other in following)]
    return (left[-1], left if len(left) > 1 else []) if left else (named, [])


# what follows a name's 's where it is short for a verb: Tom's here, the owl's not asleep, Anna's gone
_AFTER_IS = word_set("""
a an the not here there asleep awake alone back gone going coming been so very too still always never now just
almost about afraid already also only really quite nearly in on at over under behind up down off out
""")
_PARTICIPLE = later(
    r"\s+(?:\w+ly\s+)?\w{2,}ing(?:\s*(?:[.,;:!?\u2026\"\u201d)]|$)|\s+(?:an?|the|his|her|its|their|my|your|our|in|on"
    r"|at|to|for|with|into|through|over|under|up|down|off|out|away|about|around|across|after|behind|by|from|and"
    r"|but|him|it|them|again|now|here|there|home|\w+ly)\b)",
    re.IGNORECASE,
)
_STATE = later(r"\s+([\w-]+)\s*(?:[.,;:!?\u2026\"\u201d)]|$)")  # Tom's happy.
_SHORT_FORM = later(r"['\u2019](s|ll|d|ve|re)(?![\w-])", re.IGNORECASE)


def short_verb(text: str, end: int) -> tuple[str, int]:
    """The verb that is short behind a name that ends at `end`, with a blank before it, and where it ends.

    Empty where there is none, as where the name owns something: Tom's sleeping bag, but Tom's sleeping.
    """
    match = _SHORT_FORM.match(text, end)
    if match is None:
        return "", end
    if match[1].lower() == "s":
        following = _FOLLOWING.match(text, match.end())
        state = _STATE.match(text, match.end())
        if (
            (following is None or following[1].lower() not in _AFTER_IS)
            and (state is None or not is_adjective(state[1]))
            and not _PARTICIPLE.match(text, match.end())
        ):
            return "", end
    return in_full(match[0], text, match.end()), match.end()


def in_full(short: str, text: str, end: int, *, many: bool = False) -> str:
    """The verb that a contraction stands for, as in he's, they're and she'll, with a blank before it."""
    ending = short.lstrip("'\u2019").lower()
    if not ending:
        return ""
    verb = _SHORT[ending]
    following = _FOLLOWING.match(text, end)
    if ending == "s" and following is not None and following[1].lower() in _HAS:
        verb = "has"
    if ending == "d" and following is not None:
        after = following[1].lower()
        past = after.endswith("ed") and not after.endswith("eed") and after not in _NOT_PAST
        verb = "had" if past or after in _HAD else verb
    if many:
        verb = {"is": "are", "has": "have"}.get(verb, verb)
    return f" {verb}"
