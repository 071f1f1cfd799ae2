"""What a notebook shows of a run that is over: a fragment of a page, all of it escaped.

Runs end where nobody looks at them, too: what shows them is imported once one is shown.
"""

from __future__ import annotations

import base64
import io
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lorakit.diagnostics import LorakitError
from lorakit.execute.events import RunFinished
from lorakit.plan import numbers
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.execute.past_action import PastAction

_PICTURES = 24  # of a run's strip
_SIDE = 192  # px of a thumbnail's longer side; 24 of them are a few hundred kB at most
_WORDS = 200  # characters of a caption
_FAILURES = 8


@record(shows=False)
class ShownRun(RunFinished):
    """A run that is over, which a notebook shows with its pictures."""

    @classmethod
    def of(cls, finished: RunFinished) -> Self:
        """The same event."""
        return cls(**{field.name: getattr(finished, field.name) for field in fields(finished)})

    @property
    def _counts(self) -> str:
        every = {
            "made": self.made,
            "cached": self.cached,
            "failed": self.failed,
            "skipped": self.skipped,
        }
        return ", ".join(f"{n:,} {word}" for word, n in every.items() if n) or "nothing to make"

    def __repr__(self) -> str:
        return f"<Run {self.folder!r}: {self.ending}, {self._counts}>"

    def _repr_html_(self) -> str:
        from lorakit.execute import past_run
        from lorakit.pages.render import fragment

        folder = Path(self.folder)
        try:
            actions = past_run.read(folder, self).actions
        except LorakitError:  # its folder was removed
            actions = ()
        pictured = [action for action in actions if action.frame.prompt and action.file("picture")]
        failed = [f"{a.id}: {a.detail}" for a in actions if a.outcome == "failed"]
        shown = [one for a in pictured[:_PICTURES] if (one := _thumbnail(folder, a)) is not None]
        return fragment(
            "run_strip.html",
            pictures=shown,
            more=len(pictured) - _PICTURES,
            ending=self.ending,
            time=numbers.duration(self.seconds),
            counts=self._counts,
            failures=failed[:_FAILURES],
            films=self.films,
            folder=self.folder,
        )


@record
class _Thumbnail:
    src: str
    text: str


def _thumbnail(folder: Path, action: PastAction) -> _Thumbnail | None:
    """A frame as a small picture that is part of the page; None where it is not there any more."""
    from lorakit.facts.pictures.open_picture import PictureError, rgb

    try:
        picture = rgb(folder / action.file("picture"))
    except PictureError:
        return None
    picture.thumbnail((_SIDE, _SIDE))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=85)
    words = f"{action.id}: {action.frame.prompt}"
    return _Thumbnail(
        f"data:image/jpeg;base64,{base64.b64encode(data.getvalue()).decode()}", words[:_WORDS]
    )
