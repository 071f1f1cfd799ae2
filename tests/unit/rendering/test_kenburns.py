"""A view over a picture moves as it should: straight, evenly, to a tenth of a pixel."""

import numpy as np
import pytest
from PIL import Image

from lorakit.plan.tasks.clip import KenBurnsTask
from lorakit.rendering.clip_files import ClipReader
from lorakit.rendering.kenburns import views, write_kenburns

SIZE = (160, 120)
CENTER = (0.5, 0.5)


def dot(x, y):
    """A round dot of light, its middle at (x, y) px from the top left corner of the picture."""
    down, across = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
    light = 200 * np.exp(-((across - x) ** 2 + (down - y) ** 2) / (2 * 4.0**2))
    return np.repeat(light[:, :, None], 3, axis=2)


def middle(frame):
    """Where the light of a frame has its middle, in px."""
    light = frame[:, :, 0].astype(float)
    down, across = np.mgrid[: light.shape[0], : light.shape[1]] + 0.5
    return (light * across).sum() / light.sum(), (light * down).sum() / light.sum()


def moved(tmp_path, task, picture):
    Image.fromarray(np.rint(picture).astype(np.uint8)).save(tmp_path / "still.png")
    inputs = {"picture": str(tmp_path / "still.png")}
    told = list(write_kenburns(tmp_path / "clip.mkv", task, inputs))
    assert told == [(n, task.frames) for n in range(1, task.frames + 1)]
    reader = ClipReader(tmp_path / "clip.mkv", *SIZE)
    frames = [reader.frame(n).copy() for n in range(task.frames)]
    reader.close()
    return frames


@pytest.mark.parametrize(
    ("zoom", "start", "end"),
    [
        ((1.4, 1.4), (0.0, 0.5), (1.0, 0.5)),
        ((1.3, 1.3), (0.35, 0.4), (0.6, 0.55)),
        ((1.0, 1.3), CENTER, CENTER),
        ((1.35, 1.1), (0.45, 0.5), (0.55, 0.55)),
    ],
)
def test_a_dot_goes_evenly_and_never_back(tmp_path, zoom, start, end):
    """48 frames of a slow movement, a fraction of a pixel each: what whole pixels would make jump."""
    task = KenBurnsTask(48, *SIZE, zoom=zoom, start=start, end=end)
    at = (83.3, 58.7)
    seen = np.array([middle(frame) for frame in moved(tmp_path, task, dot(*at))])
    # a line through both ends, which every frame is held to
    even = np.linspace(seen[0], seen[-1], task.frames)
    assert np.abs(seen - even).max() < 0.1
    steps = np.diff(seen, axis=0)
    for axis in (0, 1):
        if abs(seen[-1, axis] - seen[0, axis]) > 2:
            assert (np.sign(steps[:, axis]) == np.sign(seen[-1, axis] - seen[0, axis])).all()
    # and both ends are where the words say
    for frame, times, spot in ((0, zoom[0], start), (-1, zoom[1], end)):
        wanted = [
            at[axis] * times - min(max(times * spot[axis] - 0.5, 0), times - 1) * SIZE[axis]
            for axis in (0, 1)
        ]
        assert seen[frame] == pytest.approx(wanted, abs=0.1)


def test_it_begins_with_the_picture_itself(tmp_path):
    chance = np.random.default_rng(0)
    picture = chance.integers(0, 255, (SIZE[1], SIZE[0], 3)).astype(float)
    task = KenBurnsTask(3, *SIZE, zoom=(1.0, 1.5), start=CENTER, end=CENTER)
    frames = moved(tmp_path, task, picture)
    assert (frames[0] == picture.astype(np.uint8)).all()
    assert (frames[1] != frames[2]).any()


def test_a_view_never_leaves_the_picture():
    for zoom in ((1.0, 1.0), (1.0, 10.0), (3.3, 1.7)):
        for start in ((0.0, 0.0), (1.0, 0.0), (0.3, 0.9)):
            task = KenBurnsTask(31, *SIZE, zoom=zoom, start=start, end=(1 - start[0], 0.5))
            for view in views(task):
                assert 0 <= view.left < view.right <= SIZE[0]
                assert 0 <= view.top < view.bottom <= SIZE[1]


def test_one_frame_is_how_it_begins():
    task = KenBurnsTask(1, *SIZE, zoom=(1.0, 2.0), start=CENTER, end=CENTER)
    assert [tuple(view) for view in views(task)] == [(0, 0, *SIZE)]
