"""How the scenes of a storyboard are laid out as frames, each after what it begins from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

from lorakit.kinds.chains import CHAINS
from lorakit.kinds.chains.chain import ChainStart, Drawn
from lorakit.kinds.frames.controls import ControlMaps
from lorakit.kinds.frames.edits import edit_action
from lorakit.kinds.frames.frame import frame_action
from lorakit.kinds.frames.references import References, SharedFrame, scenes_seen
from lorakit.kinds.frames.wardrobe import Wardrobe
from lorakit.kinds.gates import gated, judge_engine
from lorakit.kinds.own_pictures import OwnPictures
from lorakit.kinds.takes import Draw, noise_of, take_actions, taken
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.decisions import FrameName
from lorakit.language.story.documents import PictureFile, Scene, Sentence, Storyboard
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action
from lorakit.plan.kind import Clip
from lorakit.plan.seeds import derive


class SceneLayout:
    """The scenes of one board as they are laid out: frames and clips by scene name."""

    def __init__(self, step: StoryboardStep, wardrobe: Wardrobe, recipe_seed: int) -> None:
        self.step = step
        self.board: Storyboard = step.board
        self.wardrobe = wardrobe
        self.settings = settings = wardrobe.settings()
        self.seed = self.board.seed if self.board.seed is not None else recipe_seed
        self._maps = ControlMaps(settings)
        self.frames: dict[str, list[Action]] = {}
        self.clips: dict[str, list[Clip]] = {}
        self.last: dict[str, str] = {}
        self.own = OwnPictures(step, settings)
        self.references = References(step, settings, self.seed, self.own.encoded)

    def source(self, scene: Scene) -> str | None:
        """The scene whose last frame this one's chain begins from."""
        if scene.start == "previous-scene":
            at = scene.number - 2
            return self.board.scenes[at].name if at >= 0 else None
        return scene.start.removeprefix("scene:") if scene.start.startswith("scene:") else None

    def in_order(self) -> list[Scene]:
        """The scenes, each after the one it begins from."""
        by_name = {scene.name: scene for scene in self.board.scenes}
        seen = scenes_seen(self.board)
        done: dict[str, Scene] = {}
        met: set[str] = set()

        def visit(scene: Scene) -> None:
            before = self.source(scene)
            if before is not None and before not in done:
                visit(by_name[before])
            met.add(scene.name)
            for name in seen[scene.name]:
                # two that see each other are drawn in the story's order
                if name in by_name and name not in met and not self._begins_behind(name, met):
                    visit(by_name[name])
            done.setdefault(scene.name, scene)

        for scene in self.board.scenes:
            if scene.name not in done:
                visit(scene)
        return list(done.values())

    def _begins_behind(self, name: str, scenes: Collection[str]) -> bool:
        """Whether a scene's chain goes on from one of others."""
        by_name = {scene.name: scene for scene in self.board.scenes}
        before: str | None = name
        while before is not None:
            if before in scenes:
                return True
            before = self.source(by_name[before])
        return False

    def lay_out(self, scene: Scene) -> None:
        """One scene's frames and clips."""
        frames: list[Action] = []
        shared: SharedFrame | None = None  # what shared attention sees
        clips: list[Clip] = []
        group = f"frames_scene_{scene.number}"
        title = f"{scene.number}. {plain(scene.setting) or scene.name}"
        digits = max(3, len(str(len(scene.sentences))))
        before = self.source(scene)
        previous = Drawn(self.last[before], -1) if before is not None else None
        first: Drawn | None = None
        if scene.first is not None:
            begun = self._begun(scene, scene.first, group)
            frames.append(begun)
            previous = Drawn(begun.id, -1)
        extra_files: dict[str, list[str]] = {}
        for number, sentence in enumerate(scene.sentences, 1):
            path = f"{self.step.name}/{group}/frame_{number:0{digits}d}.png"
            if sentence.repeat and previous is not None:
                shown = clips[-1].frames[0] if clips else previous.id
                extra_files.setdefault(shown, []).append(path)
                clips.append(Clip((shown,), sentence.hold, sentence.caption, title))
                held_on = self.references.drawn.get((scene.name, number - 1))
                if held_on is not None:
                    self.references.drawn[scene.name, number] = held_on
                continue
            start = self._start(scene, sentence, previous, first)
            hop = 0
            if start is not None and previous is not None:
                hop = 1 if first is not None and start.frame == first.id else previous.hop + 1
            seed, identity = self._seed(scene, sentence)
            id_ = f"{self.step.name}/{scene.name}/{number}"
            held, maps = self._maps.held(sentence, id_, group, previous.id if previous else None)
            draw = partial(
                frame_action,
                self.wardrobe.settings(sentence.characters),
                id=id_,
                step=self.step.name,
                group=group,
                prompt=sentence.prompt,
                look=sentence.look,
                place=sentence.place,
                files=[_before(path) if sentence.edit else path],
                start=start,
                seed=seed,
                seen=self.references.seen(sentence, id_, shared),
                held=held,
                latents_of=self.own.latents_of,
            )
            noise = partial(noise_of, seed, identity, hop)
            name = FrameName(scene.name, number)
            action, every = self._takes(scene, sentence, name, group, path, draw, noise, first)
            frames += [*maps, *every]
            shows = self._edited(action, every[0], sentence, noise, path)
            frames += [shows] if shows is not action else []
            if sentence.edit is not None and sentence.edit.chained:
                action = shows
            drawn = _seen(action, every[0], sentence, noise)
            self.references.drawn[scene.name, number] = drawn
            if scene.chain.attention == "shared":
                shared = shared or drawn
            clips.append(Clip((shows.id,), sentence.hold, sentence.caption, title))
            previous = Drawn(action.id, hop)
            first = first or previous
        self.frames[scene.name] = [_with_files(one, extra_files.get(one.id, ())) for one in frames]
        self.clips[scene.name] = clips
        self.last[scene.name] = previous.id if previous is not None else clips[-1].frames[-1]

    def _begun(self, scene: Scene, picture: PictureFile, group: str) -> Action:
        """The picture that a scene begins from."""
        size = self.settings.size(scene.sentences[0].look)
        return self.own.action(f"{self.step.name}/{scene.name}/start", group, picture, size)

    def _edited(
        self,
        frame: Action,
        take: Action,
        sentence: Sentence,
        noise: Callable[[int], int],
        path: str,
    ) -> Action:
        """What is shown of a frame: the frame, or what an edit makes of it."""
        if sentence.edit is None or sentence.image is not None:
            return frame
        settings = self.wardrobe.settings(sentence.characters)
        anew = derive(noise(taken(frame)), "edit")
        return edit_action(settings, frame, take, sentence, anew, [path])

    def _takes(
        self,
        scene: Scene,
        sentence: Sentence,
        name: FrameName,
        group: str,
        path: str,
        draw: Draw,
        noise: Callable[[int], int],
        first: Drawn | None,
    ) -> tuple[Action, list[Action]]:
        """A frame as it stands, with all that is drawn of it; a picture of one's own stands for itself."""
        if sentence.image is None:
            return self._drawn(scene, sentence, name, draw, noise, first)
        size = self.settings.size(sentence.look)
        address = f"{self.step.name}/{name}"
        action = self.own.action(address, group, sentence.image, size, files=[path])
        return action, [action]

    def _drawn(
        self,
        scene: Scene,
        sentence: Sentence,
        name: FrameName,
        draw: Draw,
        noise: Callable[[int], int],
        first: Drawn | None,
    ) -> tuple[Action, list[Action]]:
        """What stands for a frame, chosen by a gate, by hand or not at all, and all its actions."""
        judge, decisions = self.settings.context.facts.judge, self.board.decisions
        if scene.gate.asks and judge is not None and name not in decisions.approved:
            tried = first.id if first else None
            return gated(draw, noise, scene.gate, judge_engine(*judge), tried)
        return take_actions(draw, noise, name, sentence.takes, decisions)

    def _seed(self, scene: Scene, sentence: Sentence) -> tuple[int, str]:
        if sentence.seed is not None:
            return sentence.seed, "sentence"
        return (self.seed if scene.seed is None else scene.seed), scene.name

    def _start(
        self, scene: Scene, sentence: Sentence, previous: Drawn | None, first: Drawn | None
    ) -> ChainStart | None:
        """The frame this one starts from; None is text-to-image."""
        if previous is None or sentence.strength >= 1:
            return None
        if first is None:  # the scene's first frame, begun from another scene
            return ChainStart(previous.id, sentence.strength)
        chain = CHAINS[scene.chain.start]
        return chain.start(first, previous, sentence.strength, sentence.anchor_weight)


def _seen(
    action: Action, take: Action, sentence: Sentence, noise: Callable[[int], int]
) -> SharedFrame:
    """A frame as the attention of others sees it."""
    words = getattr(take.task, "prompt", plain(sentence.prompt))
    return SharedFrame(action.id, words, noise(taken(action)))


def _before(path: str) -> str:
    """Where a frame stands as it was before an edit."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/unedited/{name}"


def _with_files(action: Action, more: Sequence[str]) -> Action:
    if not more:
        return action
    return replace(action, files={"picture": (*action.files["picture"], *more)})
