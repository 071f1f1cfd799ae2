"""What a step draws with: its model, adapters, precision and engine, settled for this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from lorakit.diagnostics import Place
from lorakit.facts.files.user_cache import user_cache
from lorakit.facts.models import unet_work
from lorakit.facts.models.model_facts import ModelFacts
from lorakit.kinds.frames.adapters import WornAdapters, worn_adapters
from lorakit.kinds.frames.alike import DrawnAt, OfLook
from lorakit.language.recipe.adapters import AdapterUse
from lorakit.language.recipe.documents import ModelSource
from lorakit.language.story.documents import ImageSettings
from lorakit.plan import attention_backends
from lorakit.plan.actions import Engine, Input
from lorakit.plan.aspect import nearest_size
from lorakit.plan.cost import Cost
from lorakit.plan.drawing_memory import TILE, drawing_needs, undecodable
from lorakit.plan.engine_specs import DrawingSpec, Keeping
from lorakit.plan.kind import Context
from lorakit.plan.memory_modes import NONE, PLAIN, MemoryMode, chosen, rounding
from lorakit.plan.workers import RENDER
from lorakit.records import record
from lorakit.store.canonical import digest_of

DRAFT_STEPS = 8


@record
class RenderSettings:
    """What a step draws with: everything that its frames share, settled for this machine.

    With `rewears` others of its frames wear other adapters.
    """

    model: ModelFacts
    precision: str
    device_class: str
    device: str
    worn: WornAdapters
    draft: bool
    context: Context
    rewears: bool = False
    engines: dict[tuple[int, MemoryMode, bool], Engine] = field(
        default_factory=dict, compare=False, repr=False
    )
    modes: dict[tuple[int, int, int, bool, int], MemoryMode] = field(
        default_factory=dict, compare=False, repr=False
    )
    looks: dict[ImageSettings, OfLook] = field(default_factory=dict, compare=False, repr=False)
    sizes: dict[tuple[int, int, int, bool, bool, int], DrawnAt] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def precision_place(self) -> Place:
        """Where the recipe names the model's precision, or the model."""
        model = self.context.project.recipe.models[self.model.name]
        return model.dtype_place or model.place

    @property
    def source_model(self) -> ModelSource:
        """The model as the recipe has it."""
        return self.context.project.recipe.models[self.model.name]

    @property
    def source_place(self) -> Place:
        """Where the recipe names the model."""
        return self.context.project.recipe.models[self.model.name].place

    def of_look(self, look: ImageSettings) -> OfLook:
        """What a look comes to with this model; settled once for each."""
        found = self.looks.get(look)
        if found is None:
            width, height = self.size(look)
            steps, scale, guided = self.steps(look), self.guidance(look), self.guided(look)
            found = self.looks[look] = OfLook(width, height, steps, scale, guided)
        return found

    def drawn_at(
        self,
        size: tuple[int, int],
        batch_size: int,
        *,
        guided: bool,
        stock: bool = False,
        references: int = 0,
    ) -> DrawnAt:
        """What frames of a size are drawn with, by whole pipelines of diffusers if `stock`; settled once."""
        wanted = (*size, batch_size, guided, stock, references)
        found = self.sizes.get(wanted)
        if found is None:
            mode = self.mode(*size, batch_size, guided=guided, references=references)
            engine = self.engine(batch_size, mode, stock=stock)
            cost = self._cost(*size, batch_size, guided, references)
            kept, tiled = self.keeping(mode, stock=stock), self.tiled(*size)
            found = DrawnAt(mode, kept.compiled, tiled, kept.block_cache, engine, cost)
            self.sizes[wanted] = found
        return found

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

    def tiled(self, width: int, height: int) -> bool:
        """Whether a picture of this size is decoded in tiles: as asked, or since a card cannot otherwise."""
        if max(width, height) <= TILE:
            return False
        card = self.context.facts.machine.card
        return self.source_model.memory == "minimal" or (
            card is not None and undecodable(self.model, self.precision, (width, height), card)
        )

    def mode(
        self, width: int, height: int, batch_size: int, *, guided: bool, references: int = 0
    ) -> MemoryMode:
        """How the model is kept while pictures of this size are drawn; chosen once for each."""
        size = (width, height, batch_size, guided, references)
        if size not in self.modes:
            needs = drawing_needs(
                self.model,
                self.precision,
                (width, height),
                batch_size,
                guided=guided,
                references=references,
                tiled=self.tiled(width, height),
            )
            machine, wish = self.context.facts.machine, self.source_model.memory
            bits = rounding(wish, machine)
            there = [b for b in bits if any(b == of for of, _ in needs)] or [0]
            self.modes[size] = chosen(needs, there, machine.card)
        return self.modes[size]

    @property
    def block_cache(self) -> float:
        """The change of a step below which blocks are skipped; 0 for never."""
        return self.model.traits.block_cache if self.source_model.speed == "fast" else 0.0

    def keeping(self, mode: MemoryMode, *, stock: bool = False) -> Keeping:
        """What a worker is told of a mode.

        `stock` pipelines skip no blocks: what a ControlNet adds would be added to what was kept with it.
        """
        cache = 0.0 if stock else self.block_cache
        return Keeping(mode.bits, mode.offload, cache, self.compiled(mode), self.attention_backend)

    @property
    def attention_backend(self) -> str:
        """What computes a transformer's attention."""
        source, machine = self.source_model, self.context.facts.machine
        return attention_backends.chosen(
            source.attention_backend, source.speed, self.model.traits, machine, self.precision
        )

    def compiled(self, mode: MemoryMode) -> bool:
        """Whether blocks are compiled: on an NVIDIA GPU, where all of them stay there as they are."""
        traits = self.model.traits
        fast = self.source_model.speed == "fast" and not traits.waves and traits.compiles
        own = self.context.facts.machine.card is not None
        return fast and own and not mode.bits and mode.offload == NONE

    def engine(self, batch_size: int, mode: MemoryMode = PLAIN, *, stock: bool = False) -> Engine:
        """What a worker loads for these frames, or for those that `stock` pipelines draw; settled once."""
        wanted = (batch_size, mode, stock)
        found = self.engines.get(wanted)
        if found is None:
            found = self._settle_engine(batch_size, self.keeping(mode, stock=stock), stock)
            self.engines[wanted] = found
        return found

    def _settle_engine(self, batch_size: int, keeping: Keeping, stock: bool) -> Engine:
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
            keeping=keeping,
            batch_sizes=str(user_cache() / "widths.json"),
            stock=stock and self.model.traits.waves,
            rewears=self.rewears,
        )
        known = spec.key()
        # an adapter that is still to be made stands for what it will be: one run makes it once
        known["trained"] = [[i.role, i.action, i.output] for i in self.worn.inputs]
        return Engine(RENDER.name, spec, digest_of(known) if model.digest else "")

    def _cost(
        self, width: int, height: int, batch_size: int, guided: bool, references: int
    ) -> Cost:
        """What a UNet step at this size costs, and a frame."""
        pixels = width * height
        positions = pixels / self.model.vae_factor**2
        known: list[object] = [
            self.model.digest,
            width,
            height,
            self.precision,
            self.device_class,
            batch_size,
        ]
        if references:
            known.append(f"shared {references}")
        mode = self.mode(width, height, batch_size, guided=guided, references=references)
        if (keeping := self.keeping(mode)) != Keeping():
            known.append(str(keeping))
        machine = self.context.facts.machine
        if not machine.kind.gpu and machine.workers > 1:
            known.append(f"{machine.workers} workers")  # share its cores
        return Cost(
            "|".join(map(str, known)),
            operations=(_passes(self.model, guided=guided) + references)
            * unet_work.of_model(self.model, positions),
            precision=self.precision,
            memory=mode.card,
            mode=mode,
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
    *,
    rewears: bool = False,
) -> RenderSettings:
    """Settle what a step draws with; `trained_by` says where adapters come from that no other step makes.

    With `rewears` others of its frames wear other adapters.
    """
    machine = context.facts.machine
    return RenderSettings(
        model=context.facts.models[model],
        precision=machine.precision(context.project.recipe.models[model].dtype),
        device_class=machine.device_class,
        device=machine.device,
        worn=worn_adapters(adapters, context, trained_by),
        draft=context.draft,
        context=context,
        rewears=rewears,
    )
