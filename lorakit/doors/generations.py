"""What another tool drew: prompts, seeds and settings, as far as a recipe has words for them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from unicodedata import category

from lorakit.doors.samplers import ours, takes_karras
from lorakit.plan.schedulers import SCHEDULERS

_SEEDS = 1 << 64
# where steps may lie with nothing to be said of it
_AS_OURS = ("karras", "normal", "automatic", "sgm_uniform", "ddim_uniform", "simple", "uniform")
_LONGEST = 100_000  # characters of a prompt that are looked at
_WEIGHED = re.compile(r"(?<!\\)[(\[]([^()\[\]\\]*(?:\\.[^()\[\]\\]*)*)(?<!\\)[)\]]")
_NUMBER_END = re.compile(r":\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)\s*$")
_LORA = re.compile(
    r"<(?:lora|lyco):([^<>:]{1,200})(?::([^<>:]{0,40}))?[^<>]{0,100}>", re.IGNORECASE
)
_NETWORK = re.compile(r"<hypernet:[^<>]{1,200}>", re.IGNORECASE)


@dataclass(slots=True)
class Generation:
    """One sampling: `start` is the number of the one that it begins from, `strength` how much it redraws.

    `anchor` is another one that the start is pulled towards, by `anchor_weight`.

    What is None was not said, or is nothing that can be carried; `notes` say what was left out.
    """

    prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None
    karras: bool = False
    width: int | None = None
    height: int | None = None
    copies: int = 1
    clip_skip: int = 0
    model: str = ""
    loras: list[tuple[str, float]] = field(default_factory=list)
    start: int | None = None
    strength: float | None = None
    anchor: int | None = None
    anchor_weight: float = 0.0
    notes: list[str] = field(default_factory=list)

    def take_sampler(self, sampler: str, scheduler: str) -> None:
        """Find our scheduler by another tool's names for it, or say that there is none."""
        if not sampler or sampler == "default":
            return
        self.scheduler = ours(re.sub(r"(?i) karras$", "", sampler))
        if self.scheduler is None:
            self.notes.append(f"sampler {sampler}: there is none here; the model's own draws")
            return
        self.karras = takes_karras(sampler, scheduler)
        if self.karras and not SCHEDULERS[self.scheduler].karras:
            self.karras = False
            self.notes.append(f"scheduler karras: {self.scheduler} cannot take it here")
        elif scheduler and scheduler.casefold() not in _AS_OURS:
            self.notes.append(f"scheduler {scheduler}: its steps lie elsewhere here")

    def take_words(self, prompt: str, negative: str) -> None:
        """Prompts without other tools' signs: adapters are taken out, weights of words dropped."""
        self.prompt, found, said = plain(prompt)
        self.negative_prompt, more, also = plain(negative)
        self.loras += [*found, *more]
        self.notes += dict.fromkeys([*said, *also])


def plain(text: str) -> tuple[str, list[tuple[str, float]], list[str]]:
    """A prompt as words alone, the adapters that were named in it, and what was left out."""
    notes: list[str] = []
    text = " ".join(text[:_LONGEST].split())
    loras = [(m[1].strip(), _weight(m[2])) for m in _LORA.finditer(text)]
    text = _LORA.sub(" ", text)
    if _NETWORK.search(text):
        notes.append("hypernetworks: there are none here")
        text = _NETWORK.sub(" ", text)
    weighed = 0
    # the innermost first; each round takes one pair of brackets off everything
    for _ in range(64):
        text, count = _WEIGHED.subn(lambda m: _unweighed(m[1]), text)
        weighed += count
        if not count:
            break
    if weighed:
        notes.append("weights of words in brackets: words weigh alike here")
    if re.search(r"\b(?:BREAK|AND)\b", text):
        notes.append("BREAK and AND: a prompt is one piece here")
        text = re.sub(r"\s*,?\s*\b(?:BREAK|AND)\b\s*,?", ", ", text)
    if "embedding:" in text:
        notes.append("embeddings: none are loaded by name here")
        text = re.sub(r"\bembedding:[\w.-]+", " ", text)
    text = re.sub(r"\\([()\[\]])", r"\1", text)
    return _tidy(text), loras, notes


def _weight(text: str | None) -> float:
    """An adapter's weight as a prompt has it; 1 where it is none."""
    weight = number(text, -100, 100)
    return 1.0 if weight is None else weight


def _unweighed(inner: str) -> str:
    inner = _NUMBER_END.sub("", inner)
    for sign in ("|", ":"):
        inner = inner.partition(sign)[0] if sign in inner else inner
    return inner


def _tidy(text: str) -> str:
    kept = "".join(c for c in text if category(c)[0] != "C" or category(c) == "Cf")
    return re.sub(r"(?:\s*,){2,}", ",", re.sub(r"\s+([,.])", r"\1", " ".join(kept.split()))).strip(
        " ,"
    )


def number(value: object, least: float, most: float) -> float | None:
    """A number that another tool wrote, whichever way, within bounds; None where it is none."""
    if isinstance(value, str) and len(value) <= 40:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) and least <= value <= most else None


def whole(value: object, least: int, most: int) -> int | None:
    """The same of a whole number, exact however large it is."""
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,20}\s*", value):
        value = int(value)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if least <= value <= most else None


def seed(value: object) -> int | None:
    """A seed as recipes have it."""
    return whole(value, 0, _SEEDS - 1)


def settings_of(made: Generation) -> Iterator[tuple[str, object]]:
    """A generation's look by our keys, without what is the default."""
    if made.steps is not None:
        yield "num_inference_steps", made.steps
    if made.guidance_scale is not None:
        yield "guidance_scale", made.guidance_scale
    if made.scheduler is not None:
        yield "scheduler", made.scheduler
    if made.karras:
        yield "use_karras_sigmas", True
    if made.width is not None and made.height is not None:
        yield "width", made.width
        yield "height", made.height
    if made.clip_skip:
        yield "clip_skip", made.clip_skip
