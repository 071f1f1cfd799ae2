"""What a file's name says of its picture."""

from __future__ import annotations

import pytest

from lorakit.preview.written_captions import words_of_name


@pytest.mark.parametrize(
    ("stem", "words"),
    [
        ("red_fox-03", "red fox"),
        ("Red Panda (2)", "Red Panda"),
        ("a.photo.of.a.dog", "a photo of a dog"),
        ("dog2", "dog"),
        ("1girl_solo", "1girl solo"),
        ("狐狸_01", "狐狸"),
        ("лиса-7", "лиса"),
        ("IMG_2044", ""),
        ("IMG2044", ""),
        ("DSC00012", ""),
        ("PXL_20240501_101112345", ""),
        ("00001", ""),
        ("1024x768", ""),
        ("3f2a9c81d0", ""),
        ("Screenshot 2024-05-01 at 10.11.12", ""),
        ("a", ""),
        ("photo", ""),
        ("WhatsApp Image 2024-05-01 at 10.11.12", ""),
    ],
)
def test_words_of_a_name(stem: str, words: str) -> None:
    assert words_of_name(stem) == words
