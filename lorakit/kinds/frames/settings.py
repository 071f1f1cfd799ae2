"""What a step draws with: its model, adapters, precision and engine, settled for this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lorakit.diagnostics import Place
from lorakit.facts.models import unet_work
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.kinds.frames.adapters import WornAdapters, worn_adapters
from lorakit.language.recipe.documents import AdapterUse
from lorakit.language.story.documents import ImageSettings
from lorakit.plan.actions import Engine, Input
from lorakit.plan.aspect import nearest_size
from lorakit.plan.cost import Cost
from lorakit.plan.drawing_memory import drawing_bytes
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.kind import Context
from lorakit.plan.workers import RENDER
from lorakit.store.canonical import digest_of
from lorakit.store.store import FOLDER

DRAFT_STEPS = 8


@dataclass(frozen=True, slots=True)
class RenderSettings:
    """What a step draws with: everything that its frames share, settled for this machine."""

    model: ModelFacts
    precision: str
    device_class: str
    device: str
    worn: WornAdapters
    draft: bool
    context: Context
    engines: dict[int, Engine] = field(default_factory=dict, compare=False, repr=False)
    costs: dict[tuple[int, int, int, bool, int], Cost] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def precision_place(self) -> Place:
        """Where the recipe names the model's precision, or the model."""
        model = self.context.project.recipe.models[self.model.name]
        return model.dtype_place or model.place

    @property
    def source_place(self) -> Place:
        """Where the recipe names the model."""
        return self.context.project.recipe.models[self.model.name].place

    def size(self, look: ImageSettings) -> tuple[int, int]:
        """Width and height in px, from the look or the model's native size."""
        native = self.model.native
        width, height = look.width or native[0], look.height or native[1]
        if look.aspect is not None:
            # what a UNet halves without a remainder; other multiples of the VAE's draw badly
            unit = self.model.unit * (8 if min(native) >= 512 else 4)
            if not self.model.traits.waves:
                unit = self.model.unit
            width, height = nearest_size(native, unit, look.aspect)
        if self.draft and min(width, height) >= 512:
            unit = self.model.unit
            width, height = (side // 2 // unit * unit for side in (width, height))
        return width, height

    def steps(self, look: ImageSettings) -> int:
        """Denoising steps of a text-to-image frame."""
        steps = look.num_inference_steps or self.model.num_inference_steps
        return min(steps, DRAFT_STEPS) if self.draft else steps

    def effective_steps(self, look: ImageSettings, strength: float) -> int:
        """Denoising steps that img2img leaves at a strength."""
        return self.model.traits.steps_left(self.steps(look), strength)

    def guided(self, look: ImageSettings) -> bool:
        """Whether a step is two passes, one of them told what a picture shall not show."""
        traits = self.model.traits
        return self.guidance(look) > traits.guided_above and traits.guidable(self.model.configs)

    def guidance(self, look: ImageSettings) -> float:
        """The guidance scale."""
        given = look.guidance_scale
        return float(self.model.guidance_scale if given is None else given)

    def engine(self, batch_size: int) -> Engine:
        """What a worker loads for these frames; settled once for each batch size."""
        if batch_size not in self.engines:
            self.engines[batch_size] = self._settle_engine(batch_size)
        return self.engines[batch_size]

    def _settle_engine(self, batch_size: int) -> Engine:
        model = self.model
        spec = DrawingSpec(
            name=model.source,
            path=str(model.path),
            parts=str(model.parts or ""),
            digest=model.digest,
            family=model.family,
            vae_factor=model.vae_factor,
            precision=self.precision,
            device=self.device,
            batch_size=batch_size,
            adapters=self.worn.weighed,
            adapter_paths=self.worn.paths,
            batch_sizes=str(self.context.project.home / FOLDER / "widths.json"),
        )
        known = spec.key()
        # an adapter that is still to be made stands for what it will be: one run makes it once
        known["trained"] = [[i.role, i.action, i.output] for i in self.worn.inputs]
        return Engine(RENDER.name, spec, digest_of(known) if model.digest else "")

    def cost(
        self, width: int, height: int, batch_size: int, *, guided: bool, references: int = 0
    ) -> Cost:
        """What a UNet step at this size costs, and a frame; counted once for each size."""
        size = (width, height, batch_size, guided, references)
        if size not in self.costs:
            self.costs[size] = self._counted(*size)
        return self.costs[size]

    def _counted(
        self, width: int, height: int, batch_size: int, guided: bool, references: int
    ) -> Cost:
        pixels = width * height
        positions = pixels / self.model.vae_factor**2
        known = [self.model.digest, width, height, self.precision, self.device_class, batch_size]
        known += [f"shared {references}"] if references else []
        return Cost(
            "|".join(map(str, known)),
            operations=(_passes(self.model, guided=guided) + references)
            * unet_work.of_model(self.model, positions),
            precision=self.precision,
            memory=drawing_bytes(
                self.model,
                self.precision,
                (width, height),
                batch_size,
                guided=guided,
                references=references,
            ),
            disk=int(pixels * 1.6) + 4096,
        )


def _passes(model: ModelFacts, *, guided: bool) -> int:
    """Of a step; frames of UNets are mostly guided."""
    return 2 if guided or model.traits.waves else 1


def render_settings(
    model: str,
    adapters: Sequence[AdapterUse],
    context: Context,
    trained_by: Mapping[str, Input] | None = None,
) -> RenderSettings:
    """Settle what a step draws with; `trained_by` says where adapters come from that no other step makes."""
    machine = context.facts.machine
    return RenderSettings(
        model=context.facts.models[model],
        precision=machine.precision(context.project.recipe.models[model].dtype),
        device_class=machine.device_class,
        device=machine.device,
        worn=worn_adapters(adapters, context, trained_by),
        draft=context.draft,
        context=context,
    )
