"""From the nodes of a storyboard to its documents: sentences with prompts, captions and all they inherit."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lorakit.language.story import board_settings, prompts
from lorakit.language.story.documents import (
    Chain,
    Character,
    Gate,
    ImageSettings,
    PictureFile,
    Scene,
    Sentence,
    Storyboard,
)
from lorakit.language.story.durations import Duration
from lorakit.language.story.mentions import Cast
from lorakit.language.story.reading import SceneMemory
from lorakit.language.story.stand_ins import usual_name
from lorakit.language.story.weights import plain
from lorakit.language.yaml import access, schemas
from lorakit.language.yaml.findings import Unreadable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node, Spot

_TAKES: int = schemas.defaults(schemas.STORYBOARD)["takes"]
_SCENE = schemas.defaults(schemas.STORYBOARD, "scene")
MOST_SENTENCES = 20_000
MOST_LETTERS = 4_000  # of one sentence
MOST_PROMPT_LETTERS = 50_000_000  # of all prompts of a board together
# endings of the pictures that are read
PICTURES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif")
_LONGEST_NAME = 80  # letters of a scene's name that is made from its setting
_LOOK_OF_A_SENTENCE = frozenset({"negative_prompt", "num_inference_steps", "guidance_scale"})


def storyboard(root: Node, path: Path, findings: Findings) -> Storyboard:
    """Build the storyboard that a tree describes; what is missing or wrong reads as its default."""
    story = _Story(root)
    characters = tuple(
        _character(key, node, root, story)
        for key, node in access.mapping(root, "characters").items()
    )
    cast = Cast(characters)
    look = board_settings.image_settings(access.child(root, "look"), ImageSettings())
    chain = board_settings.chain(access.child(root, "chain"), Chain())
    gate = board_settings.gate(access.child(root, "gate"), Gate())
    nodes = access.items(root, "scenes")
    scenes: list[Scene] = []
    budget = _Budget(findings)
    takes = access.integer(root, "takes") or _TAKES
    for number, (name, node) in enumerate(zip(_scene_names(nodes), nodes, strict=True), start=1):
        scene = _SceneBuilder(
            look=board_settings.image_settings(access.child(node, "look"), look),
            chain=board_settings.chain(access.child(node, "chain"), chain),
            gate=board_settings.gate(access.child(node, "gate"), gate),
            setting=access.text(node, "setting") or _SCENE["setting"],
            takes=access.integer(node, "takes") or takes,
            cast=cast,
            findings=findings,
            budget=budget,
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


class _Story:
    """All that a board tells, as it stands, once somebody asks for it."""

    def __init__(self, root: Node) -> None:
        self._root = root

    @cached_property
    def text(self) -> str:
        """Each sentence or paragraph on a line of its own."""
        return "\n".join(_texts_of(self._root))


def _texts_of(root: Node) -> Iterator[str]:
    for scene in access.items(root, "scenes"):
        for node in (access.child(scene, "text"), *access.items(scene, "sentences")):
            text = access.child(node, "text") or node
            if text is not None and isinstance(text.value, str):
                yield text.value


def _character(key: str, node: Node, root: Node, story: _Story) -> Character:
    owner = access.child(root, "characters")
    assert owner is not None
    spaced = key.replace("_", " ")
    anchor = access.child(node, "anchor")
    aliases = [
        alias_node.value.strip()
        for alias_node in access.items(node, "aliases")
        if isinstance(alias_node.value, str)
    ]
    return Character(
        id=key,
        anchor=access.text(node, "anchor") or spaced,
        name=access.text(node, "name")
        or usual_name(spaced, access.text(node, "anchor") or "", story.text),
        aliases=tuple(alias for alias in aliases if alias),
        pronouns=access.choice(node, "pronouns", ("he", "she", "it", "they")),
        place=owner.key_spot(key).place,
        anchor_place=anchor.place if anchor is not None else None,
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
class _Budget:
    """How much a board may be: what is more is nobody's film, but a slip or an attack."""

    findings: Findings
    sentences: int = 0
    letters: int = 0

    def spend(self, prompt: str, spot: Spot) -> None:
        """Count a sentence and its prompt; raises Unreadable where it is too much."""
        self.sentences += 1
        self.letters += len(prompt)
        if self.sentences > MOST_SENTENCES:
            message = f"the storyboard has more than {MOST_SENTENCES:,} sentences"
            hint = "make several storyboards of it, and a video step that joins them"
            self.findings.error("too-many-sentences", message, spot, hint)
            raise Unreadable
        if self.letters > MOST_PROMPT_LETTERS:
            message = f"the storyboard's prompts have more than {MOST_PROMPT_LETTERS:,} letters"
            hint = "shorten the style, the settings or the anchors, which stand in each of them"
            self.findings.error("too-many-sentences", message, spot, hint)
            raise Unreadable

    def fits(self, text: str, spot: Spot) -> bool:
        """Whether a sentence is one that a person would write."""
        if len(text) <= MOST_LETTERS:
            return True
        message = f"a sentence has {len(text):,} letters here, and may have {MOST_LETTERS:,}"
        self.findings.error("too-long", message, spot, "end it with a full stop somewhere")
        return False


@dataclass(slots=True)
class _SceneBuilder:
    """What the sentences of one scene share."""

    look: ImageSettings
    chain: Chain
    gate: Gate
    setting: str
    takes: int
    cast: Cast
    findings: Findings
    budget: _Budget
    memory: SceneMemory = field(default_factory=SceneMemory)

    def build(self, number: int, name: str, node: Node) -> Scene:
        setting = access.child(node, "setting")
        return Scene(
            number=number,
            name=name,
            setting=self.setting,
            chain=self.chain,
            start=access.name(node, "start") or _SCENE["start"],
            sentences=tuple(self._sentence(*sentence) for sentence in _texts(node)),
            place=node.place,
            seed=access.integer(node, "seed"),
            gate=self.gate,
            setting_place=setting.place if setting is not None else None,
            first=_first(node),
        )

    def _sentence(self, text: str, spot: Spot, extra: Node | None) -> Sentence:
        if not self.budget.fits(text, spot):
            text = ""
        mentioned = self.cast.read(text, spot, self.memory, self.findings)
        own = self._own(extra, mentioned.characters) if extra is not None else {}
        if text and "prompt" not in own and not _says_something(text):
            hint = "write what is seen, or remove it; hold: 3 shows the frame before for longer"
            self.findings.error("empty", "the sentence has no words", spot, hint)
        if "prompt" not in own:
            own["prompt"] = prompts.derive(self.look.style, mentioned.prompt, self.setting)
        self.budget.spend(own["prompt"], spot)
        chain = self.chain
        prompt, caption, who = own.pop("prompt"), plain(mentioned.caption), mentioned.characters
        if not own:
            usual = (text, prompt, caption, who, spot.place, self.look, chain.strength)
            return Sentence(*usual, takes=self.takes, strength_place=chain.strength_place)
        own.setdefault("characters", who)
        own.setdefault("look", self.look)
        own.setdefault("takes", self.takes)
        if "strength" not in own:
            own |= {"strength": chain.strength, "strength_place": chain.strength_place}
        return Sentence(text=text, prompt=prompt, caption=caption, place=spot.place, **own)

    def _own(self, extra: Node, mentioned: tuple[str, ...]) -> dict[str, Any]:
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
        if access.boolean(extra, "repeat"):
            own["repeat"] = True
        if not _LOOK_OF_A_SENTENCE.isdisjoint(given):
            own["look"] = self._look(given, extra)
        return own

    def _look(self, given: dict[str, Node], extra: Node) -> ImageSettings:
        own = extra.like({k: v for k, v in given.items() if k in _LOOK_OF_A_SENTENCE})
        return board_settings.image_settings(own, self.look)


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
