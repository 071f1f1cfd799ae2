"""The actions of a film's sound: what is spoken, when pictures stand by it, and all of it mixed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction

from lorakit.facts.sounds.decoding import RATE
from lorakit.kinds.sheet import ASSEMBLY
from lorakit.kinds.spoken import FilmWords
from lorakit.plan import numbers
from lorakit.plan.actions import Action, Input
from lorakit.plan.cost import Cost
from lorakit.plan.kind import Clip
from lorakit.plan.tasks.beats import BeatsTask
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.sound import Music, SoundMixTask
from lorakit.plan.tasks.speech import SpeechTask, TimedClip, TimingTask

TIMING = "film_timing.json"
_MIXED = Cost(SoundMixTask.kind, seconds=0.01)
_SPOKEN = Cost(SpeechTask.kind, seconds=0.3, disk=300_000)
_BEATS = Cost(BeatsTask.kind, seconds=5.0, disk=10_000)
_TIMED = Cost(TimingTask.kind, seconds=0.01, disk=1000)


def samples_of(frames: int, fps: int | Fraction) -> int:
    """How many samples last as long as so many film frames."""
    return round(Fraction(frames) / Fraction(fps) * RATE)


def timed_film(film: Action, timing: Action) -> Action:
    """A film whose pictures stand as long as an action settles."""
    task = film.task
    assert isinstance(task, FilmTask)
    shots = tuple(replace(shot, frames=0) for shot in task.shots)
    inputs = (*film.inputs, Input("timing", timing.id, "timing"))
    return replace(film, task=replace(task, shots=shots, timed=True), inputs=inputs)


def speech_actions(
    film: Action, clips: Sequence[Clip], words: FilmWords
) -> Iterator[Action | None]:
    """What speaks each clip; None for one in which nothing is said."""
    facts = words.context.facts
    for number, clip in enumerate(clips, 1):
        one = clip.said
        if one is None or not words.heard(one):
            yield None
            continue
        if one.audio is not None:
            own = facts.own_sounds[one.audio.path]
            task = SpeechTask(recording=own.digest, path=str(one.audio.path))
        else:
            voice = facts.voices[words.voice(one)]
            task = SpeechTask(one.text, words.voice(one), voice.engine, command=voice.command)
        yield Action(
            id=f"{film.id}_speech/{number}",
            step=film.step,
            group="speech",
            label=one.text or task.path,
            place=one.audio.place if one.audio is not None else one.place,
            engine=ASSEMBLY,
            task=task,
            cost=_SPOKEN,
        )


def beats_action(film: Action, words: FilmWords) -> Action:
    """What finds the beats of a film's music."""
    audio = words.video.audio
    assert audio is not None
    assert audio.music is not None
    song = words.context.facts.own_sounds[audio.music.path]
    place = words.video.where("beats") or audio.music.place
    return Action(
        id=f"{film.id}_beats",
        step=film.step,
        group="",
        label=BeatsTask.title,
        place=place,
        engine=ASSEMBLY,
        task=BeatsTask(song.digest, str(audio.music.path), str(place)),
        cost=_BEATS,
    )


def timing_action(
    film: Action,
    clips: Sequence[Clip],
    words: FilmWords,
    speech: dict[int, Action],
    beats: Action | None = None,
) -> Action:
    """What settles when a film's pictures stand, by its `speech` (by the clip's number) and `beats`."""
    video = words.video
    rate = Fraction(video.fps)
    timed = tuple(
        TimedClip(
            (clip.hold or video.hold).in_frames(video.fps),
            len(clip.frames),
            words.by_words(clip.said),
            _role(number) if number in speech else "",
            clip.said.at.in_frames(video.fps) if clip.said and clip.said.at else None,
            str(clip.said.place if clip.said is not None else film.place or ""),
        )
        for number, clip in enumerate(clips)
    )
    note = (
        "how long pictures stand is settled once their words are spoken: frames are counted about"
    )
    return Action(
        id=f"{film.id}_timing",
        step=film.step,
        group="",
        label=TimingTask.title,
        place=film.place,
        engine=ASSEMBLY,
        task=TimingTask(
            (rate.numerator, rate.denominator),
            words.pause,
            words.total,
            timed,
            words.song,
            str(video.audio.where("loop") or "") if video.audio is not None else "",
        ),
        cost=_TIMED,
        inputs=(
            *(Input(_role(n), one.id, "speech") for n, one in speech.items()),
            *([Input("beats", beats.id, "beats")] if beats else []),
        ),
        files={"timing": (f"{film.step}/{TIMING}",)},
        notes=(note,) if any(words.by_words(clip.said) for clip in clips) and speech else (),
    )


def _role(number: int) -> str:
    return f"speech_{number + 1:05d}"


def music_of(words: FilmWords) -> Music | None:
    """The music of a film; None where it has none."""
    audio = words.video.audio
    if audio is None or audio.music is None:
        return None
    song = words.context.facts.own_sounds[audio.music.path]
    return Music(
        song.digest,
        float(audio.gain),
        float(audio.fade_in),
        float(audio.fade_out),
        float(audio.duck),
        str(audio.music.path),
    )


def mix_action(
    film: Action,
    words: FilmWords,
    music: Music | None,
    speech: dict[int, Action],
    timing: Action | None,
) -> Action:
    """All that is heard in a film, as one sound; by `timing` where that settles its times."""
    samples = samples_of(film.units, words.video.fps)
    seconds = max(1, samples // RATE)
    narration, audio = words.video.narration, words.video.audio
    task = SoundMixTask(0 if timing else samples, music, timed=timing is not None)
    inputs: tuple[Input, ...] = ()
    if speech:
        gain = float(narration.gain) if narration is not None else 0.0
        task = replace(task, speech=tuple(map(_role, speech)), speech_gain=gain)
        inputs = tuple(Input(_role(n), one.id, "speech") for n, one in speech.items())
    if timing is not None:
        inputs = (*inputs, Input("timing", timing.id, "timing"))
    notes: tuple[str, ...] = ()
    if audio is not None and audio.music is not None and _by_holds(timing):
        song = words.context.facts.own_sounds[audio.music.path]
        notes = tuple(_heard(song.seconds, samples / RATE))
    return Action(
        id=f"{film.id}_sound",
        step=film.step,
        group="",
        label=SoundMixTask.title,
        place=audio.music.place if audio is not None and audio.music is not None else film.place,
        engine=ASSEMBLY,
        task=task,
        cost=replace(_MIXED, disk=seconds * 60_000, passing_disk=seconds * RATE * 16),
        inputs=inputs,
        units=seconds,
        notes=notes,
    )


def _by_holds(timing: Action | None) -> bool:
    """Whether a film lasts as long as its pictures are held, wherever its cuts are."""
    task = timing.task if timing is not None else None
    if not isinstance(task, TimingTask):
        return True
    return task.total is None and not any(c.speech or c.at is not None for c in task.clips)


def _heard(song: float, film: float) -> Iterator[str]:
    if song < film:
        lasts = f"the music lasts {numbers.duration(song)}, the film {numbers.duration(film)}"
        yield f"{lasts}: it is looped"
