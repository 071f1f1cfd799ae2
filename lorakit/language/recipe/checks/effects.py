"""Checks of what a recipe says and no step would differ without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lorakit.language.recipe.documents import (
    GenerateStep,
    StoryboardStep,
    SweepStep,
    TrainImageStep,
    TrainTextStep,
    with_members,
)
from lorakit.language.recipe.sweeps import own_steps
from lorakit.language.story.checks.effects import cut_takes_no_time, told_of_no_guidance
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.recipe.documents import Recipe, Step
    from lorakit.language.story.documents import ImageSettings, Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

# what a recipe names for its steps, and the keys by which they use it
_NAMED = {
    "models": ("model", ("model",)),
    "adapters": ("adapter", ("adapters",)),
    "datasets": ("data set", ("data", "prior_data")),
}


def settings_have_effect(recipe: Recipe, root: Node, findings: Findings) -> None:
    """Negative prompts without guidance, seeds that nobody takes, transitions that are cuts."""
    if findings:  # what is wrong may be why they have no effect
        return
    for name, node in own_steps(root).items():
        step = recipe.steps.get(name)
        if isinstance(step, GenerateStep):
            _pictures(node, step.look, findings)
        elif isinstance(step, TrainImageStep):
            samples = access.child(node, "samples")
            if samples is not None:
                _pictures(samples, step.samples.look, findings)
        elif isinstance(step, SweepStep):
            _draws(node, findings)
        if access.text(node, "kind") == "video":
            cut_takes_no_time(node, findings)
        for worn, weight in access.mapping(node, "adapters").items():
            if weight.value == 0:
                message = f"{worn} has no effect at a weight of 0"
                findings.warning("no-effect", message, weight, "write 1, or remove it")
    seed = access.child(root, "seed")
    if seed is not None and recipe.steps and not _takes_seed(recipe, root):
        findings.warning(
            "no-effect",
            "seed has no effect here: each step, or what it draws, has its own",
            seed,
            "change the seed there, or remove it there",
        )


def _pictures(node: Node, look: ImageSettings, findings: Findings) -> None:
    """The prompts of a mapping, and what it says of them all."""
    prompts = access.items(node, "prompts")
    own = [access.child(item, "negative_prompt") for item in prompts]
    shared = access.child(node, "negative_prompt")
    for value in (*own, shared if None in own else None):
        if value is not None:
            told_of_no_guidance(value, [look], findings)
    for key in ("seed", "negative_prompt"):
        value = access.child(node, key)
        if value is not None and prompts and all(access.child(prompt, key) for prompt in prompts):
            message = f"{key} has no effect here: each prompt has its own"
            findings.warning("no-effect", message, value, "remove one of the two")


def _draws(node: Node, findings: Findings) -> None:
    """A sweep that makes every combination draws nothing."""
    seed = access.child(node, "seed")
    if seed is not None and access.child(node, "random") is None:
        findings.warning(
            "no-effect",
            "seed has no effect without random: it says where random draws from",
            seed,
            f"write seeds: [{seed.value}] to draw each member with it, or random: 8 beside it",
        )


def _takes_seed(recipe: Recipe, root: Node) -> bool:
    """Whether anything comes from the recipe's own seed."""
    limited = any(data.limit is not None for data in recipe.datasets.values())
    draws = any(
        access.child(node, "random") is not None and access.child(node, "seed") is None
        for node in own_steps(root).values()
    )
    return limited or draws or any(_step_takes_seed(s) for s in with_members(recipe.steps.values()))


def _step_takes_seed(step: Step) -> bool:
    if isinstance(step, GenerateStep):
        return step.seed is None and any(prompt.seed is None for prompt in step.prompts)
    if isinstance(step, StoryboardStep):
        return step.board.seed is None and _board_takes_seed(step.board)
    if isinstance(step, TrainTextStep | TrainImageStep):
        return step.seed is None
    return False


def _board_takes_seed(board: Storyboard) -> bool:
    return any(
        sentence.seed is None
        for scene in board.scenes
        if scene.seed is None
        for sentence in scene.sentences
    )


def what_is_named_is_used(recipe: Recipe, root: Node, findings: Findings) -> None:
    """A model, adapter or data set that no step uses; those of a recipe that is extended may wait."""
    if findings:
        return
    steps = access.mapping(root, "steps").values()
    held_by, worn_by = _held_by(recipe), _worn_by(recipe)
    for block, (noun, keys) in _NAMED.items():
        owner = access.child(root, block)
        for name, node in access.mapping(root, block).items():
            used = any(_uses(step, key, name) for step in steps for key in keys)
            if used or owner is None or node.source is not root.source:
                continue
            if name in {"models": held_by, "adapters": worn_by}.get(block, ()):
                continue
            if block == "models" and len(access.mapping(root, block)) == 1:
                continue  # it is every step's that names none
            findings.warning(
                "no-effect",
                f"no step uses the {noun} {name}",
                owner.key_spot(name),
                f"a step uses it by {keys[0]}: {name}"
                if block != "adapters"
                else f"a step wears it by adapters: {{{name}: 1}}",
            )


def _worn_by(recipe: Recipe) -> set[str]:
    """The adapters that characters of boards wear."""
    return {who.adapter.name for board in recipe.boards for who in board.characters if who.adapter}


def _held_by(recipe: Recipe) -> set[str]:
    """The models that boards hold and judge frames by, make clips and larger frames with, see through."""
    controls = {
        sentence.control
        for board in recipe.boards
        for scene in board.scenes
        for sentence in scene.sentences
        if sentence.control is not None
    }
    held = {name for one in controls for name in (one.controlnet, one.depth_model)}
    judges = {scene.gate.judge for board in recipe.boards for scene in board.scenes}
    held |= {name for one in judges for name in (one.character, one.sentence)}
    sentences = (s for board in recipe.boards for scene in board.scenes for s in scene.sentences)
    for sentence in sentences:
        held |= {sentence.motion.video_model, sentence.upscale.model if sentence.upscale else ""}
    return held | {source.ip_adapter for source in recipe.models.values()}


def _uses(step: Node, key: str, name: str) -> bool:
    if key == "adapters" and access.text(access.child(step, "lora"), "from") == name:
        return True
    given = access.child(step, key)
    if given is None:
        return False
    return name in given.value if isinstance(given.value, dict) else given.value == name
