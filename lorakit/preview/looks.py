"""Which data sets are looked at, and through which step: a step's size, cut and model decide what is seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from lorakit.diagnostics import Diagnostic, InvalidDocument, LorakitError
from lorakit.facts.board_facts import unread
from lorakit.facts.data.data_sets import DataError
from lorakit.language.recipe.build_recipe import MINILM, STUDIO, shipped_model
from lorakit.language.recipe.documents import TrainImageStep, TrainTextStep, with_members
from lorakit.language.recipe.project import Project
from lorakit.language.recipe.trainings import DataSource, TrainSettings
from lorakit.language.yaml import names
from lorakit.records import record

Training = TrainImageStep | TrainTextStep


@record
class Look:
    """The data set `data` as `step` sees it; `prior` where it is what the step shall not forget.

    `name` is what its page is called. `asked` is false where no step of the recipe trains on it: then it is
    seen through one with nothing but defaults. Beside the project's own, files below `reads` may be read.
    `unwritten` is how places name a recipe that stands on no disk.
    """

    project: Project
    step: Training
    data: str
    name: str
    prior: bool = False
    asked: bool = True
    reads: tuple[Path, ...] = ()
    unwritten: str = ""

    @property
    def called(self) -> str:
        """How people call the data set: by the recipe's name for it, or by its folder's."""
        return self.source.name if self.unwritten else self.data

    @property
    def title(self) -> str:
        """The data set, where it is, and what sees it, in a line."""
        where = self.source.texts or self.source.images
        by = f", as the step {self.step.name} sees it" if self.asked else ""
        prior = ", which it shall not forget" if self.prior else ""
        return f"{self.called}{f': {where}' if where != self.called else ''}{by}{prior}"

    @property
    def source(self) -> DataSource:
        """Where the data set is from."""
        return self.project.recipe.datasets[self.data]


def unplaced(found: Diagnostic, unwritten: str) -> Diagnostic:
    """A finding; without its place where that is in a recipe that nobody wrote."""
    if found.place is None or found.place.file != unwritten:
        return found
    return replace(found, place=None, excerpt=None)


@contextmanager
def in_words(look: Look) -> Iterator[None]:
    """What cannot be read of a data set becomes InvalidDocument at its place, or LorakitError."""
    try:
        yield
    except DataError as error:
        every = [_finding(one, look) for one in (error, *error.others)]
        raise InvalidDocument(every) from error
    except InvalidDocument as error:
        every = [unplaced(one, look.unwritten) for one in error.diagnostics]
        raise InvalidDocument(every) from error
    except OSError as error:
        raise LorakitError(unread(error)) from error


def _finding(error: DataError, look: Look) -> Diagnostic:
    place = look.source.where(error.key)
    hints = (error.hint,) if error.hint else ()
    excerpt = look.project.excerpt(place)
    return unplaced(Diagnostic(error.code, error.message, place, excerpt, hints), look.unwritten)


def looks_of(project: Project, only: Sequence[str] = ()) -> list[Look]:
    """A look for each data set and each way in which a step sees it.

    `only` are names of data sets or steps. Raises LorakitError where there is none of that name.
    """
    every = list(_distinct(_all(project)))
    if not project.recipe.datasets:
        raise LorakitError(
            f"{project.recipe.path.name} names no data sets: write datasets: {{mine: {{images: a folder}}}}, "
            "or name the folder itself"
        )
    known = {one.data for one in every} | {one.step.name for one in every if one.asked}
    for name in only:
        if name not in known:
            near = names.did_you_mean(name, known) or f"there are {names.listed(sorted(known))}"
            raise LorakitError(f"no data set and no training is called {name}; {near}")
    return [one for one in every if not only or one.data in only or one.step.name in only]


def _all(project: Project) -> Iterator[Look]:
    recipe, seen = project.recipe, set()
    for step in with_members(recipe.steps.values()):
        if not isinstance(step, TrainImageStep | TrainTextStep):
            continue
        seen.add(step.data)
        yield Look(project, step, step.data, recipe.name)
        if isinstance(step, TrainImageStep) and step.prior_data:
            seen.add(step.prior_data)
            yield Look(project, step, step.prior_data, recipe.name, prior=True)
    for name, source in recipe.datasets.items():
        if name not in seen:
            yield _unasked(project, name, source)


def _unasked(project: Project, name: str, source: DataSource) -> Look:
    """A data set that no step trains on, as one with nothing but defaults would."""
    model = STUDIO if source.images else MINILM
    models = {model: shipped_model(model, source.place), **project.recipe.models}
    known = replace(project, recipe=replace(project.recipe, models=models))
    kind = TrainImageStep if source.images else TrainTextStep
    step = kind(name, source.place, model=model, data=name, train=TrainSettings())
    return Look(known, step, name, project.recipe.name, asked=False)


def _distinct(looks: Iterator[Look]) -> Iterator[Look]:
    """Looks that differ in what is seen, each with a name of its own."""
    found: dict[object, Look] = {}
    for look in looks:
        found.setdefault(_decides(look), look)
    for look in found.values():
        several = sum(other.data == look.data for other in found.values()) > 1
        parts = (look.name, look.data, look.step.name if several else "")
        yield replace(look, name="-".join(filter(None, parts)))


def _decides(look: Look) -> object:
    step = look.step
    if isinstance(step, TrainTextStep):
        return look.data, step.model, step.max_length, step.seed
    return (
        look.data,
        look.prior,
        step.model,
        step.resolution,
        step.center_crop,
        step.random_crops,
        step.random_flip,
        step.max_token_length,
        step.truncate_captions,
        step.masked_loss,
        step.shuffle_tags,
        step.seed,
    )
