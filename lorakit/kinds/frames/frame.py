"""The action that draws one picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lorakit.diagnostics import Place
from lorakit.kinds.chains.chain import ChainStart
from lorakit.kinds.frames.controls import HeldFrame
from lorakit.kinds.frames.prompts import encoded_by
from lorakit.kinds.frames.references import NOTHING_SEEN, SeenByFrame
from lorakit.kinds.frames.settings import RenderSettings
from lorakit.language.story.documents import ImageSettings
from lorakit.language.story.weights import plain
from lorakit.plan import schedulers
from lorakit.plan.actions import Action, Input
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.waves import batch_size_for


def frame_action(
    settings: RenderSettings,
    *,
    id: str,  # noqa: A002
    step: str,
    group: str,
    prompt: str,
    look: ImageSettings,
    noise: int,
    place: Place,
    files: Sequence[str],
    start: ChainStart | None = None,
    seed: int = 0,
    seen: SeenByFrame = NOTHING_SEEN,
    held: HeldFrame | None = None,
    latents_of: Callable[[str], str] = str,
) -> Action:
    """The action that draws one picture; `seed` is only what its file will say.

    `seen` is what shows it how who is in it looks, `held` is what it is held to. `latents_of` says which
    action makes the latents of the frame at an address: of a picture of the user's own it is another.
    """
    width, height, steps, guidance, guided = settings.of_look(look)
    by_reference = start is not None and "image" not in settings.model.traits.pipelines
    again = start is not None and not by_reference
    strength = start.strength if start is not None and again else 1.0
    effective = settings.effective_steps(look, strength) if again else steps
    # drawn by a call of its own, whatever the family
    stock = held is not None or seen.through is not None
    batch_size = 1
    if not stock:
        machine = settings.context.facts.machine
        batch_size = batch_size_for(settings.model.traits, (width, height), machine)
    inputs: list[Input] = list(settings.worn.inputs)
    anchor_weight, anchor_color = None, False
    shown = list(seen.frames)
    if start is not None and by_reference:
        begun = filter(None, (start.frame, start.anchor if start.anchor_weight else None))
        shown += [frame for frame in dict.fromkeys(begun) if frame not in shown]
    elif start is not None:
        inputs.append(Input("start", latents_of(start.frame), "latents"))
        pulled = start.anchor_weight > 0 or start.anchor_color
        if start.anchor is not None and pulled and start.anchor != start.frame:
            inputs.append(Input("anchor", latents_of(start.anchor), "latents"))
            anchor_weight = start.anchor_weight or None
            anchor_color = start.anchor_color
    # whole pipelines read words as they are: weights of theirs are told in the checks
    encoded = "" if stock else encoded_by(settings, look, prompt)
    room = settings.model.traits.references - len(seen.files)
    inputs += [Input(f"reference_{n}", one, "picture") for n, one in enumerate(shown[:room], 1)]
    inputs += [
        Input(f"shared_{n}", latents_of(one.action), "latents")
        for n, one in enumerate(seen.shared, 1)
    ]
    if held is not None:
        inputs.append(held.map)
    if seen.through is not None:
        inputs += seen.through.inputs
    drawn = settings.drawn_at(
        (width, height), batch_size, guided=guided, stock=stock, references=len(seen.shared)
    )
    cost = drawn.cost
    if held is not None:
        cost = held.added_to(cost)
    if seen.through is not None:
        cost = seen.through.added_to(cost, settings.precision)
    task = FrameTask(
        prompt=prompt if encoded else plain(prompt),
        negative_prompt=look.negative_prompt if encoded else plain(look.negative_prompt),
        noise=noise,
        strength=strength,
        num_inference_steps=steps,
        guidance_scale=guidance,
        scheduler=look.scheduler or schedulers.DEFAULT,
        width=width,
        height=height,
        model=settings.model.digest,
        adapters=settings.worn.weighed,
        precision=settings.precision,
        device_class=settings.device_class,
        batch_size=batch_size,
        use_karras_sigmas=look.use_karras_sigmas,
        anchor_weight=anchor_weight,
        anchor_color=anchor_color,
        clip_skip=look.clip_skip,
        shared_attention=tuple((one.prompt, one.noise) for one in seen.shared),
        shared_words=tuple(one.words for one in seen.shared if one.words),
        weight_bits=drawn.mode.bits,
        vae_tiling=drawn.vae_tiling,
        block_cache=drawn.block_cache,
        compiled=drawn.compiled,
        attention_backend=settings.attention_backend,
        encoded_by=encoded,
        reference_files=seen.files,
        control=held.use if held is not None else None,
        ip_adapter=seen.through.use if seen.through is not None else None,
        seed=seed,
        effective_steps=effective,
    )
    return Action(
        id=id,
        step=step,
        group=group,
        label=plain(prompt),
        place=place,
        engine=drawn.engine,
        task=task,
        cost=cost,
        inputs=tuple(inputs),
        files={"picture": tuple(files)},
        units=max(1, schedulers.calls(task.scheduler, effective, settings.model.scheduler)),
        places={"model": settings.source_place, "precision": settings.precision_place},
    )
