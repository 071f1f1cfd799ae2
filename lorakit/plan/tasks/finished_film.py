"""The tasks of finishing a film: sound, chapters and what it says of itself; and a signature."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from lorakit.language.story.film_formats import FilmFormat
from lorakit.plan.tasks.film import SourceType
from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class Chapter:
    """A part of a film by its `title`: so many clips, which are `frames` film frames, 0 where it is timed."""

    title: str
    clips: int
    frames: int


@record
class FilmPart:
    """Of a film `clips` clips from number `first` on: `frames` film frames from `begins` on; 0 if timed."""

    first: int
    clips: int
    begins: int
    frames: int


@record
class FilmShape:
    """A film of `frames` film frames, `fps` a second, of `width` (None: as its pictures) x `height` px."""

    fps: int | str = 1
    frames: int = 0
    height: int = 0
    width: int | None = None


@record
class FinishedFilmTask(WorkerTask):
    """A film whose pictures are the input `film` as it stands, and whose sound is the input `sound`, if any.

    `rate` is film frames a second, as a fraction. `source_type` is empty where nobody can say it. When
    chapters begin is said by the input `timing` where it is `timed`. Of the sound a `part` is heard alone.
    """

    kind: ClassVar[str] = "finished-film"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "finished film"
    unit: ClassVar[str] = "second"
    title: ClassVar[str] = "film"

    format: FilmFormat
    name: str
    rate: tuple[int, int]
    chapters: tuple[Chapter, ...] = ()
    source_type: SourceType = ""
    timed: bool = False
    part: FilmPart | None = field(default=None, metadata=OMITTED)
    shape: FilmShape = field(default=FilmShape(), metadata=BESIDE)

    @property
    def file(self) -> str:
        """What the film's file is called."""
        return f"film.{self.format}"


@record
class SignedFilmTask(WorkerTask):
    """The input `film` with a signed C2PA manifest that says what made it; of a sequence all its `pictures`.

    `certificate` is the digest of the file with the signer's chain, and `algorithm` as C2PA names it; who
    stamps the time, `timestamps` (an address, or empty), decides nothing that a film shows. `pictures` are
    inputs and outputs, both called so.
    """

    kind: ClassVar[str] = "signed-film"
    version: ClassVar[int] = 1
    noun: ClassVar[str] = "signed film"
    unit: ClassVar[str] = "picture"
    title: ClassVar[str] = "film"

    format: FilmFormat
    name: str
    source_type: SourceType
    certificate: str
    algorithm: str
    certificate_file: str = field(default="", metadata=BESIDE)
    key_file: str = field(default="", metadata=BESIDE)
    timestamps: str = field(default="", metadata=BESIDE)
    shape: FilmShape = field(default=FilmShape(), metadata=BESIDE)
    pictures: tuple[str, ...] = field(default=(), metadata=OMITTED)

    @property
    def file(self) -> str:
        """What the film's file is called; of pictures, their folder."""
        return "frames" if self.pictures else f"film.{self.format}"

    def outputs(self) -> Mapping[str, str]:
        """What it makes, each with the file that has it."""
        if not self.pictures:
            return {"film": self.file}
        return {name: f"{self.file}/{name}.png" for name in self.pictures}
