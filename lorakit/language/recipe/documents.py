"""A recipe once it is read, merged and checked: frozen, complete, free of YAML.

What a document leaves out has the schema's default, or `None` where the model decides. A test walks these
classes beside the schemas.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from unicodedata import normalize

from lorakit.diagnostics import Place
from lorakit.language.recipe.adapters import AdapterSource, AdapterUse
from lorakit.language.recipe.trainings import (
    DataSource,
    LoraSettings,
    Method,
    Prediction,
    TrainSettings,
)
from lorakit.language.story import board_settings
from lorakit.language.story.documents import ImageSettings, Storyboard, Video
from lorakit.language.yaml import access
from lorakit.language.yaml.decode import decode
from lorakit.language.yaml.schemas import RECIPE, defaults
from lorakit.records import record

if TYPE_CHECKING:
    from lorakit.language.yaml.nodes import Node

_MODEL = defaults(RECIPE, "model")
_GENERATE = defaults(RECIPE, "generate")
_TEXT = defaults(RECIPE, "train-text")
_IMAGE = defaults(RECIPE, "train-image")
DType = Literal["auto", "fp32", "bf16", "fp16"]
MemoryWish = Literal["auto", "low", "minimal"]
Speed = Literal["exact", "fast"]
AttentionWish = Literal[
    "auto", "native", "_native_math", "_native_cudnn", "_native_flash", "flash", "sage", "xformers"
]


@record
class ModelSource:
    """Where a model comes from: `lorakit:studio`, `hub:owner/name`, or a resolved folder or file.

    `place` is where that stands. `revision` is a commit, branch or tag of the hub; empty is its newest.
    `parts` is the folder, or hub:owner/name, that a file takes what it lacks from; empty for none.
    `ip_adapter` is the name of the model that is its IP-Adapter, `weight_name` which of an IP-Adapter's files
    is meant; both may be empty.
    """

    name: str
    source: str
    dtype: DType
    place: Place
    revision: str = ""
    parts: str = ""
    memory: MemoryWish = _MODEL["memory"]
    speed: Speed = _MODEL["speed"]
    attention_backend: AttentionWish = _MODEL["attention_backend"]
    ip_adapter: str = ""
    weight_name: str = ""
    dtype_place: Place | None = field(default=None, compare=False, repr=False)
    parts_place: Place | None = field(default=None, compare=False, repr=False)
    memory_place: Place | None = field(default=None, compare=False, repr=False)
    speed_place: Place | None = field(default=None, compare=False, repr=False)
    attention_backend_place: Place | None = field(default=None, compare=False, repr=False)
    ip_adapter_place: Place | None = field(default=None, compare=False, repr=False)
    weight_name_place: Place | None = field(default=None, compare=False, repr=False)

    @property
    def hub(self) -> str:
        """What of it stands on the hub, hub:owner/name; empty for nothing."""
        return next((told for told in (self.source, self.parts) if told.startswith("hub:")), "")


@record
class Prompt:
    """One prompt of a `generate` step; `seed` and `negative_prompt` only where it has its own."""

    text: str
    place: Place
    negative_prompt: str | None = None
    seed: int | None = None

    @classmethod
    def decoded(cls, node: Node) -> Prompt | None:
        """The prompt of a text, or of a mapping with a text and what is special about it."""
        if isinstance(node.value, str):
            return cls(" ".join(node.value.split()), node.place)
        if not isinstance(node.value, dict):
            return None
        text = " ".join((access.text(node, "text") or "").split())
        return decode(Prompt, node, text=text, place=(access.child(node, "text") or node).place)


@record
class Step:
    """What all steps have; `places` are those of the keys that were given, where a kind asks for them."""

    name: str
    place: Place
    places: tuple[tuple[str, Place], ...] = field(default=(), kw_only=True)

    def where(self, key: str) -> Place:
        """Where a key stands, or the step, if it was not given."""
        return dict(self.places).get(key, self.place)


@record
class GenerateStep(Step):
    """Pictures from prompts, `images_per_prompt` of each."""

    model: str
    adapters: tuple[AdapterUse, ...]
    prompts: tuple[Prompt, ...]
    look: ImageSettings
    seed: int | None = None
    images_per_prompt: int = _GENERATE["images_per_prompt"]


@record
class StoryboardStep(Step):
    """Scene folders, and the film if the board has `video:`."""

    model: str
    adapters: tuple[AdapterUse, ...]
    board: Storyboard


@record
class VideoStep(Step):
    """One film from the pictures of several steps, in the order of `of`."""

    of: tuple[str, ...]
    video: Video


@record
class TrainTextStep(Step):
    """A text classifier; `seed` None is the recipe's, `max_length` in tokens."""

    model: str
    data: str
    train: TrainSettings
    lora: LoraSettings = field(default_factory=LoraSettings)
    method: Method = _TEXT["method"]
    max_length: int = _TEXT["max_length"]
    seed: int | None = None
    class_weights: Literal["none", "balanced"] = _TEXT["class_weights"]


@record
class Samples:
    """Pictures drawn with a training's checkpoints; `every` None draws at its end alone."""

    prompts: tuple[Prompt, ...] = ()
    every: int | None = None
    look: ImageSettings = field(default_factory=ImageSettings)
    seed: int | None = None

    @classmethod
    def decoded(cls, node: Node) -> Samples:
        """The samples of a mapping, whose look stands among its keys."""
        return decode(Samples, node, look=board_settings.image_settings(node, ImageSettings()))


@record
class TrainImageStep(Step):
    """A training on pictures; `resolution` None is the model's native one, `seed` None the recipe's.

    `prior_data` names a data set of what the model shall not forget; empty where there is none.
    """

    model: str
    data: str
    train: TrainSettings
    lora: LoraSettings = field(default_factory=LoraSettings)
    seed: int | None = None
    method: Method = _IMAGE["method"]
    resolution: int | None = None
    center_crop: bool = _IMAGE["center_crop"]
    random_crops: int = _IMAGE["random_crops"]
    random_flip: bool = _IMAGE["random_flip"]
    caption_dropout: float = _IMAGE["caption_dropout"]
    shuffle_tags: bool = _IMAGE["shuffle_tags"]
    keep_tags: int = _IMAGE["keep_tags"]
    snr_gamma: float = _IMAGE["snr_gamma"]
    noise_offset: float = _IMAGE["noise_offset"]
    prediction_type: Prediction = _IMAGE["prediction_type"]
    masked_loss: bool = _IMAGE["masked_loss"]
    prior_data: str = ""
    prior_loss_weight: float = _IMAGE["prior_loss_weight"]
    clip_skip: int = _IMAGE["clip_skip"]
    max_token_length: int = _IMAGE["max_token_length"]
    truncate_captions: bool = _IMAGE["truncate_captions"]
    train_text_encoder: bool = _IMAGE["train_text_encoder"]
    samples: Samples = Samples()


@record
class CompareStep(Step):
    """The trainings or the drawing steps `of` side by side; trainings are held against the first."""

    of: tuple[str, ...]


@record
class Member:
    """One step of a sweep: `values` by their names; `like` is shared by those that differ in seed alone."""

    name: str
    like: str
    values: tuple[tuple[str, str], ...]
    step: Step


@record
class Best:
    """By which figure the best member of a sweep is found."""

    metric: str
    mode: Literal["max", "min"]
    place: Place


@record
class SweepStep(Step):
    """A step several times over; the members' own names are `sweep/member`."""

    members: tuple[Member, ...]
    best: Best | None = None


def with_members(steps: Iterable[Step]) -> Iterator[Step]:
    """Steps, each sweep followed by its members."""
    for step in steps:
        yield step
        if isinstance(step, SweepStep):
            yield from (member.step for member in step.members)


def film_of(step: Step) -> Video | None:
    """What is said of the film that a step makes; None where it makes none."""
    if isinstance(step, VideoStep):
        return step.video
    return step.board.video if isinstance(step, StoryboardStep) else None


@record
class Recipe:
    """What to make. `models` always holds every model that a step names."""

    path: Path
    name: str
    seed: int
    models: Mapping[str, ModelSource]
    datasets: Mapping[str, DataSource]
    adapters: Mapping[str, AdapterSource]
    steps: Mapping[str, Step]
    place: Place

    @property
    def boards(self) -> Sequence[Storyboard]:
        """Every storyboard that is drawn, once, in a sweep as well."""
        steps = with_members(self.steps.values())
        drawn = {id(s.board): s.board for s in steps if isinstance(s, StoryboardStep)}
        return list(drawn.values())

    def spelled(self, address: str) -> str:
        """An address as this recipe writes it, however its letters and their accents are put together."""
        step, slash, rest = normalize("NFC", address).partition("/")
        own = next((name for name in self.steps if normalize("NFC", name) == step), step)
        return own + slash + rest

    def held_frame(self, address: str) -> str | None:
        """The address of the frame that a repeated one holds, as in film/meadow/2; None for any other."""
        name, _, rest = address.partition("/")
        scene_name, _, number = rest.rpartition("/")
        step = self.steps.get(name)
        if not isinstance(step, StoryboardStep) or not number.isdecimal():
            return None
        for scene in step.board.scenes:
            if scene.name == scene_name and 0 < int(number) <= len(scene.sentences):
                at = int(number) - 1
                while at and scene.sentences[at].repeat:
                    at -= 1
                if at + 1 != int(number) and not scene.sentences[at].repeat:
                    return f"{name}/{scene_name}/{at + 1}"
        return None
