"""Whom a pronoun means in its scene, put in where nobody else in its sentence has drawn them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.story import pronouns, stand_ins
from lorakit.language.story.pronouns import PRONOUNS
from lorakit.language.story.reading import spot_in
from lorakit.language.yaml import names

if TYPE_CHECKING:
    import re
    from collections.abc import Sequence

    from lorakit.language.story.reading import Figure, Reading, SceneMemory


class PronounReader:
    """Puts a board's characters in for their pronouns."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures
        self._by_pronoun: dict[str, list[int]] = {}
        for index, figure in enumerate(figures):
            if figure.character.pronouns:
                self._by_pronoun.setdefault(figure.character.pronouns, []).append(index)
        self.asks_of_things = "it" in self._by_pronoun  # whether an `it` may be somebody

    def read(
        self, reading: Reading, match: re.Match[str], named: Sequence[tuple[int, int]]
    ) -> None:
        """Put in whom a pronoun means; `named` are places in the sentence, and who is named there."""
        text, start, end = reading.text, match.start(), match.end("pronoun")
        word = match["pronoun"].lower()
        if word not in PRONOUNS:
            return
        kind = PRONOUNS[word]
        if kind == "it" and pronouns.nobody(text, start, end, frozenset(at for at, _ in named)):
            return
        possessive = pronouns.is_possessive(text, start, end)
        following = [(at, index) for at, index in named if at > start]
        meant, rivals = self._who(kind, reading.memory)
        if (
            kind == "it"
            and kind not in reading.memory.by_pronoun
            and self._met(reading, start, named)
        ):
            meant, rivals = (
                None,
                [],
            )  # Tom builds a boat. It sinks: the owl of another scene is not meant
        if (
            meant is not None
            and reading.figures == [meant]
            and len(rest := [i for i in reading.memory.earlier.get(kind, ()) if i != meant]) == 1
            and not reading.possessive  # Jack's dog bites him
            and pronouns.is_someone_else(text, reading.end, start, end)
        ):
            meant, rivals = rest[0], []  # Tom meets Jack. Jack gives him a key.
        if any(index in rivals for _, index in following):
            meant, rivals = pronouns.without_those_named(
                text, end, rivals, following, possessive=possessive
            )
        if meant is None:
            together = reading.memory.together
            if kind == "they" and len(together) > 1:
                if not any(index in together for _, index in following):
                    self._both(reading, match, possessive=possessive)
            elif not self._comes_later(kind, text, end, following, possessive=possessive):
                reading.lonely.append((match["pronoun"], start, kind))
            return
        figure = self._figures[meant]
        if rivals:
            others = [self._figures[index].character.id for index in rivals]
            spelled = [self._figures[index].character.name for index in rivals]
            reading.findings.warning(
                "ambiguous-pronoun",
                f"{match['pronoun']} may mean {names.listed(others)}; it is taken for {figure.character.id}",
                spot_in(reading.spot, start, match["pronoun"]),
                f"to be clear, write {names.listed(spelled)}",
            )
        if meant in reading.figures:
            reading.remember(meant, kind)
        elif all(index != meant for _, index in following):
            # the name that follows in its own sentence has the anchor: when he wakes, Tom smiles
            short = pronouns.in_full(match["short"] or "", text, match.end())
            prompt, caption = figure.character.anchor, figure.character.name
            if possessive:
                prompt, caption = stand_ins.of(prompt), stand_ins.of(caption)
            reading.put(
                *(meant, start, match.end(), prompt + short, caption + short), possessive=possessive
            )
            reading.remember(meant, kind)

    def _comes_later(
        self,
        kind: str,
        text: str,
        end: int,
        following: Sequence[tuple[int, int]],
        *,
        possessive: bool,
    ) -> bool:
        """Whether the sentence goes on to name whom a pronoun means: when she wakes, Anna is hungry."""
        return any(
            self._figures[index].character.pronouns == kind
            and pronouns.may_be_named_at(text, end, at, possessive=possessive)
            for at, index in following
        )

    def _both(self, reading: Reading, match: re.Match[str], *, possessive: bool) -> None:
        """`they` for the characters that the last sentence with several of them brought together."""
        indices = [index for index in reading.memory.together if index not in reading.figures]
        if len(indices) < len(reading.memory.together):
            return
        characters = [self._figures[index].character for index in indices]
        prompt = " and ".join(character.anchor for character in characters)
        caption = " and ".join(character.name for character in characters)
        if possessive:
            prompt, caption = stand_ins.of(prompt), stand_ins.of(caption)
        short = pronouns.in_full(match["short"] or "", reading.text, match.end(), many=True)
        reading.put(
            *(indices[0], match.start(), match.end(), prompt + short, caption + short),
            possessive=possessive,
        )
        for index in indices:
            reading.remember(index, self._figures[index].character.pronouns)

    @staticmethod
    def _met(reading: Reading, start: int, named: Sequence[tuple[int, int]]) -> bool:
        """Whether the scene had told of anybody or anything before the pronoun at `start`."""
        memory = reading.memory
        if memory.last is not None or memory.things:
            return True
        if reading.first_thing is None:  # once a sentence, whatever it is long
            names_at = frozenset(at for at, _ in named)
            reading.first_thing = pronouns.first_thing(reading.text, names_at)
        return reading.first_thing < start

    def _who(self, kind: str, memory: SceneMemory) -> tuple[int | None, list[int]]:
        """The character that a pronoun means, and all it might mean if these are several."""
        if kind == "they" and memory.together_in > memory.by_pronoun.get(kind, (0, []))[0]:
            return None, []
        if kind in memory.by_pronoun:
            candidates = memory.by_pronoun[kind][1]
            return candidates[-1], candidates if len(candidates) > 1 else []
        only = self._by_pronoun.get(kind, [])
        return (only[0], []) if len(only) == 1 else (None, [])
