from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lorakit.language.yaml.scalars import NotFinite, resolve


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True), ("false", False), ("null", None), ("", None),
        ("0", 0), ("7", 7), ("-3", -3), ("+4", 4), ("18446744073709551615", 2**64 - 1),
        ("1.5", 1.5), (".5", 0.5), ("5.", 5.0), ("1e-4", 1e-4), ("1E3", 1000.0), ("-2.5e+2", -250.0),
    ],
)  # fmt: skip
def test_what_looks_like_a_json_value_is_one(text: str, value: object) -> None:
    found = resolve(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text",
    ["no", "yes", "on", "off", "True", "NULL", "~", "012", "12:30", "0x10", "0o7", "1_000", "2024-01-01",
     "1.2.3", "--1", "1e", ".", "-", "+", "36f", "16:9", "y", "n", "nan", "inf", "e5"],
)  # fmt: skip
def test_everything_else_is_text(text: str) -> None:
    assert resolve(text) == text


@pytest.mark.parametrize(
    "text", [".nan", ".NaN", ".inf", "-.inf", "+.INF", "1e400", "-1e999", "9" * 60]
)
def test_numbers_that_no_computation_should_meet_are_refused(text: str) -> None:
    with pytest.raises(NotFinite):
        resolve(text)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_survives_being_written(number: float) -> None:
    found = resolve(repr(number))
    assert found == number
    assert math.copysign(1, number) == math.copysign(1, found)


@given(st.integers(min_value=-(10**30), max_value=10**30))
def test_an_integer_survives_being_written(number: int) -> None:
    assert resolve(str(number)) == number
