"""Sentences spoken by a program: text goes in on its standard input, a sound comes out."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import time
import wave
from pathlib import Path
from typing import TYPE_CHECKING

from lorakit import children
from lorakit.diagnostics import LorakitError
from lorakit.facts.sounds.decoding import RATE, SoundError, quiet, run, sound_input

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lorakit.plan.tasks.speech import SpeechTask

_PATIENCE = 300  # s for one sentence
_OUT = "{out}"
_TEXT = "{text}"


class SpeechError(LorakitError):
    """A sentence could not be spoken; says why."""


def write_speech(
    target: Path, task: SpeechTask, _inputs: Mapping[str, str]
) -> Iterator[tuple[int, int]]:
    """Write what is said as a wav, mono at 48,000 samples a second, yielding while it is spoken.

    The program is told the text on its standard input, or as `{text}` among its words, and writes a file
    where `{out}` says, or to its standard output. Raises SpeechError.
    """
    if task.path:
        spoken = Path(task.path)
    else:
        spoken = target.with_name("spoken")
        for _ in _spoken(task, spoken):
            yield 0, 1
    exact = ["-fflags", "+bitexact", "-flags:a", "+bitexact", "-map_metadata", "-1"]
    mono = ["-map", "0:a:0", "-vn", "-ac", "1", "-ar", str(RATE), "-c:a", "pcm_s16le"]
    try:
        run([*quiet(), *sound_input(spoken), *mono, *exact, f"file:{target.absolute()}"])
        if not length(target):
            raise SoundError("it has no sound in it")  # noqa: TRY301 - told as the others are
    except SoundError as error:
        raise SpeechError(f"what {_name(task)} made is no sound: {error}") from error
    yield 1, 1


def length(speech: Path) -> int:
    """How many samples a speech has that was written here."""
    with wave.open(str(speech), "rb") as file:
        return file.getnframes()


def _name(task: SpeechTask) -> str:
    return Path(task.command[0]).name if task.command else Path(task.path).name


def _spoken(task: SpeechTask, target: Path) -> Iterator[None]:
    words = [word.replace(_OUT, str(target)).replace(_TEXT, task.text) for word in task.command]
    by_words = any(_TEXT in word for word in task.command)
    into_file = any(_OUT in word for word in task.command)
    with (
        tempfile.TemporaryFile() as told,
        tempfile.TemporaryFile() as log,
        target.open("wb") as out,
    ):
        told.write(b"" if by_words else task.text.encode())
        told.seek(0)
        try:
            process = subprocess.Popen(
                words,
                stdin=told,
                stdout=subprocess.DEVNULL if into_file else out,
                stderr=log,
                env=children.environment(),
                cwd=target.parent,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to answer
            )
        except OSError as error:
            raise SpeechError(f"{words[0]} does not start: {error.strerror or error}") from error
        until = time.monotonic() + _PATIENCE
        try:
            while process.poll() is None:
                if time.monotonic() > until:
                    raise SpeechError(f"{_name(task)} did not end within {_PATIENCE} s")
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(timeout=0.05)
                    break
                yield
        finally:
            if process.poll() is None:
                _end(process)
        log.seek(0)
        said = log.read().decode("utf-8", errors="replace").strip().splitlines()
    if process.returncode:
        last = f": {said[-1]}" if said else ""
        raise SpeechError(f"{_name(task)} failed (exit code {process.returncode}){last}")
    if not target.is_file() or not target.stat().st_size:
        raise SpeechError(f"{_name(task)} wrote no sound")


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a program with all that it began."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()
