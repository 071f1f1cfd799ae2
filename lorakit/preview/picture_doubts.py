"""What would stop a training on pictures, and what its author may not expect of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.facts.data.data_sets import DataError
from lorakit.kinds import image_checks
from lorakit.kinds.image_set import ImageSet
from lorakit.kinds.picture_warnings import picture_warnings
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.plan import numbers
from lorakit.plan.kind import Context
from lorakit.preview.looks import Look
from lorakit.preview.missing_captions import ways
from lorakit.preview.seen_picture import Alike, SeenPicture

MUCH = 0.15  # of a picture, which is worth a word where it is cut away


def findings(
    look: Look,
    context: Context,
    image: ImageSet,
    wrong: Sequence[DataError],
    alike: Sequence[Alike],
    seen: Sequence[SeenPicture],
    lacking: Sequence[str],
    *,
    rows: bool,
) -> Iterator[Diagnostic]:
    """Errors first as they were met; `wrong` are those of the data set itself."""
    step, source = look.step, look.source
    assert isinstance(step, TrainImageStep)
    for error in wrong:
        hints = tuple(filter(None, (error.hint,)))
        if error.code == "no-caption":
            hints = tuple(way.how for way in ways(look, lacking, rows=rows))
        yield context.finding(error.code, error.message, source.where(error.key), *hints)
    if not look.prior:
        yield from image_checks.data(step, context)
        yield from image_checks.captions(step, context)
        yield from picture_warnings(step, image, context)
    much = [one for one in seen if one.lost >= MUCH]
    if much:
        worst = max(much, key=lambda one: one.lost)
        yield context.finding(
            "cut-away",
            f"{numbers.count(len(much), 'picture')} {'loses' if len(much) == 1 else 'lose'} {MUCH:.0%} of "
            f"{'its' if len(much) == 1 else 'their'} area or more: {worst.name} loses {worst.lost:.0%}",
            source.where("images"),
            "write center_crop: false, so that pictures keep their shape"
            if step.center_crop
            else "cut them yourself where it matters, or write a larger resolution:, whose sizes are finer",
            warning=True,
        )
    yield from _doubles(look, context, alike, seen)


def _doubles(
    look: Look, context: Context, alike: Sequence[Alike], seen: Sequence[SeenPicture]
) -> Iterator[Diagnostic]:
    """Pictures that are there twice; those that are mirrored are another picture to a model."""
    again = sum(one.doubles for one in alike)
    if again:
        first = next(one for one in alike if one.doubles)
        yield context.finding(
            "duplicates",
            f"{numbers.count(again, 'picture')} {'is' if again == 1 else 'are'} there before: "
            f"{first.names[0]} and {first.names[1]}{' and others' if again > 1 else ''}",
            look.source.where("images"),
            "remove all but one: what is there twice is learnt twice as much",
            warning=True,
        )
    held = {one.name: one.held_out for one in seen}
    for one in alike:
        if len({held[name] for name in one.names}) > 1:
            inside = next(name for name in one.names if not held[name])
            out = next(name for name in one.names if held[name])
            yield context.finding(
                "held-out-twin",
                f"{out} is held out, and {inside}, which is trained on, is the same: "
                "the held-out loss says less than it seems",
                look.source.where("test_size"),
                "remove one of them",
                warning=True,
            )
