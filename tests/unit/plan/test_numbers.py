import pytest

from lorakit.plan import numbers


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0.0 s"),
        (0.44, "0.4 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (80, "1 min 20 s"),
        (3599.6, "1 h"),
        (7500, "2 h 5 min"),
        (400_000, "4.6 days"),
    ],
)
def test_durations(seconds, said):
    assert numbers.duration(seconds) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.2, "under a second"),
        (1.4, "about 1 s"),
        (7.9, "about 8 s"),
        (38.4, "about 40 s"),
        (119, "about 2 min"),
        (133, "about 2 min"),
        (1000, "about 17 min"),
        (7400, "about 2 h"),
    ],
)
def test_guesses_are_no_more_exact_than_they_are_known(seconds, said):
    assert numbers.about(seconds) == said


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (3_400_000, "3.4 MB"),
        (120_000_000, "120 MB"),
        (999_700_000, "1.0 GB"),
        (5e15, "5,000 TB"),
    ],
)
def test_sizes(amount, said):
    assert numbers.size(amount) == said


@pytest.mark.parametrize(
    ("speed", "said"), [(0, ""), (34.2, "34 steps/s"), (1.25, "1.2 steps/s"), (0.08, "12 s/step")]
)
def test_rates(speed, said):
    assert numbers.rate(speed, "step") == said


def test_counts():
    assert numbers.count(1, "frame") == "1 frame"
    assert numbers.count(12_000, "frame") == "12,000 frames"
    assert numbers.count(1, "film's pictures") == "1 film's pictures"
    assert numbers.count(2, "film's pictures") == "2 films' pictures"
    assert numbers.count(3, "subtitles") == "3 subtitles"


@pytest.mark.parametrize(
    ("figure", "said"), [(1.0, "1 epoch"), (1.004, "1 epoch"), (0.5, "0.5 epochs"), (3.096, "3.1 epochs")]
)  # fmt: skip
def test_amounts(figure, said):
    assert numbers.amount(figure, "epoch") == said
