"""A plan such as a small board has, and consoles that write into a string."""

import io

import pytest
from rich.console import Console

from lorakit.diagnostics import Diagnostic, Place
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.states import Change, Estimate, Plan, Planned, State, Waves

RENDER = Engine("render", {"name": "lorakit:studio", "wave": 8}, "studio")
ASSEMBLE = Engine("assemble", {}, "assemble")
BOARD = "storyboards/bunny.yaml"


def frame(scene, number, prompt, state=State.NEW, reason="", changes=(), line=9, index=1):
    chained = number > 1
    action = Action(
        id=f"film/{scene}/{number}",
        step="film",
        group=f"frames_scene_{index}",
        kind="frame",
        version=1,
        label=prompt,
        place=Place(BOARD, line, 9),
        engine=RENDER,
        params={
            "prompt": prompt,
            "negative_prompt": "blurry",
            "noise": 1234567 + number,
            "strength": 0.55 if chained else 1.0,
            "num_inference_steps": 20,
            "guidance_scale": 5.0,
            "width": 128,
            "height": 128,
        },
        inputs=(Input("start", f"film/{scene}/1", "latents"),) if chained else (),
        files={"picture": (f"film/frames_scene_{index}/frame_{number:03d}.png",)},
        units=11 if chained else 20,
        extra={"effective_steps": 11 if chained else 20, "seed": 7},
    )
    return Planned(action, state, reason, "k" * 64, tuple(changes))


def assembled(kind, name, state, units, inputs, reason=""):
    output = "film" if kind == "film" else "sheet"
    action = Action(
        id=f"film/{kind}",
        step="film",
        group="",
        kind=kind,
        version=1,
        label="The bunny and the magic hat",
        place=None,
        engine=ASSEMBLE,
        params={"height": 128},
        inputs=tuple(Input(f"picture_{n:05d}", i, "picture") for n, i in enumerate(inputs, 1)),
        files={output: (f"film/{name}",)},
        units=units,
    )
    return Planned(action, state, reason)


def board(scenes=(("meadow", 3), ("mars", 2)), state=State.NEW, **options):
    frames = [
        frame(
            scene,
            n,
            f"soft 3d illustration, a white bunny does thing {n}, on {scene}",
            State.WAITS if state is State.NEW and n > 1 else state,
            f"for film/{scene}/1" if state is State.NEW and n > 1 else "",
            line=8 + n,
            index=index,
        )
        for index, (scene, count) in enumerate(scenes, 1)
        for n in range(1, count + 1)
    ]
    ids = [p.action.id for p in frames]
    later = State.WAITS if state is State.NEW else state
    why = f"for {ids[0]} and {len(ids) - 1} more" if later is State.WAITS else ""
    return make_plan(
        *frames,
        assembled("contact-sheet", "contact_sheet.png", later, len(ids), ids, why),
        assembled("film", "film.mp4", later, 36 * len(ids), ids, why),
        **options,
    )


def make_plan(*actions, **options):
    defaults = {
        "recipe": "quickstart",
        "waves": (Waves(8, 30, 170),),
        "estimate": Estimate(38.4, 1_234_000_000, 3_400_000, measured=False),
        "machine": "2 cores",
    }
    return Plan(actions=tuple(actions), **{**defaults, **options})


@pytest.fixture
def new_board():
    return board()


@pytest.fixture
def changed_board():
    where = Place(BOARD, 12, 9)
    words = ("the golden key", "the silver key")
    changed = {"reason": f"prompt: {words[0]} -> {words[1]} ({where})"}
    change = Change("prompt", *words, where)
    forced = Change("guidance_scale", 5.0, 6.0, Place(BOARD, 3, 40))
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
        estimate=Estimate(7.9, 1_234_000_000, 900_000, measured=True),
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
