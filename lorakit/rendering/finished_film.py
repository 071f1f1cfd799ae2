"""A film finished: the pictures' stream is copied as it stands; sound, chapters and title come beside it."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit import children
from lorakit.facts.sounds.decoding import RATE, SoundError, quiet, run, samples
from lorakit.plan.film_times import times_in
from lorakit.rendering.ffmpeg_writer import FilmError, FilmInterrupted
from lorakit.rendering.film_check import reader
from lorakit.rendering.xmp import packet, source_uri
from lorakit.rendering.xmp_files import WITH_XMP, put_xmp

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorakit.plan.tasks.finished_film import FinishedFilmTask

_AAC = ("-c:a", "aac", "-b:a", "192k")
# by a film's ending: the sound that its container plays everywhere, and the container; of mov the index
# stands last, where its XMP belongs
_SOUND = {".mp4": _AAC, ".mov": _AAC, ".webm": ("-c:a", "libopus", "-b:a", "160k")}
_CONTAINERS = {
    ".mp4": ("-movflags", "+faststart", "-f", "mp4"),
    ".mov": ("-f", "mov"),
    ".webm": ("-f", "webm"),
}
_EXACT = ("-fflags", "+bitexact", "-flags:a", "+bitexact", "-threads", "1")
_FRAME = 1024  # samples of AAC that stand or fall together
_ESCAPED = str.maketrans({sign: f"\\{sign}" for sign in "\\=;#\n"})
# Matroska has no place for XMP, and tags of any name
_SOURCE_TAG = "DIGITAL_SOURCE_TYPE"


def write_finished_film(
    target: Path, task: FinishedFilmTask, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write the film, yielding (0, 1) while ffmpeg is busy and (1, 1) at last. Raises FilmError.

    It is read back at last: its pictures are as many as they were, its sound lasts as long as it did. A GIF
    and a WebP get their XMP alone, since they have neither chapters nor titles.
    """
    film = Path(inputs["film"])
    try:
        if target.suffix in _CONTAINERS:
            yield from _muxed(target, film, task, inputs)
        else:
            shutil.copyfile(film, target)
        if target.suffix in WITH_XMP and (task.source_type or task.name):
            put_xmp(target, packet(task.source_type, task.name))
        if target.suffix in _CONTAINERS:
            _check(target, film, inputs.get("sound"), _samples_of_part(task, inputs))
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    yield 1, 1


def _muxed(
    target: Path, film: Path, task: FinishedFilmTask, inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    sound = inputs.get("sound")
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told.txt")
        told.write_text(_metadata(task, inputs, tags=target.suffix == ".webm"), "utf-8")
        heard = ["-i", f"file:{Path(sound).absolute()}"] if sound else []
        from_told = "2" if sound else "1"
        command = [
            *[*quiet(), "-i", f"file:{film.absolute()}", *heard],
            *["-f", "ffmetadata", "-i", f"file:{told}"],
            *["-map", "0:v:0", "-c:v", "copy"],
            *(["-map", "1:a:0", *_cut(task, inputs), *_SOUND[target.suffix]] if sound else []),
            *["-map_metadata", from_told, "-map_chapters", from_told],
            *[*_EXACT, *_CONTAINERS[target.suffix]],
            f"file:{target.absolute()}",
        ]
        for _ in _running(command):
            yield 0, 1


def _cut(task: FinishedFilmTask, inputs: Mapping[str, str]) -> list[str]:
    """The filter that leaves of the sound what is heard in a part of the film, to the sample."""
    span = _samples_of_part(task, inputs)
    if span is None:
        return []
    return ["-af", f"atrim=start_sample={span[0]}:end_sample={span[1]},asetpts=PTS-STARTPTS"]


def _samples_of_part(task: FinishedFilmTask, inputs: Mapping[str, str]) -> tuple[int, int] | None:
    """The first and the last sample, plus one, of the part that a film is; None of a whole one."""
    part = task.part
    if part is None:
        return None
    begins, frames = part.begins, part.frames
    if task.timed:
        clips = times_in(inputs["timing"]).clips
        begins = sum(clips[: part.first])
        frames = sum(clips[part.first : part.first + part.clips])
    rate = Fraction(*task.rate)
    return round(begins / rate * RATE), round((begins + frames) / rate * RATE)


def _metadata(task: FinishedFilmTask, inputs: Mapping[str, str], *, tags: bool) -> str:
    """What the film says of itself, as ffmpeg reads it (ffmpeg-formats, "Metadata")."""
    lines = [";FFMETADATA1"]
    if task.name:
        lines.append(f"title={task.name.translate(_ESCAPED)}")
    if tags and task.source_type:
        lines.append(f"{_SOURCE_TAG}={source_uri(task.source_type).translate(_ESCAPED)}")
    base, first = Fraction(*task.rate), 0
    for chapter, frames in zip(task.chapters, _lengths(task, inputs), strict=True):
        lines += ["[CHAPTER]", f"TIMEBASE={base.denominator}/{base.numerator}", f"START={first}"]
        first += frames
        lines += [f"END={first}", f"title={chapter.title.translate(_ESCAPED)}"]
    return "\n".join([*lines, ""])


def _lengths(task: FinishedFilmTask, inputs: Mapping[str, str]) -> list[int]:
    """How many film frames each chapter has."""
    if not task.timed:
        return [chapter.frames for chapter in task.chapters]
    clips = iter(times_in(inputs["timing"]).clips)
    return [sum(next(clips) for _ in range(chapter.clips)) for chapter in task.chapters]


def _running(command: list[str]) -> Iterator[None]:
    """Run ffmpeg, yielding ten times a second; closing the generator ends it. Raises FilmError."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env=children.environment(),
            start_new_session=True,  # a Ctrl-C in the terminal is ours to answer
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=0.1)
                    break
                except subprocess.TimeoutExpired:
                    yield
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        if not code:
            return
        log.seek(0)
        said = log.read().decode("utf-8", errors="replace").strip()
    if code < 0:
        raise FilmInterrupted(
            f"ffmpeg was ended by signal {-code} while finishing the film\n  {said}"
        )
    raise FilmError(f"ffmpeg failed (exit code {code}) while finishing the film:\n  {said}")


def _check(target: Path, film: Path, sound: str | None, part: tuple[int, int] | None) -> None:
    before, after = _told(film), _told(target)
    # its length is no measure of its pictures: that of the sound is part of it
    before["frames"], after["frames"] = _pictures(film), _pictures(target)
    for name in ("video_size", "video_fps", "frames"):
        if before.get(name) != after.get(name):
            said = f"{after.get(name)} instead of {before.get(name)}"
            raise FilmError(f"the finished film has another {name}: {said}")
    if sound is None:
        return
    wanted = part[1] - part[0] if part else samples(Path(sound))
    heard = samples(target)
    if abs(wanted - heard) > _FRAME:
        lasts = f"{heard / RATE:.3f} s instead of {wanted / RATE:.3f} s"
        raise FilmError(f"the film's sound lasts {lasts}")


def _pictures(film: Path) -> int:
    """How many pictures a film has, none of which is decoded. Raises FilmError."""
    copied = ["-map", "0:v:0", "-c", "copy", "-f", "null", "-progress", "pipe:1", "-"]
    try:
        told = run([*quiet(), "-i", f"file:{film.absolute()}", *copied])
    except SoundError as error:
        raise FilmError(f"{film.name} cannot be read: {error}") from error
    counts = [line.partition("=")[2] for line in told.splitlines() if line.startswith("frame=")]
    return int(counts[-1]) if counts else 0


def _told(film: Path) -> dict[str, object]:
    try:
        infos: dict[str, object] = reader().ffmpeg_parse_infos(str(film))
    except (OSError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise FilmError(f"{film.name} cannot be read: {error}") from error
    return infos
