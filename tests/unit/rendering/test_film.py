import hashlib
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorakit.diagnostics import LorakitError
from lorakit.plan.tasks.film import ClipPart, Join
from lorakit.plan.timeline import timeline
from lorakit.rendering import encodings, ffmpeg_writer
from lorakit.rendering.clip_files import ClipWriter
from lorakit.rendering.film import CaptionStyle, FilmError, Shot, write_film

RED, BLUE, GREEN = (200, 30, 30), (30, 30, 200), (30, 160, 30)


def film(target, shots, **options):
    return list(write_film(target, shots, **{"fps": 24, **options}))


def near(colour, wanted, tolerance=6):
    return all(abs(int(a) - int(b)) <= tolerance for a, b in zip(colour, wanted, strict=True))


@pytest.mark.parametrize("fade", [0, 1, 2, 3, 6, 7, 50])
@pytest.mark.parametrize("lengths", [[5], [1, 1, 1], [7, 3, 10], [24, 2, 2, 30]])
def test_a_timeline_lasts_the_sum_of_its_holds(lengths, fade):
    moments = list(timeline(lengths, fade))
    assert sum(m.frames for m in moments) == sum(lengths)
    assert all(m.frames > 0 for m in moments)
    assert all(0 <= m.share < 1 for m in moments)


@pytest.mark.parametrize("fade", [2, 3, 4, 5, 10])
def test_a_crossfade_is_symmetrical_around_its_cut(fade):
    shares = [m.share for m in timeline([20, 20], fade) for _ in range(m.frames)]
    first = [
        (1 if m.shot else 0) + m.share for m in timeline([20, 20], fade) for _ in range(m.frames)
    ]
    assert first == pytest.approx([1 - share for share in reversed(first)])
    assert sum(share > 0 for share in shares) == fade - fade % 2


def test_frames_are_exactly_those_asked_for(tmp_path, picture, decode):
    shots = [Shot(picture("a", RED), 7), Shot(picture("b", BLUE), 1), Shot(picture("c", GREEN), 13)]
    told = film(tmp_path / "out.mp4", shots, transition_frames=4)
    assert told[:21] == [(n, 21) for n in range(1, 22)]
    assert set(told[21:]) <= {(21, 21)}
    made = decode(tmp_path / "out.mp4")
    assert len(made.frames) == 21
    assert "yuv420p(tv, bt709" in made.said
    assert "24 fps" in made.said
    assert "Duration: 00:00:00.88" in made.said


def test_the_index_stands_before_the_pictures_so_that_a_browser_can_begin(tmp_path, picture):
    film(tmp_path / "out.mp4", [Shot(picture("a", RED), 5)])
    data = (tmp_path / "out.mp4").read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_colours_survive(tmp_path, picture, decode):
    shots = [
        Shot(picture(str(n), c), 4) for n, c in enumerate([RED, BLUE, GREEN, (255,) * 3, (0,) * 3])
    ]
    film(tmp_path / "out.mp4", shots)
    made = decode(tmp_path / "out.mp4")
    for number, wanted in enumerate([RED, BLUE, GREEN, (255,) * 3, (0,) * 3]):
        assert near(made.colour(number * 4 + 2), wanted), number


@pytest.mark.slow
def test_the_middle_of_a_crossfade_is_the_mean(tmp_path, picture, decode):
    shots = [Shot(picture("a", (40, 40, 40)), 10), Shot(picture("b", (200, 200, 200)), 10)]
    film(tmp_path / "out.mp4", shots, transition_frames=8)
    greys = [decode(tmp_path / "out.mp4").colour(n)[0] for n in range(20)]
    wanted = [40] * 6 + [50, 70, 90, 110, 130, 150, 170, 190] + [200] * 6
    assert greys == pytest.approx(wanted, abs=4)


def test_sizes_become_even_and_shapes_are_kept(tmp_path, picture, decode):
    shots = [
        Shot(picture("a", RED, (127, 65)), 3),
        Shot(picture("wide", BLUE, (200, 50)), 3),
        Shot(picture("tall", GREEN, (50, 200)), 3),
    ]
    film(tmp_path / "own.mp4", shots)
    made = decode(tmp_path / "own.mp4")
    assert (made.width, made.height) == (128, 64)
    film(tmp_path / "scaled.mp4", shots, height=99)
    made = decode(tmp_path / "scaled.mp4")
    assert (made.width, made.height) == (194, 100)
    assert near(made.colour(4), BLUE)
    assert near(made.frames[4][2, 97], (0, 0, 0)), "bars above and below the wide one"
    assert near(made.frames[7][50, 2], (0, 0, 0)), "bars beside the tall one"
    assert near(made.frames[1][1, 1], RED), "none around the first"


@pytest.mark.parametrize(
    ("mode", "colour"),
    [
        ("RGBA", (200, 30, 30, 255)),
        ("L", 90),
        ("LA", (90, 255)),
        ("P", 0),
        ("1", 1),
        ("CMYK", (0, 0, 0, 0)),
    ],
)
def test_any_kind_of_picture_serves(tmp_path, decode, mode, colour):
    path = tmp_path / "a.tiff"
    Image.new(mode, (32, 32), colour).save(path)
    film(tmp_path / "out.mp4", [Shot(path, 2)])
    assert len(decode(tmp_path / "out.mp4").frames) == 2


def test_what_is_transparent_is_black(tmp_path, picture, decode):
    film(tmp_path / "out.mp4", [Shot(picture("a", (255, 255, 255, 0), mode="RGBA"), 2)])
    assert near(decode(tmp_path / "out.mp4").colour(1), (0, 0, 0))


def test_the_same_pictures_give_the_same_bytes(tmp_path, picture):
    shots = [Shot(picture("a", RED), 9, "One"), Shot(picture("b", BLUE), 9, "Two")]
    digests = set()
    for name in ("x.mp4", "y.mp4"):
        film(tmp_path / name, shots, transition_frames=4, captions=CaptionStyle())
        digests.add(hashlib.sha256((tmp_path / name).read_bytes()).hexdigest())
    assert len(digests) == 1


def test_every_cpu_gives_the_same_bytes(tmp_path, monkeypatch):
    """Sizes that are no round number of x264's blocks, by the CPU's own code and by plain C."""
    chance = np.random.default_rng(0)
    shots = []
    for number in range(3):
        small = Image.fromarray(chance.integers(0, 255, (12, 50, 3), dtype=np.uint8))
        small.resize((400, 96)).save(tmp_path / f"{number}.png")
        shots.append(Shot(tmp_path / f"{number}.png", 14))
    film(tmp_path / "own.mp4", shots, transition_frames=10)
    plain = tuple(f"{o}:asm=0" if o.startswith("cpu-") else o for o in encodings.X264_ON_ANY_CPU)
    assert plain != encodings.X264_ON_ANY_CPU
    monkeypatch.setattr(encodings, "X264_ON_ANY_CPU", plain)
    film(tmp_path / "plain.mp4", shots, transition_frames=10)
    own, slow = ((tmp_path / f"{name}.mp4").read_bytes() for name in ("own", "plain"))
    assert own == slow


def test_captions_stand_where_they_are_asked_for_and_take_turns(tmp_path, picture, decode):
    grey = picture("a", (90, 90, 90), (320, 240))
    shots = [Shot(grey, 12, "Кролик нашёл ключ"), Shot(grey, 12, "Ὁ λαγός: naïve")]
    for position, rows, empty in (
        ("bottom", slice(160, 240), slice(0, 120)),
        ("top", slice(0, 80), slice(120, 240)),
    ):
        target = tmp_path / f"{position}.mp4"
        film(target, shots, transition_frames=4, captions=CaptionStyle(position))  # type: ignore[arg-type]
        frames = decode(target).frames.astype(int)
        assert frames[6][rows].max() > 230
        assert frames[6][rows].min() < 40
        assert np.abs(frames[6][empty] - 90).max() < 12
        ink = [(frame[rows] > 220).sum() for frame in frames]
        assert ink[11] < ink[6] / 4, "it fades before the cut"
        assert ink[13] > ink[12] or ink[14] > ink[12]


def test_two_shots_of_one_caption_keep_it_through_the_crossfade(tmp_path, picture, decode):
    shots = [Shot(picture("a", (90,) * 3, (320, 240)), 10, "Still here")] * 2
    film(tmp_path / "out.mp4", shots, transition_frames=4, captions=CaptionStyle())
    ink = [(frame > 220).sum() for frame in decode(tmp_path / "out.mp4").frames]
    assert min(ink) > 0.8 * max(ink) > 0


@pytest.mark.slow
def test_memory_does_not_grow_with_the_film(tmp_path):
    noise = np.random.default_rng(0)
    paths = []
    for number in range(24):
        paths.append(tmp_path / f"{number}.png")
        Image.fromarray(noise.integers(0, 255, (256, 256, 3), dtype=np.uint8)).save(paths[-1])

    def peak(count):
        tracemalloc.start()
        film(tmp_path / "out.mp4", [Shot(p, 2, p.stem) for p in paths[:count]], transition_frames=2)
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    peak(3)
    assert peak(24) < peak(6) * 1.05 + 20_000


def test_story_complaint_15_each_picture_is_decoded_once_though_it_is_held_and_faded(
    tmp_path, picture, monkeypatch
):
    from lorakit.rendering import film as module

    opened = []
    real = module.open_rgb
    monkeypatch.setattr(module, "open_rgb", lambda path: (opened.append(path.stem), real(path))[1])
    shots = [Shot(picture(n, RED), 6) for n in "abc"]
    film(tmp_path / "out.mp4", [shots[0], shots[0], shots[1], shots[2]], transition_frames=4)
    assert opened == ["a", "b", "c"]


def test_no_shots_is_said(tmp_path):
    with pytest.raises(FilmError, match="at least one frame"):
        film(tmp_path / "out.mp4", [])


def test_a_broken_picture_is_named_and_nothing_is_left(tmp_path, picture):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"not a picture")
    cut = tmp_path / "cut.png"
    cut.write_bytes(picture("a", RED, (200, 200)).read_bytes()[:-30])
    for bad in (broken, cut, tmp_path / "gone.png"):
        with pytest.raises(LorakitError, match=bad.name):
            film(tmp_path / "out.mp4", [Shot(picture("a", RED), 50), Shot(bad, 2)])
        assert not (tmp_path / "out.mp4").exists()


def test_ffmpegs_last_words_are_told(tmp_path, picture):
    with pytest.raises(FilmError, match="No such file or directory"):
        film(tmp_path / "nowhere" / "out.mp4", [Shot(picture("a", RED), 400)])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a full disk at hand")
def test_a_full_disk_is_told(tmp_path, picture):
    (tmp_path / "out.mp4").symlink_to("/dev/full")
    with pytest.raises(FilmError, match="No space left"):
        film(tmp_path / "out.mp4", [Shot(picture("a", RED), 400)])


@pytest.mark.skipif(sys.platform == "win32", reason="a script stands in for ffmpeg")
@pytest.mark.parametrize(
    ("script", "said"), [("echo oh no >&2; exit 3", "oh no"), ("exit 0", "it said")]
)
def test_an_encoder_that_ends_early_is_told(tmp_path, picture, monkeypatch, script, said):
    fake = tmp_path / "ffmpeg"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    monkeypatch.setattr(ffmpeg_writer, "ffmpeg", lambda: str(fake))
    with pytest.raises(FilmError, match=said):
        film(tmp_path / "out.mp4", [Shot(picture("a", RED), 4000)])


def test_an_ffmpeg_that_is_not_there_is_told(tmp_path, picture, monkeypatch):
    monkeypatch.setattr(ffmpeg_writer, "ffmpeg", lambda: str(tmp_path / "absent"))
    with pytest.raises(FilmError, match="does not start"):
        film(tmp_path / "out.mp4", [Shot(picture("a", RED), 4)])


def test_giving_up_early_leaves_nothing(tmp_path, picture):
    making = write_film(tmp_path / "out.mp4", [Shot(picture("a", RED), 500)], fps=24)
    next(making)
    making.close()
    assert not (tmp_path / "out.mp4").exists()


def test_a_path_with_odd_letters_serves(tmp_path, picture, decode):
    target = tmp_path / "a:b %03d 'ü' -x" / "film.mp4"
    target.parent.mkdir()
    film(target, [Shot(picture("a", RED), 3)])
    assert len(decode(target).frames) == 3


def test_a_film_of_an_aspect_crops_its_pictures_to_the_pixel(tmp_path, decode):
    from PIL import ImageDraw

    page = Image.new("RGB", (160, 96), (255, 0, 0))
    ImageDraw.Draw(page).rectangle((0, 3, 159, 92), fill=(0, 0, 255))
    page.save(tmp_path / "a.png")
    Image.new("RGB", (96, 160), (0, 0, 255)).save(tmp_path / "tall.png")
    shots = [Shot(tmp_path / "a.png", 3), Shot(tmp_path / "tall.png", 3)]
    film(tmp_path / "out.mp4", shots, height=90, width=160)
    frames = decode(tmp_path / "out.mp4").frames
    assert frames[0].shape == (90, 160, 3)
    assert frames[0][:, :, 2].min() > 200  # no red of the upper and the lower edge
    assert frames[-1][:, 0].max() < 20  # another shape gets bars
    assert frames[-1][:, 80, 2].min() > 200


@pytest.mark.parametrize("fps", [10, 24, 25])
def test_a_gif_shows_each_frame_for_its_time(tmp_path: Path, fps: int) -> None:
    """A GIF counts in hundredths of a second: at 24 frames/s they come to the right length all the same."""
    shots = []
    for number, colour in enumerate(["red", "green", "blue"]):
        Image.new("RGB", (48, 32), colour).save(tmp_path / f"{number}.png")
        shots.append(Shot(tmp_path / f"{number}.png", fps))
    target = tmp_path / "film.gif"
    for _ in write_film(target, shots, fps=fps):
        pass
    with Image.open(target) as film:
        assert film.size == (48, 32)
        assert film.info["loop"] == 0
        lasted, colours = 0, []
        for frame in range(film.n_frames):
            film.seek(frame)
            lasted += film.info["duration"]
            colours.append(film.convert("RGB").getpixel((24, 16)))
    assert lasted == 3000
    assert [max(range(3), key=c.__getitem__) for c in (colours[0], colours[-1])] == [0, 2]


def clip(path, greys, size=(64, 48)):
    """A clip of one grey after the other."""
    with ClipWriter(path, *size) as writer:
        for grey in greys:
            writer.write(Image.new("RGB", size, (grey,) * 3))
        writer.finish()
    return path


def greys(path, decode):
    return [int(frame[20, 30, 0]) for frame in decode(path).frames]


def test_a_clip_plays_between_stills(tmp_path, picture, decode):
    steps = list(range(40, 200, 20))
    part = ClipPart(len(steps), 64, 48)
    shots = [
        Shot(picture("a", (20,) * 3), 3),
        Shot(clip(tmp_path / "c", steps), len(steps), "", part),
        Shot(picture("b", (220,) * 3), 2),
    ]
    film(tmp_path / "out.mp4", shots)
    assert greys(tmp_path / "out.mp4", decode) == pytest.approx([20] * 3 + steps + [220] * 2, abs=3)


def test_a_crossfade_takes_the_frames_of_a_clip_as_they_come(tmp_path, picture, decode):
    """Past its end it stands still, and before its beginning."""
    first, second = (
        clip(tmp_path / "c", [40, 50, 60, 70]),
        clip(tmp_path / "d", [100, 120, 140, 160]),
    )
    shots = [Shot(path, 4, "", ClipPart(4, 64, 48)) for path in (first, second)]
    film(tmp_path / "out.mp4", shots, transition_frames=4)
    wanted = [40, 50]
    before, after = [60, 70, 70, 70], [100, 100, 100, 120]
    for number, (a, b) in enumerate(zip(before, after, strict=True)):
        share = (number + 0.5) / 4
        wanted.append(a * (1 - share) + b * share)
    assert greys(tmp_path / "out.mp4", decode) == pytest.approx([*wanted, 140, 160], abs=3)


def test_a_clip_goes_on_over_two_captions(tmp_path, decode):
    """Each shot has its part of it, and a crossfade of captions sees one movement."""
    steps = list(range(40, 200, 16))
    path = clip(tmp_path / "c", steps)
    shots = [
        Shot(path, 4, "One", ClipPart(len(steps), 64, 48)),
        Shot(path, 6, "Two", ClipPart(len(steps), 64, 48, first=4)),
    ]
    film(tmp_path / "out.mp4", shots, transition_frames=4)
    assert greys(tmp_path / "out.mp4", decode) == pytest.approx(steps, abs=3)


@pytest.mark.parametrize(
    ("rate", "frames", "wanted"),
    [
        ((1, 2), 8, [0, 0, 1, 1, 2, 2, 3, 3]),
        ((4, 10), 10, [0, 0, 0, 1, 1, 2, 2, 2, 3, 3]),
        ((2, 1), 3, [0, 2, 3]),
        ((1, 1), 6, [0, 1, 2, 3, 3, 3]),
    ],
)
def test_a_clip_of_another_speed(tmp_path, decode, rate, frames, wanted):
    steps = [40, 80, 120, 160]
    path = clip(tmp_path / "c", steps)
    film(tmp_path / "out.mp4", [Shot(path, frames, "", ClipPart(4, 64, 48, rate=rate))])
    expected = [steps[n] for n in wanted]
    assert greys(tmp_path / "out.mp4", decode) == pytest.approx(expected, abs=3)


def test_a_clip_is_scaled_as_pictures_are(tmp_path, picture, decode):
    path = clip(tmp_path / "c", [90] * 3, (32, 32))
    shots = [Shot(picture("a", RED), 2), Shot(path, 3, "", ClipPart(3, 32, 32))]
    film(tmp_path / "out.mp4", shots)
    frame = decode(tmp_path / "out.mp4").frames[3]
    assert near(frame[24, 2], (0, 0, 0)), "bars beside it"
    assert near(frame[24, 32], (90,) * 3)
    film(tmp_path / "own.mp4", shots[1:])
    made = decode(tmp_path / "own.mp4")
    assert (made.width, made.height) == (32, 32)


@pytest.mark.parametrize("way", ["wipe", "slide"])
@pytest.mark.parametrize("towards", ["left", "right", "up", "down"])
@pytest.mark.parametrize("ending", ["png", "mp4"])
def test_a_picture_comes_towards_a_side(tmp_path, decode, way, towards, ending):
    """In RGB to the pixel; in planes as near as H.264 comes."""
    y, x = np.mgrid[0:48, 0:64]
    first = np.stack([x * 4, y * 5, 0 * x], axis=-1).astype(np.uint8)
    second = np.stack([0 * x, x * 4, y * 5], axis=-1).astype(np.uint8)
    for name, array in (("a", first), ("b", second)):
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    shots = [Shot(tmp_path / "a.png", 6), Shot(tmp_path / "b.png", 6)]
    target = tmp_path / ("out.mp4" if ending == "mp4" else "frames")
    film(target, shots, joins=[Join(f"{way}-{towards}", 4)])
    if ending == "mp4":
        frames = decode(target).frames.astype(int)
        assert len(frames) == 12
        shown = frames[4]
    else:
        shown = np.asarray(Image.open(target / "000005.png")).astype(int)
    # an eighth of the way, as the middle of the first of four frames
    length = 64 if towards in ("left", "right") else 48
    come = 2 * round(length / 8 / 2)
    wanted = first.astype(int)
    axis = 1 if towards in ("left", "right") else 0
    ahead = -1 if towards in ("left", "up") else 1
    if way == "slide":
        wanted = np.roll(wanted, ahead * come, axis=axis)
    strip = [slice(None), slice(None)]
    strip[axis] = slice(-come, None) if ahead < 0 else slice(0, come)
    of_second = [slice(None), slice(None)]
    if way == "wipe":
        of_second[axis] = strip[axis]
    else:
        of_second[axis] = slice(0, come) if ahead < 0 else slice(length - come, None)
    wanted[tuple(strip)] = second[tuple(of_second)]
    apart = np.abs(shown - wanted)
    assert apart.max() == 0 if ending == "png" else apart.mean() < 6


@pytest.mark.parametrize(("kind", "grey"), [("fade-black", 0), ("fade-white", 255)])
def test_a_fade_goes_through_its_colour(tmp_path, picture, kind, grey):
    shots = [Shot(picture("a", (100,) * 3), 8), Shot(picture("b", (160,) * 3), 8)]
    film(tmp_path / "frames", shots, joins=[Join(kind, 8)])
    shown = []
    for number in range(16):
        files = sorted(p.stem for p in (tmp_path / "frames").iterdir())
        name = max(f for f in files if int(f) <= number + 1)
        shown.append(Image.open(tmp_path / "frames" / f"{name}.png").getpixel((3, 3))[0])
    wanted = [100] * 4
    wanted += [100 + (grey - 100) * 2 * (k + 0.5) / 8 for k in range(4)]
    wanted += [grey + (160 - grey) * (2 * (k + 0.5) / 8 - 1) for k in range(4, 8)]
    assert shown == pytest.approx([*wanted, *[160] * 4], abs=1)


def test_each_cut_has_its_own_transition(tmp_path, picture, decode):
    shots = [Shot(picture(n, c), 6) for n, c in (("a", RED), ("b", BLUE), ("c", GREEN))]
    film(tmp_path / "out.mp4", shots, joins=[Join("cut", 0), Join("crossfade", 4)])
    made = decode(tmp_path / "out.mp4")
    assert len(made.frames) == 18
    assert near(made.colour(5), RED)
    assert near(made.colour(6), BLUE)
    assert not near(made.colour(11), BLUE)
    assert near(made.colour(15), GREEN)


@pytest.mark.parametrize("size", [(16, 8), (90, 66)])
def test_planes_are_the_nearest_values_of_bt_709(size):
    from lorakit.rendering.yuv import split, to_yuv

    picture = Image.fromarray(
        np.random.default_rng(1).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    )
    rgb = np.asarray(picture, dtype=np.float64)
    quarter = np.asarray(picture.reduce(2), dtype=np.float64)
    kr, kb = 0.2126, 0.0722
    luma, small = (a @ [kr, 1 - kr - kb, kb] for a in (rgb, quarter))
    wanted = (
        16 + 219 / 255 * luma,
        128 + 224 / 255 * (quarter[..., 2] - small) / (2 * (1 - kb)),
        128 + 224 / 255 * (quarter[..., 0] - small) / (2 * (1 - kr)),
    )
    for plane, exact in zip(split(to_yuv(picture), *size), wanted, strict=True):
        assert np.abs(plane - exact).max() < 0.501
