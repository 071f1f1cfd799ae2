"""Every format as others read it: frames, rates, durations, streams, tags, and colours."""

from __future__ import annotations

import json
import shutil
import subprocess
from fractions import Fraction
from pathlib import Path

import imageio_ffmpeg
import numpy as np
import pytest
from PIL import Image

from lorakit.facts.machine.ffmpeg import this_ffmpeg
from lorakit.language.story import rates
from lorakit.language.story.film_formats import ENCODERS, FORMATS
from lorakit.plan.tasks.film import picture_name
from lorakit.plan.tasks.finished_film import Chapter, FinishedFilmTask
from lorakit.rendering.captions import CaptionStyle
from lorakit.rendering.encodings import Encoding
from lorakit.rendering.film import Shot, write_film
from lorakit.rendering.finished_film import write_finished_film
from tests.support.probe import probe

NTSC = Fraction(30000, 1001)
# corners of the cube, greys, and colours that are near the edge of what 4:2:0 in limited range holds
COLOURS = (
    *((0, 0, 0), (255, 255, 255), (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128)),
    *((250, 240, 10), (12, 200, 190), (200, 30, 30), (128, 64, 190), (91, 17, 240), (33, 34, 35)),
)
# (format, encoder) -> the codec, its tag, and pixels that a probe tells
WRITTEN = {
    ("mp4", "libx264"): ("h264", "avc1", "yuv420p"),
    ("mp4", "libx265"): ("hevc", "hvc1", "yuv420p"),
    ("mp4", "libsvtav1"): ("av1", "av01", "yuv420p"),
    ("webm", "libvpx-vp9"): ("vp9", "", "yuv420p"),
    ("webm", "libaom-av1"): ("av1", "", "yuv420p"),
    ("mov", "prores_ks"): ("prores", "apch", "yuv422p10le"),
    ("mov", "libx264"): ("h264", "avc1", "yuv420p"),
}
CONTAINERS = {
    "mp4": "mov,mp4,m4a,3gp,3g2,mj2",
    "mov": "mov,mp4,m4a,3gp,3g2,mj2",
    "webm": "matroska,webm",
}


def write(target: Path, shots: list[Shot], rate: Fraction = NTSC, **more: object) -> Path:
    for _ in write_film(target, shots, fps=rate, **more):  # type: ignore[arg-type]
        pass
    return target


def has(encoder: str) -> None:
    if encoder not in this_ffmpeg().encoders:
        pytest.skip(f"the ffmpeg here has no {encoder}")


@pytest.fixture(scope="module")
def patches(tmp_path_factory: pytest.TempPathFactory) -> list[Shot]:
    """A flat picture of each colour, of a size that is no multiple of an encoder's blocks, for two frames."""
    home = tmp_path_factory.mktemp("patches")
    for number, colour in enumerate(COLOURS):
        Image.new("RGB", (90, 66), colour).save(home / f"{number}.png")
    return [Shot(home / f"{number}.png", 2) for number in range(len(COLOURS))]


def decoded(film: Path, size: tuple[int, int] = (90, 66)) -> np.ndarray:
    """A film's frames as RGB by ffmpeg, which goes by the film's tags and rounds as well as it can."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-i", str(film)]
    exactly = "scale=flags=accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
    raw = ["-vf", exactly, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    data = subprocess.run([*command, *raw], capture_output=True, check=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, size[1], size[0], 3)


@pytest.mark.parametrize(("form", "encoder"), WRITTEN)
def test_a_format_is_what_it_says_and_keeps_its_colours(
    tmp_path: Path, patches: list[Shot], form: str, encoder: str
) -> None:
    has(encoder)
    encoding = Encoding(form, encoder)  # type: ignore[arg-type]
    film = write(tmp_path / f"film.{form}", patches, encoding=encoding)
    told, frames = probe(film), 2 * len(COLOURS)
    assert (told.codec, told.tag, told.pixels) == WRITTEN[form, encoder]
    assert told.container == CONTAINERS[form]
    assert told.streams == ("video",)
    assert told.size == (90, 66)
    assert told.rate == NTSC
    assert told.frames == frames
    assert abs(told.duration - frames / NTSC) < Fraction(1, 1000)
    assert told.colours == (1, 1, 1), "BT.709"
    assert told.range == 1, "limited"
    if form != "webm":  # which counts milliseconds
        assert told.stamps == tuple(n / NTSC for n in range(frames))
    shown, wanted = decoded(film).astype(int), np.repeat(np.array(COLOURS), 2, axis=0)
    # by a patch's mean: single pixels of a block may ring, the less the higher the quality
    assert np.abs(shown.mean(axis=(1, 2)) - wanted).max() <= 2
    assert np.abs(shown - wanted[:, None, None]).max() <= 4


def test_a_gif_keeps_every_flat_colour(tmp_path: Path, patches: list[Shot]) -> None:
    film = write(tmp_path / "film.gif", patches, Fraction(25))
    told = probe(film)
    assert (told.container, told.codec, told.frames) == ("gif", "gif", 2 * len(COLOURS))
    assert told.stamps == tuple(Fraction(n, 25) for n in range(2 * len(COLOURS)))
    apart = decoded(film).astype(int) - np.repeat(np.array(COLOURS), 2, axis=0)[:, None, None]
    assert np.abs(apart).max() <= 2


def played(path: Path) -> tuple[list[tuple[int, ...]], list[int], int | None]:
    """By Pillow: the colour in the middle of each picture, its milliseconds, and the count of loops."""
    with Image.open(path) as film:
        colours, lasting = [], []
        for number in range(film.n_frames):  # type: ignore[attr-defined]
            film.seek(number)
            middle = film.convert("RGB").getpixel((film.width // 2, film.height // 2))
            colours.append(middle)
            film.load()
            lasting.append(int(film.info["duration"]))
        return colours, lasting, film.info.get("loop")  # type: ignore[return-value]


def test_a_webp_moves_and_keeps_its_colours(tmp_path: Path, patches: list[Shot]) -> None:
    film = write(tmp_path / "film.webp", patches)
    colours, lasting, loop = played(film)
    assert len(colours) == len(COLOURS), "a held picture is one, that lasts"
    assert loop == 0
    assert abs(sum(lasting) - 1000 * 2 * len(COLOURS) / NTSC) <= 1
    assert max(lasting) - min(lasting) <= 1
    assert np.abs(np.array(colours) - np.array(COLOURS)).max() <= 2


@pytest.mark.parametrize(("plays", "gif", "webp"), [(0, 0, 0), (1, None, 1), (3, 2, 3)])
def test_a_film_that_repeats_says_how_often(
    tmp_path: Path, patches: list[Shot], plays: int, gif: int | None, webp: int
) -> None:
    """GIF counts how often it is shown again, WebP how often it is shown."""
    for form, wanted in (("gif", gif), ("webp", webp)):
        encoding = Encoding(form, loop=plays)  # type: ignore[arg-type]
        film = write(tmp_path / f"film.{form}", patches[:2], encoding=encoding)
        assert played(film)[2] == wanted, form


def test_pictures_are_a_file_a_stretch_without_a_loss(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, 48, 64, 3), dtype=np.uint8)
    for number in range(2):
        Image.fromarray(noise[number]).save(tmp_path / f"{number}.png")
    shots = [Shot(tmp_path / "0.png", 5), Shot(tmp_path / "1.png", 3)]
    folder = write(tmp_path / "frames", shots, transition_frames=2)
    names = [picture_name(n) for n in (0, 4, 5, 6)]
    assert sorted(path.name for path in folder.iterdir()) == names
    first, mixed, _, last = (np.asarray(Image.open(folder / name)).astype(int) for name in names)
    assert (first == noise[0]).all()
    assert (last == noise[1]).all()
    assert np.abs(mixed - (0.75 * noise[0] + 0.25 * noise[1])).max() <= 1


def test_captions_are_drawn_alike_in_rgb_and_in_planes(tmp_path: Path) -> None:
    Image.new("RGB", (160, 96), (90, 90, 90)).save(tmp_path / "a.png")
    shots = [Shot(tmp_path / "a.png", 2, "A fox finds a key")]
    film = write(tmp_path / "film.mp4", shots, captions=CaptionStyle(size=0.12))
    folder = write(tmp_path / "frames", shots, captions=CaptionStyle(size=0.12))
    rgb = np.asarray(Image.open(folder / picture_name(0))).astype(int)
    yuv = decoded(film, (160, 96))[0].astype(int)
    assert rgb.max() == 255
    assert rgb.min() < 25
    assert np.abs(rgb - yuv).mean() < 2


def test_a_quick_film_has_the_same_frames(tmp_path: Path, patches: list[Shot]) -> None:
    told = [
        probe(write(tmp_path / f"{quick}.mp4", patches, encoding=Encoding(quick=quick)))
        for quick in (False, True)
    ]
    assert told[0].stamps == told[1].stamps
    assert (told[1].codec, told[1].pixels, told[1].colours) == ("h264", "yuv420p", (1, 1, 1))
    assert (tmp_path / "True.mp4").read_bytes() != (tmp_path / "False.mp4").read_bytes()


@pytest.mark.slow
def test_quality_weighs_size_against_likeness(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (12, 16, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((160, 96))
    picture.save(tmp_path / "a.png")
    for encoder in ("libx264", "libx265", "libsvtav1", "libvpx-vp9", "prores_ks", "libwebp_anim"):
        has(encoder)
        form = next(f for f, e in [*WRITTEN, ("webp", "libwebp_anim")] if e == encoder)
        sizes = []
        for quality in (10, 80, 100):
            encoding = Encoding(form, encoder, quality)  # type: ignore[arg-type]
            target = tmp_path / f"{quality}.{form}"
            sizes.append(write(target, [Shot(tmp_path / "a.png", 2)], encoding=encoding).stat())
        low, good, best = (one.st_size for one in sizes)
        assert low < good, encoder
        assert good < best or encoder == "prores_ks", encoder


@pytest.mark.parametrize(("form", "encoder"), [*WRITTEN, ("webp", "libwebp_anim"), ("gif", "gif")])
def test_the_same_pictures_give_the_same_bytes(
    tmp_path: Path, patches: list[Shot], form: str, encoder: str
) -> None:
    has(encoder)
    encoding = Encoding(form, "" if form in ("gif", "webp") else encoder)  # type: ignore[arg-type]
    one, other = (
        write(tmp_path / f"{name}.{form}", patches[:4], encoding=encoding, transition_frames=2)
        for name in "ab"
    )
    assert one.read_bytes() == other.read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("rate", ["23.976", "29.97"])
def test_broadcast_rates_are_exact_over_ten_minutes(tmp_path: Path, rate: str) -> None:
    """Ten minutes less than a frame, and every frame at its own time to the tick."""
    Image.new("RGB", (16, 16), "navy").save(tmp_path / "a.png")
    exact = rates.of(rate)
    assert exact.denominator == 1001
    count = int(600 * exact)
    half = Shot(tmp_path / "a.png", count // 2)
    film = write(tmp_path / "film.mp4", [half, Shot(half.picture, count - count // 2)], exact)
    told = probe(film)
    assert told.frames == count
    assert told.stamps == tuple(n / exact for n in range(count))
    assert 600 - told.duration < 1 / exact


@pytest.mark.slow
@pytest.mark.parametrize("form", ["webm", "mov", "gif", "webp"])
def test_no_format_drifts_over_ten_minutes(tmp_path: Path, form: str) -> None:
    """What counts coarser ticks rounds each time by itself."""
    for number in range(2):  # each frame another than the one before, or a WebP would join them
        Image.new("RGB", (16, 16), (40 * number, 0, 90)).save(tmp_path / f"{number}.png")
    count = int(600 * NTSC)
    shots = [Shot(tmp_path / f"{number % 2}.png", 1) for number in range(count)]
    film = write(tmp_path / f"film.{form}", shots)
    tick = {"webm": Fraction(1, 1000), "gif": Fraction(1, 100), "webp": Fraction(1, 1000)}
    if form == "webp":
        lasting = played(film)[1]
        stamps = tuple(Fraction(sum(lasting[:n]), 1000) for n in range(count))
    else:
        stamps = probe(film).stamps
    assert len(stamps) == count
    late = [abs(stamp - n / NTSC) for n, stamp in enumerate(stamps)]
    assert max(late) <= tick.get(form, 0)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("ffprobe") is None, reason="ffprobe is not installed")
@pytest.mark.parametrize(("form", "encoder"), [*WRITTEN, ("gif", "")])
def test_ffprobe_sees_what_was_written(
    tmp_path: Path, patches: list[Shot], form: str, encoder: str
) -> None:
    """Of a finished film with sound: streams, frames, rate, duration, colours, and what it says of itself."""
    if encoder:
        has(encoder)
    rate, heard = (Fraction(25) if form == "gif" else NTSC), form != "gif"
    encoding = Encoding(form, encoder)  # type: ignore[arg-type]
    silent = write(tmp_path / f"silent.{form}", patches, rate, encoding=encoding)
    frames, inputs = 2 * len(COLOURS), {"film": str(silent)}
    if heard:
        lasts = ["-t", f"{float(frames / rate):.6f}"]
        tone = ["-f", "lavfi", "-i", "sine=440:sample_rate=48000", "-ac", "2", *lasts]
        sound = tmp_path / "sound.flac"
        ffmpeg = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error"]
        subprocess.run([*ffmpeg, *tone, str(sound)], check=True)
        inputs["sound"] = str(sound)
    chapters = (Chapter("one", 6, 12), Chapter("two", 6, frames - 12)) if heard else ()
    told = (rate.as_integer_ratio(), chapters, "trainedAlgorithmicMedia")
    film = tmp_path / f"film.{form}"
    list(write_finished_film(film, FinishedFilmTask(form, "Patches", *told), inputs))  # type: ignore[arg-type]
    asked = ["ffprobe", "-v", "error", "-of", "json", "-count_packets", "-show_streams"]
    asked += ["-show_format", "-show_chapters", str(film)]
    seen = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    streams = {one["codec_type"]: one for one in seen["streams"]}
    video = streams["video"]
    codec, tag, pixels = WRITTEN.get((form, encoder), ("gif", "", "bgra"))
    assert (video["codec_name"], video["pix_fmt"]) == (codec, pixels)
    assert not tag or video["codec_tag_string"] == tag
    assert (video["width"], video["height"]) == (90, 66)
    assert int(video["nb_read_packets"]) == frames
    assert abs(Fraction(seen["format"]["duration"]) - frames / rate) < Fraction(25, 1000)
    assert Fraction(video["r_frame_rate"]) == rate
    if not heard:
        assert set(streams) == {"video"}
        return
    named = ("color_space", "color_primaries", "color_transfer", "color_range")
    assert [video[name] for name in named] == ["bt709", "bt709", "bt709", "tv"]
    audio = streams["audio"]
    assert audio["codec_name"] == ("opus" if form == "webm" else "aac")
    assert (audio["sample_rate"], audio["channels"]) == ("48000", 2)
    tags = {key.casefold(): value for key, value in seen["format"]["tags"].items()}
    assert tags["title"] == "Patches"
    assert [one["tags"]["title"] for one in seen["chapters"]] == ["one", "two"]
    assert float(seen["chapters"][1]["start_time"]) == pytest.approx(float(12 / rate), abs=0.0006)
    # the text track is mp4's own way of keeping chapters
    assert set(streams) - {"data"} == {"video", "audio"}


def test_every_format_s_first_encoder_is_in_the_ffmpeg_that_ships() -> None:
    """What is written by default needs no ffmpeg but imageio-ffmpeg's."""
    encoders = this_ffmpeg().encoders
    for form, able in FORMATS.items():
        for codec in able.codecs or ({"gif": "gif", "webp": "webp"}.get(form, ""),):
            assert not codec or any(one in encoders for one in ENCODERS[codec]), codec
