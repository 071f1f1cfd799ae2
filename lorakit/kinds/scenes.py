"""How the scenes of a storyboard are laid out as frames, each after what it begins from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from lorakit.kinds.chains.chain import Drawn
from lorakit.kinds.chains.starts import hop_of, start_of
from lorakit.kinds.frames.controls import ControlMaps
from lorakit.kinds.frames.edits import before_edit, edit_action
from lorakit.kinds.frames.frame import frame_action
from lorakit.kinds.frames.references import References, SharedFrame
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.kinds.frames.wardrobe import Wardrobe
from lorakit.kinds.own_pictures import OwnPictures
from lorakit.kinds.scene_order import source_of
from lorakit.kinds.spoken import said, voices_of
from lorakit.kinds.takes import Draw, noise_of, take_actions, taken
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.decisions import FrameName
from lorakit.language.story.documents import PictureFile, Scene, Sentence, Storyboard
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action
from lorakit.plan.kind import Clip, ClipMotion
from lorakit.plan.seeds import derive

if TYPE_CHECKING:
    from lorakit.kinds.gates import Judging
    from lorakit.kinds.upscales import Upscaling


class SceneLayout:
    """The scenes of one board as they are laid out: frames and clips by scene name."""

    def __init__(self, step: StoryboardStep, wardrobe: Wardrobe, recipe_seed: int) -> None:
        self.step = step
        self.board: Storyboard = step.board
        self.wardrobe = wardrobe
        self.settings = settings = wardrobe.settings()
        self.seed = self.board.seed if self.board.seed is not None else recipe_seed
        self._maps = ControlMaps(settings, self.board)
        every = (sentence for scene in self.board.scenes for sentence in scene.sentences)
        self._morphs = any(sentence.motion.kind == "morph" for sentence in every)
        self.frames: dict[str, list[Action]] = {}
        self.clips: dict[str, list[Clip]] = {}
        self.last: dict[str, str] = {}
        self.own = OwnPictures(step, settings)
        self.voices = voices_of(self.board)
        self.references = References(step, settings, self.seed, self.own.encoded)

    def lay_out(self, scene: Scene) -> None:
        """One scene's frames and clips."""
        frames: list[Action] = []
        shared: SharedFrame | None = None  # what shared attention sees
        clips: list[Clip] = []
        group = f"frames_scene_{scene.number}"
        title = f"{scene.number}. {plain(scene.setting) or scene.name}"
        digits = max(3, len(str(len(scene.sentences))))
        before = source_of(self.board, scene)
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
                clips.append(self._clip(shown, sentence, title, continues=bool(clips)))
                held_on = self.references.drawn.get((scene.name, number - 1))
                if held_on is not None:
                    self.references.drawn[scene.name, number] = held_on
                continue
            start = start_of(scene, sentence, previous, first)
            hop = hop_of(start, first, previous)
            seed, identity = self._seed(scene, sentence)
            id_ = f"{self.step.name}/{scene.name}/{number}"
            held, new = self._maps.held(sentence, id_, group, previous.id if previous else None)
            masked = scene.chain.mask == "character"
            sees = self.references.seen(sentence, id_, group, shared, masked=masked)
            wears = self.wardrobe.settings(sentence.characters, scene, number)
            draw = partial(
                frame_action,
                wears,
                id=id_,
                step=self.step.name,
                group=group,
                prompt=sentence.prompt,
                look=sentence.look,
                place=sentence.place,
                files=[before_edit(path) if sentence.edit else path],
                start=start,
                seed=seed,
                seen=sees,
                held=held,
                latents_of=self.own.latents_of,
            )
            noise = partial(noise_of, seed, identity, hop)
            action, every = self._takes(
                scene, sentence, FrameName(scene.name, number), group, path, draw, noise, first
            )
            shows = self._edited(action, every[0], sentence, wears, noise, path)
            frames += [*new, *sees.new, *every, *([shows] if shows is not action else [])]
            if sentence.edit is not None and sentence.edit.chained:
                action = shows
            self.references.meet(sentence, action.id)
            seen = partial(_seen, action, every[0], sentence, noise)
            shared = self._shown_to_others(scene, number, seen, shared)
            moves = self._moves(scene, sentence, number, shows, path, wears, draw, noise)
            clips.append(self._clip(shows.id, sentence, title, moves))
            previous = Drawn(action.id, hop)
            first = first or previous
        self.frames[scene.name] = [_with_files(one, extra_files.get(one.id, ())) for one in frames]
        self.clips[scene.name] = clips
        self.last[scene.name] = previous.id if previous is not None else clips[-1].frames[-1]

    def _moves(
        self,
        scene: Scene,
        sentence: Sentence,
        number: int,
        shows: Action,
        path: str,
        wears: RenderSettings,
        draw: Draw,
        noise: Callable[[int], int],
    ) -> ClipMotion:
        """How the film moves while a frame is shown."""
        still = None
        if self._morphs:
            from lorakit.kinds.frames.between import DrawnStill

            still = DrawnStill(
                wears,
                sentence.look,
                self.own.latents_of(shows.id),
                partial(draw, noise=noise(1)),
                noise(1),
            )
        address = f"{self.step.name}/{scene.name}/{number}"
        size = self.settings.size(sentence.look)
        clip = None
        if sentence.motion.kind == "clip":
            from lorakit.kinds.video_clips import VideoClip

            clip = VideoClip(self.settings, sentence, noise(1))
        larger = self._larger(sentence, path, wears, draw, noise)
        named = (address, f"scene_{scene.number}")
        return ClipMotion(sentence.motion, size, *named, still, clip, larger)

    def _larger(
        self,
        sentence: Sentence,
        path: str,
        wears: RenderSettings,
        draw: Draw,
        noise: Callable[[int], int],
    ) -> Upscaling | None:
        """How a frame is made larger; of a draft none is, nor for a preview."""
        quick = self.settings.draft or self.settings.context.preview
        if sentence.upscale is None or quick:
            return None
        from lorakit.kinds.upscales import Upscaling

        folder, _, name = path.rpartition("/")
        video = self.board.video
        return Upscaling(
            wears,
            sentence,
            sentence.upscale,
            partial(draw, noise=noise(1)),
            noise(1),
            f"{folder}/upscaled/{name}",
            video is not None and video.needs == "approved",
        )

    def _shown_to_others(
        self,
        scene: Scene,
        number: int,
        seen: Callable[[], SharedFrame],
        shared: SharedFrame | None,
    ) -> SharedFrame | None:
        """Keep a frame where references name any; the one whose attention its scene shares, if one is."""
        begins = shared is None and scene.chain.attention == "shared"
        if not begins and not self.references.by_frames:
            return shared
        drawn = self.references.drawn[scene.name, number] = seen()
        return drawn if begins else shared

    def _clip(
        self,
        shown: str,
        sentence: Sentence,
        title: str,
        moves: ClipMotion | None = None,
        *,
        continues: bool = False,
    ) -> Clip:
        """What a film shows of a sentence, and what is said meanwhile."""
        heard = said(sentence, self.voices)
        told = ((shown,), sentence.hold, sentence.caption, title, moves, continues)
        return Clip(*told, sentence.transition, heard)

    def _begun(self, scene: Scene, picture: PictureFile, group: str) -> Action:
        """The picture that a scene begins from."""
        size = self.settings.size(scene.sentences[0].look)
        return self.own.action(f"{self.step.name}/{scene.name}/start", group, picture, size)

    def _edited(
        self,
        frame: Action,
        take: Action,
        sentence: Sentence,
        wears: RenderSettings,
        noise: Callable[[int], int],
        path: str,
    ) -> Action:
        """What is shown of a frame: the frame, or what an edit makes of it."""
        if sentence.edit is None or sentence.image is not None:
            return frame
        anew = derive(noise(taken(frame)), "edit")
        return edit_action(wears, frame, take, sentence, anew, [path])

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
        decisions = self.board.decisions
        judging = self._judging(scene, sentence, name) if scene.gate.asks else None
        if judging is not None and name not in decisions.approved:
            from lorakit.kinds.gates import gated

            return gated(draw, noise, scene.gate, judging, first.id if first else None)
        return take_actions(draw, noise, name, sentence.takes, decisions)

    def _judging(self, scene: Scene, sentence: Sentence, name: FrameName) -> Judging | None:
        """What scores a frame: the models that its gate names, or the judge that ships."""
        from lorakit.kinds.gates import model_judges, shipped_judge

        facts = self.settings.context.facts
        if scene.gate.judge.named:
            shown = self.references.judged(sentence, f"{self.step.name}/{name}")
            return model_judges(scene.gate.judge, facts.control_models, *shown)
        return shipped_judge(*facts.judge) if facts.judge is not None else None

    def _seed(self, scene: Scene, sentence: Sentence) -> tuple[int, str]:
        if sentence.seed is not None:
            return sentence.seed, "sentence"
        return (self.seed if scene.seed is None else scene.seed), scene.name


def _seen(
    action: Action, take: Action, sentence: Sentence, noise: Callable[[int], int]
) -> SharedFrame:
    """A frame as the attention of others sees it."""
    words = getattr(take.task, "prompt", plain(sentence.prompt))
    return SharedFrame(action.id, words, noise(taken(action)), sentence.characters)


def _with_files(action: Action, more: Sequence[str]) -> Action:
    if not more:
        return action
    return replace(action, files={"picture": (*action.files["picture"], *more)})
