"""A storyboard once it is read, merged and checked: frozen, complete, free of YAML.

What a document leaves out has the schema's default, or `None` where the model decides. A test walks these
classes beside the schemas.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from lorakit.diagnostics import Place
from lorakit.language.story import durations
from lorakit.language.story.character_adapters import CharacterAdapter
from lorakit.language.story.controls import Control
from lorakit.language.story.decisions import Decisions
from lorakit.language.story.durations import Duration
from lorakit.language.story.edits import Edit
from lorakit.language.story.references import CharacterReference
from lorakit.language.yaml import decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_LOOK = defaults(STORYBOARD, "look")
_SENTENCE = defaults(STORYBOARD, "sentence")
_BOARD = defaults(STORYBOARD)
_CHAIN = defaults(STORYBOARD, "chain")
_GATE = defaults(STORYBOARD, "gate")
_VIDEO = defaults(STORYBOARD, "film")
_TRANSITION = defaults(STORYBOARD, "film", "transition")
_CAPTIONS = defaults(STORYBOARD, "film", "captions")
FilmFormat = Literal["mp4", "gif"]
ChainFrom = Literal["noise", "previous", "anchor"]


@dataclass(frozen=True, slots=True)
class ImageSettings:
    """How pictures are drawn; `None` means what the model does best.

    `width` and `height` in px; `aspect` is (width, height) of `16:9`; at most one of the two spellings.
    """

    style: str = _LOOK["style"]
    negative_prompt: str = _LOOK["negative_prompt"]
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    scheduler: str | None = None
    use_karras_sigmas: bool | None = None
    width: int | None = None
    height: int | None = None
    aspect: tuple[int, int] | None = None
    clip_skip: int = _LOOK["clip_skip"]
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    def where(self, *keys: str) -> Place | None:
        """Where the first of some keys stands that was given, here or above."""
        given = dict(self.places)
        return next((given[key] for key in keys if key in given), None)


@dataclass(frozen=True, slots=True)
class Character:
    """Someone who recurs: `anchor` stands in prompts, `name` in captions, `references` show how it looks.

    Where it appears, frames wear its `adapter`.
    """

    id: str
    anchor: str
    name: str
    aliases: tuple[str, ...]
    pronouns: str | None
    place: Place
    references: tuple[CharacterReference, ...] = ()
    adapter: CharacterAdapter | None = None
    anchor_place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Chain:
    """How a frame starts from another: `strength` in (0, 1] as in img2img, 1 being text-to-image.

    `anchor_weight` in [0, 1] pulls the start towards the scene's first frame. With `attention: shared`
    a frame's self-attention sees the scene's first frame beside itself.
    """

    start: ChainFrom = field(default=_CHAIN["from"], metadata={"key": "from"})
    strength: float = _CHAIN["strength"]
    anchor_weight: float = _CHAIN["anchor_weight"]
    attention: Literal["own", "shared"] = _CHAIN["attention"]
    strength_place: Place | None = field(default=None, compare=False, repr=False)
    attention_place: Place | None = field(default=None, compare=False, repr=False)


class PictureFile(NamedTuple):
    """A picture of the user's own: its file, and where that is named."""

    path: Path
    place: Place


@dataclass(frozen=True, slots=True)
class Gate:
    """What a frame must score, each None where it does not matter; it is drawn up to `tries` times."""

    character: float | None = None
    sentence: float | None = None
    drift: float | None = None
    tries: int = _GATE["tries"]
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    @property
    def asks(self) -> bool:
        """Whether any picture could be below it."""
        return bool(self.character or self.sentence or self.drift)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One frame's sentence with everything resolved but the seed and the hold.

    `text` as the author wrote it; `prompt` is what the model is told, `caption` what the film shows.
    `seed` is the sentence's own, or None. `strength` and `anchor_weight` are resolved from
    sentence, scene and board, with what changes over frames.
    `repeat` holds the frame before it instead of drawing one. `takes` of it are drawn. `control` is resolved
    as well; None where nothing holds the frame.
    `image` stands for it, where there is one. `edit` changes it once it is drawn.
    """

    text: str
    prompt: str
    caption: str
    characters: tuple[str, ...]
    place: Place
    look: ImageSettings
    strength: float
    hold: Duration | None = None
    seed: int | None = None
    repeat: bool = _SENTENCE["repeat"]
    takes: int = _BOARD["takes"]
    anchor_weight: float = _CHAIN["anchor_weight"]
    image: PictureFile | None = None
    control: Control | None = None
    edit: Edit | None = None
    strength_place: Place | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Scene:
    """A run of sentences in one setting; `number` counts from 1, `name` is unique in its board.

    `start` says how its chain begins: `fresh`, `previous-scene`, `scene:NAME`, or a picture's path, which
    `first` is the file of.
    """

    number: int
    name: str
    setting: str
    chain: Chain
    start: str
    sentences: tuple[Sentence, ...]
    place: Place
    seed: int | None = None
    gate: Gate = Gate()
    setting_place: Place | None = field(default=None, compare=False, repr=False)
    first: PictureFile | None = None


@dataclass(frozen=True, slots=True)
class Transition:
    """What stands between two frames of the film: a cut, or a crossfade centred on the cut."""

    kind: Literal["cut", "crossfade"] = _TRANSITION["kind"]
    seconds: Duration = durations.of(_TRANSITION["seconds"])  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Captions:
    """Sentences drawn into the film; `size` is the letters' height as a share of the film's height."""

    show: bool = _VIDEO["captions"]
    position: Literal["bottom", "top"] = _CAPTIONS["position"]
    size: float = _CAPTIONS["size"]

    @classmethod
    def decoded(cls, node: Node) -> Captions:
        """The captions of true, false, or a mapping that says how they look."""
        return cls() if node.value is False else decode.decode(Captions, node, show=True)


@dataclass(frozen=True, slots=True)
class Video:
    """The film: `fps` frames a second, `hold` for each picture, `height` in px (None: the pictures').

    Where it `needs` them approved, it waits for its frames to be.
    """

    fps: int = _VIDEO["fps"]
    format: FilmFormat = _VIDEO["format"]
    hold: Duration = durations.of(_VIDEO["hold"])  # noqa: RUF009 - frozen
    height: int | None = None
    transition: Transition = Transition()
    captions: Captions = Captions()
    needs: Literal["approved"] | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Storyboard:
    """What happens. `seed` is the board's own, or None where the recipe's stands.

    `decisions` are what the file beside it says was picked and approved.
    """

    path: Path
    title: str
    seed: int | None
    look: ImageSettings
    characters: tuple[Character, ...]
    scenes: tuple[Scene, ...]
    video: Video | None
    place: Place
    decisions: Decisions = field(default_factory=Decisions, repr=False)
