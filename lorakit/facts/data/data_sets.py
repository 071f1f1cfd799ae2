"""What data sets of texts and of pictures share: how they fail, the hub's copies, splits, columns."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml

from lorakit.diagnostics import LorakitError
from lorakit.facts.files.folders import walk
from lorakit.facts.files.user_cache import user_cache
from lorakit.facts.hub.hub_copies import snapshot
from lorakit.facts.hub.hub_errors import HubError
from lorakit.files import check_root, read_text
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names
from lorakit.store.sources import texts_in

T = TypeVar("T")
HUB = "hub:"
LORAKIT = "lorakit:"
_SHOWN = 6  # faults of rows that are told one by one


class DataError(LorakitError):
    """A data set cannot be used; `key` is the one of its keys that is to blame, `hint` a way out.

    `others` are what else is wrong with it.
    """

    def __init__(self, code: str, key: str, message: str, hint: str = "") -> None:
        self.code, self.key, self.message, self.hint = code, key, message, hint
        self.others: tuple[DataError, ...] = ()
        super().__init__(message)


class RowFaults:
    """What is wrong with the rows of a data set: each by itself while they are read, all told at the end.

    Told means raised, or put into `wrong` where that is a list: then what is right is gone on with.
    """

    def __init__(self, wrong: list[DataError] | None = None) -> None:
        self._wrong = wrong
        self._found: list[DataError] = []

    def tried(self, read: Callable[[], T]) -> T | None:
        """What `read` returns; None where it raises DataError, which is told at the end."""
        try:
            return read()
        except DataError as error:
            self.note(error)
            return None

    def note(self, error: DataError) -> None:
        """Have it told at the end."""
        self._found.append(error)

    def __bool__(self) -> bool:
        return bool(self._found)

    def tell(self) -> None:
        """Raise DataError with all of them; of many the first, and how many more there are."""
        if not self._found:
            return
        first, *others = {error.message: error for error in self._found}.values()
        rest = len(others) + 1 - _SHOWN
        if rest > 0:
            others = others[: _SHOWN - 1]
            others.append(DataError(first.code, first.key, f"and {rest:,} more like these"))
        if self._wrong is not None:
            self._wrong += [first, *others]
            return
        first.others = tuple(others)
        raise first


def complain(error: DataError, wrong: list[DataError] | None) -> None:
    """Raise an error, or where `wrong` is a list, put it there and go on."""
    if wrong is None:
        raise error
    wrong.append(error)


def kind_of(source: DataSource) -> str:
    """The key that says where its samples come from: texts or images."""
    return "texts" if source.texts else "images"


def shown_folder(folder: Path, source: DataSource) -> str:
    """How messages name the folder of a data set."""
    return source.images if source.images.startswith(HUB) else str(folder)


def hub_copy(source: DataSource, *, download: bool) -> Path | None:
    """The folder of a data set of the hub; None where it is not here yet. Raises DataError."""
    key = kind_of(source)
    repository = (source.texts or source.images).removeprefix(HUB)
    try:
        return snapshot(
            repository, download=download, repo_type="dataset", revision=source.revision or None
        )
    except HubError as error:
        own = f"or put its files in a folder and write {key}: that folder"
        raise DataError("data", key, str(error), "; ".join((*error.hints, own))) from error


def splits_of(folder: Path, source: DataSource) -> Any:
    """The splits of a folder laid out as the hub's are, by name, as `datasets` has them. Raises DataError."""
    key = kind_of(source)
    told = source.texts or source.images
    shown = told if told.startswith(HUB) else folder.name
    try:
        import datasets
    except ImportError as error:
        message = f"{shown} needs the library datasets: pip install 'lorakit[data]'"
        raise DataError("data", key, message) from error
    _check_own_files(folder, shown, key)
    try:
        with _quiet(datasets):
            return datasets.load_dataset(str(folder), cache_dir=str(_own_cache()))
    except Exception as error:
        first = str(error).strip().splitlines()[0].replace(str(folder), shown)
        raise DataError(
            "data",
            key,
            f"{shown} cannot be read: {first}",
            f"put the files that you mean in a folder and write {key}: that folder",
        ) from error


def _own_cache() -> Path:
    """Where `datasets` keeps tables as it reads them: a plan writes nothing into the hub's own cache."""
    return user_cache() / "tables"


def _check_own_files(folder: Path, shown: str, key: str) -> None:
    """Raise DataError where a data set would bring in what is not in its folder.

    Its README may name files, which `datasets` opens wherever they are, the network too.
    """
    readme = folder / "README.md"
    try:
        text = read_text(readme, 10_000_000) if readme.is_file() else ""
    except (OSError, UnicodeDecodeError):
        text = ""
    head = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    try:
        told = yaml.safe_load(head[1]) if head else None
    except (yaml.YAMLError, ValueError, RecursionError):
        told = None
    configs = told.get("configs") if isinstance(told, dict) else None
    for name in texts_in([c.get("data_files") for c in configs or () if isinstance(c, dict)]):
        # a pattern, or names of the splits
        if "://" in name or "::" in name or name.startswith(("/", "\\", "~")) or ".." in name:
            raise DataError(
                "data",
                key,
                f"{shown} names {name} in its README.md, which is not in its folder",
                "remove it from configs: data_files:, or put the file there",
            )
    try:
        for path in walk(folder):
            if path.is_file():
                check_root(path)
    except OSError as error:
        raise DataError(
            "data", key, f"{error.filename} cannot be read: {error.strerror}"
        ) from error


@contextlib.contextmanager
def _quiet(datasets: Any) -> Iterator[None]:
    """No bars, and no word of a card that says nothing: what a plan prints is the plan."""
    cards = logging.getLogger("huggingface_hub.repocard")
    level, bars = cards.level, not datasets.are_progress_bars_disabled()
    cards.setLevel(logging.ERROR)
    if bars:
        datasets.disable_progress_bars()
    try:
        yield
    finally:
        cards.setLevel(level)
        if bars:
            datasets.enable_progress_bars()


def no_split(source: DataSource, key: str, there: Iterable[str], way: str = "") -> DataError:
    """What is wrong where the split that `key` names is not among those `there`; `way` is another way out."""
    name, known = getattr(source, key), tuple(there)
    hint = names.did_you_mean(name, known, f"{key}: {{}}")
    if not hint and known:
        hint = f"there is {names.listed(known)}"
    hint = "; or ".join(part for part in (hint, way) if part)
    return DataError("unknown-split", key, f"{source.name} has no split {name}", hint)


def check_column(key: str, column: str, there: Sequence[str], where: str, likely: str = "") -> None:
    """Raise DataError if the column that `columns.key` names is not among those `there`."""
    if column not in there:
        likely = likely or names.nearest(column, there) or "..."
        raise DataError(
            "missing-column",
            f"columns.{key}",
            f"{where} has no column {column}",
            f"it has {names.listed(there)}; write columns: {{{key}: {likely}}}"
            if there
            else f"it has no columns at all; remove columns: {{{key}: {column}}}",
        )
