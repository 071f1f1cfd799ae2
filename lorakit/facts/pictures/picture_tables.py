"""Pictures that stand in the rows of tables, as most of the hub's do. Without torch.

Their bytes are kept in the store by content, so that what comes later has files; what was found of each is
remembered, so that the tables are read once.
"""

from __future__ import annotations

import io
import itertools
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from pathlib import Path
from typing import Any

from lorakit.facts.data.data_sets import (
    HUB,
    DataError,
    RowFaults,
    check_column,
    no_split,
    splits_of,
)
from lorakit.facts.files.folders import walk
from lorakit.facts.machine.this_machine import this_machine
from lorakit.facts.pictures.found_pictures import SAME_WORDS, USUAL_CAPTIONS, Found
from lorakit.facts.pictures.open_picture import Header, PictureError, header, quietly
from lorakit.facts.pictures.picture_folders import holds_pictures
from lorakit.files import open_regular, read_regular, same_roots
from lorakit.language.recipe.trainings import DataSource
from lorakit.language.yaml import names
from lorakit.records import record
from lorakit.store import sealed
from lorakit.store.canonical import digest_of
from lorakit.store.seen import identity
from lorakit.store.store import Output, Store

_TABLES = (".parquet",)
_PACKED = (".arrow", ".tar", ".zip")
_METADATA = "metadata"  # a table of that name stands beside pictures that are files
_AT_ONCE = 64  # rows whose pictures are in memory together
_MOST = 1 << 29  # bytes of a picture
_VERSION = 4  # of what is remembered


@record
class _Row:
    """What is remembered of a row and its picture."""

    name: str
    digest: str
    bytes: int
    width: int
    height: int
    clear: bool
    converted: bool
    several: bool
    caption: str | None


def in_tables(folder: Path, source: DataSource) -> bool:
    """Whether a folder's pictures stand in rows, and are not files.

    Raises DataError where both may be meant.
    """
    files = [f for f in walk(folder) if f.stem != _METADATA]
    tables = sorted(f for f in files if f.suffix.lower() in _TABLES)
    # a hub's data set has pictures beside its tables to show itself by
    if tables and not source.images.startswith(HUB) and holds_pictures(folder):
        raise DataError(
            "data",
            "images",
            f"{source.images} holds pictures and a table, {tables[0].relative_to(folder).as_posix()}: "
            "either may be meant",
            "put those that you mean into a folder of their own; captions beside pictures stand in a "
            "table called metadata",
        )
    packed = any(f.suffix.lower() in _PACKED for f in files)
    return bool(tables) or (packed and not holds_pictures(folder))


def from_tables(
    folder: Path,
    source: DataSource,
    store: Store,
    *,
    keep: bool,
    wrong: list[DataError] | None = None,
) -> list[Found]:
    """All pictures of a split, in the order of its rows. Without `keep` nothing is written.

    Where `wrong` is a list, what is wrong with some rows is put there, and the others are found.
    Raises DataError, StoreError.
    """
    memory = store.folder / "tables" / f"{_identity(folder, source)}.json"
    rows = _remembered(memory)
    if rows is None or (keep and not all(store.has(Output(r.digest, r.bytes)) for r in rows)):
        if keep:
            store.prepare()
        faults = RowFaults(wrong)
        rows = list(_read(folder, source, store.put if keep else Output.of, faults, whole=keep))
        faults.tell()
        if keep and not faults:
            _remember(memory, rows)
    return [_found(row, store.object_path(row.digest)) for row in rows]


def _identity(folder: Path, source: DataSource) -> str:
    """What decides which rows there are, what they hold, and which columns are read."""
    files = [f.resolve() for f in walk(folder) if f.is_file()]
    seen = [[str(f), *identity(f.stat())] for f in files]
    columns = source.columns
    return digest_of([_VERSION, seen, source.split, columns.image, columns.caption])


def _remembered(file: Path) -> list[_Row] | None:
    told = sealed.read(file)
    try:
        return [_Row(*row) for row in told] if isinstance(told, list) else None
    except TypeError:
        return None


def _remember(file: Path, rows: list[_Row]) -> None:
    try:
        sealed.write(file, [astuple(row) for row in rows])
    except OSError:
        return  # it costs time only


def _found(row: _Row, file: Path) -> Found:
    mask = file if row.clear else None
    size = (row.width, row.height)
    return Found(
        row.name,
        file,
        row.digest,
        size,
        row.caption,
        mask,
        row.digest if mask else "",
        row.converted,
        several=row.several,
    )


def _read(
    folder: Path,
    source: DataSource,
    keep: Callable[[bytes], Output],
    faults: RowFaults,
    *,
    whole: bool,
) -> Iterator[_Row]:
    shown = source.images if source.images.startswith(HUB) else folder.name
    loaded = splits_of(folder, source)
    if source.split not in loaded:
        raise no_split(source, "split", map(str, loaded))
    part = loaded[source.split]
    image, caption = _columns(part, source, shown)
    part = part.select_columns([image, *([caption] if caption else [])])
    if hasattr(part.features[image], "decode"):
        part = part.cast_column(image, type(part.features[image])(decode=False))
    for number, row, looked in _looked_at(part, image, source, folder, shown, whole):
        if isinstance(looked, DataError):
            if looked.key != "images":
                raise looked  # the column is another than was meant, in every row
            faults.note(looked)
            continue
        data, found = looked
        text = row[caption] if caption else None
        if text is not None and not isinstance(text, str):
            raise DataError(
                "data",
                "columns.caption" if source.columns.caption else "images",
                f"the column {caption} of {shown} holds no texts",
                "name the one that does: columns: {caption: ...}",
            )
        kept = keep(data)
        name = f"{source.split}/{number:06d}"
        words = (text or "").strip() or None
        told = (*found.size, found.clear, found.converted, found.several)
        yield _Row(name, kept.digest, kept.size, *told, words)


def _looked_at(
    part: Any, image: str, source: DataSource, folder: Path, shown: str, whole: bool
) -> Iterator[tuple[int, Mapping[str, Any], tuple[bytes, Header] | DataError]]:
    """Each row by number, with its picture's bytes and header, or what is wrong with it.

    `whole` decodes, several at a time.
    """

    def look(
        one: tuple[int, Mapping[str, Any]],
    ) -> tuple[int, Mapping[str, Any], tuple[bytes, Header] | DataError]:
        number, row = one
        where = f"row {number} of {shown}'s split {source.split}"
        try:
            data = _bytes(row[image], image, where, folder)
            found = header(io.BytesIO(data), f"the picture in {where}", whole=whole)
        except DataError as error:
            return number, row, error
        except PictureError as error:
            way = "remove the row, or put a whole picture in it"
            return number, row, DataError("data", "images", str(error), way)
        return number, row, (data, found)

    rows = enumerate(part, 1)
    with ThreadPoolExecutor(this_machine().cores, initializer=same_roots()) as pool:
        while some := list(itertools.islice(rows, _AT_ONCE)):
            with quietly():
                looked = list(pool.map(look, some))
            yield from looked


def _columns(part: Any, source: DataSource, shown: str) -> tuple[str, str]:
    """The columns of pictures and of captions; the second is empty where there is none, and none needed."""
    there, columns = part.column_names, source.columns
    likely = next((name for name, one in part.features.items() if hasattr(one, "decode")), "")
    check_column("image", columns.image, there, shown, likely)
    if columns.caption:
        check_column("caption", columns.caption, there, shown)
        return columns.image, columns.caption
    caption = next((name for name in USUAL_CAPTIONS if name in there), "")
    if not caption and "{caption}" in source.caption:
        raise DataError(
            "no-caption",
            "images",
            f"{shown} has no column called {names.listed(USUAL_CAPTIONS)}",
            f"it has {names.listed(there)}: name the one of the captions, "
            f"columns: {{caption: ...}}, or {SAME_WORDS}",
        )
    return columns.image, caption


def _named(path: str, folder: Path, where: str) -> bytes | None:
    """A picture that a row names: a file of the data set's own folder, maybe in a zip there; None for none.

    A name from elsewhere may be any file of this machine, or an address. Raises DataError.
    """
    inside, _, file = path.rpartition("::")
    here = Path(os.path.normpath(folder / file))  # an absolute one is itself
    if not here.is_relative_to(folder) or not here.is_file():
        return None
    try:
        if not inside:
            return read_regular(here, _MOST)
        # what `datasets` calls a file inside an archive: zip://inside.png::/path/of/the.zip
        if not inside.startswith("zip://"):
            return None
        with (
            open_regular(here) as handle,
            zipfile.ZipFile(handle) as archive,
            archive.open(inside.removeprefix("zip://")) as picture,
        ):
            data = picture.read(_MOST + 1)
    except (
        OSError,
        ValueError,
        KeyError,
        NotImplementedError,
        RuntimeError,
        zipfile.BadZipFile,
    ) as error:
        raise DataError(
            "data", "images", f"the picture in {where} cannot be read: {error}"
        ) from error
    if len(data) > _MOST:
        raise DataError("data", "images", f"the picture in {where} has more than {_MOST:,} bytes")
    return data


def _bytes(value: object, column: str, where: str, folder: Path) -> bytes:
    """The bytes of a picture as tables hold them: themselves, or a file, maybe in an archive."""
    data = value.get("bytes") if isinstance(value, Mapping) else value
    if isinstance(data, bytes) and data:
        return data
    path = value.get("path") if isinstance(value, Mapping) else None
    if isinstance(path, str):
        data = _named(path, folder, where)
        if data is not None:
            return data
    if value is None or isinstance(value, Mapping | bytes):
        said = f"there is no picture in {where}" + (f", only its name, {path}" if path else "")
        raise DataError("empty-row", "images", said, "remove the row, or put the picture in it")
    raise DataError(
        "data",
        "columns.image",
        f"the column {column} holds no pictures: {type(value).__name__} in {where}",
        "name the one that does: columns: {image: ...}",
    )
