"""From the nodes of a storyboard to its documents: sentences with prompts, captions and all they inherit."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language import access, durations, looks, prompts
from lorakit.language.documents import Chain, Character, Look, Scene, Sentence, Storyboard
from lorakit.language.mentions import Cast, SceneMemory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lorakit.language.findings import Findings
    from lorakit.language.nodes import Node, Spot

_OVERRIDES = frozenset({"negative_prompt", "num_inference_steps", "guidance_scale"})


def storyboard(root: Node, path: Path, findings: Findings) -> Storyboard:
    """The storyboard that a tree describes; what is missing or wrong reads as its default."""
    characters = tuple(
        _character(key, node, root) for key, node in access.mapping(root, "characters").items()
    )
    cast = Cast(characters)
    look = looks.look(access.child(root, "look"), Look())
    chain = looks.chain(access.child(root, "chain"), Chain())
    nodes = access.items(root, "scenes")
    scene_names = _scene_names(nodes)
    scenes = tuple(
        _scene(number, name, node, look, chain, cast, findings)
        for number, (name, node) in enumerate(zip(scene_names, nodes, strict=True), start=1)
    )
    video = access.child(root, "video")
    return Storyboard(
        path=path,
        title=access.text(root, "title") or path.stem.replace("-", " ").replace("_", " "),
        seed=access.integer(root, "seed"),
        look=look,
        characters=characters,
        scenes=scenes,
        video=looks.video(video) if video is not None else None,
        place=root.place,
    )


def _character(key: str, node: Node, root: Node) -> Character:
    owner = access.child(root, "characters")
    assert owner is not None
    aliases = [
        one.value.strip() for one in access.items(node, "aliases") if isinstance(one.value, str)
    ]
    return Character(
        id=key,
        anchor=access.text(node, "anchor") or key.replace("_", " "),
        name=access.text(node, "name") or f"the {key.replace('_', ' ')}",
        aliases=tuple(alias for alias in aliases if alias),
        pronouns=access.choice(node, "pronouns", ("he", "she", "it", "they")),
        place=owner.key_spot(key).place,
    )


def _scene_names(nodes: list[Node]) -> list[str]:
    """A name for each scene: its own, or its setting's with the setting's occurrence, or its number's."""
    own = [access.text(node, "name") for node in nodes]
    taken = {name for name in own if name}
    found: list[str] = []
    counts: dict[str, int] = {}
    for number, (node, name) in enumerate(zip(nodes, own, strict=True), start=1):
        if name:
            found.append(name)
            continue
        slug = _slug(access.text(node, "setting") or "")
        if not slug:
            candidate = f"scene_{number}"
        else:
            counts[slug] = counts.get(slug, 0) + 1
            candidate = slug if counts[slug] == 1 else f"{slug}_{counts[slug]}"
        while candidate in taken:
            candidate += "_"
        taken.add(candidate)
        found.append(candidate)
    return found


def _slug(setting: str) -> str:
    plain = unicodedata.normalize("NFKD", setting).encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^a-z0-9]+", "_", plain.casefold()).strip("_")
    return slug if not slug[:1].isdigit() else f"scene_{slug}"


def _scene(
    number: int, name: str, node: Node, look: Look, chain: Chain, cast: Cast, findings: Findings
) -> Scene:
    own_look = looks.look(access.child(node, "look"), look)
    own_chain = looks.chain(access.child(node, "chain"), chain)
    setting = access.text(node, "setting") or ""
    memory = SceneMemory()
    sentences = tuple(
        _sentence(text, spot, extra, own_look, own_chain, setting, cast, memory, findings)
        for text, spot, extra in _texts(node)
    )
    return Scene(
        number=number,
        name=name,
        setting=setting,
        chain=own_chain,
        start=access.text(node, "start") or "fresh",
        sentences=sentences,
        place=node.place,
        seed=access.integer(node, "seed"),
    )


def _texts(node: Node) -> Iterator[tuple[str, Spot, Node | None]]:
    """The sentences of a scene: text, where it stands, and the mapping with what is special, if any."""
    paragraph = access.child(node, "text")
    if paragraph is not None and isinstance(paragraph.value, str):
        from lorakit.language.sentences import split

        for text, spot in split(paragraph):
            yield text, spot, None
        return
    for item in access.items(node, "sentences"):
        if isinstance(item.value, str):
            yield _one_line(item.value), item.spot, None
        else:
            text_node = access.child(item, "text")
            where = text_node or item
            text = (
                text_node.value
                if text_node is not None and isinstance(text_node.value, str)
                else ""
            )
            yield _one_line(text), where.spot, item


def _one_line(text: str) -> str:
    return " ".join(text.split()) if "\n" in text else text.strip()


def _sentence(
    text: str,
    spot: Spot,
    extra: Node | None,
    look: Look,
    chain: Chain,
    setting: str,
    cast: Cast,
    memory: SceneMemory,
    findings: Findings,
) -> Sentence:
    mentioned = cast.read(text, spot, memory, findings)
    prompt = prompts.derive(look.style, mentioned.prompt, setting)
    if text and not text.strip(" .…"):
        findings.error("empty", "the sentence has no words", spot)
    if extra is None:
        return Sentence(
            text, prompt, mentioned.caption, mentioned.characters, spot.place, look, chain.strength
        )
    characters = mentioned.characters
    own_prompt = access.child(extra, "prompt")
    if own_prompt is not None and isinstance(own_prompt.value, str):
        expanded = cast.expand(_one_line(own_prompt.value), own_prompt.spot, findings)
        prompt = expanded.prompt
        characters = tuple(dict.fromkeys((*characters, *expanded.characters)))
    assert isinstance(extra.value, dict)
    if not _OVERRIDES.isdisjoint(extra.value):
        look = _own_look(extra, look)
    strength = access.number(extra, "strength")
    return Sentence(
        text=text,
        prompt=prompt,
        caption=mentioned.caption,
        characters=characters,
        place=spot.place,
        look=look,
        strength=chain.strength if strength is None else strength,
        hold=durations.duration(extra, "hold"),
        seed=access.integer(extra, "seed"),
        repeat=access.boolean(extra, "repeat") or False,
    )


def _own_look(extra: Node, look: Look) -> Look:
    """A sentence's own drawing, where it has its own."""
    negative = access.text(extra, "negative_prompt")
    steps = access.integer(extra, "num_inference_steps")
    guidance = access.number(extra, "guidance_scale")
    return replace(
        look,
        negative_prompt=look.negative_prompt if negative is None else negative,
        num_inference_steps=look.num_inference_steps if steps is None else steps,
        guidance_scale=look.guidance_scale if guidance is None else guidance,
    )
