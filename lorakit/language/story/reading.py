"""A sentence while its characters are put in, and what a scene remembers from sentence to sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from lorakit.language.story.name_pattern import joins_words

if TYPE_CHECKING:
    from lorakit.language.story.documents import Character
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Spot

_QUOTES = " \"'\u201c\u2018\u201e\u00ab\u300c\u300e([\u00bf\u00a1-\u2014\u2026"


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
    earlier: dict[str, list[int]] = field(default_factory=dict)  # those of the one before that
    together: list[int] = field(default_factory=list)
    together_in: int = 0  # the sentence that brought them together
    last: int | None = None
    things: bool = False  # whether a sentence told of something that is no character: a boat


class Figure(NamedTuple):
    """A character as mentions need it: the anchor cut at its own name."""

    character: Character
    article: str
    body: str
    head_words: frozenset[str]


class Reading:
    """One sentence while it is rewritten; what lies before `end` is done."""

    def __init__(
        self,
        text: str,
        spot: Spot,
        memory: SceneMemory,
        findings: Findings,
        *,
        verbatim: bool = False,
    ) -> None:
        self.text = text
        self._ascii = text.isascii()
        self._shouted = text.isupper()
        self.spot = spot
        self.memory = memory
        self.findings = findings
        self.verbatim = verbatim
        self.end = 0
        self.figures: list[int] = []
        self.last_figure: int | None = None
        self.first_thing: int | None = None  # where, once somebody has asked
        self.ends_with_mention = False
        self.possessive = False  # whether what is done ends with someone's: Tom's
        self.lonely: list[tuple[str, int, str]] = []
        self.failed = False
        self._prompt: list[str] = []
        self._caption: list[str] = []

    def put(
        self,
        figure: int,
        start: int,
        end: int,
        prompt: str,
        caption: str,
        *,
        possessive: bool = False,
    ) -> None:
        """Replace a stretch of the sentence by a character."""
        if self._opens(start):
            caption = caption[:1].upper() + caption[1:]
        if self._shouted:  # TOM SHOUTS AT THE OWL
            caption = caption.upper()
        if not self._ascii:
            prompt, caption = (self._apart(words, start, end) for words in (prompt, caption))
        piece = self.text[self.end : start]
        self._prompt += (piece, prompt)
        self._caption += (piece, caption)
        self.end = end
        self.last_figure = figure
        self.ends_with_mention = True
        self.possessive = possessive

    def _opens(self, start: int) -> bool:
        """Whether a capital letter is due at `start`: it begins the text, or a sentence within it."""
        before = self.text[:start].rstrip(_QUOTES) if start else ""
        if not before:
            return True
        return before[-1] in ".!?\u2026:" and self.text[start : start + 1].isupper()

    def _apart(self, words: str, start: int, end: int) -> str:
        """Words with the blanks that part them from letters of a script that has none."""
        around = (self.text[start - 1 : start], self.text[end : end + 1])
        left = bool(around[0]) and joins_words(around[0]) and not joins_words(words[:1])
        right = bool(around[1]) and joins_words(around[1]) and not joins_words(words[-1:])
        return f"{' ' * left}{words}{' ' * right}"

    def keep(self, start: int, end: int, replacement: str = "") -> None:
        """Copy what lies before `start`, then a replacement that is the same for prompt and caption."""
        piece = self.text[self.end : start] + replacement
        self._prompt.append(piece)
        self._caption.append(piece)
        self.end = end
        self.ends_with_mention = False
        self.possessive = False

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
            memory.together, memory.together_in = list(self.figures), memory.sentence
        if pronoun is not None:
            sentence, group = memory.by_pronoun.get(pronoun, (0, []))
            # a new sentence with a mention starts a new group
            if sentence != memory.sentence:
                memory.earlier[pronoun] = group
            group = [other for other in group if other != index and sentence == memory.sentence]
            memory.by_pronoun[pronoun] = (memory.sentence, [*group, index])

    def done(self, figures: list[Figure]) -> Mentioned:
        """The sentence, rewritten."""
        rest = self.text[self.end :]
        ids = tuple(figures[index].character.id for index in self.figures)
        return Mentioned("".join(self._prompt) + rest, "".join(self._caption) + rest, ids)

    def flush_lonely(self, has_character: bool, figures: list[Figure]) -> None:
        """Warn of pronouns that mean nobody."""
        for word, offset, kind in [] if self.failed else self.lonely:
            if has_character and kind in ("it", "they"):
                continue  # a thing, or people of the crowd
            if not figures and self.text[:offset].strip():
                continue  # "a boy holds his ball" needs no cast
            hints = []
            last = self.memory.last
            if last is not None and figures[last].character.pronouns is None:
                name = figures[last].character.id
                hints.append(f"if it means {name}, give {name} pronouns: {kind}")
            self.findings.warning(
                "unclear-pronoun",
                f"{word} means no character: nobody with pronouns: {kind} is named before it in this scene"
                if figures
                else f"{word} means no character, for this board has none",
                spot_in(self.spot, offset, word),
                *hints,
                "the model draws each frame from its own sentence: name who is meant",
            )


def spot_in(spot: Spot, offset: int, word: str) -> Spot:
    """Where a word of a sentence stands in the file, as nearly as folding and quoting allow."""
    line = spot.excerpt
    for start in (spot.column - 1 + offset, spot.column + offset):
        if line[start : start + len(word)] == word:
            return spot._replace(column=start + 1, length=len(word))
    at = line.find(word, spot.column - 1)
    if at >= 0:
        return spot._replace(column=at + 1, length=len(word))
    for number in range(spot.line, min(spot.line + 20, len(spot.source.lines))):
        at = spot.source.lines[number].find(word)
        if at >= 0:
            return spot._replace(line=number + 1, column=at + 1, length=len(word))
    return spot
