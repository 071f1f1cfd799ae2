"""`storyboard`: scene folders whose frames hang together, a contact sheet, and the film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from lorakit.diagnostics import Diagnostic, Place
from lorakit.kinds.adapter_checks import check_adapters
from lorakit.kinds.easel import Easel, Start, easel_for
from lorakit.kinds.film import film
from lorakit.kinds.letters import check_letters
from lorakit.kinds.sheet import contact_sheet
from lorakit.kinds.taught import taught_to
from lorakit.language.recipe.documents import StoryboardStep
from lorakit.language.story.documents import Scene, Sentence, Storyboard
from lorakit.plan.actions import Action
from lorakit.plan.kind import Context, Made, Shot
from lorakit.plan.seeds import derive


@dataclass(slots=True)
class _Drawn:
    """A frame as the frames after it see it: its address, and the hops from its chain's beginning."""

    id: str
    hop: int


class Storyboards:
    """A frame for each sentence, in the chain that its scene asks for."""

    def needs(self, step: StoryboardStep) -> Sequence[str]:
        """Steps that train the adapters it wears; a name may be of an adapter from a file as well."""
        return [use.step for use in step.adapters]

    def check(self, step: StoryboardStep, context: Context) -> Iterator[Diagnostic]:
        """Adapters, sizes, strengths, prompts, and the glyphs of the captions."""
        easel = easel_for(step.model, step.adapters, context)
        yield from check_adapters(step.adapters, step.model, context)
        board = step.board
        looks: dict[object, Sentence] = {}
        drawn = [
            (sc, n, s) for sc in board.scenes for n, s in enumerate(sc.sentences) if not s.repeat
        ]
        for scene, number, sentence in drawn:
            looks.setdefault(
                (sentence.look.width, sentence.look.height, sentence.look.aspect), sentence
            )
            chained = number > 0 and scene.chain.start != "noise"
            if chained or (number == 0 and scene.start != "fresh"):
                at = sentence.strength_place or sentence.look.where("num_inference_steps")
                yield from easel.check_strength(
                    sentence.look, sentence.strength, at or sentence.place
                )
        for sentence in looks.values():
            yield from easel.check_look(sentence.look, sentence.place)
        if len({easel.size(s.look) for s in looks.values()}) > 1 and not context.draft:
            for scene in board.scenes:
                sizes = {easel.size(s.look) for s in scene.sentences}
                if len(sizes) > 1 and scene.chain.start != "noise":
                    yield context.finding(
                        "size",
                        f"scene {scene.name} chains frames of different sizes",
                        scene.place,
                        "give the scene one size, or write chain: {from: noise}",
                    )
        prompts = ((s.prompt, s.place) for _, _, s in drawn)
        yield from easel.check_prompts(prompts, taught_to(step, context), _parts(board))
        texts = [(board.title, board.place)]
        for scene in board.scenes:
            texts.append((scene.setting or scene.name, scene.place))
            texts += [(s.caption, s.place) for s in scene.sentences]
        filmed = board.video is not None and board.video.captions.show
        where = "the film's captions and the contact sheet" if filmed else "the contact sheet"
        yield from check_letters(texts, where, context)

    def plan(self, step: StoryboardStep, context: Context) -> Made:
        """Frames scene by scene, then the contact sheet and the film."""
        easel = easel_for(step.model, step.adapters, context)
        board = step.board
        scenes = _Scenes(step, easel, context.project.recipe.seed)
        for scene in scenes.in_order():
            scenes.draw(scene)
        shots = tuple(shot for scene in board.scenes for shot in scenes.shots[scene.name])
        actions: list[Action] = [
            a for scene in scenes.in_order() for a in scenes.frames[scene.name]
        ]
        actions.append(contact_sheet(step.name, board.title, shots))
        if board.video is not None:
            height = easel.size(board.scenes[0].sentences[0].look)[1]
            actions.append(film(step.name, board.title, shots, board.video, height))
        return Made(tuple(actions), shots)


def _parts(board: Storyboard) -> Iterator[tuple[str, Place | None]]:
    """The texts that the board's prompts share, and where they stand."""
    for scene in board.scenes:
        for look in dict.fromkeys(sentence.look for sentence in scene.sentences):
            yield look.style, look.where("style")
        yield scene.setting, scene.setting_place
    for character in board.characters:
        yield character.anchor, character.anchor_place


class _Scenes:
    """The scenes of one board as they are laid out: frames and shots by scene name."""

    def __init__(self, step: StoryboardStep, easel: Easel, recipe_seed: int) -> None:
        self.step = step
        self.board: Storyboard = step.board
        self.easel = easel
        self.seed = self.board.seed if self.board.seed is not None else recipe_seed
        self.frames: dict[str, list[Action]] = {}
        self.shots: dict[str, list[Shot]] = {}
        self.last: dict[str, str] = {}

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

    def draw(self, scene: Scene) -> None:
        """Lay out one scene's frames and shots."""
        frames: list[Action] = []
        shots: list[Shot] = []
        group = f"frames_scene_{scene.number}"
        digits = max(3, len(str(len(scene.sentences))))
        before = self.source(scene)
        previous = _Drawn(self.last[before], -1) if before is not None else None
        anchor: str | None = None
        extra_files: dict[str, list[str]] = {}
        for number, sentence in enumerate(scene.sentences, 1):
            path = f"{self.step.name}/{group}/frame_{number:0{digits}d}.png"
            if sentence.repeat and previous is not None:
                extra_files.setdefault(previous.id, []).append(path)
                shots.append(Shot(previous.id, sentence.hold, sentence.caption, group))
                continue
            start = self._start(scene, sentence, previous, anchor)
            hop = 0
            if start is not None and previous is not None:
                hop = 1 if start.frame == anchor else previous.hop + 1
            seed, identity = self._seed(scene, sentence)
            action = self.easel.frame(
                id=f"{self.step.name}/{scene.name}/{number}",
                step=self.step.name,
                group=group,
                prompt=sentence.prompt,
                look=sentence.look,
                noise=derive(seed, identity, hop),
                place=sentence.place,
                files=[path],
                start=start,
                seed=seed,
            )
            frames.append(action)
            shots.append(Shot(action.id, sentence.hold, sentence.caption, group))
            previous = _Drawn(action.id, hop)
            anchor = anchor or action.id
        for position, action in enumerate(frames):
            more = extra_files.get(action.id)
            if more:
                frames[position] = _with_files(action, more)
        self.frames[scene.name] = frames
        self.shots[scene.name] = [
            Shot(s.action, s.hold, s.caption, f"{scene.number}. {scene.setting or scene.name}")
            for s in shots
        ]
        self.last[scene.name] = shots[-1].action

    def _seed(self, scene: Scene, sentence: Sentence) -> tuple[int, str]:
        if sentence.seed is not None:
            return sentence.seed, "sentence"
        return (self.seed if scene.seed is None else scene.seed), scene.name

    def _start(
        self, scene: Scene, sentence: Sentence, previous: _Drawn | None, anchor: str | None
    ) -> Start | None:
        """The frame this one starts from; None is text-to-image."""
        if previous is None or sentence.strength >= 1:
            return None
        if anchor is None:  # the scene's first frame, begun from another scene
            return Start(previous.id, sentence.strength)
        if scene.chain.start == "noise":
            return None
        if scene.chain.start == "anchor":
            return Start(anchor, sentence.strength)
        return Start(previous.id, sentence.strength, anchor, scene.chain.anchor_weight)


def _with_files(action: Action, more: Sequence[str]) -> Action:
    return replace(action, files={"picture": (*action.files["picture"], *more)})
