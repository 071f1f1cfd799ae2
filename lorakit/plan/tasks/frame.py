"""The task of drawing one picture."""

from __future__ import annotations

from dataclasses import field, replace
from typing import ClassVar, Self

from lorakit.plan.attention_backends import NATIVE
from lorakit.plan.tasks.control import ControlUse
from lorakit.plan.tasks.frame_between import FrameBetween
from lorakit.plan.tasks.frame_edit import FrameEdit
from lorakit.plan.tasks.image_embeds import IpAdapterUse
from lorakit.plan.tasks.json_form import BESIDE, OMITTED, keyed_as
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class ReferenceFile:
    """A picture of the user's: the digest of its `file`."""

    digest: str
    file: str = field(default="", metadata=BESIDE)


@record
class FrameTask(WorkerTask):
    """One picture of `width` x `height` px from a prompt, from noise or from another frame's latents.

    `shared_attention` has a (prompt, noise) of each frame that its self-attention sees, the inputs
    `shared_1` and so on; where it sees parts of them alone, `shared_words` has whom of each, by words of its
    prompt. `noise` seeds its generator. `adapters` are digests, or `input:<role>` for one that
    another action makes, with their weights. `use_karras_sigmas` None leaves them as the model's scheduler
    has them. `encoded_by` is "compel" where words have weights or are more than the text encoder reads at
    once, and empty where its pipeline encodes them. `batch_size` is the number of rows in a call of the
    UNet. `weight_bits` are those that large linear layers are rounded to, 0 for none; `vae_tiling` decodes in
    tiles; `block_cache` is the change of a step below which blocks are skipped, 0 for never;
    `attention_backend` is diffusers' name of what computes attention. `seed` is what
    the file will say, `effective_steps` how many of the steps `strength` leaves.
    With `anchor_color` its start has the colours of its input `anchor`.
    `control` says how it is held to its input `control`; `reference_files` are shown before its inputs
    `reference_1` and so on; through an `ip_adapter` it sees its inputs `embeds_1` and so on. `edit` is how
    its input `edited` becomes this picture; `between` says how far it is on the way to another. One that is
    `upscaled` begins from its input `smaller`, a picture, interpolated to its size.
    """

    kind: ClassVar[str] = "frame"
    # 2: on a CPU the UNet is no longer called in channels_last and multiplies row by row in fp32, and
    # unguided frames have calls of their own: all three round otherwise
    version: ClassVar[int] = 2
    # 3: weights are changed in fp32 and rounded once; alphas of each layer count
    version_with_adapters: ClassVar[int] = 3
    noun: ClassVar[str] = "frame"
    unit: ClassVar[str] = "step"

    prompt: str
    negative_prompt: str
    noise: int
    strength: float
    num_inference_steps: int
    guidance_scale: float
    scheduler: str
    width: int
    height: int
    model: str | None
    adapters: tuple[tuple[str, float], ...]
    precision: str
    device_class: str
    batch_size: int = field(metadata=keyed_as("wave"))
    use_karras_sigmas: bool | None = field(default=None, metadata=OMITTED)
    anchor_weight: float | None = field(default=None, metadata=OMITTED)
    anchor_color: bool = field(default=False, metadata=OMITTED)
    clip_skip: int = field(default=0, metadata=OMITTED)
    encoded_by: str = field(default="", metadata=OMITTED)
    shared_attention: tuple[tuple[str, int], ...] = field(default=(), metadata=OMITTED)
    shared_words: tuple[tuple[str, ...], ...] = field(default=(), metadata=OMITTED)
    weight_bits: int = field(default=0, metadata=OMITTED)
    vae_tiling: bool = field(default=False, metadata=OMITTED)
    block_cache: float = field(default=0.0, metadata=OMITTED)
    compiled: bool = field(default=False, metadata=OMITTED)
    attention_backend: str = field(default=NATIVE, metadata=OMITTED)
    reference_files: tuple[ReferenceFile, ...] = field(default=(), metadata=OMITTED)
    edit: FrameEdit | None = field(default=None, metadata=OMITTED)
    control: ControlUse | None = field(default=None, metadata=OMITTED)
    between: FrameBetween | None = field(default=None, metadata=OMITTED)
    upscaled: bool = field(default=False, metadata=OMITTED)
    ip_adapter: IpAdapterUse | None = field(default=None, metadata=OMITTED)
    seed: int = field(default=0, metadata=BESIDE)
    effective_steps: int = field(default=0, metadata=BESIDE)

    @property
    def made_by(self) -> int:
        """Frames that wear adapters have a version of their own."""
        return self.version_with_adapters if self.adapters else self.version

    def by_itself(self) -> Self:
        """The same picture without what ties it to other frames, to pictures, and to a map."""
        return replace(
            self,
            anchor_weight=None,
            anchor_color=False,
            shared_attention=(),
            shared_words=(),
            reference_files=(),
            control=None,
            ip_adapter=None,
        )
