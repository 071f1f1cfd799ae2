"""Samples of a training: frames that wear its checkpoints, drawn as `generate` draws."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lorakit.diagnostics import Diagnostic
from lorakit.kinds.frames.checks import check_guidance, check_look
from lorakit.kinds.frames.frame import frame_action
from lorakit.kinds.frames.prompts import check_prompts
from lorakit.kinds.frames.settings import render_settings
from lorakit.kinds.known_words import words_learnt
from lorakit.kinds.sheet import contact_sheet
from lorakit.kinds.training_plan import saved_steps
from lorakit.language.recipe.adapters import AdapterUse
from lorakit.language.recipe.documents import TrainImageStep
from lorakit.language.story.weights import plain
from lorakit.plan.actions import Action, Input
from lorakit.plan.kind import Clip, Context
from lorakit.plan.seeds import derive


def sampled_steps(step: TrainImageStep, steps: int) -> tuple[int, ...]:
    """The optimizer steps whose adapter is sampled before the last one's, which is the adapter itself."""
    every = step.samples.every
    if not every or not step.samples.prompts or step.method == "full":
        return ()
    return tuple(range(every, steps, every))


def adapter_steps(step: TrainImageStep, steps: int) -> tuple[int, ...]:
    """The optimizer steps whose adapter is handed out beside the last one: those sampled, those asked for."""
    return tuple(sorted({*sampled_steps(step, steps), *saved_steps(step.train, steps)}))


def check_samples(step: TrainImageStep, context: Context) -> Iterator[Diagnostic]:
    """What `generate` would say of the prompts, with the words known that the training brings."""
    if not step.samples.prompts or step.method == "full":
        return
    settings = render_settings(step.model, (), context)
    yield from check_look(settings, step.samples.look, step.place)
    yield from check_guidance(settings, [step.samples.look])
    prompts = ((prompt.text, prompt.place) for prompt in step.samples.prompts)
    yield from check_prompts(settings, prompts, words_learnt((step,), context))


def sample_actions(
    step: TrainImageStep, context: Context, training: Action, steps: int
) -> tuple[Action, ...]:
    """A frame for each prompt and checkpoint; none may keep the run from being done."""
    samples = step.samples
    if not samples.prompts or step.method == "full" or not steps:
        return ()  # without steps: unknown until the data is downloaded
    recipe = context.project.recipe
    frames: list[Action] = []
    clips: list[Clip] = []
    for at in (*sampled_steps(step, steps), steps):
        output = "adapter" if at == steps else f"adapter_{at}"
        use = AdapterUse(step.name, 1.0, step.place)
        worn = {step.name: Input("adapter_1", training.id, output)}
        settings = render_settings(step.model, (use,), context, worn)
        for number, prompt in enumerate(samples.prompts, 1):
            seed = next(
                s for s in (prompt.seed, samples.seed, step.seed, recipe.seed) if s is not None
            )
            look = replace(samples.look, clip_skip=step.clip_skip)
            if prompt.negative_prompt is not None:
                look = replace(look, negative_prompt=prompt.negative_prompt)
            frame = frame_action(
                settings,
                id=f"{step.name}/samples-{at}.{number}",
                step=step.name,
                group="samples",
                prompt=prompt.text,
                look=look,
                noise=derive(seed, "image", 0),
                place=prompt.place,
                seed=seed,
                files=[f"{step.name}/samples/step_{at:06d}_{number:02d}.png"],
            )
            frames.append(replace(frame, may_fail=True))
            clips.append(Clip((frame.id,), None, f"step {at}: {plain(prompt.text)}", ""))
    sheet = contact_sheet(step.name, step.name, clips)
    return (*frames, replace(sheet, may_fail=True))
