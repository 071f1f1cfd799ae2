"""A storyboard once it is read, merged and checked: frozen, complete, free of YAML.

What a document leaves out has the schema's default, or `None` where the model decides. A test walks these
classes beside the schemas.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from lorakit.diagnostics import Place
from lorakit.language.story import durations, rates
from lorakit.language.story.cards import FilmCard
from lorakit.language.story.character_adapters import CharacterAdapter
from lorakit.language.story.controls import Control
from lorakit.language.story.decisions import Decisions
from lorakit.language.story.durations import Duration
from lorakit.language.story.edits import Edit
from lorakit.language.story.film_formats import FilmCodec, Formats
from lorakit.language.story.gates import Gate
from lorakit.language.story.motions import STILL, Motion
from lorakit.language.story.rates import Rate
from lorakit.language.story.references import CharacterReference
from lorakit.language.story.sound import Audio, Narration, SoundFile
from lorakit.language.story.upscales import Upscale
from lorakit.language.yaml import decode
from lorakit.language.yaml.schemas import STORYBOARD, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_LOOK = defaults(STORYBOARD, "look")
_SENTENCE = defaults(STORYBOARD, "sentence")
_BOARD = defaults(STORYBOARD)
_CHAIN = defaults(STORYBOARD, "chain")
_CHARACTER = defaults(STORYBOARD, "character")
_VIDEO = defaults(STORYBOARD, "film")
_TRANSITION = defaults(STORYBOARD, "film", "transition")
_CAPTIONS = defaults(STORYBOARD, "film", "captions")
ChainFrom = Literal["noise", "previous", "anchor"]
TransitionKind = Literal[
    "cut",
    "crossfade",
    "fade-black",
    "fade-white",
    "wipe-left",
    "wipe-right",
    "wipe-up",
    "wipe-down",
    "slide-left",
    "slide-right",
    "slide-up",
    "slide-down",
]


@record
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


@record
class Character:
    """Someone who recurs: `anchor` stands in prompts, `name` in captions, `references` show how it looks.

    Where it appears, frames wear its `adapter`; where it comes first, its `voice` speaks. Through an
    IP-Adapter references weigh `reference_scale`.
    """

    id: str
    anchor: str
    name: str
    aliases: tuple[str, ...]
    pronouns: str | None
    place: Place
    references: tuple[CharacterReference, ...] = ()
    adapter: CharacterAdapter | None = None
    reference_scale: float = _CHARACTER["reference_scale"]
    voice: str | None = None
    reference_scale_place: Place | None = field(default=None, compare=False, repr=False)
    anchor_place: Place | None = field(default=None, compare=False, repr=False)
    voice_place: Place | None = field(default=None, compare=False, repr=False)


@record
class Chain:
    """How a frame starts from another: `strength` in (0, 1] as in img2img, 1 being text-to-image.

    `anchor_weight` in [0, 1] pulls the start towards the scene's first frame, whose colours it has with
    `color: anchor`. With `attention: shared` a frame's self-attention sees that one beside itself, with
    `mask: character` where its characters are.
    """

    start: ChainFrom = field(default=_CHAIN["from"], metadata={"key": "from"})
    strength: float = _CHAIN["strength"]
    anchor_weight: float = _CHAIN["anchor_weight"]
    color: Literal["own", "anchor"] = _CHAIN["color"]
    attention: Literal["own", "shared"] = _CHAIN["attention"]
    mask: Literal["none", "character"] = _CHAIN["mask"]
    strength_place: Place | None = field(default=None, compare=False, repr=False)
    color_place: Place | None = field(default=None, compare=False, repr=False)
    attention_place: Place | None = field(default=None, compare=False, repr=False)
    mask_place: Place | None = field(default=None, compare=False, repr=False)


class PictureFile(NamedTuple):
    """A picture of the user's own: its file, and where that is named."""

    path: Path
    place: Place


@record
class Transition:
    """What stands between two frames of the film: a cut, or something else, centred on the cut."""

    kind: TransitionKind = _TRANSITION["kind"]
    seconds: Duration = durations.of(_TRANSITION["seconds"])

    def frames(self, fps: Rate) -> int:
        """How many film frames it lasts, none for a cut."""
        return 0 if self.kind == "cut" else self.seconds.in_frames(fps)


@record
class Sentence:
    """One frame's sentence with everything resolved but the seed and the hold.

    `text` as the author wrote it; `prompt` is what the model is told, `caption` what the film shows.
    `seed` is the sentence's own, or None. `strength` and `anchor_weight` are resolved from
    sentence, scene and board, with what changes over frames.
    `repeat` holds the frame before it instead of drawing one. `takes` of it are drawn. `control` is resolved
    as well; None where nothing holds the frame.
    `transition` is how the film comes to it, None where the film says. `image` stands for it, where there is
    one. `edit` changes it once it is drawn, `upscale` makes it larger. `motion` is how the film
    moves while it is shown, resolved too.
    `say` is what is said, None where that is the caption; the film's narration or its own `voice` says it, or
    a recording, `audio`, does. It lasts as long as that is `by_words`, or where that is None and the film's
    are. `at` is when in the film it begins.
    """

    text: str
    prompt: str
    caption: str
    characters: tuple[str, ...]
    place: Place
    look: ImageSettings
    strength: float
    hold: Duration | None = None
    transition: Transition | None = None
    seed: int | None = None
    repeat: bool = _SENTENCE["repeat"]
    takes: int = _BOARD["takes"]
    anchor_weight: float = _CHAIN["anchor_weight"]
    image: PictureFile | None = None
    control: Control | None = None
    edit: Edit | None = None
    motion: Motion = STILL
    upscale: Upscale | None = None
    say: str | None = None
    voice: str | None = None
    audio: SoundFile | None = None
    at: Duration | None = None
    by_words: bool | None = None
    at_place: Place | None = field(default=None, compare=False, repr=False)
    strength_place: Place | None = field(default=None, compare=False, repr=False)


@record
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


class Font(NamedTuple):
    """A font by its family, or by its file."""

    name: str
    path: Path | None
    place: Place


@record
class Captions:
    """Sentences drawn into the film; `size` is the letters' height as a share of the film's height."""

    show: bool = _VIDEO["captions"]
    position: Literal["bottom", "top"] = _CAPTIONS["position"]
    size: float = _CAPTIONS["size"]

    @classmethod
    def decoded(cls, node: Node) -> Captions:
        """The captions of true, false, or a mapping that says how they look."""
        return cls() if node.value is False else decode.decode(Captions, node, show=True)


@record
class Video:
    """The film: `fps` frames a second, `hold` for each picture, `height` in px (None: the pictures').

    It is written in each `format`; `codec` and `encoder` None are what each is written in by default,
    `quality` is from 0 to 100, and `loop` how often a file that repeats is shown, True for ever.
    Where it `needs` them approved, it waits for its frames to be. Pictures last as long as what is said while
    they are shown, where they last `by_words`. With `fit` it lasts as long as its music, with
    `beats` it is cut on that. With `scenes` each of them is a film as well. `title` and `end`
    are cards before and behind it, and `font` is what all its letters are drawn in, None the one that ships.
    """

    fps: Rate = rates.of(_VIDEO["fps"])
    format: Formats = Formats((_VIDEO["format"],))
    codec: FilmCodec | None = None
    encoder: str | None = None
    quality: int = _VIDEO["quality"]
    loop: int | bool = _VIDEO["loop"]
    hold: Duration = durations.of(_VIDEO["hold"])
    height: int | None = None
    transition: Transition = Transition()
    captions: Captions = Captions()
    audio: Audio | None = None
    narration: Narration | None = None
    title: FilmCard | None = None
    end: FilmCard | None = None
    font: Font | None = None
    fit: Literal["audio"] | None = None
    beats: bool = _VIDEO["beats"]
    scenes: bool = _VIDEO["scenes"]
    by_words: bool = False
    needs: Literal["approved"] | None = None
    place: Place | None = None
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False, repr=False)

    @property
    def plays(self) -> int:
        """How often a file that repeats is shown, 0 for ever."""
        return 0 if self.loop is True else max(1, int(self.loop))

    def where(self, *keys: str) -> Place | None:
        """Where the first of some keys stands that was given; else the film itself."""
        given = dict(self.places)
        return next((given[key] for key in keys if key in given), self.place)


@record
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
