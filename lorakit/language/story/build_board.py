"""From the nodes of a storyboard to its documents: sentences with prompts, captions and all they inherit."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.language.story import board_settings, prompts
from lorakit.language.story.budget import Budget
from lorakit.language.story.build_characters import Story, character
from lorakit.language.story.controls import Control, Find, control
from lorakit.language.story.documents import (
    Chain,
    ImageSettings,
    PictureFile,
    Scene,
    Sentence,
    Storyboard,
    Transition,
)
from lorakit.language.story.durations import Duration
from lorakit.language.story.edits import edit_of
from lorakit.language.story.gates import Gate
from lorakit.language.story.mentions import Cast
from lorakit.language.story.motions import STILL, Motion, motion
from lorakit.language.story.over_frames import SceneValues, Scheduled, first_setting
from lorakit.language.story.reading import SceneMemory
from lorakit.language.story.scene_names import scene_names
from lorakit.language.story.sound import SPOKEN, SoundFile
from lorakit.language.story.upscales import Upscale, enlarging, upscale
from lorakit.language.story.weights import plain
from lorakit.language.yaml import access, decode, schemas

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Spot

_TAKES: int = schemas.defaults(schemas.STORYBOARD)["takes"]
_SCENE = schemas.defaults(schemas.STORYBOARD, "scene")
# endings of the pictures that are read
PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif")
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
    moved = motion(access.child(root, "motion"), STILL)
    larger = upscale(access.child(root, "upscale"), None)
    for number, (name, node) in enumerate(zip(scene_names(nodes), nodes, strict=True), start=1):
        scene = _SceneBuilder(
            look=board_settings.image_settings(access.child(node, "look"), look),
            chain=board_settings.chain(access.child(node, "chain"), chain),
            gate=board_settings.gate(access.child(node, "gate"), gate),
            setting=first_setting(node) or _SCENE["setting"],
            takes=access.integer(node, "takes") or takes,
            control=control(access.child(node, "control"), held, find),
            motion=motion(access.child(node, "motion"), moved),
            upscale=upscale(access.child(node, "upscale"), larger),
            find=find,
            cast=cast,
            findings=findings,
            budget=budget,
            over=Scheduled.of(root, node, findings),
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
        video=board_settings.video(video, find) if video is not None else None,
        place=root.place,
    )


@dataclass(slots=True)
class _SceneBuilder:
    """What the sentences of one scene share."""

    look: ImageSettings
    chain: Chain
    gate: Gate
    setting: str
    takes: int
    control: Control
    motion: Motion
    upscale: Upscale | None
    find: Find
    cast: Cast
    findings: Findings
    budget: Budget
    over: Scheduled
    memory: SceneMemory = field(default_factory=SceneMemory)
    drawn: list[int] = field(default_factory=list)

    def build(self, number: int, name: str, node: Node) -> Scene:
        setting = access.child(node, "setting")
        texts = list(_texts(node))
        if self.over:
            self.drawn = [
                at
                for at, (_, _, extra) in enumerate(texts, 1)
                if extra is None or not access.boolean(extra, "repeat")
            ] or [1]
        sentences = [self._sentence(at, *sentence) for at, sentence in enumerate(texts, 1)]
        comes = access.child(node, "transition")
        if comes is not None and sentences and sentences[0].transition is None:
            sentences[0] = replace(sentences[0], transition=decode.decode(Transition, comes))
        return Scene(
            number=number,
            name=name,
            setting=self.setting,
            chain=self.chain,
            start=access.name(node, "start") or _SCENE["start"],
            sentences=tuple(sentences),
            place=node.place,
            seed=access.integer(node, "seed"),
            gate=self.gate,
            setting_place=setting.place if setting is not None else None,
            first=_first(node),
        )

    def _sentence(self, number: int, text: str, spot: Spot, extra: Node | None) -> Sentence:
        if not self.budget.fits(text, spot):
            text = ""
        mentioned = self.cast.read(text, spot, self.memory, self.findings)
        values = SceneValues(self.look, self.chain, self.control, self.setting)
        if self.over:
            values = self.over.at(number, self.drawn, values)
        look, chain, held, setting = values
        own = self._own(extra, mentioned.characters, look, held) if extra is not None else {}
        if text and "prompt" not in own and not _says_something(text):
            hint = "write what is seen, or remove it; hold: 3 shows the frame before for longer"
            self.findings.error("empty", "the sentence has no words", spot, hint)
        if "prompt" not in own:
            own["prompt"] = prompts.derive(look.style, mentioned.prompt, setting)
        self.budget.spend(own["prompt"], spot)
        prompt, told, who = own.pop("prompt"), plain(mentioned.caption), mentioned.characters
        caption = own.pop("caption", told)
        if caption != told:
            own.setdefault("say", told)
        if not own:
            usual = (text, prompt, caption, who, spot.place, look, chain.strength)
            return Sentence(
                *usual,
                takes=self.takes,
                anchor_weight=chain.anchor_weight,
                control=held if held.holds else None,
                motion=self.motion,
                upscale=enlarging(self.upscale),
                strength_place=chain.strength_place,
            )
        own.setdefault("characters", who)
        own.setdefault("look", look)
        own.setdefault("anchor_weight", chain.anchor_weight)
        own.setdefault("takes", self.takes)
        own.setdefault("motion", self.motion)
        own.setdefault("upscale", enlarging(self.upscale))
        if "control" not in own and held.holds:
            own["control"] = held
        if "strength" not in own:
            own |= {"strength": chain.strength, "strength_place": chain.strength_place}
        return Sentence(text=text, prompt=prompt, caption=caption, place=spot.place, **own)

    def _own(
        self, extra: Node, mentioned: tuple[str, ...], look: ImageSettings, held: Control
    ) -> dict[str, Any]:
        """What a sentence's mapping says of its frame alone; `mentioned` are those whom the text names."""
        given = extra.value if isinstance(extra.value, dict) else {}
        own: dict[str, Any] = {}
        prompt, hold = given.get("prompt"), given.get("hold")
        if prompt is not None and isinstance(prompt.value, str):
            expanded = self.cast.expand(_one_line(prompt.value), prompt.spot, self.findings)
            own["prompt"] = expanded.prompt
            own["characters"] = tuple(dict.fromkeys((*mentioned, *expanded.characters)))
        if hold is not None:
            own |= {"hold": Duration.decoded(hold), "by_words": hold.value == SPOKEN}
        if "transition" in given:
            own["transition"] = decode.decode(Transition, given["transition"])
        own |= self._heard(extra, given)
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
            own_control = control(given["control"], held, self.find)
            own["control"] = own_control if own_control.holds else None
        if "motion" in given:
            own["motion"] = motion(given["motion"], self.motion)
        if "upscale" in given:
            own["upscale"] = enlarging(upscale(given["upscale"], self.upscale))
        if access.boolean(extra, "repeat"):
            own["repeat"] = True
        if not _LOOK_OF_A_SENTENCE.isdisjoint(given):
            of_look = extra.like({k: v for k, v in given.items() if k in _LOOK_OF_A_SENTENCE})
            own["look"] = board_settings.image_settings(of_look, look)
        return own

    def _heard(self, extra: Node, given: dict[str, Node]) -> dict[str, Any]:
        """What a sentence's mapping says of its words and its time."""
        own: dict[str, Any] = {}
        caption, say = given.get("caption"), given.get("say")
        if caption is not None and isinstance(caption.value, str):
            own["caption"] = _one_line(caption.value)
        if say is not None and isinstance(say.value, str):
            own["say"] = _one_line(say.value)
        elif say is not None and say.value is False:
            own["say"] = ""
        if (voice := access.text(extra, "voice")) is not None:
            own["voice"] = voice
        if (at := given.get("at")) is not None:
            own |= {"at": Duration.decoded(at), "at_place": at.place}
        recording = given.get("audio")
        if recording is not None and isinstance(recording.value, str) and recording.value.strip():
            path = self.find(recording, "sound")
            own["audio"] = SoundFile(path, recording.place) if path is not None else None
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
