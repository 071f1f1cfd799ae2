"""`storyboard`: scene folders whose frames hang together, a contact sheet, and the film."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic, Place
from lorakit.kinds.adapter_checks import check_adapters
from lorakit.kinds.cards import between_cards, card_texts
from lorakit.kinds.chains import CHAINS
from lorakit.kinds.film import aspect_notes
from lorakit.kinds.frames.checks import (
    check_attention,
    check_chained,
    check_color,
    check_guidance,
    check_look,
    check_scheduler,
)
from lorakit.kinds.frames.control_checks import check_controls, check_films
from lorakit.kinds.frames.edits import check_edits
from lorakit.kinds.frames.gate_checks import check_gate
from lorakit.kinds.frames.memory_checks import check_memory
from lorakit.kinds.frames.memory_lines import memory_lines
from lorakit.kinds.frames.prompts import check_prompts, chunk_notes
from lorakit.kinds.frames.reference_checks import check_references
from lorakit.kinds.frames.settings import RenderSettings, render_settings
from lorakit.kinds.frames.wardrobe import Wardrobe, check_wardrobe, trained_for
from lorakit.kinds.known_words import known_words
from lorakit.kinds.letters import check_font, check_letters, font_face
from lorakit.kinds.motion_checks import check_motion
from lorakit.kinds.scene_order import in_order
from lorakit.kinds.scenes import SceneLayout
from lorakit.kinds.sheet import contact_sheet
from lorakit.kinds.sound import check_beats
from lorakit.kinds.spoken import FilmWords, check_words, said, voices_of
from lorakit.kinds.upscale_checks import check_upscales
from lorakit.kinds.whole_film import whole_film
from lorakit.kinds.written_films import check_written
from lorakit.language.recipe.documents import StoryboardStep, VideoStep
from lorakit.language.story.documents import Sentence, Storyboard
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action
from lorakit.plan.kind import Context, StepPlan


class Storyboards:
    """A frame for each sentence, in the chain that its scene asks for."""

    def needs(self, step: StoryboardStep) -> Sequence[str]:
        """Steps that train the adapters it wears; a name may be of an adapter from a file as well."""
        return [*(use.step for use in step.adapters), *trained_for(step)]

    def check(self, step: StoryboardStep, context: Context) -> Iterator[Diagnostic]:
        """Adapters, sizes, strengths, prompts, and the glyphs of the captions."""
        settings = render_settings(step.model, step.adapters, context)
        yield from check_adapters(step.adapters, step.model, context)
        yield from check_wardrobe(step, context)
        yield from check_memory(settings)
        board = step.board
        yield from check_written(board.video, context)
        looks: dict[object, Sentence] = {}
        drawn = [
            (sc, n, s)
            for sc in board.scenes
            for n, s in enumerate(sc.sentences)
            if not s.repeat and s.image is None
        ]
        for scene, number, sentence in drawn:
            looks.setdefault(
                (sentence.look.width, sentence.look.height, sentence.look.aspect), sentence
            )
            chained = number > 0 and CHAINS[scene.chain.start].links
            if chained or (number == 0 and scene.start != "fresh"):
                yield from check_chained(
                    settings,
                    sentence.look,
                    sentence.strength,
                    sentence.strength_place,
                    sentence.place,
                )
        for scene in {s.chain: s for s in reversed(board.scenes)}.values():
            yield from check_attention(settings, scene.chain, scene.place)
            yield from check_color(settings, scene.chain, scene.place)
        for scene in {s.gate: s for s in reversed(board.scenes)}.values():
            yield from check_gate(settings, scene)
        yield from check_controls(settings, drawn)
        yield from check_films(settings, board)
        yield from check_references(settings, board)
        yield from (*check_motion(settings, board), *check_upscales(settings, board))
        yield from _check_clips(settings, board)
        yield from check_edits(settings, (sentence for _, _, sentence in drawn))
        for sentence in looks.values():
            yield from check_look(settings, sentence.look, sentence.place)
        yield from check_guidance(settings, dict.fromkeys(s.look for _, _, s in drawn))
        ways = {
            (s.look.scheduler, s.look.use_karras_sigmas, s.look.num_inference_steps): s
            for _, _, s in reversed(drawn)
        }
        for sentence in ways.values():
            yield from check_scheduler(settings, sentence.look, sentence.place)
        if len({settings.size(s.look) for s in looks.values()}) > 1 and not context.draft:
            for scene in board.scenes:
                sizes = {settings.size(s.look) for s in scene.sentences}
                shared = scene.chain.attention == "shared"
                if len(sizes) > 1 and (shared or CHAINS[scene.chain.start].links):
                    yield context.finding(
                        "size",
                        f"scene {scene.name} chains frames of different sizes",
                        scene.place,
                        "give the scene one size, or write chain: {from: noise, attention: own}"
                        if shared
                        else "give the scene one size, or write chain: {from: noise}",
                    )
        prompts = ((s.prompt, s.place) for _, _, s in drawn)
        negatives = {
            s.look.negative_prompt: s.look.where("negative_prompt") or s.place for _, _, s in drawn
        }
        yield from check_prompts(
            settings, prompts, known_words(step, context), _parts(board), negatives.items()
        )
        texts = [(board.title, board.place)]
        for scene in board.scenes:
            texts.append((plain(scene.setting) or scene.name, scene.place))
            texts += [(s.caption, s.place) for s in scene.sentences]
        if board.video is not None:
            texts += card_texts(board.title, board.video)
        yield from check_font(board.video, context)
        filmed = board.video is not None and board.video.captions.show
        where = "the film's captions and the contact sheet" if filmed else "the contact sheet"
        yield from check_letters(texts, where, context, font_face(board.video))
        if board.video is not None:
            words, voices = FilmWords(board.video, context), voices_of(board)
            spoken = [(s.hold, said(s, voices)) for sc in board.scenes for s in sc.sentences]
            shown = between_cards(spoken, board.video)
            yield from check_words(shown, words)
            yield from check_beats(words)

    def plan(self, step: StoryboardStep, context: Context) -> StepPlan:
        """Frames scene by scene, then the contact sheet and the film."""
        settings = render_settings(step.model, step.adapters, context)
        board = step.board
        scenes = SceneLayout(step, Wardrobe(step, context), context.project.recipe.seed)
        ordered = in_order(board)
        for scene in ordered:
            scenes.lay_out(scene)
        drawn = [clip for scene in board.scenes for clip in scenes.clips[scene.name]]
        actions: list[Action] = list(scenes.own.encodings)
        actions += [a for scene in ordered for a in scenes.frames[scene.name]]
        face = font_face(board.video)
        actions.append(contact_sheet(step.name, board.title, drawn, face=face))
        clips = drawn
        if any(clip.motion is not None and clip.motion.upscale for clip in drawn):
            from lorakit.kinds.upscales import made_larger

            larger, clips = made_larger(drawn, step.name)
            actions += larger
        look = board.scenes[0].sentences[0].look
        film_action, shown = None, tuple(clips)
        if board.video is not None:
            size = next((c.motion.shown for c in clips if c.motion), settings.size(look))
            words = FilmWords(board.video, context)
            film = whole_film(step.name, board.title, clips, words, size, look.aspect, actions)
            film_action, shown = film.pictures, film.clips
            actions += film.actions
        looks = dict.fromkeys(s.look for scene in board.scenes for s in scene.sentences)
        notes = [
            n for each in looks for n in aspect_notes(each.aspect, settings.size(each), film_action)
        ]
        notes += memory_lines(settings, looks)
        notes += scenes.references.notes()
        notes += _no_film_notes(step, context)
        named = (
            (f"{scene.name}/{number}", sentence.prompt)
            for scene in board.scenes
            for number, sentence in enumerate(scene.sentences, 1)
            if not sentence.repeat
        )
        notes += chunk_notes(settings, named)
        noted = tuple(dict.fromkeys(notes))
        return StepPlan(tuple(actions), tuple(clips), look.aspect, noted, shown)


def _check_clips(settings: RenderSettings, board: Storyboard) -> Iterator[Diagnostic]:
    """What is wrong with clips of video models, where there are some."""
    if any(s.motion.kind == "clip" for scene in board.scenes for s in scene.sentences):
        from lorakit.kinds.video_clips import check_clips

        yield from check_clips(settings, board)


def _no_film_notes(step: StoryboardStep, context: Context) -> Iterator[str]:
    """Say that a board makes no film, unless a step joins its pictures, or it is one of a sweep."""
    joined = any(
        isinstance(other, VideoStep) and step.name in other.of
        for other in context.project.recipe.steps.values()
    )
    if step.board.video is None and not joined and "/" not in step.name:
        yield f"no film: write video: {{height: 720}} in {step.board.path.name} to make one"


def _parts(board: Storyboard) -> Iterator[tuple[str, Place | None]]:
    """The texts that the board's prompts share, and where they stand."""
    for scene in board.scenes:
        for look in dict.fromkeys(sentence.look for sentence in scene.sentences):
            yield look.style, look.where("style")
        yield scene.setting, scene.setting_place
    for character in board.characters:
        yield character.anchor, character.anchor_place
