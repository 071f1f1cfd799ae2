import subprocess
import sys
import time
from dataclasses import replace

import pytest
from PIL import Image

from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.tasks.film import FilmCaptions, FilmShot, FilmTask
from lorakit.plan.tasks.job import Job
from lorakit.plan.tasks.sheet import ContactSheetTask, SheetPicture, SheetRows
from lorakit.rendering.assemble import AssemblyEngine
from tests.support.actions import FRAME


def film_job(number, paths, out, **more):
    shots = tuple(FilmShot(f"picture_{n:04d}", 6, f"Sentence {n}") for n in range(len(paths)))
    task = replace(FilmTask(24, None, 2, None, shots), **more)
    inputs = {f"picture_{n:04d}": str(path) for n, path in enumerate(paths)}
    return Job(f"film/{number}", "key", task, inputs, out)


def sheet_job(paths, out):
    pictures = tuple(SheetPicture(f"p{n}", "A key") for n in range(len(paths)))
    task = ContactSheetTask("A film", (SheetRows("meadow", pictures),))
    return Job("sheet", "key", task, {f"p{n}": str(path) for n, path in enumerate(paths)}, out)


@pytest.fixture
def paths(picture):
    # objects in a store have no extension
    made = [picture(str(n), (40 * n, 90, 200)) for n in range(4)]
    return [path.rename(path.with_suffix("")) for path in made]


def drain(engine, limit=200):
    ended = []
    for _ in range(limit):
        if not engine.busy:
            return ended
        ended += engine.step()
    raise AssertionError("it never ends")


def test_jobs_are_done_in_turn_and_their_files_named(tmp_path, paths, decode):
    told = []
    engine = AssemblyEngine(EngineSpec(), lambda *progress: told.append(progress))
    assert not engine.busy
    assert engine.step() == []
    engine.submit(film_job(1, paths, tmp_path / "a", captions=FilmCaptions("top", 0.1)))
    engine.submit(sheet_job(paths, tmp_path / "b"))
    ended = drain(engine)
    assert ended == [
        {"id": "film/1", "outputs": {"film": str(tmp_path / "a" / "film.mp4")}},
        {"id": "sheet", "outputs": {"sheet": str(tmp_path / "b" / "contact_sheet.png")}},
    ]
    assert len(decode(tmp_path / "a" / "film.mp4").frames) == 24
    with Image.open(tmp_path / "b" / "contact_sheet.png") as sheet:
        assert sheet.format == "PNG"
    assert ("film/1", 24, 24) in told
    assert ("sheet", 4, 4) in told


def test_a_failed_job_leaves_the_others_alone(tmp_path, paths):
    engine = AssemblyEngine(EngineSpec(), lambda *_: None)
    engine.submit(film_job(1, [tmp_path / "gone"], tmp_path / "a"))
    engine.submit(replace(sheet_job(paths, tmp_path / "c"), task=FRAME))
    engine.submit(film_job(2, paths, tmp_path / "b"))
    first, second, third = drain(engine)
    assert first["id"] == "film/1"
    assert "gone" in first["error"]
    assert "FrameTask" in second["error"]
    assert "outputs" in third


@pytest.mark.slow
def test_a_step_is_short_though_the_film_is_long(tmp_path, paths):
    told = []
    engine = AssemblyEngine(EngineSpec(), lambda *progress: told.append(progress))
    engine.submit(film_job(1, paths * 20, tmp_path / "a", height=360))
    longest, steps = 0.0, 0
    while engine.busy:
        began = time.process_time()
        engine.step()
        longest = max(longest, time.process_time() - began)
        steps += 1
    assert steps > 2
    assert longest < 1.0, "0.2 s, and some"
    assert len(told) <= steps


def test_closing_gives_up_and_leaves_nothing(tmp_path, paths):
    engine = AssemblyEngine(EngineSpec(), lambda *_: None)
    engine.submit(film_job(1, paths * 50, tmp_path / "a", height=720))
    engine.step()
    engine.close()
    assert not engine.busy
    assert not (tmp_path / "a" / "film.mp4").exists()
    engine.close()


def test_nothing_heavy_is_imported_before_there_is_work():
    code = (
        "import sys, lorakit.rendering.assemble as a; a.AssemblyEngine({}, print); "
        "print([m for m in ('torch','numpy','PIL','moviepy','imageio_ffmpeg') if m in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
