"""How much a board may be, so that no slip and no attack keeps anybody waiting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lorakit.language.yaml.findings import Unreadable

if TYPE_CHECKING:
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Spot

MOST_SENTENCES = 20_000
MOST_LETTERS = 4_000  # of one sentence
MOST_PROMPT_LETTERS = 50_000_000  # of all prompts of a board together


@dataclass(slots=True)
class Budget:
    """How much a board may be: what is more is nobody's film, but a slip or an attack."""

    findings: Findings
    sentences: int = 0
    letters: int = 0

    def spend(self, prompt: str, spot: Spot) -> None:
        """Count a sentence and its prompt; raises Unreadable where it is too much."""
        self.sentences += 1
        self.letters += len(prompt)
        if self.sentences > MOST_SENTENCES:
            message = f"the storyboard has more than {MOST_SENTENCES:,} sentences"
            hint = "make several storyboards of it, and a video step that joins them"
            self.findings.error("too-many-sentences", message, spot, hint)
            raise Unreadable
        if self.letters > MOST_PROMPT_LETTERS:
            message = f"the storyboard's prompts have more than {MOST_PROMPT_LETTERS:,} letters"
            hint = "shorten the style, the settings or the anchors, which stand in each of them"
            self.findings.error("too-many-sentences", message, spot, hint)
            raise Unreadable

    def fits(self, text: str, spot: Spot) -> bool:
        """Whether a sentence is one that a person would write."""
        if len(text) <= MOST_LETTERS:
            return True
        message = f"a sentence has {len(text):,} letters here, and may have {MOST_LETTERS:,}"
        self.findings.error("too-long", message, spot, "end it with a full stop somewhere")
        return False
