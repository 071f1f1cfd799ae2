"""From the nodes of a merged recipe to its documents."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lorakit.language.recipe import build_training, prompt_lists
from lorakit.language.recipe.documents import (
    AdapterSource,
    AdapterUse,
    Best,
    CompareStep,
    GenerateStep,
    Member,
    ModelSource,
    Recipe,
    Step,
    StoryboardStep,
    SweepStep,
    TrainTextStep,
    VideoStep,
)
from lorakit.language.recipe.folders import folder_name
from lorakit.language.story import board_settings
from lorakit.language.story.documents import ImageSettings
from lorakit.language.yaml import access, names, schemas

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Literal

    from lorakit.diagnostics import Place
    from lorakit.language.recipe.documents import DType
    from lorakit.language.recipe.paths import Paths
    from lorakit.language.recipe.sweeps import Change, Draft, Sweeps
    from lorakit.language.recipe.trainings import DataSource, Method
    from lorakit.language.story.documents import Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

STUDIO = "studio"
MINILM = "minilm"
SHIPPED_MODELS = ("studio", "minilm")
_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*\Z")
_PICKLES = (".ckpt", ".pt", ".pth", ".bin", ".pkl")
_HUB_ADDRESS = re.compile(
    r"(?:hf|huggingface|hf\.co|(?:https?://)?(?:www\.)?(?:huggingface\.co|hf\.co)/)[:/]*",
    re.IGNORECASE,
)


def recipe(
    swept: Sweeps,
    path: Path,
    paths: Paths,
    board: Callable[[Path, Node, tuple[Change, ...]], Storyboard | None],
    findings: Findings,
) -> Recipe:
    """The recipe that a tree describes; `board` reads a storyboard that a step names, with changes to it."""
    root = swept.root
    models = {
        name: _model(name, node, root, paths, findings)
        for name, node in access.mapping(root, "models").items()
    }
    default_model = next(iter(models)) if len(models) == 1 else STUDIO
    builder = _StepBuilder(root, default_model, paths, board, findings, swept)
    steps: dict[str, Step] = {}
    for name, node in access.mapping(root, "steps").items():
        step = builder.build(name, node)
        if step is not None:
            steps[name] = step
    if STUDIO not in models:
        used = any(getattr(step, "model", None) == STUDIO for step in steps.values())
        trains = any(isinstance(step, TrainTextStep) for step in steps.values())
        if used or not (models or trains):
            models[STUDIO] = ModelSource(STUDIO, "lorakit:studio", "auto", root.place)
    if MINILM not in models and any(getattr(s, "model", "") == MINILM for s in steps.values()):
        models[MINILM] = ModelSource(MINILM, f"lorakit:{MINILM}", "auto", root.place)
    adapters = {
        name: _adapter(name, node, root, paths, findings)
        for name, node in access.mapping(root, "adapters").items()
    }
    seed = access.integer(root, "seed")
    return Recipe(
        path=path,
        name=folder_name(access.text(root, "name") or path.stem),
        seed=default_seed() if seed is None else seed,
        models=models,
        datasets=_datasets(root, paths, findings),
        adapters=adapters,
        steps=_with_sweeps(steps, root, swept.drafts),
        place=root.place,
    )


def _with_sweeps(
    steps: dict[str, Step], root: Node, drafts: Mapping[str, list[Draft]]
) -> dict[str, Step]:
    """The steps with the members of sweeps where they belong."""
    found: dict[str, Step] = {}
    for name, node in access.mapping(root, "steps").items():
        if name in drafts:
            members = tuple(
                Member(
                    draft.name,
                    draft.like,
                    tuple((change.label, change.shown) for change in draft.changes),
                    steps[f"{name}/{draft.name}"],
                )
                for draft in drafts[name]
                if f"{name}/{draft.name}" in steps
            )
            place = steps[name].place
            found[name] = SweepStep(name, place, members, _best(access.child(node, "best")))
        elif name in steps and "/" not in name:
            found[name] = steps[name]
    return found


def _best(node: Node | None) -> Best | None:
    metric, mode = access.text(node, "metric"), access.choice(node, "mode", ("max", "min"))
    link = access.child(node, "metric")
    if link is None or metric is None or mode is None:
        return None
    return Best(metric, cast("Literal['max', 'min']", mode), link.place)


def _datasets(root: Node, paths: Paths, findings: Findings) -> dict[str, DataSource]:
    owner = access.child(root, "datasets")
    return {
        name: build_training.dataset(name, node, owner.key_spot(name).place, paths, findings)
        for name, node in access.mapping(root, "datasets").items()
        if owner is not None
    }


def default_seed() -> int:
    """The seed of a recipe that gives none."""
    return int(schemas.default("recipe.schema.json#/properties/seed"))


def _model(name: str, node: Node, root: Node, paths: Paths, findings: Findings) -> ModelSource:
    owner = access.child(root, "models")
    assert owner is not None
    dtype = access.choice(node, "dtype", ("auto", "fp32", "bf16", "fp16"))
    return ModelSource(
        name=name,
        source=_model_source(access.child(node, "from"), paths, findings),
        dtype=cast(
            "DType",
            dtype or schemas.default("recipe.schema.json#/definitions/model/properties/dtype"),
        ),
        place=owner.key_spot(name).place,
    )


def _model_source(node: Node | None, paths: Paths, findings: Findings) -> str:
    if node is None or not isinstance(node.value, str) or not node.value.strip():
        return "lorakit:studio"
    text = node.value
    if text.startswith("lorakit:"):
        shipped = text.removeprefix("lorakit:")
        if shipped not in SHIPPED_MODELS:
            findings.error(
                "unknown-model",
                f"lorakit ships no model called {shipped or 'nothing'}",
                node,
                names.did_you_mean(shipped, SHIPPED_MODELS, "lorakit:{}")
                or "it ships lorakit:studio, which draws, and lorakit:minilm, which reads",
            )
        return text
    address = _HUB_ADDRESS.match(text)
    if text.startswith("hub:") or address:
        owner_and_name = text[address.end() :] if address else text.removeprefix("hub:")
        if address or not _HUB_NAME.match(owner_and_name):
            findings.error(
                "wrong-form",
                "a model on the Hugging Face hub is hub:owner/name",
                node,
                f"write hub:{owner_and_name}"
                if _HUB_NAME.match(owner_and_name)
                else "for example: hub:CompVis/stable-diffusion-v1-4",
            )
        return text
    if "://" in text:
        findings.error(
            "wrong-form",
            "a model is not fetched from an address",
            node,
            "write hub:owner/name, or download it and give its path",
        )
        return text
    if _is_pickle(node, "model", findings):
        return text
    path = paths.file(node, "model", findings, folder_too=True)
    return str(path) if path is not None else text


def _is_pickle(node: Node, what: str, findings: Findings) -> bool:
    text = str(node.value)
    if not text.casefold().endswith(_PICKLES):
        return False
    findings.error(
        "unsafe-weights",
        f"this {what} is a pickle, which can run code when it is read; lorakit reads safetensors only",
        node,
        "many models are published in both forms; else convert it once, where you trust it",
    )
    return True


def _adapter(name: str, node: Node, root: Node, paths: Paths, findings: Findings) -> AdapterSource:
    owner = access.child(root, "adapters")
    assert owner is not None
    link = access.child(node, "from")
    path = None
    if link is not None and isinstance(link.value, str) and link.value.strip():
        if link.value.startswith("hub:") or "://" in link.value:
            findings.error(
                "wrong-form",
                "an adapter is the path of a file",
                link,
                "download it and give its path",
            )
        elif not _is_pickle(link, "adapter", findings):
            path = paths.file(link, "adapter", findings, folder_too=True)
    return AdapterSource(name, path or Path(), owner.key_spot(name).place)


@dataclass(slots=True)
class _StepBuilder:
    """What the steps of one recipe share; `board` reads a storyboard that a step names."""

    root: Node
    default_model: str
    paths: Paths
    board: Callable[[Path, Node, tuple[Change, ...]], Storyboard | None]
    findings: Findings
    sweeps: Sweeps

    def build(self, name: str, node: Node) -> Step | None:
        """Build a step, if it is whole enough to be one."""
        owner = access.child(self.root, "steps")
        assert owner is not None
        place = owner.key_spot(name).place
        kind = access.text(node, "kind")
        if kind == "generate":
            return self._generate(name, node, place)
        if kind == "storyboard":
            return self._storyboard(name, node, place)
        if kind == "video":
            of = [one.value for one in access.items(node, "of") if isinstance(one.value, str)]
            return VideoStep(name, place, of=tuple(of), video=board_settings.video(node))
        if kind == "compare":
            of = [one.value for one in access.items(node, "of") if isinstance(one.value, str)]
            return CompareStep(name, place, of=tuple(of))
        if kind == "train-image":
            return build_training.image_step(
                name, node, place, access.text(node, "model") or self.default_model
            )
        if kind == "train-text":
            return self._train_text(name, node, place)
        # its members stand beside it among the steps
        return SweepStep(name, place, ()) if kind == "sweep" else None

    def _train_text(self, name: str, node: Node, place: Place) -> TrainTextStep:
        length = access.integer(node, "max_length")
        return TrainTextStep(
            name,
            place,
            places=build_training.spots(node),
            model=access.text(node, "model")
            or (MINILM if self.default_model == STUDIO else self.default_model),
            data=access.text(node, "data") or "",
            method=cast("Method", access.choice(node, "method", ("lora", "full")) or "lora"),
            max_length=128 if length is None else length,
            seed=access.integer(node, "seed"),
            lora=build_training.lora(node),
            train=build_training.train(node, place),
            class_weights=cast(
                "Literal['none', 'balanced']",
                access.choice(node, "class_weights", ("none", "balanced")) or "none",
            ),
        )

    def _generate(self, name: str, node: Node, place: Place) -> GenerateStep:
        images = access.integer(node, "images_per_prompt")
        default = "recipe.schema.json#/definitions/generate/properties/images_per_prompt"
        return GenerateStep(
            name,
            place,
            model=access.text(node, "model") or self.default_model,
            adapters=_adapters_used(node, self.root),
            prompts=prompt_lists.prompts(node),
            images_per_prompt=schemas.default(default) if images is None else images,
            look=board_settings.image_settings(node, ImageSettings()),
            seed=access.integer(node, "seed"),
        )

    def _storyboard(self, name: str, node: Node, place: Place) -> StoryboardStep | None:
        link = access.child(node, "storyboard")
        if link is None or not isinstance(link.value, str) or not link.value.strip():
            return None
        path = self.paths.file(link, "storyboard", self.findings)
        changes = self.sweeps.board(name)
        board = self.board(path, link, changes) if path is not None else None
        if board is None:
            return None
        return StoryboardStep(
            name,
            place,
            model=access.text(node, "model") or self.default_model,
            adapters=_adapters_used(node, self.root),
            board=board,
        )


def _adapters_used(node: Node, root: Node) -> tuple[AdapterUse, ...]:
    owner, files = access.child(node, "adapters"), access.mapping(root, "adapters")
    used = []
    for name in access.mapping(node, "adapters"):
        weight = access.number(owner, name)
        assert owner is not None
        if weight is not None:
            used.append(AdapterUse(name, weight, owner.key_spot(name).place, name in files))
    return tuple(used)
