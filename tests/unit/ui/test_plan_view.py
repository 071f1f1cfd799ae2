import json
import re
import subprocess
import sys
import time
from dataclasses import fields, replace

import pytest

from lorakit.plan.states import Plan, State, Waves
from lorakit.ui.plan_footer import count_line
from lorakit.ui.plan_view import plan_as_json, show_plan
from tests.support.shown_plans import board, frame, make_plan


def drawn(plan, console, **options):
    show_plan(plan, console, **options)
    return console.file.getvalue()


NEW = """\
film
├─ + frames_scene_1 meadow  3 frames: 1 new, 2 waits
├─ + frames_scene_2 mars    2 frames: 1 new, 1 waits
├─ > contact sheet  waits for film/meadow/1 and 4 more  film/contact_sheet.png
└─ > film  waits for film/meadow/1 and 4 more  film/film.mp4, 180 film frames

time    about 40 s (a first guess: no history on this machine yet)
memory  about 1.2 GB at the peak
disk    about 3.4 MB
waves   170 of 240 rows in use (71%): 30 calls of the network, 8 rows each

7 actions: 2 new, 0 changed, 0 cached, 5 waits, 0 held
"""

CHANGED = """\
film
├─ ~ frames_scene_1 meadow  3 frames: 1 changed, 1 cached, 1 waits
│     ~ changed frame 2: prompt: the golden key -> the silver key (storyboards/bunny.yaml:12:9)
├─ ~ frames_scene_2 mars    2 frames: 2 changed
│     ~ changed 2 frames: guidance_scale: 5.0 -> 6.0 (storyboards/bunny.yaml:3:40)
├─ > contact sheet  waits for film/meadow/2 and 3 more  film/contact_sheet.png
└─ > film  waits for film/meadow/2 and 3 more  film/film.mp4, 180 film frames

time    about 8 s
memory  about 1.2 GB at the peak
disk    about 900 kB
waves   170 of 240 rows in use (71%): 30 calls of the network, 8 rows each

storyboards/bunny.yaml:14:20: warning[unknown-words]: lorakit:studio has never seen: zeppelin (line 14)
  = it draws the rest

7 actions: 0 new, 3 changed, 1 cached, 3 waits, 0 held
"""

FRAMES = """\
├─ ~ frames_scene_1 meadow  3 frames: 1 changed, 1 cached, 1 waits
│  ├─ = frame 1  cached
│  │     a white bunny in a green meadow
│  │     not: blurry
│  │     seed 7, noise 1234568, from noise, 20 steps, guidance 5.0, 128x128 px
│  ├─ ~ frame 2  changed prompt: the golden key -> the silver key (storyboards/bunny.yaml:12:9)
│  │     the silver key
│  │     not: blurry
│  │     seed 7, noise 1234569, strength 0.55 from film/meadow/1, 11 of 20 steps, guidance 5.0, 128x128 px
│  └─ > frame 3  waits for film/meadow/2
"""

NARROW = """\
film
├─ ~ frames_scene_1 meadow  3 frames:
│     1 changed, 1 cached, 1 waits
│     ~ changed frame 2: prompt: the
│       golden key -> the silver key
│       (storyboards/bunny.yaml:12:9)
├─ ~ frames_scene_2 mars    2 frames:
│     2 changed
"""


def test_a_first_plan(new_board, console):
    assert drawn(new_board, console()) == NEW


def test_what_changed_is_told_with_its_place(changed_board, console):
    assert drawn(changed_board, console()) == CHANGED


def test_frames_unfold(changed_board, console):
    assert FRAMES in drawn(changed_board, console(), frames=True)


def test_a_terminal_shows_the_same_words_in_colour(changed_board, console):
    shown = drawn(changed_board, console(120, terminal=True))
    assert "\x1b[33m" in shown, "changed is yellow"
    assert re.sub(r"\x1b\[[0-9;]*m", "", shown) == CHANGED


def test_a_narrow_terminal_wraps_under_the_branch(changed_board, console):
    shown = drawn(changed_board, console(40, terminal=True, color_system=None))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert plain.startswith(NARROW)
    assert max(map(len, plain.splitlines())) <= 40


def test_off_a_terminal_nothing_is_wrapped_whatever_the_width(changed_board, console):
    assert drawn(changed_board, console(20)) == CHANGED


def test_no_color_is_heeded(changed_board, console):
    shown = drawn(changed_board, console(120, terminal=True, no_color=True))
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", shown)


def test_terminals_without_drawing_characters_get_ascii(new_board, console, monkeypatch):
    monkeypatch.setenv("LANG", "de_DE.ISO-8859-1")
    assert drawn(new_board, console()).isascii()


def test_a_cached_plan_costs_nothing_and_says_so(console):
    shown = drawn(board(state=State.CACHED), console())
    assert "time" not in shown
    assert "├─ = frames_scene_1 meadow  3 frames: 3 cached\n" in shown
    assert shown.endswith("\n7 actions: 0 new, 0 changed, 7 cached, 0 waits, 0 held\n")


def test_many_causes_in_a_scene_are_counted(console):
    plan = make_plan(
        *(frame("meadow", n, "x", State.CHANGED, f"prompt: a -> b{n}") for n in range(1, 8))
    )
    shown = drawn(plan, console())
    assert shown.count("~ changed") == 3
    assert "and 4 frames more; --frames shows each" in shown


def test_the_last_line_can_be_counted_on(new_board, changed_board):
    for plan in (new_board, changed_board):
        numbers = [int(n) for n in re.findall(r"\d+", count_line(plan))]
        assert numbers[0] == sum(numbers[1:]) == len(plan.actions)


def test_escape_sequences_in_a_prompt_do_nothing_to_the_terminal(console):
    evil = frame("meadow", 1, "a \x1b[31mred\x1b]0;title\x07 bunny\nline")
    shown = drawn(make_plan(evil), console(), frames=True)
    assert "\x1b" not in shown
    assert "\x07" not in shown


def test_brackets_in_a_prompt_are_no_markup(console):
    plan = make_plan(frame("meadow", 1, "a [bold]bunny[/bold] [link=x]"))
    assert "a [bold]bunny[/bold] [link=x]" in drawn(plan, console(terminal=True), frames=True)


def test_the_json_form_holds_everything(changed_board):
    data = json.loads(json.dumps(plan_as_json(changed_board)))
    counts = dict.fromkeys(("new", "held", "perhaps", "remote", "spared"), 0)
    counts |= {"changed": 3, "cached": 1, "waits": 3}
    assert data["counts"] == counts
    assert data["to_make"] == 6
    assert data["version"] == 2
    assert {"batch_size", "calls", "rows", "fullness"} == set(data["waves"][0])
    assert data["warnings"][0]["code"] == "unknown-words"
    second = data["actions"][1]
    assert second["state"] == "changed"
    assert second["changes"] == [
        {
            "what": "prompt",
            "before": "the golden key",
            "after": "the silver key",
            "place": {"file": "storyboards/bunny.yaml", "line": 12, "column": 9, "length": 1},
        }
    ]
    assert second["params"]["prompt"] == "the silver key"
    start = {"role": "start", "action": "film/meadow/1", "output": "latents", "optional": False}
    assert second["inputs"] == [start]
    # a new field of an action must not be forgotten here
    from lorakit.plan.actions import Action

    told = {"places": "changes", "task": "params"}  # places are told with the changes they explain
    assert {told.get(f.name, f.name) for f in fields(Action)} <= set(second)
    assert {f.name for f in fields(Plan)} - {"timings", "sources", "offers"} <= set(data)


@pytest.mark.slow
def test_ten_thousand_frames_are_drawn_at_once(console):
    plan = board([(f"s{n}", 5) for n in range(2000)])
    began = time.process_time()
    shown = drawn(plan, console(100, terminal=True))
    assert time.process_time() - began < 6
    assert shown.count("frames_scene_") == 2000


def test_nothing_heavy_is_imported():
    code = (
        "import sys, lorakit.ui.plan_view, lorakit.ui.live; "
        "print([m for m in ('torch','numpy','PIL','rich','rich_pixels') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@pytest.mark.parametrize("state", list(State))
def test_every_state_is_drawn(state, console):
    assert f"{state.symbol} frames_scene_1" in drawn(board(state=state), console())


def test_samples_of_many_checkpoints_are_one_line_of_waves(new_board, console):
    every = (*[Waves(8, 10, 50)] * 5, Waves(4, 6, 24), Waves(1, 28, 28))
    shown = drawn(replace(new_board, waves=every), console()).splitlines()
    assert [line for line in shown if line.startswith(("waves", "calls"))] == [
        "waves   250 of 400 rows in use (62%): 50 calls of the network, 8 rows each",
        "waves   24 of 24 rows in use (100%): 6 calls of the network, 4 rows each",
        "calls   28 calls of the network, one row each",
    ]


def test_samples_are_called_by_their_names_and_frames_by_their_numbers(console):
    waits = frame("samples", 2, "a fox", State.WAITS, "for style/training")
    action = replace(
        waits.action, id="style/samples-40.1", step="style", group="samples", inputs=()
    )
    shown = drawn(make_plan(replace(waits, action=action)), console())
    assert "> waits samples-40.1 for style/training" in shown
