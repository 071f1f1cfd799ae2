"""What can be wrong with a gate, and with the models that it asks."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.diagnostics import Diagnostic, Place
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import Scene
from lorakit.language.story.gates import Gate
from lorakit.language.yaml import names

# what each judge must give, and a model that does
_GIVES = {
    "character": ("embeds of pictures", "hub:facebook/dinov2-small"),
    "sentence": ("embeds of pictures and of words", "hub:openai/clip-vit-large-patch14"),
}
_NAMED = {"character": "dino", "sentence": "clip"}


def check_gate(settings: RenderSettings, scene: Scene) -> Iterator[Diagnostic]:
    """A gate needs a judge that knows what the model draws, its own or models; takes are chosen by hand."""
    gate, model = scene.gate, settings.model
    if not gate.asks:
        return
    place = next((place for _, place in gate.places), scene.place)
    if gate.judge.named:
        yield from _models(settings, gate, place)
    elif not model.vocabulary and (gate.character or gate.sentence):
        yield settings.context.finding(
            "gate",
            "a gate asks lorakit:studio-judge, which knows the world of lorakit:studio alone, "
            f"not {model.source}",
            gate.where("character", "sentence") or place,
            "name models that score: judge: {character: dino, sentence: clip}, and in the recipe models: "
            f"{{dino: {{from: {_quoted('character')}}}, clip: {{from: {_quoted('sentence')}}}}}",
            "or remove gate:, and choose by hand: takes: 4, then lorakit pick",
        )
    if any(sentence.takes > 1 for sentence in scene.sentences):
        yield settings.context.finding(
            "gate",
            f"scene {scene.name} has takes and a gate: a gate chooses by itself",
            place,
            "remove takes:, or gate:",
        )


def _models(settings: RenderSettings, gate: Gate, place: Place) -> Iterator[Diagnostic]:
    """Each floor has a judge, and each judge is a model that gives what it is asked for."""
    for kind in _GIVES:
        name, floor = getattr(gate.judge, kind), getattr(gate, kind)
        if floor and not name:
            yield settings.context.finding(
                "gate",
                f"gate asks {kind}: {floor:g}, and its judge: names no model for it",
                gate.where(kind) or place,
                f"write judge: {{{kind}: {_NAMED[kind]}}}, and in the recipe models: "
                f"{{{_NAMED[kind]}: {{from: {_quoted(kind)}}}}}",
            )
        elif name:
            yield from _model(settings, kind, name, gate.where(f"judge.{kind}") or place)


def _model(settings: RenderSettings, kind: str, name: str, place: Place) -> Iterator[Diagnostic]:
    gives, example = _GIVES[kind]
    context = settings.context
    found = context.facts.control_models.get(name)
    if found is None:
        known = list(context.project.recipe.models)
        yield context.finding(
            "unknown-model",
            f"the recipe has no model {name}",
            place,
            names.did_you_mean(name, known)
            or f"name it in a recipe that draws this board, models: {{{name}: {{from: {_quoted(kind)}}}}}",
        )
    elif found.config and not (found.reads_words if kind == "sentence" else found.sees):
        yield context.finding(
            "gate",
            f"{found.source} is a {found.kind or 'model'}, which gives no {gives}",
            place,
            f"name a model of transformers that does, such as {example}",
        )


def _quoted(kind: str) -> str:
    return f'"{_GIVES[kind][1]}"'
