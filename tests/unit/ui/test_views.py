import itertools
import re
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from lorakit.diagnostics import Diagnostic, Place
from lorakit.execute.events import (
    ActionFinished,
    ActionProgress,
    ActionStarted,
    RunFinished,
    RunStarted,
    WorkerState,
)
from lorakit.plan.actions import Engine
from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.states import Estimate, Plan, Planned, State
from lorakit.ui.live import LiveView, view_for
from lorakit.ui.plain import PlainView
from tests.support.actions import TEXTS, action_of
from tests.support.shown_plans import board
from tests.support.shown_runs import events_of


def plain_text(text):
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path / "outputs" / "quickstart" / "003"


def after(plan, folder, console, until, **options):
    """A live view that has heard every event up to a time, and its drawing."""
    clock = Clock()
    view = LiveView(plan, console, clock=clock, **options)
    for event in events_of(plan, folder):
        if event.at > until:
            break
        view.handle(event)
    clock.now = 100.0 + until
    start = console.file.tell()
    console.print(view.draw())
    console.file.seek(start)
    lines = plain_text(console.file.read()).splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


PLAIN = """\
     0.0 s  quickstart -> {folder}: 7 actions, 7 to make
     0.5 s  waiting for another run (held by process 17)
     1.0 s  loading lorakit:studio
     2.2 s  lorakit:studio ready after 1.2 s
     2.2 s  film: started
     3.2 s  film/mars: 2 frames done
     3.2 s  note: the render worker ended by itself (signal 9); starting it again
     3.8 s  film/meadow: 3 frames done
     3.8 s  film: contact sheet written film/contact_sheet.png
     4.1 s  film: film written film/film.mp4
done in 4.1 s: 7 made, 0 cached
film           outputs/quickstart/003/film/film.mp4
contact sheet  outputs/quickstart/003/film/contact_sheet.png
folder         {folder}
change line 9 of storyboards/bunny.yaml and run again: 3 frames, about 8 s
"""

FAILED = """\
     3.2 s  failed film/meadow/2: out of memory
"""

FAILED_END = """\
failed film/meadow/2: out of memory
failed in 3.8 s: 4 made, 0 cached, 1 failed, 2 skipped
folder         {folder}
what was made is kept; details are in run.log
"""

LOADING = """\
quickstart → outputs/quickstart/003
film
├─ meadow         ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  3 frames wait
├─ mars           ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  2 frames wait
├─ contact sheet  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  waits
└─ film           ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  waits

loading lorakit:studio 0.8 s
0 of 7 done, about 40 s left, 1.8 s gone
"""

DRAWING = """\
quickstart → outputs/quickstart/003
film
├─ meadow         ━━━━━━━━━━━━━━━━╸━━━━━━━━━━━━━  0 of 3 frames
├─ mars           ━━━━━━━━━━━━━━━━━━━━━━╸━━━━━━━  0 of 2 frames
├─ contact sheet  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  waits
└─ film           ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  waits
"""


def in_a_line(text: str) -> str:
    """Words as they follow each other, however long a path is that a line is broken for."""
    return " ".join(text.split())


def test_off_a_terminal_a_run_is_a_line_for_each_change(folder, console):
    out = console()
    plan = board()
    with view_for(plan, out) as view:
        assert isinstance(view, PlainView)
        for event in events_of(plan, folder):
            view.handle(event)
    assert out.file.getvalue() == PLAIN.format(folder=folder)


def test_failures_are_told_at_once_and_again_at_the_end(folder, console):
    out = console()
    plan = board()
    with view_for(plan, out, plain=True) as view:
        for event in events_of(plan, folder, fails="film/meadow/2"):
            view.handle(event)
    shown = out.file.getvalue()
    assert FAILED in shown
    assert shown.endswith(FAILED_END.format(folder=folder))
    assert "film: film skipped" in shown
    assert "film/meadow: 2 of 3 frames, 1 failed" in shown


def test_long_runs_have_a_line_of_news_every_few_seconds(folder, console):
    out = console()
    plan = board([(f"s{n}", 10) for n in range(12)])
    with view_for(plan, out) as view:
        for event in events_of(plan, folder, wave=4):
            view.handle(event)
    news = [line for line in out.file.getvalue().splitlines() if "steps/s" in line]
    times = [float(line.split()[0]) for line in news]
    assert len(times) >= 2
    assert all(b - a >= 5 for a, b in itertools.pairwise(times))
    assert re.search(
        r"\d+ of 122 done, \d+ steps/s, about [\d a-z]+ left, now film/s\d+/\d+", news[0]
    )


def test_scenes_that_were_there_already_are_not_told_one_by_one(folder, console):
    out = console()
    plan = board([("a", 50), ("b", 50)], state=State.CACHED)
    with view_for(plan, out) as view:
        view.handle(RunStarted(0.0, str(folder), "quickstart", 102, 0))
        for planned in plan.actions:
            view.handle(ActionFinished(0.1, planned.action.id, "cached", "k"))
        view.handle(RunFinished(0.2, "done", str(folder), 0.2, 0, 102, 0, 0))
    assert len(out.file.getvalue().splitlines()) == 3


def test_a_run_that_makes_nothing_names_the_folder_that_holds_everything(folder, console):
    plan = board(state=State.CACHED)
    for terminal in (False, True):
        out = console(terminal=terminal)
        with view_for(plan, out) as view:
            view.handle(RunStarted(0.0, str(folder), "quickstart", 7, 0))
            view.handle(RunFinished(0.2, "done", str(folder), 0.2, 0, 7, 0, 0, copied=False))
        assert in_a_line(plain_text(out.file.getvalue())).endswith(
            f"folder {folder} nothing was made: this folder holds everything; --copy for a new one"
        )


def test_a_run_that_breaks_off_has_no_summary(folder, console):
    for terminal in (False, True):
        out = console(terminal=terminal)
        with pytest.raises(RuntimeError), view_for(board(), out) as view:  # noqa: PT012
            view.handle(RunStarted(0.0, str(folder), "quickstart", 7, 7))
            raise RuntimeError
        assert "done in" not in out.file.getvalue()


def test_while_the_model_loads(folder, console):
    assert after(board(), folder, console(80, terminal=True), 1.8) == LOADING


def test_while_frames_are_drawn(folder, console):
    shown = after(board(), folder, console(80, terminal=True), 2.8)
    assert shown.startswith(DRAWING)
    assert "\nnow     soft 3d illustration, a white bunny does thing 2, on mars\n" in shown
    assert re.search(r"\n0 of 7 done, 8\d steps/s, about \d s left, 2.8 s gone\n$", shown)


def test_the_newest_frame_is_shown_as_a_picture(folder, console):
    for path in (
        "frames_scene_1/frame_001",
        "frames_scene_2/frame_001",
        "frames_scene_2/frame_002",
    ):
        target = folder / "film" / f"{path}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (128, 64), (200, 30, 30)).save(target)
    out = console(90, terminal=True, height=36)
    after(board(), folder, out, 3.5)
    shown = out.file.getvalue()
    assert "38;2;200;30;30" in shown
    picture = [line for line in plain_text(shown).splitlines() if "▄▄▄" in line or "▀▀▀" in line]
    assert len(picture) == 8, "twice as wide as high: 30 cells by 7.5"
    assert any("newest  film/mars/2" in line for line in plain_text(shown).splitlines())


@pytest.mark.parametrize(
    "options", [{"no_color": True}, {"color_system": "standard"}, {"width": 50}, {"height": 15}]
)
def test_there_is_no_picture_where_it_cannot_look_like_one(folder, console, options):
    target = folder / "film/frames_scene_2/frame_002.png"
    target.parent.mkdir(parents=True)
    Image.new("RGB", (128, 64), (200, 30, 30)).save(target)
    out = console(**{"width": 90, "terminal": True, "height": 36, **options})
    shown = after(board(), folder, out, 3.5)
    assert "▄▄▄" not in shown
    assert "▀▀▀" not in shown
    assert "meadow" in shown


def test_thumbnails_can_be_turned_off(folder, console):
    view = LiveView(board(), console(90, terminal=True, height=36), thumbnails=False)
    for event in events_of(board(), folder):
        view.handle(event)
    view.draw()
    assert view._picture is None


@pytest.mark.parametrize("width", [20, 40, 61, 200])
@pytest.mark.parametrize("height", [8, 12, 24, 60])
@pytest.mark.parametrize("scenes", [2, 30])
def test_the_view_never_outgrows_the_terminal(folder, console, width, height, scenes):
    plan = board([(f"a scene with quite a long name {n}", 5) for n in range(scenes)])
    for until in (0.0, 1.5, 4.0, 9.0, 1e9):
        shown = after(plan, folder, console(width, terminal=True, height=height), until)
        lines = shown.rstrip("\n").splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) <= max(height, 12)


def test_many_scenes_are_folded_around_those_under_way(folder, console):
    plan = board([(f"s{n}", 2) for n in range(40)])
    view = LiveView(plan, out := console(80, terminal=True, height=20), clock=Clock())
    view.handle(RunStarted(0.0, str(folder), "quickstart", 82, 82))
    for planned in plan.actions[:30]:
        view.handle(ActionFinished(0.1, planned.action.id, "made"))
    view.handle(ActionStarted(0.2, plan.actions[30].action.id))
    out.print(view.draw())
    shown = plain_text(out.file.getvalue())
    assert "… 14 done" in shown
    assert "─ s15" in shown
    assert re.search(r"… \d+ to come", shown)


def test_without_colours_the_bar_still_shows_how_far_it_is(folder, console):
    shown = after(board(), folder, console(80, terminal=True, no_color=True), 2.8)
    bar = next(line for line in shown.splitlines() if "meadow" in line)
    assert "━╸   " in bar


def test_a_terminal_without_unicode_gets_ascii(folder, console, monkeypatch):
    monkeypatch.setenv("LANG", "de_DE.ISO-8859-1")
    for until in (1.8, 2.8, 1e9):
        assert after(board(), folder, console(80, terminal=True), until).isascii()


def test_the_live_view_redraws_ends_with_the_summary_and_keeps_notes(folder, console):
    out = console(80, terminal=True)
    plan = board()
    with view_for(plan, out) as view:
        assert isinstance(view, LiveView)
        for event in events_of(plan, folder, fails="film/meadow/2"):
            view.handle(event)
        time.sleep(0.3)
    shown = plain_text(out.file.getvalue())
    assert shown.count("the render worker ended by itself") == 1
    assert "failed film/meadow/2: out of memory" in shown
    assert in_a_line(shown).endswith(in_a_line(FAILED_END.format(folder=folder)))


def test_an_interrupted_run_says_how_to_go_on(folder, console):
    out = console()
    with view_for(board(), out) as view:
        view.handle(RunStarted(0.0, str(folder), "quickstart", 7, 7))
        view.handle(RunFinished(3.0, "interrupted", str(folder), 3.0, 2, 0, 0, 5))
    shown = out.file.getvalue()
    assert "interrupted in 3.0 s: 2 made, 0 cached, 5 skipped" in shown
    assert shown.endswith("what was made is kept: run again to go on\n")


def test_every_film_is_named_and_why_there_is_none(folder, console):
    out = console()
    end = RunFinished(
        3.0, "done", str(folder), 3.0, 2, 0, 0, 0, film=str(folder / "b/film.mp4"),
        films=(str(folder / "a/film.mp4"), str(folder / "b/film.mp4")),
        notes=("no film: write video: {height: 720} in board.yaml to make one",),
    )  # fmt: skip
    with view_for(board(), out) as view:
        view.handle(RunStarted(0.0, str(folder), "quickstart", 7, 7))
        view.handle(end)
    shown = out.file.getvalue()
    assert "film           outputs/quickstart/003/a/film.mp4\n" in shown
    assert "film           outputs/quickstart/003/b/film.mp4\n" in shown
    assert "no film: write video: {height: 720} in board.yaml to make one\n" in shown


def test_a_training_s_estimate_stands_beside_what_it_took(folder, console):
    out = console()
    end = RunFinished(
        130.0, "done", str(folder), 130.0, 2, 0, 0, 0,
        estimated_seconds=120.0, estimated_memory=1_500_000_000, peak_memory=1_400_000_000,
    )  # fmt: skip
    with view_for(board(), out) as view:
        view.handle(RunStarted(0.0, str(folder), "quickstart", 7, 7))
        view.handle(end)
    words = "2 min expected, 2 min 10 s taken, memory 1.5 GB expected, 1.4 GB taken"
    assert words in " ".join(out.file.getvalue().split())


@pytest.mark.parametrize("terminal", [False, True])
def test_ten_thousand_events_are_taken_in_at_once(folder, console, terminal):
    plan = board([(f"s{n}", 5) for n in range(100)])
    events = list(events_of(plan, folder, wave=8))
    events = (events * (10_000 // len(events) + 1))[:10_000]
    with view_for(plan, console(terminal=terminal)) as view:
        began = time.process_time()
        for event in events:
            view.handle(event)
        taken = time.process_time() - began
    assert taken < 3


def test_a_frame_done_again_after_a_worker_died_counts_once(folder, console):
    plan = board()
    view = LiveView(plan, console(80, terminal=True), clock=Clock())
    first = plan.actions[0].action.id
    view.handle(RunStarted(0.0, str(folder), "quickstart", 7, 7))
    for done in (5, 10, 3, 8, 12):
        view.handle(ActionProgress(1.0, first, done, 20))
    view.handle(ActionFinished(2.0, first, "made"))
    view.handle(ActionFinished(2.1, first, "made"))
    row = view._progress.rows[0]
    assert (row.units_done, row.made, view._progress.done) == (20, 1, 1)


def test_events_about_what_is_not_in_the_plan_do_no_harm(folder, console):
    for terminal in (False, True):
        view = view_for(board(), console(terminal=terminal))
        for event in (
            ActionStarted(0.1, "gone/1"),
            ActionProgress(0.2, "gone/1", 1, 2),
            ActionFinished(0.3, "gone/1", "failed", detail="x"),
            WorkerState(0.4, "train", "loading", "it"),
        ):
            view.handle(event)


def test_a_dumb_terminal_gets_lines(console):
    out = console(terminal=True, _environ={"TERM": "dumb"})
    assert isinstance(view_for(board(), out), PlainView)


def test_paths_outside_the_current_folder_stay_whole(console, folder):
    from lorakit.ui.summary import short_path

    assert short_path(str(Path.cwd() / "a" / "b")) == str(Path("a") / "b")
    assert short_path(str(Path.cwd().parent / "b")) == str(Path.cwd().parent / "b")


def trainings(*steps):
    """A plan of trainings, one after the other, which are expected to take 40 s each."""
    engine = Engine("train", EngineSpec("lorakit:minilm"), "minilm")
    actions = [
        action_of(TEXTS, f"{name}/training", engine, step=name, label="training", units=units)
        for name, units in steps
    ]
    seconds = 40.0 * len(actions)
    cost = Estimate(seconds, 10**9, 10**6, measured=False, by_worker={"train": seconds})
    return Plan("judge", tuple(Planned(action, State.NEW) for action in actions), (), cost)


def test_off_a_terminal_a_training_tells_its_step_and_a_time_that_can_be_trusted(folder, console):
    out = console()
    with view_for(trainings(("full", 20), ("lora", 20)), out) as view:
        view.handle(RunStarted(0.0, str(folder), "judge", 2, 2))
        view.handle(ActionStarted(3.0, "full/training"))
        view.handle(ActionProgress(6.0, "full/training", 1, 20, {"loss": 0.7}))
        for done in range(2, 21):
            view.handle(ActionProgress(5.5 + done / 2, "full/training", done, 20, {"loss": 0.6}))
        view.handle(ActionFinished(22.0, "full/training", "made"))
        view.handle(WorkerState(28.0, "train", "loading", "lorakit:minilm"))
        view.handle(WorkerState(28.0, "train", "ready", "lorakit:minilm", 0.004))
        view.handle(ActionStarted(30.0, "lora/training"))
        view.handle(ActionProgress(32.0, "lora/training", 1, 20, {"loss": 0.7}))
        view.handle(ActionProgress(32.5, "lora/training", 2, 20, {"loss": 0.7}))
    told = [
        line.strip().split("  ", 1)[1]
        for line in out.file.getvalue().splitlines()
        if "done," in line
    ]
    # before a speed is known, what the plan expects of 39 of 40 steps
    assert (
        told[0] == "0 of 2 done, loss 0.700, about 1 min 20 s left, now full/training, step 1 of 20"
    )
    assert "2.0 steps/s" in told[1]
    # the rest of this training at its own speed, the next as the plan expects it
    assert "about 45 s left, now full/training, step 11 of 20" in told[1]
    closing = next(line for line in told if "step 20 of 20" in line)
    assert "measures and checks what it saved" in closing
    assert "left" not in closing
    # between two trainings nothing is known of the next but what the plan expects
    assert "1 of 2 done, about 40 s left" in told
    assert "ready after" not in out.file.getvalue()
    # the pause between two trainings is no step of the second
    assert not any("/step," in line for line in told)


def told_by_two(folder):
    """A run that two workers draw: one loads while the other is at its first frame."""
    yield RunStarted(0.0, str(folder), "quickstart", 7, 7)
    yield WorkerState(0.1, "render", "starting", worker="render 1")
    yield WorkerState(0.1, "render", "starting", worker="render 2")
    yield WorkerState(1.0, "render", "loading", "lorakit:studio", worker="render 1")
    yield WorkerState(2.0, "render", "ready", "lorakit:studio", 1.0, worker="render 1")
    yield WorkerState(2.0, "render", "loading", "lorakit:studio", worker="render 2")
    yield ActionStarted(2.0, "film/meadow/1", "render 1")
    yield WorkerState(3.0, "render", "ready", "lorakit:studio", 1.0, worker="render 2")
    yield ActionStarted(3.0, "film/mars/1", "render 2")


def test_several_workers_are_named_with_what_each_is_at(folder, console):
    plan = board()
    view = LiveView(plan, out := console(80, terminal=True, height=30), clock=Clock())
    for number, event in enumerate(told_by_two(folder)):
        view.handle(event)
        if number == 6:
            out.print(view.draw())
            assert "render 2: loading lorakit:studio" in plain_text(out.file.getvalue())
    start = out.file.tell()
    out.print(view.draw())
    out.file.seek(start)
    shown = plain_text(out.file.read())
    labels = {p.action.id: p.action.label for p in plan.actions}
    assert f"render 1  {labels['film/meadow/1']}" in shown
    assert f"render 2  {labels['film/mars/1']}" in shown
    lines = PlainView(plan, told := console())
    for event in told_by_two(folder):
        lines.handle(event)
    lines.handle(ActionProgress(9.0, "film/meadow/1", 2, 20))
    lines.handle(
        RunFinished(
            9.5, "done", str(folder), 9.5, 7, 0, 0, 0, workers={"render 2": 2, "render 1": 3}
        )
    )
    lines.__exit__(None, None, None)
    text = told.file.getvalue()
    assert "render 1: lorakit:studio ready after 1.0 s" in text
    assert "now film/meadow/1 (render 1), film/mars/1 (render 2)" in text
    assert "made by        render 1: 3, render 2: 2" in text


def test_of_what_travels_to_a_node_a_line_now_and_then_is_enough(folder, console):
    out, plan = console(terminal=False), board()
    with view_for(plan, out) as view:
        view.handle(RunStarted(0.0, str(folder), "quickstart", 7, 7))
        for second in range(1, 62):
            told = "sending", f"{second} MB of 99 MB", 9.0, "render", "near"
            view.handle(WorkerState(float(second), "render", *told))
        view.handle(WorkerState(62.0, "render", "sent", worker="render", where="near"))
    lines = [line for line in out.file.getvalue().splitlines() if "sending" in line]
    assert 2 <= len(lines) < 20
    assert lines[0].endswith("render on near: sending 1 MB of 99 MB, 9.0 s left")


@pytest.mark.parametrize("view_of", [PlainView, LiveView])
def test_a_run_says_first_what_its_plan_warns_of(folder, console, view_of):
    def warning(number):
        return Diagnostic(
            "no-voice",
            f"nobody speaks\n{number}",
            Place("board.yaml", number, 14),
            hints=("install espeak-ng", "or name another"),
            severity="warning",
        )

    def said(many):
        plan = replace(board(), warnings=tuple(map(warning, range(1, many + 1))))
        out = console(width=200)
        view_of(plan, out).handle(RunStarted(0.0, str(folder), "quickstart", 7, 7))
        return out.file.getvalue().splitlines()

    (line,) = (one for one in said(1) if "warning" in one)
    assert line.endswith("board.yaml:1:14: warning[no-voice]: nobody speaks 1; install espeak-ng")
    assert not any("warning" in one for one in said(0))
    lines = [one for one in said(11) if "warning" in one]
    assert len(lines) == 9
    assert lines[-1].endswith("3 more warnings: lorakit plan shows all")
