"""What a film sounds like, as a board or a step of kind video says it."""

from __future__ import annotations

from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lorakit.diagnostics import Place
from lorakit.language.yaml import access, decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.story.controls import Find
    from lorakit.language.yaml.nodes import Node

# formats of films that can be heard
WITH_SOUND = ("mp4", "webm", "mov")
SPOKEN = "audio"  # a hold that is as long as the words
_AUDIO = defaults(STORYBOARD, "film", "audio")
_NARRATION = defaults(STORYBOARD, "film", "narration")


class SoundFile(NamedTuple):
    """A sound of the user's own: its file, and where that is named."""

    path: Path
    place: Place


@record
class Audio:
    """The music of a film: `gain` in dB, `fade_in` and `fade_out` in s, `duck` in dB while someone speaks.

    Where it is shorter than the film and may not `loop`, that is an error. `music` is None where the file
    was not found.
    """

    music: SoundFile | None
    gain: float = _AUDIO["gain"]
    fade_in: float = _AUDIO["fade_in"]
    fade_out: float = _AUDIO["fade_out"]
    duck: float = _AUDIO["duck"]
    loop: bool = _AUDIO["loop"]
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    def where(self, *keys: str) -> Place | None:
        """Where the first of some keys stands that was given."""
        given = dict(self.places)
        return next((given[key] for key in keys if key in given), None)


def audio(node: Node | None, find: Find) -> Audio | None:
    """The music that `video: audio:` describes; None where nothing is heard."""
    if node is None or not isinstance(node.value, dict):
        return None
    link = access.child(node, "music")
    path = None
    if link is not None and isinstance(link.value, str) and link.value.strip():
        path = find(link, "sound")
    music = SoundFile(path, link.place) if path is not None and link is not None else None
    return replace(decode.decode(Audio, node, music=None), music=music)


@record
class Narration:
    """Sentences that are spoken: by whose `voice`, how loud (`gain` in dB), with what `pause` in s behind."""

    voice: str = _NARRATION["voice"]
    pause: float = _NARRATION["pause"]
    gain: float = _NARRATION["gain"]
    place: Place | None = field(default=None, compare=False, repr=False)


def narration(node: Node | None) -> Narration | None:
    """The narration of true, false, or a mapping that says how it is spoken; None where nobody speaks."""
    if node is None or not (node.value is True or isinstance(node.value, dict)):
        return None
    voice = access.child(node, "voice")
    return decode.decode(Narration, node, place=(voice or node).place)
