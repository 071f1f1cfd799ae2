"""The task of joining pictures to a film."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import ClassVar, Literal, NamedTuple

from lorakit.facts.fonts.fallbacks import Fallback, runs_backwards
from lorakit.language.story import rates
from lorakit.language.story.documents import TransitionKind, Video
from lorakit.language.story.film_formats import FORMATS, FilmFormat
from lorakit.language.story.rates import Rate
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.plan.tasks.json_form import OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.plan.timeline import timeline
from lorakit.records import record

QUALITY: int = defaults(STORYBOARD, "film")["quality"]
# of what made a picture, as the IPTC's NewsCodes name it (cv.iptc.org/newscodes/digitalsourcetype)
SourceType = Literal[
    "", "composite", "trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia"
]


@record
class ClipPart:
    """What a shot shows of a clip of `frames` frames, of `width` x `height` px.

    Film frame n of the shot, from 0 on, shows frame (`first` + n) * a / b of it, rounded down, where `rate`
    is (a, b). Before its first and past its last frame a clip stands still.
    """

    frames: int
    width: int
    height: int
    first: int = 0
    rate: tuple[int, int] = (1, 1)

    def at(self, number: int) -> int:
        """The clip's frame that film frame `number` of the shot shows."""
        times, of = self.rate
        return min(max((self.first + number) * times // of, 0), self.frames - 1)


@record
class FilmShot:
    """The input whose picture is shown, for so many frames, over its caption.

    Of an input that is a clip, `clip` says what is shown.
    """

    picture: str
    frames: int
    caption: str
    clip: ClipPart | None = field(default=None, metadata=OMITTED)


@record
class FilmCaptions:
    """Where captions stand, and how high their letters are."""

    position: Literal["bottom", "top"]
    size: float


def picture_name(frame: int) -> str:
    """What the picture of a film frame is called, which counts from 0."""
    return f"{frame + 1:06d}.png"


@record
class Join:
    """How a shot gives way to the next, over so many frames, which are centred on the cut."""

    kind: TransitionKind
    frames: int


class FilmForm(NamedTuple):
    """What a film is written as: its format, and the encoder of ffmpeg, empty for the format's first one."""

    format: FilmFormat = "mp4"
    encoder: str = ""


@record
class FilmTask(WorkerTask):
    """A film `height` px high; without `captions` none are shown.

    `fps` is a whole number or a ratio as in "24000/1001". Where it has a `width` as well, pictures fill it,
    and what stands over is cut off. `fallbacks` are fonts for what the shipped one lacks of the captions.
    `encoder` is one of ffmpeg's, empty for the first of the format's first codec; `quality` is as a document
    has it; `loop` how often the film is shown, 0 for ever. One that is `quick` is a preview. `joins` are how
    the shots give way to each other where they do not all crossfade over `transition_frames`. Pictures of a
    sequence tell their `source_type`, where it is known; other formats are told it later. How long shots are
    is said by the input `timing` where it is `timed`, from its picture number `first` on.
    """

    kind: ClassVar[str] = "film"
    version: ClassVar[int] = 2  # 1 was encoded in each CPU's own way
    unit: ClassVar[str] = "film frame"
    title: ClassVar[str] = "film"

    fps: int | str
    height: int
    transition_frames: int
    captions: FilmCaptions | None
    shots: tuple[FilmShot, ...]
    width: int | None = field(default=None, metadata=OMITTED)
    fallbacks: tuple[Fallback, ...] = field(default=(), metadata=OMITTED)
    format: FilmFormat = field(default="mp4", metadata=OMITTED)
    timed: bool = field(default=False, metadata=OMITTED)
    encoder: str = field(default="", metadata=OMITTED)
    quality: int = field(default=QUALITY, metadata=OMITTED)
    loop: int = field(default=0, metadata=OMITTED)
    joins: tuple[Join, ...] = field(default=(), metadata=OMITTED)
    source_type: SourceType = field(default="", metadata=OMITTED)
    quick: bool = field(default=False, metadata=OMITTED)
    first: int = field(default=0, metadata=OMITTED)

    @property
    def made_by(self) -> int:
        """2, but for captions that run backwards, whose blanks stood on the wrong side of a word until 3."""
        backwards = self.captions and any(runs_backwards(shot.caption) for shot in self.shots)
        return 3 if backwards else self.version

    @property
    def cuts(self) -> tuple[Join, ...]:
        """How each shot but the last gives way to the next."""
        kind: TransitionKind = "crossfade" if self.transition_frames else "cut"
        return self.joins or (Join(kind, self.transition_frames),) * (len(self.shots) - 1)

    @property
    def rate(self) -> Rate:
        """Frames a second, exactly."""
        return rates.of(self.fps)

    @property
    def file(self) -> str:
        """What the film's file is called; of pictures, their folder."""
        return "frames" if self.format == "png" else f"film.{self.format}"

    def stretches(self) -> Iterator[range]:
        """The frames that each moment of the film lasts, from 0 on: of a PNG sequence, a picture each."""
        first = 0
        for moment in timeline([s.frames for s in self.shots], [join.frames for join in self.cuts]):
            moves = self.shots[moment.shot].clip is not None
            for _ in range(moment.frames if moves else 1):
                yield range(first, first + (1 if moves else moment.frames))
                first += 1 if moves else moment.frames

    def outputs(self) -> Mapping[str, tuple[str, ...]]:
        """What it makes, each with the files that have it; a picture that is held has a file a frame."""
        if self.format != "png":
            return {"film": (self.file,)}
        return {
            f"frame_{frames[0] + 1:06d}": tuple(f"{self.file}/{picture_name(n)}" for n in frames)
            for frames in self.stretches()
        }

    @classmethod
    def of(
        cls,
        video: Video,
        size: tuple[int | None, int],
        shots: tuple[FilmShot, ...],
        fallbacks: tuple[Fallback, ...],
        written: FilmForm,
        joins: tuple[Join, ...] = (),
    ) -> FilmTask:
        """The task of a document's film: `size` px, the width None where it is the pictures'."""
        able = FORMATS[written.format]
        captions = video.captions
        usual = video.transition.frames(video.fps) if video.transition.kind == "crossfade" else 0
        # as films of one crossfade, or of cuts, have always been known
        alike = all(join == Join("crossfade" if usual else "cut", usual) for join in joins)
        return cls(
            fps=video.fps.written,
            height=size[1],
            width=size[0],
            transition_frames=usual if alike else 0,
            joins=() if alike else joins,
            captions=FilmCaptions(captions.position, captions.size) if captions.show else None,
            shots=shots,
            fallbacks=fallbacks,
            format=written.format,
            encoder=written.encoder,
            quality=video.quality if able.quality else QUALITY,
            loop=video.plays if able.loops else 0,
        )
