"""Where a text may mean somebody: names, pronouns, and braces with what stands in them."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from lorakit.language.story.name_pattern import name_pattern
from lorakit.language.story.pronouns import PRONOUNS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class MentionPattern:
    """Finds some names, in texts of ASCII and in others; compiled once for all texts of a kind."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All that may be a mention, or a brace.

        Its groups: `name`, `possessive`; `pronoun`, `short`; `brace`, `braced`; `double`, `stray`.
        """
        return (self._of_ascii if text.isascii() else self._of_any).finditer(text)

    @cached_property
    def _of_any(self) -> re.Pattern[str]:
        return _compiled(name_pattern(self._names))

    @cached_property
    def _of_ascii(self) -> re.Pattern[str]:
        # most places are passed over by their letter alone
        letters = "".join(sorted({re.escape(name[0]) for name in (*self._names, *PRONOUNS)}))
        return _compiled(name_pattern(self._names, for_ascii=True), rf"(?=[{{}}{letters}])")


def _compiled(names: str, begins: str = "") -> re.Pattern[str]:
    return re.compile(
        rf"{begins}(?:"
        r"(?P<double>\{\{|\}\})|\{(?P<brace>[^{}]*)\}(?P<braced>['\u2019]s)?|(?P<stray>[{}])"
        rf"|(?P<name>{names})(?P<possessive>['\u2019]s(?![\w-]))?"
        rf"|(?<![\w-])(?P<pronoun>{'|'.join(PRONOUNS)})(?P<short>['\u2019](?:s|ll|re|ve|d))?(?![\w-]))",
        re.IGNORECASE,
    )
