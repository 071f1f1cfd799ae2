"""A folder or a table by itself: looked at through a recipe that is written for it, and for nothing else."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from lorakit.diagnostics import InvalidDocument, LorakitError
from lorakit.facts.data.data_sets import HUB, LORAKIT
from lorakit.facts.files.folders import entries, walk
from lorakit.facts.files.roots import UserRoots
from lorakit.facts.pictures.open_picture import ENDINGS
from lorakit.facts.pictures.picture_folders import UNREADABLE
from lorakit.facts.texts.text_files import TABLES
from lorakit.language import FolderReader, load
from lorakit.language.projects import home_of_folder
from lorakit.language.yaml import names, schemas
from lorakit.preview.looks import Look, looks_of, unplaced
from lorakit.records import record

DATA = "data"  # what the data set, its step and its model are called
_STEPS = {"images": "train-image", "texts": "train-text"}
_STAND_INS = {"images": "lorakit:hologram", "texts": "lorakit:movie-snippets"}
_MOST_LOOKED_AT = 10_000  # files, to see what a folder holds


@record
class FolderOptions:
    """What is looked at, and how: the words of a command line.

    `held` is images, texts, or empty where that is to be seen; `settings` are `key=value` of the data set or
    the training, or whole paths as `lorakit run --set` takes them.
    """

    place: str
    held: str = ""
    model: str = ""
    size: int | None = None
    caption: str = ""
    trigger_word: str = ""
    settings: tuple[str, ...] = ()


class _OneText(FolderReader):
    """The ordinary file system, with one document in it that is on no disk."""

    def __init__(self, document: Path, text: str) -> None:
        super().__init__()
        self._document, self._text = document, text

    def read_bytes(self, path: Path) -> bytes:
        """The document's text, or the bytes of a file. Raises OSError."""
        return self._text.encode() if path == self._document else super().read_bytes(path)

    def exists(self, path: Path) -> bool:
        """Whether there is a file or folder, or it is the document."""
        return path == self._document or super().exists(path)

    def is_file(self, path: Path) -> bool:
        """Whether there is a file, or it is the document."""
        return path == self._document or super().is_file(path)


def look_at(wanted: FolderOptions) -> Look:
    """The look at a folder, a table, `lorakit:name` or `hub:owner/name`.

    Raises InvalidDocument, LorakitError.
    """
    held = wanted.held or _held(wanted.place)
    document = Path.cwd() / ".lorakit-data.yaml"
    unwritten = FolderReader().display(document)
    reader = _OneText(document, json.dumps(_recipe(wanted, held)))
    try:
        project = load(
            document,
            settings=[_path_of(one) for one in wanted.settings],
            reader=reader,
            roots=UserRoots(),
        )
    except InvalidDocument as error:
        raise InvalidDocument([unplaced(one, unwritten) for one in error.diagnostics]) from error
    name, root = wanted.place, project.root
    source = project.recipe.datasets[DATA]
    if not wanted.place.startswith((LORAKIT, HUB)):
        path = Path(os.path.abspath(wanted.place))  # noqa: PTH100 - keeps links: names stay the user's
        source = (
            replace(source, images=str(path))
            if held == "images"
            else replace(source, texts=str(path))
        )
        name, root = path.name or "root", path if path.is_dir() else path.parent
    source = replace(source, name=name)
    recipe = replace(project.recipe, name=name, datasets={DATA: source})
    home = home_of_folder(FolderReader())
    reads = (project.root,)  # where the model may be
    (look,) = looks_of(replace(project, root=root.resolve(), home=home, recipe=recipe))
    return replace(look, name=name, asked=False, reads=reads, unwritten=unwritten)


def _recipe(wanted: FolderOptions, held: str) -> dict[str, object]:
    named = wanted.place.startswith((LORAKIT, HUB))
    data: dict[str, object] = {held: wanted.place if named else _STAND_INS[held]}
    step: dict[str, object] = {"kind": _STEPS[held], "data": DATA}
    recipe: dict[str, object] = {"recipe": 1, "datasets": {DATA: data}, "steps": {DATA: step}}
    words = {"caption": wanted.caption, "trigger_word": wanted.trigger_word}
    data |= {key: value for key, value in words.items() if value}
    if wanted.size is not None:
        step["resolution" if held == "images" else "max_length"] = wanted.size
    if wanted.model:
        recipe["models"] = {DATA: {"from": wanted.model}}
        step["model"] = DATA
    return recipe


def _path_of(setting: str) -> str:
    """A setting of the data set or its training as a path in the recipe."""
    head = setting.partition("=")[0].strip().partition(".")[0]
    whole = schemas.subschema(schemas.load(schemas.RECIPE), schemas.RECIPE)
    if head in whole.keys:
        return setting
    dataset = schemas.subschema(whole.raw["definitions"]["dataset"], schemas.RECIPE)
    of_data = head in dataset.keys or names.nearest(head, dataset.keys) is not None
    return f"{'datasets' if of_data else 'steps'}.{DATA}.{setting}"


def _held(place: str) -> str:
    """Whether a place holds images or texts. Raises LorakitError where there is nothing."""
    if place.startswith(HUB):
        return "images"
    if place.startswith(LORAKIT):
        return next((held for held, name in _STAND_INS.items() if name == place), "images")
    path = Path(place)
    if not path.exists():
        near = names.did_you_mean(path.name, FolderReader().names(path.parent))
        raise LorakitError(
            "; ".join(filter(None, (f"there is no folder and no file {place}", near)))
        )
    if path.is_file():
        if path.suffix.lower() in TABLES:
            return "texts"
        raise LorakitError(
            f"{path.name} is no data set: name a folder, a recipe, or a table of texts ({', '.join(TABLES)})"
        )
    if not path.is_dir():
        raise LorakitError(f"{place} is neither a folder nor a file: a pipe, or a device")
    return _held_by(path)


def _held_by(folder: Path) -> str:
    tables = [one for one in entries(folder) if one.suffix.lower() in TABLES]
    for number, file in enumerate(walk(folder)):
        if file.suffix.lower() in ENDINGS or file.suffix.lower() in UNREADABLE:
            return "images"
        if number > _MOST_LOOKED_AT:
            break
    parquet = next((one for one in walk(folder) if one.suffix.lower() == ".parquet"), None)
    if parquet is not None and _holds_bytes(parquet):
        return "images"
    if tables or parquet is not None:
        return "texts"
    if any(
        one.suffix == ".txt" for part in entries(folder) if part.is_dir() for one in entries(part)
    ):
        return "texts"
    raise LorakitError(
        f"{folder} holds no pictures ({', '.join(ENDINGS)}) and no texts "
        f"({', '.join(TABLES)}, or a folder of .txt files for each label)"
    )


def _holds_bytes(table: Path) -> bool:
    """Whether a column of a Parquet file holds pictures, as bytes or beside their paths."""
    try:
        from pyarrow import parquet, types

        columns = parquet.read_schema(table)
    except Exception:  # noqa: BLE001 - whatever is wrong with it is told when it is read
        return False
    return any(
        types.is_binary(one.type) or types.is_large_binary(one.type) or types.is_struct(one.type)
        for one in columns
    )
