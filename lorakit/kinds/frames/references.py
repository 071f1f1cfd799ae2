"""What shows frames how their characters look, by what a family can: pictures beside the words, or attention.

A family that reads pictures is shown them. Where the denoiser is a UNet, its self-attention sees them: frames
by their latents, pictures once the autoencoder has encoded them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.documents import Character, Sentence, Storyboard
from lorakit.language.story.references import CharacterReference
from lorakit.language.story.weights import plain
from lorakit.plan.seeds import derive
from lorakit.plan.tasks.frame import ReferenceFile

# the action that makes the latents of a picture at a size (width, height) in px
Encode = Callable[[Path, tuple[int, int]], str]
MOST = 3  # references of a frame


class SharedFrame(NamedTuple):
    """What a frame's self-attention sees: latents of an action, their words, and what seeds their noise."""

    action: str
    prompt: str
    noise: int


class SeenByFrame(NamedTuple):
    """What shows a frame how who is in it looks: by attention, or as pictures, of frames and of files."""

    shared: tuple[SharedFrame, ...] = ()
    frames: tuple[str, ...] = ()
    files: tuple[ReferenceFile, ...] = ()


NOTHING_SEEN = SeenByFrame()


@dataclass(slots=True)
class References:
    """The references of one step's characters; `drawn` are the frames so far, by scene and number from 1."""

    step: StoryboardStep
    settings: RenderSettings
    seed: int
    encoded: Encode
    drawn: dict[tuple[str, int], SharedFrame] = field(default_factory=dict)
    unseen: dict[str, None] = field(default_factory=dict)

    def seen(self, sentence: Sentence, frame: str, scene_first: SharedFrame | None) -> SeenByFrame:
        """What the frame at an address is shown; `scene_first` is the frame whose attention it shares."""
        known = {one.id: one for one in self.step.board.characters}
        who = [known[name] for name in sentence.characters]
        chosen = list(_in_turn([[(c, r) for r in c.references] for c in who]))
        by_pictures = bool(self.settings.model.traits.references)
        most = min(MOST, self.settings.model.traits.references) if by_pictures else MOST
        shared = [scene_first] if scene_first is not None else []
        frames: list[str] = []
        files: list[ReferenceFile] = []
        for character, reference in chosen:
            if len(shared) + len(frames) + len(files) >= most:
                break
            if reference.frame is not None:
                one = self.drawn.get((reference.frame.scene, reference.frame.number))
                if one is None:
                    if frame != f"{self.step.name}/{reference.frame}":
                        self.unseen.setdefault(f"{frame} does not see {reference.source}")
                elif by_pictures:
                    frames += [one.action] if one.action not in frames else []
                elif one not in shared:
                    shared.append(one)
            elif reference.file is not None and by_pictures:
                picture = self.settings.context.facts.own_pictures[reference.file]
                files.append(ReferenceFile(picture.digest, str(reference.file)))
            elif reference.file is not None:
                latents = self.encoded(reference.file, self.settings.size(sentence.look))
                noise = derive(self.seed, "reference", character.id)
                shared.append(SharedFrame(latents, plain(character.anchor), noise))
        return SeenByFrame(tuple(shared), tuple(frames), tuple(files))

    def notes(self) -> Iterator[str]:
        """How each character is shown, and which frames are not, being drawn before."""
        traits = self.settings.model.traits
        way = "as pictures" if traits.references else "by shared attention"
        for character in self.step.board.characters:
            if character.references:
                shown = ", ".join(one.source for one in character.references)
                yield f"{character.id} is shown by {shown}, {way}"
        for words in self.unseen:
            yield f"{words}, which is drawn after it"


def scenes_seen(board: Storyboard) -> Mapping[str, Sequence[str]]:
    """For each scene the others whose frames are references of who is in it."""
    seen: dict[str, list[str]] = {}
    named = {c.id: [r.frame.scene for r in c.references if r.frame] for c in board.characters}
    for scene in board.scenes:
        who = dict.fromkeys(one for sentence in scene.sentences for one in sentence.characters)
        others = dict.fromkeys(name for one in who for name in named.get(one, ()))
        seen[scene.name] = [name for name in others if name != scene.name]
    return seen


def _in_turn(
    each: list[list[tuple[Character, CharacterReference]]],
) -> Iterator[tuple[Character, CharacterReference]]:
    """Everyone's first, then everyone's second."""
    for number in range(max(map(len, each), default=0)):
        yield from (of_one[number] for of_one in each if number < len(of_one))


def check_references(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """References that no frame is, and those that a family has no way to be shown."""
    counts = {scene.name: len(scene.sentences) for scene in board.scenes}
    model = settings.model
    held = {c for scene in board.scenes for s in scene.sentences if s.control for c in s.characters}
    for character in board.characters:
        for reference in character.references:
            place = reference.place or character.place
            if reference.file is None:
                name = reference.frame
                if name is None or not 1 <= name.number <= counts.get(name.scene, 0):
                    near = next((s for s in counts if name is not None and s == name.scene), "")
                    way = f"{near} has {counts[near]} frames" if near else _names(counts)
                    yield settings.context.finding(
                        "reference", f"{reference.source} is no frame of this board", place, way
                    )
                    continue
            if not model.traits.references and not model.traits.waves:
                yield settings.context.finding(
                    "reference",
                    f"{model.source} is {model.traits.title}, which cannot be shown how {character.id} looks",
                    place,
                    "draw with a model that reads pictures (Flux.1-Kontext, Flux.2-klein, "
                    "Qwen-Image-Edit), or with Stable Diffusion or SDXL",
                )
            elif model.traits.waves and character.id in held:
                yield settings.context.finding(
                    "reference",
                    f"{character.id} is in frames that a ControlNet holds, which see no references",
                    place,
                    "remove the reference, or the control where the character is",
                )


def _names(counts: Mapping[str, int]) -> str:
    listed = [f"scene:{name}/1" for name in list(counts)[:3]]
    return f"frames are called by scene and number, such as {', '.join(listed)}"
