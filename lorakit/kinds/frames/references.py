"""What shows frames how their characters look, by what a family can: pictures beside the words, or attention.

A family that reads pictures is shown them. A UNet sees them through the IP-Adapter that its model names;
where it names none, its self-attention sees them: frames by their latents, pictures once the autoencoder has
encoded them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.documents import Character, Sentence, Storyboard
from lorakit.language.story.references import CharacterReference
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action
from lorakit.plan.seeds import derive
from lorakit.plan.tasks.frame import ReferenceFile

if TYPE_CHECKING:
    from lorakit.kinds.frames.image_embeds import ImageEmbeds, SeenEmbeds, ThroughAdapter

# the action that makes the latents of a picture at a size (width, height) in px
Encode = Callable[[Path, tuple[int, int]], str]
Chosen = list[tuple[Character, CharacterReference]]
MOST = 3  # references of a frame


class SharedFrame(NamedTuple):
    """What a frame's self-attention sees: latents of an action, their words, and what seeds their noise.

    `who` are the characters in it. It is seen where these of its `words` are looked at; of none, all of it.
    """

    action: str
    prompt: str
    noise: int
    who: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


class SeenByFrame(NamedTuple):
    """What shows a frame how who is in it looks: by attention, as pictures of frames and of files, or embeds.

    `new` are the actions that make what no frame before it sees.
    """

    shared: tuple[SharedFrame, ...] = ()
    frames: tuple[str, ...] = ()
    files: tuple[ReferenceFile, ...] = ()
    through: ThroughAdapter | None = None
    new: tuple[Action, ...] = ()


NOTHING_SEEN = SeenByFrame()


@dataclass
class References:
    """The references of one step's characters.

    `drawn` are the frames so far, by scene and number from 1, where any character is shown by frames.
    `met` has the first frame of each character, by the action that stands for it.
    """

    step: StoryboardStep
    settings: RenderSettings
    seed: int
    encoded: Encode
    drawn: dict[tuple[str, int], SharedFrame] = field(default_factory=dict)
    unseen: dict[str, None] = field(default_factory=dict)
    _chosen: dict[tuple[str, ...], Chosen] = field(default_factory=dict)
    met: dict[str, str] = field(default_factory=dict)
    _embeds: ImageEmbeds | None = None

    @cached_property
    def by_frames(self) -> bool:
        """Whether any character is shown by frames of the board."""
        return any(r.frame is not None for c in self.step.board.characters for r in c.references)

    def _of(self, characters: tuple[str, ...]) -> Chosen:
        """The references of who is in a frame, everyone's first before anyone's second."""
        if characters not in self._chosen:
            known = {one.id: one for one in self.step.board.characters}
            who = [known[name] for name in characters]
            self._chosen[characters] = [*_in_turn([[(c, r) for r in c.references] for c in who])]
        return self._chosen[characters]

    def __post_init__(self) -> None:
        adapter = self.settings.context.facts.ip_adapters.get(self.settings.model.name)
        if adapter is not None:
            from lorakit.kinds.frames.image_embeds import ImageEmbeds

            self._embeds = ImageEmbeds(self.settings, adapter)

    def meet(self, sentence: Sentence, frame: str) -> None:
        """Remember who is met in a frame that is laid out, by the action that stands for it."""
        for name in sentence.characters:
            self.met.setdefault(name, frame)

    def seen(
        self,
        sentence: Sentence,
        frame: str,
        group: str,
        scene_first: SharedFrame | None,
        *,
        masked: bool = False,
    ) -> SeenByFrame:
        """What the frame at an address is shown; `scene_first` is the frame whose attention it shares.

        Where it is `masked`, attention sees characters alone.
        """
        if sentence.image is not None:
            return NOTHING_SEEN
        chosen = self._of(sentence.characters)
        if masked and scene_first is not None:
            scene_first = self._masked(scene_first, sentence.characters)
        if self._embeds is not None:
            chosen = [(who, one) for who, one in chosen if who.reference_scale]
        if not chosen:
            return NOTHING_SEEN if scene_first is None else SeenByFrame((scene_first,))
        if self._embeds is not None:
            return self._through(self._embeds, chosen, frame, group)
        by_pictures = bool(self.settings.model.traits.references)
        most = min(MOST, self.settings.model.traits.references) if by_pictures else MOST
        shared = [scene_first] if scene_first is not None else []
        frames: list[str] = []
        files: list[ReferenceFile] = []
        for character, reference in chosen:
            if len(shared) + len(frames) + len(files) >= most:
                break
            if reference.frame is not None:
                one = self._frame(reference, frame)
                if one is None:
                    continue
                if by_pictures:
                    frames += [one.action] if one.action not in frames else []
                elif one.action not in [other.action for other in shared]:
                    who = tuple(dict.fromkeys((*one.who, character.id)))
                    met = self._masked(one._replace(who=who), sentence.characters)
                    shared.append(met if masked and met is not None else one)
            elif reference.file is not None and by_pictures:
                picture = self.settings.context.facts.own_pictures[reference.file]
                files.append(ReferenceFile(picture.digest, str(reference.file)))
            elif reference.file is not None:
                latents = self.encoded(reference.file, self.settings.size(sentence.look))
                noise = derive(self.seed, "reference", character.id)
                anchor = plain(character.anchor)
                words = (anchor,) if masked else ()
                shared.append(SharedFrame(latents, anchor, noise, (character.id,), words))
        return SeenByFrame(tuple(shared), tuple(frames), tuple(files))

    def _masked(self, shared: SharedFrame, characters: tuple[str, ...]) -> SharedFrame | None:
        """What is seen of a frame by another with these characters: those that are in both; None for none."""
        anchors = {who.id: plain(who.anchor) for who in self.step.board.characters}
        words = tuple(anchors[name] for name in shared.who if name in characters)
        return shared._replace(words=words) if words else None

    def _frame(self, reference: CharacterReference, frame: str) -> SharedFrame | None:
        """The frame that is a reference; None where it is drawn later, or is the one that looks."""
        assert reference.frame is not None
        one = self.drawn.get((reference.frame.scene, reference.frame.number))
        if one is None and frame != f"{self.step.name}/{reference.frame}":
            self.unseen.setdefault(f"{frame} does not see {reference.source}")
        return one

    def _through(
        self,
        embeds: ImageEmbeds,
        chosen: Sequence[tuple[Character, CharacterReference]],
        frame: str,
        group: str,
    ) -> SeenByFrame:
        """What a frame sees through an IP-Adapter."""
        from lorakit.kinds.frames.image_embeds import ThroughAdapter

        seen: list[SeenEmbeds] = []
        new: list[Action] = []
        for character, reference in chosen:
            drawn = self._frame(reference, frame) if reference.frame is not None else None
            if len(seen) == MOST:
                continue
            if drawn is None and reference.file is None:
                continue
            action = drawn.action if drawn is not None else None
            at = f"{frame}/seen_{len(new) + 1}"
            one, made = embeds.seen(character, reference, action, at, group)
            seen += [one] if one not in seen else []
            new += made
        through = ThroughAdapter(embeds.adapter, tuple(seen)) if seen else None
        return SeenByFrame(through=through, new=tuple(new))

    def judged(self, sentence: Sentence, frame: str) -> tuple[list[ReferenceFile], list[str]]:
        """What shows a judge who is in the frame at an address: files, and actions that make pictures.

        Of everyone the first reference, or the first frame that they are in.
        """
        known = {one.id: one for one in self.step.board.characters}
        files: list[ReferenceFile] = []
        frames: list[str] = []
        for name in sentence.characters:
            reference = next(iter(known[name].references), None)
            if reference is not None and reference.file is not None:
                picture = self.settings.context.facts.own_pictures[reference.file]
                files.append(ReferenceFile(picture.digest, str(reference.file)))
                continue
            drawn = self._frame(reference, frame) if reference is not None else None
            one = drawn.action if drawn is not None else self.met.get(name)
            frames += [one] if one is not None and one not in frames else []
        return files, frames

    def notes(self) -> Iterator[str]:
        """How each character is shown, and which frames are not, being drawn before."""
        for character in self.step.board.characters:
            if character.references:
                shown = ", ".join(one.source for one in character.references)
                yield f"{character.id} is shown by {shown}, {self._way(character)}"
        for words in self.unseen:
            yield f"{words}, which is drawn after it"

    def _way(self, character: Character) -> str:
        """By what a family shows a character."""
        if self._embeds is not None:
            return f"through the IP-Adapter {self._embeds.adapter.name} at {character.reference_scale:g}"
        return "as pictures" if self.settings.model.traits.references else "by shared attention"


def scenes_seen(board: Storyboard) -> Mapping[str, Sequence[str]]:
    """For each scene the others whose frames are references of who is in it."""
    seen: dict[str, list[str]] = {}
    named = {c.id: [r.frame.scene for r in c.references if r.frame] for c in board.characters}
    for scene in board.scenes:
        who = dict.fromkeys(one for sentence in scene.sentences for one in sentence.characters)
        others = dict.fromkeys(name for one in who for name in named.get(one, ()))
        seen[scene.name] = [name for name in others if name != scene.name]
    return seen


def _in_turn(each: list[Chosen]) -> Iterator[tuple[Character, CharacterReference]]:
    """Everyone's first, then everyone's second."""
    for number in range(max(map(len, each), default=0)):
        yield from (of_one[number] for of_one in each if number < len(of_one))
