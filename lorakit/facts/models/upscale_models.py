"""Models that make pictures larger: the folder of a pipeline."""

from __future__ import annotations

from lorakit.facts.files.digests import Digests
from lorakit.facts.models.pipeline_models import PipelineModel, PipelineSort
from lorakit.families.upscalers import UPSCALERS, Upscaler, upscaler_titles
from lorakit.language.recipe.documents import ModelSource
from lorakit.records import record

UPSCALE_SORT = PipelineSort("an upscaler", UPSCALERS, "makes no picture larger", upscaler_titles)


@record
class UpscaleModel(PipelineModel):
    """A model that makes pictures larger."""

    @property
    def upscaler(self) -> Upscaler | None:
        """What it is; None where it is not here yet."""
        return UPSCALERS.get(self.kind)


def upscale_model(source: ModelSource, digests: Digests, *, download: bool) -> UpscaleModel:
    """The facts of one. Raises ModelError where there is none that is opened, OSError."""
    return UPSCALE_SORT.read(UpscaleModel, source, digests, download=download)
