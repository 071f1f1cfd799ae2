"""What tells one family of models from another: all that is asked of it anywhere stands in one record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Literal, NamedTuple

from lorakit.families.flow import FlowTraining
from lorakit.families.original import Original
from lorakit.records import record

Task = Literal[
    "text",
    "image",
    "inpaint",
    "reference",
    "control",
    "control-image",
    "control-union",
    "control-image-union",
]
Engine = Literal["waves", "calls"]
# configurations by the part they are of: "unet", "vae", "scheduler", ..., and "" for model_index.json
Configs = Mapping[str, Mapping[str, Any]]
Options = Mapping[str, object]


class Part(NamedTuple):
    """A component of a pipeline: the `classes` that are loaded, as published first.

    `library` is where they are from. `stem` is what a file of its weights is called, empty where it has none.
    One that is `optional` may be missing from a folder, or be null in its model_index.json. `needs` is a
    package without which its library does not load it.
    """

    name: str
    library: Literal["diffusers", "transformers"]
    classes: tuple[str, ...]
    stem: str = ""
    optional: bool = False
    needs: str = ""


class PromptWords(NamedTuple):
    """How prompts are counted: by which `tokenizer`, and how many `marks` it puts around each.

    `kind` says how it splits text where there is no tokenizer.json. Where they are `padded`, the denoiser is
    always told as many as its limit.
    """

    tokenizer: str = "tokenizer"
    kind: Literal["clip", "t5", "qwen"] = "clip"
    marks: int = 2
    padded: bool = True


class Union(NamedTuple):
    """A ControlNet for several kinds of pictures: diffusers' class, and what it calls the `modes` by number.

    `counted` is the key of its configuration that says how many there are.
    """

    kind: str
    counted: str
    modes: Mapping[str, int]


class Published(NamedTuple):
    """A repository of the hub, to count with before it is here.

    `configs` are its denoiser's and its scheduler's, `parameters` those of the denoiser where nothing counts
    them, `others` those of its autoencoder and text encoders together.
    """

    configs: Configs
    others: int
    parameters: int = 0


def rounded_down(steps: int, strength: float) -> int:
    """Steps that are left at a strength, as the pipelines of Stable Diffusion and SDXL count."""
    return min(int(steps * strength), steps)


def rounded_up(steps: int, strength: float) -> int:
    """Steps that are left at a strength, as the pipelines of flow-matching transformers count."""
    return steps - int(max(steps - min(steps * strength, steps), 0))


@record(kw_only=True)
class Family:
    """One family of models; what is a function reads a model's own configurations."""

    # what keys and commands know it by, and what a user calls it
    name: str
    title: str
    # whether its frames share calls of the denoiser, or are each a call of diffusers' pipeline
    engine: Engine = "calls"
    # diffusers' classes by task, and those that a model_index.json names, the one that is built first
    pipelines: Mapping[Task, str]
    classes: tuple[str, ...]
    # words in the names of its repositories, to guess by before one is here
    called: tuple[str, ...] = ()
    parts: tuple[Part, ...]
    # the part that is called step by step, how its layers' names begin, and what it says: where this is None
    # its scheduler's configuration tells
    denoiser: str = "transformer"
    roots: tuple[str, ...] = ()
    predicts: Literal["flow"] | None = "flow"
    # how many latents it reads as one channel each, beside each other
    packs: int = 1
    # elements that a pass keeps at its peak, a token and channel: what comes into a block, its norm, queries,
    # keys and values, and a feed-forward layer
    elements: int = 16
    # of those that read words the ones that can wear adapters
    text_parts: tuple[str, ...] = ("text_encoder",)
    words: Callable[[Configs], PromptWords] = lambda _: PromptWords()
    # the most tokens of a prompt, all marks among them
    token_limit: Callable[[Configs], int]
    # layers of its text encoders that never count, from which clip_skip goes on; None where it cannot
    clip_layers: int | None = None
    # whether the denoiser is told pooled words and sizes, as SDXL's is
    pooled: bool = False
    # steps and guidance scale by configurations, and by a name in small letters, which alone tells some forms
    defaults: Callable[[Configs, str], tuple[int, float]]
    # width and height in px that it was trained at
    native: Callable[[Configs], tuple[int, int]]
    # latents that sides are multiples of, and the smallest side as a share of the native one
    unit: int = 1
    least: float = 0.5
    # px of the longest side that its transformer has places for; 0 where it has them for any
    longest: Callable[[Configs], int] = lambda _: 0
    # the argument of a call that the guidance scale goes to, and above which scale a step is two passes
    guidance: str = "guidance_scale"
    guided_above: float = 1.0
    # whether it can be told what not to show
    negative: bool = True
    # whether the denoiser is told the scale, and called once a step
    embedded: Callable[[Configs], bool] = lambda _: False
    # whether train-image trains it, by a published script where it was made by flow matching, and the layers
    # that get an adapter where a recipe names none
    trained: bool = False
    flow: FlowTraining | None = None
    targets: tuple[str, ...] = ("to_q", "to_k", "to_v", "to_out.0")
    # the relative change of its first block's output, from one step to the next, below which `speed: fast`
    # takes what the other blocks added from the step before; 0 where diffusers has no such cache for it
    block_cache: float = 0.0
    # whether diffusers names the blocks of its transformer that repeat, which are compiled each by itself
    compiles: bool = True
    # whether diffusers lets its transformer's attention be computed by others than torch, and whether with a
    # mask (then not all of them can); empty where it does not
    attention: Literal["", "plain", "masked"] = ""
    # parameters of a transformer by its configuration; empty where they are not known
    shapes: Callable[[Mapping[str, Any]], Mapping[str, tuple[int, ...]]] = lambda _: {}
    # its transformer as its authors' own files have it; None where none is read
    original: Original | None = None
    # what stands in its weights and is no parameter
    buffers: tuple[str, ...] = ()
    # whether a scale has any effect
    guidable: Callable[[Configs], bool] = lambda _: True
    # what its pipeline's encode_prompt says of a text, by the arguments of a call that is given it instead,
    # "" for what is given none; empty where frames between two others are not drawn with it
    encoded: tuple[str, ...] = ()
    # how many pictures it reads beside the words
    references: int = 0
    # diffusers' class of what holds its frames to edges, depths or poses; empty where it has none
    controlnet: str = ""
    # the union of several of them; None where diffusers has none
    union: Union | None = None
    # its usual IP-Adapters, by where they stand in their repository; empty where it can wear none
    ip_adapters: tuple[str, ...] = ()
    # the fewest steps that its schedule can be drawn in
    least_steps: int = 1
    # what img2img leaves of the steps at a strength
    steps_left: Callable[[int, float], int] = rounded_up
    # arguments of the pipeline's class, from model_index.json, and of each call at a size
    options: Callable[[Mapping[str, Any]], Options] = lambda _: {}
    call: Callable[[Configs, tuple[int, int]], Options] = lambda _configs, _size: {}
    # frames in a call of the denoiser, by a picture's area in px and whether a GPU draws
    rows: Callable[[int, bool], int] = lambda _area, _gpu: 1
    # what sd-scripts calls its base model; empty where the denoiser tells
    kohya: str = ""
    # its authors' names of layers, as kohya's files have them: diffusers' in each, in order of rows, and how
    # many times as high their weights are as what they read is wide (see flux_names.py)
    theirs: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    # our name of its scheduler as published
    scheduler: str = "default"
    # repositories by name, and the bytes of a number in their weights
    published: Mapping[str, Published] = field(default_factory=dict)
    published_bytes: int = 2

    @property
    def encoders(self) -> tuple[str, ...]:
        """The parts that read words."""
        return tuple(name for name in self.weighed if name.startswith("text_encoder"))

    @property
    def weighed(self) -> tuple[str, ...]:
        """The parts that have weights, the denoiser first."""
        return tuple(part.name for part in self.parts if part.stem)

    @property
    def waves(self) -> bool:
        """Whether its frames share calls of the denoiser, each at its own place in its own schedule."""
        return self.engine == "waves"

    @property
    def draws_between(self) -> bool:
        """Whether frames are drawn between two others: from latents, told words that are mixed."""
        return "image" in self.pipelines and (self.waves or bool(self.encoded))

    def part(self, name: str) -> Part:
        """A part by its name."""
        return next(part for part in self.parts if part.name == name)
