"""Which engine draws: a family's frames share calls of its denoiser, or are each a call of a pipeline."""

from __future__ import annotations

from lorakit.families import FAMILIES
from lorakit.plan.engine_specs import DrawingSpec
from lorakit.plan.tasks.job import Report
from lorakit.rendering.call_engine import CallEngine
from lorakit.rendering.engine import RenderEngine


def drawing_engine(spec: DrawingSpec, report: Report) -> RenderEngine | CallEngine:
    """The engine of a model's family, loaded; of a stock one the calls, whatever the family."""
    waves = FAMILIES[spec.family].waves and not spec.stock
    return (RenderEngine if waves else CallEngine)(spec, report)
