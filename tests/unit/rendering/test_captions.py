import numpy as np
import pytest

from lorakit.rendering.captions import CaptionStyle, caption_layer, wrap
from lorakit.rendering.lettering import load_font


def by_letters(text):
    return float(len(text))


@pytest.mark.parametrize("width", [4, 7, 12, 20, 33, 200])
@pytest.mark.parametrize(
    "text",
    [
        "The bunny finds a golden key in the tall grass",
        "a",
        "Donaudampfschifffahrtsgesellschaft",
        "",
    ],
)
def test_lines_fit_and_hold_every_letter(text, width):
    for balanced in (True, False):
        lines = wrap(text, by_letters, width, balanced=balanced)
        assert all(len(line) <= width for line in lines)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_lines_are_as_few_as_can_be_and_of_like_length():
    text = "The bunny finds a golden key in the grass"
    assert wrap(text, by_letters, 36, balanced=False) == [
        "The bunny finds a golden key in the",
        "grass",
    ]
    assert wrap(text, by_letters, 36) == ["The bunny finds a", "golden key in the grass"]


def test_the_balanced_lines_are_never_more_than_the_greedy_ones():
    rng = np.random.default_rng(1)
    for _ in range(200):
        text = " ".join("x" * n for n in rng.integers(1, 9, size=rng.integers(1, 30)))
        width = int(rng.integers(9, 60))
        greedy, even = (wrap(text, by_letters, width, balanced=b) for b in (False, True))
        assert len(even) == len(greedy)
        assert max(map(len, even)) <= max(map(len, greedy))


def test_nothing_to_draw_is_no_layer():
    for text in ("", "  \n ", "\u200b"):
        assert caption_layer(text, CaptionStyle(), 640, 360) is None


@pytest.mark.parametrize("size", [(1280, 720), (720, 1280), (128, 128), (2, 2), (64, 16)])
@pytest.mark.parametrize("text", ["Hi", "The bunny finds a golden key in the tall grass " * 4])
def test_captions_stay_inside_the_film(size, text):
    layer = caption_layer(text, CaptionStyle(), *size)
    assert layer is not None
    assert 0 <= layer.left < layer.right <= size[0]
    assert 0 <= layer.top < layer.bottom <= size[1]
    for edge in (layer.left, layer.right, layer.top, layer.bottom):
        assert edge % 2 == 0


def test_captions_keep_safe_margins():
    layer = caption_layer(
        "The bunny finds a golden key in the tall grass " * 2, CaptionStyle(), 1280, 720
    )
    inked = np.argwhere(layer.light > 200 * 235)
    rows, columns = inked[:, 0] + layer.top, inked[:, 1] + layer.left
    assert columns.min() >= 0.05 * 1280
    assert columns.max() <= 0.95 * 1280
    assert rows.max() <= 0.96 * 720


def test_letters_are_of_the_height_asked_for():
    def tall(size):
        layer = caption_layer("HIH", CaptionStyle(size=size), 1280, 720)
        rows = np.argwhere((layer.light > 128 * 235).any(axis=1))
        return rows.max() - rows.min() + 1

    assert tall(0.1) == pytest.approx(72 * 0.727, abs=2), "72 px type has capitals of 52 px"
    assert tall(0.05) == pytest.approx(36 * 0.727, abs=2)


def test_a_caption_of_no_strength_leaves_the_frame_alone():
    layer = caption_layer("Hello", CaptionStyle(), 64, 64)
    frame = np.full(64 * 64 * 3 // 2, 77, np.uint8)
    layer.draw(frame, 64, 64, 0.0)
    layer.draw(frame, 64, 64, -1.0)
    assert (frame == 77).all()
    layer.draw(frame, 64, 64, 1.0)
    assert frame[: 64 * 64].max() > 200
    assert frame[: 64 * 64].min() < 40


def test_white_letters_on_white_have_a_dark_rim_and_do_not_wrap_around():
    layer = caption_layer("Hello", CaptionStyle(), 320, 180)
    frame = np.full(320 * 180 * 3 // 2, 235, np.uint8)
    layer.draw(frame, 320, 180)
    luma = frame[: 320 * 180]
    assert luma.max() <= 236
    assert luma.min() < 60


def test_fonts_load_in_both_weights():
    assert load_font(20).getlength("bunny") != load_font(20, bold=False).getlength("bunny")
