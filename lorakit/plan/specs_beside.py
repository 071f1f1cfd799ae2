"""What workers load beside what draws: judges, encoders, models of depths, upscalers, video models."""

from __future__ import annotations

from dataclasses import field

from lorakit.plan.engine_specs import EngineSpec
from lorakit.plan.memory_modes import NONE, Offload
from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.records import record


@record(kw_only=True)
class JudgeSpec(EngineSpec):
    """A judge of pictures, by the folder that it stands in."""

    path: str = field(metadata=BESIDE)
    digest: str | None


@record(kw_only=True)
class ModelJudgeSpec(EngineSpec):
    """Models of transformers that judge pictures, by their folders; either may be empty."""

    character: str = field(default="", metadata=BESIDE)
    sentence: str = field(default="", metadata=BESIDE)


@record(kw_only=True)
class EncodingSpec(EngineSpec):
    """The autoencoder of a model in fp32, and its text encoders in a `precision`.

    With `offload` these wait in the machine's memory, but for the layer that computes.
    """

    path: str = field(metadata=BESIDE)
    parts: str = field(default="", metadata=BESIDE)
    family: str
    device: str
    precision: str = field(default="fp32", metadata=OMITTED)
    offload: Offload = field(default=NONE, metadata=BESIDE)


@record(kw_only=True)
class ImageEncoderSpec(EngineSpec):
    """The image encoder of an IP-Adapter, by its folder."""

    path: str = field(metadata=BESIDE)
    device: str


@record(kw_only=True)
class DepthSpec(EngineSpec):
    """A model that tells the depths of pictures."""

    path: str = field(metadata=BESIDE)
    device: str


@record(kw_only=True)
class UpscaleSpec(EngineSpec):
    """A model that makes pictures larger, by the folder of its pipeline, which is of the class `kind`."""

    path: str = field(metadata=BESIDE)
    digest: str | None
    kind: str
    precision: str
    device: str


@record(kw_only=True)
class VideoSpec(EngineSpec):
    """A model that makes clips by a pipeline of its family for a `task`.

    `base` is the folder of the model whose UNet it moves; empty where it has its own.
    """

    path: str = field(metadata=BESIDE)
    digest: str | None
    family: str
    task: str
    precision: str
    device: str
    base: str = field(default="", metadata=BESIDE)
    base_digest: str | None = None
