r"""Regular expressions: those of others, matched in bounded time, and those of ours, compiled when needed.

Python's own engine tries: `(.*)*x` takes longer than the sun will shine. Rust's, which jsonschema-rs brings,
never does but for look-around and back references, and those give up after a number of attempts.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import cache
from typing import Any, cast

_LONGEST = 1000  # characters
_SIZE = 1_000_000  # bytes of a compiled expression, which what repeats repetitions would multiply
_ATTEMPTS = 100_000


class BadPattern(ValueError):
    """A text is no regular expression, or none that is matched here; `at` is where, if that is known."""

    def __init__(self, message: str, at: int | None = None) -> None:
        super().__init__(message)
        self.at = at


class Pattern:
    """A regular expression over whole names."""

    def __init__(self, expression: str) -> None:
        """Raises BadPattern."""
        if len(expression) > _LONGEST:
            raise BadPattern(f"it has {len(expression):,} characters, more than {_LONGEST:,}")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of sets within sets
                re.compile(expression)
        except re.error as error:
            raise BadPattern(error.msg, error.pos) from error
        except (RecursionError, OverflowError) as error:
            raise BadPattern("it is too large") from error
        import jsonschema_rs

        # the end of the text, which is the end of our names
        whole = re.sub(r"(?<!\\)\\Z$", "", expression)
        options = jsonschema_rs.FancyRegexOptions(
            backtrack_limit=_ATTEMPTS, size_limit=_SIZE, dfa_size_limit=_SIZE
        )
        schema = {"type": "string", "pattern": f"^(?:{whole})$"}
        try:
            self._validator = jsonschema_rs.validator_for(schema, pattern_options=options)
        except jsonschema_rs.ValidationError as error:
            raise BadPattern("it is too large, or uses what only Python knows") from error

    def matches(self, name: str) -> bool:
        """Whether it is the whole name that is meant."""
        return self._validator.is_valid(name)


@cache
def pattern(expression: str) -> Pattern:
    """An expression, made ready once. Raises BadPattern."""
    return Pattern(expression)


def any_of(names: Iterable[str]) -> str:
    """An expression that means these names and nothing else, which every engine matches at once."""
    return "|".join(map(re.escape, names)) or r"(?!)"


class _Later:
    """Stands for a compiled expression, and becomes one method of it after the other."""

    def __init__(self, expression: str, flags: int) -> None:
        self._given = expression, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(
            re.compile(*self._given), name
        )  # compiled once: re keeps the last few hundred
        setattr(self, name, found)
        return found


def later(expression: str, flags: int = 0) -> re.Pattern[str]:
    """What `re.compile` gives, compiled at its first use: a board needs few of all that stories may."""
    return cast("re.Pattern[str]", _Later(expression, flags))
