"""Where the pictures lie that a board names for its frames, and what has no effect beside one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lorakit.language.story.documents import PictureFile, Scene, Sentence
from lorakit.language.story.not_drawn import OF_ITS_DRAWING, told_of_no_drawing
from lorakit.language.yaml import access

if TYPE_CHECKING:
    from lorakit.language.recipe.paths import Paths
    from lorakit.language.story.documents import Storyboard
    from lorakit.language.yaml.findings import Findings
    from lorakit.language.yaml.nodes import Node

_WHAT = "picture"


def found(board: Storyboard, root: Node, paths: Paths, findings: Findings) -> Storyboard:
    """A board whose own pictures are files that are there; what is wrong with them is found."""
    scenes = []
    for scene, node in zip(board.scenes, access.items(root, "scenes"), strict=True):
        first = None
        if scene.first is not None:
            first = _file(scene.first, access.child(node, "start"), paths, findings)
        if any(sentence.image for sentence in scene.sentences):
            scene = replace(scene, sentences=_sentences(scene, node, paths, findings))  # noqa: PLW2901
        scenes.append(replace(scene, first=first) if scene.first is not None else scene)
    return replace(board, scenes=tuple(scenes))


def _sentences(scene: Scene, node: Node, paths: Paths, findings: Findings) -> tuple[Sentence, ...]:
    sentences = []
    for sentence, item in zip(scene.sentences, access.items(node, "sentences"), strict=True):
        if sentence.image is None:
            sentences.append(sentence)
            continue
        image = _file(sentence.image, access.child(item, "image"), paths, findings)
        sentences.append(replace(sentence, image=image))
        told_of_no_drawing(item, OF_ITS_DRAWING, "image:", "stands for the frame", findings)
    return tuple(sentences)


def _file(
    picture: PictureFile, node: Node | None, paths: Paths, findings: Findings
) -> PictureFile | None:
    if node is None:
        return None
    path = paths.file(node, _WHAT, findings)
    return None if path is None else picture._replace(path=path)
