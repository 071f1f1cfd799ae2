"""Write the table of families in docs/models.md from lorakit/families: python docs/make_models.py [--check]."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from lorakit.families import FAMILIES, Configs, Family

PAGE = Path(__file__).resolve().parent / "models.md"
BEGIN, END = "<!-- families -->\n", "<!-- end -->\n"
SHOWN = 3  # repositories of a family


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
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "".join(f"{line}\n" for line in table()) + END + after


def main() -> int:
    """Write the page, or with --check only say whether it is as it should be."""
    made = page()
    if "--check" in sys.argv:
        return int(made != PAGE.read_text("utf-8"))
    PAGE.write_text(made, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
