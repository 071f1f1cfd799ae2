"""Plans to draw, and consoles that write into a string."""

import io

import pytest
from rich.console import Console

from lorakit.diagnostics import Diagnostic, Place
from lorakit.plan.states import Estimate, ParameterChange, State
from tests.support.shown_plans import BOARD, assembled, board, frame, make_plan


@pytest.fixture
def new_board():
    return board()


@pytest.fixture
def changed_board():
    where = Place(BOARD, 12, 9)
    words = ("the golden key", "the silver key")
    changed = {"reason": f"prompt: {words[0]} -> {words[1]} ({where})"}
    change = ParameterChange("prompt", *words, where)
    forced = ParameterChange("guidance_scale", 5.0, 6.0, Place(BOARD, 3, 40))
    ids = ["film/meadow/1", "film/meadow/2", "film/meadow/3", "film/mars/1", "film/mars/2"]
    return make_plan(
        frame("meadow", 1, "a white bunny in a green meadow", State.CACHED),
        frame("meadow", 2, "the silver key", State.CHANGED, **changed, changes=[change], line=12),
        frame("meadow", 3, "a door", State.WAITS, "for film/meadow/2"),
        *(
            frame(
                "mars",
                n,
                f"on mars {n}",
                State.CHANGED,
                f"guidance_scale: 5.0 -> 6.0 ({BOARD}:3:40)",
                [forced],
                index=2,
            )
            for n in (1, 2)
        ),
        assembled(
            "contact-sheet", "contact_sheet.png", State.WAITS, 5, ids, f"for {ids[1]} and 3 more"
        ),
        assembled("film", "film.mp4", State.WAITS, 180, ids, f"for {ids[1]} and 3 more"),
        estimate=Estimate(
            7.9, 1_234_000_000, 900_000, measured=True, by_worker={"render": 6.0, "assemble": 1.9}
        ),
        warnings=(
            Diagnostic(
                "unknown-words",
                "lorakit:studio has never seen: zeppelin (line 14)",
                Place(BOARD, 14, 20),
                severity="warning",
                hints=("it draws the rest",),
            ),
        ),
    )


@pytest.fixture
def console():
    def make(width=80, terminal=False, height=30, **options):
        return Console(
            file=io.StringIO(),
            width=width,
            height=height,
            force_terminal=terminal,
            legacy_windows=False,
            **{"color_system": "truecolor" if terminal else None, "_environ": {}, **options},
        )

    return make


@pytest.fixture(autouse=True)
def utf8_locale(monkeypatch):
    for name in ("LC_ALL", "LC_CTYPE", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_US.UTF-8")
