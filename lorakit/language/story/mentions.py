"""Who is meant in a sentence, and what stands for them in the prompt and in the caption.

    The bunny finds a key.      ->  a white bunny with a magic hat finds a key.     (prompt)
    He shows it to {alien}.         The bunny shows it to the alien.                (caption)

A mention is a character's bare name, an alias, `{name}`, or a pronoun. An article before it, and words that
its anchor has anyway, go into the anchor. A pronoun whose character the same sentence has named already
stays: the model has its anchor by then, and a second one would draw a second bunny.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lorakit.language.story.near_misses import NearMisses
from lorakit.language.story.reading import Figure, Mentioned, Reading, SceneMemory, spot_in
from lorakit.language.yaml import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.language.story.documents import Character
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Spot

_SUBJECT_AND_OBJECT = {
    "he": "he", "him": "he", "she": "she", "it": "it", "they": "they", "them": "they",
}  # fmt: skip
_POSSESSIVE = {"his": "he", "its": "it", "their": "they"}
PRONOUNS = {**_SUBJECT_AND_OBJECT, **_POSSESSIVE, "her": "she"}
# not "that", which more often joins clauses: the key that bunny holds
_ARTICLES = frozenset({"the", "a", "an", "this"})
_NOT_ADJECTIVES = """
and or nor but of with without in on at to from by for into onto over under near beside behind above
below across after before around through between towards toward as than like is are was were has have had
finds holds rides looks meets sees shows gives says takes flies runs walks who which when while where the
a an this that his her its their my your our
"""
_NO_MODIFIERS = frozenset(_NOT_ADJECTIVES.split())
# after these, "her" is an object: she meets her in a forest
_AFTER_OBJECT = _NO_MODIFIERS | {"again", "away", "back", "here", "now", "there", "too"}
_EMPTY_IT = re.compile(
    r"\s+(?:is|was|has been|gets|grows|becomes|rains|snows|seems|will)\b|['\u2019]s\b",
    re.IGNORECASE,
)
_LOOKED_BACK = 120
_WORD_BEFORE = re.compile(r"([\w'\u2019-]+),?\s+\Z")


class Cast:
    """The characters of a board, ready to be found in its sentences; compiled once a board."""

    def __init__(self, characters: Sequence[Character]) -> None:
        self._figures = [_figure(character) for character in characters]
        self._by_name: dict[str, int] = {}
        for index, character in enumerate(characters):
            for name in names_of(character):
                self._by_name.setdefault(name, index)
        by_pronoun: dict[str, list[int]] = {}
        for index, character in enumerate(characters):
            if character.pronouns:
                by_pronoun.setdefault(character.pronouns, []).append(index)
        self._by_pronoun = by_pronoun
        longest_first = sorted(self._by_name, key=lambda name: (-len(name), name))
        spelled = (
            "|".join(r"\s+".join(map(re.escape, name.split())) for name in longest_first) or r"(?!)"
        )
        self._pattern = re.compile(
            r"(?P<double>\{\{|\}\})|\{(?P<brace>[^{}]*)\}(?P<braced>['\u2019]s)?|(?P<stray>[{}])"
            rf"|(?<![\w-])(?:(?P<name>{spelled})(?P<possessive>['\u2019]s)?|(?P<pronoun>{'|'.join(PRONOUNS)}))(?![\w-])",
            re.IGNORECASE,
        )
        self._near = NearMisses(self._by_name)

    def read(self, text: str, spot: Spot, memory: SceneMemory, findings: Findings) -> Mentioned:
        """Put everyone in; unknown `{names}` are errors, slips and unclear pronouns are warned of."""
        memory.sentence += 1
        reading = Reading(text, spot, memory, findings)
        for match in self._pattern.finditer(text):
            if match.start() < reading.end:
                continue  # part of an anchor's own words
            if match["name"] is not None:
                self._mention(
                    reading, match.start(), match.end(), match["name"], bool(match["possessive"])
                )
            elif match["pronoun"] is not None:
                self._pronoun(reading, match)
            elif match["brace"] is not None:
                self._braced(reading, match)
            elif match["double"] is not None:
                reading.keep(match.start(), match.end(), match["double"][0])
            else:
                reading.stray(match.start())
        mentioned = reading.done(self._figures)
        reading.flush_lonely(bool(mentioned.characters), self._figures)
        for word, name, offset in self._near.find(text):
            if text[offset - 1 : offset] == "{":
                continue
            character = self._figures[self._by_name[name]].character
            findings.warning(
                "near-miss",
                f"{word} is nearly the name of the character {character.id}",
                spot_in(spot, offset, word),
                f"did you mean {name}? Without it this frame shows no {character.id}"
                if character.id not in mentioned.characters
                else f"did you mean {name}?",
            )
        return mentioned

    def expand(self, text: str, spot: Spot, findings: Findings) -> Mentioned:
        """Put in only who stands in braces: for a prompt that the author wrote in full."""
        reading = Reading(text, spot, SceneMemory(), findings, verbatim=True)
        for match in self._pattern.finditer(text):
            if match["brace"] is not None:
                self._braced(reading, match)
            elif match["double"] is not None:
                reading.keep(match.start(), match.end(), match["double"][0])
            elif match["stray"] is not None:
                reading.stray(match.start())
        return reading.done(self._figures)

    def _braced(self, reading: Reading, match: re.Match[str]) -> None:
        name = " ".join(match["brace"].split()).lower()
        if name in self._by_name:
            self._mention(reading, match.start(), match.end(), name, bool(match["braced"]))
            return
        shown = match["brace"].strip()
        known = [figure.character.id for figure in self._figures]
        reading.failed = True
        hints = [names.did_you_mean(shown, self._by_name, "{{{}}}")]
        if not hints[0]:
            hints = (
                [f"this board's characters: {names.listed(known)}"]
                if known
                else ["whoever recurs is named under characters:"]
            )
        reading.findings.error(
            "unknown-character",
            f"{{{shown}}} is no character of this board" if shown else "{} names no character",
            spot_in(reading.spot, match.start(), match[0]),
            *hints,
            "braces that belong to the text are doubled: {{ and }}",
        )

    def _mention(self, reading: Reading, start: int, end: int, name: str, possessive: bool) -> None:
        index = self._index(name)
        if index is None:
            return
        figure = self._figures[index]
        before = reading.text[reading.end : start]
        if (
            index == reading.last_figure
            and not before.strip()
            and reading.ends_with_mention
            and before
        ):
            reading.end = end  # "the alien explorer" of a character called alien, alias explorer
            return
        begin, extra = start, ""
        if not reading.verbatim:
            begin, extra = _look_back(reading.text, reading.end, start, figure.head_words)
        tail = _tail(figure, name)
        if tail and not possessive and reading.text[end : end + len(tail)].lower() == tail:
            prompt_end = end + len(tail)
        else:
            prompt_end = end
        suffix = "'s" if possessive else ""
        anchor = _with_modifier(figure, extra) + suffix
        caption_words = reading.text[begin:start].split()
        modifiers = " ".join(word for word in caption_words if word.lower() not in _ARTICLES)
        caption = _caption_name(figure.character.name, modifiers) + suffix
        caption += reading.text[end:prompt_end]
        reading.put(index, begin, prompt_end, anchor, caption)
        reading.remember(index, figure.character.pronouns)

    def _index(self, name: str) -> int | None:
        """Which character a name as written means."""
        found = self._by_name.get(" ".join(name.split()).lower())
        if found is None:
            # regular expressions take a few letters for equal that lower() does not, such as i and dotless i
            plain = " ".join(name.split())
            same = (
                one for one in self._by_name if re.fullmatch(re.escape(one), plain, re.IGNORECASE)
            )
            found = self._by_name.get(next(same, ""))
        return found

    def _pronoun(self, reading: Reading, match: re.Match[str]) -> None:
        word = match["pronoun"].lower()
        if word not in PRONOUNS:
            return
        kind = PRONOUNS[word]
        possessive = word in _POSSESSIVE
        if word == "her":
            following = re.match(r"\s+([\w'\u2019-]+)", reading.text[match.end() :])
            possessive = following is not None and following[1].lower() not in _AFTER_OBJECT
        meant, rivals = self._who(kind, reading.memory)
        if meant is None:
            if kind == "they" and len(reading.memory.together) > 1:
                self._both(reading, match, possessive)
            elif kind != "it" or not _EMPTY_IT.match(reading.text, match.end()):
                reading.lonely.append((match["pronoun"], match.start(), kind))
            return
        figure = self._figures[meant]
        if rivals:
            others = [self._figures[index].character.id for index in rivals]
            spelled = [self._figures[index].character.name for index in rivals]
            reading.findings.warning(
                "ambiguous-pronoun",
                f"{match['pronoun']} may mean {names.listed(others)}; it is taken for {figure.character.id}",
                spot_in(reading.spot, match.start(), match[0]),
                f"to be clear, write {names.listed(spelled)}",
            )
        if meant not in reading.figures:
            suffix = "'s" if possessive else ""
            caption = figure.character.name + suffix
            reading.put(
                meant, match.start(), match.end(), figure.character.anchor + suffix, caption
            )
        reading.remember(meant, kind)

    def _both(self, reading: Reading, match: re.Match[str], possessive: bool) -> None:
        """`they` for the characters that the last sentence with several of them brought together."""
        indices = [index for index in reading.memory.together if index not in reading.figures]
        if len(indices) < len(reading.memory.together):
            return
        suffix = "'s" if possessive else ""
        characters = [self._figures[index].character for index in indices]
        prompt = " and ".join(character.anchor for character in characters) + suffix
        caption = " and ".join(character.name for character in characters) + suffix
        reading.put(indices[0], match.start(), match.end(), prompt, caption)
        for index in indices:
            reading.remember(index, self._figures[index].character.pronouns)

    def _who(self, kind: str, memory: SceneMemory) -> tuple[int | None, list[int]]:
        """The character that a pronoun means, and all it might mean if these are several."""
        if kind in memory.by_pronoun:
            candidates = memory.by_pronoun[kind][1]
            return candidates[-1], candidates if len(candidates) > 1 else []
        only = self._by_pronoun.get(kind, [])
        return (only[0], []) if len(only) == 1 else (None, [])


def names_of(character: Character) -> list[str]:
    """All that means a character besides pronouns, in small letters with single blanks."""
    found = [character.id, character.id.replace("_", " "), *character.aliases]
    return list(dict.fromkeys(" ".join(name.split()).lower() for name in found if name.strip()))


def _figure(character: Character) -> Figure:
    words = character.anchor.split()
    article = words[0] if words and words[0].lower() in _ARTICLES else ""
    body = character.anchor[len(article) :].lstrip() if article else character.anchor
    head = []
    for word in body.split():
        if word.lower().strip(",") in _NO_MODIFIERS:
            break
        head.append(word.lower().strip(","))
    return Figure(character, article, body, frozenset(head))


def _look_back(text: str, done: int, start: int, head_words: frozenset[str]) -> tuple[int, str]:
    """How far back a mention reaches: over the anchor's own words, one word of the author's, an article.

    Returns where it begins, and the author's word that is not the anchor's.
    """
    at, extra = start, ""
    absorbed = start
    done = max(done, start - _LOOKED_BACK)
    while match := _WORD_BEFORE.search(text, done, at):
        word = match[1].lower()
        if word in _ARTICLES:
            return match.start(), extra
        if word in head_words:
            at = match.start()
            if not extra:
                absorbed = at
        elif not extra and word not in _NO_MODIFIERS and not word.endswith(("'s", "\u2019s")):
            extra = match[1]
            at = match.start()
        else:
            break
    # without an article the author's word is no part of the mention: "meets bunny"
    return absorbed, ""


def _with_modifier(figure: Figure, modifier: str) -> str:
    if not modifier:
        return figure.character.anchor
    article = figure.article
    if article.lower() in ("a", "an"):
        article = "an" if modifier[0].lower() in "aeiou" else "a"
    return f"{article} {modifier} {figure.body}".strip()


def _caption_name(name: str, modifiers: str) -> str:
    if not modifiers:
        return name
    first, _, rest = name.partition(" ")
    if first.lower() in _ARTICLES and rest:
        return f"{first} {modifiers} {rest}"
    return f"{modifiers} {name}"


def _tail(figure: Figure, name: str) -> str:
    """What follows a character's name in its own anchor: ` with a magic hat`."""
    anchor = figure.character.anchor.lower()
    spelled = " ".join(name.split()).lower()
    match = re.search(rf"(?<![\w-]){re.escape(spelled)}(?![\w-])", anchor)
    return anchor[match.end() :] if match else ""
