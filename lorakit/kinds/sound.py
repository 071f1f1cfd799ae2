"""What a film sounds like: its sound beside its pictures, which know nothing of it.

Where what is said decides how long pictures stand, that is known in the run alone: an action settles the
film's times (`TimingTask`), and pictures, sound and captions take them from it.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.spoken import FilmWords
from lorakit.language.story.sound import WITH_SOUND
from lorakit.plan.actions import Action
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.film import FilmTask
from lorakit.records import record


def check_beats(words: FilmWords) -> Iterator[Diagnostic]:
    """Whether what finds beats is here."""
    if words.on_beats and importlib.util.find_spec("librosa") is None:
        place = words.video.where("beats")
        assert place is not None
        message = "to cut on beats needs librosa, which finds them"
        yield words.context.finding("beats", message, place, 'pip install "lorakit[beats]"')


@record
class FilmSound:
    """What is heard in films of one length: the `actions` that make it, and the films, by its times.

    `timing` settles these where something does; `mix` is all that is heard, in the films whose ids are
    `audible`.
    """

    actions: tuple[Action, ...]
    films: tuple[Action, ...]
    timing: Action | None = None
    mix: Action | None = None
    audible: frozenset[str] = frozenset()

    def heard_in(self, film: Action) -> Action | None:
        """What is heard in one of the films, if anything is."""
        return self.mix if film.id in self.audible else None


def sound_of(films: Sequence[Action], clips: Sequence[Clip], words: FilmWords) -> FilmSound:
    """What is heard in films of one length, and how long their pictures stand by it."""
    settled = words.settled_in_the_run(clip.said for clip in clips)
    audio = words.video.audio
    if not settled and (audio is None or audio.music is None):
        return FilmSound((), tuple(films))
    from lorakit.kinds import sound_actions

    first, before = films[0], []
    timing: Action | None = None
    speech: dict[int, Action] = {}
    if settled:
        said = enumerate(sound_actions.speech_actions(first, clips, words))
        speech = {number: one for number, one in said if one is not None}
        beats = [sound_actions.beats_action(first, words)] if words.on_beats else []
        timing = sound_actions.timing_action(first, clips, words, speech, *beats)
        before = [*speech.values(), *beats, timing]
        films = [sound_actions.timed_film(film, timing) for film in films]
    music = sound_actions.music_of(words)
    audible = frozenset(film.id for film in films if _can_be_heard(film))
    if not audible or (music is None and not speech):
        return FilmSound(tuple(before), tuple(films), timing)
    mix = sound_actions.mix_action(first, words, music, speech, timing)
    return FilmSound((*before, mix), tuple(films), timing, mix, audible)


def _can_be_heard(film: Action) -> bool:
    return isinstance(film.task, FilmTask) and film.task.format in WITH_SOUND
