"""What tells one family of video models from another, and the parts that several have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from lorakit.families.family import Configs, Part
from lorakit.records import record

# what a clip is made from: a frame, a frame and the next, or words alone
VideoTask = Literal["frame", "both", "words"]
NETWORK = "diffusion_pytorch_model"


@record(kw_only=True)
class VideoFamily:
    """One family of video models.

    `classes` are those that a model_index.json names, or a config.json of what is no pipeline by itself, each
    with the tasks that its weights do; `pipelines` are diffusers' by task. Sides are multiples of `unit` px,
    lengths of `step` frames and `more` beyond them, up to `most`; at `rate` frames a second. `frames`,
    `steps` and `guidance` are what it is used with where nothing is said.
    """

    name: str
    title: str
    classes: Mapping[str, tuple[VideoTask, ...]]
    pipelines: Mapping[VideoTask, str]
    parts: tuple[Part, ...]
    schedulers: tuple[str, ...] = ("scheduler",)
    unit: int
    step: int = 1
    more: int = 0
    least: int = 2
    most: int
    rate: int
    frames: int
    steps: int
    guidance: float
    # arguments of the pipeline's class that model_index.json gives
    options: tuple[str, ...] = ()
    # what a call has beside: SVD is told its rate
    tells_rate: bool = False
    # parts that are kept in fp32, whatever the others are in
    exact: tuple[str, ...] = ()
    # a package without which its pipeline does not run
    needs: str = ""
    # whether a call is given its pictures as conditions at a frame each
    conditions: bool = False
    # the argument that the guidance scale goes to, and whether it reads words
    scale: str = "guidance_scale"
    words: bool = True
    # the family whose UNet it moves, the step's own model's; empty where it is whole by itself
    moves: str = ""
    # how many frames a call is asked for so that it makes so many, by its transformer's configuration, and
    # how many times it goes through all its steps for them
    asked: Callable[[Configs, int], int] = lambda _, frames: frames
    rounds: Callable[[int], int] = lambda _: 1

    def fits(self, frames: int) -> bool:
        """Whether a clip may have so many frames."""
        inside = self.least <= frames <= self.most
        return inside and (frames - self.more) % self.step == 0

    def nearest(self, frames: int) -> int:
        """The number of frames nearest to one that it may have."""
        count = round((frames - self.more) / self.step) * self.step + self.more
        while count < self.least:
            count += self.step
        while count > self.most:
            count -= self.step
        return count


def vision(kind: str, *, optional: bool = False) -> Part:
    """What sees the frame that a clip begins with."""
    return Part("image_encoder", "transformers", (kind,), "model", optional)


def video_vae(kind: str) -> Part:
    """An autoencoder of frames in time."""
    return Part("vae", "diffusers", (kind,), NETWORK)


PROCESSORS = ("CLIPImageProcessor", "CLIPImageProcessorFast", "CLIPImageProcessorPil")
