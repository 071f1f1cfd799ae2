"""What a recipe says of data sets and trainings: frozen, complete, free of YAML."""

from __future__ import annotations

import re
from dataclasses import field
from typing import Literal

from lorakit.diagnostics import Place
from lorakit.language.yaml.schemas import RECIPE, defaults
from lorakit.records import record

_DATA = defaults(RECIPE, "dataset")
_COLUMNS = defaults(RECIPE, "dataset", "columns")
_LORA = defaults(RECIPE, "lora")
_TRAIN = defaults(RECIPE, "train")

Method = Literal["lora", "full"]
Keep = Literal["last", "best"]
PeftType = Literal["lora", "loha", "lokr"]
Prediction = Literal["auto", "epsilon", "v_prediction"]


@record
class Columns:
    """Which columns hold texts and labels, or pictures and captions; no `caption` is one of the usual."""

    text: str = _COLUMNS["text"]
    label: str = _COLUMNS["label"]
    image: str = _COLUMNS["image"]
    caption: str = ""


@record
class DataSource:
    """Where samples come from: exactly one of `texts` and `images` is not empty.

    Either is `lorakit:name`, `hub:owner/name`, or a resolved path. `test_size` below 1 is a share.
    `caption_extension` is how caption files end, empty for the usual. `revision` is a commit, branch or
    tag of the hub; empty is its newest. `repeats` says how often an epoch shows each picture. `places`
    are those of the keys that were given.
    """

    name: str
    place: Place
    texts: str = ""
    images: str = ""
    revision: str = ""
    caption: str = _DATA["caption"]
    split: str = _DATA["split"]
    test_split: str = _DATA["test_split"]
    test_size: float = _DATA["test_size"]
    columns: Columns = Columns()
    labels: tuple[str, ...] = ()
    limit: int | None = None
    repeats: int = _DATA["repeats"]
    trigger_word: str = ""
    caption_extension: str = ""
    places: tuple[tuple[str, Place], ...] = ()

    def where(self, key: str) -> Place:
        """Where a key stands, or the data set, if it was not given."""
        return dict(self.places).get(key, self.place)


def maker_of(name: str) -> tuple[str, str]:
    """The step and the output that an adapter is called by: style, style.step_200, ranks.best."""
    match = re.fullmatch(r"(.+)\.(?:best|step_0*([0-9]{1,9}))", name)
    if match is None:
        return name, "adapter"
    return match[1], f"adapter_{match[2]}" if match[2] else "adapter"


class _Placed:
    """Settings that know where their keys stand."""

    __slots__ = ()
    places: tuple[tuple[str, Place], ...]

    def where(self, key: str) -> Place | None:
        """Where a key stands, or as `target_modules.0` a list's item; None if it was not given."""
        return dict(self.places).get(key)


@record
class LoraSettings(_Placed):
    """The adapter; `alpha` None is `rank`, empty `target_modules` are the kind's own, `start` is `from`.

    `places` are those of the keys that were given, and as `target_modules.0` of what lists hold.
    """

    rank: int = _LORA["rank"]
    start: str = field(default="", metadata={"key": "from"})
    alpha: float | None = None
    dropout: float = _LORA["dropout"]
    target_modules: tuple[str, ...] | str = ()
    use_rslora: bool = _LORA["use_rslora"]
    use_dora: bool = _LORA["use_dora"]
    modules_to_save: tuple[str, ...] = _LORA["modules_to_save"]
    peft_type: PeftType = _LORA["peft_type"]
    places: tuple[tuple[str, Place], ...] = ()

    @property
    def start_step(self) -> str:
        """The step that makes what it goes on from, if one does."""
        return maker_of(self.start)[0]

    @property
    def scale_alpha(self) -> float:
        """Alpha, filled in."""
        return float(self.rank if self.alpha is None else self.alpha)


@record
class Resources:
    """What a training runs on; None is one GPU or the CPU."""

    gpus: int | None = None
    processes: int | None = None


@record
class TrainSettings(_Placed):
    """How long, how fast, how exactly; at most one of `max_train_steps` and `num_train_epochs`.

    `learning_rate` None is the kind's own. `place` is where `precision` stands, or the step; `places` are
    those of the keys that were given, of `resources` too.
    """

    max_train_steps: int | None = None
    num_train_epochs: int | None = None
    batch_size: int = _TRAIN["batch_size"]
    gradient_accumulation_steps: int = _TRAIN["gradient_accumulation_steps"]
    learning_rate: float | None = None
    lr_scheduler: str = _TRAIN["lr_scheduler"]
    text_encoder_learning_rate: float | None = None
    lr_warmup_steps: int = _TRAIN["lr_warmup_steps"]
    warmup_ratio: float | None = None
    lr_num_cycles: int | None = None
    optimizer: str = _TRAIN["optimizer"]
    weight_decay: float = _TRAIN["weight_decay"]
    max_grad_norm: float = _TRAIN["max_grad_norm"]
    ema_decay: float = _TRAIN["ema_decay"]
    precision: str = _TRAIN["precision"]
    gradient_checkpointing: bool = _TRAIN["gradient_checkpointing"]
    torch_compile: bool = _TRAIN["torch_compile"]
    checkpointing_steps: int | None = None
    save_every: int | None = None
    keep: Keep = _TRAIN["keep"]
    trackers: tuple[str, ...] = _TRAIN["trackers"]
    resources: Resources = Resources()
    place: Place | None = None
    places: tuple[tuple[str, Place], ...] = ()

    def batches(self, samples: int) -> int:
        """Passes in one epoch; the ragged last batch counts."""
        return -(-samples // self.batch_size)

    def steps(self, samples: int) -> int:
        """Optimizer steps for so many samples."""
        if self.max_train_steps is not None:
            return self.max_train_steps
        passes = (self.num_train_epochs or DEFAULT_EPOCHS) * self.batches(samples)
        return max(1, -(-passes // self.gradient_accumulation_steps))


DEFAULT_EPOCHS = 3
