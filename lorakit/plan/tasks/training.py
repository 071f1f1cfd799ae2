"""The tasks of training: what decides a result, and what a worker needs beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from lorakit.facts.machine.devices import HOST
from lorakit.plan.tasks.encode import View
from lorakit.plan.tasks.json_form import BESIDE, OMITTED
from lorakit.plan.tasks.task import WorkerTask
from lorakit.records import record


@record
class TrainArguments:
    """How the optimizer goes about it; everything `auto` is settled."""

    steps: int
    batch_size: int
    gradient_accumulation_steps: int
    learning_rate: float
    lr_scheduler: str
    lr_warmup_steps: int
    optimizer: str
    weight_decay: float
    max_grad_norm: float
    ema_decay: float
    gradient_checkpointing: bool
    torch_compile: bool
    processes: int
    lr_num_cycles: int = field(default=0, metadata=OMITTED)
    text_encoder_learning_rate: float = field(default=0.0, metadata=OMITTED)
    keep: str = field(default="last", metadata=OMITTED)


@record
class LoraArguments:
    """The shape of an adapter; `target_modules` are ends of layers' names, or one regular expression."""

    rank: int
    alpha: float
    dropout: float
    target_modules: str | tuple[str, ...]
    use_rslora: bool
    use_dora: bool
    modules_to_save: tuple[str, ...]
    peft_type: str | None = field(default=None, metadata=OMITTED)


@record
class TrainTask(WorkerTask):
    """What trainings on texts and on pictures have in common; `model` and `data` are digests.

    `lora` is None where the whole model is trained; `start` is the digest of an adapter that it goes on from,
    whose file is `start_path`, or `input:start`; `adapter_steps` are the optimizer steps whose adapter is
    handed out.
    """

    unit: ClassVar[str] = "step"

    model: str | None
    data: str | None
    method: str
    seed: int
    precision: str
    device_class: str
    train: TrainArguments
    lora: LoraArguments | None = field(default=None, metadata=OMITTED)
    start: str = field(default="", metadata=OMITTED)
    start_path: str = field(default="", metadata=BESIDE)
    model_path: str = field(default="", metadata=BESIDE)
    model_parts: str = field(default="", metadata=BESIDE)
    source: str = field(default="", metadata=BESIDE)
    device: str = field(default=HOST, metadata=BESIDE)
    checkpointing_steps: int = field(default=0, metadata=BESIDE)
    trackers: tuple[str, ...] = field(default=(), metadata=BESIDE)
    adapter_steps: tuple[int, ...] = field(default=(), metadata=BESIDE)


@record(kw_only=True)
class TrainTextTask(TrainTask):
    """A classifier of texts of up to `max_length` tokens.

    `reading` is what decides which texts are read, `dataset` the data set as the recipe gives it.
    """

    kind: ClassVar[str] = "train-text"
    version: ClassVar[int] = 2

    reading: Mapping[str, object] = field(hash=False)
    max_length: int
    stratified: bool = field(default=False, metadata=OMITTED)
    class_weights: str = field(default="none", metadata=OMITTED)
    dataset: Mapping[str, object] = field(default_factory=dict, hash=False, metadata=BESIDE)
    labels: tuple[str, ...] = field(default=(), metadata=BESIDE)


@record
class EncodedSample:
    """A picture of a training with its caption, at the size `bucket` (width, height) it is trained at.

    `latents` and `embeds` are the inputs that hold its encodings; `embeds` None where captions are encoded
    in the training. `prior` is what shall not be forgotten.
    """

    name: str
    caption: str
    size: tuple[int, int]
    bucket: tuple[int, int]
    views: tuple[View, ...]
    prior: bool
    latents: str
    embeds: str | None = None


@record(kw_only=True)
class TrainImageTask(TrainTask):
    """An adapter for pictures, or a whole model.

    `schedule` says which sample each place of an epoch shows, `empty` the input that holds the embeds of no
    caption. `frozen` is the precision that weights are kept in which are not trained, empty for fp32, and
    `weight_bits` those that large layers of them are rounded to.
    """

    kind: ClassVar[str] = "train-image"
    # 2: captions and pictures are encoded by actions of their own, SDXL is told pictures' own sizes
    # 3: a batch keeps its masks where one of its pictures has none
    version: ClassVar[int] = 3

    repeats: int
    keep_tags: int
    prior_data: str | None
    prior_loss_weight: float
    sizes: str
    held_out: tuple[str, ...]
    random_flip: bool
    random_crops: int
    caption_dropout: float
    shuffle_tags: bool
    snr_gamma: float
    noise_offset: float
    prediction_type: str
    masked_loss: bool
    train_text_encoder: bool
    trigger_word: str = field(default="", metadata=OMITTED)
    max_token_length: int = field(default=75, metadata=OMITTED)
    clip_skip: int = field(default=0, metadata=OMITTED)
    folder_repeats: tuple[int, ...] = field(default=(), metadata=OMITTED)
    frozen: str = field(default="", metadata=OMITTED)
    weight_bits: int = field(default=0, metadata=OMITTED)
    family: str = field(default="sd", metadata=BESIDE)
    samples: tuple[EncodedSample, ...] = field(default=(), metadata=BESIDE)
    held_out_samples: tuple[EncodedSample, ...] = field(default=(), metadata=BESIDE)
    schedule: tuple[int, ...] = field(default=(), metadata=BESIDE)
    empty: str | None = field(default=None, metadata=BESIDE)
    model_files: tuple[str, ...] = field(default=(), metadata=BESIDE)
