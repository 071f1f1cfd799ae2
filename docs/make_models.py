"""Write the tables of families in docs/models.md from lorakit/families: python docs/make_models.py [--check]."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from lorakit.facts.files.digests import Unread
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.facts.models.model_lookup import model_facts
from lorakit.families import FAMILIES, Configs, Family
from lorakit.language.recipe.documents import MemoryWish, ModelSource
from lorakit.plan import numbers
from lorakit.plan.card_table import machine
from lorakit.plan.drawing_memory import drawing_needs
from lorakit.plan.encoding_memory import EXACT, encoding_needs
from lorakit.plan.memory_modes import MemoryMode, chosen, rounding

PAGE = Path(__file__).resolve().parent / "models.md"
BEGIN, END = "<!-- families -->\n", "<!-- end -->\n"
MEMORY = "<!-- memory -->\n"
ENCODING = "<!-- encoding -->\n"
SHOWN = 3  # repositories of a family
CARDS = (8, 16, 24, 80)  # GB
WISHES: tuple[MemoryWish, ...] = ("auto", "low", "minimal")


def table() -> Iterator[str]:
    """The lines of the table."""
    yield "| family | such as | from words | from another frame | guidance | prompts | trained here |"
    yield "|---|---|---|---|---|---|---|"
    for family in FAMILIES.values():
        cells = (
            family.title,
            ", ".join(f"`{name}`" for name in list(family.published)[:SHOWN]),
            f"`{family.pipelines['text']}`",
            _chained(family),
            _guided(family),
            f"{family.token_limit(_usual(family))} tokens",
            "yes" if family.trained else "-",
        )
        yield f"| {' | '.join(cells)} |"


def memory_table() -> Iterator[str]:
    """The lines of the table of memory: what is chosen for a card, at a model's own size, in bf16."""
    yield f"| model | at | `memory:` | {' | '.join(f'{size} GB' for size in CARDS)} |"
    yield f"|{'---|' * (3 + len(CARDS))}"
    for family in FAMILIES.values():
        name = next(iter(family.published))
        facts = model_facts(ModelSource("m", f"hub:{name}", "auto", None), Unread())
        width, height = facts.native
        for wish in WISHES[: 1 if family.waves else 3]:
            cells = (_kept(facts, wish, size) for size in CARDS)
            told = (f"`{name}`", f"{width}x{height}") if wish == "auto" else ("", "")
            yield f"| {' | '.join((*told, wish, *cells))} |"


def encoding_table() -> Iterator[str]:
    """The lines of the table of what encoding takes before a training, in bf16 but for UNets."""
    yield f"| model | at | {' | '.join(f'{size} GB' for size in CARDS)} |"
    yield f"|{'---|' * (2 + len(CARDS))}"
    for family in FAMILIES.values():
        if not family.trained:
            continue
        name = next(iter(family.published))
        facts = model_facts(ModelSource("m", f"hub:{name}", "auto", None), Unread())
        needs = encoding_needs(facts, "bf16" if family.flow else EXACT, facts.native)
        modes = (chosen(needs, (0,), machine(size).card) for size in CARDS)
        width, height = facts.native
        yield f"| `{name}` | {width}x{height} | {' | '.join(map(_told, modes))} |"


def _kept(facts: ModelFacts, wish: MemoryWish, gigabytes: int) -> str:
    """How a model is kept on a card while it draws, in few words."""
    card = machine(gigabytes).card
    guided = facts.guidance_scale > facts.traits.guided_above
    tiled = wish == "minimal"
    needs = drawing_needs(facts, "bf16", facts.native, 1, guided=guided, tiled=tiled)
    return _told(chosen(needs, rounding(wish, machine(gigabytes)), card))


def _told(mode: MemoryMode) -> str:
    if not mode.enough:
        return "too small"
    bits = f"{mode.bits} bits, " if mode.bits else ""
    return f"{bits}{SHORT[mode.offload]}, {numbers.size(mode.card)}"


SHORT = {"none": "all of it", "model": "by network", "group": "by block"}


def _usual(family: Family) -> Configs:
    """The configurations of its first repository."""
    return next(iter(family.published.values())).configs


def _chained(family: Family) -> str:
    if "image" in family.pipelines:
        return f"img2img, `{family.pipelines['image']}`"
    if not family.references:
        return "-"
    count = "one picture" if family.references == 1 else f"up to {family.references} pictures"
    return f"by reference to {count}, `{family.pipelines['reference']}`"


def _guided(family: Family) -> str:
    steps, scale = family.defaults(_usual(family), "")
    usual = f"{steps} steps at {scale:g}"
    if not family.negative:
        return f"{usual}; no negative prompt"
    return usual


def page() -> str:
    """The whole page, with the table as it should be."""
    text = PAGE.read_text("utf-8")
    tables = {BEGIN: table, MEMORY: memory_table, ENCODING: encoding_table}
    for begin, lines in tables.items():
        before, _, rest = text.partition(begin)
        _, _, after = rest.partition(END)
        text = before + begin + "".join(f"{line}\n" for line in lines()) + END + after
    return text


def main() -> int:
    """Write the page, or with --check only say whether it is as it should be."""
    made = page()
    if "--check" in sys.argv:
        return int(made != PAGE.read_text("utf-8"))
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
