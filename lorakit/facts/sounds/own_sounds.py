"""Sounds of the user's own that films name: what each is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lorakit.facts.files.digests import Digests
from lorakit.facts.sounds.decoding import RATE, SoundError, samples
from lorakit.language.recipe.documents import StoryboardStep, film_of, with_members
from lorakit.language.recipe.project import Project
from lorakit.language.story.documents import Video
from lorakit.language.story.sound import SoundFile
from lorakit.store.seen import Identity, identity

_SHORTEST = RATE // 10


class OwnSound(NamedTuple):
    """A sound: the digest of its file, and its length in samples, `RATE` a second."""

    digest: str
    samples: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.samples / RATE


def videos(project: Project) -> Iterator[Video]:
    """What is said of each film of a project."""
    for step in with_members(project.recipe.steps.values()):
        video = film_of(step)
        if video is not None:
            yield video


def sounds_named(project: Project) -> Iterator[SoundFile]:
    """The sounds that films name, each as often as they do."""
    for video in videos(project):
        if video.audio is not None and video.audio.music is not None:
            yield video.audio.music
    for step in with_members(project.recipe.steps.values()):
        if isinstance(step, StoryboardStep):
            for scene in step.board.scenes:
                yield from (one.audio for one in scene.sentences if one.audio is not None)


def own_sounds(
    project: Project, digests: Digests, problem: Callable[..., None]
) -> dict[Path, OwnSound]:
    """Decode every sound that a film names; what cannot be read is told to `problem`."""
    found: dict[Path, OwnSound] = {}
    for sound in sounds_named(project):
        if sound.path in found:
            continue
        try:
            digest = digests.file(sound.path)
            length = _samples(sound.path, identity(sound.path.stat()))
        except SoundError as error:
            problem(
                "sound",
                f"{sound.path.name} cannot be read as a sound: {error}",
                sound.place,
                "wav, flac, ogg, opus, mp3 and m4a are read; ffmpeg makes them of others",
            )
        except OSError as error:
            problem("sound", f"{sound.path} cannot be read: {error.strerror}", sound.place)
        else:
            if length < _SHORTEST:
                lasts = f"{sound.path.name} lasts {length / RATE:.3f} s, which nobody can hear"
                problem("sound", lasts, sound.place, "name a sound of a tenth of a second or more")
            found[sound.path] = OwnSound(digest, length)
    return found


@lru_cache(maxsize=256)
def _samples(path: Path, _: Identity) -> int:
    return samples(path)
