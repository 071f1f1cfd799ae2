"""What a frame must score before it stands, as boards and scenes say it."""

from __future__ import annotations

from dataclasses import field

from lorakit.diagnostics import Place
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

_GATE = defaults(STORYBOARD, "gate")


@record
class GateJudge:
    """Which models of a recipe score frames by `character` and `sentence`; empty for the studio's judge."""

    character: str = ""
    sentence: str = ""

    @property
    def named(self) -> bool:
        """Whether any model is."""
        return bool(self.character or self.sentence)


@record
class Gate:
    """What a frame must score, each None where it does not matter; it is drawn up to `tries` times."""

    character: float | None = None
    sentence: float | None = None
    drift: float | None = None
    judge: GateJudge = GateJudge()
    tries: int = _GATE["tries"]
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    @property
    def asks(self) -> bool:
        """Whether any picture could be below it."""
        return bool(self.character or self.sentence or self.drift)

    def where(self, *keys: str) -> Place | None:
        """Where the first of some keys stands that was given, here or above."""
        given = dict(self.places)
        return next((given[key] for key in keys if key in given), None)
