"""What is said in a film: whose words, and how long its pictures stand by them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction

from lorakit.diagnostics import Diagnostic
from lorakit.facts.sounds.decoding import RATE
from lorakit.language.story.documents import Sentence, Storyboard, Video
from lorakit.language.story.durations import Duration
from lorakit.language.story.sound import SoundFile
from lorakit.language.story.spoken_words import lasts_by_words, narrated, words_of
from lorakit.plan.kind import Clip, Context, Said
from lorakit.plan.timing import Stay, in_words, timed, words_in_frames
from lorakit.records import record

_LETTERS = 14  # that are read aloud in a second, about


TimedWords = tuple[Duration | None, Said | None]  # a clip's hold, and what is said in it


def said(sentence: Sentence, voices: Mapping[str, str]) -> Said:
    """What is said of a sentence; `voices` are those of the board's characters."""
    own = (voices[who] for who in sentence.characters if who in voices)
    return Said(
        words_of(sentence),
        sentence.voice or next(own, None),
        sentence.audio,
        sentence.by_words,
        sentence.at,
        sentence.at_place or sentence.place,
    )


def voices_of(board: Storyboard) -> dict[str, str]:
    """The voices of a board's characters."""
    return {who.id: who.voice for who in board.characters if who.voice is not None}


@record
class FilmWords:
    """The words of a film, clip by clip: what each says here, and how long it stands by that."""

    video: Video
    context: Context

    def by_words(self, one: Said | None) -> bool:
        """Whether a picture lasts as long as its words."""
        return lasts_by_words(one.by_words if one is not None else None, self.video)

    def heard(self, one: Said | None) -> bool:
        """Whether something is said that can be."""
        if one is None:
            return False
        if one.audio is not None:
            return True
        return self.would_be_said(one) and self.voice(one) in self.context.facts.voices

    def would_be_said(self, one: Said) -> bool:
        """Whether there is something for the narration to say."""
        return narrated(one.text, self.video)

    def voice(self, one: Said) -> str:
        """Who says it."""
        narration = self.video.narration
        return one.voice or (narration.voice if narration is not None else "")

    def frames(self, hold: Duration | None, one: Said | None) -> int:
        """How many film frames a clip takes, about where that depends on speech that has yet to be made."""
        fps = Fraction(self.video.fps)
        usual = max(1, (hold or self.video.hold).in_frames(self.video.fps))
        if one is None or not self.by_words(one):
            return usual
        pause = self.pause
        if one.audio is not None:
            own = self.context.facts.own_sounds[one.audio.path]
            return words_in_frames(own.samples, RATE, fps) + pause
        if not self.would_be_said(one):
            return usual
        return max(1, round(len(one.text) / _LETTERS * fps)) + pause

    @property
    def pause(self) -> int:
        """How many film frames a picture stays behind its words."""
        narration = self.video.narration
        return round(Fraction(narration.pause if narration else 0) * Fraction(self.video.fps))

    @property
    def total(self) -> int | None:
        """How many film frames the film has, where its music says so."""
        audio = self.video.audio
        if self.video.fit is None or audio is None or audio.music is None:
            return None
        return max(1, self._frames_of(audio.music))

    @property
    def song(self) -> int | None:
        """How many film frames its music lasts, where the film may be longer and the music may not loop."""
        audio = self.video.audio
        if audio is None or audio.music is None or audio.loop or self.video.fit is not None:
            return None
        return self._frames_of(audio.music)

    def _frames_of(self, music: SoundFile) -> int:
        """How many whole film frames a song lasts."""
        samples = self.context.facts.own_sounds[music.path].samples
        return int(Fraction(samples, RATE) * Fraction(self.video.fps))

    def settled_in_the_run(self, said_of: Iterable[Said | None]) -> bool:
        """Whether the film's times are more than its holds, by what is said of each clip."""
        known = list(said_of)
        pinned = any(one is not None and one.at is not None for one in known)
        by_music = self.total is not None or self.on_beats
        return pinned or by_music or any(map(self.heard, known))

    @property
    def on_beats(self) -> bool:
        """Whether its cuts are moved to the beats of its music."""
        audio = self.video.audio
        return self.video.beats and audio is not None and audio.music is not None

    def estimated(self, clips: Sequence[Clip]) -> list[Clip]:
        """The clips with holds that are film frames, as near as can be foreseen."""
        return [
            clip._replace(hold=Duration(frames=self.frames(clip.hold, clip.said))) for clip in clips
        ]


def check_words(clips: Sequence[TimedWords], words: FilmWords) -> Iterator[Diagnostic]:
    """What does not go together already by what is known: recordings, pins, holds and music.

    What has yet to be spoken lasts a film frame at the least.
    """
    context, video = words.context, words.video
    rate = Fraction(video.fps)
    slots, places, foreseen = [], [], False
    for hold, one in clips:
        recording = one.audio if one is not None else None
        unknown = recording is None and words.heard(one) and words.by_words(one)
        foreseen = foreseen or unknown
        frames = 1 if unknown else words.frames(hold, one)
        spoken = 0
        if recording is not None:
            own = context.facts.own_sounds[recording.path]
            spoken = words_in_frames(own.samples, RATE, rate)
        by_words = recording is not None and words.by_words(one)
        at = one.at.in_frames(video.fps) if one is not None and one.at is not None else None
        slots.append(Stay(frames, spoken, by_words, words.pause, at))
        places.append(one.place if one is not None else video.place)
    _, wrong = timed(slots, total=words.total, song=words.song)
    for each in wrong:
        message, way = in_words(each, rate, foreseen=foreseen)
        place = places[each.slot] or video.place
        if each.kind == "song" and video.audio is not None:
            place = video.audio.where("loop") or place
        if place is not None:
            yield context.finding("timing", message, place, way)
    yield from _no_voice(clips, words)
    yield from _no_sequence(clips, words)


def _no_sequence(clips: Sequence[TimedWords], words: FilmWords) -> Iterator[Diagnostic]:
    """A sequence of pictures whose number the plan would have to know."""
    video = words.video
    if "png" not in video.format or not words.settled_in_the_run(one for _, one in clips):
        return
    place = video.where("format")
    if place is None or words.context.preview:
        return
    yield words.context.finding(
        "format",
        "format: png has a file for each film frame, and when pictures stand here is settled in the run, by "
        "what is said, pins or music",
        place,
        "write format: mp4, from which ffmpeg -i film.mp4 %06d.png makes pictures",
        "or remove what settles it: narration:, audio: and at: of sentences, fit:, beats:",
    )


def _no_voice(clips: Sequence[TimedWords], words: FilmWords) -> Iterator[Diagnostic]:
    """Say that nobody can speak here."""
    narration = words.video.narration
    silent = [
        one
        for _, one in clips
        if one is not None and words.would_be_said(one) and not words.heard(one)
    ]
    if narration is None or narration.place is None or not silent:
        return
    yield words.context.finding(
        "no-voice",
        "espeak-ng is not here, which speaks: the film is made without narration, "
        "and pictures stay as long as their words would take",
        narration.place,
        "install it: on Debian and Ubuntu sudo apt install espeak-ng; on macOS brew install espeak-ng",
        "or name a program that speaks in your user config, under voices",
        warning=True,
    )
