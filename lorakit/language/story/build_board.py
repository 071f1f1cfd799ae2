"""From the nodes of a storyboard to its documents: sentences with prompts, captions and all they inherit."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.language.story import board_settings, prompts, schedules
from lorakit.language.story.budget import Budget
from lorakit.language.story.build_characters import Story, character
from lorakit.language.story.controls import Control, Find, control
from lorakit.language.story.documents import (
    Chain,
    Gate,
    ImageSettings,
    PictureFile,
    Scene,
    Sentence,
    Storyboard,
)
from lorakit.language.story.durations import Duration
from lorakit.language.story.edits import edit_of
from lorakit.language.story.mentions import Cast
from lorakit.language.story.reading import SceneMemory
from lorakit.language.story.weights import plain
from lorakit.language.yaml import access, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Spot

_TAKES: int = schemas.defaults(schemas.STORYBOARD)["takes"]
_SCENE = schemas.defaults(schemas.STORYBOARD, "scene")
# endings of the pictures that are read
PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_LONGEST_NAME = 80  # letters of a scene's name that is made from its setting
SCHEDULED = (
    ("chain", "strength"),
    ("chain", "anchor_weight"),
    ("look", "guidance_scale"),
    ("look", "style"),
)
_LOOK_OF_A_SENTENCE = frozenset({"negative_prompt", "num_inference_steps", "guidance_scale"})


def storyboard(root: Node, path: Path, findings: Findings, find: Find) -> Storyboard:
    """Build the storyboard that a tree describes; what is missing or wrong reads as its default.

    `find` finds the files that it names.
    """
    story = Story(root)
    characters = tuple(
        character(key, node, root, story, find)
        for key, node in access.mapping(root, "characters").items()
    )
    cast = Cast(characters)
    look = board_settings.image_settings(access.child(root, "look"), ImageSettings())
    chain = board_settings.chain(access.child(root, "chain"), Chain())
    gate = board_settings.gate(access.child(root, "gate"), Gate())
    nodes = access.items(root, "scenes")
    scenes: list[Scene] = []
    budget = Budget(findings)
    takes = access.integer(root, "takes") or _TAKES
    held = control(access.child(root, "control"), Control(), find)
    for number, (name, node) in enumerate(zip(_scene_names(nodes), nodes, strict=True), start=1):
        scene = _SceneBuilder(
            look=board_settings.image_settings(access.child(node, "look"), look),
            chain=board_settings.chain(access.child(node, "chain"), chain),
            gate=board_settings.gate(access.child(node, "gate"), gate),
            setting=access.text(node, "setting") or _SCENE["setting"],
            takes=access.integer(node, "takes") or takes,
            control=control(access.child(node, "control"), held, find),
            find=find,
            cast=cast,
            findings=findings,
            budget=budget,
            schedules={
                key: found
                for block, key in SCHEDULED
                if (found := schedules.inherited([root, node], block, key, findings)) is not None
            },
        )
        scenes.append(scene.build(number, name, node))
    video = access.child(root, "video")
    return Storyboard(
        path=path,
        title=access.text(root, "title") or path.stem.replace("-", " ").replace("_", " "),
        seed=access.integer(root, "seed"),
        look=look,
        characters=characters,
        scenes=tuple(scenes),
        video=board_settings.video(video) if video is not None else None,
        place=root.place,
    )


def _scene_names(nodes: list[Node]) -> list[str]:
    """Name each scene: its own name, or its setting's with the setting's occurrence, or its number's."""
    own = [access.name(node, "name") for node in nodes]
    taken = {name for name in own if name}
    names: list[str] = []
    counts: dict[str, int] = {}
    for number, (node, name) in enumerate(zip(nodes, own, strict=True), start=1):
        if name:
            names.append(name)
            continue
        slug = _slug(plain(access.text(node, "setting") or ""))
        if slug:
            counts[slug] = counts.get(slug, 0) + 1
            candidate = slug if counts[slug] == 1 else f"{slug}_{counts[slug]}"
        else:
            candidate = f"scene_{number}"
        while candidate in taken:
            candidate += "_"
        taken.add(candidate)
        names.append(candidate)
    return names


def _slug(setting: str) -> str:
    """A setting as a scene's name; in letters without accents where it has no others than Latin ones."""
    parts = unicodedata.normalize("NFKD", setting)
    bare = "".join(char for char in parts if not unicodedata.combining(char))
    if any(char.isalnum() and not char.isascii() for char in bare):
        text = unicodedata.normalize("NFC", setting).casefold()
        return _shortened("_".join(re.findall(r"[^\W_]+", text)))
    ascii_ = parts.encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^a-z0-9]+", "_", ascii_.casefold()).strip("_")
    if not slug:
        return _shortened(" ".join(setting.split()))  # signs alone, such as emoji
    return slug if not slug[:1].isdigit() else f"scene_{slug}"


def _shortened(name: str) -> str:
    """A name of few letters, which differs wherever the whole differs."""
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f"{name[:_LONGEST_NAME]}_{digest}"


@dataclass(slots=True)
class _SceneBuilder:
    """What the sentences of one scene share."""

    look: ImageSettings
    chain: Chain
    gate: Gate
    setting: str
    takes: int
    control: Control
    find: Find
    cast: Cast
    findings: Findings
    budget: Budget
    schedules: dict[str, schedules.OverFrames]
    memory: SceneMemory = field(default_factory=SceneMemory)
    drawn: list[int] = field(default_factory=list)

    def build(self, number: int, name: str, node: Node) -> Scene:
        setting = access.child(node, "setting")
        texts = list(_texts(node))
        if self.schedules:
            self.drawn = [
                at
                for at, (_, _, extra) in enumerate(texts, 1)
                if extra is None or not access.boolean(extra, "repeat")
            ] or [1]
        return Scene(
            number=number,
            name=name,
            setting=self.setting,
            chain=self.chain,
            start=access.name(node, "start") or _SCENE["start"],
            sentences=tuple(self._sentence(at, *sentence) for at, sentence in enumerate(texts, 1)),
            place=node.place,
            seed=access.integer(node, "seed"),
            gate=self.gate,
            setting_place=setting.place if setting is not None else None,
            first=_first(node),
        )

    def _at(self, number: int) -> tuple[ImageSettings, Chain]:
        """The look and the chain of a frame."""
        look, chain = self.look, self.chain
        for key, schedule in self.schedules.items():
            value = schedule.at(number, self.drawn)
            if key == "style" and isinstance(value, str):
                look = replace(look, style=value)
            elif key == "guidance_scale" and isinstance(value, float):
                look = replace(look, guidance_scale=value)
            elif key == "strength" and isinstance(value, float):
                chain = replace(chain, strength=value, strength_place=schedule.place)
            elif isinstance(value, float):
                chain = replace(chain, anchor_weight=value)
            if key in ("style", "guidance_scale"):
                places = {**dict(look.places), key: schedule.place}
                look = replace(look, places=tuple(places.items()))
        return look, chain

    def _sentence(self, number: int, text: str, spot: Spot, extra: Node | None) -> Sentence:
        if not self.budget.fits(text, spot):
            text = ""
        mentioned = self.cast.read(text, spot, self.memory, self.findings)
        look, chain = self._at(number) if self.schedules else (self.look, self.chain)
        own = self._own(extra, mentioned.characters, look) if extra is not None else {}
        if text and "prompt" not in own and not _says_something(text):
            hint = "write what is seen, or remove it; hold: 3 shows the frame before for longer"
            self.findings.error("empty", "the sentence has no words", spot, hint)
        if "prompt" not in own:
            own["prompt"] = prompts.derive(look.style, mentioned.prompt, self.setting)
        self.budget.spend(own["prompt"], spot)
        prompt, caption, who = own.pop("prompt"), plain(mentioned.caption), mentioned.characters
        if not own:
            usual = (text, prompt, caption, who, spot.place, look, chain.strength)
            return Sentence(
                *usual,
                takes=self.takes,
                anchor_weight=chain.anchor_weight,
                control=self.control if self.control.holds else None,
                strength_place=chain.strength_place,
            )
        own.setdefault("characters", who)
        own.setdefault("look", look)
        own.setdefault("anchor_weight", chain.anchor_weight)
        own.setdefault("takes", self.takes)
        if "control" not in own and self.control.holds:
            own["control"] = self.control
        if "strength" not in own:
            own |= {"strength": chain.strength, "strength_place": chain.strength_place}
        return Sentence(text=text, prompt=prompt, caption=caption, place=spot.place, **own)

    def _own(self, extra: Node, mentioned: tuple[str, ...], look: ImageSettings) -> dict[str, Any]:
        """What a sentence's mapping says of its frame alone; `mentioned` are those whom the text names."""
        given = extra.value if isinstance(extra.value, dict) else {}
        own: dict[str, Any] = {}
        prompt, hold = given.get("prompt"), given.get("hold")
        if prompt is not None and isinstance(prompt.value, str):
            expanded = self.cast.expand(_one_line(prompt.value), prompt.spot, self.findings)
            own["prompt"] = expanded.prompt
            own["characters"] = tuple(dict.fromkeys((*mentioned, *expanded.characters)))
        if hold is not None:
            own["hold"] = Duration.decoded(hold)
        if "strength" in given and (strength := access.number(extra, "strength")) is not None:
            own |= {"strength": strength, "strength_place": given["strength"].place}
        if "seed" in given:
            own["seed"] = access.integer(extra, "seed")
        if "takes" in given:
            own["takes"] = access.integer(extra, "takes") or self.takes
        image = given.get("image")
        if image is not None and isinstance(image.value, str) and image.value.strip():
            own["image"] = PictureFile(Path(image.value.strip()), image.place)
        if "edit" in given:
            own["edit"] = edit_of(given["edit"], self.find)
        if "control" in given:
            held = control(given["control"], self.control, self.find)
            own["control"] = held if held.holds else None
        if access.boolean(extra, "repeat"):
            own["repeat"] = True
        if not _LOOK_OF_A_SENTENCE.isdisjoint(given):
            of_look = extra.like({k: v for k, v in given.items() if k in _LOOK_OF_A_SENTENCE})
            own["look"] = board_settings.image_settings(of_look, look)
        return own


def _first(scene: Node) -> PictureFile | None:
    """The picture that a scene begins from; its path as it is written."""
    start = access.text(scene, "start") or ""
    node = access.child(scene, "start")
    if node is None or start.startswith("scene:") or not start.lower().endswith(PICTURES):
        return None
    return PictureFile(Path(start), node.place)


def _texts(node: Node) -> Iterator[tuple[str, Spot, Node | None]]:
    """Yield a scene's sentences: text, where it stands, and the mapping with what is special, if any."""
    paragraph = access.child(node, "text")
    if paragraph is not None and isinstance(paragraph.value, str):
        from lorakit.language.story.sentences import split

        for text, spot in split(paragraph):
            yield text, spot, None
        return
    for item in access.items(node, "sentences"):
        if isinstance(item.value, str):
            yield _one_line(item.value), item.spot, None
        else:
            where = access.child(item, "text") or item
            text = where.value if isinstance(where.value, str) else ""
            yield _one_line(text), where.spot, item


def _says_something(text: str) -> bool:
    """Whether there is more than blanks, dots and signs of mathematics: letters, digits, emoji."""
    return text[0].isalnum() or any(
        char.isalnum() or unicodedata.category(char) == "So" for char in text
    )


def _one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text else text.strip()
