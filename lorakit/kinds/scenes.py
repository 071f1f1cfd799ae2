"""How the scenes of a storyboard are laid out as frames, each after what it begins from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from lorakit.kinds.chains import CHAINS
from lorakit.kinds.chains.chain import ChainStart, Drawn
from lorakit.kinds.frames.frame import frame_action
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.kinds.gates import gated, judge_engine
from lorakit.kinds.own_pictures import OwnPictures
from lorakit.kinds.takes import Draw, noise_of, take_actions, taken
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.decisions import FrameName
from lorakit.language.story.documents import Scene, Sentence, Storyboard
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action
from lorakit.plan.kind import Clip


class SceneLayout:
    """The scenes of one board as they are laid out: frames and clips by scene name."""

    def __init__(self, step: StoryboardStep, settings: RenderSettings, recipe_seed: int) -> None:
        self.step = step
        self.board: Storyboard = step.board
        self.settings = settings
        self.seed = self.board.seed if self.board.seed is not None else recipe_seed
        self.frames: dict[str, list[Action]] = {}
        self.clips: dict[str, list[Clip]] = {}
        self.last: dict[str, str] = {}
        self.own = OwnPictures(step, settings)

    def source(self, scene: Scene) -> str | None:
        """The scene whose last frame this one's chain begins from."""
        if scene.start == "previous-scene":
            at = scene.number - 2
            return self.board.scenes[at].name if at >= 0 else None
        return scene.start.removeprefix("scene:") if scene.start.startswith("scene:") else None

    def in_order(self) -> list[Scene]:
        """The scenes, each after the one it begins from."""
        by_name = {scene.name: scene for scene in self.board.scenes}
        done: dict[str, Scene] = {}
        for scene in self.board.scenes:
            line = [scene]
            while (name := self.source(line[-1])) is not None and name not in done:
                line.append(by_name[name])
            done.update((s.name, s) for s in reversed(line))
        return list(done.values())

    def lay_out(self, scene: Scene) -> None:
        """One scene's frames and clips."""
        frames: list[Action] = []
        clips: list[Clip] = []
        group = f"frames_scene_{scene.number}"
        title = f"{scene.number}. {plain(scene.setting) or scene.name}"
        digits = max(3, len(str(len(scene.sentences))))
        before = self.source(scene)
        previous = Drawn(self.last[before], -1) if before is not None else None
        first: Drawn | None = None
        reference: Action | None = None  # what shared attention sees
        if scene.first is not None:
            size = self.settings.size(scene.sentences[0].look)
            begun = self.own.action(
                f"{self.step.name}/{scene.name}/start", group, scene.first, size
            )
            frames.append(begun)
            previous = Drawn(begun.id, -1)
        extra_files: dict[str, list[str]] = {}
        for number, sentence in enumerate(scene.sentences, 1):
            path = f"{self.step.name}/{group}/frame_{number:0{digits}d}.png"
            if sentence.repeat and previous is not None:
                extra_files.setdefault(previous.id, []).append(path)
                clips.append(Clip((previous.id,), sentence.hold, sentence.caption, title))
                continue
            start = self._start(scene, sentence, previous, first)
            hop = 0
            if start is not None and previous is not None:
                hop = 1 if first is not None and start.frame == first.id else previous.hop + 1
            seed, identity = self._seed(scene, sentence)
            draw = partial(
                frame_action,
                self.settings,
                id=f"{self.step.name}/{scene.name}/{number}",
                step=self.step.name,
                group=group,
                prompt=sentence.prompt,
                look=sentence.look,
                place=sentence.place,
                files=[path],
                start=start,
                seed=seed,
                shared=[reference] if reference and scene.chain.attention == "shared" else (),
                latents_of=self.own.latents_of,
            )
            noise = partial(noise_of, seed, identity, hop)
            name = FrameName(scene.name, number)
            if sentence.image is not None:
                size = self.settings.size(sentence.look)
                action = self.own.action(
                    f"{self.step.name}/{name}", group, sentence.image, size, files=[path]
                )
                every = [action]
            else:
                action, every = self._drawn(scene, sentence, name, draw, noise, first)
            if reference is None:
                reference = replace(draw(noise=noise(taken(action))), id=action.id)
            frames += every
            clips.append(Clip((action.id,), sentence.hold, sentence.caption, title))
            previous = Drawn(action.id, hop)
            first = first or previous
        for position, action in enumerate(frames):
            more = extra_files.get(action.id)
            if more:
                frames[position] = _with_files(action, more)
        self.frames[scene.name] = frames
        self.clips[scene.name] = clips
        self.last[scene.name] = clips[-1].frames[-1]

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
        return chain.start(first, previous, sentence.strength, scene.chain.anchor_weight)


def _with_files(action: Action, more: Sequence[str]) -> Action:
    return replace(action, files={"picture": (*action.files["picture"], *more)})
