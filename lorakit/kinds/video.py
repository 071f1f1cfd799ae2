"""`video`: one film from the pictures of several steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.cards import between_cards, card_texts
from lorakit.kinds.film import aspect_notes
from lorakit.kinds.letters import check_font, check_letters, font_face
from lorakit.kinds.sound import check_beats
from lorakit.kinds.spoken import FilmWords, check_words
from lorakit.kinds.whole_film import whole_film
from lorakit.kinds.written_films import check_written
from lorakit.language.recipe.documents import StoryboardStep, VideoStep
from lorakit.plan.frame_names import PICTURE_TASKS
from lorakit.plan.kind import Clip, Context, StepPlan


class Videos:
    """Joins steps in the order they are named; a sentence keeps the hold its storyboard gave it."""

    def needs(self, step: VideoStep) -> Sequence[str]:
        """The steps it joins."""
        return step.of

    def check(self, step: VideoStep, context: Context) -> Iterator[Diagnostic]:
        """Whether what it waits for can be: what the film shows, the steps that it joins have checked."""
        clips = _joined(step, context)
        words = FilmWords(step.video, context)
        if clips:  # a step that it joins may be wrong itself
            shown = between_cards([(clip.hold, clip.said) for clip in clips], step.video)
            yield from check_words(shown, words)
            yield from check_beats(words)
        yield from check_written(step.video, context)
        yield from check_font(step.video, context)
        texts = list(card_texts(step.name, step.video))
        yield from check_letters(texts, "the film's cards", context, font_face(step.video))
        steps = context.project.recipe.steps
        others = [name for name in step.of if not isinstance(steps[name], StoryboardStep)]
        if step.video.needs == "approved" and others:
            yield context.finding(
                "approval",
                f"needs: approved is for frames of storyboards, and {others[0]} has none to approve",
                step.place,
                "remove it, or join storyboards alone",
            )

    def plan(self, step: VideoStep, context: Context) -> StepPlan:
        """The film."""
        clips = tuple(_joined(step, context))
        made_by = [one for name in step.of for one in context.step_plans[name].actions]
        sizes = {
            a.id: (a.task.width, a.task.height)
            for planned in context.step_plans.values()
            for a in planned.actions
            if isinstance(a.task, PICTURE_TASKS)
        }
        size = sizes[clips[0].picture] if clips else (0, 0)
        aspects = {context.step_plans[name].aspect for name in step.of}
        aspect = aspects.pop() if len(aspects) == 1 else None
        words = FilmWords(step.video, context)
        film = whole_film(step.name, step.name, clips, words, size, aspect, made_by)
        notes = tuple(aspect_notes(aspect, size, film.pictures))
        return StepPlan(film.actions, clips, aspect, notes, film.clips)


def _joined(step: VideoStep, context: Context) -> list[Clip]:
    """The clips of the steps that one joins; pins are of a board's own film, and are left out here."""
    clips = [clip for name in step.of for clip in context.step_plans[name].clips]
    return [c._replace(said=c.said._replace(at=None)) if c.said and c.said.at else c for c in clips]
