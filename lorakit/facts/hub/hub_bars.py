"""How far a download is: huggingface_hub's bars, drawn past what escapes all that is printed."""

from __future__ import annotations

from typing import Any

from huggingface_hub.utils.tqdm import tqdm

from lorakit import terminal


class Bar(tqdm):
    """A bar on a terminal, nothing elsewhere; names of files are escaped."""

    def __init__(self, *given: Any, **named: Any) -> None:
        stream = terminal.errors_as_they_are()
        named |= {"file": stream, "leave": False}
        named["desc"] = terminal.line(str(named.get("desc") or ""))
        if not stream.isatty():
            named["disable"] = True
        super().__init__(*given, **named)  # type: ignore[no-untyped-call]

    def set_description(self, desc: str | None = None, refresh: bool | None = True) -> None:
        """Name what is fetched."""
        super().set_description(terminal.line(desc or ""), refresh=refresh)


def close_bars() -> None:
    """Take away the bars that huggingface_hub leaves open when a download is over."""
    for bar in list(getattr(Bar, "_instances", ())):
        if isinstance(bar, Bar):
            bar.close()
