"""The engine of the worker that assembles: films and contact sheets from pictures in the store."""

from __future__ import annotations

import time
import traceback
from collections import Counter, deque
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.diagnostics import LorakitError, in_words
from lorakit.plan.tasks.beats import BeatsTask
from lorakit.plan.tasks.card import CardTask
from lorakit.plan.tasks.clip import ClipPicturesTask, JoinedClipTask, KenBurnsTask, PassingTask
from lorakit.plan.tasks.control import ControlMapTask
from lorakit.plan.tasks.figures import (
    CompareTask,
    PictureFiguresTask,
    SweepBestTask,
    SweepTableTask,
)
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.finished_film import FinishedFilmTask, SignedFilmTask
from lorakit.plan.tasks.gate import GateTask
from lorakit.plan.tasks.painted import PaintedTask
from lorakit.plan.tasks.sheet import ContactSheetTask
from lorakit.plan.tasks.side_by_side import SideBySideTask
from lorakit.plan.tasks.sound import SoundMixTask
from lorakit.plan.tasks.speech import SpeechTask, TimingTask
from lorakit.plan.tasks.subtitles import SubtitlesTask
from lorakit.plan.tasks.upscale import EnlargeTask
from lorakit.rendering.beats import write_beats
from lorakit.rendering.cards import write_card
from lorakit.rendering.clip_pictures import write_clip_pictures, write_joined_clip
from lorakit.rendering.comparison import write_comparison
from lorakit.rendering.contact_sheet import SheetGroup, write_contact_sheet
from lorakit.rendering.control_maps import write_map
from lorakit.rendering.encodings import Encoding
from lorakit.rendering.ffmpeg_writer import FilmInterrupted
from lorakit.rendering.film import CaptionStyle, Shot, write_film
from lorakit.rendering.film_timing import timed_shots, write_timing
from lorakit.rendering.finished_film import write_finished_film
from lorakit.rendering.gate_choice import write_choice
from lorakit.rendering.kenburns import write_kenburns
from lorakit.rendering.lettering import Lettering
from lorakit.rendering.painted import write_enlarged, write_painted
from lorakit.rendering.passing import write_passing
from lorakit.rendering.picture_figures import write_figures
from lorakit.rendering.side_by_side import Table, write_side_by_side
from lorakit.rendering.signed_film import write_signed_film
from lorakit.rendering.sound_mix import write_mix
from lorakit.rendering.speech import write_speech
from lorakit.rendering.subtitle_files import write_subtitles
from lorakit.rendering.sweep_table import write_best, write_sweep
from lorakit.store.sources import SourceReading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from lorakit.plan.engine_specs import EngineSpec
    from lorakit.plan.tasks.job import Job, Report
    from lorakit.plan.tasks.task import WorkerTask

    Progress = Iterator[tuple[int, int]]

_ATTEMPTS = 3  # at a film whose ffmpeg something else ends
_SLICE = 0.15  # seconds of work between two looks at the pipe


class AssemblyEngine:
    """Does jobs one after the other, a slice of work at a call, so that its worker stays reachable.

    The tasks it knows are those of the two tables below. `report` is told of progress at most once a slice.
    Nothing is loaded.
    """

    def __init__(self, spec: EngineSpec, report: Report) -> None:
        self.spec = spec
        self._report = report
        self._waiting: deque[Job[Any]] = deque()
        self._interrupted: Counter[str] = Counter()
        self._current: tuple[Job[Any], Path, Iterator[tuple[int, int]]] | None = None

    @property
    def busy(self) -> bool:
        """Whether there is work left."""
        return bool(self._current or self._waiting)

    def submit(self, job: Job[Any]) -> None:
        """Put a job at the end of the queue."""
        self._waiting.append(job)

    def step(self) -> list[Mapping[str, object]]:
        """Work for about 0.15 s and return what has ended by it.

        Each is `{"id", "outputs": {name: path}}` or, where the job failed, `{"id", "error"}`.
        """
        ended: list[Mapping[str, object]] = []
        until = time.monotonic() + _SLICE
        while self.busy and time.monotonic() < until:
            job = self._current[0] if self._current else self._waiting.popleft()
            try:
                outputs = self._work(job, until)
            except FilmInterrupted as error:
                self._current = None
                self._interrupted[job.id] += 1
                if self._interrupted[job.id] < _ATTEMPTS:
                    self._waiting.appendleft(job)
                else:
                    ended.append({"id": job.id, "error": str(error)})
            except (LorakitError, OSError) as error:
                self._current = None
                ended.append({"id": job.id, "error": str(error)})
            except Exception as error:  # noqa: BLE001 - one odd job is no fault of the others
                self._current = None
                traceback.print_exc()
                ended.append({"id": job.id, "error": in_words(error)})
            else:
                if outputs is not None:
                    ended.append({"id": job.id, "outputs": outputs})
        return ended

    def close(self) -> None:
        """Give up what is under way, leaving no half-made file and no ffmpeg behind."""
        self._waiting.clear()
        if self._current:
            closing, self._current = self._current[2], None
            closing.close()  # type: ignore[attr-defined]  # our iterators are generators

    def _work(self, job: Job[Any], until: float) -> Mapping[str, str] | None:
        if isinstance(job.task, ControlMapTask):
            return write_map(job)
        at_once = _AT_ONCE.get(type(job.task))
        if at_once is not None:
            reading = SourceReading(job.reads)
            reading.begin()
            outputs = at_once(_folder(job), job.task, job.inputs)
            reading.end()
            return outputs
        if self._current is None:
            self._current = (job, *_begin(job))
        _, target, making = self._current
        progress: tuple[int, int] | None = None
        for progress in making:
            if time.monotonic() >= until:
                self._report(job.id, *progress)
                return None
        if progress:
            self._report(job.id, *progress)
        self._current = None
        if isinstance(job.task, FilmTask):
            return {
                name: str(_folder(job) / files[0]) for name, files in job.task.outputs().items()
            }
        if isinstance(job.task, SignedFilmTask | ClipPicturesTask):
            return {name: str(_folder(job) / file) for name, file in job.task.outputs().items()}
        return {_PIECEWISE[type(job.task)][0]: str(target)}


def _folder(job: Job[Any]) -> Path:
    job.out.mkdir(parents=True, exist_ok=True)
    return job.out


def _begin(job: Job[Any]) -> tuple[Path, Progress]:
    _, begin = _PIECEWISE[type(job.task)]
    target = _folder(job) / job.task.file
    return target, _watched(begin(target, job.task, job.inputs), SourceReading(job.reads))


def _watched(making: Progress, reading: SourceReading) -> Progress:
    """Make something, and keep nothing of files of the user that have changed meanwhile."""
    reading.begin()
    yield from making
    reading.end()


def _film(target: Path, task: FilmTask, inputs: Mapping[str, str]) -> Progress:
    captions = task.captions
    shots = timed_shots(task.shots, inputs["timing"], task.first) if task.timed else task.shots
    return write_film(
        target,
        [Shot(Path(inputs[s.picture]), s.frames, s.caption, s.clip) for s in shots],
        fps=task.rate,
        height=task.height,
        width=task.width,
        joins=task.cuts,
        captions=CaptionStyle(captions.position, captions.size) if captions else None,
        letters=Lettering(task.fallbacks),
        encoding=Encoding(task.format, task.encoder, task.quality, task.loop, task.quick),
        source_type=task.source_type,
    )


def _sheet(target: Path, task: ContactSheetTask, inputs: Mapping[str, str]) -> Progress:
    # where a member of a sweep failed, its picture has not come
    groups = [
        SheetGroup(
            group.title,
            [(Path(inputs[p.picture]), p.caption) for p in group.pictures if p.picture in inputs],
        )
        for group in task.groups
    ]
    return write_contact_sheet(target, groups, task.heading, Lettering(task.fallbacks))


def _side_by_side(target: Path, task: SideBySideTask, inputs: Mapping[str, str]) -> Progress:
    captions = task.captions
    series = [
        [Path(inputs[role]) if role in inputs else None for role in roles]
        + [None] * (len(captions) - len(roles))
        for roles in task.pictures
    ]
    if task.down:
        table = Table(task.heading, captions, list(zip(task.of, series, strict=True)))
    else:
        rows = list(zip(captions, zip(*series, strict=True), strict=True))
        table = Table(task.heading, task.of, rows)
    return write_side_by_side(target, table, Lettering(task.fallbacks))


# what takes a moment -> its outputs, each with its path
_AT_ONCE: Mapping[type[WorkerTask], Callable[[Path, Any, Mapping[str, str]], Mapping[str, str]]] = {
    CompareTask: write_comparison,
    PictureFiguresTask: write_figures,
    SweepTableTask: write_sweep,
    SweepBestTask: write_best,
    PaintedTask: write_painted,
    EnlargeTask: write_enlarged,
    GateTask: write_choice,
    TimingTask: write_timing,
    SubtitlesTask: write_subtitles,
    CardTask: write_card,
}
# what is made in pieces -> its output, and what makes it, in a file that the task names
_PIECEWISE: Mapping[
    type[WorkerTask], tuple[str, Callable[[Path, Any, Mapping[str, str]], Progress]]
] = {
    KenBurnsTask: ("clip", write_kenburns),
    PassingTask: ("clip", write_passing),
    ClipPicturesTask: ("pictures", write_clip_pictures),
    JoinedClipTask: ("clip", write_joined_clip),
    FilmTask: ("film", _film),
    SpeechTask: ("speech", write_speech),
    BeatsTask: ("beats", write_beats),
    SoundMixTask: ("sound", write_mix),
    FinishedFilmTask: ("film", write_finished_film),
    SignedFilmTask: ("film", write_signed_film),
    ContactSheetTask: ("sheet", _sheet),
    SideBySideTask: ("sheet", _side_by_side),
}
