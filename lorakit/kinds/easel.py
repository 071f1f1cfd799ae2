"""What a step draws with: its model, adapters, precision and engine, settled for this machine."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lorakit.diagnostics import Diagnostic, Place
from lorakit.facts import unet_work
from lorakit.facts.adapters import adapter_file
from lorakit.facts.models import ModelFacts
from lorakit.kinds.taught import words_of
from lorakit.language.recipe.documents import AdapterUse
from lorakit.language.story.documents import Look
from lorakit.plan.actions import Action, Engine, Input
from lorakit.plan.cost import Cost
from lorakit.plan.drawing_memory import drawing_bytes
from lorakit.plan.kind import Context
from lorakit.plan.tasks.frame import FrameTask
from lorakit.plan.waves import width_for
from lorakit.store.canonical import digest_of
from lorakit.store.store import FOLDER

# of an engine's spec: what says where something is, and decides nothing
_LOCAL = ("path", "adapter_paths", "name", "widths")
DRAFT_STEPS = 8
# second-order schedulers, which call the UNet twice for each step but the last
_TWICE = {"heun_discrete"}


@dataclass(frozen=True, slots=True)
class Start:
    """Where a chained frame begins: another frame's latents, pulled towards an anchor's."""

    frame: str
    strength: float
    anchor: str | None = None
    anchor_weight: float = 0.0


@dataclass(frozen=True, slots=True)
class Easel:
    """Everything frames of one step share."""

    model: ModelFacts
    precision: str
    device_class: str
    device: str
    adapters: tuple[tuple[str, float], ...]
    adapter_paths: tuple[str, ...]
    trained: tuple[Input, ...]  # adapters that steps of this recipe make, by role
    draft: bool
    context: Context
    engines: dict[int, Engine] = field(default_factory=dict, compare=False, repr=False)
    costs: dict[tuple[int, int, int, bool], Cost] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def source_place(self) -> Place:
        """Where the recipe names the model."""
        return self.context.project.recipe.models[self.model.name].place

    def size(self, look: Look) -> tuple[int, int]:
        """Width and height in px, from the look or the model's native size."""
        native = self.model.native
        width, height = look.width or native[0], look.height or native[1]
        if look.aspect is not None:
            area, (across, down) = native[0] * native[1], look.aspect
            step = self.model.vae_factor * (8 if min(native) >= 512 else 4)
            exact = (area * across / down) ** 0.5
            width = max(step, round(exact / step) * step)
            height = max(step, round(exact * down / across / step) * step)
        if self.draft and min(width, height) >= 512:
            unit = self.model.vae_factor
            width, height = (side // 2 // unit * unit for side in (width, height))
        return width, height

    def steps(self, look: Look) -> int:
        """Denoising steps of a text-to-image frame."""
        steps = look.num_inference_steps or self.model.num_inference_steps
        return min(steps, DRAFT_STEPS) if self.draft else steps

    def effective_steps(self, look: Look, strength: float) -> int:
        """Denoising steps that img2img leaves at a strength: both families round down."""
        steps = self.steps(look)
        return min(int(steps * strength), steps)

    def guidance(self, look: Look) -> float:
        """The guidance scale."""
        given = look.guidance_scale
        return float(self.model.guidance_scale if given is None else given)

    def engine(self, width: int) -> Engine:
        """What a worker loads for these frames; settled once for each width."""
        if width not in self.engines:
            self.engines[width] = self._settle_engine(width)
        return self.engines[width]

    def _settle_engine(self, width: int) -> Engine:
        model = self.model
        spec: dict[str, object] = {
            "path": str(model.path),
            "digest": model.digest,
            "family": model.family,
            "vae_factor": model.vae_factor,
            "precision": self.precision,
            "device": self.device,
            "wave": width,
            "adapters": [list(a) for a in self.adapters],
            "adapter_paths": list(self.adapter_paths),
            "name": model.source,
            "widths": str(self.context.project.root / FOLDER / "widths.json"),
        }
        known = {k: v for k, v in spec.items() if k not in _LOCAL}
        # an adapter that is still to be made stands for what it will be: one run makes it once
        known["trained"] = [[i.role, i.action, i.output] for i in self.trained]
        return Engine("render", spec, digest_of(known) if model.digest else "")

    def cost(self, width: int, height: int, batch_size: int, *, guided: bool) -> Cost:
        """What a UNet step at this size costs, and a frame; counted once for each size."""
        size = (width, height, batch_size, guided)
        if size not in self.costs:
            self.costs[size] = self._counted(*size)
        return self.costs[size]

    def _counted(self, width: int, height: int, batch_size: int, guided: bool) -> Cost:
        pixels = width * height
        known = (self.model.digest, width, height, self.precision, self.device_class, batch_size)
        return Cost(
            "|".join(map(str, known)),
            # with guidance a step is two passes
            operations=2 * unet_work.of_model(self.model, pixels / self.model.vae_factor**2),
            precision=self.precision,
            memory=drawing_bytes(
                self.model, self.precision, (width, height), batch_size, guided=guided
            ),
            disk=int(pixels * 1.6) + 4096,
        )

    def frame(
        self,
        *,
        id: str,  # noqa: A002
        step: str,
        group: str,
        prompt: str,
        look: Look,
        noise: int,
        place: Place,
        files: Sequence[str],
        start: Start | None = None,
        seed: int = 0,
    ) -> Action:
        """The action that draws one picture; `seed` is only what its file will say."""
        width, height = self.size(look)
        steps = self.steps(look)
        effective = self.effective_steps(look, start.strength) if start else steps
        wave = width_for(self.model.family, (width, height), self.context.facts.machine)
        inputs: list[Input] = list(self.trained)
        anchor_weight = None
        if start is not None:
            inputs.append(Input("start", start.frame, "latents"))
            if start.anchor is not None and start.anchor_weight > 0 and start.anchor != start.frame:
                inputs.append(Input("anchor", start.anchor, "latents"))
                anchor_weight = start.anchor_weight
        task = FrameTask(
            prompt=prompt,
            negative_prompt=look.negative_prompt,
            noise=noise,
            strength=start.strength if start else 1.0,
            num_inference_steps=steps,
            guidance_scale=self.guidance(look),
            scheduler=look.scheduler or "default",
            width=width,
            height=height,
            model=self.model.digest,
            adapters=self.adapters,
            precision=self.precision,
            device_class=self.device_class,
            batch_size=wave,
            anchor_weight=anchor_weight,
            seed=seed,
            effective_steps=effective,
        )
        return Action(
            id=id,
            step=step,
            group=group,
            label=prompt,
            place=place,
            engine=self.engine(wave),
            task=task,
            cost=self.cost(width, height, wave, guided=self.guidance(look) > 1),
            inputs=tuple(inputs),
            files={"picture": tuple(files)},
            units=max(1, _calls(look.scheduler, effective)),
            places={"model": self.source_place, "precision": self.source_place},
        )

    def check_look(self, look: Look, place: Place) -> Iterator[Diagnostic]:
        """A size or a precision that cannot be drawn with is an error; `place` is whose look it is."""
        if self.precision == "fp16" and self.device == "cpu":
            yield self.context.finding(
                "precision",
                "dtype: fp16 is for GPUs; a CPU draws in bf16 or fp32",
                self.source_place,
                "write dtype: auto, which takes what is fast here",
            )
        width, height = self.size(look)
        unit = self.model.vae_factor
        if width % unit or height % unit:
            better = tuple(max(unit, round(side / unit) * unit) for side in (width, height))
            yield self.context.finding(
                "size",
                f"{self.model.source} cannot draw {width}x{height}: sides are multiples of {unit} px",
                look.where("width" if width % unit else "height", "width", "aspect") or place,
                f"the nearest it can: width: {better[0]}, height: {better[1]}",
            )
        elif min(width, height) * 2 < min(self.model.native) or max(width, height) > 4 * max(
            self.model.native
        ):
            native = "x".join(map(str, self.model.native))
            yield self.context.finding(
                "size",
                f"{self.model.source} was trained at {native}; {width}x{height} is too far from it",
                look.where("width", "height", "aspect") or place,
                f"leave width and height out for {native}, or write aspect: 16:9",
            )

    def check_strength(self, look: Look, strength: float, place: Place) -> Iterator[Diagnostic]:
        """A strength that leaves no step would hand on the picture before unchanged, or none."""
        if self.effective_steps(look, strength) < 1:
            steps = self.steps(look)
            least = -(-100 // steps) / 100
            more = f"num_inference_steps: {math.ceil(1 / strength)} or more"
            yield self.context.finding(
                "no-steps",
                f"strength {strength:g} of {steps} num_inference_steps leaves no step: "
                f"int({steps} * {strength:g}) is 0",
                place,
                f"write strength: {least:g} or more, or {more}" if steps > 1 else f"write {more}",
            )

    def check_prompts(
        self,
        prompts: Iterable[tuple[str, Place]],
        taught: frozenset[str],
        parts: Iterable[tuple[str, Place | None]] = (),
    ) -> Iterator[Diagnostic]:
        """Prompts over the text encoder's limit are errors; words outside the model's world are named.

        Those of them that are `taught` to it are no strangers. `parts` are texts that prompts are put
        together from, such as the style: a word of theirs is told where they stand.
        """
        given = list(prompts)
        counter = self.context.facts.counters.get(self.model.name)
        over = counter.overflow([text for text, _ in given]) if counter else {}
        for text, place in given if over else ():
            if text in over:
                tokens, lost = over[text]
                yield self.context.finding(
                    "prompt-too-long",
                    f"the prompt has {tokens} tokens, {self.model.source} reads {self.model.token_limit}: "
                    f"'{lost}' would fall off",
                    place,
                    f"the prompt: {text}",
                    "shorten the sentence, the anchor, the style or the setting",
                )
        yield from self._strangers(given, taught, parts)

    def _strangers(
        self,
        given: Sequence[tuple[str, Place]],
        taught: frozenset[str],
        parts: Iterable[tuple[str, Place | None]],
    ) -> Iterator[Diagnostic]:
        vocabulary = self.model.vocabulary
        if not vocabulary or not given:
            return
        first: dict[str, Place] = {}
        for text, place in given:
            for word in words_of(text):
                if word not in vocabulary and word not in taught:
                    first.setdefault(word, place)
        for text, at in parts if first else ():
            for word in words_of(text):
                if word in first and at is not None:
                    first[word] = at
        if first:
            found = [(self.context.place_of(word, at), word) for word, at in first.items()]
            first = {word: at for at, word in sorted(found)}
            place = next(iter(first.values()))
            listed = ", ".join(
                f"{word} (line {where.line})" for word, where in list(first.items())[:12]
            )
            more = f" and {len(first) - 12} more" if len(first) > 12 else ""
            yield self.context.finding(
                "unknown-words",
                f"{self.model.source} has never seen: {listed}{more}",
                place,
                "it draws the rest; `lorakit plan --frames` shows the whole prompts",
                warning=True,
            )


def _calls(scheduler: str | None, steps: int) -> int:
    return 2 * steps - 1 if scheduler in _TWICE else steps


def easel_for(
    model: str,
    adapters: Sequence[AdapterUse],
    context: Context,
    trained_by: Mapping[str, Input] | None = None,
) -> Easel:
    """Settle what a step draws with; `trained_by` says where adapters come from that no other step makes."""
    facts = context.facts
    machine = facts.machine
    digests: list[tuple[str, float]] = []
    paths: list[str] = []
    trained: list[Input] = []
    for use in adapters:
        if trained_by and use.name in trained_by:
            own = trained_by[use.name]
            trained.append(own)
            digests.append((f"input:{own.role}", use.weight))
            paths.append(f"input:{own.role}")
            continue
        if use.name in facts.adapters:
            digests.append((facts.adapters[use.name].digest, use.weight))
            paths.append(str(adapter_file(context.project.recipe.adapters[use.name].path)))
            continue
        role = f"adapter_{len(trained) + 1}"
        made = context.made.get(use.step)
        at = f"{use.step}/best" if use.step != use.name else ""
        makers = [a for a in made.actions if "adapter" in a.files] if made else []
        makers = [a for a in makers if a.id == at] if at else makers
        trained += [Input(role, maker.id, "adapter") for maker in makers[:1]]
        digests.append((f"input:{role}", use.weight))
        paths.append(f"input:{role}")
    return Easel(
        model=facts.models[model],
        precision=machine.precision(context.project.recipe.models[model].dtype),
        device_class=machine.device_class,
        device=machine.device,
        adapters=tuple(digests),
        adapter_paths=tuple(paths),
        trained=tuple(trained),
        draft=context.draft,
        context=context,
    )
