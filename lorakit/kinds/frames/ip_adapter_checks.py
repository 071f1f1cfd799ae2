"""What can be wrong with the IP-Adapter that a board's references are seen through."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.diagnostics import Diagnostic
from lorakit.facts.models.unet_layers import denoiser_shapes
from lorakit.kinds.frames.prompts import check_plain_words
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import Storyboard
from lorakit.language.yaml import names

_KEYS = ".attn2.to_k.weight"


def check_ip_adapter(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """One that is not there, is for another model, or is worn by frames that cannot."""
    source, model, context = settings.source_model, settings.model, settings.context
    place = source.ip_adapter_place or source.place
    if not model.traits.ip_adapters:
        yield context.finding(
            "ip-adapter",
            f"{model.source} is {model.traits.title}, which wears no IP-Adapter here",
            place,
            "remove it: the family reads references as pictures"
            if model.traits.references
            else "remove it, or draw with Stable Diffusion or SDXL",
        )
        return
    known = context.project.recipe.models
    if source.ip_adapter not in known:
        yield context.finding(
            "unknown-model",
            f"the recipe has no model {source.ip_adapter}",
            place,
            names.did_you_mean(source.ip_adapter, [name for name in known if name != source.name])
            or f'name it beside this one, models: {{{source.ip_adapter}: {{from: "hub:h94/IP-Adapter"}}}}',
        )
        return
    yield from _fits(settings)
    yield from _drawn_alone(settings, board)


def _fits(settings: RenderSettings) -> Iterator[Diagnostic]:
    """Its layers are those of the UNet's that look at the words."""
    source, model = settings.source_model, settings.model
    adapter = settings.context.facts.ip_adapters.get(model.name)
    shapes = denoiser_shapes(model) if model.unet else {}
    ours = sorted(shape for name, shape in shapes.items() if name.endswith(_KEYS))
    if adapter is None or not adapter.layers or not ours or list(adapter.layers) == ours:
        return
    there = adapter.weights.name if adapter.weights is not None else adapter.source
    what, why = model.traits.title, ""
    if adapter.cross_attention_dim != ours[0][-1]:
        why = f"its cross_attention_dim is {adapter.cross_attention_dim}, {model.source} has {ours[0][-1]}"
    else:
        why = f"it has {len(adapter.layers)} layers of other sizes than the {len(ours)} of {model.source}"
    yield settings.context.finding(
        "ip-adapter",
        f"{there} is for another model: {why}",
        settings.context.project.recipe.models[source.ip_adapter].weight_name_place
        or source.ip_adapter_place
        or source.place,
        f"name one for {what}, such as weight_name: {model.traits.ip_adapters[0].rpartition('/')[2]}",
    )


def _drawn_alone(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """Frames that see references are each a call of diffusers' pipeline."""
    shown = {who.id for who in board.characters if who.references and who.reference_scale}
    for scene in board.scenes:
        seeing = [s for s in scene.sentences if shown.intersection(s.characters) and not s.image]
        seeing = [sentence for sentence in seeing if not sentence.repeat]
        if seeing and scene.chain.attention == "shared":
            yield settings.context.finding(
                "ip-adapter",
                "a frame that sees references through an IP-Adapter is drawn by diffusers' own pipeline, "
                "whose attention is not shared",
                scene.chain.attention_place or scene.place,
                "write chain: {attention: own} for this scene, or remove the model's ip_adapter:",
            )
        for sentence in seeing:
            if sentence.control is None:  # told of there
                yield from check_plain_words(settings, sentence, sentence.prompt, sentence.place)
