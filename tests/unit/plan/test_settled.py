"""What contradicts a film's times is told by the plan once the store has what was spoken and heard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lorakit.diagnostics import InvalidDocument, Place, render_text
from lorakit.plan.keys import action_key
from lorakit.plan.selection import Selection
from lorakit.plan.settled import settled
from lorakit.plan.states import State
from lorakit.plan.tasks.speech import SpeechTask, TimedClip, TimingTask
from lorakit.store.store import Manifest, Output
from tests.support.planning import Memory, plan_of

BOARD = """storyboard: 1
scenes:
  - sentences:
      - a fox
      - an owl
      - {text: a bear, at: 4}
video: {fps: 10, hold: 2, VIDEO}
"""
SECOND = 96_000  # bytes of a speech
HEADER = 44


def written(folder: Path, video: str, board: str = BOARD) -> Path:
    (folder / "song.wav").write_bytes(b"a song of ten seconds")
    path = folder / "board.yaml"
    path.write_text(board.replace("VIDEO", video))
    return path


def known(path: Path, outputs: dict[str, Output]) -> Memory:
    """A store in which what is spoken and heard was made, as it is by the ends of addresses."""
    memory = Memory()
    for one in plan_of(path).actions:
        for end, output in outputs.items():
            if one.action.id.endswith(end):
                key, task = action_key(one.action, {}), one.action.task
                name = end.lstrip("_").partition("/")[0]
                memory.manifests[key] = Manifest(
                    key, one.action.kind, task.key(), {}, {name: output}, 1.0, {}
                )
    return memory


def told(path: Path, memory: Memory, selection: Selection | None = None) -> str:
    with pytest.raises(InvalidDocument) as caught:
        plan_of(path, memory=memory, selection=selection)
    return render_text(caught.value.diagnostics)


def test_a_beat_that_comes_too_late_is_in_the_plan_once_the_song_was_heard(tmp_path: Path) -> None:
    path = written(tmp_path, "audio: {music: song.wav}, beats: true")
    memory = known(path, {"_beats": Output("late", 1)})
    assert plan_of(path).to_make, "nobody has heard the song"
    memory.texts["late"] = json.dumps({"beats": [5.0, 6.0], "seconds": 10.0})
    text = told(path, memory)
    assert "board.yaml:5:9: error[timing]: the next beat to cut on is 5.00 s away, and what" in text
    assert "  5 |       - an owl" in text
    assert "what follows leaves 3.90 s" in text
    assert "remove beats: true" in text
    memory.texts["late"] = json.dumps({"beats": [1.9, 5.0, 6.0], "seconds": 10.0})
    (timing,) = (one for one in plan_of(path, memory=memory).actions if one.action.kind == "timing")
    assert timing.state is State.NEW
    # frames by themselves are drawn all the same
    memory.texts["late"] = json.dumps({"beats": [5.0, 6.0], "seconds": 10.0})
    frames = Selection(only=("film/scene_1/1",))
    assert plan_of(path, memory=memory, selection=frames).to_make


def test_a_song_shorter_than_a_film_on_its_beats_is_said_to_be_looped(tmp_path: Path) -> None:
    for hold, pin, said in ((2, "", False), (6, "", True), (6, ", at: 30", False)):
        board = BOARD.replace(", at: 4", pin).replace("hold: 2", f"hold: {hold}")
        plan = plan_of(written(tmp_path, "audio: {music: song.wav}, beats: true", board))
        notes = [note for one in plan.actions for note in one.action.notes]
        assert any("the music lasts 10 s, the film 18 s: it is looped" in n for n in notes) == said


@pytest.mark.parametrize("beats", ["", "[]", "{}", '{"beats": 3, "seconds": 1}', "words", "1e999"])
def test_a_file_that_says_nothing_of_beats_says_nothing_of_the_film(
    tmp_path: Path, beats: str
) -> None:
    path = written(tmp_path, "audio: {music: song.wav}, beats: true")
    memory = known(path, {"_beats": Output("odd", 1)})
    memory.texts["odd"] = beats
    assert plan_of(path, memory=memory).to_make


def test_words_longer_than_their_picture_are_in_the_plan_once_they_were_spoken(
    tmp_path: Path,
) -> None:
    path = written(tmp_path, "narration: true")
    said = {
        "_speech/1": Output("1", HEADER + SECOND),
        "_speech/2": Output("2", HEADER + 3 * SECOND),
    }
    assert plan_of(path, memory=known(path, said)).to_make, "the third has yet to be spoken"
    text = told(path, known(path, said | {"_speech/3": Output("3", HEADER + SECOND)}))
    assert (
        "board.yaml:5:9: error[timing]: what is said here lasts 3.00 s, and its picture 2.00 s"
        in text
    )
    assert "write hold: audio, or hold: 3 or more" in text


def test_music_that_may_not_loop_is_held_against_pins_too(tmp_path: Path) -> None:
    board = BOARD.replace("at: 4", "at: 60")
    path = written(tmp_path, "audio: {music: song.wav, loop: false}", board)
    text = told(path, Memory())
    assert "board.yaml:7:58: error[timing]: the music lasts 10.00 s, and the film 62.00 s" in text
    assert "remove loop: false" in text
    plan_of(written(tmp_path, "audio: {music: song.wav, loop: false}", board.replace("60", "8")))


def test_music_that_may_not_loop_is_held_against_words_that_have_yet_to_be_spoken(
    tmp_path: Path,
) -> None:
    board = BOARD.replace(", at: 4", "").replace("hold: 2, ", "hold: audio, ")
    path = written(tmp_path, "narration: true, audio: {music: song.wav, loop: false}", board)
    assert plan_of(path).to_make, "how long they are nobody knows"
    said = {f"_speech/{n}": Output(f"{n}", HEADER + 4 * SECOND) for n in (1, 2, 3)}
    assert "the music lasts 10.00 s, and the film 13.2" in told(path, known(path, said))
    # a hold that is known is too long already
    long = board.replace("- a fox", "- {text: a fox, hold: 12}")
    path = written(tmp_path, "narration: true, audio: {music: song.wav, loop: false}", long)
    assert "the music lasts 10.00 s, and the film at least 12." in told(path, Memory())


def test_a_film_that_needs_no_song_to_itself_has_the_timing_that_it_had() -> None:
    task = TimingTask((24, 1), 0, None, (TimedClip(36),), song_place="board.yaml:1:2")
    assert "song" not in json.dumps(task.key())
    assert settled(task, {}) == ([36], [])
    short = TimingTask((24, 1), 0, None, (TimedClip(36),), 24, "a: b.yaml:1:2")
    ((_, _, place),) = settled(short, {})[1]
    assert Place.of(place) == Place("a: b.yaml", 1, 2)


def test_the_samples_of_a_speech_are_told_by_its_size() -> None:
    assert SpeechTask.samples(HEADER + SECOND) == 48_000
    assert SpeechTask.samples(HEADER) == SpeechTask.samples(7) == 0
