"""By which files ComfyUI loads what a step draws with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lorakit.diagnostics import Place
from lorakit.doors.samplers import of_class
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.language.recipe.adapters import AdapterUse
from lorakit.language.recipe.documents import ModelSource, Recipe
from lorakit.plan.schedulers import SCHEDULERS
from lorakit.records import record


@record
class Loader:
    """One `checkpoint`, or a UNet, text encoders and a VAE by themselves; `say` is what to know of it."""

    family: str
    checkpoint: str = ""
    unet: str = ""
    texts: tuple[str, ...] = ()
    vae: str = ""
    say: tuple[str, Place | None, str] | None = None


@record
class LoraFile:
    """An adapter as ComfyUI finds it: a file in its models/loras."""

    name: str
    file: str
    weight: float
    say: tuple[str, Place | None, str]


def loader_of(source: ModelSource, facts: ModelFacts, checkpoint: str | None) -> Loader:
    """What loads a model; `checkpoint` is the file that the user means instead."""
    if checkpoint:
        return Loader(facts.family, checkpoint)
    if source.source.startswith("lorakit:"):
        name = source.source.removeprefix("lorakit:")
        return Loader(
            facts.family,
            f"{name}.safetensors",
            say=(
                f"{source.source} is a small network of lorakit's own, which ComfyUI cannot load",
                source.place,
                "--checkpoint v1-5-pruned-emaonly.safetensors, or another that is in its models/checkpoints",
            ),
        )
    path = Path(source.source)
    if path.suffix == ".safetensors":
        words = f"{path.name} is looked for in ComfyUI's models/checkpoints"
        return Loader(facts.family, path.name, say=(words, source.place, f"copy {path} there"))
    name = source.source.removeprefix("hub:").rpartition("/")[2] or path.name
    count = len(facts.traits.text_parts)
    ends = ("",) if count == 1 else tuple(f"-{number + 1}" for number in range(count))
    texts = tuple(f"{name}{end}.safetensors" for end in ends)
    words = (
        f"{source.source} is a folder of parts, and ComfyUI looks for {', '.join(texts)} in its "
        "models/diffusion_models, text_encoders and vae"
    )
    folders = "text_encoder" + (" and text_encoder_2" if len(texts) == 2 else "")
    hint = (
        f"copy the .safetensors files of unet, {folders} and vae there under these names, "
        "or name one file of the whole with --checkpoint"
    )
    return Loader(
        facts.family,
        unet=f"{name}.safetensors",
        texts=texts,
        vae=f"{name}.safetensors",
        say=(words, source.place, hint),
    )


def loras_of(uses: tuple[AdapterUse, ...], recipe: Recipe) -> Iterator[LoraFile]:
    """The adapters that a step wears, in its order."""
    for use in uses:
        file = f"{use.name}.safetensors"
        if use.from_file:
            where = str(recipe.adapters[use.name].path)
        else:
            where = f"outputs/{recipe.name}/NNN/{use.step}"
        words = f"adapter {use.name} is looked for as {file} in ComfyUI's models/loras"
        hint = f"lorakit export adapter {where} --out {file}, and put it there"
        yield LoraFile(use.name, file, use.weight, (words, use.place, hint))


@record
class OwnSampling:
    """How a model's own configuration has it drawn: its scheduler, where steps lie, what is predicted.

    `unknown` is a scheduler's class that has no name here, so that `scheduler` is only the usual one.
    """

    scheduler: str
    karras: bool = False
    trailing: bool = False
    predicts_v: bool = False
    zero_snr: bool = False
    unknown: str = ""


def own_sampling(facts: ModelFacts, checkpoint: str | None = None) -> OwnSampling:
    """What the configuration of a model says, be it a folder's, one file's, or a published one's.

    `checkpoint` is the file that the user means instead, of which nothing more is known.
    """
    config = facts.scheduler
    name = of_class(config.get("_class_name"))
    known = {} if checkpoint else config
    predicts_v = known.get("prediction_type") == "v_prediction"
    return OwnSampling(
        name or facts.traits.scheduler,  # as its family is published
        karras=name is not None
        and SCHEDULERS[name].karras
        and config.get("use_karras_sigmas") is True,
        trailing=known.get("timestep_spacing") == "trailing",
        predicts_v=predicts_v,
        zero_snr=predicts_v and config.get("rescale_betas_zero_snr") is True,
        unknown="" if name else str(config.get("_class_name", "")),
    )
