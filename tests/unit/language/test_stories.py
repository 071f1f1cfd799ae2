"""The stories that ship say only what the model that ships can draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from lorakit import resources
from lorakit.language import load
from lorakit.language.recipe.documents import GenerateStep, StoryboardStep
from lorakit.language.story.documents import Storyboard

WORLD = Path(__file__).resolve().parents[3] / "studio/world.yaml"
STYLE = "soft 3d illustration"
SMALL = {"a", "an", "the", "with"}
SEEDS = (
    "AI robot teaching students in a village school",
    "A traditional Gurukul reimagined with VR and AR",
    "Students learning under a hologram tree",
    "A child meditating in a virtual garden",
    "Knowledge as light in a dark classroom",
)


def board(name: str) -> Storyboard:
    film = load(resources.path("storyboards") / f"{name}.yaml").recipe.steps["film"]
    assert isinstance(film, StoryboardStep)
    return film.board


def unknown_words(prompt: str) -> list[str]:
    """What is left of a prompt once the world's names, settings and relations are taken out."""
    world = yaml.safe_load(WORLD.read_text(encoding="utf-8"))
    known = [STYLE, *world["settings"], *world["relations"]]
    for group in ("characters", "hats", "props"):
        known += [name for names in world[group].values() for name in names]
    for name in sorted(known, key=len, reverse=True):
        prompt = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", prompt, flags=re.IGNORECASE)
    return [word for word in re.findall(r"\w+", prompt) if word.lower() not in SMALL]


def drawn() -> Iterator[str]:
    for name in ("bunny-magic-hat", "alien-explorer-on-mars"):
        for scene in board(name).scenes:
            yield from (sentence.prompt for sentence in scene.sentences)
    for name in ("quickstart", "gurukul"):
        for step in load(resources.path("recipes") / f"{name}.yaml").recipe.steps.values():
            if isinstance(step, GenerateStep):
                yield from (prompt.text for prompt in step.prompts)


@pytest.mark.skipif(not WORLD.exists(), reason="the world stands in the checkout only")
def test_every_word_is_of_the_studio_s_world() -> None:
    prompts = list(drawn())
    assert len(prompts) > 25
    assert {prompt: unknown_words(prompt) for prompt in prompts if unknown_words(prompt)} == {}


def test_the_quickstart_s_story_has_its_parts() -> None:
    story = board("bunny-magic-hat")
    assert len(story.scenes) == 4
    assert 12 <= sum(len(scene.sentences) for scene in story.scenes) <= 14
    assert all(scene.chain.start == "anchor" for scene in story.scenes)
    assert story.video is not None
    assert story.video.transition.kind == "crossfade"
    assert story.video.captions.show


def test_the_gurukul_is_told_in_the_words_of_its_five_prompts() -> None:
    assert (
        tuple(sentence.text for scene in board("gurukul").scenes for sentence in scene.sentences)
        == SEEDS
    )
