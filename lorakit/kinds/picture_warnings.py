"""What is done with pictures that their author may not expect: none of it is an error."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lorakit.diagnostics import Diagnostic
from lorakit.facts.pictures.picture import Picture
from lorakit.facts.pictures.picture_folders import HELD_OUT_FOLDERS, TRAINING_FOLDER, kohya_folder
from lorakit.kinds.image_set import ImageSet, Sample
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.language.yaml import names
from lorakit.plan.kind import Context

_SHOWN = 4  # pictures that a warning names
_ENLARGED = 1.5  # times; what is drawn from fewer pixels than that looks blurred


def picture_warnings(
    step: TrainImageStep, seen: ImageSet, context: Context
) -> Iterator[Diagnostic]:
    """Pictures that are much enlarged, first frames, folders whose numbers count for nothing."""
    samples = (*seen.samples, *seen.held_out)
    for name, prior in ((step.data, False), (step.prior_data, True)):
        if not name:
            continue
        place = context.project.recipe.datasets[name].where("images")
        own = [sample for sample in samples if sample.prior is prior]
        for code, message, hint in _wrong(own):
            yield context.finding(code, message, place, hint, warning=True)


def _wrong(samples: Sequence[Sample]) -> Iterator[tuple[str, str, str]]:
    small = [one for one in samples if _scale(one) > _ENLARGED]
    if small:
        told = [f"{_name(one.picture)} ({_size(one.picture.size)})" for one in small]
        many = len(small) > 1
        yield (
            "enlarged",
            (
                f"{names.enumerated(told, _SHOWN)} {'are' if many else 'is'} enlarged, to "
                f"{_size(small[0].bucket)}{' and the like' if many else ''}: what is learnt will look blurred"
            ),
            f"put {'larger ones' if many else 'a larger one'} there, or write a smaller resolution:",
        )
    moving = [_name(one.picture) for one in samples if one.picture.several]
    if moving:
        yield (
            "first-frame",
            f"{names.enumerated(moving, _SHOWN)}: the first frame or page alone is learnt from",
            "save the frames that you mean as pictures of their own",
        )
    yield from _splits([one.picture for one in samples])
    yield from _uncounted([one.picture for one in samples])


def _splits(pictures: Sequence[Picture]) -> Iterator[tuple[str, str, str]]:
    """Folders called as splits are, all of which are trained on."""
    folders = {Path(one.name).parts[0] for one in pictures if len(Path(one.name).parts) > 1}
    tests = sorted(folders & HELD_OUT_FOLDERS)
    if TRAINING_FOLDER in folders and tests:
        yield (
            "splits-mixed",
            f"{names.enumerated([TRAINING_FOLDER, *tests], _SHOWN)} are trained on alike",
            f"write split: {TRAINING_FOLDER} into the data set; its test_size: holds some of them out",
        )


def _uncounted(pictures: Sequence[Picture]) -> Iterator[tuple[str, str, str]]:
    """Folders as kohya's are, whose numbers count for nothing since others are called otherwise."""
    folders = {str(Path(one.name).parent) for one in pictures if one.name}
    marked = sorted(one for one in folders if kohya_folder(Path(one).name))
    others = sorted(folders - set(marked))
    if marked and others and all(one.repeats == 1 for one in pictures):

        def shown(one: str) -> str:
            return "the folder itself" if one == "." else one

        yield (
            "uncounted-folders",
            (
                f"{names.enumerated(marked, _SHOWN)} {'are' if marked[1:] else 'is'} shown once an epoch: "
                f"numbers count where all pictures lie in such folders, and some lie in "
                f"{names.enumerated([shown(one) for one in others], _SHOWN)}"
            ),
            "call those folders 1_name, or write a data set and repeats: for each",
        )


def _scale(sample: Sample) -> float:
    (width, height), (wide, high) = sample.picture.size, sample.bucket
    return max(wide / width, high / height)


def _name(picture: Picture) -> str:
    return picture.name or picture.file.name


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
