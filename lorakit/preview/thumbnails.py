"""Pictures as a training cuts them, small, on the disk beside a page; and what tells them apart."""

from __future__ import annotations

import contextlib
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lorakit.facts.machine.this_machine import this_machine
from lorakit.facts.pictures.cut_picture import cut
from lorakit.facts.pictures.open_picture import PictureError, quietly
from lorakit.files import read_regular, same_roots
from lorakit.records import record
from lorakit.store import atomic
from lorakit.store.errors import StoreError, why

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image

LARGEST = 384  # px, the longer side
_MOST = 1 << 29  # bytes of a picture
_LARGE = 4_000_000  # px, more than which are decoded in a fraction of their number
_TINY = 16  # px, the side of what is compared place by place
_NAME = re.compile(r"[0-9a-f]{24}-[0-9]+x[0-9]+\.jpg")
_QUALITY = 90
Progress = Callable[[int, int], None]


@record
class Fingerprint:
    """What tells pictures apart: its file's SHA-256 and bytes, perceptual hashes, its colours.

    `mirrored` is the hash of the mirrored picture, `tiny` (16, 16, 3) in 0..255.
    """

    digest: str
    bytes: int
    hash: int
    mirrored: int
    tiny: NDArray[np.int16]


@record
class Thumbnail:
    """A picture's name beside the page, and its fingerprint; without them `trouble` is why."""

    name: str = ""
    size: tuple[int, int] = (0, 0)
    fingerprint: Fingerprint | None = None
    trouble: str = ""


class ThumbnailSource(NamedTuple):
    """A picture's file, its own size and the one that it is trained at, in px."""

    file: Path
    size: tuple[int, int]
    trained_at: tuple[int, int]


def thumbnails(
    pictures: Sequence[ThumbnailSource], folder: Path, progress: Progress
) -> list[Thumbnail]:
    """Each picture cut as it is trained at, reduced where that is large, and kept in `folder`.

    What is there already is not made again, what is of no picture any more goes. Raises StoreError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"{folder} cannot be written: {why(error)}") from error
    found = []
    with (
        quietly(),
        _stopping(ThreadPoolExecutor(this_machine().cores, initializer=same_roots())) as pool,
    ):
        for one in pool.map(lambda picture: _made(picture, folder), pictures):
            found.append(one)
            progress(len(found), len(pictures))
    _clear(folder, {one.name for one in found})
    return found


@contextlib.contextmanager
def _stopping(pool: ThreadPoolExecutor) -> Iterator[ThreadPoolExecutor]:
    """A pool that lets go of what waits when something stops us, and leaves no thread behind."""
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _made(wanted: ThumbnailSource, folder: Path) -> Thumbnail:
    file, whole, size = wanted
    try:
        data = read_regular(file, _MOST)
    except OSError as error:
        return Thumbnail(trouble=f"{file} cannot be read: {error.strerror or error}")
    digest = hashlib.sha256(data).hexdigest()
    shown = _reduced(size)
    # the cut is by the size that is trained at, and the name tells of it
    target = folder / f"{digest[:24]}-{size[0]}x{size[1]}.jpg"
    try:
        try:
            picture = cut(target, shown) if target.is_file() else None
        except PictureError:  # what lies there is not what we wrote
            picture = None
        if picture is None:
            # as training cuts it to the bit, where that can be seen and does not take long
            quick = shown != size or whole[0] * whole[1] > _LARGE
            picture = cut(io.BytesIO(data), shown, name=str(file), reduced=quick)
            _save(picture, target)
    except PictureError as error:
        return Thumbnail(trouble=str(error))
    return Thumbnail(target.name, shown, _fingerprint(digest, len(data), picture))


def _reduced(size: tuple[int, int]) -> tuple[int, int]:
    """The size of a thumbnail: as it is trained at, or the same shape with a longer side of 384 px."""
    share = min(1.0, LARGEST / max(size))
    return max(1, round(size[0] * share)), max(1, round(size[1] * share))


def _save(picture: Image, target: Path) -> None:
    written = io.BytesIO()
    picture.save(written, "JPEG", quality=_QUALITY, subsampling=0)
    try:
        atomic.write_bytes(target, written.getvalue(), durable=False)
    except OSError as error:
        raise StoreError(f"{target} cannot be written: {why(error)}") from error


def _fingerprint(digest: str, size: int, picture: Image) -> Fingerprint:
    import imagehash
    import numpy as np
    from PIL import Image, ImageOps

    small = picture.resize((_TINY, _TINY), Image.Resampling.BOX)
    # the hash is of 32 x 32 px, so that no more need be mirrored
    plain = picture.convert("L").resize((64, 64), Image.Resampling.BOX)
    own, other = (imagehash.phash(one) for one in (plain, ImageOps.mirror(plain)))
    hashes = int(str(own), 16), int(str(other), 16)
    return Fingerprint(digest, size, hashes[0], hashes[1], np.asarray(small).astype(np.int16))


def _clear(folder: Path, kept: set[str]) -> None:
    """Remove pictures of an earlier look; nothing but what is called as ours are."""
    for path in folder.iterdir():
        if _NAME.fullmatch(path.name) and path.name not in kept:
            with contextlib.suppress(OSError):
                path.unlink()
