"""Who is meant in a sentence, and what stands for them in the prompt and in the caption.

    The bunny finds a key.      ->  a white bunny with a magic hat finds a key.     (prompt)
    He shows it to {alien}.         The bunny shows it to the alien.                (caption)

A mention is a character's bare name, an alias, `{name}`, or a pronoun. An article before it, and words that
its anchor has anyway, go into the anchor. A pronoun whose character the same sentence has named already
stays: the model has its anchor by then, and a second one would draw a second bunny.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from lorakit.language.story import noun_phrases, pronouns, stand_ins
from lorakit.language.story.mention_pattern import MentionPattern
from lorakit.language.story.name_pattern import plain
from lorakit.language.story.near_misses import NearMisses
from lorakit.language.story.noun_phrases import Phrase
from lorakit.language.story.pronoun_reader import PronounReader
from lorakit.language.story.pronouns import PRONOUNS
from lorakit.language.story.reading import Mentioned, Reading, SceneMemory, spot_in
from lorakit.language.story.weights import around_articles
from lorakit.language.story.word_names import NAMES_AND_WORDS, is_the_word
from lorakit.language.yaml import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lorakit.language.story.documents import Character
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Spot

_SAME = ("", "the", "called", "named")  # what stands between two names of one: Foxy the fox


class Cast:
    """The characters of a board, ready to be found in its sentences; compiled once a board."""

    def __init__(self, characters: Sequence[Character]) -> None:
        self._figures = [stand_ins.figure(character) for character in characters]
        self._by_name: dict[str, int] = {}
        for index, character in enumerate(characters):
            for name in names_of(character):
                self._by_name.setdefault(name, index)
        for name, indices in _called(characters).items():
            if len(indices) == 1:
                self._by_name.setdefault(name, indices[0])
        self._is_person = [stand_ins.is_person(character) for character in characters]
        self._pronouns = PronounReader(self._figures)
        self._pattern = MentionPattern(self._by_name)
        self._near = NearMisses(self._by_name)
        self._is_proper = [stand_ins.is_proper(character) for character in characters]
        self._stood_in: dict[tuple[int, tuple[Any, ...], str], tuple[str, str]] = {}

    def read(self, text: str, spot: Spot, memory: SceneMemory, findings: Findings) -> Mentioned:
        """Put everyone in; unknown `{names}` are errors, slips and unclear pronouns are warned of."""
        memory.sentence += 1
        text = around_articles(text, lambda name: plain(name) in self._by_name)
        matches = list(self._pattern.finditer(text))
        reading = Reading(text, spot, memory, findings)
        named: list[tuple[int, int]] | None = None
        for match in matches:
            if match.start() < reading.end:
                continue  # part of an anchor's own words
            kind = match.lastgroup
            if kind == "name" or kind == "possessive":  # noqa: PLR1714 - read for every sentence
                if self._is_the_word(match, matches):
                    continue
                self._mention(reading, match, match["name"], match.end("name"))
            elif kind == "pronoun" or kind == "short":  # noqa: PLR1714
                named = self._named(matches) if named is None else named
                self._pronouns.read(reading, match, named)
            elif kind == "double":
                reading.keep(match.start(), match.end(), match["double"][0])
            elif kind == "stray":
                reading.stray(match.start())
            else:
                self._braced(reading, match)
        mentioned = reading.done(self._figures) if matches else Mentioned(text, text, ())
        if self._pronouns.asks_of_things and not memory.things:
            named = self._named(matches) if named is None else named
            memory.things = pronouns.has_thing(text, frozenset(at for at, _ in named))
        if reading.lonely:
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
        name = " ".join(match["brace"].split())
        if plain(name) in self._by_name:
            self._mention(reading, match, name, match.end("brace") + 1)
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
            "nothing is chosen at random: write a sentence for each, or vary a key by a step of kind: sweep"
            if "|" in shown
            else "",
            "braces that belong to the text are doubled: {{ and }}",
        )

    def _named(self, matches: Sequence[re.Match[str]]) -> list[tuple[int, int]]:
        """Where characters are named, in braces or without, and who they are."""
        named = []
        for match in matches:
            name = match["brace"] if match["brace"] is not None else match["name"]
            index = None if name is None else self._index(name)
            if index is not None and (
                match["name"] is None or not self._is_the_word(match, matches)
            ):
                named.append((match.start(), index))
        return named

    def _mention(self, reading: Reading, match: re.Match[str], name: str, end: int) -> None:
        """Put a character in, whose name as written ends at `end`, with what follows and precedes it."""
        index = self._index(name)
        if index is None:
            return
        figure = self._figures[index]
        start, text = match.start(), reading.text
        between = text[reading.end : start]
        if (
            index == reading.last_figure
            and between.strip().lower() in _SAME
            and reading.ends_with_mention
            and not reading.possessive
            and between
        ):
            reading.end = (
                match.end()
            )  # "the alien explorer" of a character called alien, alias explorer; Foxy the fox
            return
        ends = end
        possessive, end = stand_ins.possessive(text, end)
        phrase = Phrase(start)
        if not reading.verbatim:
            phrase = noun_phrases.before(
                *(text, reading.end, start, figure.head_words),
                proper=self._is_proper[index],
                possessive=reading.possessive,
            )
        short, shortened = ("", end)
        if possessive or text[end : end + 1] in "'\u2019":
            short, shortened = pronouns.short_verb(text, ends)
        if short:
            possessive, end = False, shortened
        tail = "" if possessive or short else stand_ins.tail(figure, name, text, end)
        prompt, caption = self._stand_ins(index, phrase, name)
        if possessive:
            as_written = caption.endswith("s") and text[ends + 1 : end].lower() == "s"
            prompt, caption = (
                stand_ins.of(prompt),
                f"{caption}'s" if as_written else stand_ins.of(caption),
            )
        begin, closed = stand_ins.apposition(figure, text, reading.end, phrase.begin, end)
        tail = "" if closed else tail
        end = closed or end + len(tail)
        reading.put(
            *(index, begin, end, prompt + short, caption + short + tail), possessive=possessive
        )
        reading.remember(index, figure.character.pronouns)

    def _stand_ins(self, index: int, phrase: Phrase, name: str) -> tuple[str, str]:
        """What stands for a character in the prompt and in the caption; stories say the same often."""
        key = (index, phrase[1:], name)
        found = self._stood_in.get(key)
        if found is None:
            figure, written = self._figures[index], " ".join(name.replace("_", " ").split())
            found = self._stood_in[key] = (
                stand_ins.in_prompt(figure, phrase),
                stand_ins.in_caption(figure, phrase, written),
            )
        return found

    def _index(self, name: str) -> int | None:
        """Which character a name as written means."""
        index = self._by_name.get(plain(name))
        if index is None:
            # regular expressions take a few letters for equal that casefold() does not: i and dotless i
            same = (
                known
                for known in self._by_name
                if re.fullmatch(re.escape(known), plain(name), re.IGNORECASE)
            )
            index = self._by_name.get(next(same, ""))
        return index

    def _is_the_word(self, match: re.Match[str], matches: Sequence[re.Match[str]]) -> bool:
        """Whether a name that was found is the word there, as in `Will Anna come?` of a character Will."""
        if plain(match["name"]) not in NAMES_AND_WORDS:
            return False
        index = self._index(match["name"])
        if index is not None and stand_ins.tail(
            self._figures[index], match["name"], match.string, match.end("name")
        ):
            return False  # Max the robot is his anchor
        others = frozenset(other.start() for other in matches if other["name"] or other["brace"])
        return index is not None and is_the_word(
            match.string, match.start(), match.end("name"), others, person=self._is_person[index]
        )


def _called(characters: Sequence[Character]) -> dict[str, list[int]]:
    """Whom captions call by a name, which means them in sentences as well: the explorer, Foxy."""
    called: dict[str, list[int]] = {}
    for index, character in enumerate(characters):
        first, _, rest = character.name.partition(" ")
        name = plain(rest if first.lower() in noun_phrases.ARTICLES else character.name)
        if name and name not in PRONOUNS and name not in noun_phrases.AFTER_OBJECT:
            called.setdefault(name, []).append(index)
    return called


def names_of(character: Character) -> list[str]:
    """All that means a character besides pronouns, as `name_pattern.plain` writes names."""
    spelled = [character.id, character.id.replace("_", " "), *character.aliases]
    return list(dict.fromkeys(plain(name) for name in spelled if name.strip()))
