"""Who is meant in a sentence, and what stands for them in the prompt and in the caption.

    The bunny finds a key.      ->  a white bunny with a magic hat finds a key.     (prompt)
    He shows it to {alien}.         The bunny shows it to the alien.                (caption)

A mention is a character's bare name, an alias, `{name}`, or a pronoun. An article before it, and words that
its anchor has anyway, go into the anchor. A pronoun whose character the same sentence has named already
stays: the model has its anchor by then, and a second one would draw a second bunny.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lorakit.language import names
from lorakit.language.near_misses import NearMisses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.language.documents import Character
    from lorakit.language.findings import Findings
    from lorakit.language.nodes import Spot

_SUBJECT_AND_OBJECT = {
    "he": "he", "him": "he", "she": "she", "it": "it", "they": "they", "them": "they",
}  # fmt: skip
_POSSESSIVE = {"his": "he", "its": "it", "their": "they"}
PRONOUNS = {**_SUBJECT_AND_OBJECT, **_POSSESSIVE, "her": "she"}
_ARTICLES = frozenset({"the", "a", "an", "this", "that"})
_NO_MODIFIERS = frozenset(
    """
    and or nor but of with without in on at to from by for into onto over under near beside behind above below
    across after before around through between towards toward as than like is are was were has have had finds
    holds rides looks meets sees shows gives says takes flies runs walks who which when while where
    the a an this that his her its their my your our
    """.split()
)
# after these, "her" is an object: she meets her in a forest
_AFTER_OBJECT = _NO_MODIFIERS | {"again", "away", "back", "here", "now", "there", "too"}
_EMPTY_IT = re.compile(
    r"\s+(?:is|was|has been|gets|grows|becomes|rains|snows|seems|will)\b|['\u2019]s\b",
    re.IGNORECASE,
)
_WORD_BEFORE = re.compile(r"([\w'\u2019-]+),?\s+\Z")


class Mentioned(NamedTuple):
    """A sentence with everyone's anchor (`prompt`) or name (`caption`) in place; `characters` by id."""

    prompt: str
    caption: str
    characters: tuple[str, ...]


@dataclass(slots=True)
class SceneMemory:
    """Who was mentioned in a scene so far: by pronoun, those of the last sentence that had any."""

    sentence: int = 0
    by_pronoun: dict[str, tuple[int, list[int]]] = field(default_factory=dict)
    together: list[int] = field(default_factory=list)
    last: int | None = None


class _Figure(NamedTuple):
    """A character as mentions need it: the anchor cut at its own name."""

    character: Character
    article: str
    body: str
    head_words: frozenset[str]


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
        reading = _Reading(text, spot, memory, findings)
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
        reading = _Reading(text, spot, SceneMemory(), findings)
        for match in self._pattern.finditer(text):
            if match["brace"] is not None:
                self._braced(reading, match)
            elif match["double"] is not None:
                reading.keep(match.start(), match.end(), match["double"][0])
            elif match["stray"] is not None:
                reading.stray(match.start())
        return reading.done(self._figures)

    def _braced(self, reading: _Reading, match: re.Match[str]) -> None:
        name = " ".join(match["brace"].split()).casefold()
        if name in self._by_name:
            self._mention(reading, match.start(), match.end(), name, bool(match["braced"]))
            return
        shown = match["brace"].strip()
        known = [figure.character.id for figure in self._figures]
        hints = [names.did_you_mean(shown, known, "{{{}}}")]
        if not hints[0]:
            hints = (
                [f"this board's characters: {names.listed(known)}"]
                if known
                else ["this board has no characters:"]
            )
        reading.findings.error(
            "unknown-character",
            f"{{{shown}}} is no character of this board" if shown else "{} names no character",
            spot_in(reading.spot, match.start(), match[0]),
            *hints,
            "braces that belong to the text are doubled: {{ and }}",
        )

    def _mention(
        self, reading: _Reading, start: int, end: int, name: str, possessive: bool
    ) -> None:
        index = self._by_name[" ".join(name.split()).casefold()]
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
        begin, extra = _look_back(reading.text, reading.end, start, figure.head_words)
        tail = _tail(figure, name)
        if tail and not possessive and reading.text[end : end + len(tail)].casefold() == tail:
            prompt_end = end + len(tail)
        else:
            prompt_end = end
        suffix = "'s" if possessive else ""
        anchor = _with_modifier(figure, extra) + suffix
        caption_words = reading.text[begin:start].split()
        modifiers = " ".join(word for word in caption_words if word.casefold() not in _ARTICLES)
        caption = _caption_name(figure.character.name, modifiers) + suffix
        caption += reading.text[end:prompt_end]
        reading.put(index, begin, prompt_end, anchor, caption)
        reading.remember(index, figure.character.pronouns)

    def _pronoun(self, reading: _Reading, match: re.Match[str]) -> None:
        word = match["pronoun"].casefold()
        kind = PRONOUNS[word]
        possessive = word in _POSSESSIVE
        if word == "her":
            following = re.match(r"\s+([\w'\u2019-]+)", reading.text[match.end() :])
            possessive = following is not None and following[1].casefold() not in _AFTER_OBJECT
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

    def _both(self, reading: _Reading, match: re.Match[str], possessive: bool) -> None:
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


class _Reading:
    """One sentence while it is rewritten; what lies before `end` is done."""

    def __init__(self, text: str, spot: Spot, memory: SceneMemory, findings: Findings) -> None:
        self.text = text
        self.spot = spot
        self.memory = memory
        self.findings = findings
        self.end = 0
        self.figures: list[int] = []
        self.last_figure: int | None = None
        self.ends_with_mention = False
        self.lonely: list[tuple[str, int, str]] = []
        self._prompt: list[str] = []
        self._caption: list[str] = []

    def put(self, figure: int, start: int, end: int, prompt: str, caption: str) -> None:
        """Replace a stretch of the sentence by a character."""
        if not self.text[:start].strip(" \"'\u201c\u2018\u00ab([\u00bf\u00a1-\u2014\u2026"):
            caption = caption[:1].upper() + caption[1:]
        self.keep(start, start)
        self._prompt.append(prompt)
        self._caption.append(caption)
        self.end = end
        self.last_figure = figure
        self.ends_with_mention = True

    def keep(self, start: int, end: int, replacement: str = "") -> None:
        """Copy what lies before `start`, then a replacement that is the same for prompt and caption."""
        piece = self.text[self.end : start] + replacement
        self._prompt.append(piece)
        self._caption.append(piece)
        self.end = end
        self.ends_with_mention = False

    def stray(self, start: int) -> None:
        """A brace that opens or closes nothing."""
        char = self.text[start]
        self.findings.error(
            "stray-brace",
            f"this {char} {'is never closed' if char == '{' else 'closes nothing'}",
            spot_in(self.spot, start, char),
            f"a brace that belongs to the text is doubled: {char * 2}",
        )

    def remember(self, index: int, pronoun: str | None) -> None:
        """Note a mention, for the pronouns that follow."""
        memory = self.memory
        if index not in self.figures:
            self.figures.append(index)
        memory.last = index
        if len(self.figures) > 1:
            memory.together = list(self.figures)
        if pronoun is not None:
            sentence, group = memory.by_pronoun.get(pronoun, (0, []))
            # a new sentence with a mention starts a new group
            group = [other for other in group if other != index and sentence == memory.sentence]
            memory.by_pronoun[pronoun] = (memory.sentence, [*group, index])

    def done(self, figures: list[_Figure]) -> Mentioned:
        """The sentence, rewritten."""
        rest = self.text[self.end :]
        ids = tuple(figures[index].character.id for index in self.figures)
        return Mentioned("".join(self._prompt) + rest, "".join(self._caption) + rest, ids)

    def flush_lonely(self, has_character: bool, figures: list[_Figure]) -> None:
        """Warn of pronouns that mean nobody."""
        for word, offset, kind in self.lonely:
            if has_character and kind in ("it", "they"):
                continue  # a thing, or people of the crowd
            if not figures and self.text[:offset].strip():
                continue  # "a boy holds his ball" needs no cast
            hints = []
            last = self.memory.last
            if last is not None and figures[last].character.pronouns is None:
                name = figures[last].character.id
                hints.append(f"if it means {name}, add pronouns: {kind} to that character")
            self.findings.warning(
                "unclear-pronoun",
                f"{word} means no character: nobody with pronouns: {kind} is named before it in this scene",
                spot_in(self.spot, offset, word),
                *hints,
                "the model draws each frame from its own sentence: name who is meant",
            )


def names_of(character: Character) -> list[str]:
    """All that means a character besides pronouns, in small letters with single blanks."""
    found = [character.id, character.id.replace("_", " "), *character.aliases]
    return list(dict.fromkeys(" ".join(name.split()).casefold() for name in found if name.strip()))


def spot_in(spot: Spot, offset: int, word: str) -> Spot:
    """Where a word of a sentence stands in the file, as nearly as folding and quoting allow."""
    line = spot.excerpt
    for start in (spot.column - 1 + offset, spot.column + offset):
        if line[start : start + len(word)] == word:
            return spot._replace(column=start + 1, length=len(word))
    found = line.find(word, spot.column - 1)
    if found >= 0:
        return spot._replace(column=found + 1, length=len(word))
    for number in range(spot.line, min(spot.line + 20, len(spot.source.lines))):
        found = spot.source.lines[number].find(word)
        if found >= 0:
            return spot._replace(line=number + 1, column=found + 1, length=len(word))
    return spot


def _figure(character: Character) -> _Figure:
    words = character.anchor.split()
    article = words[0] if words and words[0].casefold() in _ARTICLES else ""
    body = character.anchor[len(article) :].lstrip() if article else character.anchor
    head = []
    for word in body.split():
        if word.casefold().strip(",") in _NO_MODIFIERS:
            break
        head.append(word.casefold().strip(","))
    return _Figure(character, article, body, frozenset(head))


def _look_back(text: str, done: int, start: int, head_words: frozenset[str]) -> tuple[int, str]:
    """How far back a mention reaches: over the anchor's own words, one word of the author's, an article.

    Returns where it begins, and the author's word that is not the anchor's.
    """
    at, extra = start, ""
    absorbed = start
    while match := _WORD_BEFORE.search(text, done, at):
        word = match[1].casefold()
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


def _with_modifier(figure: _Figure, modifier: str) -> str:
    if not modifier:
        return figure.character.anchor
    article = figure.article
    if article.casefold() in ("a", "an"):
        article = "an" if modifier[0].casefold() in "aeiou" else "a"
    return f"{article} {modifier} {figure.body}".strip()


def _caption_name(name: str, modifiers: str) -> str:
    if not modifiers:
        return name
    first, _, rest = name.partition(" ")
    if first.casefold() in _ARTICLES and rest:
        return f"{first} {modifiers} {rest}"
    return f"{modifiers} {name}"


def _tail(figure: _Figure, name: str) -> str:
    """What follows a character's name in its own anchor: ` with a magic hat`."""
    anchor = figure.character.anchor.casefold()
    spelled = " ".join(name.split()).casefold()
    match = re.search(rf"(?<![\w-]){re.escape(spelled)}(?![\w-])", anchor)
    return anchor[match.end() :] if match else ""
