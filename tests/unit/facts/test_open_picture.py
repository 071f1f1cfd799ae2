"""The one door of pictures: how they are seen, and what is said of those that cannot be."""

from __future__ import annotations

import ast
import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

import lorakit
from lorakit.facts.pictures.open_picture import PictureError, header, levels, rgb
from tests.support.icc import SRGB, profile

RAMP = np.linspace(0, 65535, 64).astype(np.uint16).reshape(8, 8)


def seen(file: Path) -> np.ndarray:
    return np.asarray(rgb(file)).astype(int)


def test_only_the_door_opens_pictures() -> None:
    package = Path(lorakit.__file__).parent
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            opens = isinstance(node, ast.Attribute) and node.attr == "open"
            if opens and isinstance(node.value, ast.Name) and node.value.id == "Image":
                assert path.name == "open_picture.py", f"{path}:{node.lineno}"


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_grey_of_16_bits_keeps_its_greys(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"a.{ending}"
    Image.fromarray(RAMP).save(file)
    assert abs(seen(file)[..., 0] - RAMP / 257).max() <= 0.5
    assert header(file, "a", whole=True).converted
    assert abs(np.asarray(levels(file)).astype(int) - RAMP / 257).max() <= 0.5


@pytest.mark.parametrize("white", [1, 255])
def test_floats_keep_their_greys(tmp_path: Path, white: int) -> None:
    values = (RAMP / 65535 * white).astype(np.float32)
    Image.fromarray(values).save(tmp_path / "a.tif")
    assert abs(seen(tmp_path / "a.tif")[..., 1] - RAMP / 257).max() <= 0.5


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ([[0.0, 700.0]], "go from 0 to 700"),
        ([[-1.0, 0.5]], "go from -1"),
        ([[0.0, np.nan]], "finite"),
    ],
)
def test_floats_whose_white_is_not_known_are_refused(
    tmp_path: Path, values: list[list[float]], why: str
) -> None:
    Image.fromarray(np.array(values, np.float32)).save(tmp_path / "a.tif")
    for look in (rgb, lambda file: header(file, str(file), whole=True)):
        with pytest.raises(PictureError, match=f"a.tif cannot be read: .*{why}"):
            look(tmp_path / "a.tif")


@pytest.mark.parametrize("kind", ["RGB", "RGBA", "P", "L"])
def test_colours_are_those_of_the_picture_s_profile(tmp_path: Path, kind: str) -> None:
    turned = (SRGB[2], SRGB[1], SRGB[0])  # what it calls red is blue
    colour = (255, 0, 0) if kind in ("RGB", "P") else (255, 0, 0, 128) if kind == "RGBA" else 128
    picture = Image.new("RGB" if kind == "P" else kind, (4, 4), colour)
    picture = picture.quantize(4) if kind == "P" else picture
    picture.save(tmp_path / "a.png", icc_profile=profile("turned", turned, 2.2))
    red, green, blue = seen(tmp_path / "a.png")[0, 0]
    if kind == "L":
        assert abs(np.array([red, green, blue]) - 128).max() <= 3
    elif kind == "RGBA":
        assert (red, green) == (127, 127)
        assert blue >= 253
    else:
        assert (red < 5, green < 5, blue > 250) == (True, True, True)
    assert header(tmp_path / "a.png", "a").converted
    plain = Image.new("RGB", (4, 4), (200, 100, 50))
    plain.save(tmp_path / "linear.png", icc_profile=profile("linear", SRGB, 1.0))
    assert seen(tmp_path / "linear.png")[0, 0].min() > 100  # 50 of a linear scale is brighter


def test_srgb_and_torn_profiles_change_nothing(tmp_path: Path) -> None:
    picture = Image.new("RGB", (4, 4), (200, 100, 50))
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for name, data in {"srgb": srgb, "torn": srgb[:100], "none": b"nonsense"}.items():
        picture.save(tmp_path / f"{name}.png", icc_profile=data)
        assert not header(tmp_path / f"{name}.png", name).converted
        assert tuple(seen(tmp_path / f"{name}.png")[0, 0]) == (200, 100, 50)


def test_cmyk_lab_and_palettes_with_transparency(tmp_path: Path) -> None:
    Image.new("CMYK", (4, 4), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    assert np.abs(seen(tmp_path / "a.jpg")[0, 0] - (255, 0, 0)).max() < 8
    rgb_red = Image.new("RGB", (4, 4), (255, 0, 0))
    to_lab = ImageCms.buildTransform(
        ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
    )
    ImageCms.applyTransform(rgb_red, to_lab).save(tmp_path / "lab.tif")
    assert np.abs(seen(tmp_path / "lab.tif")[0, 0] - (255, 0, 0)).max() < 8
    clear = Image.new("P", (4, 4), 1)
    clear.putpalette([0, 0, 0, 0, 200, 0])
    clear.putpixel((0, 0), 0)
    clear.save(tmp_path / "p.png", transparency=bytes([0, 255]))
    assert header(tmp_path / "p.png", "p").clear
    pixels = seen(tmp_path / "p.png")
    assert tuple(pixels[0, 0]) == (255, 255, 255)
    assert tuple(pixels[1, 1]) == (0, 200, 0)


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_seen_as_their_exif_says(
    tmp_path: Path, ending: str, orientation: int
) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[274] = orientation
    made = Image.new("RGB", (24, 16), "white")
    made.paste((0, 0, 0), (0, 0, 8, 8))
    file = tmp_path / f"a.{ending}"
    made.save(file, exif=exif, **({"lossless": True} if ending == "webp" else {}))
    with Image.open(file) as opened:
        opened.load()
        expected = ImageOps.exif_transpose(opened).convert("RGB")
    assert header(file, "a").size == expected.size
    assert np.abs(seen(file) - np.asarray(expected).astype(int)).max() <= 2


def test_an_orientation_that_is_no_number_turns_nothing(tmp_path: Path) -> None:
    words = b"sideways\0"
    exif = struct.pack("<2sHIHHHIII", b"II", 42, 8, 1, 274, 2, len(words), 26, 0) + words
    Image.new("RGB", (24, 16)).save(tmp_path / "a.png", exif=b"Exif\0\0" + exif)
    assert (
        header(tmp_path / "a.png", "a", whole=True).size == rgb(tmp_path / "a.png").size == (24, 16)
    )


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(*chunks: bytes, size: tuple[int, int] = (4, 4)) -> bytes:
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, 8, 2, 0, 0, 0))
    rows = zlib.compress((b"\0" + b"\0" * 12) * 4)
    return (
        b"\x89PNG\r\n\x1a\n" + head + b"".join(chunks) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    )


def noise(size: int = 256) -> bytes:
    target = io.BytesIO()
    values = np.random.default_rng(1).integers(0, 255, (size, size, 3), np.uint8)
    Image.fromarray(values).save(target, "JPEG")
    return target.getvalue()


EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n(x) run\nshowpage\n"
BAD = {
    "eps": (EPS, "it is none of PNG, JPEG"),
    "ppm": (b"P6\n4 4\n255\n" + bytes(48), "it is none of PNG, JPEG"),
    "sgi": (struct.pack(">HBBHHHH", 474, 0, 1, 2, 4, 4, 1) + bytes(600), "it is none of"),
    "empty": (b"", "it is none of"),
    "text bomb": (png(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(80 << 20)))), "too large|text"),
    "torn": (noise()[:-4000], "truncated"),
    "torn in its head": (png()[:30], "none of|truncated|Truncated"),
    "many pixels": (png(size=(60_000, 60_000)), "pixels"),
}


@pytest.mark.parametrize("name", BAD)
def test_attack_pictures_that_are_none_are_named_with_what_is_wrong(
    tmp_path: Path, name: str
) -> None:
    data, why = BAD[name]
    (tmp_path / "x.png").write_bytes(data)
    with pytest.raises(PictureError, match=r"x\.png cannot be read") as caught:
        header(tmp_path / "x.png", str(tmp_path / "x.png"), whole=True)
    assert any(part in str(caught.value) for part in why.split("|")), caught.value
    with pytest.raises(PictureError, match=r"x\.png cannot be read"):
        rgb(tmp_path / "x.png")


def test_attack_a_picture_torn_at_any_place_is_a_picture_or_an_error(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    for ending in ("png", "jpg", "gif", "tif", "webp", "bmp"):
        whole = tmp_path / f"whole.{ending}"
        Image.fromarray(rng.integers(0, 255, (24, 24, 3), np.uint8)).save(whole)
        for number in range(40):
            data = bytearray(whole.read_bytes())
            for _ in range(1 + number % 3):
                data[rng.integers(len(data))] = rng.integers(256)
            torn = tmp_path / f"torn.{ending}"
            torn.write_bytes(data[: rng.integers(1, len(data))] if number % 2 else data)
            for look in (rgb, levels, lambda f: header(f, str(f), whole=True)):
                with contextlib.suppress(PictureError):  # and nothing else
                    look(torn)
