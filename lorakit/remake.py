"""A run made anew from what its folder says of it, and held against what came of it then."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lorakit.diagnostics import LorakitError
from lorakit.language import FolderReader, locks
from lorakit.language import load as load_documents
from lorakit.language.story.decisions import file_of
from lorakit.records import record
from lorakit.session import Session

if TYPE_CHECKING:
    from lorakit.execute.past_action import PastAction
    from lorakit.execute.past_run import WholeRun
    from lorakit.plan.selection import Selection

State = Literal["identical", "close", "different", "missing"]


@record
class OutputComparison:
    """One output of one action, then and now. `psnr` is of pictures that differ, in dB."""

    action: str
    output: str
    state: State
    psnr: float | None = None


class RecordedReader(FolderReader):
    """The file system as it is, with documents as they were."""

    def __init__(self, texts: Mapping[Path, str]) -> None:
        super().__init__()
        self._texts = texts
        # what was decided since then is not of that run
        self._since = {file_of(path) for path in texts} - texts.keys()

    def read_bytes(self, path: Path) -> bytes:
        """The bytes of a file; raises OSError where it cannot be read."""
        text = self._texts.get(self.resolve(path))
        return super().read_bytes(path) if text is None else text.encode()

    def exists(self, path: Path) -> bool:
        """Whether there is or was a file or folder at `path`."""
        real = self.resolve(path)
        return real in self._texts or (real not in self._since and super().exists(path))

    def is_file(self, path: Path) -> bool:
        """Whether there is or was a file at `path`."""
        real = self.resolve(path)
        return real in self._texts or (real not in self._since and super().is_file(path))


def as_it_was(run: WholeRun, root: Path, home: Path) -> tuple[Session, Selection]:
    """The run's documents, as they were, below `root`; outputs and store go to `home`.

    Raises InvalidDocument, and LorakitError where the folder does not say how the run was called.
    """
    from lorakit.facts.files.roots import UserRoots
    from lorakit.plan.selection import Selection

    request = run.request
    texts = {
        root / path: run.documents[name]
        for name, path in request.paths.items()
        if name in run.documents
    }
    document = root / request.document
    if document not in texts:
        raise LorakitError(
            f"{run.folder} does not say how it was made: it is of an earlier lorakit; run its recipe again"
        )
    reader = RecordedReader({Path(os.path.realpath(path)): text for path, text in texts.items()})
    written = load_documents(
        document,
        settings=request.settings,
        profile=request.profile,
        reader=reader,
        roots=UserRoots(),
    )
    written = replace(written, home=home)
    lock = locks.read(written.root, reader)
    session = Session(locks.pinned(written, lock), lock, written)
    return session, Selection(request.only, draft=request.draft, preview=request.preview)


def compare(then: WholeRun, now: WholeRun, close: float) -> Iterator[OutputComparison]:
    """Hold every output of a run against that of another; pictures of `close` dB or more are close."""
    made = {action.id: action for action in now.actions}
    for action in then.actions:
        other = made.get(action.id)
        for output, digest in action.outputs.items():
            if not action.files.get(output):
                continue  # what only the store holds shows in what was made of it
            if other is None or output not in other.outputs:
                yield OutputComparison(action.id, output, "missing")
            elif other.outputs[output] == digest:
                yield OutputComparison(action.id, output, "identical")
            else:
                psnr = _psnr(then.folder, action, now.folder, other, output)
                state: State = "close" if psnr is not None and psnr >= close else "different"
                yield OutputComparison(action.id, output, state, psnr)


def _psnr(
    folder: Path, action: PastAction, other_folder: Path, other: PastAction, output: str
) -> float | None:
    """How near two pictures are, in dB; None for other files, for other sizes, and where one is not there."""
    import numpy as np

    from lorakit.facts.pictures.open_picture import rgb

    names = action.files[output][:1], other.files[output][:1]
    paths = [place / name for place, (name,) in zip((folder, other_folder), names, strict=True)]
    if not all(path.suffix == ".png" and path.is_file() for path in paths):
        return None
    try:
        one, two = (np.asarray(rgb(path), np.float64) for path in paths)
    except (OSError, ValueError):
        return None
    if one.shape != two.shape:
        return None
    error = float(np.square(one - two).mean())
    return 99.0 if error == 0 else 10 * math.log10(255**2 / error)
