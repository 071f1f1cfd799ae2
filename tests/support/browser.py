"""Debian's Chromium, driven by playwright, and axe-core: what a page is tested in, where they are there."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any

import pytest

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def chromium() -> str:
    """Where Chromium is; skips the test where it, playwright or axe is not."""
    pytest.importorskip("playwright", reason="needs pip install 'lorakit[browser]'")
    pytest.importorskip("axe_playwright_python", reason="needs pip install 'lorakit[browser]'")
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        pytest.skip("needs Chromium, as in apt-get install chromium")
    return path


@dataclass
class Seen:
    """A page as it was opened, and all that should not have happened meanwhile."""

    page: Any
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def axe(self) -> list[str]:
        """axe-core's findings: rule, and the elements it is about."""
        source = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
        # the page's own policy lets no other script in; the debugger may
        found = self.page.evaluate(
            f"async () => {{ {source}; return (await axe.run()).violations }}"
        )
        return [f"{v['id']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found]


@contextlib.contextmanager
def opened(
    path: Path, profile: Path, *, width: int = 1280, scheme: str = "light", url: str = ""
) -> Iterator[Seen]:
    """Open a page from disk in a fresh profile; `width` in px, `scheme` is light or dark."""
    from playwright.sync_api import sync_playwright

    executable = chromium()
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            str(profile),
            executable_path=executable,
            headless=True,
            args=list(_ARGUMENTS),
            viewport={"width": width, "height": 900},
            color_scheme=scheme,
        )
        try:
            page = context.new_page()
            seen = Seen(page)
            page.on("dialog", lambda d: (seen.dialogs.append(d.message), d.dismiss()))
            page.on("pageerror", lambda e: seen.errors.append(str(e)))
            page.on("console", lambda m: seen.errors.append(f"{m.type}: {m.text}"))
            page.on("request", lambda r: seen.requests.append(r.url))
            page.goto(url or path.as_uri())
            page.wait_for_load_state("load")
            yield seen
        finally:
            context.close()
