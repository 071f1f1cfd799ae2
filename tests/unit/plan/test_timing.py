"""When pictures stand: words that take their time, pins, lengths and beats."""

from __future__ import annotations

from fractions import Fraction

import pytest

from lorakit.plan.film_times import FilmTimes, read_times, shared
from lorakit.plan.timing import Mismatch, Stay, in_words, timed, words_in_frames


def spoken(words: int, pause: int = 10, **more: int | None) -> Stay:
    return Stay(36, words, by_words=True, pause=pause, **more)


def test_a_picture_stays_as_long_as_its_words_and_a_pause() -> None:
    lengths, wrong = timed([spoken(50), Stay(36), Stay(36, by_words=True), spoken(7)])
    assert (lengths, wrong) == ([60, 36, 36, 17], [])


def test_words_longer_than_a_hold_are_told_with_both_lengths() -> None:
    lengths, wrong = timed([Stay(36, 30), Stay(36, 77)])
    assert lengths == [36, 36]
    assert wrong == [Mismatch("words", 1, 77, 36)]
    message, way = in_words(wrong[0], Fraction(24))
    assert message == "what is said here lasts 3.21 s, and its picture 1.50 s"
    assert way == "write hold: audio, or hold: 3.3 or more"


def test_the_picture_before_a_pin_stays_until_it() -> None:
    slots = [Stay(36), spoken(20), Stay(36, at=120), Stay(36), Stay(36, at=240), Stay(10)]
    assert timed(slots) == ([36, 84, 36, 84, 36, 10], [])


def test_what_lasts_beyond_a_pin_is_told() -> None:
    _, wrong = timed([spoken(100), Stay(36, at=60), Stay(36, at=90)])
    assert wrong == [Mismatch("pin", 1, 110, 60), Mismatch("pin", 2, 36, 30)]


@pytest.mark.parametrize("total", [90, 91, 100, 333, 1000])
def test_a_film_that_fits_has_the_length_of_its_music(total: int) -> None:
    slots = [Stay(36), Stay(36), Stay(72), spoken(20)]
    lengths, wrong = timed(slots, total=total)
    assert not wrong
    assert sum(lengths) == total
    assert lengths[3] >= 20
    assert abs(lengths[0] - lengths[1]) <= 1
    assert abs(lengths[2] - 2 * lengths[0]) <= 2


def test_pins_stay_where_the_rest_is_stretched() -> None:
    slots = [Stay(36), Stay(36), Stay(36, at=100), Stay(36)]
    lengths, wrong = timed(slots, total=400)
    assert not wrong
    assert lengths == [50, 50, 150, 150]


def test_words_keep_their_time_where_pictures_are_shortened() -> None:
    lengths, wrong = timed([spoken(80), Stay(100), Stay(100)], total=100)
    assert (lengths, wrong) == ([80, 10, 10], [])
    assert timed([spoken(80), spoken(40)], total=100)[1] == [Mismatch("end", 1, 120, 100)]


def test_cuts_move_to_the_nearest_beat_that_leaves_words_their_time() -> None:
    beats = [12 * n for n in range(1, 40)]
    lengths, wrong = timed([Stay(35), spoken(40), Stay(31), Stay(50)], beats=beats)
    assert not wrong
    cuts = [sum(lengths[:n]) for n in range(1, 4)]
    assert cuts == [36, 84, 120]
    assert sum(lengths) == 35 + 50 + 31 + 50


def test_a_pinned_cut_moves_to_no_beat() -> None:
    lengths, _ = timed([Stay(35), Stay(36, at=50), Stay(36)], beats=[12, 36, 48, 84])
    assert lengths == [50, 34, 38]


def test_a_film_longer_than_a_song_that_begins_only_once_is_told() -> None:
    assert timed([Stay(36), Stay(36)], song=72)[1] == []
    wrong = timed([Stay(36), Stay(36, at=50)], song=72)[1]
    assert wrong == [Mismatch("song", 1, 86, 72)]
    message, _ = in_words(wrong[0], Fraction(24))
    assert message == "the music lasts 3.00 s, and the film 3.58 s"
    assert "at least 3.58 s" in in_words(wrong[0], Fraction(24), foreseen=True)[0]


def test_frames_of_words_end_with_the_one_they_have_begun() -> None:
    assert words_in_frames(48_000, 48_000, Fraction(24)) == 24
    assert words_in_frames(48_001, 48_000, Fraction(24)) == 25
    assert words_in_frames(48_000, 48_000, Fraction(30_000, 1001)) == 30


def test_times_are_read_as_they_were_written_and_exact_over_ten_minutes() -> None:
    times = FilmTimes(Fraction(30_000, 1001), (9000, 8982), (4500, 4500, 8982), (0, 9000))
    assert read_times(times.to_json()) == times
    assert times.samples(9000, 48_000) == 300 * 48_048
    assert shared(10, 3) == [3, 3, 4]
    with pytest.raises(ValueError, match="no times"):
        read_times("{}")


def test_a_beat_that_comes_too_late_is_told_with_both_lengths() -> None:
    wrong = timed([Stay(20), Stay(20), Stay(20, at=40)], beats=[55, 70])[1]
    assert wrong == [Mismatch("beat", 1, 55, 39)]
    message, way = in_words(wrong[0], Fraction(10))
    assert message == "the next beat to cut on is 5.50 s away, and what follows leaves 3.90 s"
    assert "beats: true" in way
    # a song is over before the film is: cuts behind its last beat stay
    assert timed([Stay(20), Stay(20), Stay(20)], beats=[21]) == ([21, 19, 20], [])
