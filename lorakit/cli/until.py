"""`--until`: a time at which a run stops as after a Ctrl-C, with everything made so far kept."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import click

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)\Z")
_LENGTH = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?\Z")


def moment(text: str, now: datetime) -> datetime:
    """When `07:00` comes next, or `90m`, `8h`, `1h30m`, `45s` from now. Raises ValueError."""
    plain = text.strip().lower()
    clock = _CLOCK.match(plain)
    if clock:
        at = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
        return at if at > now else at + timedelta(days=1)
    length = _LENGTH.match(plain)
    if length and plain:
        hours, minutes, seconds = (int(part or 0) for part in length.groups())
        return now + timedelta(hours=hours, minutes=minutes, seconds=seconds)
    raise ValueError(text)


class Until(click.ParamType[datetime]):
    """A moment, from the words of a command line."""

    name = "time"

    def convert(
        self, value: str | datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it. Raises click.BadParameter."""
        if isinstance(value, datetime):
            return value
        try:
            return moment(value, datetime.now().astimezone())
        except (ValueError, OverflowError):
            self.fail(f"{value} is no time: write 07:00, 90m or 8h", param, ctx)
