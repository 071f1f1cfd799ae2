"""`generate`: pictures from prompts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from lorakit.diagnostics import Diagnostic, Place
from lorakit.kinds.adapter_checks import check_adapters
from lorakit.kinds.film import aspect_notes
from lorakit.kinds.frames.checks import check_guidance, check_look, check_scheduler
from lorakit.kinds.frames.frame import frame_action
from lorakit.kinds.frames.memory_checks import check_memory
from lorakit.kinds.frames.memory_lines import memory_lines
from lorakit.kinds.frames.prompts import check_prompts, chunk_notes
from lorakit.kinds.frames.settings import render_settings
from lorakit.kinds.known_words import known_words
from lorakit.kinds.letters import check_letters
from lorakit.kinds.sheet import contact_sheet
from lorakit.language.recipe.documents import GenerateStep, Prompt
from lorakit.language.story import prompts
from lorakit.language.story.documents import ImageSettings
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action
from lorakit.plan.kind import Clip, Context, StepPlan
from lorakit.plan.seeds import derive


def _text(step: GenerateStep, prompt: Prompt) -> str:
    return prompts.derive(step.look.style, prompt.text)


def _negatives(
    look: ImageSettings, prompts: Iterable[Prompt], place: Place
) -> Iterator[tuple[str, Place]]:
    """What pictures shall not show, in words: the step's, and those of prompts."""
    yield look.negative_prompt, look.where("negative_prompt") or place
    yield from ((p.negative_prompt, p.place) for p in prompts if p.negative_prompt is not None)


class Generate:
    """Each prompt `images_per_prompt` times, with noise that knows neither its words nor its place."""

    def needs(self, step: GenerateStep) -> Sequence[str]:
        """Steps that train the adapters it wears; a name may be of an adapter from a file as well."""
        return [use.step for use in step.adapters]

    def check(self, step: GenerateStep, context: Context) -> Iterator[Diagnostic]:
        """Adapters, size and prompts."""
        settings = render_settings(step.model, step.adapters, context)
        yield from check_adapters(step.adapters, step.model, context)
        yield from check_memory(settings)
        yield from check_look(settings, step.look, step.place)
        yield from check_guidance(settings, [step.look])
        yield from check_scheduler(settings, step.look, step.place)
        prompts = ((_text(step, p), p.place) for p in step.prompts)
        style = (step.look.style, step.look.where("style"))
        negatives = _negatives(step.look, step.prompts, step.place)
        yield from check_prompts(settings, prompts, known_words(step, context), [style], negatives)
        texts = ((plain(p.text), p.place) for p in step.prompts)
        yield from check_letters(texts, "the contact sheet", context)

    def plan(self, step: GenerateStep, context: Context) -> StepPlan:
        """A frame for each picture, and the contact sheet."""
        settings = render_settings(step.model, step.adapters, context)
        frames: list[Action] = []
        clips: list[Clip] = []
        digits = max(3, len(str(len(step.prompts) * step.images_per_prompt)))
        for number, prompt in enumerate(step.prompts, 1):
            seed = next(
                s for s in (prompt.seed, step.seed, context.project.recipe.seed) if s is not None
            )
            look = step.look
            if prompt.negative_prompt is not None:
                look = replace(look, negative_prompt=prompt.negative_prompt)
            for copy in range(step.images_per_prompt):
                name = f"{number}" if step.images_per_prompt == 1 else f"{number}.{copy + 1}"
                count = len(frames) + 1
                frames.append(
                    frame_action(
                        settings,
                        id=f"{step.name}/{name}",
                        step=step.name,
                        group="pictures",
                        prompt=_text(step, prompt),
                        look=look,
                        noise=derive(seed, "image", copy),
                        place=prompt.place,
                        seed=seed,
                        files=[f"{step.name}/image_{count:0{digits}d}.png"],
                    )
                )
                clips.append(Clip((frames[-1].id,), None, plain(prompt.text), ""))
        sheet = contact_sheet(step.name, step.name, clips)
        named = ((f"prompt {n}", _text(step, p)) for n, p in enumerate(step.prompts, 1))
        notes = (
            *aspect_notes(step.look.aspect, settings.size(step.look)),
            *memory_lines(settings, [step.look]),
            *chunk_notes(settings, named),
        )
        return StepPlan((*frames, sheet), tuple(clips), step.look.aspect, notes)
