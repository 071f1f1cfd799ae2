"""What a finished film says of itself, as ffprobe and Pillow read it: chapters, title, source type."""

from __future__ import annotations

import json
import subprocess
import xml.etree.ElementTree as ET
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from lorakit.kinds.finished import source_type
from lorakit.language.story.motions import Motion
from lorakit.plan.film_times import FilmTimes
from lorakit.plan.kind import Clip, ClipMotion
from lorakit.plan.tasks.film import SourceType
from lorakit.plan.tasks.finished_film import Chapter, FinishedFilmTask
from lorakit.plan.tasks.painted import PaintedTask
from lorakit.rendering import png
from lorakit.rendering.encodings import Encoding
from lorakit.rendering.ffmpeg_writer import FilmError
from lorakit.rendering.film import Shot, write_film
from lorakit.rendering.finished_film import write_finished_film
from lorakit.rendering.xmp_files import put_xmp
from tests.support.actions import FRAME
from tests.support.probe import probe

RATE = Fraction(24000, 1001)
TITLE = "Füchse; = und\\ #Schlüssel\nam Abend"
DRAWN: SourceType = "trainedAlgorithmicMedia"
CODE = f"http://cv.iptc.org/newscodes/digitalsourcetype/{DRAWN}"
CHAPTERS = (Chapter("1. in a meadow; =x", 2, 13), Chapter("2. 小红在森林", 1, 7))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The pictures of a film in each format, without anything said."""
    home = tmp_path_factory.mktemp("films")
    shots = []
    for number, colour in enumerate(("navy", "olive", "teal")):
        Image.new("RGB", (64, 48), colour).save(home / f"{number}.png")
        shots.append(Shot(home / f"{number}.png", (6, 7, 7)[number]))
    found = {}
    for form in ("mp4", "mov", "webm", "gif", "webp"):
        found[form] = home / f"film.{form}"
        encoding = Encoding(form, "libx264" if form == "mov" else "")  # type: ignore[arg-type]
        list(write_film(found[form], shots, fps=RATE, encoding=encoding))
    return found


def finished(folder: Path, film: Path, more: dict[str, str] | None = None, **task: Any) -> Path:
    rate = RATE.as_integer_ratio()
    told = {"name": TITLE, "rate": rate, "source_type": DRAWN, **task}
    form = film.suffix[1:]
    target = folder / f"film.{form}"
    made = list(
        write_finished_film(
            target, FinishedFilmTask(form, **told), {"film": str(film), **(more or {})}
        )  # type: ignore[arg-type]
    )
    assert made[-1] == (1, 1)
    return target


def ffprobe(film: Path) -> dict[str, Any]:
    asked = ["ffprobe", "-v", "error", "-of", "json", "-show_chapters", "-show_format"]
    asked += ["-show_streams", *(["-export_xmp", "1"] if film.suffix in (".mp4", ".mov") else [])]
    done = subprocess.run([*asked, str(film)], capture_output=True, check=True)
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def source_in(xmp: str | bytes) -> tuple[str | None, str | None]:
    """The digital source type and the title of a packet."""
    text = xmp.decode() if isinstance(xmp, bytes) else xmp
    root = ET.fromstring(text[text.index("<x:xmpmeta") : text.index("<?xpacket end")])
    rdf, dc = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}", "{http://purl.org/dc/elements/1.1/}"
    told = root.find(f"{rdf}RDF/{rdf}Description")
    assert told is not None
    key = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"
    return told.get(key), told.findtext(f"{dc}title/{rdf}Alt/{rdf}li")


def xmp_of_gif(data: bytes) -> bytes:
    """The packet of the XMP's block, after the blocks of a GIF have been gone through one by one."""

    def past(at: int) -> int:
        while data[at]:
            at += 1 + data[at]
        return at + 1

    at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    found = b""
    while data[at : at + 1] != b";":
        if data[at] == 0x21:
            if data[at + 3 : at + 14] == b"XMP DataXMP":
                found = data[at + 14 : data.index(b"?>", data.index(b"<?xpacket end", at)) + 2]
            at = past(at + 2)
        else:
            local = data[at + 9]
            at = past(at + 11 + (3 << ((local & 7) + 1) if local & 0x80 else 0))
    assert at == len(data) - 1
    return found


@pytest.mark.parametrize("form", ["mp4", "mov", "webm"])
def test_a_film_has_its_chapters_its_title_and_what_made_it(
    tmp_path: Path, pictures: dict[str, Path], form: str
) -> None:
    film = finished(tmp_path, pictures[form], chapters=CHAPTERS)
    told = ffprobe(film)
    tags = {key.casefold(): value for key, value in told["format"]["tags"].items()}
    assert tags["title"] == TITLE
    chapters = told["chapters"]
    assert [one["tags"]["title"] for one in chapters] == [one.title for one in CHAPTERS]
    edges = [0, 13 / RATE, 20 / RATE]  # to the millisecond, which is what mp4 has
    for number, one in enumerate(chapters):
        assert float(one["start_time"]) == pytest.approx(float(edges[number]), abs=0.0006)
        assert float(one["end_time"]) == pytest.approx(float(edges[number + 1]), abs=0.0006)
    if form == "webm":
        assert tags["digital_source_type"] == CODE
    else:
        assert source_in(tags["xmp"]) == (CODE, TITLE)
    before, after = probe(pictures[form]), probe(film)
    assert (after.frames, after.rate, after.size) == (20, before.rate, before.size)
    assert after.stamps == before.stamps
    assert after.colours == (1, 1, 1)


@pytest.mark.parametrize("form", ["gif", "webp"])
def test_a_film_that_repeats_says_what_made_it(
    tmp_path: Path, pictures: dict[str, Path], form: str
) -> None:
    film = finished(tmp_path, pictures[form])
    with Image.open(film) as shown, Image.open(pictures[form]) as before:
        assert shown.n_frames == before.n_frames  # type: ignore[attr-defined]
        assert shown.info["loop"] == before.info["loop"]
        if form == "webp":
            assert source_in(shown.info["xmp"]) == (CODE, TITLE)
        for number in range(shown.n_frames):  # type: ignore[attr-defined]
            shown.seek(number)
            before.seek(number)
            assert shown.convert("RGB").tobytes() == before.convert("RGB").tobytes()
    if form == "gif":
        assert source_in(xmp_of_gif(film.read_bytes())) == (CODE, TITLE)
        assert len(probe(film).stamps) == 20


def test_a_webp_of_one_picture_says_it_too(tmp_path: Path) -> None:
    Image.new("RGB", (32, 20), "navy").save(tmp_path / "a.png")
    one = tmp_path / "one"
    one.mkdir()
    list(write_film(one / "film.webp", [Shot(tmp_path / "a.png", 5)], fps=24))
    film = finished(tmp_path, one / "film.webp")
    with Image.open(film) as shown:
        assert shown.size == (32, 20)
        assert source_in(shown.info["xmp"]) == (CODE, TITLE)


def test_chapters_begin_when_the_run_settles_it(tmp_path: Path, pictures: dict[str, Path]) -> None:
    timing = tmp_path / "timing.json"
    timing.write_text(FilmTimes(RATE, (9, 3, 8), (9, 3, 8), ()).to_json())
    untimed = tuple(Chapter(one.title, one.clips, 0) for one in CHAPTERS)
    film = finished(
        tmp_path, pictures["mp4"], {"timing": str(timing)}, chapters=untimed, timed=True
    )
    starts = [float(one["start_time"]) for one in ffprobe(film)["chapters"]]
    assert starts == pytest.approx([0, float(12 / RATE)], abs=0.0006)


def test_the_same_film_has_the_same_bytes_and_begins_at_once(
    tmp_path: Path, pictures: dict[str, Path]
) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    for form, film in pictures.items():
        a, b = (finished(tmp_path / n, film).read_bytes() for n in ("a", "b"))
        assert a == b, form
    data = (tmp_path / "a" / "film.mp4").read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")


def test_what_is_unknown_is_not_said(tmp_path: Path, pictures: dict[str, Path]) -> None:
    film = finished(tmp_path, pictures["mp4"], name="", source_type="")
    told = ffprobe(film)
    assert told["chapters"] == []
    assert {"title", "xmp"}.isdisjoint(told["format"]["tags"])


@pytest.mark.parametrize("form", ["gif", "webp", "mov"])
def test_a_film_that_breaks_off_is_told(tmp_path: Path, form: str) -> None:
    broken = tmp_path / f"film.{form}"
    broken.write_bytes(b"RIFF1234WEB")
    with pytest.raises(FilmError):
        put_xmp(broken, "<x/>")


def test_pictures_of_a_sequence_and_drawn_frames_say_what_made_them(tmp_path: Path) -> None:
    Image.new("RGB", (32, 20), "navy").save(tmp_path / "a.png")
    folder = tmp_path / "frames"
    shots = [Shot(tmp_path / "a.png", 2)]
    list(write_film(folder, shots, fps=24, source_type=DRAWN))
    with Image.open(folder / "000001.png") as shown:
        assert source_in(shown.info["XML:com.adobe.xmp"]) == (CODE, None)
        (tmp_path / "frame.png").write_bytes(png.encode(shown.convert("RGB"), "key", FRAME))
    with Image.open(tmp_path / "frame.png") as drawn:
        assert source_in(drawn.info["XML:com.adobe.xmp"]) == (CODE, None)
        assert drawn.info["prompt"] == FRAME.prompt


@pytest.mark.parametrize(
    ("painted", "motion", "wanted"),
    [
        ((False, False), "none", "trainedAlgorithmicMedia"),
        ((True, False), "none", "compositeWithTrainedAlgorithmicMedia"),
        ((True, True), "kenburns", "composite"),
        ((True, True), "morph", "compositeWithTrainedAlgorithmicMedia"),
    ],
)
def test_what_made_a_film_is_told_by_its_frames(
    painted: tuple[bool, ...], motion: str, wanted: str
) -> None:
    """Of pictures of the user's own nobody knows it."""
    own = PaintedTask("digest", 8, 8)
    tasks = {f"film/one/{n}": own if by_hand else FRAME for n, by_hand in enumerate(painted)}
    moves = ClipMotion(Motion(motion), (8, 8), "film/one/0", "scene_1")  # type: ignore[arg-type]
    clips = [Clip((id_,), None, "", "", moves) for id_ in tasks]
    assert source_type(clips, tasks) == wanted
