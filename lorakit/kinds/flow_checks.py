"""What a training by flow matching has no use for, and what its model is: told at its place."""

from __future__ import annotations

from collections.abc import Iterator

from lorakit.diagnostics import Diagnostic
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.language.yaml import names
from lorakit.plan.kind import Context

_USUAL = 75  # tokens that UNets' text encoders read


def unlearnt(step: TrainImageStep, model: ModelFacts, context: Context) -> Iterator[Diagnostic]:
    """Settings of UNets' trainings beside a model of flow matching, and a model that is distilled."""
    flow, title = model.traits.flow, model.traits.title
    if flow is None:
        return
    asked = {
        "snr_gamma": (step.snr_gamma, "weighs what is noisy by how, and a flow has no such ratio"),
        "noise_offset": (step.noise_offset, "shifts noise that is predicted"),
        "prediction_type": (
            step.prediction_type != "auto",
            "is what a UNet says; this model says the way from picture to noise",
        ),
    }
    for key, (given, why) in asked.items():
        if given:
            yield context.finding(
                "no-effect",
                f"{key} {why}: {model.source} is {title}, which learns by flow matching",
                step.where(key) or step.place,
                f"remove {key}",
            )
    if step.max_token_length != _USUAL:
        yield context.finding(
            "no-effect",
            f"max_token_length has captions read in chunks by CLIP; {model.source} is {title}, "
            f"which reads {model.token_limit} tokens",
            step.where("max_token_length") or step.place,
            "remove max_token_length",
        )
    if step.train_text_encoder:
        yield context.finding(
            "wrong-model",
            f"train_text_encoder is for UNets; of {title} the transformer alone is trained",
            step.where("train_text_encoder") or step.place,
            "remove train_text_encoder",
        )
    if step.method == "full":
        yield context.finding(
            "wrong-model",
            f"method: full is for UNets; of {title} an adapter is trained",
            step.where("method") or step.place,
            "write method: lora",
        )
    lacking = [name for name in model.traits.encoders if name not in model.configs]
    if model.path is not None and lacking:
        yield context.finding(
            "wrong-model",
            f"{model.source} is drawn with and not trained: it has no {names.listed(lacking)}",
            step.where("model") or step.place,
            "train the whole model, and wear the adapter with this one",
        )
    if flow.distilled(model.configs, f"{model.source}".lower()):
        whole = (
            name
            for name, told in model.traits.published.items()
            if not flow.distilled(told.configs, name.lower())
        )
        yield context.finding(
            "distilled",
            f"{model.source} is {title} distilled to few steps: an adapter trained on it learns slowly, "
            "and undoes what it was distilled to",
            step.where("model") or step.place,
            f"train {next(whole, 'the model that it was made from')}, and wear the adapter with this one",
            warning=True,
        )
