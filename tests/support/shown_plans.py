"""Plans with given states, made by hand: what the terminal draws, without a planner."""

from dataclasses import replace

from lorakit.diagnostics import Place
from lorakit.plan.actions import Engine, Input
from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.states import Estimate, Plan, Planned, State, Waves
from lorakit.plan.tasks.film import FilmTask
from lorakit.plan.tasks.sheet import ContactSheetTask
from tests.support.actions import FRAME, action_of

RENDER = Engine("render", EngineSpec("lorakit:studio"), "studio")
ASSEMBLE = Engine("assemble", id="assemble")
BOARD = "storyboards/bunny.yaml"


def frame(scene, number, prompt, state=State.NEW, reason="", changes=(), line=9, index=1):
    chained = number > 1
    task = replace(
        FRAME,
        prompt=prompt,
        negative_prompt="blurry",
        noise=1234567 + number,
        strength=0.55 if chained else 1.0,
        effective_steps=11 if chained else 20,
    )
    action = action_of(
        task,
        f"film/{scene}/{number}",
        RENDER,
        step="film",
        group=f"frames_scene_{index}",
        label=prompt,
        place=Place(BOARD, line, 9),
        inputs=(Input("start", f"film/{scene}/1", "latents"),) if chained else (),
        files={"picture": (f"film/frames_scene_{index}/frame_{number:03d}.png",)},
        units=11 if chained else 20,
    )
    return Planned(action, state, reason, "k" * 64, tuple(changes))


def assembled(kind, name, state, units, inputs, reason=""):
    output = "film" if kind == "film" else "sheet"
    action = action_of(
        FilmTask(24, 128, 0, None, ()) if kind == "film" else ContactSheetTask("", ()),
        f"film/{kind}",
        ASSEMBLE,
        step="film",
        label="The bunny and the magic hat",
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
        "estimate": Estimate(
            38.4,
            1_234_000_000,
            3_400_000,
            measured=False,
            by_worker={"render": 36.5, "assemble": 1.9},
        ),
        "machine": "2 cores",
    }
    return Plan(actions=tuple(actions), **{**defaults, **options})
