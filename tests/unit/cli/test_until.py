"""The moment at which a run is to stop."""

from __future__ import annotations

from datetime import datetime

import pytest
from click.testing import CliRunner

from lorakit.cli.run import command
from lorakit.cli.until import moment

NOW = datetime(2024, 2, 28, 22, 30)  # noqa: DTZ001 - any zone will do


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("23:15", datetime(2024, 2, 28, 23, 15)),  # noqa: DTZ001
        ("07:00", datetime(2024, 2, 29, 7, 0)),  # noqa: DTZ001
        ("7:00", datetime(2024, 2, 29, 7, 0)),  # noqa: DTZ001
        ("22:30", datetime(2024, 2, 29, 22, 30)),  # noqa: DTZ001
        ("90m", datetime(2024, 2, 29, 0, 0)),  # noqa: DTZ001
        (" 1H30m ", datetime(2024, 2, 29, 0, 0)),  # noqa: DTZ001
        ("90s", datetime(2024, 2, 28, 22, 31, 30)),  # noqa: DTZ001
        ("8h", datetime(2024, 2, 29, 6, 30)),  # noqa: DTZ001
    ],
)
def test_a_time_of_day_comes_next_and_a_length_counts_from_now(
    text: str, expected: datetime
) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "24:00", "7", "soon", "7:5", "-1h", "1.5h", "1s2m"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=text.replace(".", r"\.") or "^$"):
        moment(text, NOW)


def test_the_command_line_says_what_a_time_is() -> None:
    done = CliRunner().invoke(command, ["--until", "soon"])
    assert done.exit_code == 2
    assert "soon is no time: write 07:00, 90m or 8h" in done.output
