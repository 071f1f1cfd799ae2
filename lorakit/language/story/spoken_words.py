"""What is said of a sentence, and whether its picture lasts as long as that."""

from __future__ import annotations

from lorakit.language.story.documents import Sentence, Video


def words_of(sentence: Sentence) -> str:
    """What is said of it where somebody speaks: its own words, or the caption."""
    return sentence.caption if sentence.say is None else sentence.say


def narrated(text: str, video: Video) -> bool:
    """Whether there is something for the narration to say."""
    return video.narration is not None and any(char.isalnum() for char in text)


def lasts_by_words(own: bool | None, video: Video) -> bool:
    """Whether a picture lasts as long as its words: as its sentence says, or where that is None the film."""
    return video.by_words if own is None else own
